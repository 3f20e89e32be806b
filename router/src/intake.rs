//! From what a person did to who gets it: reads PW_IN, decides, carries the decision out, and only
//! then acknowledges. People in parallel, each person in order, also after a crash or a cut link.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, Lead, Outcome, consume};
use common::broker::lease::{Lease, Place};
use common::ids::NodeId;
use common::lang::Lang;
use common::message::decode;
use common::message::inbound::{Inbound, InboundBody};
use common::{stream, subject};
use tracing::{debug, warn};

use crate::act::Desk;
use crate::audit;
use crate::cards;
use crate::chooser;
use crate::dead;
use crate::decide::{self, Candidate, Decision, Facts, decide};
use crate::dispatch::Handed;
use crate::elsewhere::Elsewhere;
use crate::fan::{self, MAX_LINES};
use crate::remind;
use crate::users::{Stopped, User};
use crate::waiting::Tap;

/// Acts held at once, waiting ones included; the rest stays in the stream.
const IN_FLIGHT: usize = 256;
/// How long running acts may go on at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// Reads as long as we lead.
pub(crate) async fn run(desk: Arc<Desk>, broker: Broker, lease: &Lease) {
    let floor = Place {
        bucket: stream::KV_ROUTER.into(),
        key: "acts".into(),
    };
    let options = ConsumeOptions {
        stream: stream::IN,
        consumer: stream::IN_ROUTER,
        in_flight: IN_FLIGHT,
        drain: DRAIN,
        dead: Some(NodeId::ROUTER),
        lead: Some(Lead {
            lease,
            floor: &floor,
        }),
    };
    let handle = |delivery| {
        let desk = Arc::clone(&desk);
        async move { handle(&desk, delivery).await }
    };
    consume(&broker, options, lease.over().clone(), key, handle).await;
}

/// Messages and taps of one person are one order.
fn key(subject: &str) -> String {
    subject::parse_in(subject).map_or_else(|| subject.to_owned(), |user| user.to_string())
}

async fn handle(desk: &Desk, delivery: Delivery) -> Outcome {
    let inbound: Inbound = match decode("inbound", &delivery.payload) {
        Ok(inbound) => inbound,
        Err(why) => return Outcome::Dead(why.to_string()),
    };
    // The broker lets a gateway publish for the people of all surfaces; what it says must agree.
    if subject::parse_in(&delivery.subject).as_ref() != Some(&inbound.user) {
        return Outcome::Dead(format!("its subject and its user {} differ", inbound.user));
    }
    common::crash_point!("router.act.read");
    audit::heard(&desk.audit, &inbound);
    match decide_and_act(desk, &inbound, delivery.sequence, delivery.stored_at).await {
        Ok(()) => Outcome::Done,
        // It comes again, to us or to the next router.
        Err(Stopped) => Outcome::Again(Duration::ZERO),
    }
}

async fn decide_and_act(
    desk: &Desk,
    inbound: &Inbound,
    sequence: u64,
    at: DateTime<Utc>,
) -> Result<(), Stopped> {
    let mut user = desk.users.get(&inbound.user).await?;
    let lang = language(desk, inbound, &mut user).await?;
    let candidates = desk.candidates(&inbound.user).await;
    // An act that comes again after a crash is decided as it was the first time, though the person
    // may have changed machines since: it must not run on another one as well.
    // To whom it went, whatever machines are called now.
    let fan = desk
        .fans
        .get(&inbound.meta.cause)
        .map(|fan| fan.candidates());
    let active = user.active_at(sequence).cloned();
    let facts = Facts {
        candidates: fan.as_ref().unwrap_or(&candidates),
        active: active.as_ref(),
    };
    let chosen = match (user.routed(sequence), decide::open(&inbound.body, &facts)) {
        // As it was the first time, though rules may be sure by now: what was chosen is the active one.
        (Some(before), _) => chooser::carried(before),
        (None, Some(text)) => {
            chooser::choose(desk, inbound, &mut user, sequence, &facts, text).await?
        }
        (None, None) => None,
    };
    let decision = chosen.unwrap_or_else(|| decide(&inbound.body, &facts));
    audit::decided(&desk.audit, inbound, &decision);
    debug!(cause = %inbound.meta.cause, user = %inbound.user, ?decision, "decided");
    let replies = &desk.dispatch.replies;
    let view = match decision {
        Decision::Send(node) => {
            let Some(to) = candidates.iter().find(|one| one.node == node) else {
                // A decision names candidates only; this would be a defect.
                warn!(%node, "decided for a node that is no candidate");
                return replies
                    .show(inbound, "answer", cards::not_yours(lang, &node))
                    .await;
            };
            // The only one becomes the active one before anything goes out: another machine may
            // be added before this act comes again.
            let text = matches!(
                inbound.body,
                InboundBody::Text { .. } | InboundBody::Files { .. }
            );
            let chosen = text && user.active_at(sequence) != Some(&to.node);
            if chosen {
                user.choose(sequence, &to.node);
            }
            if user.uses(&to.node, Utc::now()) || chosen {
                desk.users.put(&inbound.user, &user).await?;
            }
            return hand(desk, inbound, sequence, to, lang).await;
        }
        Decision::At { node, text } => {
            // As it was the first time, whatever machines are called now.
            let node = user.addressed(sequence).cloned().unwrap_or(node);
            let Some(to) = candidates.iter().find(|one| one.node == node) else {
                return replies
                    .show(inbound, "answer", cards::not_yours(lang, &node))
                    .await;
            };
            if user.addressed(sequence).is_none() {
                user.address(sequence, node);
                user.uses(&to.node, Utc::now());
                desk.users.put(&inbound.user, &user).await?;
            }
            let said = Inbound {
                body: inbound.body.with_text(text),
                ..inbound.clone()
            };
            return hand(desk, &said, sequence, to, lang).await;
        }
        Decision::Fan { nodes, .. } if nodes.len() > MAX_LINES => {
            cards::fan::too_many(lang, nodes.len())
        }
        Decision::Fan { nodes, text } => {
            let to = nodes
                .iter()
                .filter_map(|node| facts.candidates.iter().find(|one| one.node == *node));
            let to: Vec<_> = to.cloned().collect();
            let now = Utc::now();
            let news = to.iter().filter(|one| user.uses(&one.node, now)).count();
            if news > 0 {
                desk.users.put(&inbound.user, &user).await?;
            }
            return fan::send(desk, inbound, sequence, &to, &text, lang).await;
        }
        Decision::Ask => {
            let view = cards::ask(lang, inbound.body.text(), &candidates, sequence);
            return replies.show(inbound, "ask", view).await;
        }
        Decision::Use { node, pending } => {
            return desk
                .choose(inbound, sequence, user, &candidates, &node, pending, lang)
                .await;
        }
        Decision::Dead { sequence, choice } => {
            return dead::tapped(desk, inbound, user, sequence, choice, lang).await;
        }
        Decision::Enrol { id, key, choice } => {
            let enrol = &desk.enrol;
            return enrol.tap(replies, inbound, &id, &key, choice, lang).await;
        }
        Decision::Waiting {
            node,
            cause,
            choice,
        } => {
            let tap = Tap {
                inbound,
                node: &node,
                cause: &cause,
                choice: &choice,
                candidates: &candidates,
                lang,
            };
            return desk.dispatch.waiting.tap(tap).await;
        }
        Decision::Chosen {
            node,
            active,
            reason,
        } => {
            let Some(to) = candidates.iter().find(|one| one.node == node) else {
                let view = cards::not_yours(lang, &node);
                return replies.show(inbound, "answer", view).await;
            };
            // Written down before, by whoever asked the model.
            hand(desk, inbound, sequence, to, lang).await?;
            let view = cards::route::chosen(lang, &to.name, active, &reason, sequence);
            return replies.show(inbound, "chosen", view).await;
        }
        Decision::OtherNode(pending) => {
            let tap = Elsewhere {
                desk,
                inbound,
                place: sequence,
                candidates: &candidates,
                pending,
                lang,
            };
            return tap.ask(user).await;
        }
        Decision::Remind(args) => {
            return remind::command::run(desk, inbound, user, &args, at, lang).await;
        }
        Decision::Reminder {
            reminder,
            due,
            choice,
        } => {
            let tapped = remind::command::tapped;
            return tapped(desk, inbound, reminder, due, choice, sequence, at, lang).await;
        }
        Decision::Lang(None) => cards::remind::language(lang, user.chosen_lang.is_some(), false),
        Decision::Lang(Some(chosen)) => {
            if user.chosen_lang != Some(chosen) {
                user.chosen_lang = Some(chosen);
                desk.users.put(&inbound.user, &user).await?;
            }
            cards::remind::language(chosen, true, true)
        }
        Decision::List => {
            let active = user.active.as_ref();
            desk.list(&inbound.user, &candidates, active, lang).await
        }
        Decision::NoNode => cards::no_nodes(lang, &inbound.user),
        Decision::NotFound { name, matches } => {
            cards::not_found(lang, &name, &matches, &candidates)
        }
        Decision::Unclear { name, matches } => {
            cards::fan::unclear(lang, &name, &matches, &candidates)
        }
        Decision::NoText => cards::fan::no_text(lang),
        Decision::Ours(command) => cards::fan::ours(lang, command),
        Decision::WrongUse(command) => cards::wrong_use(lang, command),
        Decision::NotYours(node) => cards::not_yours(lang, &node),
        Decision::Unsupported(what) => cards::unsupported(lang, &what),
        Decision::TooLong(bytes) => cards::too_long(lang, bytes),
    };
    replies.show(inbound, "answer", view).await
}

/// Gives an act to a node; that there is no room for it is told.
async fn hand(
    desk: &Desk,
    inbound: &Inbound,
    sequence: u64,
    to: &Candidate,
    lang: Lang,
) -> Result<(), Stopped> {
    match desk.dispatch.hand(inbound, sequence, to, lang).await? {
        Handed::Taken | Handed::RefusedBefore => Ok(()),
        Handed::Refused(why) => {
            let refusals = desk.dispatch.waiting.refusals();
            refusals.add(inbound, to, lang, why, sequence).await
        }
    }
}

/// The person's language: the one that they chose, else as their platform tells now, else as it was before, else
/// the default. Where neither platform nor owner say, writing Chinese says it.
async fn language(desk: &Desk, inbound: &Inbound, user: &mut User) -> Result<Lang, Stopped> {
    let written = || match desk.lang {
        Some(_) => None,
        None => Lang::written(inbound.body.text()),
    };
    let told = inbound.lang.or_else(written);
    if let Some(lang) = told.filter(|lang| user.lang != Some(*lang)) {
        user.lang = Some(lang);
        desk.users.put(&inbound.user, user).await?;
    }
    Ok(user.language().or(desk.lang).unwrap_or_default())
}
