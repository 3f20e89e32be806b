//! The streams, consumers and buckets that we keep on the broker, with the reason for each limit.
//!
//! The router creates them; this file only says what they are.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::ids::{NodeId, Surface};
use crate::subject;

const MB: i64 = 1024 * 1024;
const HOUR: Duration = Duration::from_secs(3600);

/// What people do. Platforms repeat a message for up to 7 h under new event ids, so the window in
/// which a repeat is recognised is a day; limits retention keeps that memory across restarts.
pub const IN: &str = "PW_IN";
/// What nodes are to do; waits up to 72 h for a node that is off.
pub const WORK: &str = "PW_WORK";
/// What is to be shown.
pub const OUT: &str = "PW_OUT";
/// Messages that could not be handled, a week.
pub const DLQ: &str = "PW_DLQ";
/// The router's durable consumer of [`IN`].
pub const IN_ROUTER: &str = "router";

/// Last beats of nodes, so that a new router knows what the old one knew.
pub const KV_PRESENCE: &str = "PW_PRESENCE";
/// Active node, language and mode of users.
pub const KV_USERS: &str = "PW_USERS";
/// Enrolled nodes and whom they serve.
pub const KV_NODES: &str = "PW_NODES";

/// How long an unacknowledged message stays with a reader before it is delivered again.
pub const ACK_WAIT: Duration = Duration::from_secs(10);
/// The most messages of one person that wait for one node.
pub const WAITING_PER_USER: i64 = 200;
/// Nodes that may be enrolled; the server's own default would stop at 1,000 without a word.
pub const MAX_NODES: i32 = 20_000;

/// The bucket where a surface's gateways keep what they have shown.
pub fn kv_gate(surface: Surface) -> String {
    format!("PW_GATE_{surface}")
}

/// All streams.
pub fn streams() -> Vec<Config> {
    vec![
        Config {
            name: IN.into(),
            description: Some("What people wrote and tapped".into()),
            subjects: vec![subject::IN_ALL.into()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            max_bytes: 256 * MB,
            max_age: 24 * HOUR,
            duplicate_window: 24 * HOUR,
            max_consumers: 16,
            num_replicas: 1,
            ..Config::default()
        },
        Config {
            name: WORK.into(),
            description: Some("What nodes are to do, until they have written it down".into()),
            subjects: vec![subject::WORK_ALL.into()],
            retention: RetentionPolicy::WorkQueue,
            // Full for one person refuses that person's next message and nobody else's.
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            max_messages_per_subject: WAITING_PER_USER,
            storage: StorageType::File,
            max_bytes: 512 * MB,
            max_age: 72 * HOUR,
            duplicate_window: 2 * HOUR,
            allow_message_ttl: true,
            max_consumers: MAX_NODES,
            num_replicas: 1,
            ..Config::default()
        },
        Config {
            name: OUT.into(),
            description: Some("What is to be shown, until the surface has it".into()),
            subjects: vec![subject::OUT_ALL.into()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            max_bytes: 1024 * MB,
            max_age: 72 * HOUR,
            duplicate_window: 2 * HOUR,
            max_consumers: 64,
            num_replicas: 1,
            ..Config::default()
        },
        Config {
            name: DLQ.into(),
            description: Some(
                "Messages that could not be handled, and the broker's word on each".into(),
            ),
            subjects: [IN, WORK, OUT]
                .iter()
                .flat_map(|stream| {
                    [
                        format!("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{stream}.>"),
                        format!("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{stream}.>"),
                    ]
                })
                .chain([subject::DEAD_ALL.to_owned()])
                .collect(),
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            max_bytes: 64 * MB,
            max_age: 7 * 24 * HOUR,
            max_consumers: 16,
            num_replicas: 1,
            ..Config::default()
        },
    ]
}

fn consumer(name: &str, what: &str) -> pull::Config {
    pull::Config {
        durable_name: Some(name.to_owned()),
        name: Some(name.to_owned()),
        description: Some(what.to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        ..pull::Config::default()
    }
}

/// The router's consumer of [`IN`]: people in parallel, each in order.
pub fn in_router() -> pull::Config {
    pull::Config {
        max_ack_pending: 1024,
        ..consumer(IN_ROUTER, "Router: decides where each act goes")
    }
}

/// A node's consumer of [`WORK`]: one message in flight, so that order survives every redelivery.
pub fn work_node(node: &NodeId) -> pull::Config {
    pull::Config {
        filter_subject: subject::work_of(node),
        max_ack_pending: 1,
        ..consumer(
            node.as_str(),
            "Node: writes its work down, then acknowledges",
        )
    }
}

/// A surface's consumer of [`OUT`].
pub fn out_surface(surface: Surface) -> pull::Config {
    pull::Config {
        filter_subject: subject::out_of(surface),
        max_ack_pending: 1024,
        ..consumer(
            surface.as_str(),
            "Gateway: shows what nodes and router send",
        )
    }
}
