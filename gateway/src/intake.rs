//! What people do, put safely into the broker: from a surface's event to a confirmed [`Inbound`].
//!
//! Nothing is acknowledged to a platform before the stream has confirmed it, or, for what the
//! platform never repeats, before `spool` has it on disk. Where a message goes from there is the
//! router's business; who may speak is `admission`'s.

use std::time::Duration;

use common::broker::{Broker, PublishError};
use common::ids::{CauseId, MessageId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, FileRef, Inbound, InboundBody, MAX_TEXT};
use common::message::view::Action;
use common::message::{Meta, encode};
use common::subject;
use moka::sync::Cache;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::info;
use uuid::Uuid;

use crate::spool::{Kept, Spool, SpoolError};

/// All tries together: the platforms want their acknowledgement within 3 s, and a person who tapped
/// wants to see something happen.
const TOTAL: Duration = Duration::from_millis(2300);
/// One try. A lost confirmation then still leaves time for a second try under the same id.
const TRY: Duration = Duration::from_secs(1);
/// All tries of an act that is kept otherwise: sooner, so that writing it down fits in as well.
const BEFORE_KEPT: Duration = Duration::from_millis(1500);
/// Writing it down.
const TO_DISK: Duration = Duration::from_millis(800);
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
    /// It cannot be kept until the broker is back either.
    #[error("the broker did not confirm in time, and it cannot be kept: {0}")]
    NotKept(SpoolError),
}

/// How an act is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// In the stream.
    Stored,
    /// On our disk: it counts once the broker is back.
    Kept,
}

/// The way in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    broker: Broker,
    spool: Spool,
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
    /// A way into `broker`, past `spool`.
    pub fn new(broker: Broker, spool: Spool) -> Self {
        Self {
            broker,
            spool,
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
    /// this cause. Whoever comes next waits until `place` is dropped. An act that failed may be overtaken by later ones when the platform repeats it.
    pub async fn put(&self, place: &Place, act: Act) -> Result<bool, IntakeError> {
        let ready = Ready::new(act);
        let mut last = WAITS.to_owned();
        let work = async {
            place.first().await;
            // What is kept of this person was done before.
            self.spool.wait_for_none_of(&ready.user).await;
            self.publish(&ready, &mut last).await
        };
        match tokio::time::timeout(TOTAL, work).await {
            Ok(done) => done.map_err(IntakeError::Full),
            Err(_) => Err(IntakeError::NotConfirmed(last)),
        }
    }

    /// The same for an act that the platform does not repeat: what the stream does not confirm in
    /// time, or has no room for, is written down here and published later, once. While acts of a
    /// person are kept, the next ones go behind them.
    pub async fn put_or_keep(&self, place: &Place, act: Act) -> Result<Taken, IntakeError> {
        let ready = Ready::new(act);
        let mut last = WAITS.to_owned();
        let work = async {
            place.first().await;
            if self.spool.holds(&ready.user) {
                "earlier acts of this person are kept".clone_into(&mut last);
                return false;
            }
            match self.publish(&ready, &mut last).await {
                Ok(_) => true,
                Err(why) => {
                    last = why.to_string();
                    false
                }
            }
        };
        if let Ok(true) = tokio::time::timeout(BEFORE_KEPT, work).await {
            return Ok(Taken::Stored);
        }
        let (user, cause) = (ready.user.clone(), ready.cause.clone());
        match tokio::time::timeout(TO_DISK, self.spool.keep(ready.kept())).await {
            Ok(Ok(())) => {
                common::crash_point!("gateway.tap.kept");
                info!(%user, %cause, why = last, "kept until the broker takes it");
                Ok(Taken::Kept)
            }
            Ok(Err(why)) => Err(IntakeError::NotKept(why)),
            Err(_) => {
                let why = SpoolError::Disk("the disk does not answer".into());
                Err(IntakeError::NotKept(why))
            }
        }
    }

    /// Tries until the stream has it, or has no room.
    async fn publish(&self, ready: &Ready, last: &mut String) -> Result<bool, PublishError> {
        common::crash_point!("gateway.act.received");
        loop {
            let (cause, payload) = (ready.cause.as_str(), ready.payload.clone());
            let once = self
                .broker
                .publish(&ready.subject, cause, &ready.trace, payload);
            match tokio::time::timeout(TRY, once).await {
                Ok(Ok(duplicate)) => {
                    common::crash_point!("gateway.act.stored");
                    return Ok(duplicate);
                }
                Ok(Err(error @ PublishError::Full(_))) => return Err(error),
                Ok(Err(PublishError::Unsure(why))) => *last = why,
                Err(_) => "no answer".clone_into(last),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

const WAITS: &str = "earlier acts of this person are still on their way";

impl Place {
    /// Returns when all earlier acts of this person are done, one way or the other.
    async fn first(&self) {
        if let Some(before) = &self.before {
            before.cancelled().await;
        }
    }
}

/// An act as it goes over the wire.
struct Ready {
    user: UserId,
    cause: CauseId,
    subject: String,
    trace: String,
    payload: bytes::Bytes,
}

impl Ready {
    fn new(act: Act) -> Self {
        let subject = match &act.body {
            InboundBody::Tap { .. } => subject::inbound_card(&act.user),
            InboundBody::Text { .. }
            | InboundBody::Files { .. }
            | InboundBody::Unsupported { .. }
            | InboundBody::TooLong { .. } => subject::inbound_message(&act.user),
        };
        let trace = traceparent();
        // Derived, so that a repeat by the platform is the same message to everybody.
        let id = MessageId::derived(&["inbound", act.cause.as_str()]);
        let inbound = Inbound {
            meta: Meta::new(id, act.cause.clone(), trace.clone()),
            user: act.user.clone(),
            chat: act.chat,
            lang: act.lang,
            body: act.body,
        };
        Self {
            user: act.user,
            cause: act.cause,
            subject,
            trace,
            payload: encode(&inbound).into(),
        }
    }

    fn kept(self) -> Kept {
        Kept {
            user: self.user,
            cause: self.cause,
            subject: self.subject,
            trace: self.trace,
            // JSON, as we have just written it.
            payload: String::from_utf8_lossy(&self.payload).into_owned(),
            at: chrono::Utc::now(),
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

/// What files are to us, with the text that came with them.
pub fn read_files(files: Vec<FileRef>, text: String) -> InboundBody {
    match read_text(text) {
        Some(InboundBody::Text { text }) => InboundBody::Files { files, text },
        Some(other) => other,
        None => InboundBody::Files {
            files,
            text: String::new(),
        },
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
