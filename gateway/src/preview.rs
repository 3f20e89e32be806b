//! How running turns look in between: takes the latest preview of each card, drops the rest, and
//! hands at most one per card and interval to the surface.
//!
//! Of a node that does not serve the person nothing is shown (`served`).
//!
//! Losing a preview is harmless: the next one, or the card's next revision, makes up for it. That a
//! preview never comes after a newer revision is the surface's to keep ([`Show::preview`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::lease::Lease;
use common::ids::{CardId, NodeId};
use common::message::decode;
use common::message::outbound::Preview;
use common::subject;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::deliver::Show;
use crate::served::Served;

/// Cards with previews at once. At the bound the card that was quiet longest is forgotten.
const CARDS: usize = 256;
/// Edits under way at once; the others keep being replaced by newer ones meanwhile. Leaves most of
/// the platform's rate to what must be shown.
const EDITS: usize = 4;
/// Records of nodes that are read at once; a preview that finds no room waits for the next one.
const LOOKS: usize = 4;
/// A card without previews for this long is forgotten.
const QUIET: Duration = Duration::from_secs(120);
/// A preview of a revision that is not shown yet is kept this long.
const EARLY: Duration = Duration::from_secs(10);

/// What the surface made of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previewed {
    /// It is shown.
    Shown,
    /// A newer revision is shown, or the card is unknown here.
    Stale,
    /// Its revision is not shown yet; ask again.
    Early,
    /// It could not be shown; the reason, for the log.
    Failed(String),
}

/// One card's place.
#[derive(Debug)]
struct Slot {
    /// The newest not handed on.
    waiting: Option<Preview>,
    /// Revision and number of the newest seen.
    newest: (u32, u32),
    busy: bool,
    /// Not before.
    next: Instant,
    heard: Instant,
}

/// All cards: pure bookkeeping, so that it can be tested without a clock or a platform.
#[derive(Debug)]
struct Slots {
    every: Duration,
    cards: HashMap<CardId, Slot>,
}

impl Slots {
    fn new(every: Duration) -> Self {
        Self {
            every,
            cards: HashMap::new(),
        }
    }

    /// Takes a preview, unless a newer one of its card was seen.
    fn put(&mut self, preview: Preview, now: Instant) {
        if !self.cards.contains_key(&preview.card) && self.cards.len() >= CARDS {
            let quietest = self
                .cards
                .iter()
                .filter(|(_, slot)| !slot.busy)
                .min_by_key(|(_, slot)| slot.heard)
                .map(|(card, _)| *card);
            match quietest {
                Some(card) => self.cards.remove(&card),
                None => return,
            };
        }
        let place = (preview.rev, preview.n);
        let slot = self.cards.entry(preview.card).or_insert(Slot {
            waiting: None,
            newest: (0, 0),
            busy: false,
            next: now,
            heard: now,
        });
        slot.heard = now;
        if place >= slot.newest {
            slot.newest = place;
            slot.waiting = Some(preview);
        }
    }

    /// A preview whose time has come; its card is busy until [`Slots::done`].
    fn take(&mut self, now: Instant) -> Option<Preview> {
        self.cards
            .values_mut()
            .filter(|slot| !slot.busy && slot.waiting.is_some() && slot.next <= now)
            // The one that waits longest first, or a busy chat would starve the others.
            .min_by_key(|slot| slot.next)
            .and_then(|slot| {
                slot.busy = true;
                slot.next = now + self.every;
                slot.waiting.take()
            })
    }

    /// Says that the edit is over. A preview that came too early waits again, if none is newer.
    fn done(&mut self, preview: Preview, result: &Previewed, now: Instant) {
        let Some(slot) = self.cards.get_mut(&preview.card) else {
            return;
        };
        slot.busy = false;
        if *result == Previewed::Early
            && slot.waiting.is_none()
            && now.duration_since(slot.heard) < EARLY
        {
            slot.waiting = Some(preview);
        }
    }

    /// When [`Slots::take`] may next give something.
    fn next(&self) -> Option<Instant> {
        self.cards
            .values()
            .filter(|slot| !slot.busy && slot.waiting.is_some())
            .map(|slot| slot.next)
            .min()
    }

    fn forget_quiet(&mut self, now: Instant) {
        self.cards
            .retain(|_, slot| slot.busy || now.duration_since(slot.heard) < QUIET);
    }
}

/// Passes previews on as long as we lead.
pub(crate) async fn run<S: Show>(show: Arc<S>, broker: Broker, served: Served, lease: Lease) {
    let cancel = lease.over().clone();
    let subject = subject::delta_of(S::SURFACE);
    let mut incoming = loop {
        match broker.client().subscribe(subject.clone()).await {
            Ok(incoming) => break incoming,
            Err(why) => {
                warn!(%subject, %why, "cannot hear previews; trying again");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(2)) => {}
                    () = cancel.cancelled() => return,
                }
            }
        }
    };
    let mut slots = Slots::new(S::PREVIEW_EVERY);
    let mut edits: JoinSet<(Preview, Previewed)> = JoinSet::new();
    let mut looks: JoinSet<()> = JoinSet::new();
    let mut sweep = tokio::time::interval(QUIET);
    loop {
        while edits.len() < EDITS
            && let Some(preview) = slots.take(Instant::now())
        {
            let (show, lease) = (Arc::clone(&show), lease.clone());
            edits.spawn(async move {
                let result = lease.guard(show.preview(&preview)).await;
                // Whoever leads now shows the next one.
                (preview, result.unwrap_or(Previewed::Stale))
            });
        }
        let next = if edits.len() < EDITS {
            slots.next()
        } else {
            None
        };
        tokio::select! {
            () = cancel.cancelled() => break,
            message = incoming.next() => match message {
                Some(message) => if let Some((node, preview)) = read(&message) {
                    let glance = served.glance(&node, &preview.user);
                    if glance.look && looks.len() < LOOKS {
                        let (served, node) = (served.clone(), node);
                        looks.spawn(async move { served.look(&node).await });
                    }
                    if glance.shows {
                        slots.put(preview, Instant::now());
                    }
                },
                // The client ended; so do we.
                None => break,
            },
            Some(_) = looks.join_next() => {}
            Some(finished) = edits.join_next() => match finished {
                Ok((preview, result)) => {
                    if let Previewed::Failed(why) = &result {
                        debug!(card = %preview.card, %why, "a preview was not shown");
                    }
                    slots.done(preview, &result, Instant::now());
                }
                // Its slot stays busy until swept away as quiet is impossible, so start over.
                Err(why) => {
                    warn!(%why, "a preview failed");
                    slots = Slots::new(S::PREVIEW_EVERY);
                }
            },
            () = until(next), if next.is_some() => {}
            _ = sweep.tick() => slots.forget_quiet(Instant::now()),
        }
    }
    // An edit cut off in the middle would be harmless, but a moment is given to finish it.
    let _ = tokio::time::timeout(Duration::from_secs(2), async {
        while edits.join_next().await.is_some() {}
    })
    .await;
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The preview, if it is for whom its subject says.
fn read(message: &async_nats::Message) -> Option<(NodeId, Preview)> {
    let (node, user) = subject::parse_delta(&message.subject)?;
    match decode::<Preview>("preview", &message.payload) {
        Ok(preview) if preview.user == user => Some((node, preview)),
        Ok(_) => {
            warn!(subject = %message.subject, "a preview for somebody else is passed over");
            None
        }
        Err(why) => {
            debug!(%why, "an unreadable preview is passed over");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use common::message::view::View;

    use super::*;

    fn preview(card: CardId, rev: u32, n: u32) -> Preview {
        Preview {
            card,
            rev,
            n,
            user: "web/owner".parse().unwrap(),
            view: View::default(),
        }
    }

    const EVERY: Duration = Duration::from_secs(1);

    #[test]
    fn only_the_latest_is_shown_and_not_too_often() {
        let (mut slots, now, card) = (Slots::new(EVERY), Instant::now(), CardId::new());
        slots.put(preview(card, 1, 1), now);
        let first = slots.take(now).unwrap();
        assert_eq!(first.n, 1);
        for n in 2..5 {
            slots.put(preview(card, 1, n), now);
        }
        slots.put(preview(card, 1, 3), now);
        assert!(slots.take(now + EVERY).is_none(), "still busy");
        slots.done(first, &Previewed::Shown, now);
        assert!(slots.take(now).is_none(), "too soon");
        assert_eq!(slots.next(), Some(now + EVERY));
        assert_eq!(slots.take(now + EVERY).unwrap().n, 4);
    }

    #[test]
    fn a_newer_revision_beats_any_number() {
        let (mut slots, now, card) = (Slots::new(EVERY), Instant::now(), CardId::new());
        slots.put(preview(card, 1, 9), now);
        slots.put(preview(card, 2, 1), now);
        slots.put(preview(card, 1, 10), now);
        assert_eq!(slots.take(now).unwrap().rev, 2);
    }

    #[test]
    fn early_ones_wait_and_the_table_is_bounded() {
        let (mut slots, now, card) = (Slots::new(EVERY), Instant::now(), CardId::new());
        slots.put(preview(card, 1, 1), now);
        let taken = slots.take(now).unwrap();
        slots.done(taken, &Previewed::Early, now);
        let taken = slots.take(now + EVERY).unwrap();
        slots.done(taken, &Previewed::Early, now + EARLY);
        assert!(slots.take(now + EARLY + EVERY).is_none(), "given up");
        for _ in 0..2 * CARDS {
            slots.put(preview(CardId::new(), 1, 1), now);
        }
        assert_eq!(slots.cards.len(), CARDS);
        slots.forget_quiet(now + QUIET);
        assert!(slots.cards.is_empty());
    }
}
