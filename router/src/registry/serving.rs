//! Which nodes serve a person, found without looking at all nodes: every act asks, and a hub may have
//! thousands of them.

use std::collections::{BTreeSet, HashMap};

use common::ids::{NodeId, UserId};

use super::{Enrolled, Serves};

/// Nodes by whom they name. Bounded by the names in all records.
#[derive(Debug, Default)]
pub(super) struct Serving {
    /// Those that name nobody, and so serve everybody.
    open: BTreeSet<NodeId>,
    named: HashMap<UserId, BTreeSet<NodeId>>,
}

impl Serving {
    /// Takes in a node that has come.
    pub(super) fn add(&mut self, node: &NodeId, enrolled: &Enrolled) {
        match &enrolled.serves {
            Serves::All => {
                self.open.insert(node.clone());
            }
            Serves::Only(users) => {
                for user in users {
                    let of = self.named.entry(user.clone()).or_default();
                    of.insert(node.clone());
                }
            }
        }
    }

    /// Lets go of a node, which has gone or is about to come anew.
    pub(super) fn remove(&mut self, node: &NodeId, enrolled: &Enrolled) {
        match &enrolled.serves {
            Serves::All => {
                self.open.remove(node);
            }
            Serves::Only(users) => {
                for user in users {
                    if let Some(of) = self.named.get_mut(user) {
                        of.remove(node);
                        if of.is_empty() {
                            self.named.remove(user);
                        }
                    }
                }
            }
        }
    }

    /// The nodes that serve a person, by id.
    pub(super) fn of(&self, user: &UserId) -> BTreeSet<NodeId> {
        let named = self.named.get(user).into_iter().flatten();
        named.chain(&self.open).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn enrolled(users: Option<BTreeSet<u8>>) -> Enrolled {
        let user = |one: u8| format!("feishu/ou_{one}").parse().unwrap();
        Enrolled {
            name: String::new(),
            serves: users.map_or(Serves::All, |users| {
                Serves::Only(users.into_iter().map(user).collect())
            }),
        }
    }

    proptest! {
        /// The same as looking at every node, whatever came and went.
        #[test]
        fn it_says_what_all_records_say(
            steps in prop::collection::vec(
                (0_u8..5, any::<bool>(), prop::option::of(prop::collection::btree_set(0_u8..4, 0..4))),
                0..30,
            ),
        ) {
            let mut serving = Serving::default();
            let mut all: BTreeMap<NodeId, Enrolled> = BTreeMap::new();
            for (node, stays, users) in steps {
                let node: NodeId = format!("n{node}").parse().unwrap();
                if let Some(before) = all.remove(&node) {
                    serving.remove(&node, &before);
                }
                if stays {
                    let now = enrolled(users);
                    serving.add(&node, &now);
                    all.insert(node, now);
                }
            }
            for user in 0..4 {
                let user = format!("feishu/ou_{user}").parse().unwrap();
                let looked: BTreeSet<NodeId> = all
                    .iter()
                    .filter(|(_, one)| one.serves.lets_in(&user))
                    .map(|(node, _)| node.clone())
                    .collect();
                prop_assert_eq!(serving.of(&user), looked);
            }
            let nobody = all.is_empty();
            prop_assert!(!nobody || (serving.named.is_empty() && serving.open.is_empty()));
        }
    }
}
