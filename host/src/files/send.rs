//! Sending a file to the chat: its bytes go to the broker in pieces, then the message that names them
//! goes into the outbox. Dying in between leaves pieces that expire, and nothing is told of them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use common::broker::PublishError;
use common::broker::pieces::Sending;
use common::ids::MessageId;
use common::message::outbound::OutboundBody;
use common::subject;
use common::text::host::files::{FilesText, size};
use tracing::warn;

use super::walk::{failed, last};
use super::{Files, put};
use crate::context::Origin;
use crate::grounds::Grounds;
use crate::journal::Change;

/// The largest file that chats take, in bytes.
pub(crate) const MOST_SENT: u64 = 30_000_000;
/// The largest picture that is shown as one; larger ones go as files.
const MOST_PICTURE: u64 = 10_000_000;
/// Read from the disk at once.
const READ: usize = 256 * 1024;

/// A file that is on its way to the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Which, relative to the working directory.
    pub(crate) path: String,
    /// Size in bytes.
    pub(crate) size: u64,
}

impl Files {
    /// Sends a file to the chat of `origin`; `key` tells it from others of the same cause. The
    /// changes make it so: what they say is sent once, however often they are made.
    pub(crate) async fn send(
        &self,
        grounds: &Grounds,
        origin: &Origin,
        path: &str,
        key: &str,
    ) -> Result<(Sent, Vec<Change>), FilesText> {
        let typed = path.to_owned();
        let (file, spot, size) = self
            .disk(grounds, move |base, grounds| {
                put::open_to_send(base, grounds, &typed)
            })
            .await?;
        let name = last(&spot.path).to_owned();
        let changes = self
            .give(origin, &spot.near, &name, file, size, key)
            .await?;
        let path = spot.path;
        Ok((Sent { path, size }, changes))
    }

    /// Sends a file of our own, as `name`; as [`Files::send`].
    pub(crate) async fn deliver(
        &self,
        origin: &Origin,
        name: &str,
        path: &Path,
        key: &str,
    ) -> Result<Vec<Change>, FilesText> {
        let opened = tokio::fs::File::open(path).await;
        let opened = opened.map_err(|why| failed(name, why))?;
        let data = opened.metadata().await.map_err(|why| failed(name, why))?;
        let file = Arc::new(opened.into_std().await);
        self.give(origin, name, name, file, data.len(), key).await
    }

    async fn give(
        &self,
        origin: &Origin,
        path: &str,
        name: &str,
        file: Arc<File>,
        bytes: u64,
        key: &str,
    ) -> Result<Vec<Change>, FilesText> {
        let too_large = |bytes| FilesText::TooLargeToSend {
            path: path.to_owned(),
            size: size(bytes),
            max: size(MOST_SENT),
        };
        if bytes > MOST_SENT {
            return Err(too_large(bytes));
        }
        let _way = self.ways.acquire().await.map_err(|_| FilesText::NoRoom)?;
        // New for each try, so that nobody can know it beforehand.
        let xfer = MessageId::new();
        let place = |n| subject::up(&self.node, xfer, n);
        let mut sending = Sending::new(&self.broker, place, &self.cancel);
        let (mut head, mut sent) = (Vec::new(), 0_u64);
        loop {
            let piece = read(Arc::clone(&file))
                .await
                .map_err(|why| failed(path, why))?;
            if piece.is_empty() {
                break;
            }
            if head.is_empty() {
                head.clone_from(&piece);
            }
            sent += piece.len() as u64;
            if sent > MOST_SENT {
                // It grows while we read it.
                return Err(too_large(sent));
            }
            sending.write(&piece).await.map_err(|why| refused(&why))?;
        }
        if sent == 0 {
            return Err(FilesText::EmptyToSend {
                path: path.to_owned(),
            });
        }
        let of = sending.finish().await.map_err(|why| refused(&why))?;
        let image = of.bytes <= MOST_PICTURE && super::picture(&head).is_some();
        let body = OutboundBody::File {
            node: self.node.clone(),
            xfer,
            name: name.to_owned(),
            of,
            image,
            lang: origin.lang,
        };
        Ok(vec![origin.file(key, body)])
    }
}

fn refused(why: &PublishError) -> FilesText {
    warn!(%why, "a file cannot be sent");
    match why {
        PublishError::Full(_) => FilesText::NoRoom,
        PublishError::Unsure(_) => FilesText::NoBroker,
    }
}

/// The next bytes of a file; empty at its end.
async fn read(file: Arc<File>) -> std::io::Result<Vec<u8>> {
    let work = move || {
        let mut buffer = Vec::with_capacity(READ);
        (&*file).take(READ as u64).read_to_end(&mut buffer)?;
        Ok(buffer)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)?
}
