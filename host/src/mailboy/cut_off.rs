//! Texts that were cut off, by a restart or by a model that gave no answer: each can be taken up again or let
//! go by a tap. Kept are a few of each person, for a while.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{TurnId, UserId};
use common::message::view::{Recovery, Tone};
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;
use tracing::warn;

use super::owner::{Owner, note};
use super::record::ChatRecord;
use super::{Job, Letter, live, tools};
use crate::journal::{Change, Shelf};

/// Texts of one person that can still be taken up; the oldest is let go.
const MOST: usize = 10;
/// For as long.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);

impl Owner {
    /// A choice on a text that was cut off.
    pub(super) async fn on_recover(
        &mut self,
        letter: Letter,
        turn: TurnId,
        choice: Recovery,
    ) -> bool {
        let Some(record) = self.record(turn).await else {
            return false;
        };
        let origin = &letter.origin;
        let mut changes = vec![Change::Done(letter.place)];
        if record.origin.user != origin.user {
            changes.push(origin.notice("not yours", HostText::NotYours.say(origin.lang)));
            self.context.commit(changes).await;
            return true;
        }
        if self.is_taken_up(&origin.user, turn) {
            self.context.commit(changes).await;
            return true;
        }
        match choice {
            Recovery::Continue => {
                let letter = Letter {
                    text: record.text.clone(),
                    ..letter
                };
                self.on_job(Job {
                    letter,
                    again: Some(record),
                })
                .await;
            }
            Recovery::Discard => {
                let text = MailText::Discarded;
                let rev = record.rev + 1;
                changes.push(note(&self.context, &record.origin, rev, Tone::Plain, &text));
                changes.push(record.taken());
                self.context.commit(changes).await;
            }
        }
        true
    }

    async fn record(&self, turn: TurnId) -> Option<ChatRecord> {
        let bytes = self.context.kept(Shelf::Chat, &turn.to_string()).await?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Texts that an earlier life of this host began: their cards say so, and offer to go on.
    pub(super) async fn find_cut_off(&mut self) {
        for records in self.records().await.into_values() {
            for mut record in records {
                if record.interrupt() {
                    record.rev += 1;
                    let card = live::cut_off(&self.context, &record);
                    self.context.commit(vec![card, record.kept()]).await;
                    // What its last tool asked, nobody waits for any more.
                    tools::withdraw(&self.context, &record.origin, record.calls).await;
                }
            }
        }
        for user in self.records().await.into_keys() {
            self.let_go_of_old(&user).await;
        }
    }

    /// Lets go of a person's texts that are too many, or too old.
    pub(super) async fn let_go_of_old(&mut self, user: &UserId) {
        let mut records = self.records().await.remove(user).unwrap_or_default();
        records.retain(|record| record.cut_off && !self.is_taken_up(user, record.turn));
        for record in old(records, Utc::now()) {
            let (origin, rev) = (&record.origin, record.rev + 1);
            let card = note(
                &self.context,
                origin,
                rev,
                Tone::Plain,
                &MailText::Discarded,
            );
            self.context.commit(vec![card, record.taken()]).await;
        }
    }

    /// All texts that are kept, by person. One that cannot be read is let go.
    async fn records(&self) -> HashMap<UserId, Vec<ChatRecord>> {
        let kept = self.context.shelf(Shelf::Chat).await.unwrap_or_default();
        let mut of: HashMap<UserId, Vec<ChatRecord>> = HashMap::new();
        for (key, bytes) in kept {
            match serde_json::from_slice::<ChatRecord>(&bytes) {
                Ok(record) => of
                    .entry(record.origin.user.clone())
                    .or_default()
                    .push(record),
                Err(why) => {
                    warn!(key, %why, "a text cannot be read and is let go");
                    self.context
                        .commit(vec![Change::Take(Shelf::Chat, key)])
                        .await;
                }
            }
        }
        of
    }

    /// Whether a text that was cut off runs or waits again.
    fn is_taken_up(&self, user: &UserId, turn: TurnId) -> bool {
        let Some(person) = self.people.get(user) else {
            return false;
        };
        let mut waiting = person.waiting.iter();
        let running = person.running.as_ref();
        running.is_some_and(|one| one.turn == turn || one.again == Some(turn))
            || waiting.any(|job| job.again.as_ref().is_some_and(|one| one.turn == turn))
    }
}

/// Those that are too many, or too old.
fn old(mut records: Vec<ChatRecord>, now: DateTime<Utc>) -> Vec<ChatRecord> {
    records.sort_by_key(|record| std::cmp::Reverse(record.at));
    let all = records.into_iter().enumerate();
    all.filter(|(at, record)| *at >= MOST || now - record.at > KEPT_FOR)
        .map(|(_, record)| record)
        .collect()
}
