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

/// Room for what people do, in bytes.
pub const IN_BYTES: i64 = 256 * MB;

/// What people do. Platforms repeat a message for up to 7 h under new event ids, so the window in
/// which a repeat is recognised is a day; limits retention keeps that memory across restarts. Full,
/// it refuses: the platform, or the page, then sends again, while an act that was pushed out unread
/// would be lost. The router makes room in time, by taking out what is settled.
pub const IN: &str = "PW_IN";
/// What nodes are to do; waits up to [`WORK_WAITS`] for a node that is off.
pub const WORK: &str = "PW_WORK";
/// What is to be shown.
pub const OUT: &str = "PW_OUT";
/// How turns go of messages that went to several nodes; waits for the router.
pub const TURN: &str = "PW_TURN";
/// Messages that could not be handled, a week.
pub const DLQ: &str = "PW_DLQ";
/// Pieces of files on their way from nodes to chats.
pub const UP: &str = "PW_UP";
/// Pieces of files on their way from chats to nodes.
pub const DOWN: &str = "PW_DOWN";
/// Reminders that wait for their time, and those whose time has come until the router has read them.
pub const SCHED: &str = "PW_SCHED";
/// The router's durable consumer of [`SCHED`].
pub const SCHED_ROUTER: &str = "router";
/// The router's durable consumer of [`IN`].
pub const IN_ROUTER: &str = "router";
/// The router's durable consumer of [`TURN`].
pub const TURN_ROUTER: &str = "router";
/// The router's durable consumer of [`DLQ`].
pub const DLQ_ROUTER: &str = "router";

/// Last beats of nodes, so that a new router knows what the old one knew.
pub const KV_PRESENCE: &str = "PW_PRESENCE";
/// Active node, language and mode of users.
pub const KV_USERS: &str = "PW_USERS";
/// Enrolled nodes and whom they serve.
pub const KV_NODES: &str = "PW_NODES";

/// What people were told of messages that wait for a node that is off.
pub const KV_WAITING: &str = "PW_WAITING";

/// Messages that went to several nodes at once, and how each of them stands with it.
pub const KV_FANOUT: &str = "PW_FANOUT";

/// Which nodes went off and came back, and who was told.
pub const KV_NOTICES: &str = "PW_NOTICES";

/// Reminders: of what, when, and how they stand.
pub const KV_REMIND: &str = "PW_REMIND";

/// Which of several routers leads.
pub const KV_ROUTER: &str = "PW_ROUTER";

/// How long work waits for a node before the person is told that it was in vain.
pub const WORK_WAITS: Duration = Duration::from_secs(72 * 3600);
/// How long an unacknowledged message stays with a reader before it is delivered again.
pub const ACK_WAIT: Duration = Duration::from_secs(10);
/// The same for what is to be shown: short, so that a gateway that takes over shows soon what the
/// one before had in hand. A quarter of it less, as that is how often a reader says what it holds,
/// it is still longer than that one may go on without a renewal of its lease.
pub const OUT_ACK_WAIT: Duration = Duration::from_secs(6);
/// The most messages of one person that wait for one node.
pub const WAITING_PER_USER: i64 = 200;
/// The most reports of one node about one person's turns that wait for the router; of more the oldest
/// go, as each newer one says how things stand.
pub const REPORTS_PER_USER: i64 = 200;
/// The most dead letters of one person from one sender; of more the oldest go.
pub const DEAD_PER_USER: i64 = 200;
/// How long a reminder whose time has come waits for a router.
pub const FIRED_WAITS: Duration = Duration::from_secs(30 * 24 * 3600);
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
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            max_bytes: IN_BYTES,
            // As long as work waits: a hub whose router is away for a weekend forgets nothing.
            max_age: 72 * HOUR,
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
            // The router takes out what has waited too long, as it can tell the person. This is for
            // the case that there is no router, so it leaves a day for the next one to start.
            max_age: WORK_WAITS.saturating_add(Duration::from_secs(24 * 3600)),
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
            name: TURN.into(),
            description: Some("How turns go of what went to several nodes".into()),
            subjects: vec![subject::TURN_ALL.into()],
            retention: RetentionPolicy::WorkQueue,
            // It never refuses: a node sends its answers and these from one place, in order, and an
            // answer must not wait for a line about it.
            discard: DiscardPolicy::Old,
            max_messages_per_subject: REPORTS_PER_USER,
            storage: StorageType::File,
            max_bytes: 64 * MB,
            max_age: 72 * HOUR,
            max_message_size: 16 * 1024,
            duplicate_window: 2 * HOUR,
            max_consumers: 16,
            num_replicas: 1,
            ..Config::default()
        },
        Config {
            name: SCHED.into(),
            description: Some("When reminders are due, and those that are".into()),
            subjects: vec![subject::SCHED_ALL.into(), subject::FIRE_ALL.into()],
            retention: RetentionPolicy::Limits,
            // The server wants it so. What is here is small, and the router bounds how many there
            // are, so that no size limit ever pushes out a reminder; nor does any age.
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            max_bytes: 512 * MB,
            max_message_size: 16 * 1024,
            duplicate_window: 2 * HOUR,
            allow_message_schedules: true,
            // A schedule that is set anew takes the place of the old one; the server switches this on.
            allow_rollup: true,
            allow_message_ttl: true,
            max_consumers: 16,
            num_replicas: 1,
            ..Config::default()
        },
        Config {
            name: DLQ.into(),
            description: Some(
                "Messages that could not be handled, and the broker's word on each".into(),
            ),
            subjects: [IN, WORK, OUT, TURN]
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
            // Full, it loses the oldest: a new one that is refused would hold up its own sender.
            // One person's flood pushes out that person's letters first.
            discard: DiscardPolicy::Old,
            max_messages_per_subject: DEAD_PER_USER,
            storage: StorageType::File,
            max_bytes: 64 * MB,
            max_age: 7 * 24 * HOUR,
            // As long as anything stays where it may be given up a second time: a reader that died
            // after storing the letter may come back as late as that.
            duplicate_window: 72 * HOUR,
            max_consumers: 16,
            num_replicas: 1,
            ..Config::default()
        },
        pieces(UP, subject::UP_ALL, "Pieces of files for chats"),
        pieces(DOWN, subject::DOWN_ALL, "Pieces of files for nodes"),
    ]
}

/// Pieces of files: read by their subjects, gone after two hours.
fn pieces(name: &str, subjects: &str, what: &str) -> Config {
    Config {
        name: name.into(),
        description: Some(what.into()),
        subjects: vec![subjects.into()],
        retention: RetentionPolicy::Limits,
        // Full, it refuses: what is under way comes whole, and the next file is told to wait.
        discard: DiscardPolicy::New,
        // A piece that is sent again takes the place of the first.
        max_messages_per_subject: 1,
        storage: StorageType::File,
        max_bytes: 512 * MB,
        max_age: 2 * HOUR,
        max_message_size: 300 * 1024,
        duplicate_window: Duration::from_secs(120),
        allow_direct: true,
        max_consumers: 16,
        num_replicas: 1,
        ..Config::default()
    }
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

/// The router's consumer of [`TURN`]: people in parallel, each in order.
pub fn turn_router() -> pull::Config {
    pull::Config {
        max_ack_pending: 1024,
        ..consumer(TURN_ROUTER, "Router: collects how turns go")
    }
}

/// The router's consumer of what is due in [`SCHED`]: people in parallel, each in order.
pub fn sched_router() -> pull::Config {
    pull::Config {
        filter_subject: subject::FIRE_ALL.into(),
        max_ack_pending: 1024,
        ..consumer(SCHED_ROUTER, "Router: reminds people")
    }
}

/// The router's consumer of the dead letters in [`DLQ`]; the broker's advisories beside them are for
/// whoever looks after the hub.
pub fn dlq_router() -> pull::Config {
    pull::Config {
        filter_subject: subject::DEAD_ALL.into(),
        max_ack_pending: 64,
        ..consumer(
            DLQ_ROUTER,
            "Router: asks people what to do with dead letters",
        )
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
        ack_wait: OUT_ACK_WAIT,
        ..consumer(
            surface.as_str(),
            "Gateway: shows what nodes and router send",
        )
    }
}
