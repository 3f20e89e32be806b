//! People and their sessions, as the desk knows them: numbers, the active one, what is kept of a
//! person.

use std::sync::Arc;

use common::ids::UserId;
use common::message::view::Tone;
use common::text::host::HostText;

use super::{Desk, Numbered};
use crate::cards;
use crate::context::Origin;
use crate::grounds::Grounds;
use crate::journal::Change;
use crate::record::{Mode, SessionRecord, UserRecord};
use crate::session::{Remains, SessionHandle};

impl Desk {
    /// A person's sessions, numbered by age from 1. Such as are being closed are none any more.
    pub(crate) fn mine(&self, user: &UserId) -> Vec<Numbered> {
        let mut mine: Vec<(SessionRecord, SessionHandle)> = self
            .sessions
            .values()
            .map(|handle| (handle.brief().record, handle.clone()))
            .filter(|(record, _)| record.user == *user)
            .collect();
        mine.sort_by_key(|(record, _)| (record.created_at, record.id));
        mine.into_iter()
            .enumerate()
            .map(|(at, (record, handle))| Numbered {
                n: at + 1,
                record,
                handle,
            })
            .collect()
    }

    /// The session that plain text goes to: the chosen one, else the only one.
    pub(crate) fn active(&self, user: &UserId) -> Option<Numbered> {
        let mut mine = self.mine(user);
        let chosen = self.users.get(user).and_then(|user| user.active);
        match mine.iter().position(|one| Some(one.record.id) == chosen) {
            Some(at) => Some(mine.swap_remove(at)),
            None if mine.len() == 1 => mine.pop(),
            None => None,
        }
    }

    /// Why no session is the active one.
    pub(crate) fn none_active(&self, user: &UserId) -> HostText {
        if self.mine(user).is_empty() {
            HostText::NoSession
        } else {
            HostText::NoneActive
        }
    }

    /// Where a person may be on this node.
    pub(crate) fn grounds(&self, user: &UserId) -> Grounds {
        let dir = self.active(user).map(|one| one.record.dir);
        let folders = self.sessions.values().map(|handle| {
            let record = handle.brief().record;
            (record.dir, record.user == *user)
        });
        Grounds::new(
            user.clone(),
            self.context.workdir.root().to_owned(),
            dir.unwrap_or_else(|| ".".into()),
            folders,
        )
    }

    /// What is kept of a person.
    pub(crate) fn user(&self, user: &UserId) -> UserRecord {
        self.users.get(user).cloned().unwrap_or_else(|| UserRecord {
            user: user.clone(),
            active: None,
            mode: Mode::default(),
            closing: Vec::new(),
        })
    }

    /// Begins a session: in the journal first, then its task.
    pub(crate) async fn open(&mut self, record: SessionRecord) {
        let mut user = self.user(&record.user);
        user.active = Some(record.id);
        self.keep(user, vec![Change::Session(Box::new(record.clone()))])
            .await;
        let id = record.id;
        let context = Arc::clone(&self.context);
        let handle = SessionHandle::start(context, record, Remains::default());
        self.sessions.insert(id, handle);
    }

    /// Keeps what changed of a person, with the answer to the act that changed it.
    pub(crate) async fn keep(&mut self, user: UserRecord, mut changes: Vec<Change>) {
        changes.push(Change::User(user.clone()));
        self.context.commit(changes).await;
        self.users.insert(user.user.clone(), user);
    }

    /// Makes a session the active one and says so.
    pub(crate) async fn make_active(&mut self, place: u64, origin: &Origin, session: &Numbered) {
        let mut user = self.user(&origin.user);
        user.active = Some(session.record.id);
        let text = HostText::Switched {
            n: session.n,
            dir: session.record.dir.clone(),
        };
        let view = cards::say(&self.context.name, origin.lang, Tone::Done, &text);
        self.keep(user, vec![origin.reply(view), Change::Done(place)])
            .await;
    }
}
