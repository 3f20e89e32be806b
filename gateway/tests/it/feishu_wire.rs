//! Our Feishu client against a platform that speaks the real protocol.
//!
//! This file holds what its modules share: a client with short times, and a
//! handler that the test drives.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test prepares may fail it"
)]

mod api;
mod connection;
mod render;

use std::sync::Arc;
use std::time::Duration;

use common::http::{self, HttpOptions};
use gateway::feishu::FeishuOptions;
use gateway::feishu::api::{Api, Patience};
use gateway::feishu::connection::{AckAnswer, Delivery, Handler, Status, Tuning, start};
use kit::feishu::Feishu;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Long enough for a loaded machine; nothing waits for it when all is well.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn options(feishu: &Feishu) -> FeishuOptions {
    FeishuOptions {
        app_id: feishu.app_id().to_owned(),
        app_secret: feishu.app_secret().into(),
        base_url: feishu.base_url(),
    }
}

pub(crate) fn http() -> reqwest::Client {
    http::install_tls();
    http::client(HttpOptions::default()).expect("an HTTP client")
}

pub(crate) fn api(feishu: &Feishu) -> Api {
    let patience = Patience {
        timeout: Duration::from_secs(2),
        pause: Duration::from_millis(20),
        ..Patience::default()
    };
    Api::new(options(feishu), http(), patience)
}

/// Pauses that a test can wait for; the rest as in production.
pub(crate) fn tuning() -> Tuning {
    Tuning {
        quick_pause: Duration::from_millis(50),
        slow_retry: Duration::from_millis(300),
        ..Tuning::default()
    }
}

/// A delivery in the hands of the test, which answers it, or does not.
pub(crate) struct InHand {
    pub(crate) delivery: Delivery,
    pub(crate) answer: oneshot::Sender<AckAnswer>,
}

impl InHand {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.delivery.payload).expect("a whole event")
    }
}

struct Desk(mpsc::UnboundedSender<InHand>);

impl Handler for Desk {
    async fn handle(&self, delivery: Delivery) -> AckAnswer {
        let (answer, answered) = oneshot::channel();
        if self.0.send(InHand { delivery, answer }).is_err() {
            return AckAnswer::Done;
        }
        match answered.await {
            Ok(answer) => answer,
            // Dropped by the test: never to be answered.
            Err(_) => std::future::pending().await,
        }
    }
}

/// A running connection.
pub(crate) struct Client {
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) cancel: CancellationToken,
    pub(crate) tracker: TaskTracker,
    deliveries: mpsc::UnboundedReceiver<InHand>,
}

impl Client {
    pub(crate) fn start(options: FeishuOptions, tuning: Tuning) -> Self {
        let (desk, deliveries) = mpsc::unbounded_channel();
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        let handler = Arc::new(Desk(desk));
        let status = start(options, http(), tuning, handler, &tracker, cancel.clone());
        Self {
            status,
            cancel,
            tracker,
            deliveries,
        }
    }

    pub(crate) async fn next(&mut self) -> InHand {
        tokio::time::timeout(SOON, self.deliveries.recv())
            .await
            .expect("a delivery in time")
            .expect("a living connection")
    }

    pub(crate) async fn until(&mut self, wanted: impl Fn(&Status) -> bool) -> Status {
        let status = tokio::time::timeout(SOON, self.status.wait_for(wanted));
        status
            .await
            .expect("the status in time")
            .expect("a living connection")
            .clone()
    }

    pub(crate) async fn connected(&mut self) {
        self.until(|status| matches!(status, Status::Connected { .. }))
            .await;
    }

    pub(crate) async fn refused(&mut self) -> String {
        let status = self
            .until(|status| matches!(status, Status::Refused { .. }))
            .await;
        match status {
            Status::Refused { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn stop(&self) {
        self.cancel.cancel();
        self.tracker.close();
        tokio::time::timeout(SOON, self.tracker.wait())
            .await
            .expect("an end in time");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
