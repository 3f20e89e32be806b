//! The desk at the start: what the journal and the system hold is given to the sessions, and what
//! belongs to none is settled here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Utc;
use common::ids::SessionId;
use common::message::view::Tone;
use common::text::host::HostText;
use tokio::sync::{mpsc, watch};

use super::Desk;
use super::closing::forget_gone;
use super::door::Knock;
use super::lane::Lanes;
use crate::agent::claude::Leftover;
use crate::beat::Load;
use crate::cards;
use crate::context::{Context, Origin};
use crate::journal::{Change, Snapshot};
use crate::record::PromptState;
use crate::session::recover::{self, Orphan};
use crate::session::{Remains, SessionHandle};

/// Sessions that have ended and that the desk has not looked at yet; their tasks wait.
const CLOSED: usize = 64;

impl Desk {
    /// Takes up what the journal and the system hold; sessions begin to recover at once.
    pub(crate) fn new(
        context: Arc<Context>,
        snapshot: Snapshot,
        mut left: Vec<Leftover>,
        load: watch::Sender<Load>,
        knocks: mpsc::Receiver<Knock>,
    ) -> Self {
        let Snapshot {
            mut users,
            sessions,
            mut turns,
            mut prompts,
            inbox: _,
        } = snapshot;
        let closing: BTreeSet<SessionId> = users
            .iter()
            .flat_map(|user| user.closing.iter().map(|closing| closing.session))
            .collect();
        let sessions: BTreeMap<SessionId, SessionHandle> = sessions
            .into_iter()
            .map(|record| {
                let id = record.id;
                let own = |session: &SessionId| *session == id;
                let remains = Remains {
                    turns: turns.extract_if(.., |turn| own(&turn.session)).collect(),
                    prompts: prompts
                        .extract_if(.., |prompt| own(&prompt.session))
                        .collect(),
                    processes: left
                        .extract_if(.., |left| recover::is_of(left, &record))
                        .collect(),
                    closing: closing.contains(&id),
                };
                let handle = SessionHandle::start(Arc::clone(&context), record, remains);
                (id, handle)
            })
            .collect();
        // Of sessions that were closed since.
        for left in left {
            let orphan = Orphan::from(left);
            context.tasks.spawn(async move { orphan.end().await });
        }
        for user in &mut users {
            forget_gone(user, |session| sessions.contains_key(&session));
        }
        let users = users
            .into_iter()
            .map(|user| (user.user.clone(), user))
            .collect();
        let (closed_in, closed) = mpsc::channel(CLOSED);
        Self {
            context,
            users,
            sessions,
            load,
            lanes: Lanes::default(),
            closed_in,
            closed,
            strays: (turns, prompts),
            seats: super::beside::Seats::default(),
            knocks,
            arrivals: super::files::Arrivals::default(),
        }
    }

    /// Ends the sessions that were being closed when we died.
    pub(super) fn go_on_closing(&mut self) {
        let all: Vec<_> = self
            .users
            .values()
            .flat_map(|user| {
                let closing = user.closing.iter().cloned();
                closing.map(|closing| (user.user.clone(), closing))
            })
            .collect();
        for (owner, closing) in all {
            if let Some(handle) = self.sessions.remove(&closing.session) {
                self.end(owner, closing, handle, None);
            }
        }
    }

    /// Turns and questions without a session, which only a failure of ours leaves: their cards are
    /// settled, as nobody else will.
    pub(super) async fn let_go_of_strays(&mut self) {
        let (turns, prompts) = std::mem::take(&mut self.strays);
        let name = self.context.name.clone();
        for turn in turns {
            let view = cards::say(&name, turn.lang, Tone::Plain, &HostText::Discarded);
            let from = Origin {
                user: turn.user.clone(),
                chat: turn.chat.clone(),
                cause: turn.cause.clone(),
                lang: turn.lang,
                traceparent: turn.traceparent.clone(),
            };
            let card = from.card(turn.card, turn.rev + 1, view);
            let changes = vec![card, Change::DropTurn(turn.id)];
            self.context.commit(changes).await;
        }
        for mut prompt in prompts {
            if prompt.state != PromptState::Open {
                continue;
            }
            prompt.state = PromptState::Withdrawn { at: Utc::now() };
            let view = cards::say(&name, prompt.lang, Tone::Plain, &HostText::Withdrawn);
            let from = Origin {
                user: prompt.user.clone(),
                chat: prompt.chat.clone(),
                cause: prompt.cause.clone(),
                lang: prompt.lang,
                traceparent: String::new(),
            };
            let card = from.card(prompt.card, 2, view);
            let changes = vec![card, Change::Prompt(Box::new(prompt))];
            self.context.commit(changes).await;
        }
    }
}
