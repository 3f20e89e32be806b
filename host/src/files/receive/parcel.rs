//! What came with one message: the files, how each stands, and what the person is told of them. Written
//! down whole at each step.

use chrono::{DateTime, Utc};
use common::audit::{Entry, Kind};
use common::ids::{CauseId, MessageId, UserId};
use common::lang::Lang;
use common::message::inbound::{FileKind, FileRef, MAX_FILES, MAX_RECEIVED};
use common::message::outbound::OutboundBody;
use common::text::Say as _;
use common::text::host::files::{FilesText, size as human};
use serde::{Deserialize, Serialize};

use super::super::land;
use crate::context::{Context, Origin};
use crate::grounds::Grounds;
use crate::journal::{Change, Shelf};

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
    /// The files that the next step settles, for the audit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    settled: Vec<usize>,
    /// When it came.
    pub(crate) at: DateTime<Utc>,
}

/// One file of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(super) file: FileRef,
    pub(super) xfer: MessageId,
    /// How often it was asked for.
    asked: u32,
    pub(super) state: ItemState,
}

/// How a file stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum ItemState {
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
pub(super) enum NotHere {
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
        let items: Vec<Item> = items.collect();
        let over = |(at, item): (usize, &Item)| item.is_over().then_some(at);
        Self {
            origin,
            dir,
            settled: items.iter().enumerate().filter_map(over).collect(),
            items,
            too_many,
            handed: false,
            at: Utc::now(),
        }
    }

    /// As it was written down; what that step settled was noted with it. None if it cannot be read.
    pub(crate) fn read(record: &[u8]) -> Option<Self> {
        let mut parcel: Self = serde_json::from_slice(record).ok()?;
        parcel.settled.clear();
        Some(parcel)
    }

    /// Where files of this person go now.
    pub(crate) fn place(grounds: &Grounds) -> String {
        if grounds.dir == "." {
            grounds.inbox()
        } else {
            grounds.dir.clone()
        }
    }

    /// Whether nothing is on its way any more.
    pub(crate) fn is_over(&self) -> bool {
        self.items.iter().all(Item::is_over)
    }

    /// The step that writes it down.
    pub(crate) fn keep(&mut self) -> Change {
        let key = parcel_key(&self.origin.cause);
        let record = serde_json::to_vec(self).unwrap_or_default();
        self.settled.clear();
        Change::Put(Shelf::File, key, record)
    }

    /// Asks for a file, once more.
    pub(super) fn ask(&mut self, context: &Context, at: usize) -> Option<Change> {
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

    /// Puts a file into a new state, and the step that writes it down.
    pub(super) fn settle(&mut self, at: usize, state: ItemState) -> Change {
        if let Some(item) = self.items.get_mut(at) {
            item.state = state;
            self.settled.extend(item.is_over().then_some(at));
        }
        self.keep()
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
                        size: human(*size),
                    }
                }
                ItemState::Waiting => FilesText::NotReceived {
                    name: item.name(lang),
                    why: FilesText::NoAnswer.say(lang),
                },
                ItemState::Failed { why } => FilesText::NotReceived {
                    name: item.name(lang),
                    why: why.say(lang),
                },
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

impl NotHere {
    fn say(&self, lang: Lang) -> String {
        let text = match self {
            Self::TooLarge => FilesText::TooLarge {
                max: human(MAX_RECEIVED),
            },
            Self::Gone => FilesText::GoneAtPlatform,
            Self::NotAllowed { detail } => FilesText::MayNotFetch {
                detail: detail.clone(),
            },
            Self::NoAnswer => FilesText::NoAnswer,
            Self::Damaged => FilesText::Damaged,
            Self::Other { detail } => return detail.clone(),
        };
        text.say(lang)
    }
}

impl Item {
    fn is_over(&self) -> bool {
        match self.state {
            ItemState::Here { .. } | ItemState::Failed { .. } => true,
            ItemState::Waiting | ItemState::Naming { .. } => false,
        }
    }

    fn name(&self, lang: Lang) -> String {
        let name = land::safe_name(&self.file.name, "");
        match (name.is_empty(), self.file.kind) {
            (false, _) => name,
            (true, FileKind::Image) => FilesText::Picture.say(lang),
            (true, FileKind::File | FileKind::Audio | FileKind::Video) => "file".into(),
        }
    }

    /// Its name on our disk; what has none is called after the time and what it is.
    pub(super) fn file_name(&self, at: DateTime<Utc>, head: &[u8]) -> String {
        let name = land::safe_name(&self.file.name, "");
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

/// What a record of the shelf means for the audit: files that came, or will not, with this very step.
pub(crate) fn lines(key: &str, record: &[u8]) -> Vec<Entry> {
    if key.starts_with(PENDING) {
        return Vec::new();
    }
    let Ok(parcel) = serde_json::from_slice::<Parcel>(record) else {
        return Vec::new();
    };
    let settled = parcel.settled.iter().filter_map(|at| parcel.items.get(*at));
    let line = |item: &Item| {
        let line = parcel.origin.entry(Kind::FileIn);
        match &item.state {
            ItemState::Here { path, size } => {
                let line = line.what(path.as_str());
                Some(line.outcome(format!("received, {size} bytes")))
            }
            ItemState::Failed { why } => {
                let line = line.what(item.file.name.as_str());
                Some(line.outcome(format!("not received: {}", why.say(Lang::En))))
            }
            ItemState::Waiting | ItemState::Naming { .. } => None,
        }
    };
    settled.filter_map(line).collect()
}

pub(super) fn failed_for(why: NotHere) -> ItemState {
    ItemState::Failed { why }
}

#[cfg(test)]
mod tests;
