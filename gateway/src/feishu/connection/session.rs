//! One living socket: reads frames, pings, acknowledges, notices when it is dead.
//!
//! The reading loop never waits for a handler or for the socket to take a write:
//! handlers are tasks of their own and one task writes. Opening sockets and
//! trying again is the loop's around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::endpoint::{Open, Socket};
use super::settings::Settings;
use super::{AckAnswer, Delivery, Handler, Tuning};
use crate::feishu::frame::{CONTROL, DATA, Frame};
use crate::feishu::parts::{LIFE, Parts};

/// Frames waiting for the socket. Each delivery in hand writes one, so this is
/// only reached when the socket takes nothing; then acks are given up after
/// [`ACK_WAIT`] and the deliveries come again.
const WRITES: usize = 256;
const ACK_WAIT: Duration = Duration::from_millis(400);
/// How long finishing may take beyond the handlers' own deadline.
const FLUSH: Duration = Duration::from_secs(1);

/// How a session ended.
#[derive(Debug)]
pub(super) enum Ended {
    Cancelled,
    Lost {
        why: String,
        /// Whether the platform said anything on it.
        heard: bool,
    },
}

/// What outlives single sockets: the handler and the deliveries in hand.
pub(super) struct Session<H> {
    handler: Arc<H>,
    tuning: Tuning,
    cancel: CancellationToken,
    in_flight: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Whether a ping was ever answered: only then is a missing answer a sign.
    answers_pings: AtomicBool,
}

/// The state of one socket.
struct Live<'a> {
    service: i32,
    settings: &'a mut Settings,
    writes: mpsc::Sender<Message>,
    parts: Parts,
    heard: Instant,
    heard_anything: bool,
    /// When the first ping was sent that nothing has come after.
    unanswered: Option<Instant>,
    next_ping: Instant,
    next_sweep: Instant,
}

impl<H: Handler> Session<H> {
    pub(super) fn new(handler: Arc<H>, tuning: Tuning, cancel: CancellationToken) -> Self {
        Self {
            handler,
            in_flight: Arc::new(Semaphore::new(tuning.in_flight)),
            tuning,
            cancel,
            tasks: TaskTracker::new(),
            answers_pings: AtomicBool::new(false),
        }
    }

    /// Works on this socket until it is lost or we are asked to stop.
    pub(super) async fn run(&self, open: Open, settings: &mut Settings) -> Ended {
        let (sink, mut stream) = open.socket.split();
        let (writes, queue) = mpsc::channel(WRITES);
        let dead = CancellationToken::new();
        let writer = self.tasks.spawn(write(sink, queue, dead.clone()));
        let now = Instant::now();
        let mut live = Live {
            service: open.service,
            settings,
            writes,
            parts: Parts::default(),
            heard: now,
            heard_anything: false,
            unanswered: None,
            next_ping: now,
            next_sweep: now + LIFE,
        };
        let lost = loop {
            let answers = self.answers_pings.load(Ordering::Relaxed);
            let silent_until = live.silent_until(&self.tuning, answers);
            tokio::select! {
                () = self.cancel.cancelled() => break None,
                message = stream.next() => match message {
                    Some(Ok(message)) => {
                        live.heard = Instant::now();
                        live.unanswered = None;
                        if let Some(why) = self.take(&mut live, message) {
                            break Some(why);
                        }
                    }
                    Some(Err(error)) => break Some(format!("the connection broke: {error}")),
                    None => break Some("the platform ended the connection".to_owned()),
                },
                () = tokio::time::sleep_until(live.next_ping) => live.ping(),
                () = tokio::time::sleep_until(live.next_sweep) => live.sweep(),
                () = tokio::time::sleep_until(silent_until) => {
                    break Some("the connection went silent".to_owned());
                }
            }
        };
        match lost {
            None => {
                // Handlers in hand keep their ends of the queue; once the last ack
                // is through, the writer closes the socket.
                drop(live);
                let most = self.tuning.ack_deadline + ACK_WAIT + FLUSH;
                if tokio::time::timeout(most, writer).await.is_err() {
                    tracing::warn!(
                        "some Feishu deliveries could not be acknowledged before the end"
                    );
                }
                dead.cancel();
                Ended::Cancelled
            }
            Some(why) => {
                dead.cancel();
                Ended::Lost {
                    why,
                    heard: live.heard_anything,
                }
            }
        }
    }

    /// Waits for handlers of earlier sockets that are still at work.
    pub(super) async fn finish(&self) {
        self.tasks.close();
        let most = self.tuning.ack_deadline + ACK_WAIT + FLUSH;
        if tokio::time::timeout(most, self.tasks.wait()).await.is_err() {
            tracing::warn!("some Feishu deliveries were still in hand at the end");
        }
    }

    /// Handles one websocket message; returns why the connection is over, if it is.
    fn take(&self, live: &mut Live<'_>, message: Message) -> Option<String> {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Close(reason) => {
                let said = reason.map(|reason| reason.to_string()).unwrap_or_default();
                return Some(
                    format!("the platform closed the connection {said}")
                        .trim_end()
                        .to_owned(),
                );
            }
            Message::Text(_) => {
                tracing::debug!("a text message on the Feishu connection was passed over");
                return None;
            }
            // The library answers pings by itself.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return None,
        };
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(%error, "an unreadable frame on the Feishu connection was passed over");
                return None;
            }
        };
        live.heard_anything = true;
        match frame.method {
            CONTROL => {
                if live.control(&frame) {
                    self.answers_pings.store(true, Ordering::Relaxed);
                }
            }
            DATA => self.data(live, frame),
            other => tracing::debug!(
                method = other,
                "a Feishu frame of an unknown method was passed over"
            ),
        }
        None
    }

    fn data(&self, live: &mut Live<'_>, mut frame: Frame) {
        let kind = frame.header("type").unwrap_or_default();
        if kind != "event" {
            tracing::debug!(kind, "a Feishu data frame of another kind was passed over");
            return;
        }
        let part = frame.payload.take().unwrap_or_default();
        let id = frame.header("message_id");
        let joined = live.parts.push(
            id,
            frame.header("sum"),
            frame.header("seq"),
            part,
            Instant::now(),
        );
        match joined {
            Ok(Some(payload)) if is_readable(&frame, &payload) => {
                self.deliver(live, frame, payload);
            }
            Ok(Some(_)) => tracing::error!(
                encoding = frame.payload_encoding,
                id = frame.header("message_id"),
                "a Feishu delivery is encoded in an unknown way and was passed over"
            ),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, id, "a part of a Feishu delivery was passed over");
            }
        }
    }

    fn deliver(&self, live: &Live<'_>, frame: Frame, payload: Bytes) {
        let header = |key: &str| frame.header(key).unwrap_or_default().to_owned();
        let delivery = Delivery {
            id: header("message_id"),
            trace_id: header("trace_id"),
            payload,
        };
        let writes = live.writes.clone();
        let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            tracing::warn!(
                id = delivery.id,
                "too many Feishu deliveries in hand; this one will come again"
            );
            let ack = frame.ack(0, ack_payload(&AckAnswer::Failed));
            if writes.try_send(Message::Binary(ack.to_bytes())).is_err() {
                tracing::debug!("the socket takes no acks");
            }
            return;
        };
        let handler = Arc::clone(&self.handler);
        handler.arrived(&delivery);
        let deadline = self.tuning.ack_deadline;
        self.tasks.spawn(async move {
            let _permit = permit;
            let started = Instant::now();
            let id = delivery.id.clone();
            let answer = tokio::time::timeout(deadline, handler.handle(delivery)).await;
            let answer = answer.unwrap_or_else(|_| {
                tracing::warn!(
                    id,
                    ?deadline,
                    "a Feishu delivery took too long; it will come again"
                );
                AckAnswer::Failed
            });
            let ack = frame.ack(started.elapsed().as_millis(), ack_payload(&answer));
            let sent = writes.send_timeout(Message::Binary(ack.to_bytes()), ACK_WAIT);
            if sent.await.is_err() {
                tracing::debug!(
                    id,
                    "the connection was gone before a Feishu delivery was acknowledged"
                );
            }
        });
    }
}

impl Live<'_> {
    /// Until when a living connection may say nothing. With a platform that has
    /// never answered a ping a quiet chat is no sign of death: then it is long
    /// enough for a new connection to be made at once.
    fn silent_until(&self, tuning: &Tuning, answers_pings: bool) -> Instant {
        let idle = self.settings.ping * 2 + tuning.idle_slack;
        if !answers_pings {
            return self.heard + idle.max(tuning.settled);
        }
        let idle = self.heard + idle;
        match self.unanswered {
            Some(since) => idle.min(since + tuning.pong_timeout),
            None => idle,
        }
    }

    fn ping(&mut self) {
        let now = Instant::now();
        self.next_ping = now + self.settings.ping;
        // A full queue means a stuck socket, which the silence will show.
        let ping = Message::Binary(Frame::ping(self.service).to_bytes());
        if self.writes.try_send(ping).is_err() {
            tracing::debug!("the socket takes no pings");
        }
        self.unanswered.get_or_insert(now);
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        self.next_sweep = now + LIFE;
        for id in self.parts.sweep(now) {
            tracing::warn!(
                id,
                "a Feishu delivery stayed incomplete; it will come again"
            );
        }
    }

    /// Returns whether it was the answer to a ping.
    fn control(&mut self, frame: &Frame) -> bool {
        if frame.header("type") != Some("pong") {
            return false;
        }
        let payload = frame.payload.as_deref().unwrap_or_default();
        if payload.is_empty() {
            return true;
        }
        match serde_json::from_slice::<Value>(payload) {
            Ok(config) => {
                let before = self.settings.ping;
                self.settings.merge(&config);
                if self.settings.ping != before {
                    self.next_ping = Instant::now() + self.settings.ping;
                }
            }
            Err(error) => tracing::debug!(%error, "settings in a pong could not be read"),
        }
        true
    }
}

/// No known client looks at the encoding that a frame names, so JSON is taken as
/// JSON under any name. What is not must not be acknowledged unread.
fn is_readable(frame: &Frame, payload: &[u8]) -> bool {
    let encoding = frame.payload_encoding.as_deref().unwrap_or_default();
    matches!(encoding, "" | "none") || serde_json::from_slice::<IgnoredAny>(payload).is_ok()
}

/// The one place that writes to the socket. Ends when all senders are gone (then
/// the socket is closed in good order) or the connection is dead.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut queue: mpsc::Receiver<Message>,
    dead: CancellationToken,
) {
    let work = async {
        while let Some(message) = queue.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
        if sink.close().await.is_err() {
            tracing::debug!("the Feishu connection could not be closed in good order");
        }
    };
    tokio::select! {
        () = dead.cancelled() => {}
        () = work => {}
    }
}

fn ack_payload(answer: &AckAnswer) -> Vec<u8> {
    let body = match answer {
        AckAnswer::Done => json!({"code": 200}),
        AckAnswer::Answer(data) => {
            let data = base64::engine::general_purpose::STANDARD.encode(data.to_string());
            json!({"code": 200, "data": data})
        }
        AckAnswer::Failed => json!({"code": 500}),
    };
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_matters_only_where_the_payload_is_not_json() {
        let named = |encoding: &str| Frame {
            payload_encoding: Some(encoding.to_owned()),
            ..Frame::default()
        };
        for encoding in ["", "none", "utf-8", "gzip"] {
            assert!(is_readable(&named(encoding), br#"{"schema":"2.0"}"#));
        }
        assert!(!is_readable(&named("gzip"), b"\x1f\x8b\x08"));
        // Not for us to hold up: it is acknowledged and told of.
        assert!(is_readable(&Frame::default(), b"\x1f\x8b\x08"));
    }

    #[test]
    fn acks_carry_the_answer_in_base64() {
        let text = |answer| String::from_utf8(ack_payload(&answer)).unwrap();
        assert_eq!(text(AckAnswer::Done), r#"{"code":200}"#);
        assert_eq!(text(AckAnswer::Failed), r#"{"code":500}"#);
        let toast = AckAnswer::Answer(json!({"toast": {}}));
        assert_eq!(text(toast), r#"{"code":200,"data":"eyJ0b2FzdCI6e319"}"#);
    }
}
