//! The long connection: receives events and acknowledges them.
//!
//! This file holds what the rest sees of it and the loop that keeps it up.
//! `endpoint` finds the address and opens the socket, `settings` holds the
//! platform's intervals and our pauses, `session` is one living socket. What a
//! delivery means is the handler's.

mod endpoint;
mod session;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::endpoint::Trouble;
use self::session::{Ended, Session};
use self::settings::Settings;
use super::FeishuOptions;

/// One complete delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The platform's id of this delivery; not a chat message's id.
    pub id: String,
    /// The platform's trace id, for logs; may be empty.
    pub trace_id: String,
    /// The event as JSON, whole.
    pub payload: Bytes,
}

/// What the platform is told about a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum AckAnswer {
    /// It is safe with us.
    Done,
    /// It is safe with us, and this is the answer to a press on a card.
    Answer(Value),
    /// It is not; deliver it again later.
    Failed,
}

/// Takes deliveries. Called for several at a time.
pub trait Handler: Send + Sync + 'static {
    /// Called for each delivery in the order of arrival, just before [`Handler::handle`] is started
    /// as a task of its own, whose order is not certain. Runs on the reading loop: must be quick.
    fn arrived(&self, _delivery: &Delivery) {}

    /// Must put the delivery into safety and return within [`Tuning::ack_deadline`].
    /// After that the future is dropped where it stands and the platform is told
    /// to deliver again, so a repeat must be harmless.
    fn handle(&self, delivery: Delivery) -> impl Future<Output = AckAnswer> + Send;
}

/// How the connection stands, for `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// On its way for the first time, or again.
    Connecting,
    /// Up.
    Connected {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Down for a reason that is expected to pass.
    Retrying {
        /// Why, in a plain sentence.
        why: String,
        /// When the next try begins.
        next: DateTime<Utc>,
    },
    /// Down for a reason that a person has to mend. Tried again now and then.
    Refused {
        /// Why and what to do, in a plain sentence.
        why: String,
        /// When the next try begins.
        next: DateTime<Utc>,
    },
    /// Ended, as asked.
    Stopped,
}

/// Times and bounds of the connection. The defaults are right for the real
/// platform.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// For the endpoint call, and again for opening the socket.
    pub connect_timeout: Duration,
    /// How long the handler may take; the platform wants its ack within 3 s.
    pub ack_deadline: Duration,
    /// Deliveries handled at a time; one more is sent back for redelivery.
    pub in_flight: usize,
    /// The connection is dead if nothing arrives for this long after a ping.
    pub pong_timeout: Duration,
    /// Added to two ping intervals: the longest silence of a living connection.
    pub idle_slack: Duration,
    /// First pause after a loss; doubles for `quick_tries`.
    pub quick_pause: Duration,
    /// Tries before the platform's own intervals are followed.
    pub quick_tries: u32,
    /// A connection that lived this long earns new quick tries.
    pub settled: Duration,
    /// Longest pause after refusals; the first are shorter, as a limit may pass
    /// within seconds and a person who mends the cause is watching.
    pub slow_retry: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            ack_deadline: Duration::from_millis(2500),
            // Each person's share is the handler's; this only bounds the number of tasks.
            in_flight: 8192,
            pong_timeout: Duration::from_secs(30),
            idle_slack: Duration::from_secs(10),
            quick_pause: Duration::from_secs(1),
            quick_tries: 3,
            settled: Duration::from_secs(60),
            slow_retry: Duration::from_secs(300),
        }
    }
}

impl Tuning {
    /// The pause after a refusal that so many others came before.
    fn refused_pause(&self, refusals: u32) -> Duration {
        self.slow_retry / 32 * (1 << refusals.min(5))
    }
}

/// Starts the connection on `tracker` and keeps it up until `cancel`. On
/// cancellation, deliveries in hand are finished and acknowledged first.
pub fn start<H: Handler>(
    options: FeishuOptions,
    http: reqwest::Client,
    tuning: Tuning,
    handler: Arc<H>,
    tracker: &TaskTracker,
    cancel: CancellationToken,
) -> watch::Receiver<Status> {
    let (status, seen) = watch::channel(Status::Connecting);
    let keeper = Keeper {
        session: Session::new(handler, tuning.clone(), cancel.clone()),
        options,
        http,
        tuning,
        cancel,
        status,
        settings: Settings::default(),
        failures: 0,
        refusals: 0,
    };
    tracker.spawn(keeper.run());
    seen
}

/// The loop that keeps the connection up.
struct Keeper<H> {
    options: FeishuOptions,
    http: reqwest::Client,
    tuning: Tuning,
    cancel: CancellationToken,
    status: watch::Sender<Status>,
    settings: Settings,
    session: Session<H>,
    /// Losses and failed tries since a connection last settled.
    failures: u32,
    /// Refusals since the last connection.
    refusals: u32,
}

impl<H: Handler> Keeper<H> {
    async fn run(mut self) {
        while !self.cancel.is_cancelled() {
            self.status.send_replace(Status::Connecting);
            let started = Instant::now();
            let cancel = self.cancel.clone();
            let opened = tokio::select! {
                () = cancel.cancelled() => break,
                opened = endpoint::open(&self.options, &self.http, &mut self.settings, &self.tuning) => opened,
            };
            let trouble = match opened {
                Ok(open) => {
                    tracing::info!(device = open.device_id, "Feishu long connection is up");
                    let since = Utc::now();
                    self.status.send_replace(Status::Connected { since });
                    match self.session.run(open, &mut self.settings).await {
                        Ended::Cancelled => break,
                        Ended::Lost { why, heard } => {
                            self.refusals = 0;
                            if heard {
                                // It worked: the platform's long intervals are for when it does not.
                                let quick = self.tuning.quick_tries.saturating_sub(1);
                                self.failures = self.failures.min(quick);
                            }
                            Trouble::Retry { why, reached: true }
                        }
                    }
                }
                Err(trouble) => trouble,
            };
            if started.elapsed() >= self.tuning.settled {
                self.failures = 0;
            }
            let pause = self.note(trouble);
            self.failures = self.failures.saturating_add(1);
            tokio::select! {
                () = self.cancel.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.session.finish().await;
        self.status.send_replace(Status::Stopped);
    }

    /// Logs and shows the trouble; returns how long to wait.
    fn note(&mut self, trouble: Trouble) -> Duration {
        let exhausted = self.settings.exhausted(self.failures);
        match trouble {
            Trouble::Retry { why, reached } if !exhausted => {
                let pause = self.settings.pause(self.failures, reached, &self.tuning);
                tracing::warn!(why, ?pause, "Feishu long connection is down; trying again");
                let next = after(pause);
                self.status.send_replace(Status::Retrying { why, next });
                pause
            }
            Trouble::Retry { why, .. } | Trouble::Refused { why } => {
                let pause = if exhausted {
                    self.tuning.slow_retry
                } else {
                    let pause = self.tuning.refused_pause(self.refusals);
                    self.refusals = self.refusals.saturating_add(1);
                    pause
                };
                tracing::error!(why, ?pause, "Feishu refuses the long connection");
                let next = after(pause);
                self.status.send_replace(Status::Refused { why, next });
                pause
            }
        }
    }
}

fn after(pause: Duration) -> DateTime<Utc> {
    let pause = chrono::TimeDelta::from_std(pause).unwrap_or_default();
    Utc::now() + pause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_tried_again_soon_and_then_slowly() {
        let tuning = Tuning::default();
        assert!(tuning.refused_pause(0) < Duration::from_secs(10));
        assert!(tuning.refused_pause(2) < Duration::from_secs(40));
        for refusals in [5, 6, u32::MAX] {
            assert_eq!(tuning.refused_pause(refusals), tuning.slow_retry / 32 * 32);
        }
    }
}
