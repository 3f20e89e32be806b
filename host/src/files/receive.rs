//! Files that a person sent, on their way from the chat to this machine.
//!
//! A parcel is what came with one message. It is written down before the first file is asked for, and
//! again at each step, so that a restart goes on with it; the act stays in the inbox until the parcel
//! is handed over by the desk. The bytes come through the broker, from the gateway of the chat; who
//! does not answer is asked again. A file gets its name in two steps, of which the first says what it
//! will be, so that it lands once.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::broker::pieces::{PieceError, Pieces};
use common::ids::{CauseId, MessageId, UserId};
use common::message::decode;
use common::message::inbound::{FileKind, FileRef, MAX_FILES, MAX_RECEIVED};
use common::message::outbound::{DownFailure, DownHead, OutboundBody};
use common::text::Say as _;
use common::text::host::files::{FilesText, size};
use common::{stream, subject};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};

use super::put::{self, Landing};
use super::walk::failed;
use super::{Files, encoding};
use crate::context::{Context, Origin};
use crate::grounds::Grounds;
use crate::journal::{Accepted, Change, Shelf};

/// A gateway that has not said anything new for so long is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(15);
/// All of one file, from when this process began to wait for it.
const TOGETHER: Duration = Duration::from_secs(600);
/// Between two looks: at first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// The largest picture that is given to the agent as one, in bytes: as Base64 it is a third more.
const MOST_PICTURE: u64 = 3_750_000;

/// What came with one message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parcel {
    /// Whose, and where to answer.
    pub(crate) origin: Origin,
    /// Where the files go, relative to the working directory.
    pub(crate) dir: String,
    /// The files.
    pub(crate) items: Vec<Item>,
    /// How many more there were than are taken.
    #[serde(default)]
    pub(crate) too_many: usize,
    /// It was handed over and the person knows; only the words that came with it are left.
    #[serde(default)]
    pub(crate) handed: bool,
    /// When it came.
    pub(crate) at: DateTime<Utc>,
}

/// One file of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    file: FileRef,
    xfer: MessageId,
    /// How often it was asked for.
    asked: u32,
    state: ItemState,
}

/// How a file stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum ItemState {
    /// Asked for.
    Waiting,
    /// All of it is on the disk, and about to get this path.
    Naming { path: String, size: u64 },
    /// It is there.
    Here { path: String, size: u64 },
    /// It will not come.
    Failed { why: NotHere },
}

/// Why a file will not come.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
enum NotHere {
    TooLarge,
    Gone,
    NotAllowed { detail: String },
    NoAnswer,
    Damaged,
    Other { detail: String },
}

/// A file that waits for its person's next message to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its record's key on the shelf.
    pub key: String,
    /// Whose.
    pub user: UserId,
    /// Where it is, relative to the working directory.
    pub path: String,
}

/// The key of a parcel on the shelf.
pub(crate) fn parcel_key(cause: &CauseId) -> String {
    format!("parcel.{cause}")
}

/// What keys of attachments begin with.
pub(crate) const PENDING: &str = "pending.";

impl Parcel {
    /// What a message brought; the files go to `dir`.
    pub(crate) fn new(origin: Origin, dir: String, mut files: Vec<FileRef>) -> Self {
        let too_many = files.len().saturating_sub(MAX_FILES);
        files.truncate(MAX_FILES);
        let items = files.into_iter().map(|file| {
            let too_large = file.size.is_some_and(|size| size > MAX_RECEIVED);
            Item {
                file,
                // Nobody can know it beforehand.
                xfer: MessageId::new(),
                asked: 0,
                state: if too_large {
                    let why = NotHere::TooLarge;
                    ItemState::Failed { why }
                } else {
                    ItemState::Waiting
                },
            }
        });
        Self {
            origin,
            dir,
            items: items.collect(),
            too_many,
            handed: false,
            at: Utc::now(),
        }
    }

    /// Where files of this person go now.
    pub(crate) fn place(grounds: &Grounds) -> String {
        if grounds.dir == "." {
            put::inbox(grounds)
        } else {
            grounds.dir.clone()
        }
    }

    /// Whether nothing is on its way any more.
    pub(crate) fn is_over(&self) -> bool {
        self.items.iter().all(|item| match item.state {
            ItemState::Here { .. } | ItemState::Failed { .. } => true,
            ItemState::Waiting | ItemState::Naming { .. } => false,
        })
    }

    /// The step that writes it down.
    pub(crate) fn keep(&self) -> Change {
        let key = parcel_key(&self.origin.cause);
        let record = serde_json::to_vec(self).unwrap_or_default();
        Change::Put(Shelf::File, key, record)
    }

    /// Asks for a file, once more.
    fn ask(&mut self, context: &Context, at: usize) -> Option<Change> {
        let item = self.items.get_mut(at)?;
        item.asked += 1;
        let body = OutboundBody::Fetch {
            node: context.node.clone(),
            xfer: item.xfer,
            file: item.file.clone(),
        };
        Some(
            self.origin
                .file(&format!("fetch.{at}.{}", item.asked), body),
        )
    }

    /// Asks for all files that are to come.
    pub(crate) fn ask_all(&mut self, context: &Context) -> Vec<Change> {
        let waits = |item: &Item| matches!(item.state, ItemState::Waiting);
        let waiting: Vec<usize> = (0..self.items.len())
            .filter(|at| self.items.get(*at).is_some_and(waits))
            .collect();
        let asked = waiting.into_iter().filter_map(|at| self.ask(context, at));
        asked.collect()
    }

    /// The files that are here.
    pub(crate) fn attachments(&self) -> Vec<Attachment> {
        let here = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| match &item.state {
                ItemState::Here { path, .. } => Some((at, path)),
                ItemState::Waiting | ItemState::Naming { .. } | ItemState::Failed { .. } => None,
            });
        here.map(|(at, path)| Attachment {
            // In the order in which they came.
            key: format!(
                "{PENDING}{}.{}.{at:02}",
                self.at.timestamp_millis(),
                self.origin.cause
            ),
            user: self.origin.user.clone(),
            path: path.clone(),
        })
        .collect()
    }

    /// What became of each file, a line each, and whether all are here.
    pub(crate) fn lines(&self) -> (Vec<FilesText>, bool) {
        let lang = self.origin.lang;
        let mut lines: Vec<FilesText> = self
            .items
            .iter()
            .map(|item| match &item.state {
                ItemState::Here { path, size } | ItemState::Naming { path, size } => {
                    FilesText::Received {
                        path: path.clone(),
                        size: self::size(*size),
                    }
                }
                ItemState::Waiting => FilesText::NotReceived {
                    name: item.name(lang),
                    why: FilesText::NoAnswer.say(lang),
                },
                ItemState::Failed { why } => {
                    let why = match why.clone() {
                        NotHere::TooLarge => FilesText::TooLarge {
                            max: self::size(MAX_RECEIVED),
                        },
                        NotHere::Gone => FilesText::GoneAtPlatform,
                        NotHere::NotAllowed { detail } => FilesText::MayNotFetch { detail },
                        NotHere::NoAnswer => FilesText::NoAnswer,
                        NotHere::Damaged => FilesText::Damaged,
                        NotHere::Other { detail } => FilesText::Failed {
                            path: item.name(lang),
                            why: detail,
                        },
                    };
                    FilesText::NotReceived {
                        name: item.name(lang),
                        why: why.say(lang),
                    }
                }
            })
            .collect();
        if self.too_many > 0 {
            lines.push(FilesText::TooManyFiles { max: MAX_FILES });
        }
        let here = |item: &Item| matches!(item.state, ItemState::Here { .. });
        let all = self.too_many == 0 && self.items.iter().all(here);
        (lines, all)
    }
}

impl Item {
    fn name(&self, lang: common::lang::Lang) -> String {
        let name = put::safe_name(&self.file.name, "");
        match (name.is_empty(), self.file.kind) {
            (false, _) => name,
            (true, FileKind::Image) => FilesText::Picture.say(lang),
            (true, FileKind::File | FileKind::Audio | FileKind::Video) => "file".into(),
        }
    }

    /// Its name on our disk; what has none is called after the time and what it is.
    fn file_name(&self, at: DateTime<Utc>, head: &[u8]) -> String {
        let name = put::safe_name(&self.file.name, "");
        if !name.is_empty() {
            return name;
        }
        let (stem, or) = match self.file.kind {
            FileKind::Image => ("image", "png"),
            FileKind::Audio => ("audio", "opus"),
            FileKind::Video => ("video", "mp4"),
            FileKind::File => ("file", "bin"),
        };
        let end = infer::get(head).map_or(or, |kind| kind.extension());
        format!("{stem}-{}.{end}", at.format("%Y%m%d-%H%M%S"))
    }
}

/// Brings the files of a parcel here, then gives the act back to the desk.
pub(crate) async fn bring(
    context: Arc<Context>,
    mut parcel: Parcel,
    accepted: Accepted,
    back: mpsc::Sender<Accepted>,
) {
    for at in 0..parcel.items.len() {
        if !bring_one(&context, &mut parcel, at).await {
            return;
        }
    }
    let _ = back.send(accepted).await;
}

/// False: we are stopping, and the next start goes on.
async fn bring_one(context: &Arc<Context>, parcel: &mut Parcel, at: usize) -> bool {
    let (mut pause, until) = (LOOKS.0, Instant::now() + TOGETHER);
    let (mut heard, mut heard_at) = (None, Instant::now());
    loop {
        let Some(item) = parcel.items.get(at) else {
            return true;
        };
        let state = match &item.state {
            ItemState::Here { .. } | ItemState::Failed { .. } => return true,
            ItemState::Naming { path, size } => {
                let (path, size) = (path.clone(), *size);
                match context
                    .files
                    .named(&parcel.origin.user, item.xfer, &path)
                    .await
                {
                    Ok(true) => ItemState::Here { path, size },
                    // Its bytes are gone, or the name was taken: from the beginning.
                    Ok(false) => ItemState::Waiting,
                    Err(why) => fault(&why, parcel),
                }
            }
            ItemState::Waiting => {
                let head = subject::down_head(&context.node, item.xfer);
                let head = context.broker.newest(stream::DOWN, &head).await;
                let head = head.ok().flatten();
                let head = head.and_then(|head| decode::<DownHead>("head", &head).ok());
                if head != heard {
                    (heard, heard_at) = (head.clone(), Instant::now());
                }
                match head {
                    Some(DownHead::Here {
                        bytes,
                        sha256,
                        chunks,
                    }) => {
                        let of = Pieces {
                            bytes,
                            sha256,
                            chunks,
                        };
                        match context.files.take_in(parcel, at, &of).await {
                            Ok(path) => ItemState::Naming { path, size: bytes },
                            Err(NotIn::Disk(why)) => fault(&why, parcel),
                            Err(NotIn::Pieces(PieceError::Damaged)) => failed_for(NotHere::Damaged),
                            Err(NotIn::Pieces(why)) => {
                                // Gone or not to be had now: asked for again in a while.
                                info!(%why, "a file is not here yet");
                                ItemState::Waiting
                            }
                        }
                    }
                    Some(DownHead::Failed { why }) => match why {
                        DownFailure::TooLarge => failed_for(NotHere::TooLarge),
                        DownFailure::Gone => failed_for(NotHere::Gone),
                        DownFailure::NotAllowed { detail } => {
                            failed_for(NotHere::NotAllowed { detail })
                        }
                        DownFailure::Full => ItemState::Waiting,
                        DownFailure::Other { detail } => failed_for(NotHere::Other { detail }),
                    },
                    Some(DownHead::Working { .. }) | None => ItemState::Waiting,
                }
            }
        };
        let waits = matches!(state, ItemState::Waiting);
        let changed = std::mem::discriminant(&state)
            != parcel.items.get(at).map_or_else(
                || std::mem::discriminant(&state),
                |item| std::mem::discriminant(&item.state),
            );
        if let Some(item) = parcel.items.get_mut(at) {
            item.state = state;
        }
        if changed {
            if !context.commit(vec![parcel.keep()]).await {
                return false;
            }
            if !waits {
                continue;
            }
        }
        if Instant::now() >= until {
            if let Some(item) = parcel.items.get_mut(at) {
                item.state = failed_for(NotHere::NoAnswer);
            }
            return context.commit(vec![parcel.keep()]).await;
        }
        if heard_at.elapsed() >= ASK_AGAIN {
            heard_at = Instant::now();
            let mut changes: Vec<Change> = parcel.ask(context, at).into_iter().collect();
            changes.push(parcel.keep());
            if !context.commit(changes).await {
                return false;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = context.cancel.cancelled() => return false,
        }
        pause = (pause * 3 / 2).min(LOOKS.1);
    }
}

fn failed_for(why: NotHere) -> ItemState {
    ItemState::Failed { why }
}

/// Our own disk, or its owner's rules: trying again would not help.
fn fault(why: &FilesText, parcel: &Parcel) -> ItemState {
    warn!(why = %why.en(), "a file that was sent cannot be kept");
    let detail = why.say(parcel.origin.lang);
    failed_for(NotHere::Other { detail })
}

/// Why a file is not on our disk.
enum NotIn {
    Pieces(PieceError),
    Disk(FilesText),
}

impl Files {
    /// Puts the pieces of a file together beside its place; the path that it shall have.
    async fn take_in(&self, parcel: &Parcel, at: usize, of: &Pieces) -> Result<String, NotIn> {
        let Some(item) = parcel.items.get(at) else {
            return Err(NotIn::Pieces(PieceError::Damaged));
        };
        if of.bytes > MAX_RECEIVED {
            return Err(NotIn::Pieces(PieceError::Damaged));
        }
        let way = self.ways.acquire().await;
        let _way = way.map_err(|why| NotIn::Pieces(PieceError::Later(why.to_string())))?;
        let grounds = self.alone(&parcel.origin.user);
        let (dir, xfer) = (parcel.dir.clone(), item.xfer);
        let mut landing = self
            .disk(&grounds, move |base, grounds| {
                put::land(base, grounds, &dir, xfer)
            })
            .await
            .map_err(NotIn::Disk)?;
        let (mut head, mut disk) = (Vec::new(), None);
        let place = |n| subject::down(&self.node, xfer, n);
        // Pieces are small; the disk takes each in passing.
        let sink = |piece: &[u8]| {
            if head.is_empty() {
                head = piece
                    .get(..4096.min(piece.len()))
                    .unwrap_or_default()
                    .to_vec();
            }
            landing.write(piece).map_err(|why| {
                let text = why.en();
                disk = Some(why);
                text
            })
        };
        let done = self.broker.collect(stream::DOWN, place, of, sink).await;
        if let Some(why) = disk {
            return Err(NotIn::Disk(why));
        }
        done.map_err(NotIn::Pieces)?;
        let name = item.file_name(parcel.at, &head);
        let end = move |_: &_, _: &_| Landing::whole(landing, &name);
        self.disk(&grounds, end).await.map_err(NotIn::Disk)
    }

    /// Gives a file that is whole its path; false if it has to come anew.
    async fn named(&self, user: &UserId, xfer: MessageId, path: &str) -> Result<bool, FilesText> {
        let path = path.to_owned();
        let work = move |base: &_, grounds: &_| put::name_landed(base, grounds, xfer, &path);
        self.disk(&self.alone(user), work).await
    }

    /// Grounds for what is ours to do in a place that is settled.
    fn alone(&self, user: &UserId) -> Grounds {
        let root = self.base.root().to_owned();
        Grounds::new(user.clone(), root, ".".into(), [])
    }

    /// A picture as a model takes it: its type and its bytes; none if it is no such picture, too
    /// large, or not where it was any more.
    pub(crate) async fn picture(&self, file: &Attachment) -> Option<(&'static str, Vec<u8>)> {
        let path = file.path.clone();
        let work = move |base: &super::walk::Base, grounds: &Grounds| {
            use std::io::Read as _;
            let spot = base.find(grounds, &path)?;
            // As it was: no link has come into its way.
            if spot.path != path {
                return Err(FilesText::NotFound { path });
            }
            let (file, stat) = spot.open_file()?;
            let mut bytes = Vec::new();
            if super::look::bytes(&stat) <= MOST_PICTURE {
                file.take(MOST_PICTURE)
                    .read_to_end(&mut bytes)
                    .map_err(|why| failed(&path, why))?;
            }
            Ok(bytes)
        };
        let bytes = self.disk(&self.alone(&file.user), work).await.ok()?;
        let kind = encoding::picture(&bytes)?;
        Some((kind, bytes))
    }

    /// Whether a file is still where it was.
    pub(crate) async fn is_there(&self, file: &Attachment) -> bool {
        let path = file.path.clone();
        let work = move |base: &super::walk::Base, grounds: &Grounds| {
            let spot = base.find(grounds, &path)?;
            Ok(spot.path == path && spot.found.is_some())
        };
        self.disk(&self.alone(&file.user), work)
            .await
            .unwrap_or(false)
    }
}

/// A path as it is from a session's directory; both relative to the working directory.
pub(crate) fn from_dir(dir: &str, path: &str) -> String {
    let dir: Vec<&str> = dir.split('/').filter(|part| *part != ".").collect();
    let names: Vec<&str> = path.split('/').collect();
    let same = dir.iter().zip(&names).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", dir.len() - same);
    up.chain(names.into_iter().skip(same))
        .collect::<Vec<_>>()
        .join("/")
}
