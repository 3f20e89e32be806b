//! Taps on a message that waits: taking it back, sending it again; giving it to another node is `moved`'s.
//!
//! Taken out of the line and never handed to the node, a message can never run there; that is
//! certain. Whatever the node, or a process of it that has died, may have in hand is for the node to
//! say: it is asked by the same tap. The first tap counts. Each step is written down before the next
//! one, and a tap that comes again after a crash goes on where it was.

use chrono::Utc;
use common::broker::{Ack, PublishError};
use common::ids::{CauseId, NodeId};
use common::lang::Lang;
use common::message::inbound::Inbound;
use common::message::view::WaitingChoice;
use tracing::{info, warn};

use super::book::{Entry, State, Waits};
use super::moved::name_of;
use super::tell::never_said;
use super::{Note, Waiting};
use crate::cards;
use crate::decide::Candidate;
use crate::reply::Replies;
use crate::users::Stopped;

/// A tap, and on what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap<'a> {
    pub(crate) inbound: &'a Inbound,
    /// The node and the act that its button names.
    pub(crate) node: &'a NodeId,
    pub(crate) cause: &'a CauseId,
    pub(crate) choice: &'a WaitingChoice,
    /// Nodes that serve the person.
    pub(crate) candidates: &'a [Candidate],
    pub(crate) lang: Lang,
}

impl Tap<'_> {
    pub(super) fn by(&self) -> &CauseId {
        &self.inbound.meta.cause
    }

    /// The other node, if it serves the person.
    pub(super) fn other(&self) -> Option<&Candidate> {
        match self.choice {
            WaitingChoice::SendTo { other } => {
                self.candidates.iter().find(|one| one.node == *other)
            }
            WaitingChoice::Cancel | WaitingChoice::SendAgain => None,
        }
    }
}

impl Waiting {
    /// Carries out a tap. Returns when its card says what came of it.
    pub(crate) async fn tap(&self, tap: Tap<'_>) -> Result<(), Stopped> {
        let parts = &self.parts;
        let entry = parts.book.get(tap.cause);
        let Some(entry) = entry.filter(|entry| entry.user == tap.inbound.user) else {
            info!(cause = %tap.cause, user = %tap.inbound.user, "a tap on what does not wait for them");
            let view = cards::waiting::gone(tap.lang);
            return parts.replies.show(tap.inbound, "answer", view).await;
        };
        match &entry.state {
            // This very tap, once more.
            State::Withdrawn { by }
            | State::Asked { by }
            | State::Moved { by, .. }
            | State::Again { by }
                if by == tap.by() =>
            {
                parts.show(&entry).await
            }
            State::Withdrawing { by, .. } if by == tap.by() => self.go_on(tap, &entry).await,
            State::Waiting(_) if entry.node == *tap.node => match tap.choice {
                WaitingChoice::Cancel => self.claim(tap, &entry).await,
                WaitingChoice::SendTo { .. } => self.to_other(tap, &entry).await,
                WaitingChoice::SendAgain => self.late(&entry).await,
            },
            State::Expired { kept: true, .. } if entry.node == *tap.node => match tap.choice {
                WaitingChoice::SendAgain => self.again(tap, &entry).await,
                WaitingChoice::Cancel | WaitingChoice::SendTo { .. } => self.late(&entry).await,
            },
            State::Removed { kept: true, .. } if entry.node == *tap.node => match tap.choice {
                WaitingChoice::SendTo { .. } => self.elsewhere(tap, &entry).await,
                WaitingChoice::Cancel | WaitingChoice::SendAgain => self.late(&entry).await,
            },
            State::Waiting(_)
            | State::Taken { .. }
            | State::Withdrawing { .. }
            | State::Withdrawn { .. }
            | State::Asked { .. }
            | State::Moved { .. }
            | State::Expired { .. }
            | State::Removed { .. }
            | State::Again { .. } => self.late(&entry).await,
        }
    }

    /// Another tap was first, or the node: the card says once more how it stands.
    pub(super) async fn late(&self, entry: &Entry) -> Result<(), Stopped> {
        let again = |before: Option<&Entry>| before.map(|now| now.to(now.state.clone()));
        let entry = self.parts.book.change(&entry.cause, again).await?;
        let Some(entry) = entry else { return Ok(()) };
        let view = cards::waiting::late(&entry, self.parts.longest, Utc::now());
        self.parts.show_as(&entry, view).await
    }

    /// From waiting to being taken back, by this tap; then goes on.
    pub(super) async fn claim(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        let claimed = self
            .parts
            .book
            .change(tap.cause, |before| {
                let now = before.filter(|now| now.sequence == entry.sequence)?;
                let State::Waiting(waits) = &now.state else {
                    return None;
                };
                Some(Entry {
                    state: State::Withdrawing {
                        by: tap.by().clone(),
                        choice: tap.choice.clone(),
                        waits: waits.clone(),
                    },
                    ..now.clone()
                })
            })
            .await?;
        match claimed {
            Some(entry) if is_withdrawing(&entry, tap.by()) => {
                common::crash_point!("router.waiting.claimed");
                self.go_on(tap, &entry).await
            }
            // The node was faster.
            Some(entry) => self.late(&entry).await,
            None => Ok(()),
        }
    }

    /// Takes the message out and sees what that means.
    async fn go_on(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        let line = &self.parts.line;
        line.remove(entry.sequence, &entry.cause, &entry.user)
            .await?;
        common::crash_point!("router.waiting.out");
        let sure = line.surely_never_had(&entry.node, entry.sequence).await?;
        self.tell(Note::Gone(entry.node.clone(), entry.sequence));
        info!(cause = %entry.cause, node = %entry.node, sure, choice = ?tap.choice, "taken back");
        match (tap.choice, sure) {
            (WaitingChoice::SendTo { .. }, true) => self.hand_over(tap, entry).await,
            (WaitingChoice::SendTo { other }, false) => {
                let waits = Waits {
                    kept_from: Some(name_of(tap, other)),
                    ..waits_of(entry)
                };
                self.put_back(tap, entry, waits).await
            }
            (WaitingChoice::Cancel | WaitingChoice::SendAgain, true) => {
                let by = tap.by().clone();
                self.set(entry, State::Withdrawn { by }).await
            }
            (WaitingChoice::Cancel | WaitingChoice::SendAgain, false) => {
                self.ask_node(tap, entry).await
            }
        }
    }

    /// Lets the node say whether it has it: the tap goes where the message went.
    async fn ask_node(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        if !self.parts.registry.nodes().contains_key(&entry.node) {
            return self.set(entry, never_said()).await;
        }
        let key = format!("{}:{}", tap.by(), entry.node);
        let ask = || {
            self.parts
                .line
                .put(tap.inbound, &entry.node, entry.lang, &key)
        };
        insist(&self.parts.replies, ask).await?;
        let by = tap.by().clone();
        self.set(entry, State::Asked { by }).await
    }

    /// It is in no line now: back to the end of the one it was in. The node recognises its cause,
    /// should it have it after all.
    pub(super) async fn put_back(
        &self,
        tap: Tap<'_>,
        entry: &Entry,
        waits: Waits,
    ) -> Result<(), Stopped> {
        let Some(work) = self.parts.book.work(tap.cause).await? else {
            let by = tap.by().clone();
            warn!(cause = %entry.cause, "what was taken out cannot be put back");
            return self.set(entry, State::Withdrawn { by }).await;
        };
        let key = again_key(entry, tap.by());
        let put = || {
            self.parts
                .line
                .put(&work.inbound, &entry.node, entry.lang, &key)
        };
        let ack = insist(&self.parts.replies, put).await?;
        self.placed(entry, State::Waiting(waits), ack).await
    }

    /// It waited in vain; once more, under the same cause, which the node ran never or once.
    async fn again(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        let Some(work) = self.parts.book.work(tap.cause).await? else {
            let view = cards::waiting::gone(tap.lang);
            return self.parts.replies.show(tap.inbound, "answer", view).await;
        };
        let key = again_key(entry, tap.by());
        let line = &self.parts.line;
        match line.put(&work.inbound, &entry.node, entry.lang, &key).await {
            Ok(ack) => {
                let by = tap.by().clone();
                self.placed(entry, State::Again { by }, ack).await
            }
            Err(PublishError::Unsure(_)) => Err(Stopped),
            Err(PublishError::Full(why)) => {
                let refusal = crate::dispatch::refusal(&why);
                let view = cards::waiting::refused(tap.lang, &entry.name, refusal, 1);
                self.parts.replies.show(tap.inbound, "answer", view).await
            }
        }
    }

    /// It lies somewhere else now.
    pub(super) async fn placed(&self, to: &Entry, state: State, ack: Ack) -> Result<(), Stopped> {
        common::crash_point!("router.waiting.placed");
        let at = Utc::now();
        let placed = self
            .parts
            .book
            .change(&to.cause, |before| {
                let now = before?;
                Some(Entry {
                    node: to.node.clone(),
                    name: to.name.clone(),
                    sequence: ack.sequence,
                    at,
                    ..now.to(state.clone())
                })
            })
            .await?;
        let Some(entry) = placed else { return Ok(()) };
        self.parts.show(&entry).await?;
        self.note(entry.item());
        Ok(())
    }

    async fn set(&self, entry: &Entry, state: State) -> Result<(), Stopped> {
        let set = |before: Option<&Entry>| before.map(|now| now.to(state.clone()));
        match self.parts.book.change(&entry.cause, set).await? {
            Some(entry) => {
                common::crash_point!("router.waiting.settled");
                self.parts.show(&entry).await
            }
            None => Ok(()),
        }
    }
}

fn is_withdrawing(entry: &Entry, tap: &CauseId) -> bool {
    matches!(&entry.state, State::Withdrawing { by, .. } if by == tap)
}

/// How a message waited before it was taken out.
pub(super) fn waits_of(entry: &Entry) -> Waits {
    match &entry.state {
        State::Waiting(waits) | State::Withdrawing { waits, .. } => waits.clone(),
        State::Taken { .. }
        | State::Withdrawn { .. }
        | State::Asked { .. }
        | State::Moved { .. }
        | State::Expired { .. }
        | State::Removed { .. }
        | State::Again { .. } => Waits::default(),
    }
}

fn again_key(entry: &Entry, tap: &CauseId) -> String {
    format!("{}:{}:{tap}", entry.cause, entry.node)
}

/// Repeats while the stream is full: what was taken out has left room.
async fn insist<F, R>(replies: &Replies, put: F) -> Result<Ack, Stopped>
where
    F: Fn() -> R,
    R: Future<Output = Result<Ack, PublishError>>,
{
    loop {
        match put().await {
            Ok(ack) => return Ok(ack),
            Err(PublishError::Unsure(_)) => return Err(Stopped),
            Err(PublishError::Full(why)) => {
                warn!(code = "hub-full", %why, "no room for what was taken back; again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            () = replies.cancel.cancelled() => return Err(Stopped),
        }
    }
}
