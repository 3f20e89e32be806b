//! Files of this machine, for people and for what works for them: looking, searching, writing, sending
//! to the chat, receiving from it. Only in the working directory, and nothing of another person.
//!
//! What may be reached is decided in `walk`, for everybody alike; the rest works on what it opened. How
//! things look is the commands'. Disk work runs on threads of its own, a few at once.

mod encoding;
mod ignored;
mod land;
mod look;
mod put;
pub(crate) mod receive;
mod search;
mod send;
#[cfg(test)]
mod tests;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use common::broker::Broker;
use common::ids::NodeId;
use common::text::host::files::FilesText;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

#[cfg(test)]
pub(crate) use self::encoding::Sort;
pub(crate) use self::encoding::picture;
#[cfg(test)]
pub(crate) use self::look::Entry;
pub(crate) use self::look::{EntryKind, Listing, Text};
pub(crate) use self::put::Written;
pub(crate) use self::search::Found;
#[cfg(test)]
pub(crate) use self::search::Hit;
use self::walk::Base;
pub(crate) use self::walk::from_dir;
use crate::grounds::Grounds;
use crate::workdir::WorkDir;

/// Disk work at once; more waits.
const AT_ONCE: usize = 4;
/// Files on their way to or from chats at once; more waits.
const ON_THE_WAY: usize = 3;

/// How long a search may take, in seconds, as it is told.
pub(crate) const SEARCH_SECONDS: u64 = search::TIME.as_secs();
/// Characters of a line that are shown.
pub(crate) const LONG_LINE: usize = look::LONG_LINE;

/// The files. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    base: Base,
    node: NodeId,
    broker: Broker,
    threads: Arc<Semaphore>,
    ways: Arc<Semaphore>,
    cancel: CancellationToken,
}

impl Files {
    /// Of `workdir`; the folders in `closed` are for nobody.
    pub(crate) fn open(
        workdir: &WorkDir,
        closed: &[PathBuf],
        node: NodeId,
        broker: Broker,
        cancel: CancellationToken,
    ) -> std::io::Result<Self> {
        Ok(Self {
            base: Base::new(workdir.root(), workdir.handle()?, closed),
            node,
            broker,
            threads: Arc::new(Semaphore::new(AT_ONCE)),
            ways: Arc::new(Semaphore::new(ON_THE_WAY)),
            cancel,
        })
    }

    /// Whether a path from the working directory on is our own folder or settings, which are nobody's.
    pub(crate) fn is_ours(&self, path: &std::path::Path) -> bool {
        self.base.is_ours(path)
    }

    /// What is in a directory; of a file, itself.
    pub(crate) async fn list(&self, grounds: &Grounds, path: &str) -> Result<Listing, FilesText> {
        self.at(grounds, path, look::list).await
    }

    /// Lines of a text file: from the first that is named, counted from 1, to the second.
    pub(crate) async fn read(
        &self,
        grounds: &Grounds,
        path: &str,
        lines: Option<(usize, Option<usize>)>,
    ) -> Result<Text, FilesText> {
        let work = move |base: &_, grounds: &_, path: &_| look::read(base, grounds, path, lines);
        self.at(grounds, path, work).await
    }

    /// Lines that match a regular expression, in a file or in all files below a directory. In any
    /// case, unless the pattern has a capital letter.
    pub(crate) async fn search(
        &self,
        grounds: &Grounds,
        pattern: &str,
        path: &str,
    ) -> Result<Found, FilesText> {
        let pattern = pattern.to_owned();
        let work =
            move |base: &_, grounds: &_, path: &_| search::search(base, grounds, &pattern, path);
        self.at(grounds, path, work).await
    }

    /// Whether a file may be written there at all; the size of what it would replace, in bytes.
    pub(crate) async fn before(
        &self,
        grounds: &Grounds,
        path: &str,
    ) -> Result<Option<u64>, FilesText> {
        self.at(grounds, path, put::before).await
    }

    /// Writes a whole file, in one step; folders on the way are made. It keeps its encoding.
    pub(crate) async fn write(
        &self,
        grounds: &Grounds,
        path: &str,
        text: &str,
    ) -> Result<Written, FilesText> {
        let text = text.to_owned();
        let work = move |base: &_, grounds: &_, path: &_| put::write(base, grounds, path, &text);
        self.at(grounds, path, work).await
    }

    /// Adds text at the end of a file, which is made if it is not there, in the encoding that it has.
    pub(crate) async fn append(
        &self,
        grounds: &Grounds,
        path: &str,
        text: &str,
    ) -> Result<Written, FilesText> {
        let text = text.to_owned();
        let work = move |base: &_, grounds: &_, path: &_| put::append(base, grounds, path, &text);
        self.at(grounds, path, work).await
    }

    /// Disk work about one typed path.
    async fn at<T: Send + 'static>(
        &self,
        grounds: &Grounds,
        path: &str,
        work: impl FnOnce(&Base, &Grounds, &str) -> Result<T, FilesText> + Send + 'static,
    ) -> Result<T, FilesText> {
        let path = path.to_owned();
        let work = move |base: &Base, grounds: &Grounds| work(base, grounds, &path);
        self.disk(grounds, work).await
    }

    /// Runs disk work on a thread that may wait.
    async fn disk<T: Send + 'static>(
        &self,
        grounds: &Grounds,
        work: impl FnOnce(&Base, &Grounds) -> Result<T, FilesText> + Send + 'static,
    ) -> Result<T, FilesText> {
        let broke = |why: &dyn std::fmt::Display| FilesText::Failed {
            path: String::new(),
            why: why.to_string(),
        };
        let threads = Arc::clone(&self.threads).acquire_owned().await;
        let permit = threads.map_err(|why| broke(&why))?;
        let (base, grounds) = (self.base.clone(), grounds.clone());
        let done = tokio::task::spawn_blocking(move || {
            // Held until it ends, also when nobody waits for it any more.
            let _permit = permit;
            work(&base, &grounds)
        });
        done.await.map_err(|why| broke(&why))?
    }
}
