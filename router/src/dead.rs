//! Dead letters become questions: reads PW_DLQ and shows each person what of theirs could not be
//! handled, with [Retry] and [Discard]. What a tap on these does is `tap`'s.
//!
//! A letter is a claim by whoever sent it. A node may give up its own work and a gateway what was to
//! be shown, both of the person whom the subject names; the broker has checked who sent it and for
//! whom. Anything else is only logged.

mod tap;

use std::sync::Arc;

use common::broker::Broker;
use common::broker::consume::Delivery;
use common::broker::dead::Letter;
use common::broker::lease::Lease;
use common::ids::{CardId, CauseId, MessageId, NodeId, UserId};
use common::message::inbound::{Chat, Inbound, InboundBody};
use common::message::outbound::Outbound;
use common::message::work::Work;
use common::message::{Meta, decode};
use common::stream;
use common::subject::{self, Sender};
use tracing::{info, warn};

use crate::act::Desk;
use crate::cards::dead::{What, question};
use crate::reading::Reading;
use crate::reply::their_own;
use crate::users::Stopped;

pub(crate) use tap::tapped;

/// Letters held at once; the rest stays in the stream.
const IN_FLIGHT: usize = 32;
/// How the cause of our own questions begins: when one of these cannot be shown, nobody is asked.
const OWN: &str = "dead-letter-";

/// Reads as long as we lead.
pub(crate) async fn run(desk: Arc<Desk>, broker: Broker, lease: Lease) {
    let reading = Reading {
        stream: stream::DLQ,
        consumer: stream::DLQ_ROUTER,
        in_flight: IN_FLIGHT,
        floor: "letters",
    };
    let key = |subject: &str| {
        subject::parse_dead(subject)
            .map_or_else(|| subject.to_owned(), |(_, user)| user.to_string())
    };
    let handle = |delivery: Delivery| {
        let desk = Arc::clone(&desk);
        async move { ask(&desk, &delivery).await }
    };
    let cancel = lease.over().clone();
    reading.run(&broker, &lease, cancel, key, handle).await;
}

/// Shows the question; the same letter makes the same card.
async fn ask(desk: &Desk, delivery: &Delivery) -> Result<(), Stopped> {
    let found = read(&delivery.subject, &delivery.headers, &delivery.payload);
    let (user, letter, origin) = match found {
        Ok(found) => found,
        Err(why) => {
            let subject = delivery.subject.as_str();
            warn!(code = "dead-foreign", %subject, sequence = delivery.sequence, %why, "not a dead letter that a person is asked about");
            return Ok(());
        }
    };
    if let Origin::Work(node) = &origin
        && !desk.may_ask(node, &user)
    {
        warn!(code = "not-served", %node, %user, "dropped: a dead letter of a node that does not serve this person");
        return Ok(());
    }
    let Some(content) = content(&origin, &user, &letter) else {
        warn!(code = "dead-question", %user, "the question about a dead letter cannot be shown");
        return Ok(());
    };
    let lang = desk.users.peek(&user).await?.language().or(desk.lang);
    let node = match origin.node() {
        Some(node) => Some(name_of(desk, &user, node).await),
        None => None,
    };
    let sequence = delivery.sequence;
    let view = question(
        lang.unwrap_or_default(),
        &content.what,
        node.as_deref(),
        &letter,
        sequence,
    );
    info!(%user, code = letter.why.code(), from = %letter.subject, sequence, "asking about a dead letter");
    // The answer to no act of theirs, so one stands in for it, derived from the letter.
    let cause = CauseId::new(user.surface(), &format!("{OWN}{}", letter.id));
    let id = MessageId::derived(&[OWN, &letter.id]);
    let stand_in = Inbound {
        meta: Meta::new(id, cause, letter.traceparent.as_str()),
        chat: content.chat,
        lang: None,
        body: InboundBody::Unsupported { what: OWN.into() },
        user,
    };
    let card = card_of(&letter);
    desk.dispatch
        .replies
        .card(&stand_in, "dead", card, 1, view)
        .await
}

/// What people call a machine.
async fn name_of(desk: &Desk, user: &UserId, node: &NodeId) -> String {
    let candidates = desk.candidates(user).await;
    let known = candidates.into_iter().find(|one| one.node == *node);
    known.map_or_else(|| node.to_string(), |one| one.name)
}

/// The card about a letter.
fn card_of(letter: &Letter) -> CardId {
    CardId::derived(&[OWN, &letter.id])
}

/// Whose message it was.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// An act that the router could not handle.
    Act,
    /// Work that a node could not handle.
    Work(NodeId),
    /// Something that a gateway could not show.
    Shown(Sender),
}

impl Origin {
    fn node(&self) -> Option<&NodeId> {
        match self {
            Self::Act | Self::Shown(Sender::Router) => None,
            Self::Work(node) | Self::Shown(Sender::Node(node)) => Some(node),
        }
    }
}

/// Reads a letter and checks that its sender may claim what it says.
fn read(
    subject: &str,
    headers: &async_nats::HeaderMap,
    payload: &bytes::Bytes,
) -> Result<(UserId, Letter, Origin), &'static str> {
    let (who, user) = subject::parse_dead(subject).ok_or("its subject is of another form")?;
    let letter = Letter::read(headers, payload.clone()).ok_or("its headers are of another form")?;
    let origin = if who == NodeId::ROUTER {
        let own = subject::parse_in(&letter.subject).is_some_and(|of| of == user);
        (own && letter.stream == stream::IN).then_some(Origin::Act)
    } else if who == NodeId::GATEWAY {
        let shown = subject::parse_out(&letter.subject).filter(|(_, of)| *of == user);
        let shown = shown.filter(|_| letter.stream == stream::OUT);
        shown.map(|(sender, _)| Origin::Shown(sender))
    } else {
        let work = subject::parse_work(&letter.subject);
        let work = work.filter(|(node, of)| node.as_str() == who && *of == user);
        let work = work.filter(|_| letter.stream == stream::WORK);
        work.map(|(node, _)| Origin::Work(node))
    };
    let origin = origin.ok_or("it claims a message that is not its sender's")?;
    Ok((user, letter, origin))
}

struct Content {
    what: What,
    chat: Chat,
}

/// What it was and where it was said, as far as it can be read and is of this person. None: one of
/// our own questions.
fn content(origin: &Origin, user: &UserId, letter: &Letter) -> Option<Content> {
    let act = match origin {
        Origin::Act => decode::<Inbound>("inbound", &letter.payload).ok(),
        Origin::Work(_) => decode::<Work>("work", &letter.payload)
            .ok()
            .map(|work| work.inbound),
        Origin::Shown(sender) => {
            let shown = decode::<Outbound>("outbound", &letter.payload).ok();
            let shown = shown.filter(|shown| shown.user == *user);
            let own = CauseId::new(user.surface(), OWN);
            let begins = |of: &Outbound| of.meta.cause.as_str().starts_with(own.as_str());
            if *sender == Sender::Router && shown.as_ref().is_some_and(begins) {
                return None;
            }
            return Some(Content {
                what: What::Answer,
                chat: shown.map_or_else(their_own, |shown| shown.chat),
            });
        }
    };
    let Some(act) = act.filter(|act| act.user == *user) else {
        let what = What::Message(None);
        return Some(Content {
            what,
            chat: their_own(),
        });
    };
    let what = match act.body {
        InboundBody::Text { text } => What::Message(Some(text)),
        InboundBody::Files { text, .. } => What::Message((!text.is_empty()).then_some(text)),
        InboundBody::Unsupported { .. } | InboundBody::TooLong { .. } => What::Message(None),
        InboundBody::Tap { .. } => What::Tap,
    };
    Some(Content {
        what,
        chat: act.chat,
    })
}

#[cfg(test)]
mod tests;
