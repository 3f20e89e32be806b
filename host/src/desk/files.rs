//! Files that people send: a parcel is brought beside the desk, then handed over here. Its files wait for
//! the person's next message to an agent, unless words came with them: these are that message.

use std::collections::HashMap;
use std::sync::Arc;

use common::ids::{CardId, CauseId, UserId};
use common::message::inbound::{FileRef, InboundBody};
use common::message::view::{Block, Tone, View};
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::files::FilesText;
use tokio::sync::mpsc;
use tracing::warn;

use super::{Desk, Went};
use crate::context::Origin;
use crate::files::receive::{self, Attachment, PENDING, Parcel, parcel_key};
use crate::journal::{Accepted, Change, Shelf};

/// Parcels of one person on their way at once; the next is refused with a word.
const MOST_PARCELS: usize = 20;
/// Files of one person that wait for their next message. Of more the oldest are not given to the agent;
/// they stay where they are.
const MOST_PENDING: usize = 50;
/// Parcels that are here and that the desk has not looked at yet; their tasks wait.
const LANDED: usize = 64;

/// What the desk knows of files on their way.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// Waiting for the next message, oldest first.
    pending: HashMap<UserId, Vec<Attachment>>,
    /// Being brought.
    coming: HashMap<UserId, Vec<CauseId>>,
    pub(super) landed: mpsc::Receiver<Accepted>,
    landed_in: mpsc::Sender<Accepted>,
}

impl Default for Arrivals {
    fn default() -> Self {
        let (landed_in, landed) = mpsc::channel(LANDED);
        Self {
            pending: HashMap::new(),
            coming: HashMap::new(),
            landed,
            landed_in,
        }
    }
}

impl Desk {
    /// Takes up what waits on the shelf. Parcels of acts that are dealt with are forgotten.
    pub(super) async fn take_up_files(&mut self, waiting: &[Accepted]) {
        let Some(kept) = self.context.shelf(Shelf::File).await else {
            return;
        };
        let mut gone = Vec::new();
        for (key, record) in kept {
            if key.starts_with(PENDING) {
                match serde_json::from_slice::<Attachment>(&record) {
                    Ok(file) => {
                        let pending = self.arrivals.pending.entry(file.user.clone());
                        pending.or_default().push(file);
                    }
                    Err(why) => {
                        warn!(key, %why, "a record of a file is damaged");
                        gone.push(Change::Take(Shelf::File, key));
                    }
                }
                continue;
            }
            let waits = |one: &Accepted| parcel_key(&one.work.inbound.meta.cause) == key;
            if !waiting.iter().any(waits) {
                gone.push(Change::Take(Shelf::File, key));
            }
        }
        if !gone.is_empty() {
            self.context.commit(gone).await;
        }
    }

    /// A message with files: they are asked for, or, once they are here, handed over.
    pub(super) async fn files(
        &mut self,
        accepted: Accepted,
        origin: &Origin,
        files: Vec<FileRef>,
        text: &str,
    ) -> Went {
        let place = accepted.place;
        let key = parcel_key(&origin.cause);
        let kept = self.context.kept(Shelf::File, &key).await;
        let kept = kept.and_then(|kept| Parcel::read(&kept));
        let mut parcel = match kept {
            Some(parcel) if parcel.handed => {
                return self.text(place, origin, text).await;
            }
            Some(parcel) if parcel.is_over() => {
                return self.handed_in(place, origin, parcel, text).await;
            }
            Some(parcel) => parcel,
            None => {
                let coming = self.arrivals.coming.get(&origin.user);
                if coming.is_some_and(|coming| coming.len() >= MOST_PARCELS) {
                    let text = HostText::TooMuchAtOnce { max: MOST_PARCELS };
                    self.say(place, origin, Tone::Warning, &text).await;
                    return Went::On;
                }
                let dir = Parcel::place(&self.grounds(&origin.user));
                let mut parcel = Parcel::new(origin.clone(), dir, files);
                let mut changes = parcel.ask_all(&self.context);
                let n = changes.len();
                changes.push(parcel.keep());
                changes.push(self.files_card(
                    origin,
                    1,
                    Tone::Working,
                    &[FilesText::Receiving { n }],
                ));
                if !self.context.commit(changes).await {
                    return Went::On;
                }
                common::crash_point!("host.parcel.kept");
                parcel
            }
        };
        let coming = self.arrivals.coming.entry(origin.user.clone());
        coming.or_default().push(origin.cause.clone());
        let (context, back) = (Arc::clone(&self.context), self.arrivals.landed_in.clone());
        parcel.origin = origin.clone();
        self.context
            .tasks
            .spawn(receive::bring(context, parcel, accepted, back));
        Went::On
    }

    /// A parcel is here, as far as it ever will be.
    async fn handed_in(
        &mut self,
        place: u64,
        origin: &Origin,
        mut parcel: Parcel,
        text: &str,
    ) -> Went {
        if let Some(coming) = self.arrivals.coming.get_mut(&origin.user) {
            coming.retain(|cause| *cause != origin.cause);
            if coming.is_empty() {
                self.arrivals.coming.remove(&origin.user);
            }
        }
        let (mut lines, all) = parcel.lines();
        let fresh = parcel.attachments();
        if !fresh.is_empty() {
            lines.push(if text.trim().is_empty() {
                FilesText::GoesWithNext
            } else {
                FilesText::GoesNow
            });
        }
        let tone = if all { Tone::Done } else { Tone::Warning };
        let mut changes = vec![self.files_card(origin, 2, tone, &lines)];
        let pending = self
            .arrivals
            .pending
            .entry(origin.user.clone())
            .or_default();
        for file in fresh {
            let record = serde_json::to_vec(&file).unwrap_or_default();
            changes.push(Change::Put(Shelf::File, file.key.clone(), record));
            pending.retain(|other| other.key != file.key);
            pending.push(file);
        }
        let over = pending.len().saturating_sub(MOST_PENDING);
        let dropped = pending.drain(..over);
        changes.extend(dropped.map(|file| Change::Take(Shelf::File, file.key)));
        if text.trim().is_empty() {
            changes.push(Change::Take(Shelf::File, parcel_key(&origin.cause)));
            changes.push(Change::Done(place));
            self.context.commit(changes).await;
            return Went::On;
        }
        parcel.handed = true;
        changes.push(parcel.keep());
        if !self.context.commit(changes).await {
            return Went::On;
        }
        self.text(place, origin, text).await
    }

    /// The files that go with a person's next message. A command of the agent takes none.
    pub(super) fn attached(&self, user: &UserId, text: &str) -> Vec<Attachment> {
        if text.starts_with('/') {
            return Vec::new();
        }
        self.arrivals.pending.get(user).cloned().unwrap_or_default()
    }

    /// A text for the assistant, with the names of the files that came with these very words.
    pub(super) fn with_files(&self, origin: &Origin, mut text: String) -> String {
        let pending = self.arrivals.pending.get(&origin.user);
        let cause = format!(".{}.", origin.cause);
        let mut came = pending
            .into_iter()
            .flatten()
            .filter(|file| file.key.contains(&cause))
            .peekable();
        if came.peek().is_some() {
            text.push_str("\n\n");
            text.push_str(&FilesText::WithPrompt.say(origin.lang));
        }
        for file in came {
            text.push_str("\n- ");
            text.push_str(&file.path);
        }
        text
    }

    /// They went with it.
    pub(super) fn went_along(&mut self, user: &UserId, files: &[Attachment]) {
        if let Some(pending) = self.arrivals.pending.get_mut(user) {
            pending.retain(|file| !files.contains(file));
            if pending.is_empty() {
                self.arrivals.pending.remove(user);
            }
        }
    }

    fn files_card(&self, origin: &Origin, rev: u32, tone: Tone, lines: &[FilesText]) -> Change {
        let card = CardId::derived(&[origin.cause.as_str(), "files"]);
        origin.card(
            card,
            rev,
            files_view(&self.context.name, origin, tone, lines),
        )
    }
}

fn files_view(node: &str, origin: &Origin, tone: Tone, lines: &[FilesText]) -> View {
    let lines: Vec<String> = lines.iter().map(|line| line.say(origin.lang)).collect();
    View {
        title: node.to_owned(),
        tone,
        blocks: vec![Block::Plain {
            text: lines.join("\n"),
        }],
        ..View::default()
    }
}

/// Whether an act brings files.
pub(super) fn of(accepted: &Accepted) -> Option<(Vec<FileRef>, String)> {
    match &accepted.work.inbound.body {
        InboundBody::Files { files, text } => Some((files.clone(), text.clone())),
        InboundBody::Text { .. }
        | InboundBody::Unsupported { .. }
        | InboundBody::TooLong { .. }
        | InboundBody::Tap { .. } => None,
    }
}
