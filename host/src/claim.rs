//! One process serves a node. Two with the same id and folders of their own would each take a part
//! of the work, so a host makes sure, before it takes any, that no other start of its node lives:
//! it asks on the node's own subject, and whoever is there answers. It asks again after every cut.
//!
//! Only answers count. That somebody merely listens may be the connection of our own last start,
//! which the broker has not missed yet. Everything is said on the one subject that a node may both
//! hear and speak on, so it works behind a leaf as well.

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use chrono::{DateTime, Utc};
use common::broker::Broker;
use common::ids::{BootId, NodeId};
use common::subject;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use crate::HostError;

/// How long others have to answer, at least.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// Over a long line: so many times what a message takes to the broker and back.
const ROUND_TRIPS: u32 = 4;

/// How firmly somebody holds the node. The order is who gives way: the later ones stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    /// Starts, and has taken nothing.
    Starts,
    /// Works, and was away for a while.
    Returns,
    /// Works.
    Works,
}

/// One start of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Start {
    boot: BootId,
    machine: String,
    pid: u32,
    since: DateTime<Utc>,
}

/// What starts say to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Word {
    #[serde(flatten)]
    who: Start,
    stage: Stage,
    /// Whether everybody else is to answer.
    asks: bool,
}

/// Another start of this node, which stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    machine: String,
    pid: u32,
    since: DateTime<Utc>,
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.format("%Y-%m-%d %H:%M:%S UTC");
        write!(f, "{} (process {}, since {since})", self.machine, self.pid)
    }
}

/// Our hold on the node.
pub(crate) struct Claim {
    node: NodeId,
    broker: Broker,
    me: Start,
    heard: Subscriber,
}

impl Claim {
    /// Makes sure that no other start of the node lives. Takes half a second, more over a long line.
    ///
    /// # Errors
    /// [`HostError::Claimed`] when one does.
    pub(crate) async fn take(broker: &Broker, node: &NodeId) -> Result<Self, HostError> {
        let subject = subject::alive("node", node.as_str());
        let heard = loop {
            match broker.client().subscribe(subject.clone()).await {
                Ok(heard) => break heard,
                Err(why) => {
                    debug!(%why, "cannot ask for other starts of this node yet");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        };
        let mut claim = Self {
            node: node.clone(),
            broker: broker.clone(),
            me: Start {
                boot: BootId::new(),
                machine: gethostname::gethostname().to_string_lossy().into_owned(),
                pid: std::process::id(),
                since: Utc::now(),
            },
            heard,
        };
        if let Some(rival) = claim.ask(Stage::Starts).await {
            return Err(claim.refused(rival));
        }
        // Whoever was too slow to answer hears that we work from here on.
        claim.say(Stage::Works, false).await;
        Ok(claim)
    }

    /// Answers other starts until `cancel`, and asks again after every cut.
    ///
    /// # Errors
    /// [`HostError::Claimed`] when another start works meanwhile; it stays.
    pub(crate) async fn keep(mut self, cancel: CancellationToken) -> Result<(), HostError> {
        let mut up = self.broker.up();
        let mut cuts = self.broker.cuts();
        loop {
            let rival = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                Ok(()) = up.changed() => {
                    if !*up.borrow_and_update() || self.broker.cuts() == cuts {
                        continue;
                    }
                    cuts = self.broker.cuts();
                    tokio::select! {
                        rival = self.ask(Stage::Returns) => rival,
                        () = cancel.cancelled() => return Ok(()),
                    }
                }
                word = self.heard.next() => match word {
                    Some(word) => self.hear(&word, Stage::Works).await,
                    // The client has ended; so will we.
                    None => return Ok(()),
                },
            };
            if let Some(rival) = rival {
                let refused = self.refused(rival);
                error!("{refused}");
                return Err(refused);
            }
        }
    }

    /// Asks and waits for answers.
    async fn ask(&mut self, stage: Stage) -> Option<Rival> {
        let begun = Instant::now();
        let mut until = begun + ANSWER_WITHIN;
        self.say(stage, true).await;
        loop {
            let Ok(Some(word)) = tokio::time::timeout_at(until, self.heard.next()).await else {
                return None;
            };
            // Our own word comes back to us: so long takes the way to the broker and back.
            if self
                .read(&word)
                .is_some_and(|word| word.who.boot == self.me.boot)
            {
                until = until.max(begun + begun.elapsed() * ROUND_TRIPS);
            }
            if let Some(rival) = self.hear(&word, stage).await {
                return Some(rival);
            }
        }
    }

    /// Takes one word; the other one if we have to give way to it.
    async fn hear(&self, message: &Message, stage: Stage) -> Option<Rival> {
        let word = self.read(message)?;
        if word.who.boot == self.me.boot {
            return None;
        }
        if gives_way((stage, &self.me), (word.stage, &word.who)) {
            let Start {
                machine,
                pid,
                since,
                ..
            } = word.who;
            return Some(Rival {
                machine,
                pid,
                since,
            });
        }
        // It has to give way, so it has to hear of us, whether it asks or believes that it works.
        if word.asks || word.stage == Stage::Works {
            self.say(stage, false).await;
        }
        None
    }

    fn read(&self, message: &Message) -> Option<Word> {
        // Another node may name our subject as where the broker is to answer, and choose a message of
        // its own as the answer. Those carry headers or a reply subject; what a start says does not.
        if message.headers.is_some() || message.reply.is_some() {
            warn!(node = %self.node, "what is not said by a start of this node is passed over");
            return None;
        }
        let word = serde_json::from_slice(&message.payload);
        word.inspect_err(
            |why| warn!(node = %self.node, %why, "a word of another start cannot be read"),
        )
        .ok()
    }

    async fn say(&self, stage: Stage, asks: bool) {
        let word = Word {
            who: self.me.clone(),
            stage,
            asks,
        };
        let Ok(payload) = serde_json::to_vec(&word) else {
            return;
        };
        let client = self.broker.client();
        let subject = subject::alive("node", self.node.as_str());
        // While the link is down nobody hears it; we ask again when it is back.
        let sent = client.publish(subject, payload.into());
        let _ = tokio::time::timeout(Duration::from_secs(1), sent).await;
    }

    fn refused(&self, rival: Rival) -> HostError {
        HostError::Claimed {
            node: self.node.clone(),
            rival,
        }
    }
}

/// Whether `me` gives way to `other`: exactly one of two does, and both come to the same result.
fn gives_way(me: (Stage, &Start), other: (Stage, &Start)) -> bool {
    let rank = |(stage, who): (Stage, &Start)| match stage {
        // Nothing is begun, so it does not matter who: the lower id stays.
        Stage::Starts => (stage, Reverse((None, who.boot))),
        // The older one stays.
        Stage::Returns | Stage::Works => (stage, Reverse((Some(who.since), who.boot))),
    };
    rank(me) < rank(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(boot: BootId, since: i64) -> Start {
        Start {
            boot,
            machine: "desk".into(),
            pid: 7,
            since: DateTime::from_timestamp(since, 0).unwrap(),
        }
    }

    #[test]
    fn exactly_one_of_two_gives_way() {
        let mut boots = [BootId::new(), BootId::new()];
        boots.sort();
        let [low, high] = boots;
        // Who stays, who gives way.
        for (stays, goes) in [
            (
                (Stage::Starts, start(low, 9)),
                (Stage::Starts, start(high, 1)),
            ),
            (
                (Stage::Works, start(high, 9)),
                (Stage::Starts, start(low, 1)),
            ),
            (
                (Stage::Works, start(high, 9)),
                (Stage::Returns, start(low, 1)),
            ),
            (
                (Stage::Returns, start(high, 9)),
                (Stage::Starts, start(low, 1)),
            ),
            (
                (Stage::Returns, start(high, 1)),
                (Stage::Returns, start(low, 9)),
            ),
            (
                (Stage::Works, start(high, 1)),
                (Stage::Works, start(low, 9)),
            ),
            (
                (Stage::Works, start(low, 1)),
                (Stage::Works, start(high, 1)),
            ),
        ] {
            assert!(
                gives_way((goes.0, &goes.1), (stays.0, &stays.1)),
                "{goes:?}"
            );
            assert!(
                !gives_way((stays.0, &stays.1), (goes.0, &goes.1)),
                "{stays:?}"
            );
        }
    }

    #[test]
    fn the_sentence_says_who_and_what_to_do() {
        let Start {
            machine,
            pid,
            since,
            ..
        } = start(BootId::new(), 1_700_000_000);
        let refused = HostError::Claimed {
            node: "home-pc".parse().unwrap(),
            rival: Rival {
                machine,
                pid,
                since,
            },
        };
        insta::assert_snapshot!(refused.to_string(), @"node `home-pc` already runs on machine desk (process 7, since 2023-11-14 22:13:20 UTC). Stop that one, or enrol this machine under an id of its own: phonework enroll <id> on the hub");
    }
}
