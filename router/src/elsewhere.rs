//! [Other machine] on the card of a message for which a chat model chose the machine: the card becomes the question
//! which one, and then says where it went.
//!
//! What the first machine has not begun is taken back there (`waiting`). What it has, or may have, runs on both only
//! if the person says so a second time, knowing it: the first tap makes the card say so. Each step is written down
//! before it is shown; a tap that comes again goes on where it was.

use chrono::Utc;
use common::ids::NodeId;
use common::lang::Lang;
use common::message::inbound::Inbound;
use common::message::view::{View, WaitingChoice};

use crate::act::Desk;
use crate::cards;
use crate::decide::Candidate;
use crate::dispatch::Handed;
use crate::reply::card_of;
use crate::users::{Route, Routed, Stopped, User};
use crate::waiting::{Redirected, Standing, Tap};

/// A tap on such a card.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere<'a> {
    pub(crate) desk: &'a Desk,
    /// The tap, and its place in PW_IN: each tap is a newer state of the card.
    pub(crate) inbound: &'a Inbound,
    pub(crate) place: u64,
    /// Nodes that serve the person.
    pub(crate) candidates: &'a [Candidate],
    /// The message's place in PW_IN.
    pub(crate) pending: u64,
    pub(crate) lang: Lang,
}

/// Where a chat model sent the message at that place, if it did.
pub(crate) fn routed(user: &User, pending: u64) -> Option<Routed> {
    match user.routed(pending)? {
        Route::To(to) => Some(to.clone()),
        Route::Rules | Route::Ask => None,
    }
}

impl Elsewhere<'_> {
    /// Asks where else it is to go.
    pub(crate) async fn ask(self, mut user: User) -> Result<(), Stopped> {
        let (desk, person) = (self.desk, &self.inbound.user);
        let replies = &desk.dispatch.replies;
        let message = desk.waiting(person, self.pending).await?;
        let (Some(message), Some(to)) = (message, routed(&user, self.pending)) else {
            let view = cards::route::not_kept(self.lang);
            return replies.show(self.inbound, "answer", view).await;
        };
        if let Some(other) = user.decided(self.pending) {
            let view = cards::already_sent(self.lang, &self.name_of(other));
            return self.show(&message, view).await;
        }
        let waiting = &desk.dispatch.waiting;
        let cause = &message.meta.cause;
        let begun = match waiting.standing(&to.node, person, cause).await? {
            Standing::Lies => false,
            Standing::Begun => true,
            Standing::Waits => {
                let view = cards::route::chosen_waits(self.lang);
                return replies.show(self.inbound, "answer", view).await;
            }
            Standing::Over => return waiting.tell_again(cause, person).await,
        };
        if begun && user.warn(self.pending, self.place) {
            desk.users.put(person, &user).await?;
        }
        self.show(&message, self.question(&message, &to.node, begun))
            .await
    }

    /// Sends `message` to `node`, as the person says.
    pub(crate) async fn send(
        self,
        mut user: User,
        message: &Inbound,
        to: &Routed,
        node: &NodeId,
    ) -> Result<(), Stopped> {
        let (desk, person) = (self.desk, &self.inbound.user);
        let before = user.decided(self.pending).cloned();
        let there = before.clone().unwrap_or_else(|| to.node.clone());
        let first = self.candidate(&to.node);
        let other = self.candidate(node);
        if *node == to.node || before.as_ref().is_some_and(|before| before != node) {
            let view = cards::already_sent(self.lang, &self.name_of(&there));
            return self.show(message, view).await;
        }
        if before.is_none() {
            let tap = Tap {
                inbound: self.inbound,
                node: &to.node,
                cause: &message.meta.cause,
                choice: &WaitingChoice::SendTo {
                    other: node.clone(),
                },
                candidates: self.candidates,
                lang: self.lang,
            };
            match desk.dispatch.waiting.redirect(tap, &first).await? {
                Redirected::Moved(there) if there != *node => {
                    let view = cards::already_sent(self.lang, &self.name_of(&there));
                    return self.show(message, view).await;
                }
                Redirected::Moved(_) => {
                    self.choose(&mut user, node).await?;
                    return self
                        .show(message, cards::sent(self.lang, &other.name))
                        .await;
                }
                Redirected::Stays => {
                    return self.show(message, cards::route::stays(self.lang)).await;
                }
                // They know it, and say it once more.
                Redirected::Begun if to.warned.is_some_and(|at| at < self.place) => {}
                Redirected::Begun => {
                    if user.warn(self.pending, self.place) {
                        desk.users.put(person, &user).await?;
                    }
                    return self
                        .show(message, self.question(message, &to.node, true))
                        .await;
                }
            }
            // Before it goes out, so that no third one gets it.
            user.decide(self.pending, node.clone());
            self.choose(&mut user, node).await?;
        }
        let handed = desk
            .dispatch
            .hand(message, self.pending, &other, self.lang)
            .await?;
        let view = match handed {
            Handed::Taken => cards::route::sent_as_well(self.lang, &other.name, &first.name),
            Handed::Refused(why) => cards::waiting::refused(self.lang, &other.name, why, 1),
            Handed::RefusedBefore => return Ok(()),
        };
        self.show(message, view).await
    }

    /// From now on it is the active one.
    async fn choose(&self, user: &mut User, node: &NodeId) -> Result<(), Stopped> {
        user.choose(self.place, node);
        user.uses(node, Utc::now());
        self.desk.users.put(&self.inbound.user, user).await
    }

    fn question(&self, message: &Inbound, first: &NodeId, begun: bool) -> View {
        let others = self.candidates.iter().filter(|one| one.node != *first);
        let others: Vec<_> = others.cloned().collect();
        let (text, name) = (message.body.text(), self.name_of(first));
        cards::route::elsewhere(self.lang, text, &others, self.pending, &name, begun)
    }

    fn candidate(&self, node: &NodeId) -> Candidate {
        Candidate {
            node: node.clone(),
            name: self.name_of(node),
        }
    }

    fn name_of(&self, node: &NodeId) -> String {
        let known = self.candidates.iter().find(|one| one.node == *node);
        known.map_or_else(|| node.to_string(), |one| one.name.clone())
    }

    /// The card that said where it went.
    async fn show(&self, message: &Inbound, view: View) -> Result<(), Stopped> {
        let rev = u32::try_from(self.place).unwrap_or(u32::MAX).max(2);
        let card = card_of(message, "chosen");
        let replies = &self.desk.dispatch.replies;
        replies.card(self.inbound, "answer", card, rev, view).await
    }
}
