//! What people do, put safely into the broker: from a surface's event to a confirmed [`Inbound`].
//!
//! Nothing is acknowledged to a platform before the stream has confirmed it. Where a message goes
//! from there is the router's business; who may speak is `admission`'s.

use std::time::Duration;

use common::broker::{Broker, PublishError};
use common::ids::{CauseId, MessageId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, Inbound, InboundBody, MAX_TEXT};
use common::message::view::Action;
use common::message::{Meta, encode};
use common::subject;
use moka::sync::Cache;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

/// All tries together: the platforms want their acknowledgement within 3 s, and a person who tapped
/// wants to see something happen.
const TOTAL: Duration = Duration::from_millis(2300);
/// One try. A lost confirmation then still leaves time for a second try under the same id.
const TRY: Duration = Duration::from_secs(1);
/// People whose latest act is remembered for its order. Beyond it the longest unseen lose their
/// place, which can only matter to somebody with an act under way at that moment.
const PEOPLE: u64 = 10_000;

/// Why an act did not get into the broker. Nothing is lost: the surface does not acknowledge it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No confirmation in time.
    #[error("the broker did not confirm in time: {0}")]
    NotConfirmed(String),
    /// The stream has no room.
    #[error("{0}")]
    Full(PublishError),
}

/// The way in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    broker: Broker,
    latest: Cache<UserId, CancellationToken>,
}

/// A place in the line of one person's acts; gone when dropped.
#[derive(Debug)]
pub struct Place {
    before: Option<CancellationToken>,
    _mine: DropGuard,
}

/// One act of a person, before it has a head.
#[derive(Debug, Clone)]
pub struct Act {
    /// What the platform calls it: a message id, or a tap's event id.
    pub cause: CauseId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub chat: Chat,
    /// The person's language, where the platform tells.
    pub lang: Option<Lang>,
    /// What.
    pub body: InboundBody,
}

impl Intake {
    /// A way into `broker`.
    pub fn new(broker: Broker) -> Self {
        Self {
            broker,
            latest: Cache::builder()
                .max_capacity(PEOPLE)
                .time_to_idle(Duration::from_secs(60))
                .build(),
        }
    }

    /// Takes a place behind the person's earlier acts. To be called in the order in which the
    /// platform delivered them; [`Intake::put`] then keeps that order.
    pub fn line_up(&self, user: &UserId) -> Place {
        let mine = CancellationToken::new();
        let mut before = None;
        self.latest.entry_by_ref(user).and_upsert_with(|entry| {
            before = entry.map(moka::Entry::into_value);
            mine.clone()
        });
        Place {
            before,
            _mine: mine.drop_guard(),
        }
    }

    /// Publishes an act and waits for the stream's word. `Ok(true)`: it was there already, under
    /// this cause. An act that failed may be overtaken by later ones when the platform repeats it.
    pub async fn put(&self, place: Place, act: Act) -> Result<bool, IntakeError> {
        let mut last = String::from("earlier acts of this person are still on their way");
        let work = async {
            if let Some(before) = &place.before {
                before.cancelled().await;
            }
            let subject = match &act.body {
                InboundBody::Tap { .. } => subject::inbound_card(&act.user),
                InboundBody::Text { .. }
                | InboundBody::Unsupported { .. }
                | InboundBody::TooLong { .. } => subject::inbound_message(&act.user),
            };
            let trace = traceparent();
            // Derived, so that a repeat by the platform is the same message to everybody.
            let id = MessageId::derived(&["inbound", act.cause.as_str()]);
            let inbound = Inbound {
                meta: Meta::new(id, act.cause.clone(), trace.clone()),
                user: act.user,
                chat: act.chat,
                lang: act.lang,
                body: act.body,
            };
            let payload = bytes::Bytes::from(encode(&inbound));
            loop {
                let once =
                    self.broker
                        .publish(&subject, act.cause.as_str(), &trace, payload.clone());
                match tokio::time::timeout(TRY, once).await {
                    Ok(Ok(duplicate)) => return Ok(duplicate),
                    Ok(Err(error @ PublishError::Full(_))) => return Err(IntakeError::Full(error)),
                    Ok(Err(PublishError::Unsure(why))) => last = why,
                    Err(_) => "no answer".clone_into(&mut last),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(TOTAL, work).await {
            Ok(done) => done,
            Err(_) => Err(IntakeError::NotConfirmed(last)),
        }
    }
}

/// What a typed text is to us; none if there is nothing in it.
pub fn read_text(text: String) -> Option<InboundBody> {
    if text.trim().is_empty() {
        None
    } else if text.len() > MAX_TEXT {
        Some(InboundBody::TooLong { bytes: text.len() })
    } else {
        Some(InboundBody::Text { text })
    }
}

/// What a tap is to us.
pub fn tapped(action: Action) -> InboundBody {
    InboundBody::Tap { action }
}

/// Begins a trace (W3C trace context, sampled): every act of a person is the root of one.
fn traceparent() -> String {
    let span: u64 = rand::random();
    format!("00-{}-{:016x}-01", Uuid::new_v4().simple(), span.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_by_size() {
        assert_eq!(read_text(" \n".into()), None);
        assert_eq!(
            read_text("hi".into()),
            Some(InboundBody::Text { text: "hi".into() })
        );
        let most = "x".repeat(MAX_TEXT);
        assert!(matches!(read_text(most), Some(InboundBody::Text { .. })));
        let over = "x".repeat(MAX_TEXT + 1);
        assert_eq!(
            read_text(over),
            Some(InboundBody::TooLong {
                bytes: MAX_TEXT + 1
            })
        );
    }

    #[test]
    fn traces_have_the_form_of_the_standard() {
        let trace = traceparent();
        let parts: Vec<usize> = trace.split('-').map(str::len).collect();
        assert_eq!(parts, [2, 32, 16, 2], "{trace}");
        assert!(
            trace
                .bytes()
                .all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
    }
}
