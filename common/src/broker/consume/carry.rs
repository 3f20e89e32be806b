//! Carries one message to its end: runs its handler, puts it with the dead letters where it must,
//! and only then tells the broker.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::AckKind;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use super::suspects::Trial;
use super::{ConsumeOptions, Held, MAX_ATTEMPTS, Outcome};
use crate::broker::Broker;
use crate::broker::dead::{DeadWhy, Letter, one_line, store};
use crate::subject;

/// How long a suspect is alone, and how long others may make it wait for that. What ends a process
/// does so at once; what takes longer is merely slow.
const ALONE: Duration = Duration::from_secs(1);
/// The shortest pause before a message is handled again.
const BREATH: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What became of a message.
pub(super) enum Ended {
    /// The broker has been told, or will deliver it again.
    Settled { key: String, sequence: u64 },
    /// It stays in hand and is to be handled again.
    Again {
        key: String,
        held: Box<Held>,
        pause: Duration,
    },
}

/// Everything that carrying needs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Carrier {
    broker: Broker,
    stream: String,
    /// Whose dead letters; none: they are logged and gone.
    dead: Option<String>,
    cancel: CancellationToken,
    /// Held by all that run, for writing by one that runs alone.
    gate: Arc<RwLock<()>>,
    /// The handlers' tasks.
    works: TaskTracker,
}

enum Pass {
    Shared {
        _gate: OwnedRwLockReadGuard<()>,
    },
    Alone {
        _gate: OwnedRwLockWriteGuard<()>,
        _trial: Trial,
    },
}

impl Carrier {
    pub(super) fn new(
        broker: &Broker,
        options: &ConsumeOptions<'_>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            broker: broker.clone(),
            stream: options.stream.to_owned(),
            dead: options.dead.map(str::to_owned),
            cancel,
            gate: Arc::default(),
            works: TaskTracker::new(),
        }
    }

    /// Waits until no handler runs any more, of those that were told to stop.
    pub(super) async fn all_ended(&self) {
        self.works.close();
        self.works.wait().await;
        self.works.reopen();
    }

    pub(super) async fn carry<F>(
        self,
        key: String,
        mut held: Held,
        pause: Duration,
        trial: Option<Trial>,
        work: F,
    ) -> Ended
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let sequence = held.delivery.sequence;
        let stopped = async {
            // The clock's next tick would be up to a millisecond away.
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let given_up = trial.as_ref().is_some_and(|trial| trial.given_up);
            let pass = if given_up {
                None
            } else {
                Some(self.pass(trial).await)
            };
            Some(pass)
        };
        let pass = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            pass = stopped => pass,
        };
        let Some(pass) = pass else {
            // Not begun any more: whoever reads next gets it at once.
            self.tell(&held, AckKind::Nak(None)).await;
            return Ended::Settled { key, sequence };
        };
        let outcome = match pass {
            Some(pass) => run(self.works.spawn(work), pass).await,
            None => Err((
                DeadWhy::TooOften,
                format!(
                    "delivered {} times without an end; at most {MAX_ATTEMPTS}",
                    held.delivery.attempt
                ),
            )),
        };
        held.tried = true;
        match outcome {
            // If we die or the link breaks right here, the message comes again and is recognised.
            Ok(Outcome::Done) => self.tell(&held, AckKind::Ack).await,
            Ok(Outcome::Again(pause)) if !self.cancel.is_cancelled() => {
                let pause = pause.max(BREATH);
                let held = Box::new(held);
                return Ended::Again { key, held, pause };
            }
            Ok(Outcome::Again(pause)) => self.tell(&held, AckKind::Nak(Some(pause))).await,
            Ok(Outcome::Dead(why)) => self.bury(&held, DeadWhy::Refused, &why).await,
            Err((why, detail)) => self.bury(&held, why, &detail).await,
        }
        Ended::Settled { key, sequence }
    }

    /// Waits until it may be handled.
    async fn pass(&self, trial: Option<Trial>) -> Pass {
        let gate = Arc::clone(&self.gate);
        match trial {
            None => Pass::Shared {
                _gate: gate.read_owned().await,
            },
            Some(trial) => Pass::Alone {
                _gate: gate.write_owned().await,
                _trial: trial,
            },
        }
    }

    /// Stores it as a dead letter, and when that is confirmed takes it out of the stream. Dying in
    /// between, it comes again and the dead letters recognise it.
    async fn bury(&self, held: &Held, why: DeadWhy, detail: &str) {
        let delivery = &held.delivery;
        let (subject, sequence) = (delivery.subject.as_str(), delivery.sequence);
        let (code, detail) = (why.code(), one_line(detail));
        let to = self.dead.as_deref().zip(subject::person(subject));
        let Some((who, user)) = to else {
            error!(code, %subject, sequence, %detail, "cannot be handled, and is of nobody who could be told; given up");
            return self.tell(held, AckKind::Term).await;
        };
        let trace = delivery.headers.get("traceparent");
        let letter = Letter {
            id: Letter::id_of(&self.stream, sequence, held.stored_at),
            subject: subject.to_owned(),
            stream: self.stream.clone(),
            sequence,
            attempts: delivery.attempt,
            why,
            detail,
            traceparent: trace.map_or_else(String::new, |trace| trace.as_str().to_owned()),
            cut_from: None,
            payload: delivery.payload.clone(),
        };
        let mut pause = FIRST_PAUSE;
        loop {
            match store(&self.broker, who, &user, letter.clone()).await {
                Ok(repeat) => {
                    crate::crash_point!("broker.dead.stored");
                    error!(code, %subject, sequence, detail = %letter.detail, repeat, "dead letter");
                    return self.tell(held, AckKind::Term).await;
                }
                Err(problem) => {
                    warn!(code, %subject, sequence, %problem, ?pause, "a dead letter cannot be stored; it stays in hand");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.cancel.cancelled() => return self.tell(held, AckKind::Nak(None)).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn tell(&self, held: &Held, what: AckKind) {
        let subject = held.delivery.subject.as_str();
        let sure = matches!(what, AckKind::Ack | AckKind::Term);
        let message = self.broker.settling(&held.message);
        let told = if sure {
            message.double_ack_with(what).await
        } else {
            message.ack_with(what).await
        };
        match told {
            Ok(()) => {}
            Err(why) if sure => {
                warn!(%subject, %why, "not acknowledged; it will be delivered again");
            }
            Err(why) => debug!(%subject, %why, "could not be sent back; it comes again later"),
        }
    }
}

/// Runs a handler in a task of its own, so that a panic ends one message and not the reader. Its
/// pass lasts as long as the handler may still be what ends the process.
async fn run(mut work: JoinHandle<Outcome>, pass: Pass) -> Result<Outcome, (DeadWhy, String)> {
    let ended = if let Ok(ended) = tokio::time::timeout(ALONE, &mut work).await {
        ended
    } else {
        drop(pass);
        work.await
    };
    match ended {
        Ok(outcome) => Ok(outcome),
        // What it said may hold anything; it is in the log of this machine.
        Err(why) if why.is_panic() => Err((DeadWhy::Failed, "its handler panicked".into())),
        // The process is on its way out.
        Err(_) => Ok(Outcome::Again(BREATH)),
    }
}
