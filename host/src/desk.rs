//! Where each act of a person is sorted: a command is carried out, a tap finds its question, text
//! goes to the active session. Owns the people and the list of sessions; what happens inside a
//! session is `session`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use common::command::{self, Command, Typed};
use common::ids::{CardId, SessionId, TurnId, UserId};
use common::message::inbound::InboundBody;
use common::message::view::{Action, Tone};
use common::text::Say as _;
use common::text::host::HostText;
use tokio::sync::{mpsc, watch};
use tracing::{Instrument as _, info_span};
use uuid::Uuid;

use crate::beat::Load;
use crate::cards;
use crate::command as commands;
use crate::context::{Context, Origin};
use crate::journal::{Accepted, Change, Snapshot};
use crate::record::{Mode, SessionRecord, TurnRecord, TurnState, UserRecord};
use crate::session::{Msg, SessionHandle};

/// Open sessions of one person; more are refused with a word.
pub(crate) const MAX_SESSIONS: usize = 50;

/// The desk's state.
pub(crate) struct Desk {
    pub(crate) context: Arc<Context>,
    users: BTreeMap<UserId, UserRecord>,
    sessions: BTreeMap<SessionId, SessionHandle>,
    load: watch::Sender<Load>,
}

/// A session with its number, as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Numbered {
    pub(crate) n: usize,
    pub(crate) record: SessionRecord,
    pub(crate) handle: SessionHandle,
}

impl Desk {
    /// Takes up what the journal holds; sessions begin to recover at once.
    pub(crate) fn new(
        context: Arc<Context>,
        snapshot: Snapshot,
        load: watch::Sender<Load>,
    ) -> Self {
        let Snapshot {
            users,
            sessions,
            mut turns,
            mut prompts,
            inbox: _,
        } = snapshot;
        let sessions = sessions
            .into_iter()
            .map(|record| {
                let id = record.id;
                let own = |session: &SessionId| *session == id;
                let mine = turns.extract_if(.., |turn| own(&turn.session)).collect();
                let asked = prompts
                    .extract_if(.., |prompt| own(&prompt.session))
                    .collect();
                let handle = SessionHandle::start(Arc::clone(&context), record, mine, asked);
                (id, handle)
            })
            .collect();
        let users = users
            .into_iter()
            .map(|user| (user.user.clone(), user))
            .collect();
        Self {
            context,
            users,
            sessions,
            load,
        }
    }

    /// Works until the intake closes: first what waited in the journal, then what comes.
    pub(crate) async fn run(mut self, waiting: Vec<Accepted>, mut inbox: mpsc::Receiver<Accepted>) {
        for accepted in waiting {
            self.take(accepted).await;
        }
        let mut count = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            tokio::select! {
                () = self.context.cancel.cancelled() => return,
                accepted = inbox.recv() => match accepted {
                    Some(accepted) => self.take(accepted).await,
                    None => return,
                },
                _ = count.tick() => self.count(),
            }
        }
    }

    fn count(&self) {
        let running = self
            .sessions
            .values()
            .filter(|session| session.brief().running)
            .count();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.load.send_replace(Load {
            sessions: number(self.sessions.len()),
            running: number(running),
        });
    }

    async fn take(&mut self, accepted: Accepted) {
        let span = info_span!("act", cause = %accepted.work.inbound.meta.cause, user = %accepted.work.inbound.user);
        self.sort(accepted).instrument(span).await;
    }

    async fn sort(&mut self, accepted: Accepted) {
        let Accepted { place, work } = accepted;
        let origin = Origin::of(&work);
        match work.inbound.body {
            InboundBody::Text { text } => match command::read(&text) {
                Typed::Command(command, args) => {
                    self.command(place, &origin, command, args).await;
                }
                Typed::Passed(text) => self.give_active(place, &origin, slashed(text)).await,
                Typed::Foreign(text) => {
                    if self.active(&origin.user).is_some() {
                        self.give_active(place, &origin, slashed(text)).await;
                    } else {
                        let name = text.split_whitespace().next().unwrap_or(text).to_owned();
                        let text = HostText::UnknownCommand { name };
                        self.say(place, &origin, Tone::Warning, &text).await;
                    }
                }
                Typed::Text("") => self.done(place).await,
                Typed::Text(text) => self.give_active(place, &origin, text.to_owned()).await,
            },
            InboundBody::Tap { action } => self.tap(place, origin, action).await,
            // The router answers these; one that comes here all the same is settled.
            InboundBody::Unsupported { .. } | InboundBody::TooLong { .. } => self.done(place).await,
        }
    }

    async fn command(&mut self, place: u64, origin: &Origin, command: Command, args: &str) {
        match command {
            Command::New => commands::new::run(self, place, origin, args).await,
            Command::Status => commands::status::run(self, place, origin).await,
            Command::Switch => commands::switch::run(self, place, origin, args).await,
            Command::Close => commands::close::run(self, place, origin, args).await,
            Command::Direct => commands::direct::run(self, place, origin).await,
            Command::Stop => commands::stop::run(self, place, origin).await,
            // The router keeps its own commands; here they could only come by mistake.
            Command::Help | Command::Nodes | Command::Node => {
                self.show(place, origin, cards::help(origin.lang)).await;
            }
        }
    }

    /// A tap is for the session of its question or turn, if that is the tapper's own.
    async fn tap(&mut self, place: u64, origin: Origin, action: Action) {
        let journal = &self.context.journal;
        let prompt = match &action {
            Action::Answer { prompt, .. } => journal.prompt(*prompt).await.ok().flatten(),
            Action::Stop { .. }
            | Action::Recover { .. }
            | Action::Queued { .. }
            | Action::Switch { .. }
            | Action::UseNode { .. }
            | Action::Waiting { .. }
            | Action::Dead { .. } => None,
        };
        let turn = match &action {
            Action::Stop { turn, .. }
            | Action::Recover { turn, .. }
            | Action::Queued { turn, .. } => journal.turn(*turn).await.ok().flatten(),
            Action::Answer { .. }
            | Action::Switch { .. }
            | Action::UseNode { .. }
            | Action::Waiting { .. }
            | Action::Dead { .. } => None,
        };
        let about = prompt
            .as_ref()
            .map(|prompt| (&prompt.user, prompt.session))
            .or_else(|| turn.as_ref().map(|turn| (&turn.user, turn.session)));
        if let Some((owner, _)) = about
            && *owner != origin.user
        {
            let text = HostText::NotYours.say(origin.lang);
            self.context
                .commit(vec![origin.notice("not yours", text), Change::Done(place)])
                .await;
            return;
        }
        let session = about.map(|(_, session)| session);
        let origin = Box::new(origin);
        let msg = match action {
            Action::Answer { answer, .. } => prompt.map(|prompt| Msg::Answer {
                place,
                origin,
                prompt: Box::new(prompt),
                answer,
            }),
            Action::Stop { turn, .. } => Some(Msg::Stop {
                place,
                origin,
                turn: Some(turn),
            }),
            Action::Recover { turn, choice, .. } => Some(Msg::Recover {
                place,
                turn,
                choice,
            }),
            Action::Queued { turn, choice, .. } => Some(Msg::Queued {
                place,
                turn,
                choice,
            }),
            Action::Switch { session, .. } => {
                let mine = self.mine(&origin.user);
                if let Some(found) = mine.into_iter().find(|one| one.record.id == session) {
                    self.make_active(place, &origin, &found).await;
                    return;
                }
                None
            }
            // The router's own.
            Action::UseNode { .. } | Action::Waiting { .. } | Action::Dead { .. } => None,
        };
        match (session, msg) {
            (Some(session), Some(msg)) => self.pass(place, session, msg).await,
            // Of a turn that is over, a session that is closed: nothing to do any more.
            _ => self.done(place).await,
        }
    }

    // ---- sessions

    /// A person's sessions, numbered by age from 1.
    pub(crate) fn mine(&self, user: &UserId) -> Vec<Numbered> {
        let mut mine: Vec<(SessionRecord, SessionHandle)> = self
            .sessions
            .values()
            .map(|handle| (handle.brief().record, handle.clone()))
            .filter(|(record, _)| record.user == *user)
            .collect();
        mine.sort_by_key(|(record, _)| (record.created_at, record.id));
        mine.into_iter()
            .enumerate()
            .map(|(at, (record, handle))| Numbered {
                n: at + 1,
                record,
                handle,
            })
            .collect()
    }

    /// The session that plain text goes to: the chosen one, else the only one.
    pub(crate) fn active(&self, user: &UserId) -> Option<Numbered> {
        let mut mine = self.mine(user);
        let chosen = self.users.get(user).and_then(|user| user.active);
        match mine.iter().position(|one| Some(one.record.id) == chosen) {
            Some(at) => Some(mine.swap_remove(at)),
            None if mine.len() == 1 => mine.pop(),
            None => None,
        }
    }

    /// What is kept of a person.
    pub(crate) fn user(&self, user: &UserId) -> UserRecord {
        self.users.get(user).cloned().unwrap_or_else(|| UserRecord {
            user: user.clone(),
            active: None,
            mode: Mode::default(),
        })
    }

    /// Begins a session: in the journal first, then its task.
    pub(crate) async fn open(&mut self, record: SessionRecord) {
        let mut user = self.user(&record.user);
        user.active = Some(record.id);
        self.context
            .commit(vec![
                Change::Session(Box::new(record.clone())),
                Change::User(user.clone()),
            ])
            .await;
        self.users.insert(user.user.clone(), user);
        let id = record.id;
        let context = Arc::clone(&self.context);
        let handle = SessionHandle::start(context, record, Vec::new(), Vec::new());
        self.sessions.insert(id, handle);
    }

    /// Forgets a session that was closed, and keeps what that changed of its owner; both are
    /// written down already.
    pub(crate) fn forget(&mut self, session: SessionId, owner: UserRecord) {
        self.sessions.remove(&session);
        self.users.insert(owner.user.clone(), owner);
    }

    /// Keeps what changed of a person, with the answer to the act that changed it.
    pub(crate) async fn keep(&mut self, user: UserRecord, mut changes: Vec<Change>) {
        changes.push(Change::User(user.clone()));
        self.context.commit(changes).await;
        self.users.insert(user.user.clone(), user);
    }

    /// Makes a session the active one and says so.
    pub(crate) async fn make_active(&mut self, place: u64, origin: &Origin, session: &Numbered) {
        let mut user = self.user(&origin.user);
        user.active = Some(session.record.id);
        let text = HostText::Switched {
            n: session.n,
            dir: session.record.dir.clone(),
        };
        let view = cards::say(&self.context.name, origin.lang, Tone::Done, &text);
        self.keep(user, vec![origin.reply(view), Change::Done(place)])
            .await;
    }

    /// Sends a text to the active session as a turn.
    pub(crate) async fn give_active(&mut self, place: u64, origin: &Origin, text: String) {
        match self.active(&origin.user) {
            Some(session) => self.give(place, origin, session.record.id, text).await,
            None => {
                self.say(place, origin, Tone::Plain, &HostText::NoSession)
                    .await;
            }
        }
    }

    /// Sends a text to a session as a turn. Its ids come from the cause, so that taking it up
    /// again after a crash makes the same turn.
    pub(crate) async fn give(&self, place: u64, origin: &Origin, session: SessionId, text: String) {
        let id = TurnId::derived(&[origin.cause.as_str(), "turn"]);
        let turn = TurnRecord {
            id,
            session,
            user: origin.user.clone(),
            chat: origin.chat.clone(),
            lang: origin.lang,
            cause: origin.cause.clone(),
            traceparent: origin.traceparent.clone(),
            text,
            key: Uuid::new_v5(&id.uuid(), b"key"),
            card: CardId::derived(&[&id.to_string(), "card"]),
            rev: 0,
            created_at: Utc::now(),
            state: TurnState::Queued,
        };
        let turn = Box::new(turn);
        self.pass(place, session, Msg::Turn { place, turn }).await;
    }

    pub(crate) async fn pass(&self, place: u64, session: SessionId, msg: Msg) {
        let taken = match self.sessions.get(&session) {
            Some(handle) => handle.send(msg).await,
            None => false,
        };
        if !taken && !self.context.cancel.is_cancelled() {
            self.done(place).await;
        }
    }

    // ---- answers

    /// Answers an act with a card, and with that is done with it.
    pub(crate) async fn show(
        &self,
        place: u64,
        origin: &Origin,
        view: common::message::view::View,
    ) {
        self.context
            .commit(vec![origin.reply(view), Change::Done(place)])
            .await;
    }

    /// Answers an act with a sentence.
    pub(crate) async fn say(&self, place: u64, origin: &Origin, tone: Tone, text: &HostText) {
        let view = cards::say(&self.context.name, origin.lang, tone, text);
        self.show(place, origin, view).await;
    }

    /// Answers wrong use of a command; nothing else changes.
    pub(crate) async fn usage(
        &self,
        place: u64,
        origin: &Origin,
        command: Command,
        wrong: Option<&HostText>,
    ) {
        let text = HostText::Usage {
            wrong: wrong.map(|text| text.say(origin.lang)).unwrap_or_default(),
            usage: command.usage().to_owned(),
        };
        self.say(place, origin, Tone::Warning, &text).await;
    }

    /// An act that needs no answer.
    pub(crate) async fn done(&self, place: u64) {
        self.context.commit(vec![Change::Done(place)]).await;
    }
}

/// The agent knows only the plain slash.
fn slashed(text: &str) -> String {
    match text.strip_prefix('／') {
        Some(rest) => format!("/{rest}"),
        None => text.to_owned(),
    }
}
