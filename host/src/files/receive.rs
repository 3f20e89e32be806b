//! Files that a person sent, on their way from the chat to this machine.
//!
//! A parcel is what came with one message. It is written down before the first file is asked for, and
//! again at each step, so that a restart goes on with it; the act stays in the inbox until the parcel
//! is handed over by the desk (`parcel`). The bytes come through the broker, from the gateway of the chat; who
//! does not answer is asked again. A file gets its name in two steps, of which the first says what it
//! will be, so that it lands once.

mod parcel;

use std::sync::Arc;
use std::time::Duration;

use common::broker::pieces::{PieceError, Pieces};
use common::ids::{MessageId, UserId};
use common::message::decode;
use common::message::inbound::MAX_RECEIVED;
use common::message::outbound::{DownFailure, DownHead};
use common::text::Say as _;
use common::text::host::files::FilesText;
use common::{stream, subject};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{info, warn};

pub use self::parcel::Attachment;
use self::parcel::{ItemState, NotHere, failed_for};
pub(crate) use self::parcel::{PENDING, Parcel, lines, parcel_key};
use super::land::{self, Landing};
use super::walk::failed;
use super::{Files, encoding};
use crate::context::Context;
use crate::grounds::Grounds;
use crate::journal::{Accepted, Change};

/// A gateway that has not said anything new for so long is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(15);
/// All of one file, from when this process began to wait for it.
const TOGETHER: Duration = Duration::from_secs(600);
/// Between two looks: at first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// The largest picture that is given to the agent as one, in bytes: as Base64 it is a third more.
const MOST_PICTURE: u64 = 3_750_000;

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
                    Some(DownHead::Here(of)) => {
                        match context.files.take_in(parcel, at, &of).await {
                            Ok(path) => ItemState::Naming {
                                path,
                                size: of.bytes,
                            },
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
        if changed {
            let step = parcel.settle(at, state);
            if !context.commit(vec![step]).await {
                return false;
            }
            if !waits {
                continue;
            }
        }
        if Instant::now() >= until {
            let step = parcel.settle(at, failed_for(NotHere::NoAnswer));
            return context.commit(vec![step]).await;
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
                land::land(base, grounds, &dir, xfer)
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
        let work = move |base: &_, grounds: &_| land::name_landed(base, grounds, xfer, &path);
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
