//! Where each act of a person is sorted: a command is carried out, a tap finds its question, text
//! goes to the active session. Owns the people and the list of sessions; what happens inside a
//! session is `session`'s.
//!
//! One task for everybody, so it waits for nobody: what a session has no room for waits in its
//! person's lane, and a session that is closed ends beside the desk. What it does wait for is the
//! journal.

mod assistant;
mod beside;
mod closing;
pub(crate) mod door;
mod files;
mod lane;
mod people;
mod start;
mod tap;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use common::audit::Kind;
use common::command::{self, Command, Typed};
use common::ids::{SessionId, UserId};
use common::message::inbound::InboundBody;
use common::message::view::Tone;
use common::text::Say;
use common::text::host::HostText;
use tokio::sync::{mpsc, watch};
use tracing::{Instrument as _, info_span};
use uuid::Uuid;

use crate::beat::Load;
use crate::cards;
use crate::command as commands;
use crate::context::{Context, Origin};
use crate::journal::{Accepted, Change};
use crate::record::{PromptRecord, SessionRecord, TurnRecord, TurnState, UserRecord};
use crate::report;
use crate::session::{Handed, Msg, SessionHandle};
use lane::{Lanes, Queued};

/// Open sessions of one person; more are refused with a word.
pub(crate) const MAX_SESSIONS: usize = 50;

/// The desk's state.
pub(crate) struct Desk {
    pub(crate) context: Arc<Context>,
    users: BTreeMap<UserId, UserRecord>,
    sessions: BTreeMap<SessionId, SessionHandle>,
    load: watch::Sender<Load>,
    lanes: Lanes,
    closed_in: mpsc::Sender<(UserId, SessionId)>,
    closed: mpsc::Receiver<(UserId, SessionId)>,
    strays: (Vec<TurnRecord>, Vec<PromptRecord>),
    seats: beside::Seats,
    knocks: mpsc::Receiver<door::Knock>,
    arrivals: files::Arrivals,
}

/// What became of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Went {
    /// It is dealt with, or handed over.
    On,
    /// This session has no room for it; nothing was done.
    Nowhere(SessionId),
}

/// A session with its number, as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Numbered {
    pub(crate) n: usize,
    pub(crate) record: SessionRecord,
    pub(crate) handle: SessionHandle,
}

impl Desk {
    /// Works until the intake closes: first what waited in the journal, then what comes.
    pub(crate) async fn run(mut self, waiting: Vec<Accepted>, mut inbox: mpsc::Receiver<Accepted>) {
        self.go_on_closing();
        self.let_go_of_strays().await;
        self.take_up_files(&waiting).await;
        for accepted in waiting {
            self.take(accepted).await;
        }
        let mut count = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            tokio::select! {
                () = self.context.cancel.cancelled() => return,
                Some((owner, session)) = self.closed.recv() => self.ended(&owner, session).await,
                Some(knock) = self.knocks.recv() => self.on_knock(knock).await,
                (user, accepted) = self.lanes.next() => self.attempt(user, accepted).await,
                Some(accepted) = self.arrivals.landed.recv() => self.take(accepted).await,
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

    /// Takes an act that has just come.
    async fn take(&mut self, accepted: Accepted) {
        let user = accepted.work.inbound.user.clone();
        if !self.lanes.holds(&user) {
            self.attempt(user, accepted).await;
            return;
        }
        let (place, origin) = (accepted.place, Origin::of(&accepted.work));
        match self.lanes.push(&user, accepted) {
            Queued::Waits => {}
            Queued::FirstRefused => {
                let waiting = self.lanes.len(&user);
                let text = HostText::LaneFull { waiting };
                self.say(place, &origin, Tone::Warning, &text).await;
            }
            Queued::Refused => self.done(place).await,
        }
    }

    /// Carries an act out, or lets it wait for its session in its person's lane.
    async fn attempt(&mut self, user: UserId, accepted: Accepted) {
        let span = info_span!("act", cause = %accepted.work.inbound.meta.cause, %user);
        match self.sort(accepted.clone()).instrument(span).await {
            Went::On => self.lanes.went(user),
            Went::Nowhere(session) => {
                let room = self.sessions.get(&session).map(SessionHandle::room);
                self.lanes.wait(&user, accepted, async move {
                    if let Some(room) = room {
                        room.await;
                    }
                });
            }
        }
    }

    async fn sort(&mut self, accepted: Accepted) -> Went {
        common::crash_point!("host.desk.takes");
        if let Some((files, text)) = files::of(&accepted) {
            let origin = Origin::of(&accepted.work);
            return self.files(accepted, &origin, files, &text).await;
        }
        let Accepted { place, work } = accepted;
        let origin = Origin::of(&work);
        match work.inbound.body {
            InboundBody::Text { text } => return self.text(place, &origin, &text).await,
            InboundBody::Tap { action } => return self.tap(place, origin, action).await,
            // The router answers these; one that comes here all the same is settled.
            // Files were sorted out before.
            InboundBody::Unsupported { .. }
            | InboundBody::TooLong { .. }
            | InboundBody::Files { .. } => self.done(place).await,
        }
        Went::On
    }

    /// What a person wrote.
    async fn text(&mut self, place: u64, origin: &Origin, text: &str) -> Went {
        match command::read(text) {
            Typed::Command(command, args) => {
                return self.command(place, origin, command, args).await;
            }
            Typed::Passed(text) => {
                return self.give_active(place, origin, slashed(text)).await;
            }
            Typed::Foreign(text) => {
                if self.active(&origin.user).is_some() {
                    return self.give_active(place, origin, slashed(text)).await;
                }
                let name = text.split_whitespace().next().unwrap_or(text).to_owned();
                let text = HostText::UnknownCommand { name };
                self.say(place, origin, Tone::Warning, &text).await;
            }
            Typed::Text("") => self.done(place).await,
            Typed::Text(text) => return self.say_to(place, origin, text.to_owned()).await,
        }
        Went::On
    }

    async fn command(&mut self, place: u64, origin: &Origin, command: Command, args: &str) -> Went {
        let typed = format!("/{} {args}", command.name());
        let line = origin.entry(Kind::Command).node(&self.context.node);
        self.context.audit.note(line.what(typed.trim()));
        // Where it is the agent's own, `/clear` takes what the agent takes.
        let ours = command != Command::Clear || self.assistant(&origin.user).is_some();
        if !args.is_empty() && command.is_bare() && ours {
            self.usage(place, origin, command, None).await;
            return Went::On;
        }
        match command {
            Command::New => return commands::new::run(self, place, origin, args).await,
            Command::Status => commands::status::run(self, place, origin).await,
            Command::Switch => commands::switch::run(self, place, origin, args).await,
            Command::Close => commands::close::run(self, place, origin, args).await,
            Command::Direct => commands::direct::run(self, place, origin).await,
            Command::Stop => return commands::stop::run(self, place, origin).await,
            Command::Smart => commands::smart::run(self, place, origin).await,
            Command::Clear => return commands::clear::run(self, place, origin, args).await,
            Command::Shell => commands::shell::run(self, place, origin, args).await,
            Command::Tasks => commands::tasks::run(self, place, origin, args).await,
            Command::Ls => commands::ls::run(self, place, origin, args).await,
            Command::Cat => commands::cat::run(self, place, origin, args).await,
            Command::Grep => commands::grep::run(self, place, origin, args).await,
            Command::Send => commands::send::run(self, place, origin, args).await,
            Command::Search => commands::search::run(self, place, origin, args).await,
            Command::Ask => commands::ask::run(self, place, origin, args).await,
            Command::Fetch => commands::fetch::run(self, place, origin, args).await,
            // The router keeps its own commands; here they could only come by mistake.
            Command::Help
            | Command::Nodes
            | Command::Node
            | Command::All
            | Command::Remind
            | Command::Lang => {
                self.show(place, origin, cards::help(origin.lang)).await;
            }
        }
        Went::On
    }

    // ---- sessions

    /// Sends a text to the active session as a turn.
    pub(crate) async fn give_active(&mut self, place: u64, origin: &Origin, text: String) -> Went {
        if let Some(session) = self.active(&origin.user) {
            return self.give(place, origin, session.record.id, text).await;
        }
        let why = self.none_active(&origin.user);
        self.say(place, origin, Tone::Plain, &why).await;
        Went::On
    }

    /// Sends a text to a session as a turn. Its ids come from the cause, so that taking it up
    /// again after a crash makes the same turn.
    pub(crate) async fn give(
        &mut self,
        place: u64,
        origin: &Origin,
        session: SessionId,
        text: String,
    ) -> Went {
        let id = report::turn_of(&origin.cause);
        let attachments = self.attached(&origin.user, &text);
        let turn = TurnRecord {
            id,
            session,
            user: origin.user.clone(),
            chat: origin.chat.clone(),
            lang: origin.lang,
            cause: origin.cause.clone(),
            traceparent: origin.traceparent.clone(),
            text,
            attachments: attachments.clone(),
            asked: None,
            given: false,
            key: Uuid::new_v5(&id.uuid(), b"key"),
            card: report::card_of(id),
            rev: 0,
            created_at: Utc::now(),
            state: TurnState::Queued,
        };
        let turn = Box::new(turn);
        let msg = Msg::Turn { place, turn };
        let went = self.pass(place, origin, session, msg).await;
        if went == Went::On {
            self.went_along(&origin.user, &attachments);
        }
        went
    }

    /// Hands something over to a session, without waiting for it.
    pub(crate) async fn pass(
        &self,
        place: u64,
        origin: &Origin,
        session: SessionId,
        msg: Msg,
    ) -> Went {
        let Some(handle) = self.sessions.get(&session) else {
            // It is closed, or being closed.
            self.done(place).await;
            return Went::On;
        };
        match handle.hand(msg) {
            Handed::Over => {}
            Handed::Full => return Went::Nowhere(session),
            // We are stopping: the act is still in the inbox.
            Handed::Gone if self.context.cancel.is_cancelled() => {}
            Handed::Gone => {
                let dir = handle.brief().record.dir;
                let text = HostText::SessionFailed { dir };
                self.say(place, origin, Tone::Failed, &text).await;
            }
        }
        Went::On
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
    pub(crate) async fn say(
        &self,
        place: u64,
        origin: &Origin,
        tone: Tone,
        text: &(impl Say + Sync),
    ) {
        let view = cards::say(&self.context.name, origin.lang, tone, text);
        self.show(place, origin, view).await;
    }

    /// Answers wrong use of a command; nothing else changes.
    pub(crate) async fn usage(
        &self,
        place: u64,
        origin: &Origin,
        command: Command,
        wrong: Option<&(dyn Say + Sync)>,
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
