//! For the command line: what the router knows of nodes, read from where it writes it, so that it can be read when the
//! router itself is down. Changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use common::broker::{Broker, BrokerError, BrokerOptions};
use common::ids::NodeId;
use common::stream::KV_PRESENCE;
use common::subject;
use tokio_util::sync::CancellationToken;

use crate::presence::keep;
use crate::waiting::count;

/// The whole look.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a router has to say that it is there.
const ANSWER: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whether a router runs; if not, the rest is as it last knew.
    pub router: bool,
    /// Nodes that were ever heard of.
    pub nodes: BTreeMap<NodeId, Sight>,
    /// Messages that wait, all people's; nodes with none are missing. None: not known.
    pub queued: Option<BTreeMap<NodeId, usize>>,
}

/// A node's last sign of life.
#[derive(Debug, Clone)]
pub struct Sight {
    /// When, by the router's clock; a usual one is noted every 30 s only.
    pub last: DateTime<Utc>,
    /// It said goodbye, or its connection was seen to end.
    pub gone: bool,
    /// What it calls itself.
    pub name: String,
    /// What it says that it is for; may be empty.
    pub description: String,
    /// Its program.
    pub version: String,
    /// Open sessions.
    pub sessions: u32,
    /// Turns running.
    pub running: u32,
    /// Load of each processor, 1.0 when it has just enough to do; none if not known.
    pub load: Option<f32>,
    /// What keeps it from taking work.
    pub trouble: Option<String>,
}

/// Looks, with the router's credentials.
///
/// # Errors
/// [`BrokerError`] when the broker cannot be used, or does not answer in time.
pub async fn look(options: &BrokerOptions) -> Result<Look, BrokerError> {
    // Once; connecting for good would try for ever.
    Broker::look(options).await?;
    let never = CancellationToken::new();
    let looked = async {
        let broker = Box::pin(Broker::connect(options, &never)).await?;
        let nodes = match broker.jetstream().get_key_value(KV_PRESENCE).await {
            Ok(store) => keep::read(&store).await,
            // No router has run on this hub yet.
            Err(_) => BTreeMap::new(),
        };
        let ping = broker
            .client()
            .request("$SRV.PING.phonework-router", Bytes::new());
        let router = matches!(tokio::time::timeout(ANSWER, ping).await, Ok(Ok(_)));
        let queued = count(&broker, subject::WORK_ALL.to_owned()).await.ok();
        broker.close().await;
        Ok(Look {
            router,
            queued,
            nodes: nodes
                .into_iter()
                .map(|(node, seen)| {
                    let sight = Sight {
                        last: seen.last,
                        gone: seen.gone,
                        name: seen.name,
                        description: seen.description,
                        version: seen.version,
                        sessions: seen.sessions,
                        running: seen.running,
                        load: seen.load,
                        trouble: seen.trouble,
                    };
                    (node, sight)
                })
                .collect(),
        })
    };
    tokio::time::timeout(PATIENCE, looked)
        .await
        .unwrap_or_else(|_| {
            Err(BrokerError::Unreachable {
                url: options.url.clone(),
                detail: "no answer in time".into(),
            })
        })
}
