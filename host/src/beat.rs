//! Signs of life: a heartbeat at start, every ten seconds, and at an orderly end; an answer to the
//! router when it asks.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::ids::{BootId, UserId};
use common::message::control::{HEARTBEAT_EVERY, Heartbeat, Verb};
use common::message::encode;
use common::subject;
use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::context::Context;

const EAGER_BEATS: u32 = 8;
const EAGER_EVERY: Duration = Duration::from_secs(1);

/// How much goes on, as the desk counts it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) sessions: u32,
    pub(crate) running: u32,
}

/// Beats until `cancel`.
pub(crate) async fn run(
    context: Arc<Context>,
    serves: Vec<UserId>,
    load: watch::Receiver<Load>,
    cancel: CancellationToken,
) {
    let boot = BootId::new();
    let trouble = context.journal.trouble();
    let mut news = trouble.clone();
    let beat = |leaving: bool| {
        let load = *load.borrow();
        encode(&Heartbeat {
            node: context.node.clone(),
            boot,
            name: context.name.clone(),
            description: context.description.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            serves: serves.clone(),
            sessions: load.sessions,
            running: load.running,
            load: machine_load(),
            trouble: trouble.borrow().clone(),
            leaving,
            sent_at: Utc::now(),
        })
    };
    let client = context.broker.client();
    let subject = subject::heartbeat(&context.node);
    let asked = subject::control_of(&context.node, boot);
    let mut requests = loop {
        match client.subscribe(asked.clone()).await {
            Ok(requests) => break requests,
            Err(why) => {
                warn!(%why, "cannot listen to the router yet");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = cancel.cancelled() => return,
                }
            }
        }
    };
    // Known to the server before the first beat tells the router where to ask.
    let _ = tokio::time::timeout(Duration::from_secs(2), client.flush()).await;
    // Often at first: a router that starts beside us may not hear the first ones yet.
    let mut eager = EAGER_BEATS;
    let mut next = Instant::now();
    let mut up = context.broker.up();
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep_until(next) => {
                say(client, &subject, beat(false)).await;
                next = Instant::now() + if eager > 0 { EAGER_EVERY } else { HEARTBEAT_EVERY };
                eager = eager.saturating_sub(1);
            }
            // Back after a cut: do not let the router wait for the next tick.
            Ok(()) = up.changed() => {
                if *up.borrow_and_update() {
                    say(client, &subject, beat(false)).await;
                }
            }
            // At once: whoever looks at the hub sees it there and nowhere else.
            Ok(()) = news.changed() => say(client, &subject, beat(false)).await,
            Some(request) = requests.next() => {
                let verb = request.subject.rsplit('.').next().unwrap_or_default().to_owned();
                if verb == Verb::Status.as_str()
                    && let Some(reply) = request.reply
                {
                    say(client, reply.as_str(), beat(false)).await;
                }
            }
        }
    }
    say(client, &subject, beat(true)).await;
    let _ = tokio::time::timeout(Duration::from_secs(1), client.flush()).await;
}

/// Core messages may be lost; a full buffer while the link is down must not hold us up.
async fn say(client: &async_nats::Client, subject: &str, payload: Vec<u8>) {
    let send = client.publish(subject.to_owned(), payload.into());
    let _ = tokio::time::timeout(Duration::from_secs(1), send).await;
}

/// The load average of the last minute for each processor; none where the system does not say.
fn machine_load() -> Option<f32> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let processors = std::thread::available_parallelism().ok()?.get();
    load_each(&text, u16::try_from(processors).ok()?)
}

/// The first number of the system's line, shared among the processors.
fn load_each(line: &str, processors: u16) -> Option<f32> {
    let load: f32 = line.split_whitespace().next()?.parse().ok()?;
    Some(load / f32::from(processors.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_that_of_one_processor() {
        assert_eq!(load_each("3.00 2.10 1.00 5/900 77\n", 4), Some(0.75));
        assert_eq!(load_each("0.50", 1), Some(0.5));
        for bad in ["", "much 1.0 1.0", "\n"] {
            assert_eq!(load_each(bad, 2), None, "{bad}");
        }
    }
}
