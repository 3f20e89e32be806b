//! Carries out what concerns nodes and not what runs on them: who serves a person, `/nodes`, and
//! choosing a node, with the message that waited for the choice.

use std::time::Duration;

use async_nats::jetstream::stream::RawMessageErrorKind;
use chrono::Utc;
use common::audit::Audit;
use common::ids::{NodeId, UserId};
use common::lang::Lang;
use common::message::decode;
use common::message::inbound::{Inbound, InboundBody};
use common::message::view::View;
use common::stream;
use tracing::{debug, warn};

use crate::cards::{self, Row};
use crate::chooser::Chooser;
use crate::decide::Candidate;
use crate::dispatch::{Dispatch, Handed};
use crate::elsewhere::{self, Elsewhere};
use crate::enrol::Enrol;
use crate::fan::Fans;
use crate::presence::{Presence, State};
use crate::registry::Registry;
use crate::remind::Reminders;
use crate::reply::card_of;
use crate::users::{Stopped, User, Users};

/// Everything that acting on a decision needs.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) registry: Registry,
    pub(crate) presence: Presence,
    pub(crate) users: Users,
    pub(crate) dispatch: Dispatch,
    pub(crate) fans: Fans,
    pub(crate) enrol: Enrol,
    pub(crate) audit: Audit,
    pub(crate) reminders: Reminders,
    /// Asked where rules do not decide, if there is one.
    pub(crate) chooser: Option<Chooser>,
    /// For people whose platform does not tell theirs.
    pub(crate) lang: Option<Lang>,
}

/// The nodes that serve a person: those the hub grants, unless the node's own list says no.
/// Sorted by id.
pub(crate) async fn candidates(
    registry: &Registry,
    presence: &Presence,
    user: &UserId,
) -> Vec<Candidate> {
    let granted: Vec<_> = registry.serving(user);
    let seen = presence
        .of(granted.iter().map(|(node, _)| node.clone()).collect())
        .await;
    granted
        .into_iter()
        .filter_map(|(node, one)| {
            let seen = seen.get(&node);
            if seen.is_some_and(|seen| !seen.serves.is_empty() && !seen.serves.contains(user)) {
                return None;
            }
            // What the hub calls it, else what it calls itself, else its id.
            let own = seen.map(|seen| seen.name.clone()).unwrap_or_default();
            let name = [one.name.clone(), own]
                .into_iter()
                .find(|name| !name.trim().is_empty());
            let name = name.unwrap_or_else(|| node.to_string());
            Some(Candidate { node, name })
        })
        .collect()
}

impl Desk {
    /// The nodes that serve a person.
    pub(crate) async fn candidates(&self, user: &UserId) -> Vec<Candidate> {
        candidates(&self.registry, &self.presence, user).await
    }

    /// Whether a node may be the reason that a person is asked something. One that was removed may: it
    /// says nothing new, and what it said before counts.
    pub(crate) fn may_ask(&self, node: &NodeId, user: &UserId) -> bool {
        let nodes = self.registry.nodes();
        nodes.get(node).is_none_or(|one| one.serves.lets_in(user))
    }

    /// The card of `/nodes`.
    pub(crate) async fn list(
        &self,
        user: &UserId,
        candidates: &[Candidate],
        active: Option<&NodeId>,
        lang: Lang,
    ) -> View {
        let now = Utc::now();
        let nodes = candidates.iter().map(|one| one.node.clone()).collect();
        let line = self.dispatch.waiting.line();
        let (seen, queued) = tokio::join!(self.presence.of(nodes), line.queued(user));
        // The only node gets everything, chosen or not.
        let only = candidates.len() == 1;
        let row = |one: &Candidate| {
            let seen = seen.get(&one.node);
            Row {
                node: one.node.clone(),
                name: one.name.clone(),
                state: seen.map_or(State::Never, |seen| seen.state(now)),
                last: seen.map(|seen| seen.last),
                sessions: seen.map_or(0, |seen| seen.sessions),
                running: seen.map_or(0, |seen| seen.running),
                load: seen.and_then(|seen| seen.load),
                description: seen.map_or_else(String::new, |seen| seen.description.clone()),
                queued: queued
                    .as_ref()
                    .map(|queued| queued.get(&one.node).copied().unwrap_or_default()),
                trouble: seen.and_then(|seen| seen.trouble.clone()),
                version: seen.map(|seen| seen.version.clone()).unwrap_or_default(),
                active: only || active == Some(&one.node),
            }
        };
        cards::nodes(lang, &candidates.iter().map(row).collect::<Vec<_>>(), now)
    }

    /// Makes `node` the active one, by the act at `place` of PW_IN, and sends it the message at
    /// `pending`, if one waits. The first choice for a message counts; the same choice again changes
    /// nothing.
    #[expect(clippy::too_many_arguments, reason = "all that is known of one act")]
    pub(crate) async fn choose(
        &self,
        inbound: &Inbound,
        place: u64,
        mut user: User,
        candidates: &[Candidate],
        node: &NodeId,
        pending: Option<u64>,
        lang: Lang,
    ) -> Result<(), Stopped> {
        let replies = &self.dispatch.replies;
        let name_of = |node: &NodeId| {
            let known = candidates.iter().find(|one| one.node == *node);
            known.map_or_else(|| node.to_string(), |one| one.name.clone())
        };
        let to = Candidate {
            node: node.clone(),
            name: name_of(node),
        };
        let waiting = match pending {
            Some(sequence) => self.waiting(&inbound.user, sequence).await?,
            None => None,
        };
        if let (Some(pending), Some(message)) = (pending, &waiting)
            && let Some(to) = elsewhere::routed(&user, pending)
        {
            let tap = Elsewhere {
                desk: self,
                inbound,
                place,
                candidates,
                pending,
                lang,
            };
            return tap.send(user, message, &to, node).await;
        }
        let first = pending.and_then(|sequence| user.decided(sequence).cloned());
        if let Some(first) = first.filter(|first| first != node) {
            let view = cards::already_sent(lang, &name_of(&first));
            return match &waiting {
                Some(waiting) => {
                    replies
                        .card(inbound, "answer", card_of(waiting, "ask"), 3, view)
                        .await
                }
                None => replies.show(inbound, "answer", view).await,
            };
        }
        let mut changed = user.clone();
        changed.choose(place, node);
        if let (Some(sequence), Some(_)) = (pending, &waiting)
            && user.decided(sequence).is_none()
        {
            changed.decide(sequence, node.clone());
        }
        // Before the work goes out, so that no second choice can send it elsewhere.
        changed.uses(node, Utc::now());
        if changed != user {
            user = changed;
            self.users.put(&inbound.user, &user).await?;
            common::crash_point!("router.choice.kept");
        }
        match (pending, waiting) {
            (None, _) => {
                let state = self.presence.check(node).await;
                let view = cards::using(lang, &to.name, state, Utc::now());
                replies.show(inbound, "answer", view).await
            }
            (Some(_), None) => {
                replies
                    .show(inbound, "answer", cards::expired(lang, &to.name))
                    .await
            }
            (Some(sequence), Some(waiting)) => {
                let view = match self.dispatch.hand(&waiting, sequence, &to, lang).await? {
                    Handed::Taken => cards::sent(lang, &to.name),
                    Handed::Refused(why) => cards::waiting::refused(lang, &to.name, why, 1),
                    Handed::RefusedBefore => return Ok(()),
                };
                replies
                    .card(inbound, "answer", card_of(&waiting, "ask"), 2, view)
                    .await
            }
        }
    }

    /// The message at that place of PW_IN, if it is there, a text, and this person's own. Waits for
    /// the broker where it must.
    pub(crate) async fn waiting(
        &self,
        user: &UserId,
        sequence: u64,
    ) -> Result<Option<Inbound>, Stopped> {
        let raw = loop {
            let read = async {
                let acts = self
                    .dispatch
                    .broker
                    .jetstream()
                    .get_stream_no_info(stream::IN)
                    .await
                    .map_err(|why| Some(why.to_string()))?;
                acts.get_raw_message(sequence)
                    .await
                    .map_err(|why| match why.kind() {
                        RawMessageErrorKind::NoMessageFound
                        | RawMessageErrorKind::InvalidSubject
                        | RawMessageErrorKind::JetStream(_) => None,
                        RawMessageErrorKind::Other => Some(why.to_string()),
                    })
            };
            match read.await {
                Ok(raw) => break raw,
                Err(None) => return Ok(None),
                Err(Some(why)) => debug!(sequence, %why, "a waiting message cannot be read; again"),
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(300)) => {}
                () = self.dispatch.cancel.cancelled() => return Err(Stopped),
            }
        };
        match decode::<Inbound>("inbound", &raw.payload) {
            Ok(found) if found.user != *user => {
                warn!(%user, sequence, "a tap names a message of somebody else; refused");
                Ok(None)
            }
            Ok(found) => match found.body {
                InboundBody::Text { .. } | InboundBody::Files { .. } => Ok(Some(found)),
                InboundBody::Unsupported { .. }
                | InboundBody::TooLong { .. }
                | InboundBody::Tap { .. } => {
                    warn!(%user, sequence, "a tap names an act that never waits; refused");
                    Ok(None)
                }
            },
            Err(why) => {
                warn!(%user, sequence, %why, "a waiting message cannot be read");
                Ok(None)
            }
        }
    }
}
