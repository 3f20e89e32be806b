//! What has arrived and is not handled yet: each event is read on arrival, takes its person's place
//! in line and its room of what that person may have in hand. What becomes of it is the surface's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError, RwLock};

use common::ids::{Surface, UserId};
use tracing::{debug, warn};

use super::super::connection::Delivery;
use super::super::event::{self, Event, FeishuMessage, FeishuTap, Ignored, OwnId};
use crate::intake::{Intake, Place};
use crate::share::{Share, Shares};

/// In hand at once, in bytes, over all people; what one of them may have of it is `share`'s: some
/// 3,000 short messages. What is over it is sent back at once, and comes again.
const IN_HAND: usize = 32 << 20;

/// An event that a person caused.
pub(super) enum Caused {
    Message(Box<FeishuMessage>, Stand),
    Tap(Box<FeishuTap>, Stand),
    /// Over the person's share of what is in hand.
    TooMany {
        tap: bool,
    },
    /// It cannot be told yet whether it is for us.
    Unclear,
    Nothing,
}

/// Whose it is, its place in line, and its room.
pub(super) struct Stand {
    pub(super) user: UserId,
    pub(super) place: Place,
    _share: Share,
}

/// Why there is no place.
enum NoStand {
    TooMany,
    NoUser,
}

/// What was read on arrival.
pub(super) struct Arrivals {
    intake: Intake,
    shares: Shares,
    bot: RwLock<OwnId>,
    /// By delivery; no more than the connection hands over at a time.
    waiting: Mutex<HashMap<String, VecDeque<Caused>>>,
}

impl Arrivals {
    pub(super) fn new(intake: Intake) -> Self {
        Self {
            intake,
            shares: Shares::new(IN_HAND),
            bot: RwLock::new(OwnId::Awaited),
            waiting: Mutex::default(),
        }
    }

    /// What is known of the bot's own id from now on.
    pub(super) fn know(&self, bot: OwnId) {
        *self.bot.write().unwrap_or_else(PoisonError::into_inner) = bot;
    }

    /// Reads the event and takes the person's place in line.
    pub(super) fn put(&self, delivery: &Delivery) {
        let caused = self.read(delivery);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .entry(delivery.id.clone())
            .or_default()
            .push_back(caused);
    }

    /// What was read when the delivery arrived.
    pub(super) fn take(&self, delivery: &Delivery) -> Caused {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = waiting.get_mut(&delivery.id) else {
            drop(waiting);
            return self.read(delivery);
        };
        let caused = found.pop_front();
        if found.is_empty() {
            waiting.remove(&delivery.id);
        }
        caused.unwrap_or(Caused::Nothing)
    }

    fn read(&self, delivery: &Delivery) -> Caused {
        let bot = self
            .bot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match event::parse(&delivery.payload, &bot) {
            Event::Message(message) => match self.stand(&message.open_id, delivery) {
                Ok(stand) => Caused::Message(message, stand),
                Err(NoStand::TooMany) => Caused::TooMany { tap: false },
                Err(NoStand::NoUser) => Caused::Nothing,
            },
            Event::Tap(tap) => match self.stand(&tap.open_id, delivery) {
                Ok(stand) => Caused::Tap(tap, stand),
                Err(NoStand::TooMany) => Caused::TooMany { tap: true },
                Err(NoStand::NoUser) => Caused::Nothing,
            },
            Event::Ignored { event_type, why } => match why {
                Ignored::Malformed(what) => {
                    warn!(event_type, what, "a Feishu event is passed over");
                    Caused::Nothing
                }
                Ignored::OwnIdAwaited => {
                    warn!("a group message came before the bot's own id; it will come again");
                    Caused::Unclear
                }
                Ignored::UnknownType | Ignored::FromBot | Ignored::NotAddressed => {
                    debug!(event_type, ?why, "a Feishu event is not for us");
                    Caused::Nothing
                }
            },
        }
    }

    fn stand(&self, open_id: &str, delivery: &Delivery) -> Result<Stand, NoStand> {
        let user = UserId::new(Surface::Feishu, open_id).map_err(|why| {
            warn!(%why, "a Feishu event is passed over");
            NoStand::NoUser
        })?;
        let Some(share) = self.shares.take(&user, delivery.payload.len()) else {
            debug!(%user, id = delivery.id, "too much of one person in hand");
            return Err(NoStand::TooMany);
        };
        Ok(Stand {
            place: self.intake.line_up(&user),
            user,
            _share: share,
        })
    }
}
