//! Questions of commands and tools: may this be done? Each has a card with [Allow once] and [Deny], and a
//! short message that rings. Sessions ask for their agents themselves.
//!
//! A question is known by what caused it and a key. It is written down with its card in one step, and
//! the answer with the tap that gave it. So whoever asks again after a restart waits at the same card, or
//! has the answer that was given while nobody listened.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::audit::Entry;
use common::ids::{CardId, PromptId};
use common::message::view::{Answer, View};
use common::text::Say as _;
use common::text::host::HostText;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::cards::{self, Frame};
use crate::context::{Context, Origin};
use crate::journal::{Change, Shelf};
use crate::record::{Ask, PromptState};

/// Requests on their way to the owner; above that, whoever asks waits.
const MAILBOX: usize = 64;
/// A late tap is told what came of its question for as long.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);
/// A second tap within moments is the same finger.
const SAME_FINGER: TimeDelta = TimeDelta::seconds(10);
/// How often questions that nobody answers are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may be done, this once.
    Allowed,
    /// It may not.
    Denied,
    /// Nobody answered in time, which counts as a no.
    Expired,
    /// It was taken back, or we are stopping: nothing is to be done.
    Stopped,
}

/// A question that is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    /// What came of it.
    pub(crate) verdict: Verdict,
    /// Where it would be done, as its card said.
    pub(crate) dir: String,
}

/// A question as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Confirm {
    id: PromptId,
    origin: Origin,
    /// Where it would be done, for the card's title.
    dir: String,
    ask: Ask,
    state: PromptState,
    asked_at: DateTime<Utc>,
}

enum Request {
    Ask {
        id: PromptId,
        origin: Box<Origin>,
        dir: String,
        ask: Box<Ask>,
        given: oneshot::Sender<Given>,
    },
    Withdraw(PromptId),
    Tap {
        place: u64,
        origin: Box<Origin>,
        id: PromptId,
        answer: Answer,
        known: oneshot::Sender<bool>,
    },
}

/// A handle on the questions. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Confirms {
    requests: mpsc::Sender<Request>,
}

/// Where the owner hears what is asked of it.
pub(crate) struct Inbox(mpsc::Receiver<Request>);

impl Confirms {
    /// A handle, and what [`run`] needs; the questions wait until that runs.
    pub(crate) fn new() -> (Self, Inbox) {
        let (requests, inbox) = mpsc::channel(MAILBOX);
        (Self { requests }, Inbox(inbox))
    }

    /// Asks the person behind `origin`, and waits for as long as it takes. `key` tells this question
    /// from others of the same cause; `dir` is where it would be done. A question that was asked before
    /// stays as it was asked.
    pub(crate) async fn ask(&self, origin: &Origin, key: &str, dir: &str, ask: Ask) -> Given {
        let stopped = Given {
            verdict: Verdict::Stopped,
            dir: dir.to_owned(),
        };
        let (given, answer) = oneshot::channel();
        let request = Request::Ask {
            id: id_of(origin, key),
            origin: Box::new(origin.clone()),
            dir: dir.to_owned(),
            ask: Box::new(ask),
            given,
        };
        if self.requests.send(request).await.is_err() {
            return stopped;
        }
        answer.await.unwrap_or(stopped)
    }

    /// Takes a question back that is still open; whoever waits for it hears [`Verdict::Stopped`].
    pub(crate) async fn withdraw(&self, origin: &Origin, key: &str) {
        let request = Request::Withdraw(id_of(origin, key));
        let _ = self.requests.send(request).await;
    }

    /// A tap on a question. True: it was one of these, and the act is settled.
    pub(crate) async fn tap(
        &self,
        place: u64,
        origin: &Origin,
        id: PromptId,
        answer: Answer,
    ) -> bool {
        let (known, told) = oneshot::channel();
        let request = Request::Tap {
            place,
            origin: Box::new(origin.clone()),
            id,
            answer,
            known,
        };
        self.requests.send(request).await.is_ok() && told.await.unwrap_or(false)
    }
}

fn id_of(origin: &Origin, key: &str) -> PromptId {
    PromptId::derived(&[origin.cause.as_str(), "confirm", key])
}

/// Owner of all questions of this node. Who asks bounds how many are open: a few of each person.
struct Owner {
    context: Arc<Context>,
    known: HashMap<PromptId, Confirm>,
    waiting: HashMap<PromptId, Vec<oneshot::Sender<Given>>>,
}

/// Keeps the questions until the host ends.
pub(crate) async fn run(context: Arc<Context>, mut inbox: Inbox) {
    let cancel = context.cancel.clone();
    let kept = context.shelf(Shelf::Confirm).await.unwrap_or_default();
    let known = kept
        .into_iter()
        .filter_map(|(key, bytes)| match serde_json::from_slice(&bytes) {
            Ok(confirm) => Some(confirm),
            Err(why) => {
                warn!(key, %why, "a question cannot be read and is left alone");
                None
            }
        })
        .map(|confirm: Confirm| (confirm.id, confirm))
        .collect();
    let mut owner = Owner {
        context,
        known,
        waiting: HashMap::new(),
    };
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = look.tick() => owner.look().await,
            request = inbox.0.recv() => match request {
                Some(request) => owner.on(request).await,
                None => return,
            },
        }
    }
}

impl Owner {
    async fn on(&mut self, request: Request) {
        match request {
            Request::Ask {
                id,
                origin,
                dir,
                ask,
                given,
            } => self.on_ask(id, *origin, dir, *ask, given).await,
            Request::Withdraw(id) => {
                let at = Utc::now();
                self.settle(id, PromptState::Withdrawn { at }, Vec::new())
                    .await;
            }
            Request::Tap {
                place,
                origin,
                id,
                answer,
                known,
            } => {
                let told = self.on_tap(place, &origin, id, answer).await;
                let _ = known.send(told);
            }
        }
    }

    async fn on_ask(
        &mut self,
        id: PromptId,
        origin: Origin,
        dir: String,
        ask: Ask,
        given: oneshot::Sender<Given>,
    ) {
        if let Some(known) = self.known.get(&id) {
            match known.given() {
                Some(before) => drop(given.send(before)),
                None => self.waiting.entry(id).or_default().push(given),
            }
            return;
        }
        let confirm = Confirm {
            id,
            origin,
            dir,
            ask,
            state: PromptState::Open,
            asked_at: Utc::now(),
        };
        let rings = HostText::Rings {
            dir: confirm.dir.clone(),
            tool: confirm.ask.tool.clone(),
        };
        let rings = rings.say(confirm.origin.lang);
        let notice = confirm.origin.notice(&format!("rings {id}"), rings);
        // Dying before this step, it is asked again; after it, whoever asks finds it.
        let changes = vec![kept(&confirm), self.card(&confirm, 1), notice];
        if self.context.commit(changes).await {
            self.known.insert(id, confirm);
            self.waiting.entry(id).or_default().push(given);
        }
    }

    async fn on_tap(&mut self, place: u64, from: &Origin, id: PromptId, answer: Answer) -> bool {
        let Some(confirm) = self.known.get(&id) else {
            return false;
        };
        let mut changes = vec![Change::Done(place)];
        if confirm.origin.user != from.user {
            let text = HostText::NotYours.say(from.lang);
            changes.push(from.notice("not yours", text));
            self.context.commit(changes).await;
            return true;
        }
        if confirm.state == PromptState::Open {
            let at = Utc::now();
            let state = PromptState::Answered { answer, at };
            self.settle(id, state, changes).await;
            return true;
        }
        let late = match &confirm.state {
            PromptState::Answered { at, .. } if Utc::now() - *at < SAME_FINGER => None,
            PromptState::Answered { .. } | PromptState::Expired { .. } => self
                .how(&confirm.state)
                .map(|how| HostText::AnsweredBefore {
                    how: how.say(from.lang),
                }),
            PromptState::Withdrawn { .. } | PromptState::CutOff { .. } | PromptState::Open => {
                Some(HostText::NobodyAsks)
            }
        };
        changes.extend(late.map(|text| from.notice("late", text.say(from.lang))));
        self.context.commit(changes).await;
        true
    }

    /// Settles an open question: in the journal and on its card first, then with whoever asked.
    async fn settle(&mut self, id: PromptId, state: PromptState, mut with: Vec<Change>) {
        let Some(confirm) = self.known.get(&id) else {
            return;
        };
        if confirm.state != PromptState::Open {
            return;
        }
        let settled = Confirm {
            state,
            ..confirm.clone()
        };
        with.push(kept(&settled));
        with.push(self.card(&settled, 2));
        if !self.context.commit(with).await {
            return;
        }
        common::crash_point!("host.confirm.kept");
        if let Some(given) = settled.given() {
            for waiting in self.waiting.remove(&id).unwrap_or_default() {
                let _ = waiting.send(given.clone());
            }
        }
        self.known.insert(id, settled);
    }

    /// Expires what nobody answered, and forgets what is long over.
    async fn look(&mut self) {
        let now = Utc::now();
        let waits = self.context.agents.question_waits;
        let all = self.known.values();
        let expired: Vec<PromptId> = all
            .filter(|confirm| confirm.state == PromptState::Open)
            .filter(|confirm| (now - confirm.asked_at).to_std().unwrap_or_default() >= waits)
            .map(|confirm| confirm.id)
            .collect();
        for id in expired {
            self.settle(id, PromptState::Expired { at: now }, Vec::new())
                .await;
        }
        let old = |_: &PromptId, confirm: &mut Confirm| {
            confirm.state != PromptState::Open && now - confirm.asked_at > KEPT_FOR
        };
        let old: Vec<_> = self.known.extract_if(old).map(|(id, _)| id).collect();
        if !old.is_empty() {
            let take = |id: &PromptId| Change::Take(Shelf::Confirm, id.to_string());
            self.context.commit(old.iter().map(take).collect()).await;
        }
    }

    fn card(&self, confirm: &Confirm, rev: u32) -> Change {
        let view = self.view(confirm);
        let card = CardId::derived(&[&confirm.id.to_string(), "card"]);
        confirm.origin.card(card, rev, view)
    }

    fn view(&self, confirm: &Confirm) -> View {
        let frame = Frame {
            node: &self.context.name,
            dir: &confirm.dir,
            lang: confirm.origin.lang,
        };
        let how = self.how(&confirm.state);
        let node = &self.context.node;
        cards::confirm(frame, &confirm.ask, node, confirm.id, how.as_ref())
    }

    fn how(&self, state: &PromptState) -> Option<HostText> {
        crate::session::settled(&self.context, state)
    }
}

fn kept(confirm: &Confirm) -> Change {
    // A record of ours always becomes JSON.
    let bytes = serde_json::to_vec(confirm).unwrap_or_default();
    Change::Put(Shelf::Confirm, confirm.id.to_string(), bytes)
}

/// What a record of the shelf means for the audit; none if it cannot be read.
pub(crate) fn line(bytes: &[u8]) -> Option<Entry> {
    let confirm: Confirm = serde_json::from_slice(bytes).ok()?;
    let (kind, outcome) = crate::audit::settled(&confirm.state);
    let what = [confirm.ask.tool.as_str(), confirm.ask.body.as_str()].join(": ");
    let line = confirm.origin.entry(kind).prompt(confirm.id);
    Some(line.dir(confirm.dir).what(what).outcome(outcome))
}

impl Confirm {
    /// What came of it; none while it is open.
    fn given(&self) -> Option<Given> {
        let verdict = match &self.state {
            PromptState::Open => return None,
            PromptState::Answered { answer, .. } => match answer {
                Answer::AllowOnce | Answer::AllowSession => Verdict::Allowed,
                Answer::Deny => Verdict::Denied,
            },
            PromptState::Expired { .. } => Verdict::Expired,
            PromptState::Withdrawn { .. } | PromptState::CutOff { .. } => Verdict::Stopped,
        };
        let dir = self.dir.clone();
        Some(Given { verdict, dir })
    }
}
