//! Watches all that was handed out until it is settled: which lines are looked at, and when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use common::ids::NodeId;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::line::Lying;
use super::look::{Looked, Question, look};
use super::{Item, Note, Parts};
use crate::decide::Candidate;
use crate::presence::State;

/// How often lines are thought of; one that is looked at less often has a time of its own.
const TICK: Duration = Duration::from_millis(100);
/// Items watched at once, over all nodes. More are found by reading the stream again when it is
/// emptier.
const WATCHED: usize = 50_000;
/// Lines looked at in the same moment.
const LOOKS: usize = 64;
/// An item this young may be settled any moment.
const LATELY: chrono::TimeDelta = chrono::TimeDelta::seconds(2);
/// How often counts of refusals are shown anew.
const NEWS: Duration = Duration::from_secs(2);
/// How often old things are let go of.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// One node's line, as far as it is watched.
#[derive(Debug)]
struct Watched {
    /// By place; `true`: the person knows.
    items: BTreeMap<u64, (Arc<Item>, bool)>,
    /// A look is under way.
    busy: bool,
    next: Instant,
    /// What the node answered last, and when.
    answer: Option<(Instant, State)>,
    /// When the broker was asked last how far the node has come.
    seen: Option<Instant>,
}

/// The owner's state.
struct Owner {
    parts: Parts,
    lines: HashMap<NodeId, Watched>,
    /// Items in all lines.
    watched: usize,
    looks: JoinSet<Looked>,
    room: Arc<Semaphore>,
    missed: Arc<AtomicBool>,
    scanning: bool,
}

/// Runs until `stop`.
pub(super) async fn run(
    parts: Parts,
    mut notes: mpsc::Receiver<Note>,
    missed: Arc<AtomicBool>,
    stop: CancellationToken,
) {
    let mut owner = Owner {
        parts,
        lines: HashMap::new(),
        watched: 0,
        looks: JoinSet::new(),
        room: Arc::new(Semaphore::new(LOOKS)),
        missed,
        scanning: false,
    };
    let (found, mut finds) = mpsc::channel(1);
    owner.take_up();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut news = tokio::time::interval(NEWS);
    news.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut house = tokio::time::interval(HOUSEKEEPING);
    let mut nodes = owner.parts.registry.changes();
    let mut known = Arc::clone(&nodes.borrow_and_update());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            note = notes.recv() => match note {
                Some(note) => owner.note(note),
                None => return,
            },
            Some(looked) = owner.looks.join_next() => {
                if let Ok(looked) = looked {
                    owner.take(looked);
                }
            }
            Some(lying) = finds.recv() => owner.take_found(lying).await,
            _ = tick.tick(), if owner.has_something_to_do() => {
                owner.look();
                owner.scan(&found);
            }
            Ok(()) = nodes.changed() => {
                let now = Arc::clone(&nodes.borrow_and_update());
                if known.keys().any(|node| !now.contains_key(node)) {
                    owner.look_soon();
                    owner.answer_for_removed();
                }
                known = now;
            }
            _ = news.tick() => owner.parts.refusals.show_news(&mut owner.looks),
            _ = house.tick() => owner.parts.book.forget_old(Utc::now()),
        }
    }
}

impl Owner {
    /// Goes on with what an earlier router had told.
    fn take_up(&mut self) {
        let parts = &self.parts;
        let waiting = parts.book.all(super::book::Entry::waits);
        let open = parts.book.all(|entry| entry.open);
        if !waiting.is_empty() {
            info!(
                waiting = waiting.len(),
                "messages wait for nodes that are off"
            );
        }
        for entry in open {
            let parts = parts.clone();
            self.looks.spawn(async move {
                // Stopped in between, the next router goes on.
                let _ = parts.finish(&entry).await;
                Looked::nothing()
            });
        }
        for entry in waiting {
            self.watch(entry.item());
        }
        self.answer_for_removed();
    }

    /// Nodes that were asked whether they have a message, and were removed, will never say.
    fn answer_for_removed(&mut self) {
        let nodes = self.parts.registry.nodes();
        let asked = |entry: &super::book::Entry| {
            matches!(entry.state, super::book::State::Asked { .. })
                && !nodes.contains_key(&entry.node)
        };
        for entry in self.parts.book.all(asked) {
            let parts = self.parts.clone();
            self.looks.spawn(async move {
                // Stopped in between, the next router goes on.
                let _ = parts.nobody_answers(&entry).await;
                Looked::nothing()
            });
        }
    }

    /// Whether a line is watched, or the stream is to be read: most of the time nothing lies.
    fn has_something_to_do(&self) -> bool {
        !self.lines.is_empty() || self.missed.load(Ordering::Relaxed)
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Out(item) => self.watch(*item),
            Note::Gone(node, sequence) => {
                let line = self.lines.get_mut(&node);
                if line.is_some_and(|line| line.items.remove(&sequence).is_some()) {
                    self.watched -= 1;
                }
            }
        }
    }

    fn watch(&mut self, item: Item) {
        if self.watched >= WATCHED {
            self.missed.store(true, Ordering::Relaxed);
            return;
        }
        let line = self
            .lines
            .entry(item.node.clone())
            .or_insert_with(|| Watched {
                items: BTreeMap::new(),
                busy: false,
                next: Instant::now(),
                answer: None,
                seen: None,
            });
        line.next = line.next.min(Instant::now() + TICK);
        let place = item.sequence;
        line.items.entry(place).or_insert_with(|| {
            self.watched += 1;
            (Arc::new(item), false)
        });
    }

    /// A node was removed: what waits for it is told at once, whether it is watched or not.
    fn look_soon(&mut self) {
        self.missed.store(true, Ordering::Relaxed);
        for line in self.lines.values_mut() {
            line.next = Instant::now();
        }
    }

    /// Looks at the lines whose time has come.
    fn look(&mut self) {
        let now = Instant::now();
        self.lines
            .retain(|_, line| line.busy || !line.items.is_empty());
        for (node, line) in &mut self.lines {
            if line.busy || line.next > now {
                continue;
            }
            line.busy = true;
            let question = Question {
                node: node.clone(),
                items: line.items.values().cloned().collect(),
                answer: line.answer,
                seen: line.seen,
            };
            let (parts, room) = (self.parts.clone(), Arc::clone(&self.room));
            self.looks.spawn(async move {
                // Never closed; without a permit the look would only be one too many.
                let _permit = room.acquire().await;
                look(&parts, question).await
            });
        }
    }

    fn take(&mut self, looked: Looked) {
        let Some(line) = looked
            .node
            .as_ref()
            .and_then(|node| self.lines.get_mut(node))
        else {
            return;
        };
        line.busy = false;
        line.answer = looked.answer;
        line.seen = looked.seen;
        line.next = Instant::now() + looked.again;
        for place in looked.settled {
            if line.items.remove(&place).is_some() {
                self.watched -= 1;
            }
        }
        for place in looked.told {
            if let Some((_, told)) = line.items.get_mut(&place) {
                *told = true;
            }
        }
        // Something came while we looked.
        let young = |(item, told): &(Arc<Item>, bool)| !told && Utc::now() - item.at < LATELY;
        if line.items.values().any(young) {
            line.next = line.next.min(Instant::now() + TICK);
        }
    }

    /// Reads the stream for what nobody has told us of: at the start, and after a note was missed.
    fn scan(&mut self, found: &mpsc::Sender<Vec<Lying>>) {
        let room = self.watched < WATCHED / 2;
        if self.scanning || !room || !self.missed.swap(false, Ordering::Relaxed) {
            return;
        }
        self.scanning = true;
        let (line, found) = (self.parts.line.clone(), found.clone());
        let cancel = self.parts.cancel.clone();
        self.looks.spawn(async move {
            loop {
                match line.scan(WATCHED / 2).await {
                    Ok(lying) => {
                        // The owner is gone when nobody takes it.
                        let _ = found.send(lying).await;
                        break;
                    }
                    Err(why) => warn!(%why, "cannot read what waits for nodes; again"),
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = cancel.cancelled() => break,
                }
            }
            Looked::nothing()
        });
    }

    async fn take_found(&mut self, found: Vec<Lying>) {
        self.scanning = false;
        for lying in found {
            let inbound = &lying.work.inbound;
            let told = self.parts.book.get(&inbound.meta.cause);
            if told.is_some_and(|entry| !entry.lies_at(&lying.work.node, lying.sequence)) {
                continue;
            }
            let to = Candidate {
                node: lying.work.node.clone(),
                name: self.parts.name_of(&lying.work.node).await,
            };
            let (lang, place) = (lying.work.lang, lying.sequence);
            self.watch(Item::new(inbound, &to, lang, place, lying.at));
        }
    }
}
