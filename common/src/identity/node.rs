//! Node ids and the record the hub keeps of every enrolled machine.
//! Presence, and what a node is doing right now, belong to the router.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{IdentityError, jwt};
use crate::ids::UserId;

/// Longest node id, in characters.
pub const NODE_ID_MAX: usize = 32;

/// Names that subjects or credentials use for parts that are not nodes.
const RESERVED: [&str; 5] = ["router", "gateway", "enrol", "sys", "hub"];

/// Checks a node id before it goes into a token or a subject: `[a-z0-9-]{1,32}`, and none of our own names.
/// This is a security check: an id of `>` would open every node's subjects.
///
/// # Errors
/// [`IdentityError::NodeId`] with what is wrong and what would be right.
pub fn check_node_id(id: &str) -> Result<(), IdentityError> {
    let wrong = |why: &str| {
        Err(IdentityError::NodeId {
            id: id.chars().take(64).collect(),
            why: why.to_owned(),
        })
    };
    if id.is_empty() {
        return wrong("it is empty");
    }
    if id.len() > NODE_ID_MAX {
        return wrong("it is longer than 32 characters");
    }
    if !id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return wrong("only a-z, 0-9 and - are allowed");
    }
    if RESERVED.contains(&id) {
        return wrong("this name is one of our own; take another");
    }
    Ok(())
}

/// What the hub knows of an enrolled machine; `nodes/<id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Node id, also the name claim of its token.
    pub id: String,
    /// What people call it; empty when nobody said.
    #[serde(default)]
    pub name: String,
    /// Users it serves (`feishu/ou_…`, `web/…`); empty means whoever is admitted.
    #[serde(default)]
    pub serves: Vec<String>,
    /// The key its id is bound to.
    pub public_key: String,
    /// When this key was bound, Unix seconds.
    pub enrolled_at: i64,
    /// Set when the machine was cut off, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// Keys this id had before; they stay cut off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_keys: Vec<FormerKey>,
}

/// A key that may no longer connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerKey {
    /// The user's public key.
    pub public_key: String,
    /// Since when, Unix seconds.
    pub revoked_at: i64,
}

/// Whom a node may serve by the hub's word. Its own configuration may narrow that and never widen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// Nobody was named: everybody.
    All,
    /// Those who were named.
    Only(BTreeSet<UserId>),
}

impl Serves {
    /// Whether this person is let in.
    pub fn lets_in(&self, user: &UserId) -> bool {
        match self {
            Self::All => true,
            Self::Only(users) => users.contains(user),
        }
    }
}

impl NodeRecord {
    /// Whom it may serve. A name that cannot be read is passed over with a word in the log: it must not widen the list
    /// to everybody.
    pub fn served(&self) -> Serves {
        if self.serves.is_empty() {
            return Serves::All;
        }
        let read = |text: &String| match text.parse() {
            Ok(user) => Some(user),
            Err(why) => {
                warn!(node = %self.id, %why, "a record names somebody who cannot be");
                None
            }
        };
        Serves::Only(self.serves.iter().filter_map(read).collect())
    }

    /// Every key that is cut off, with the second it happened.
    pub(super) fn revoked(&self) -> impl Iterator<Item = (&str, i64)> {
        let own = self.revoked_at.map(|at| (self.public_key.as_str(), at));
        self.former_keys
            .iter()
            .map(|former| (former.public_key.as_str(), former.revoked_at))
            .chain(own)
    }
}

/// Which node a connection event of the broker is about (see `NODE_CONNECTED`, `NODE_DISCONNECTED`): the name in the
/// token it was let in with. The connection's own name is chosen by the client and proves nothing.
/// None for anything that is not such an event.
pub fn node_of_event(payload: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let token = event.pointer("/client/jwt")?.as_str()?;
    let name = jwt::decode(token).ok()?.name;
    check_node_id(&name).is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_that_would_widen_a_permission_are_refused() {
        for id in [
            "",
            ">",
            "*",
            "a.b",
            "a b",
            "A",
            "ä",
            "a_b",
            "router",
            "gateway",
            "{{name()}}",
            &"a".repeat(33),
        ] {
            assert!(check_node_id(id).is_err(), "{id:?}");
        }
        for id in ["a", "home-pc", "7", &"a".repeat(32)] {
            check_node_id(id).unwrap();
        }
    }

    #[test]
    fn an_unreadable_name_lets_nobody_in() {
        let served = |serves: &[&str]| {
            let record = NodeRecord {
                id: "pc".into(),
                name: "PC".into(),
                serves: serves.iter().map(|&text| text.to_owned()).collect(),
                public_key: "U".into(),
                enrolled_at: 1,
                revoked_at: None,
                former_keys: Vec::new(),
            };
            record.served().lets_in(&"feishu/ou_1".parse().unwrap())
        };
        assert!(served(&[]));
        assert!(served(&["ou_1"]));
        assert!(!served(&["ou_2"]));
        assert!(!served(&["!!"]));
    }

    proptest! {
        #[test]
        fn an_accepted_id_is_one_plain_token(id in ".{0,40}") {
            if check_node_id(&id).is_ok() {
                prop_assert!(id.len() <= NODE_ID_MAX && !id.is_empty());
                prop_assert!(id.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')));
            }
        }
    }
}
