//! Telling people of what waits: that it does, that its node is back, that it waited in vain. Each
//! state is written down before it is shown, and shown again after a crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::message::outbound::OutboundBody;
use tracing::{info, warn};

use super::book::{Entry, Other, State as Told, Waits};
use super::{Item, Parts, to};
use crate::act::candidates;
use crate::cards;
use crate::presence::{Seen, State};
use crate::users::Stopped;

/// Buttons for other nodes.
const OTHERS: usize = 3;

/// A machine that may have it was removed.
pub(super) fn never_said() -> Told {
    Told::Removed {
        sure: false,
        kept: false,
        others: Vec::new(),
    }
}

/// What is to be told of one person's messages.
pub(super) struct Telling {
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) trouble: Option<String>,
    /// Theirs that are not told yet, with their place in line.
    pub(super) items: Vec<(Arc<Item>, u64)>,
}

impl Parts {
    /// Tells one person of messages that lie. Which were told is put into `told` on the way.
    pub(super) async fn tell(
        &self,
        node: &NodeId,
        telling: &Telling,
        told: &mut Vec<u64>,
    ) -> Result<(), Stopped> {
        let Some((first, _)) = telling.items.first() else {
            return Ok(());
        };
        let user = &first.user;
        let mut together = self.book.waiting_of(user);
        together.retain(|entry| entry.node == *node);
        let together = together.iter().min_by_key(|entry| entry.sequence);
        let first = together.map_or(&first.cause, |entry| &entry.first).clone();
        let others = self.others(user, node).await;
        for (item, place) in &telling.items {
            let waits = Told::Waiting(Waits {
                since: telling.since,
                place: *place,
                others: if item.tap || item.cause.part().is_some() {
                    // Of use there only; or the others have a part of their own.
                    Vec::new()
                } else {
                    others.clone()
                },
                trouble: telling.trouble.clone(),
                ..Waits::default()
            });
            let entry = self
                .book
                .change(&item.cause, |before| match before {
                    None => Some(Entry::new(item, first.clone(), waits.clone())),
                    Some(entry) if !entry.is_at(&item.node, item.sequence) => None,
                    Some(entry) => match entry.state {
                        // Where it was sent to, or sent again, nobody is either.
                        Told::Moved { .. } | Told::Again { .. } => Some(Entry {
                            first: first.clone(),
                            ..entry.to(waits.clone())
                        }),
                        Told::Waiting(_)
                        | Told::Taken { .. }
                        | Told::Withdrawing { .. }
                        | Told::Withdrawn { .. }
                        | Told::Asked { .. }
                        | Told::Expired { .. }
                        | Told::Removed { .. } => None,
                    },
                })
                .await?;
            if let Some(entry) = entry.filter(|entry| entry.waits()) {
                common::crash_point!("router.waiting.told");
                self.show(&entry).await?;
                info!(cause = %item.cause, %node, %user, place, "it waits; the person is told");
            }
            told.push(item.sequence);
        }
        Ok(())
    }

    /// Nodes that could take a person's message instead, those that are on first.
    async fn others(&self, user: &UserId, node: &NodeId) -> Vec<Other> {
        let mut all = candidates(&self.registry, &self.presence, user).await;
        all.retain(|one| one.node != *node);
        let nodes = all.iter().map(|one| one.node.clone()).collect();
        let seen = self.presence.of(nodes).await;
        let now = Utc::now();
        let off = |node: &NodeId| {
            let seen: Option<&Seen> = seen.get(node);
            seen.is_none_or(|seen| seen.state(now) != State::On)
        };
        all.sort_by_key(|one| off(&one.node));
        all.into_iter()
            .take(OTHERS)
            .map(|one| Other {
                node: one.node,
                name: one.name,
            })
            .collect()
    }

    /// A node has taken these. Those that people were told of are told of once more.
    pub(super) async fn taken(&self, items: &[Arc<Item>]) -> Result<(), Stopped> {
        // Counted before the first changes, so that one number holds for all that waited together.
        let mut counts: BTreeMap<CauseId, usize> = BTreeMap::new();
        for item in items {
            let Some(entry) = self.book.get(&item.cause) else {
                continue;
            };
            let count = *counts.entry(entry.first.clone()).or_insert_with(|| {
                let waiting = self.book.waiting_of(&entry.user);
                let with = waiting.iter().filter(|other| other.first == entry.first);
                with.count().max(1)
            });
            let entry = self
                .book
                .change(&item.cause, |before| {
                    let entry = before.filter(|it| it.is_at(&item.node, item.sequence))?;
                    match entry.state {
                        Told::Waiting(_) | Told::Again { .. } => Some(Entry {
                            open: true,
                            ..entry.to(Told::Taken { count })
                        }),
                        // Moved: its card says where it went, and that is where it runs.
                        Told::Moved { .. }
                        | Told::Taken { .. }
                        | Told::Withdrawing { .. }
                        | Told::Withdrawn { .. }
                        | Told::Asked { .. }
                        | Told::Expired { .. }
                        | Told::Removed { .. } => None,
                    }
                })
                .await?;
            if let Some(entry) = entry
                && entry.open
            {
                common::crash_point!("router.waiting.taken");
                info!(cause = %item.cause, node = %item.node, "it waited and is taken");
                self.finish(&entry).await?;
            }
        }
        Ok(())
    }

    /// Takes out what has waited too long, and says so.
    pub(super) async fn expire(&self, item: &Item) -> Result<(), Stopped> {
        let sure = false;
        self.give_up(item, |kept| Told::Expired { sure, kept })
            .await
    }

    /// Takes out what waits for a machine that was removed, and says so.
    pub(super) async fn removed(&self, item: &Item) -> Result<(), Stopped> {
        let others = if item.tap || item.cause.part().is_some() {
            // Of use there only; or the others had a part of their own.
            Vec::new()
        } else {
            self.others(&item.user, &item.node).await
        };
        self.give_up(item, |kept| Told::Removed {
            sure: false,
            kept,
            others: others.clone(),
        })
        .await
    }

    /// Its machine was asked whether it has it, and removed before it said so. What a machine had said comes above this
    /// on the card.
    pub(super) async fn nobody_answers(&self, entry: &Entry) -> Result<(), Stopped> {
        let ended = |before: Option<&Entry>| {
            let now = before.filter(|now| now.is_at(&entry.node, entry.sequence))?;
            let asked = matches!(now.state, Told::Asked { .. });
            asked.then(|| Entry {
                open: true,
                ..now.to(never_said())
            })
        };
        match self.book.change(&entry.cause, ended).await? {
            Some(entry) if entry.open => self.finish(&entry).await,
            Some(_) | None => Ok(()),
        }
    }

    /// It is not delivered: written down, taken out, told.
    async fn give_up(&self, item: &Item, ended: impl Fn(bool) -> Told) -> Result<(), Stopped> {
        // Kept before it goes; a tap is of no use days later.
        let lying = self.line.read(item.sequence).await?;
        let work = lying
            .map(|lying| lying.work)
            .filter(|work| work.inbound.meta.cause == item.cause && !item.tap);
        let kept = work.is_some();
        if let Some(work) = work {
            self.book.keep_work(&work).await?;
        }
        let ended = ended(kept);
        let entry = self
            .book
            .change(&item.cause, |before| match before {
                None => Some(Entry {
                    open: true,
                    ..Entry::new(item, item.cause.clone(), ended.clone())
                }),
                Some(entry) if !entry.is_at(&item.node, item.sequence) => None,
                Some(entry) => match entry.state {
                    Told::Waiting(_) | Told::Moved { .. } | Told::Again { .. } => Some(Entry {
                        open: true,
                        ..entry.to(ended.clone())
                    }),
                    Told::Taken { .. }
                    | Told::Withdrawing { .. }
                    | Told::Withdrawn { .. }
                    | Told::Asked { .. }
                    | Told::Expired { .. }
                    | Told::Removed { .. } => None,
                },
            })
            .await?;
        if let Some(entry) = entry
            && entry.open
        {
            warn!(code = "not-delivered", cause = %item.cause, node = %item.node, user = %item.user, state = ?entry.state, "it waited in vain");
            self.finish(&entry).await?;
        }
        Ok(())
    }

    /// Does what follows from a state that was written down: again after a crash, without showing
    /// anything twice.
    pub(super) async fn finish(&self, entry: &Entry) -> Result<(), Stopped> {
        match entry.state {
            Told::Taken { count } => {
                self.show(entry).await?;
                if entry.cause.part().is_some() {
                    // Its line says so, and each node of a message to many would ring.
                    return self.close(entry, entry.state.clone()).await;
                }
                let text = cards::waiting::back(entry.lang, &entry.name, count);
                let id = MessageId::derived(&[entry.first.as_str(), "back"]);
                let body = OutboundBody::Notice { text };
                self.replies.put(id, &to(entry), body).await?;
                self.close(entry, entry.state.clone()).await
            }
            Told::Expired { kept, .. } => {
                let sure = self.take_out(entry).await?;
                self.say_end(entry, Told::Expired { sure, kept }).await
            }
            Told::Removed {
                kept, ref others, ..
            } => {
                let sure = self.take_out(entry).await?;
                let others = others.clone();
                self.say_end(entry, Told::Removed { sure, kept, others })
                    .await
            }
            // Whoever tapped sees to these.
            Told::Waiting(_)
            | Told::Withdrawing { .. }
            | Told::Withdrawn { .. }
            | Told::Asked { .. }
            | Told::Moved { .. }
            | Told::Again { .. } => Ok(()),
        }
    }

    /// Out of the line; whether the node surely never had it.
    async fn take_out(&self, entry: &Entry) -> Result<bool, Stopped> {
        self.line
            .remove(entry.sequence, &entry.cause, &entry.user)
            .await?;
        self.line
            .surely_never_had(&entry.node, entry.sequence)
            .await
    }

    /// Shows how it ended, and notes that it was shown.
    async fn say_end(&self, entry: &Entry, state: Told) -> Result<(), Stopped> {
        let ended = Entry {
            state,
            ..entry.clone()
        };
        self.show(&ended).await?;
        self.close(entry, ended.state).await
    }

    /// What `entry` says has been shown.
    async fn close(&self, entry: &Entry, state: Told) -> Result<(), Stopped> {
        let shown = |before: Option<&Entry>| {
            let now = before.filter(|now| now.open && now.rev == entry.rev)?;
            Some(Entry {
                open: false,
                state: state.clone(),
                ..now.clone()
            })
        };
        self.book.change(&entry.cause, shown).await.map(|_| ())
    }
}
