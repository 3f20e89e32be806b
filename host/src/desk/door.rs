//! What the assistant's tools want of sessions. The desk owns the sessions, so it carries this out
//! itself, as it does the commands; whoever asks waits for the answer, and the desk waits for nobody.

use common::ids::SessionId;
use common::text::Say as _;
use common::text::host::HostText;
use tokio::sync::{mpsc, oneshot};

use super::{Desk, Numbered, Went};
use crate::command;
use crate::context::Origin;
use crate::grounds::Grounds;

/// Requests on their way; above that, whoever asks waits.
const MAILBOX: usize = 16;
/// The place of what no act in the inbox is for: the journal counts from 1, so nothing is there.
pub(super) const NO_PLACE: u64 = 0;

/// What is wanted.
#[derive(Debug)]
pub(crate) enum Ask {
    /// A session in a folder, and its first work.
    New { dir: String, text: Option<String> },
    /// Work for a session: the active one, if none is named.
    Send {
        session: Option<String>,
        text: String,
    },
    /// All sessions.
    List,
    /// Where the person is, and the sessions, as the model is told; empty without any.
    Look,
    /// Another active session.
    Switch { session: String },
    /// The end of a session.
    Close { session: String },
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// For the model.
    pub(crate) outcome: Result<String, String>,
    /// Where the person is now.
    pub(crate) grounds: Grounds,
}

/// A request, for the desk.
#[derive(Debug)]
pub(crate) struct Knock {
    origin: Origin,
    ask: Ask,
    told: oneshot::Sender<Told>,
}

/// A handle on the desk. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Door(mpsc::Sender<Knock>);

impl Door {
    /// A handle, and where the desk hears it.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Knock>) {
        let (knocks, heard) = mpsc::channel(MAILBOX);
        (Self(knocks), heard)
    }

    /// Asks, as the act `origin`: ids of all that follows come from its cause. None when the desk is
    /// gone.
    pub(crate) async fn ask(&self, origin: &Origin, ask: Ask) -> Option<Told> {
        let (told, answer) = oneshot::channel();
        let knock = Knock {
            origin: origin.clone(),
            ask,
            told,
        };
        self.0.send(knock).await.ok()?;
        answer.await.ok()
    }

    /// Where the person of `origin` may be now: what was seen before a question may be somebody else's
    /// once it is answered. None when the desk is gone.
    pub(crate) async fn grounds(&self, origin: &Origin) -> Option<Grounds> {
        Some(self.ask(origin, Ask::Look).await?.grounds)
    }
}

impl Desk {
    /// Carries out what a tool wants.
    pub(super) async fn on_knock(&mut self, knock: Knock) {
        let Knock { origin, ask, told } = knock;
        let mut told = Some(told);
        let outcome = self.carry_out(&origin, ask, &mut told).await;
        let grounds = self.grounds(&origin.user);
        if let Some(told) = told {
            let _ = told.send(Told { outcome, grounds });
        }
    }

    /// Gives what came of it, unless it takes `told` to say so later.
    async fn carry_out(
        &mut self,
        origin: &Origin,
        ask: Ask,
        told: &mut Option<oneshot::Sender<Told>>,
    ) -> Result<String, String> {
        let say = |text: HostText| text.say(origin.lang);
        match ask {
            Ask::New { dir, text } => {
                let id = SessionId::derived(&[origin.cause.as_str(), "session"]);
                let made = command::new::begin(self, origin, id, &dir)
                    .await
                    .map_err(say)?;
                let Some(text) = text else {
                    return Ok(format!(
                        "Session opened in {}; it is the active one.",
                        made.name
                    ));
                };
                self.hand_work(origin, id, &made.name, text).await
            }
            Ask::Send { session, text } => {
                let to = self.session_of(origin, session.as_deref()).map_err(say)?;
                let dir = to.record.dir.clone();
                self.hand_work(origin, to.record.id, &dir, text).await
            }
            Ask::Look => Ok(self.session_lines(origin)),
            Ask::List => Ok(match self.session_lines(origin) {
                lines if lines.is_empty() => "There are no sessions.".to_owned(),
                lines => lines,
            }),
            Ask::Switch { session } => {
                let to = self.session_of(origin, Some(&session)).map_err(say)?;
                let mut user = self.user(&origin.user);
                user.active = Some(to.record.id);
                self.keep(user, Vec::new()).await;
                Ok(format!(
                    "Session {} ({}) is the active one now.",
                    to.n, to.record.dir
                ))
            }
            Ask::Close { session } => {
                let which = self.session_of(origin, Some(&session)).map_err(say)?;
                // It may have to be stopped first: the answer comes when it has ended.
                self.close_for(origin, &which, told.take()).await;
                Ok(String::new())
            }
        }
    }

    async fn hand_work(
        &mut self,
        origin: &Origin,
        session: SessionId,
        dir: &str,
        text: String,
    ) -> Result<String, String> {
        match self.give(NO_PLACE, origin, session, text).await {
            Went::On => Ok(format!(
                "Handed over to the session in {dir}. Its answer comes to the person in a card of its own; do not wait for it."
            )),
            Went::Nowhere(_) => Err(format!(
                "the session in {dir} has no room for more now; try it later"
            )),
        }
    }

    /// The session that was named: by its number, by its folder, or the active one.
    fn session_of(&self, origin: &Origin, typed: Option<&str>) -> Result<Numbered, HostText> {
        let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) else {
            return self
                .active(&origin.user)
                .ok_or_else(|| self.none_active(&origin.user));
        };
        let typed = typed.trim_start_matches("./").trim_end_matches('/');
        let mine = self.mine(&origin.user);
        let folder = mine.iter().find(|one| one.record.dir == typed).cloned();
        match folder {
            Some(found) => Ok(found),
            None => command::pick(&mine, typed),
        }
    }

    /// A person's sessions, one line each, for the model.
    pub(super) fn session_lines(&self, origin: &Origin) -> String {
        let active = self.active(&origin.user).map(|one| one.record.id);
        let lines: Vec<String> = self
            .mine(&origin.user)
            .into_iter()
            .map(|one| {
                let brief = one.handle.brief();
                let state = match (brief.waiting, brief.running) {
                    (true, _) => "waits for the person's answer",
                    (false, true) => "works",
                    (false, false) => "idle",
                };
                let mark = if Some(one.record.id) == active {
                    ", active"
                } else {
                    ""
                };
                format!(
                    "{}. {} ({state}{mark}, {} waiting)",
                    one.n, one.record.dir, brief.queued
                )
            })
            .collect();
        lines.join("\n")
    }
}
