//! A hub with its streams, letters as they lie in PW_DLQ, and a reader that does as it is told.

use super::*;

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A hub with its streams and the node `home`.
pub(super) struct World {
    pub(super) nats: Nats,
    pub(super) inside: Broker,
    pub(super) node: Broker,
}

pub(super) async fn connect(url: String, creds: &common::identity::Creds) -> Broker {
    let options = BrokerOptions {
        url,
        creds: creds.clone(),
        ca: None,
        owner: creds.name() == "router",
    };
    Box::pin(Broker::connect(&options, &CancellationToken::new()))
        .await
        .unwrap()
}

pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn home() -> NodeId {
    "home".parse().unwrap()
}

pub(super) fn work_of(user: &str) -> String {
    subject::work(&home(), &user.parse().unwrap())
}

pub(super) fn out_of(user: &str) -> String {
    subject::out(&home(), &user.parse().unwrap())
}

impl World {
    pub(super) async fn start() -> Self {
        let nats = Box::pin(Nats::start()).await;
        let inside = connect(nats.url(), &nats.creds("router")).await;
        let js = inside.jetstream();
        for config in stream::streams() {
            js.create_stream(config).await.unwrap();
        }
        let node = connect(nats.url(), &nats.enroll("home")).await;
        let world = Self { nats, inside, node };
        world
            .consumer(stream::WORK, stream::work_node(&home()))
            .await;
        world.consumer(stream::IN, stream::in_router()).await;
        world
    }

    /// The same as in life, but what a dead reader held comes back sooner.
    pub(super) async fn consumer(&self, of: &str, config: pull::Config) -> PullConsumer {
        let config = pull::Config {
            ack_wait: Duration::from_millis(500),
            ..config
        };
        let js = self.inside.jetstream();
        js.create_consumer_on_stream(config, of).await.unwrap()
    }

    pub(super) async fn publish(&self, subject: &str, text: &str) {
        let id = uuid::Uuid::now_v7().to_string();
        let sent = self
            .inside
            .publish(subject, &id, "00-a-b-01", text.to_owned());
        assert!(!sent.await.unwrap());
    }

    pub(super) async fn count(&self, of: &str) -> u64 {
        let mut found = self.inside.jetstream().get_stream(of).await.unwrap();
        found.info().await.unwrap().state.messages
    }

    /// Waits until nothing of a stream with work to do is left.
    pub(super) async fn empty(&self, of: &str) {
        until("an empty stream", async || {
            (self.count(of).await == 0).then_some(())
        })
        .await;
    }

    /// The letters so far, with the subjects that they came on.
    pub(super) async fn letters(&self) -> Vec<(String, Letter)> {
        let letters = self
            .inside
            .jetstream()
            .get_stream(stream::DLQ)
            .await
            .unwrap();
        let last = letters.cached_info().state.last_sequence;
        let mut found = Vec::new();
        for sequence in 1..=last {
            let raw = letters.get_raw_message(sequence).await.unwrap();
            if raw.subject.starts_with("pw.dead.") {
                let letter = Letter::read(&raw.headers, raw.payload.clone()).unwrap();
                found.push((raw.subject.to_string(), letter));
            }
        }
        found
    }

    pub(super) async fn wait_letters(&self, count: usize) -> Vec<(String, Letter)> {
        until(&format!("{count} letters"), async || {
            let found = self.letters().await;
            (found.len() >= count).then_some(found)
        })
        .await
    }
}

pub(super) fn options(
    of: &'static str,
    consumer: &'static str,
    dead: &'static str,
) -> ConsumeOptions<'static> {
    ConsumeOptions {
        stream: of,
        consumer,
        in_flight: 16,
        drain: Duration::from_secs(1),
        dead: Some(dead),
        lead: None,
    }
}

pub(super) fn node_options() -> ConsumeOptions<'static> {
    options(stream::WORK, "home", "home")
}

/// What a reader was given, in order.
pub(super) type Seen = Arc<Mutex<Vec<Delivery>>>;

/// A reader that is stopped with its value.
pub(super) struct Reader {
    pub(super) seen: Seen,
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

pub(super) fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.payload).into_owned()
}

/// Texts that begin with `bad` can never be handled, `panic` breaks off, all else is done. People in
/// parallel, each in order.
pub(super) fn judge(delivery: &Delivery) -> Outcome {
    let text = text(delivery);
    assert!(!text.starts_with("panic"), "as ordered");
    if text.starts_with("bad") {
        Outcome::Dead("not readable:\r\nline 1".into())
    } else {
        Outcome::Done
    }
}

impl Reader {
    pub(super) fn start(broker: &Broker, options: ConsumeOptions<'static>) -> Self {
        let (seen, stop) = (Seen::default(), CancellationToken::new());
        let (notes, broker, cancel) = (Arc::clone(&seen), broker.clone(), stop.clone());
        let task = tokio::spawn(async move {
            let handle = |delivery: Delivery| {
                let notes = Arc::clone(&notes);
                async move {
                    notes.lock().unwrap().push(delivery.clone());
                    judge(&delivery)
                }
            };
            consume(&broker, options, cancel, str::to_owned, handle).await;
        });
        Self { seen, stop, task }
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(text).collect()
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
