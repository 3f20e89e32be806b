//! What the page shows, kept on disk: own messages, cards, notices, each once and in order.
//!
//! One thread owns the database and everything derived from it; the handle in front is cheap to
//! clone. A thing shown is on disk before its delivery is acknowledged. Every change has a number,
//! by which a page that was away asks for what it missed. How things look is the page's.
//!
//! A disk that refuses a write closes the database; the owner opens it again every second until it
//! works. Until then writes fail, which keeps deliveries with the broker; pages go on reading.

mod item;
mod store;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::ids::{CardId, MessageId};
use common::message::outbound::Preview;
use common::message::view::{Action, View};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub use self::item::{Entry, Item, PageFile};
use self::store::Store;

/// Requests waiting for the owner. At the bound callers wait.
const QUEUE: usize = 256;
/// Live events kept for a slow page. A page further behind is given what it missed from the
/// timeline instead.
const LIVE: usize = 256;
/// How often a database that had to be closed is tried again.
const REOPEN_EVERY: Duration = Duration::from_secs(1);

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
    Mine(
        String,
        String,
        Vec<PageFile>,
        oneshot::Sender<Result<(), TimelineError>>,
    ),
    File(
        MessageId,
        PageFile,
        oneshot::Sender<Result<(), TimelineError>>,
    ),
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
    trouble: watch::Receiver<Option<String>>,
}

impl Timeline {
    /// Opens or makes the database at `path`, readable by nobody else, and starts its owner. The
    /// owner ends when all handles are gone, or with [`Timeline::close`]. To be called in a runtime.
    pub fn open(path: &Path) -> Result<Self, TimelineError> {
        let open_error = |why: String| TimelineError::Open {
            path: path.to_owned(),
            why,
        };
        let store = Store::open(path).map_err(open_error)?;
        let runtime = Handle::try_current().map_err(|why| open_error(why.to_string()))?;
        let (requests, queue) = mpsc::channel(QUEUE);
        let (live, _) = broadcast::channel(LIVE);
        let (told, trouble) = watch::channel(None);
        let owner = Owner {
            store,
            live,
            trouble: told,
        };
        std::thread::Builder::new()
            .name("web-timeline".into())
            .spawn(move || owner.run(queue, &runtime))
            .map_err(|why| open_error(why.to_string()))?;
        Ok(Self { requests, trouble })
    }

    /// Why nothing can be written at present, in words for the machine's owner; none while all is
    /// well. Follows changes.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.clone()
    }

    /// Keeps what the person wrote; a repeat of the same `id` changes nothing.
    pub async fn mine(
        &self,
        id: String,
        text: String,
        files: Vec<PageFile>,
    ) -> Result<(), TimelineError> {
        self.ask(|answer| Request::Mine(id, text, files, answer))
            .await?
    }

    /// Shows a file; a repeat of the same outbound changes nothing.
    pub async fn file(&self, id: MessageId, file: PageFile) -> Result<(), TimelineError> {
        self.ask(|answer| Request::File(id, file, answer)).await?
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

/// The thread's state.
struct Owner {
    store: Store,
    live: broadcast::Sender<std::sync::Arc<Live>>,
    trouble: watch::Sender<Option<String>>,
}

impl Owner {
    /// Works until all handles are gone, or it is closed.
    fn run(mut self, mut queue: mpsc::Receiver<Request>, runtime: &Handle) {
        let mut next_try = Instant::now();
        loop {
            let request = if self.store.is_open() {
                queue.blocking_recv()
            } else {
                let wait = next_try.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    self.reopen();
                    next_try = Instant::now() + REOPEN_EVERY;
                    continue;
                }
                match runtime.block_on(async { tokio::time::timeout(wait, queue.recv()).await }) {
                    Ok(request) => request,
                    Err(_) => continue,
                }
            };
            match request {
                None => return,
                Some(Request::Close(closed)) => {
                    drop(self);
                    let _ = closed.send(());
                    return;
                }
                Some(request) => self.serve(request),
            }
        }
    }

    fn reopen(&mut self) {
        match self.store.reopen() {
            Ok(changed) => {
                tracing::info!("the page's timeline works again");
                // Whoever brought it was told that it failed, brings it again, and is told that it
                // is there: so now is the time to tell the pages.
                for entry in changed {
                    self.tell(Live::Entry(entry));
                }
                self.trouble.send_replace(None);
            }
            Err(why) => self.complain(why),
        }
    }

    fn complain(&self, why: String) {
        self.trouble.send_if_modified(|told| {
            let news = told.as_ref() != Some(&why);
            if news {
                tracing::error!(%why, "the page's timeline cannot be written; trying on");
                *told = Some(why);
            }
            news
        });
    }

    fn tell(&self, event: Live) {
        // Nobody listening is no error: nobody has the page open.
        drop(self.live.send(std::sync::Arc::new(event)));
    }

    fn told(&self, result: Result<Option<Entry>, String>) -> Result<(), TimelineError> {
        match result {
            Ok(Some(entry)) => self.tell(Live::Entry(entry)),
            Ok(None) => {}
            Err(why) => {
                self.complain(why.clone());
                return Err(TimelineError::Write(why));
            }
        }
        Ok(())
    }

    /// Whoever asked may be gone by now; the work is done all the same.
    fn serve(&mut self, request: Request) {
        match request {
            Request::Mine(id, text, files, answer) => {
                let done = self.store.mine(id, text, files);
                drop(answer.send(self.told(done)));
            }
            Request::File(id, file, answer) => {
                let done = self.store.file(id, file);
                drop(answer.send(self.told(done)));
            }
            Request::Card(card, rev, view, answer) => {
                let done = self.store.card(card, rev, *view);
                drop(answer.send(self.told(done)));
            }
            Request::Notice(id, text, answer) => {
                let done = self.store.notice(id, text);
                drop(answer.send(self.told(done)));
            }
            Request::Preview(preview, answer) => {
                let fit = self.store.preview(&preview);
                match fit {
                    Fit::Told => self.tell(Live::Preview(*preview)),
                    Fit::Stale | Fit::Early => {}
                }
                let _ = answer.send(fit);
            }
            Request::Follow(name, after, answer) => {
                let known = name == self.store.name();
                let _ = answer.send(Missed {
                    store: self.store.name().to_owned(),
                    entries: self.store.after(if known { after } else { 0 }),
                    previews: self.store.previews(),
                    // Taken in the same breath: whatever changes from here on is told on it.
                    live: self.live.subscribe(),
                });
            }
            Request::Offers(card, action, answer) => {
                let _ = answer.send(self.store.offers(card, &action));
            }
            // Taken care of before.
            Request::Close(closed) => drop(closed),
        }
    }
}
