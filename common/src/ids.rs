//! Identities of everything that travels: surfaces, users, nodes, turns, prompts, cards.
//!
//! Every id that becomes a subject token is validated here, once, when it is made, so that the
//! rest of the code can use it without asking again. Building subjects from them is `subject`'s.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `[a-z0-9-]{1,32}`, or one of the reserved `router` and `gateway`.
    #[error(
        "`{0}` is not a node id: use 1 to 32 of a-z, 0-9 and `-` (and not the reserved `router` or `gateway`)"
    )]
    Node(String),
    /// Not `[A-Za-z0-9_-]{1,64}` behind the surface.
    #[error(
        "`{0}` is not a user id: use `ou_…` or `<surface>/<id>` of letters, digits, `_` and `-`"
    )]
    User(String),
    /// Not a surface that we know.
    #[error("`{0}` is not a surface: use `feishu` or `web`")]
    Surface(String),
}

/// A place where people talk to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// Feishu or Lark, by long connection.
    Feishu,
    /// The page that the gateway serves.
    Web,
}

impl Surface {
    /// The subject token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feishu => "feishu",
            Self::Web => "web",
        }
    }

    /// All surfaces.
    pub const ALL: [Self; 2] = [Self::Feishu, Self::Web];
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Surface {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text {
            "feishu" => Ok(Self::Feishu),
            "web" => Ok(Self::Web),
            other => Err(IdError::Surface(other.to_owned())),
        }
    }
}

/// A person on a surface, written `feishu/ou_…` or `web/owner`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId {
    surface: Surface,
    native: String,
}

impl UserId {
    /// A user of `surface` by the id that the platform gave: 1 to 64 of letters, digits, `_`, `-`.
    pub fn new(surface: Surface, native: impl Into<String>) -> Result<Self, IdError> {
        let native = native.into();
        let fits = (1..=64).contains(&native.len())
            && native
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits {
            Ok(Self { surface, native })
        } else {
            Err(IdError::User(native))
        }
    }

    /// Reads what a person typed: `ou_…` or `<surface>/<id>`. A bare word that is no `ou_…` is refused: it is
    /// more likely a name than an id.
    ///
    /// # Errors
    /// [`IdError`], which says what is wrong.
    pub fn typed(text: &str) -> Result<Self, IdError> {
        if text.contains('/') || text.starts_with("ou_") {
            text.parse()
        } else {
            Err(IdError::User(text.to_owned()))
        }
    }

    /// The surface this person is on.
    pub fn surface(&self) -> Surface {
        self.surface
    }

    /// The platform's own id: the subject token.
    pub fn native(&self) -> &str {
        &self.native
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.surface, self.native)
    }
}

impl FromStr for UserId {
    type Err = IdError;

    /// Reads `surface/id`; an id without a surface is Feishu's, as people copy `ou_…` from there.
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('/') {
            Some((surface, native)) => Self::new(surface.parse()?, native),
            None => Self::new(Surface::Feishu, text),
        }
    }
}

impl TryFrom<String> for UserId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<UserId> for String {
    fn from(user: UserId) -> Self {
        user.to_string()
    }
}

/// One host client: `[a-z0-9-]{1,32}`, never `router` or `gateway`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(String);

impl NodeId {
    /// The token by which the router itself sends replies; no node may have it.
    pub const ROUTER: &'static str = "router";
    /// The token by which gateways hand over what they cannot show; no node may have it.
    pub const GATEWAY: &'static str = "gateway";

    /// The id as text: the subject token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits && text != Self::ROUTER && text != Self::GATEWAY {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Node(text.to_owned()))
        }
    }
}

impl TryFrom<String> for NodeId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<NodeId> for String {
    fn from(node: NodeId) -> Self {
        node.0
    }
}

/// A namespace for ids that must come out the same each time they are derived.
const DERIVED: Uuid = Uuid::from_u128(0x7068_6f6e_6577_6f72_6b00_0000_0000_0001);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one; sorts by time.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "each call gives another value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The same id for the same parts, always: what makes a repeat recognisable.
            #[must_use]
            pub fn derived(parts: &[&str]) -> Self {
                Self(Uuid::new_v5(&DERIVED, parts.join("\u{1f}").as_bytes()))
            }

            /// The id as a UUID.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.simple().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// One message of ours on the wire.
    MessageId
);
uuid_id!(
    /// One start of one host process: fences a stale instance, and no other node can guess it.
    BootId
);
uuid_id!(
    /// One conversation of one user in one directory on one node.
    SessionId
);
uuid_id!(
    /// One prompt to an agent and all that follows until it is idle.
    TurnId
);
uuid_id!(
    /// One question that waits for the person.
    PromptId
);
uuid_id!(
    /// One card in a chat, from its first showing to its last edit.
    CardId
);

/// What the person did, as their platform names it: a chat message id, or the event id of a tap.
/// The key of "run once": a repeat of it under any other name is the same act.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CauseId(String);

impl CauseId {
    /// Takes the platform's id as it is; at most 200 bytes are kept, ids are far shorter.
    pub fn new(surface: Surface, native: &str) -> Self {
        let mut text = format!("{surface}:{native}");
        let mut end = text.len().min(200);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        Self(text)
    }

    /// One node's part of an act that went to several: an act of its own for all that follows.
    #[must_use]
    pub fn at_node(&self, node: &NodeId) -> Self {
        Self(format!("{}@{node}", self.0))
    }

    /// A further act that this one leads to, such as a tool that is used on the way: an act of its own
    /// for all that follows, and no part that anybody collects.
    #[must_use]
    pub fn leads_to(&self, what: &str) -> Self {
        Self(format!("{}#{what}", self.0))
    }

    /// The act and the node of such a part; none if this is a whole act. No platform's ids have an
    /// `@`; who makes one up speaks only of acts of their own.
    pub fn part(&self) -> Option<(Self, NodeId)> {
        let (whole, node) = self.0.rsplit_once('@')?;
        Some((Self(whole.to_owned()), node.parse().ok()?))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_act_says_of_which_and_where() {
        let whole = CauseId::new(Surface::Feishu, "om_1");
        let node: NodeId = "lab-1".parse().unwrap();
        assert_eq!(whole.part(), None);
        assert_eq!(whole.at_node(&node).as_str(), "feishu:om_1@lab-1");
        assert_eq!(
            whole.at_node(&node).part(),
            Some((whole.clone(), node.clone()))
        );
        assert_eq!(CauseId::new(Surface::Web, "a@B").part(), None);
        let call = whole.at_node(&node).leads_to("call 1");
        assert_eq!(call.as_str(), "feishu:om_1@lab-1#call 1");
        assert_eq!(call.part(), None);
    }

    #[test]
    fn node_ids_are_narrow() {
        for good in ["a", "home-pc", "lab-1", &"x".repeat(32)] {
            assert!(good.parse::<NodeId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ">",
            "*",
            "a.b",
            "A",
            "a b",
            "router",
            "é",
            &"x".repeat(33),
        ] {
            assert!(bad.parse::<NodeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn users_are_read_with_and_without_surface() {
        let plain: UserId = "ou_1".parse().unwrap();
        assert_eq!(plain.to_string(), "feishu/ou_1");
        let web: UserId = "web/owner".parse().unwrap();
        assert_eq!((web.surface(), web.native()), (Surface::Web, "owner"));
        for bad in ["", "web/", "web/a.b", "x/ou", "a>b"] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn derived_ids_repeat_and_parts_do_not_run_together() {
        assert_eq!(TurnId::derived(&["a", "b"]), TurnId::derived(&["a", "b"]));
        assert_ne!(TurnId::derived(&["ab"]), TurnId::derived(&["a", "b"]));
    }
}
