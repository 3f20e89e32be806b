//! Everything an attack could change, as the router sees it, and waiting until an attack has had its chance.

use async_nats::Client;
use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt as _;

use super::{World, roundtrip};

/// Everything an attack could change, as the router sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) streams: Vec<(String, u64, u64)>,
    pub(super) consumers: Vec<(String, u64, usize)>,
}

impl World {
    pub(super) async fn picture(&self) -> Picture {
        let js = self.js();
        let mut streams = Vec::new();
        let mut names: Vec<String> = js.stream_names().map(Result::unwrap).collect().await;
        names.sort();
        for name in names {
            let state = js
                .get_stream(&name)
                .await
                .unwrap()
                .get_info()
                .await
                .unwrap()
                .state;
            streams.push((name, state.messages, state.last_sequence));
        }
        let mut consumers = Vec::new();
        for (stream, name) in [
            ("PW_WORK", "a"),
            ("PW_WORK", "b"),
            ("PW_OUT", "feishu"),
            ("PW_OUT", "web"),
        ] {
            let consumer: Result<PullConsumer, _> = js.get_consumer_from_stream(name, stream).await;
            if let Ok(mut consumer) = consumer {
                let info = consumer.info().await.unwrap();
                consumers.push((
                    format!("{stream}/{name}"),
                    info.num_pending,
                    info.num_ack_pending,
                ));
            }
        }
        Picture { streams, consumers }
    }

    /// Returns when the server has dealt with what `client` sent and with what that set off inside it:
    /// the API handles requests in turn, so one asked and answered later comes after all of them.
    pub(super) async fn settle(&self, client: &Client) {
        roundtrip(client).await;
        for _ in 0..2 {
            self.picture().await;
        }
    }
}
