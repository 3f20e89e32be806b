//! A reminder as it is kept: the bucket PW_REMIND is the truth of what is set, and of what came of it.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use common::ids::{CardId, CauseId, MessageId, UserId};
use common::message::inbound::{Chat, ChatKind};
use common::text::router::remind::Often;
use serde::{Deserialize, Serialize};

use super::repeat::Repeat;
use crate::kept;

/// A reminder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reminder {
    pub(crate) id: MessageId,
    pub(crate) user: UserId,
    /// Where it was set, and is shown.
    pub(crate) chat: Chat,
    /// What led to it.
    pub(crate) cause: CauseId,
    #[serde(default)]
    pub(crate) traceparent: String,
    pub(crate) text: String,
    /// Whose clock counts: the name of a zone.
    pub(crate) zone: String,
    /// By which the person names it while it waits.
    pub(crate) number: u32,
    /// When it was set.
    pub(crate) from: DateTime<Utc>,
    /// When it comes; of a series, when it comes next.
    pub(crate) due: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) again: Option<Repeat>,
    pub(crate) state: State,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum State {
    /// It will come.
    Waits,
    /// It came.
    Came {
        /// When.
        at: DateTime<Utc>,
    },
    /// It was taken back.
    Cancelled {
        /// When.
        at: DateTime<Utc>,
        /// By which act.
        by: CauseId,
    },
}

impl Reminder {
    pub(crate) fn waits(&self) -> bool {
        self.state == State::Waits
    }

    /// Since when it is over.
    pub(crate) fn over(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            State::Waits => None,
            State::Came { at } | State::Cancelled { at, .. } => Some(*at),
        }
    }

    /// The zone; UTC if nobody knows it any more.
    pub(crate) fn zone(&self) -> Tz {
        self.zone.parse().unwrap_or(Tz::UTC)
    }

    /// A moment by the person's clock, to the second.
    pub(crate) fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        local(at, self.zone())
    }

    /// The card that says that it is set.
    pub(crate) fn card(&self) -> CardId {
        CardId::derived(&["reminder", &self.user.to_string(), &self.id.to_string()])
    }

    /// How often, in words' terms.
    pub(crate) fn often(&self) -> Option<Often> {
        self.again.as_ref().map(|again| match again {
            Repeat::Every { seconds } => Often::Every { seconds: *seconds },
            Repeat::Days { days, minute } => Often::Days {
                days: days.each().collect(),
                minute: *minute,
            },
            Repeat::Month { day, minute } => Often::Month {
                day: *day,
                minute: *minute,
            },
            Repeat::Cron { fields } => Often::Cron {
                fields: fields.clone(),
            },
        })
    }
}

/// The card of the time that was due then; of this person's, whatever else is said.
pub(crate) fn card_of(user: &UserId, id: MessageId, due: i64) -> CardId {
    CardId::derived(&[
        "reminder",
        &user.to_string(),
        &id.to_string(),
        &due.to_string(),
    ])
}

pub(crate) fn local(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let at = at.with_timezone(&zone).naive_local();
    let nanos = i64::from(chrono::Timelike::nanosecond(&at));
    at.checked_sub_signed(TimeDelta::nanoseconds(nanos))
        .unwrap_or(at)
}

/// Where it is shown when it comes: not as a reply to what may be years old, except in a topic, which is
/// a place of its own.
pub(crate) fn place(chat: &Chat) -> Chat {
    let message = match chat.kind {
        ChatKind::Direct | ChatKind::Group => None,
        ChatKind::Thread => chat.message.clone(),
    };
    Chat {
        message,
        ..chat.clone()
    }
}

impl kept::Record for Reminder {
    type Key = MessageId;
    type Group = UserId;
    const WHAT: &'static str = "reminder";
    const PREFIX: &'static str = "reminder.";

    fn key(&self) -> MessageId {
        self.id
    }

    fn group(&self) -> Option<UserId> {
        Some(self.user.clone())
    }

    fn place(key: &MessageId) -> String {
        format!("{}{key}", Self::PREFIX)
    }
}
