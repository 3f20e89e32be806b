//! Every subject and stream name, built and parsed here and nowhere else.
//!
//! Tokens come from `ids`, so nothing in a subject is free text. Who may use which subject is
//! `identity`'s table; how streams over them are kept is `stream`'s.

use crate::ids::{BootId, MessageId, NodeId, Surface, TurnId, UserId};
use crate::message::control::Verb;

/// All that people do: `pw.in.<surface>.<user>.msg|card`.
pub const IN_ALL: &str = "pw.in.>";
/// All that nodes are to do: `pw.work.<node>.<surface>.<user>`.
pub const WORK_ALL: &str = "pw.work.>";
/// All that is to be shown: `pw.out.<node>.<surface>.<user>`.
pub const OUT_ALL: &str = "pw.out.>";
/// All signs of life: `pw.hb.<node>`.
pub const HEARTBEAT_ALL: &str = "pw.hb.*";

/// Where a machine that is not enrolled asks to be let in.
pub const ENROL: &str = "pw.enrol";

/// What a person wrote.
pub fn inbound_message(user: &UserId) -> String {
    format!("pw.in.{}.{}.msg", user.surface(), user.native())
}

/// What a person tapped.
pub fn inbound_card(user: &UserId) -> String {
    format!("pw.in.{}.{}.card", user.surface(), user.native())
}

/// Work of one person for one node.
pub fn work(node: &NodeId, user: &UserId) -> String {
    format!("pw.work.{node}.{}.{}", user.surface(), user.native())
}

/// All work for one node: its consumer's filter.
pub fn work_of(node: &NodeId) -> String {
    format!("pw.work.{node}.>")
}

/// All work of one person, for whichever node.
pub fn work_by(user: &UserId) -> String {
    format!("pw.work.*.{}.{}", user.surface(), user.native())
}

/// What a node shows a person.
pub fn out(node: &NodeId, user: &UserId) -> String {
    format!("pw.out.{node}.{}.{}", user.surface(), user.native())
}

/// What the router itself shows a person.
pub fn out_router(user: &UserId) -> String {
    format!(
        "pw.out.{}.{}.{}",
        NodeId::ROUTER,
        user.surface(),
        user.native()
    )
}

/// All that is to be shown on one surface: its consumer's filter.
pub fn out_of(surface: Surface) -> String {
    format!("pw.out.*.{surface}.*")
}

/// All reports of how turns go: `pw.turn.<node>.<surface>.<user>`.
pub const TURN_ALL: &str = "pw.turn.>";

/// How a node's turns of a person go.
pub fn turn(node: &NodeId, user: &UserId) -> String {
    format!("pw.turn.{node}.{}.{}", user.surface(), user.native())
}

/// Reads `pw.turn.<node>.<surface>.<user>`; none if it is not one.
pub fn parse_turn(subject: &str) -> Option<(NodeId, UserId)> {
    let (node, user) = three_after("pw.turn.", subject)?;
    Some((node.parse().ok()?, user))
}

/// How a running turn looks right now.
pub fn delta(node: &NodeId, user: &UserId, turn: TurnId) -> String {
    format!(
        "pw.delta.{node}.{}.{}.{turn}",
        user.surface(),
        user.native()
    )
}

/// All previews for one surface.
pub fn delta_of(surface: Surface) -> String {
    format!("pw.delta.*.{surface}.*.*")
}

/// A node's sign of life.
pub fn heartbeat(node: &NodeId) -> String {
    format!("pw.hb.{node}")
}

/// A live request to one start of a node.
pub fn control(node: &NodeId, boot: BootId, verb: Verb) -> String {
    format!("pw.ctl.{node}.{boot}.{}", verb.as_str())
}

/// All live requests to one start of a node.
pub fn control_of(node: &NodeId, boot: BootId) -> String {
    format!("pw.ctl.{node}.{boot}.*")
}

/// All dead letters: `pw.dead.<who>.<surface>.<user>`; who is a node, `router` or `gateway`.
pub const DEAD_ALL: &str = "pw.dead.>";

/// What `who` (a node's id, [`NodeId::ROUTER`] or [`NodeId::GATEWAY`]) could not handle of a
/// person's.
pub fn dead(who: &str, user: &UserId) -> String {
    format!("pw.dead.{who}.{}.{}", user.surface(), user.native())
}

/// Reads `pw.dead.<who>.<surface>.<user>`; none if it is not one.
pub fn parse_dead(subject: &str) -> Option<(&str, UserId)> {
    three_after("pw.dead.", subject)
}

/// All pieces of files on their way to chats: `pw.up.<node>.<xfer>.<n>`.
pub const UP_ALL: &str = "pw.up.>";
/// All pieces of files on their way to nodes: `pw.down.<node>.<xfer>.<n>`, and `.head`.
pub const DOWN_ALL: &str = "pw.down.>";

/// A piece of a file that a node sends.
pub fn up(node: &NodeId, xfer: MessageId, n: u32) -> String {
    format!("pw.up.{node}.{xfer}.{n}")
}

/// A piece of a file that a node asked for.
pub fn down(node: &NodeId, xfer: MessageId, n: u32) -> String {
    format!("pw.down.{node}.{xfer}.{n}")
}

/// How a file that a node asked for comes along.
pub fn down_head(node: &NodeId, xfer: MessageId) -> String {
    format!("pw.down.{node}.{xfer}.head")
}

/// All reminders that wait for their time: `pw.sched.<surface>.<user>.<reminder>`.
pub const SCHED_ALL: &str = "pw.sched.>";
/// All reminders whose time has come: `pw.fire.<surface>.<user>.<reminder>`.
pub const FIRE_ALL: &str = "pw.fire.>";
/// All that nodes ask about reminders: `pw.remind.<node>`.
pub const REMIND_ALL: &str = "pw.remind.*";

/// A reminder that waits for its time.
pub fn sched(user: &UserId, reminder: MessageId) -> String {
    format!("pw.sched.{}.{}.{reminder}", user.surface(), user.native())
}

/// The same when its time has come.
pub fn fire(user: &UserId, reminder: MessageId) -> String {
    format!("pw.fire.{}.{}.{reminder}", user.surface(), user.native())
}

/// Reads `pw.sched.<surface>.<user>.<reminder>`; none if it is not one.
pub fn parse_sched(subject: &str) -> Option<(UserId, MessageId)> {
    reminder_of("pw.sched.", subject)
}

/// Reads `pw.fire.<surface>.<user>.<reminder>`; none if it is not one.
pub fn parse_fire(subject: &str) -> Option<(UserId, MessageId)> {
    reminder_of("pw.fire.", subject)
}

fn reminder_of(prefix: &str, subject: &str) -> Option<(UserId, MessageId)> {
    let (head, reminder) = subject.strip_prefix(prefix)?.rsplit_once('.')?;
    let (surface, native) = head.split_once('.')?;
    let user = UserId::new(surface.parse().ok()?, native).ok()?;
    Some((user, reminder.parse().ok()?))
}

/// Where a node asks about reminders.
pub fn remind(node: &NodeId) -> String {
    format!("pw.remind.{node}")
}

/// Reads `pw.remind.<node>`; none if it is not one.
pub fn parse_remind(subject: &str) -> Option<NodeId> {
    subject.strip_prefix("pw.remind.")?.parse().ok()
}

/// Where one of several equal processes can be asked whether it lives.
pub fn alive(role: &str, instance: &str) -> String {
    format!("pw.alive.{role}.{instance}")
}

/// Who sent something that is to be shown: a node or the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// The router.
    Router,
    /// A node.
    Node(NodeId),
}

/// Reads `pw.out.<node>.<surface>.<user>`; none if it is not one.
pub fn parse_out(subject: &str) -> Option<(Sender, UserId)> {
    let (sender, user) = three_after("pw.out.", subject)?;
    let sender = if sender == NodeId::ROUTER {
        Sender::Router
    } else {
        Sender::Node(sender.parse().ok()?)
    };
    Some((sender, user))
}

/// Reads `pw.work.<node>.<surface>.<user>`; none if it is not one.
pub fn parse_work(subject: &str) -> Option<(NodeId, UserId)> {
    let (node, user) = three_after("pw.work.", subject)?;
    Some((node.parse().ok()?, user))
}

/// Reads `pw.in.<surface>.<user>.msg|card`; none if it is not one.
pub fn parse_in(subject: &str) -> Option<UserId> {
    let rest = subject.strip_prefix("pw.in.")?;
    let rest = rest
        .strip_suffix(".msg")
        .or_else(|| rest.strip_suffix(".card"))?;
    let (surface, native) = rest.split_once('.')?;
    UserId::new(surface.parse().ok()?, native).ok()
}

/// The person whose message a subject of `pw.in`, `pw.work`, `pw.out` or `pw.turn` carries; none if it is none
/// of these.
pub fn person(subject: &str) -> Option<UserId> {
    parse_in(subject)
        .or_else(|| parse_work(subject).map(|(_, user)| user))
        .or_else(|| parse_out(subject).map(|(_, user)| user))
        .or_else(|| parse_turn(subject).map(|(_, user)| user))
}

/// Reads `pw.hb.<node>`; none if it is not one.
pub fn parse_heartbeat(subject: &str) -> Option<NodeId> {
    subject.strip_prefix("pw.hb.")?.parse().ok()
}

/// Reads `pw.delta.<node>.<surface>.<user>.<turn>`: the node and the user.
pub fn parse_delta(subject: &str) -> Option<(NodeId, UserId)> {
    let (head, turn) = subject.strip_prefix("pw.delta.")?.rsplit_once('.')?;
    turn.parse::<TurnId>().ok()?;
    let (node, user) = three_after("", head)?;
    Some((node.parse().ok()?, user))
}

fn three_after<'a>(prefix: &str, subject: &'a str) -> Option<(&'a str, UserId)> {
    let mut tokens = subject.strip_prefix(prefix)?.split('.');
    let (first, surface, native) = (tokens.next()?, tokens.next()?, tokens.next()?);
    if tokens.next().is_some() {
        return None;
    }
    Some((first, UserId::new(surface.parse().ok()?, native).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        let node: NodeId = "home-pc".parse().unwrap();
        let user: UserId = "feishu/ou_Ab-1".parse().unwrap();
        assert_eq!(parse_in(&inbound_message(&user)), Some(user.clone()));
        assert_eq!(parse_in(&inbound_card(&user)), Some(user.clone()));
        assert_eq!(
            parse_work(&work(&node, &user)),
            Some((node.clone(), user.clone()))
        );
        assert_eq!(
            parse_out(&out(&node, &user)),
            Some((Sender::Node(node.clone()), user.clone()))
        );
        assert_eq!(
            parse_out(&out_router(&user)),
            Some((Sender::Router, user.clone()))
        );
        assert_eq!(
            parse_turn(&turn(&node, &user)),
            Some((node.clone(), user.clone()))
        );
        assert_eq!(parse_heartbeat(&heartbeat(&node)), Some(node.clone()));
        let reminder = MessageId::new();
        let of = Some((user.clone(), reminder));
        assert_eq!(parse_sched(&sched(&user, reminder)), of);
        assert_eq!(parse_fire(&fire(&user, reminder)), of);
        assert_eq!(parse_fire(&sched(&user, reminder)), None);
        assert_eq!(parse_remind(&remind(&node)), Some(node.clone()));
        assert_eq!(
            parse_delta(&delta(&node, &user, TurnId::new())),
            Some((node, user))
        );
    }

    #[test]
    fn foreign_subjects_are_not_read() {
        for bad in [
            "pw.out.a.feishu",
            "pw.out.a.feishu.ou_1.x",
            "pw.out.A.feishu.ou_1",
            "pw.work.router.feishu.ou_1",
            "pw.in.feishu.ou_1",
            "pw.hb.a.b",
            "",
        ] {
            assert!(parse_out(bad).is_none(), "{bad}");
            assert!(parse_work(bad).is_none(), "{bad}");
            assert!(parse_in(bad).is_none(), "{bad}");
            assert!(parse_heartbeat(bad).is_none(), "{bad}");
        }
    }
}
