//! Files between the broker and a surface: pieces of a node's file put together, and a file of the
//! platform cut into pieces for the node that asked.
//!
//! Where a file comes from or how it is shown is the surface's; that a node is allowed to ask is
//! `served`'s, and that it was given this very file the seal's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use common::broker::pieces::{PieceError, Pieces, Sending};
use common::broker::{Broker, PublishError};
use common::ids::{MessageId, NodeId};
use common::message::encode;
use common::message::inbound::MAX_RECEIVED;
use common::message::outbound::{DownFailure, DownHead};
use common::{stream, subject};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use uuid::Uuid;

/// Files in memory or on their way at once; more waits.
const AT_ONCE: usize = 4;
/// Files that were asked for and are on their way or wait; of more the node asks again.
const ASKED: usize = 64;
/// How often a node is told that we are at it.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// A platform that stops in the middle is asked again, so often in all.
const TRIES: u32 = 3;
/// Without a byte for so long, it has stopped.
const SILENCE: Duration = Duration::from_secs(30);

/// A file as it comes.
pub(crate) type Source = BoxStream<'static, Result<Bytes, String>>;

/// Why a file of the platform does not come.
#[derive(Debug)]
pub(crate) enum NotComing {
    /// Time mends it: the node asks again.
    Later(String),
    /// It never will.
    Never(DownFailure),
}

/// The way for files. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Transfers {
    broker: Broker,
    tracker: TaskTracker,
    cancel: CancellationToken,
    ways: Arc<Semaphore>,
    asked: Arc<Mutex<HashSet<MessageId>>>,
}

impl Transfers {
    pub(crate) fn new(broker: Broker, tracker: TaskTracker, cancel: CancellationToken) -> Self {
        Self {
            broker,
            tracker,
            cancel,
            ways: Arc::new(Semaphore::new(AT_ONCE)),
            asked: Arc::default(),
        }
    }

    /// A file that a node sends, whole.
    pub(crate) async fn whole(
        &self,
        node: &NodeId,
        xfer: MessageId,
        of: &Pieces,
    ) -> Result<Bytes, PieceError> {
        let way = self.ways.acquire().await;
        let _way = way.map_err(|why| PieceError::Later(why.to_string()))?;
        // No more than was announced, and no more than any surface takes.
        let mut whole = Vec::new();
        let place = |n| subject::up(node, xfer, n);
        let sink = |piece: &[u8]| {
            whole.extend_from_slice(piece);
            Ok(())
        };
        self.broker.collect(stream::UP, place, of, sink).await?;
        Ok(whole.into())
    }

    /// Brings a file to a node that asked, beside everything else; `open` begins it anew for each
    /// try. Asked twice it is brought once at a time. Nothing is lost if we end before it is there:
    /// the node hears no more of it and asks again.
    pub(crate) fn bring<O, F>(&self, node: NodeId, xfer: MessageId, open: O)
    where
        O: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Source, NotComing>> + Send + 'static,
    {
        {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.len() >= ASKED || !asked.insert(xfer) {
                return;
            }
        }
        let this = self.clone();
        self.tracker.spawn(async move {
            let head = subject::down_head(&node, xfer);
            let work = this.cut(&node, xfer, open);
            tokio::pin!(work);
            let mut tell = tokio::time::interval(TELL_EVERY);
            let mut n = 0;
            let last = loop {
                tokio::select! {
                    done = &mut work => break done,
                    _ = tell.tick() => {
                        n += 1;
                        this.tell(&head, &DownHead::Working { n }).await;
                    }
                    () = this.cancel.cancelled() => break None,
                }
            };
            if let Some(last) = last {
                this.tell(&head, &last).await;
            }
            let mut asked = this.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.remove(&xfer);
        });
    }

    async fn tell(&self, subject: &str, head: &DownHead) {
        let id = Uuid::new_v4().to_string();
        let said = self.broker.publish(subject, &id, "", encode(head)).await;
        if let Err(why) = said {
            info!(%why, "a node is not told of its file; it asks again");
        }
    }

    /// What the node is told in the end; none: nothing, it shall ask again.
    async fn cut<O, F>(&self, node: &NodeId, xfer: MessageId, open: O) -> Option<DownHead>
    where
        O: Fn() -> F,
        F: Future<Output = Result<Source, NotComing>>,
    {
        let _way = self.ways.acquire().await.ok()?;
        for _ in 0..TRIES {
            let done = match open().await {
                Ok(source) => self.pieces(node, xfer, source).await,
                Err(why) => Err(why),
            };
            match done {
                Ok(of) => return Some(DownHead::Here(of)),
                Err(NotComing::Never(why)) => return Some(DownHead::Failed { why }),
                Err(NotComing::Later(why)) => warn!(%why, %node, "a file does not come yet"),
            }
        }
        None
    }

    async fn pieces(
        &self,
        node: &NodeId,
        xfer: MessageId,
        mut source: Source,
    ) -> Result<Pieces, NotComing> {
        let place = |n| subject::down(node, xfer, n);
        let mut sending = Sending::new(&self.broker, place, &self.cancel);
        let mut bytes = 0_u64;
        loop {
            let next = tokio::time::timeout(SILENCE, source.next()).await;
            let next = next.map_err(|_| NotComing::Later("it stopped in the middle".into()))?;
            let Some(part) = next else { break };
            let part = part.map_err(NotComing::Later)?;
            bytes += part.len() as u64;
            if bytes > MAX_RECEIVED {
                return Err(NotComing::Never(DownFailure::TooLarge));
            }
            sending.write(&part).await.map_err(|why| refused(&why))?;
        }
        sending.finish().await.map_err(|why| refused(&why))
    }
}

fn refused(why: &PublishError) -> NotComing {
    match why {
        PublishError::Full(_) => NotComing::Never(DownFailure::Full),
        PublishError::Unsure(why) => NotComing::Later(why.clone()),
    }
}
