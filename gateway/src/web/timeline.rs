//! What the page shows, kept on disk: own messages, cards, notices, each once and in order.
//!
//! One thread owns the database and everything derived from it; the handle in front is cheap to
//! clone. A thing shown is on disk before its delivery is acknowledged. Every change has a number,
//! by which a page that was away asks for what it missed. How things look is the page's.

mod store;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use common::ids::{CardId, MessageId};
use common::message::outbound::Preview;
use common::message::view::{Action, View};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot};

use store::Store;

/// Requests waiting for the owner. At the bound callers wait.
const QUEUE: usize = 256;
/// Live events kept for a slow page. A page further behind is given what it missed from the
/// timeline instead.
const LIVE: usize = 256;

/// One thing on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Item {
    /// What the person wrote.
    Mine {
        /// The page's id for it.
        id: String,
        /// The text, cut when it was too long to be taken.
        text: String,
        /// When it was taken.
        at: DateTime<Utc>,
    },
    /// A card.
    Card {
        /// The card.
        card: CardId,
        /// Its revision.
        rev: u32,
        /// Its whole content.
        view: View,
        /// When it was first shown.
        at: DateTime<Utc>,
    },
    /// A short message.
    Notice {
        /// The outbound that brought it.
        id: MessageId,
        /// Plain text.
        text: String,
        /// When it was shown.
        at: DateTime<Utc>,
    },
}

/// An item with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of its latest change; grows over all items.
    pub seq: u64,
    /// Its place from the top; never changes.
    pub pos: u64,
    /// What it is.
    pub item: Item,
}

/// Something that open pages are told at once.
#[derive(Debug, Clone, PartialEq)]
pub enum Live {
    /// A new or changed item.
    Entry(Entry),
    /// A card in between; not kept.
    Preview(Preview),
}

/// Everything after a number, and what was told live so far.
#[derive(Debug)]
pub struct Missed {
    /// Which database; the numbers of another one mean nothing.
    pub store: String,
    /// Changed items, by number.
    pub entries: Vec<Entry>,
    /// The latest previews of cards that are still at that revision.
    pub previews: Vec<Preview>,
    /// What comes after, without a gap; may repeat the last of `entries`.
    pub live: broadcast::Receiver<std::sync::Arc<Live>>,
}

/// Why the timeline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// It cannot be opened.
    #[error(
        "the page's timeline {path} cannot be opened: {why}. If another phonework uses this DATA_DIR, stop it; \
         if the file is damaged, move it away and the page begins anew"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        why: String,
    },
    /// It cannot be written now.
    #[error("the page's timeline cannot be written: {0}")]
    Write(String),
    /// Its owner has ended.
    #[error("the page's timeline is closed")]
    Closed,
}

/// What a preview came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It fits the shown revision and was told.
    Told,
    /// A newer revision or preview is shown, or the card is unknown.
    Stale,
    /// Its revision is not shown yet.
    Early,
}

enum Request {
    Mine(String, String, oneshot::Sender<Result<(), TimelineError>>),
    Card(
        CardId,
        u32,
        Box<View>,
        oneshot::Sender<Result<(), TimelineError>>,
    ),
    Notice(
        MessageId,
        String,
        oneshot::Sender<Result<(), TimelineError>>,
    ),
    Preview(Box<Preview>, oneshot::Sender<Fit>),
    Follow(String, u64, oneshot::Sender<Missed>),
    Offers(CardId, Action, oneshot::Sender<bool>),
    Close(oneshot::Sender<()>),
}

/// The handle.
#[derive(Debug, Clone)]
pub struct Timeline {
    requests: mpsc::Sender<Request>,
}

impl Timeline {
    /// Opens or makes the database at `path`, readable by nobody else, and starts its owner. The
    /// owner ends when all handles are gone, or with [`Timeline::close`].
    pub fn open(path: &Path) -> Result<Self, TimelineError> {
        let open_error = |why: String| TimelineError::Open {
            path: path.to_owned(),
            why,
        };
        let mut store = Store::open(path).map_err(open_error)?;
        let (requests, mut queue) = mpsc::channel(QUEUE);
        let (live, _) = broadcast::channel(LIVE);
        let run = move || {
            while let Some(request) = queue.blocking_recv() {
                if let Request::Close(closed) = request {
                    drop(store);
                    let _ = closed.send(());
                    return;
                }
                serve(&mut store, &live, request);
            }
        };
        std::thread::Builder::new()
            .name("web-timeline".into())
            .spawn(run)
            .map_err(|why| open_error(why.to_string()))?;
        Ok(Self { requests })
    }

    /// Keeps what the person wrote; a repeat of the same `id` changes nothing.
    pub async fn mine(&self, id: String, text: String) -> Result<(), TimelineError> {
        self.ask(|answer| Request::Mine(id, text, answer)).await?
    }

    /// Shows a card or a newer revision of it; an older or equal one changes nothing.
    pub async fn card(&self, card: CardId, rev: u32, view: View) -> Result<(), TimelineError> {
        self.ask(|answer| Request::Card(card, rev, Box::new(view), answer))
            .await?
    }

    /// Shows a notice; a repeat of the same outbound changes nothing.
    pub async fn notice(&self, id: MessageId, text: String) -> Result<(), TimelineError> {
        self.ask(|answer| Request::Notice(id, text, answer)).await?
    }

    /// Tells open pages how a card looks in between, if it fits.
    pub async fn preview(&self, preview: Preview) -> Result<Fit, TimelineError> {
        self.ask(|answer| Request::Preview(Box::new(preview), answer))
            .await
    }

    /// Everything changed after `after` of database `store`, and what follows. With another
    /// database's name: everything.
    pub async fn follow(&self, store: String, after: u64) -> Result<Missed, TimelineError> {
        self.ask(|answer| Request::Follow(store, after, answer))
            .await
    }

    /// Whether the card, as it is shown now, has a button with this action.
    pub async fn offers(&self, card: CardId, action: Action) -> Result<bool, TimelineError> {
        self.ask(|answer| Request::Offers(card, action, answer))
            .await
    }

    /// Closes the database, after what was asked before; whoever asks later is told so. On return
    /// another process may open it.
    pub async fn close(&self) {
        // An error means that it is closed already.
        let _ = self.ask(Request::Close).await;
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, TimelineError> {
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(request(answer))
            .await
            .map_err(|_| TimelineError::Closed)?;
        answered.await.map_err(|_| TimelineError::Closed)
    }
}

/// Whoever asked may be gone by now; the work is done all the same.
fn serve(store: &mut Store, live: &broadcast::Sender<std::sync::Arc<Live>>, request: Request) {
    // Nobody listening is no error: nobody has the page open.
    let tell = |event: Live| drop(live.send(std::sync::Arc::new(event)));
    let told = |result: Result<Option<Entry>, String>| {
        result
            .map(|changed| {
                if let Some(entry) = changed {
                    tell(Live::Entry(entry));
                }
            })
            .map_err(TimelineError::Write)
    };
    match request {
        Request::Mine(id, text, answer) => drop(answer.send(told(store.mine(id, text)))),
        Request::Card(card, rev, view, answer) => {
            drop(answer.send(told(store.card(card, rev, *view))));
        }
        Request::Notice(id, text, answer) => drop(answer.send(told(store.notice(id, text)))),
        Request::Preview(preview, answer) => {
            let fit = store.preview(&preview);
            match fit {
                Fit::Told => tell(Live::Preview(*preview)),
                Fit::Stale | Fit::Early => {}
            }
            let _ = answer.send(fit);
        }
        Request::Follow(name, after, answer) => {
            let known = name == store.name();
            let _ = answer.send(Missed {
                store: store.name().to_owned(),
                entries: store.after(if known { after } else { 0 }),
                previews: store.previews(),
                // Taken in the same breath: whatever changes from here on is told on it.
                live: live.subscribe(),
            });
        }
        Request::Offers(card, action, answer) => drop(answer.send(store.offers(card, &action))),
        // Taken care of before.
        Request::Close(closed) => drop(closed),
    }
}
