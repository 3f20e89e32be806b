//! The key-value buckets, as the streams that they are on the server, so that they are made and
//! compared like every other stream.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use common::ids::Surface;
use common::stream::{
    KV_FANOUT, KV_NODES, KV_NOTICES, KV_PRESENCE, KV_REMIND, KV_ROUTER, KV_USERS, KV_WAITING,
    kv_gate,
};

const MB: i64 = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The largest value that a bucket takes, in bytes.
pub(crate) const MAX_VALUE: i32 = 64 * 1024;

/// All buckets.
pub(super) fn all() -> Vec<Config> {
    let mut all = vec![
        // On disk and for a month, so that "last seen" survives a restart of hub and router.
        Config {
            max_age: 30 * DAY,
            ..bucket(KV_PRESENCE, "Last sign of life of each node", 64 * MB)
        },
        // Room for 100,000 people with all that is remembered of somebody who taps a lot; without room
        // nobody's choice could be kept, and their acts would wait.
        bucket(
            KV_USERS,
            "Active node and language of each person",
            256 * MB,
        ),
        Config {
            // A machine may be for a whole company, by name.
            max_message_size: 1024 * 1024,
            ..bucket(KV_NODES, "Enrolled nodes and whom they serve", 256 * MB)
        },
        bucket(KV_ROUTER, "Which router leads, and where it reads", MB),
        Config {
            // A button on its card may be tapped for days; a text that waited in vain lies here
            // whole, to be sent again. At the size limit the oldest go: their buttons then say so.
            max_age: 8 * DAY,
            discard: DiscardPolicy::Old,
            max_message_size: 1024 * 1024,
            ..bucket(KV_WAITING, "What waits for nodes that are off", 256 * MB)
        },
        Config {
            // As long as what waits for a node that is off; at the size limit the oldest go: their
            // cards then stay as they are.
            max_age: 8 * DAY,
            discard: DiscardPolicy::Old,
            ..bucket(
                KV_FANOUT,
                "Messages to several nodes, and how each stands",
                64 * MB,
            )
        },
        // Without an age: some are for years. The router bounds how many there are, and takes out what
        // is over.
        bucket(
            KV_REMIND,
            "Reminders: of what, when, and how they stand",
            512 * MB,
        ),
        bucket(
            KV_NOTICES,
            "Nodes that went off and came back, and who was told",
            64 * MB,
        ),
    ];
    for surface in Surface::ALL {
        all.push(Config {
            // Nobody edits or repeats a card after that long; at the size limit the oldest go,
            // for a full bucket must not keep gateways from showing new ones.
            max_age: 14 * DAY,
            discard: DiscardPolicy::Old,
            ..bucket(
                &kv_gate(surface),
                "What this surface's gateways have shown",
                256 * MB,
            )
        });
    }
    all
}

fn bucket(name: &str, what: &str, max_bytes: i64) -> Config {
    Config {
        name: format!("KV_{name}"),
        description: Some(what.to_owned()),
        subjects: vec![format!("$KV.{name}.>")],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        max_bytes,
        max_messages_per_subject: 1,
        max_message_size: MAX_VALUE,
        max_consumers: 64,
        // What makes a stream a bucket for every client: purge by roll-up, no deletes, direct reads.
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: 1,
        ..Config::default()
    }
}
