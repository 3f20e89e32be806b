//! Owner of what runs and waits: one text of a person at a time, in order. What was cut off is `cut_off`'s.

use std::collections::HashMap;
use std::sync::Arc;

use common::ids::{TurnId, UserId};
use common::llm::Llm;
use common::message::view::Tone;
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info_span};

use super::history::History;
use super::record::ChatRecord;
use super::{
    End, Inbox, Job, MAILBOX, MAX_WAITING, Person, Request, Running, chat, frame, live, record,
};
use crate::cards;
use crate::context::{Context, Origin};
use crate::desk::door::Door;
use crate::journal::Change;
use crate::report;
use crate::session::progress::one_line;

/// Owner of what runs and waits.
pub(super) struct Owner {
    pub(super) context: Arc<Context>,
    llm: Llm,
    door: Door,
    pub(super) people: HashMap<UserId, Person>,
    ends: mpsc::Sender<(UserId, End)>,
}

/// Works until the host ends.
pub(crate) async fn run(context: Arc<Context>, llm: Llm, door: Door, mut inbox: Inbox) {
    let cancel = context.cancel.clone();
    // Everybody has at most one on its way.
    let (ends, mut ended) = mpsc::channel(MAILBOX);
    let mut owner = Owner {
        context,
        llm,
        door,
        people: HashMap::new(),
        ends,
    };
    owner.find_cut_off().await;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some((user, end)) = ended.recv() => owner.on_end(user, end).await,
            request = inbox.0.recv() => match request {
                Some(request) => owner.on(request).await,
                None => return,
            },
        }
    }
}

/// A card of one sentence for a text.
pub(super) fn note(
    context: &Context,
    origin: &Origin,
    rev: u32,
    tone: Tone,
    text: &MailText,
) -> Change {
    let name = MailText::Name.say(origin.lang);
    let view = cards::note(frame(context, origin, &name), tone, text);
    let turn = report::turn_of(&origin.cause);
    origin.card(report::card_of(turn), rev, view)
}

impl Owner {
    async fn on(&mut self, request: Request) {
        match request {
            Request::Hand(letter) => {
                let job = Job {
                    letter: *letter,
                    again: None,
                };
                self.on_job(job).await;
            }
            Request::Stop {
                place,
                origin,
                turn,
                known,
            } => {
                let told = self.on_stop(place, &origin, turn).await;
                let _ = known.send(told);
            }
            Request::Recover {
                letter,
                turn,
                choice,
                known,
            } => {
                let told = self.on_recover(*letter, turn, choice).await;
                let _ = known.send(told);
            }
            Request::Forget { place, origin } => self.on_forget(place, &origin).await,
        }
    }

    /// Begins with a text, or lets it wait.
    pub(super) async fn on_job(&mut self, job: Job) {
        let origin = job.letter.origin.clone();
        let place = job.letter.place;
        let person = self.people.entry(origin.user.clone()).or_default();
        if person.running.is_none() {
            self.begin(job).await;
            return;
        }
        let waiting = person.waiting.len();
        if waiting >= MAX_WAITING {
            let text = MailText::TooMany { max: MAX_WAITING };
            let card = note(&self.context, &origin, 1, Tone::Warning, &text);
            self.context.commit(vec![card, Change::Done(place)]).await;
            return;
        }
        let turn = report::turn_of(&origin.cause);
        let name = MailText::Name.say(origin.lang);
        let view = live::queued(
            frame(&self.context, &origin, &name),
            &one_line(&job.letter.text, 80),
            waiting + 1,
            &self.context.node,
            turn,
        );
        // The act stays in the inbox: after a crash it comes again, and finds its place anew.
        let card = origin.card(report::card_of(turn), record::QUEUED, view);
        if self.context.commit(vec![card]).await
            && let Some(person) = self.people.get_mut(&origin.user)
        {
            person.waiting.push_back(job);
        }
    }

    async fn begin(&mut self, job: Job) {
        let Job { letter, again } = job;
        let origin = letter.origin.clone();
        let record = ChatRecord::begun(&letter, again.as_ref());
        let turn = record.turn;
        let mut changes = vec![
            record.kept(),
            live::first(&self.context, &record),
            Change::Done(letter.place),
        ];
        if let Some(again) = &again {
            let goes_on = MailText::GoesOn;
            let origin = &again.origin;
            changes.push(note(
                &self.context,
                origin,
                again.rev + 1,
                Tone::Plain,
                &goes_on,
            ));
            changes.push(again.taken());
        }
        if !self.context.commit(changes).await {
            // The end of us: the act is still in the inbox.
            return;
        }
        common::crash_point!("host.mail.begun");
        let cancel = CancellationToken::new();
        let person = self.people.entry(origin.user.clone()).or_default();
        person.running = Some(Running {
            turn,
            again: again.as_ref().map(|again| again.turn),
            cancel: cancel.clone(),
            forget: false,
        });
        let span = info_span!("mail", cause = %origin.cause, user = %origin.user);
        let broke = record.clone();
        let chat = chat::Chat::new(
            Arc::clone(&self.context),
            self.llm.clone(),
            self.door.clone(),
            letter,
            record,
            again.map(|again| again.lines()),
            cancel,
        );
        // On its own, so that a failure of ours in it ends nothing else.
        let work = self.context.tasks.spawn(chat.run().instrument(span));
        let (ends, context) = (self.ends.clone(), Arc::clone(&self.context));
        self.context.tasks.spawn(async move {
            let end = match work.await {
                Ok(Some(end)) => end,
                // We are stopping: what was begun is found at the next start.
                Ok(None) => return,
                Err(why) => {
                    error!(%why, "the assistant failed inside us");
                    let text = MailText::Broke;
                    let card = note(&context, &broke.origin, broke.rev + 1, Tone::Failed, &text);
                    End {
                        changes: vec![card, broke.taken()],
                        said: None,
                        cut_off: false,
                    }
                }
            };
            let _ = ends.send((origin.user, end)).await;
        });
    }

    /// The end of a text: all of it in one step, then the next one.
    async fn on_end(&mut self, user: UserId, end: End) {
        let running = self
            .people
            .get_mut(&user)
            .and_then(|person| person.running.take());
        let mut changes = end.changes;
        if let Some((mut history, exchange)) = end.said
            && running.is_some_and(|running| !running.forget)
        {
            history.add(exchange);
            changes.push(history.kept(&user));
        }
        self.context.commit(changes).await;
        common::crash_point!("host.mail.kept");
        if end.cut_off {
            self.let_go_of_old(&user).await;
        }
        let next = self
            .people
            .get_mut(&user)
            .and_then(|person| person.waiting.pop_front());
        match next {
            Some(job) => self.begin(job).await,
            None => {
                self.people.remove(&user);
            }
        }
    }

    async fn on_stop(&mut self, place: u64, origin: &Origin, turn: Option<TurnId>) -> bool {
        let found = self.people.iter_mut().find(|(user, person)| match turn {
            Some(turn) => {
                let runs = person.running.as_ref().is_some_and(|one| one.turn == turn);
                let mut waiting = person.waiting.iter();
                runs || waiting.any(|job| report::turn_of(&job.letter.origin.cause) == turn)
            }
            None => **user == origin.user,
        });
        let Some((user, person)) = found else {
            return false;
        };
        if *user != origin.user {
            let text = HostText::NotYours.say(origin.lang);
            let notice = origin.notice("not yours", text);
            self.context.commit(vec![notice, Change::Done(place)]).await;
            return true;
        }
        let mut changes = vec![Change::Done(place)];
        let runs = |one: &&Running| turn.is_none_or(|turn| one.turn == turn);
        if let Some(running) = person.running.as_ref().filter(runs) {
            // Its card tells how it ended.
            running.cancel.cancel();
        } else {
            let at = person
                .waiting
                .iter()
                .position(|job| Some(report::turn_of(&job.letter.origin.cause)) == turn);
            let Some(job) = at.and_then(|at| person.waiting.remove(at)) else {
                return false;
            };
            let letter = job.letter;
            let text = MailText::TakenBack;
            changes.push(note(
                &self.context,
                &letter.origin,
                record::BEGUN,
                Tone::Plain,
                &text,
            ));
            changes.push(Change::Done(letter.place));
        }
        self.context.commit(changes).await;
        true
    }

    async fn on_forget(&mut self, place: u64, origin: &Origin) {
        if let Some(person) = self.people.get_mut(&origin.user)
            && let Some(running) = &mut person.running
        {
            running.forget = true;
        }
        let text = MailText::Forgotten;
        let view = cards::say(&self.context.name, origin.lang, Tone::Done, &text);
        self.context
            .commit(vec![
                History::forgotten(&origin.user),
                origin.reply(view),
                Change::Done(place),
            ])
            .await;
    }
}
