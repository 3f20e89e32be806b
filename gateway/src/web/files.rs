//! The page's own folder of files: what the person attached, until a node has fetched it, and what
//! nodes sent. Bounded in bytes; at the bound the oldest go, and the page says so when they are opened.
//!
//! A file is there whole or not at all. Its name on the disk is an id, never what people call it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use common::message::inbound::MAX_RECEIVED;
use futures_util::{Stream, StreamExt as _};
use tokio::fs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::files::Source;

/// All files together, in bytes.
const MOST_BYTES: u64 = 1_000_000_000;
/// And how many.
const MOST_FILES: usize = 2_000;
/// What was begun so long ago was never finished.
const UNFINISHED: Duration = Duration::from_secs(3600);
/// Read at once.
const READ: usize = 256 * 1024;

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From the person.
    In,
    /// To the person.
    Out,
}

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// Larger than is taken, or empty.
    #[error("too large or empty")]
    Size,
    /// The sender went away in the middle.
    #[error("it was not sent to its end: {0}")]
    Cut(String),
    /// The disk.
    #[error("the folder of files: {0}")]
    Disk(#[from] std::io::Error),
}

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder below `data_dir`; made when the first file comes.
    pub(super) fn new(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("web-files"),
        }
    }

    fn place(&self, way: Way, id: Uuid) -> PathBuf {
        let way = match way {
            Way::In => "in",
            Way::Out => "out",
        };
        self.path.join(format!("{way}-{}", id.simple()))
    }

    /// Keeps a file under an id, in place of one that is there already. Its size.
    pub(super) async fn keep<E: std::fmt::Display>(
        &self,
        way: Way,
        id: Uuid,
        mut bytes: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<u64, FileError> {
        make_private(&self.path).await?;
        let part = self.path.join(format!("part-{}", Uuid::new_v4().simple()));
        let written = async {
            let mut file = private_file(&part).await?;
            let mut size = 0;
            while let Some(piece) = bytes.next().await {
                let piece = piece.map_err(|why| FileError::Cut(why.to_string()))?;
                size += piece.len() as u64;
                if size > MAX_RECEIVED {
                    return Err(FileError::Size);
                }
                file.write_all(&piece).await?;
            }
            if size == 0 {
                return Err(FileError::Size);
            }
            file.sync_data().await?;
            self.make_room(size).await?;
            fs::rename(&part, self.place(way, id)).await?;
            Ok(size)
        };
        let written = written.await;
        if written.is_err() {
            let _ = fs::remove_file(&part).await;
        }
        written
    }

    /// A file from its beginning; none if it is not there any more.
    pub(super) async fn open(&self, way: Way, id: Uuid) -> std::io::Result<Option<(u64, Source)>> {
        let file = match fs::File::open(self.place(way, id)).await {
            Ok(file) => file,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why),
        };
        let size = file.metadata().await?.len();
        let source = futures_util::stream::unfold(Some(file), |file| async move {
            let mut file = file?;
            let mut buffer = vec![0; READ];
            match file.read(&mut buffer).await {
                Ok(0) => None,
                Ok(n) => {
                    buffer.truncate(n);
                    Some((Ok(Bytes::from(buffer)), Some(file)))
                }
                Err(why) => Some((Err(why.to_string()), None)),
            }
        });
        Ok(Some((size, source.boxed())))
    }

    /// Takes the oldest away until `more` bytes fit.
    async fn make_room(&self, more: u64) -> std::io::Result<()> {
        let mut all = Vec::new();
        let mut entries = fs::read_dir(&self.path).await?;
        while let Some(entry) = entries.next_entry().await? {
            let Ok(data) = entry.metadata().await else {
                continue;
            };
            let at = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let begun = entry.file_name().to_string_lossy().starts_with("part-");
            if begun {
                if at.elapsed().is_ok_and(|age| age > UNFINISHED) {
                    let _ = fs::remove_file(entry.path()).await;
                }
                continue;
            }
            all.push((at, data.len(), entry.path()));
        }
        all.sort();
        let mut bytes: u64 = all.iter().map(|(_, size, _)| size).sum();
        let mut count = all.len();
        for (_, size, path) in all {
            if bytes + more <= MOST_BYTES && count < MOST_FILES {
                break;
            }
            match fs::remove_file(path).await {
                // Somebody else who needed room was faster.
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
                removed => removed?,
            }
            bytes -= size;
            count -= 1;
        }
        Ok(())
    }
}

async fn make_private(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path).await?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).await?;
    }
    Ok(())
}

async fn private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await
}

/// The type under which a browser may show a file as a picture; none: it is only downloaded.
pub(super) fn picture(head: &[u8]) -> Option<&'static str> {
    let begins = |mark: &[u8]| head.starts_with(mark);
    if begins(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if begins(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        Some("image/gif")
    } else if begins(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}
