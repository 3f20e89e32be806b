//! Hands a message out to several nodes. An act that comes again goes on where it was: to whom it
//! goes was written down before anything went out, and a node has its part once.

use common::ids::NodeId;
use common::lang::Lang;
use common::message::Meta;
use common::message::inbound::Inbound;
use tracing::info;

use super::LineState;
use crate::act::Desk;
use crate::cards;
use crate::decide::Candidate;
use crate::dispatch::Handed;
use crate::users::Stopped;

/// Sends `text` of the act at `place` of PW_IN to these nodes; returns when every stream has it, or
/// has refused it, and that is written down.
pub(crate) async fn send(
    desk: &Desk,
    inbound: &Inbound,
    place: u64,
    to: &[Candidate],
    text: &str,
    lang: Lang,
) -> Result<(), Stopped> {
    let (fans, dispatch) = (&desk.fans, &desk.dispatch);
    let quote = cards::quote(text);
    let Some(fan) = fans.begin(inbound, lang, &quote, to).await? else {
        return Ok(());
    };
    common::crash_point!("router.fan.kept");
    info!(cause = %fan.cause, user = %fan.user, nodes = fan.lines.len(), "to several nodes");
    // Before the parts, so that it stands above their answers.
    super::show::card(&dispatch.replies, &fan).await?;
    let mut outcomes = Vec::new();
    for one in fan.candidates() {
        let line = fan.lines.iter().find(|line| line.node == one.node);
        if line.is_none_or(|line| line.state != LineState::Pending) {
            continue;
        }
        let part = part(inbound, &one.node, text);
        let state = match dispatch.hand(&part, place, &one, lang).await? {
            Handed::Taken | Handed::RefusedBefore => LineState::Sent,
            Handed::Refused(why) => LineState::Refused { why },
        };
        outcomes.push((one.node, state));
    }
    fans.handed_out(&fan.cause, &outcomes).await
}

/// What one node gets: an act of its own.
fn part(inbound: &Inbound, node: &NodeId, text: &str) -> Inbound {
    let whole = &inbound.meta;
    Inbound {
        meta: Meta {
            cause: whole.cause.at_node(node),
            ..whole.clone()
        },
        body: inbound.body.with_text(text.to_owned()),
        ..inbound.clone()
    }
}
