//! What the broker of a stage still has in hand, and what it has stored, asked with all that the
//! router may.

use std::time::Instant;

use common::broker::{Broker, BrokerOptions};
use common::identity::Creds;
use common::stream;
use futures_util::TryStreamExt as _;
use kit::feishu::Feishu;
use tokio_util::sync::CancellationToken;

use super::{EVERY, ROW, Stage};
use crate::world::{ANNA, LONG, World};

/// Where something may be given out once more.
const STREAMS: [&str; 4] = [stream::IN, stream::WORK, stream::OUT, stream::DLQ];

/// A connection to the broker with all that the router may.
pub(in crate::crash_points) async fn inside(world: &World) -> Broker {
    let url = world.extra.trim().trim_start_matches("NATS_URL: ");
    let options = BrokerOptions {
        url: url.to_owned(),
        creds: Creds::read(&world.data().join("creds/router.creds")).unwrap(),
        ca: None,
        owner: true,
    };
    Broker::connect(&options, &CancellationToken::new())
        .await
        .unwrap()
}

impl Stage {
    /// How many messages a stream has ever stored; a repeat that it recognised is none.
    pub(in crate::crash_points) async fn stored(&self, name: &str) -> u64 {
        let broker = inside(&self.world).await;
        let stream = broker.jetstream().get_stream(name).await.unwrap();
        stream.cached_info().state.last_sequence
    }

    /// Waits until nobody waits for a node's work any more. Its process may have ended just before
    /// the broker notices: what it hands out meanwhile, nobody can say of that it was never had.
    pub(in crate::crash_points) async fn nobody_reads(&self, node: &str) {
        let broker = inside(&self.world).await;
        let work = broker.jetstream().get_stream(stream::WORK).await.unwrap();
        let deadline = Instant::now() + LONG;
        while work.consumer_info(node).await.unwrap().num_waiting > 0 {
            assert!(Instant::now() < deadline, "{node} is still read");
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Waits until nothing can come once more: the platform was told of everything that the person
    /// said that it is taken, and the broker waits for nobody to settle something.
    pub(in crate::crash_points) async fn nothing_comes_again(&self, at: &str) {
        let taken = |feishu: &Feishu| {
            let acks = feishu.acks();
            let mut all = feishu.timeline(ANNA).into_iter();
            all.all(|said| {
                said.from.is_none()
                    || acks.iter().any(|ack| {
                        ack.accepted && ack.message_id.as_deref() == Some(&said.message_id)
                    })
            })
        };
        let told = self.world.feishu.wait_until(taken, LONG).await;
        if let Err(why) = told {
            panic!("{at}: not all that was said is taken: {why:#}");
        }
        let broker = inside(&self.world).await;
        let deadline = Instant::now() + ROW;
        while in_hand(&broker).await > 0 {
            self.in_time(deadline, at, "the broker still waits");
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// How much was given out and is not settled.
async fn in_hand(broker: &Broker) -> usize {
    let mut count = 0;
    for name in STREAMS {
        let stream = broker.jetstream().get_stream(name).await.unwrap();
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.try_next().await.unwrap() {
            count += consumer.num_ack_pending;
        }
    }
    count
}
