//! Giving a message to another node: one that waits, one whose node was removed, and one that went out a moment
//! ago and has not begun ([`Waiting::redirect`]).
//!
//! What a node may have in hand is left where it is. Each step is written down before the next one, as in
//! `withdraw`.

use common::broker::{Ack, PublishError};
use common::ids::{CauseId, NodeId, UserId};
use common::message::view::WaitingChoice;
use tracing::{info, warn};

use super::book::{Entry, State, Waits};
use super::line::Lying;
use super::withdraw::{Tap, waits_of};
use super::{Item, Waiting};
use crate::cards;
use crate::decide::Candidate;
use crate::users::Stopped;

/// How a message stands that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In its node's line, and nobody has it.
    Lies,
    /// It waits, and has a card of its own.
    Waits,
    /// Its node has it, or may have it.
    Begun,
    /// It waited, and its card says what came of it.
    Over,
}

/// What became of sending it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Redirected {
    /// It is with this other node, by this tap or an earlier one, and with that only.
    Moved(NodeId),
    /// It is where it was; its card says why.
    Stays,
    /// Its node has it, or may have it; nothing was touched.
    Begun,
}

impl Waiting {
    /// How a person's message stands that went to `node`.
    pub(crate) async fn standing(
        &self,
        node: &NodeId,
        user: &UserId,
        cause: &CauseId,
    ) -> Result<Standing, Stopped> {
        Ok(
            match self.parts.book.get(cause).map(|entry| entry.state.clone()) {
                None => match self.lies(node, user, cause).await? {
                    Some(_) => Standing::Lies,
                    None => Standing::Begun,
                },
                Some(State::Waiting(_)) => Standing::Waits,
                Some(
                    State::Taken { .. }
                    | State::Withdrawing { .. }
                    | State::Withdrawn { .. }
                    | State::Asked { .. }
                    | State::Moved { .. }
                    | State::Expired { .. }
                    | State::Removed { .. }
                    | State::Again { .. },
                ) => Standing::Over,
            },
        )
    }

    /// Shows once more how a message stands that waited.
    pub(crate) async fn tell_again(&self, cause: &CauseId, user: &UserId) -> Result<(), Stopped> {
        match self
            .parts
            .book
            .get(cause)
            .filter(|entry| entry.user == *user)
        {
            Some(entry) => self.late(&entry).await,
            None => Ok(()),
        }
    }

    /// Gives a message that went to `first` to another node, if `first` cannot have it yet. The tap that comes again
    /// goes on where it was.
    pub(crate) async fn redirect(
        &self,
        tap: Tap<'_>,
        first: &Candidate,
    ) -> Result<Redirected, Stopped> {
        let (book, user) = (&self.parts.book, &tap.inbound.user);
        if book.get(tap.cause).is_none() {
            let Some(lying) = self.lies(&first.node, user, tap.cause).await? else {
                return Ok(Redirected::Begun);
            };
            // From here on it may be in no line, so it is kept whole.
            book.keep_work(&lying.work).await?;
            let inbound = &lying.work.inbound;
            let item = Item::new(inbound, first, tap.lang, lying.sequence, lying.at);
            let claim = |before: Option<&Entry>| {
                let state = State::Withdrawing {
                    by: tap.by().clone(),
                    choice: tap.choice.clone(),
                    waits: Waits::default(),
                };
                // Told in this very moment that it waits: then as for any that does.
                before
                    .is_none()
                    .then(|| Entry::new(&item, item.cause.clone(), state))
            };
            book.change(tap.cause, claim).await?;
            info!(cause = %tap.cause, node = %first.node, "it goes elsewhere");
        }
        let moved = |entry: &Entry| match &entry.state {
            State::Moved { .. } => Some(Redirected::Moved(entry.node.clone())),
            State::Waiting(_)
            | State::Taken { .. }
            | State::Withdrawing { .. }
            | State::Withdrawn { .. }
            | State::Asked { .. }
            | State::Expired { .. }
            | State::Removed { .. }
            | State::Again { .. } => None,
        };
        let now = || book.get(tap.cause).and_then(|entry| moved(&entry));
        let by_us =
            |entry: &Entry| matches!(&entry.state, State::Moved { by, .. } if by == tap.by());
        let ours = book.get(tap.cause).is_some_and(|entry| by_us(&entry));
        if let Some(before) = now().filter(|_| !ours) {
            return Ok(before);
        }
        self.tap(tap).await?;
        Ok(now().unwrap_or(Redirected::Stays))
    }

    /// Where it lies, if nobody can have had it.
    async fn lies(
        &self,
        node: &NodeId,
        user: &UserId,
        cause: &CauseId,
    ) -> Result<Option<Lying>, Stopped> {
        let line = &self.parts.line;
        let Some(lying) = line.find(node, user, cause).await? else {
            return Ok(None);
        };
        let sure = line.surely_never_had(node, lying.sequence).await?;
        Ok(sure.then_some(lying))
    }

    /// Gives it to another node, if nobody can have had it.
    pub(super) async fn to_other(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        let Some(other) = tap.other().filter(|_| !entry.tap) else {
            let node = match tap.choice {
                WaitingChoice::SendTo { other } => other,
                WaitingChoice::Cancel | WaitingChoice::SendAgain => tap.node,
            };
            let view = cards::not_yours(tap.lang, node);
            return self.parts.replies.show(tap.inbound, "answer", view).await;
        };
        if other.node == entry.node {
            return self.late(entry).await;
        }
        let line = &self.parts.line;
        let lying = line.read(entry.sequence).await?;
        let lying = lying.filter(|lying| lying.work.inbound.meta.cause == entry.cause);
        // Looked at before anything is touched: what the node may have is left where it is.
        let sure = line.surely_never_had(&entry.node, entry.sequence).await?;
        let Some(lying) = lying.filter(|_| sure) else {
            let name = other.name.clone();
            return self.keep(entry, name).await;
        };
        // From here on it may be in no line, so it is kept whole.
        self.parts.book.keep_work(&lying.work).await?;
        self.claim(tap, entry).await
    }

    /// It stays where it is; the card says why.
    async fn keep(&self, entry: &Entry, other: String) -> Result<(), Stopped> {
        let kept = self
            .parts
            .book
            .change(&entry.cause, |before| {
                let now = before?;
                match &now.state {
                    State::Waiting(waits) => {
                        let others = waits.others.iter().filter(|one| one.name != other);
                        let waits = Waits {
                            kept_from: Some(other.clone()),
                            others: others.cloned().collect(),
                            ..waits.clone()
                        };
                        Some(now.to(State::Waiting(waits)))
                    }
                    State::Taken { .. }
                    | State::Withdrawing { .. }
                    | State::Withdrawn { .. }
                    | State::Asked { .. }
                    | State::Moved { .. }
                    | State::Expired { .. }
                    | State::Removed { .. }
                    | State::Again { .. } => None,
                }
            })
            .await?;
        match kept {
            Some(entry) => self.parts.show(&entry).await,
            None => Ok(()),
        }
    }

    /// It is in no line now: into the other node's.
    pub(super) async fn hand_over(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        let (Some(other), Some(work)) = (tap.other(), self.parts.book.work(tap.cause).await?)
        else {
            // The other node was removed in this very moment.
            return self.put_back(tap, entry, waits_of(entry)).await;
        };
        let key = format!("{}:{}", entry.cause, other.node);
        let line = &self.parts.line;
        let sent = line.put(&work.inbound, &other.node, entry.lang, &key).await;
        let ack = match sent {
            Ok(ack) => ack,
            Err(PublishError::Unsure(_)) => return Err(Stopped),
            Err(PublishError::Full(why)) => {
                warn!(code = "queue-full", node = %other.node, cause = %entry.cause, %why, "not moved");
                let waits = Waits {
                    full: Some(other.name.clone()),
                    ..waits_of(entry)
                };
                return self.put_back(tap, entry, waits).await;
            }
        };
        self.moved(tap, entry, other, ack).await
    }

    /// It lies in the other node's line now.
    async fn moved(
        &self,
        tap: Tap<'_>,
        entry: &Entry,
        other: &Candidate,
        ack: Ack,
    ) -> Result<(), Stopped> {
        let state = State::Moved {
            by: tap.by().clone(),
            from: entry.name.clone(),
        };
        let to = Entry {
            node: other.node.clone(),
            name: other.name.clone(),
            ..entry.clone()
        };
        self.placed(&to, state, ack).await
    }

    /// Its machine was removed, and it lies nowhere: to another one, as the person says.
    pub(super) async fn elsewhere(&self, tap: Tap<'_>, entry: &Entry) -> Result<(), Stopped> {
        let Some(other) = tap.other() else {
            let node = match tap.choice {
                WaitingChoice::SendTo { other } => other,
                WaitingChoice::Cancel | WaitingChoice::SendAgain => tap.node,
            };
            let view = cards::not_yours(tap.lang, node);
            return self.parts.replies.show(tap.inbound, "answer", view).await;
        };
        let Some(work) = self.parts.book.work(tap.cause).await? else {
            let view = cards::waiting::gone(tap.lang);
            return self.parts.replies.show(tap.inbound, "answer", view).await;
        };
        let key = format!("{}:{}", entry.cause, other.node);
        let line = &self.parts.line;
        match line.put(&work.inbound, &other.node, entry.lang, &key).await {
            Ok(ack) => self.moved(tap, entry, other, ack).await,
            Err(PublishError::Unsure(_)) => Err(Stopped),
            Err(PublishError::Full(why)) => {
                let refusal = crate::dispatch::refusal(&why);
                let view = cards::waiting::refused(tap.lang, &other.name, refusal, 1);
                self.parts.replies.show(tap.inbound, "answer", view).await
            }
        }
    }
}

/// What people call the other node.
pub(super) fn name_of(tap: Tap<'_>, other: &NodeId) -> String {
    tap.other()
        .map_or_else(|| other.to_string(), |one| one.name.clone())
}
