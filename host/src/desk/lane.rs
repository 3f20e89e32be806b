//! What waits for a session that has no room: one lane for each person, so that what a person did
//! stays in order and nobody waits for somebody else. All of it is in the journal's inbox as well,
//! so a restart loses none.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;

use common::ids::UserId;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::journal::Accepted;

/// Acts of one person that wait here, beside those in the session's mailbox; above that they are
/// not taken, and the person is told.
pub(super) const LANE: usize = 200;

/// What became of an act that was put into a lane.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Queued {
    /// It waits.
    Waits,
    /// No room: it is the first that is not taken since there last was some.
    FirstRefused,
    /// No room, and the person knows.
    Refused,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Accepted>,
    refusing: bool,
}

type Due = Pin<Box<dyn Future<Output = UserId> + Send + Sync>>;

/// All lanes. One exists only while something waits in it.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<UserId, Lane>,
    /// For each lane, the moment in which its first act may be tried again.
    due: FuturesUnordered<Due>,
}

impl Lanes {
    /// Whether something of this person waits; what comes now has to wait behind it.
    pub(super) fn holds(&self, user: &UserId) -> bool {
        self.lanes.contains_key(user)
    }

    /// Puts an act behind the others of its person.
    pub(super) fn push(&mut self, user: &UserId, act: Accepted) -> Queued {
        let lane = self.lanes.entry(user.clone()).or_default();
        if lane.waiting.len() < LANE {
            lane.waiting.push_back(act);
            return Queued::Waits;
        }
        if std::mem::replace(&mut lane.refusing, true) {
            Queued::Refused
        } else {
            Queued::FirstRefused
        }
    }

    /// Puts the act that was tried back in front, until `room`.
    pub(super) fn wait(
        &mut self,
        user: &UserId,
        act: Accepted,
        room: impl Future<Output = ()> + Send + Sync + 'static,
    ) {
        let lane = self.lanes.entry(user.clone()).or_default();
        lane.waiting.push_front(act);
        let user = user.clone();
        self.due.push(Box::pin(async move {
            room.await;
            user
        }));
    }

    /// The next act whose turn has come; one of each person at a time. Never, when none waits.
    /// [`Self::wait`] or [`Self::went`] has to follow.
    pub(super) async fn next(&mut self) -> (UserId, Accepted) {
        loop {
            let Some(user) = self.due.next().await else {
                std::future::pending::<()>().await;
                continue;
            };
            let first = self
                .lanes
                .get_mut(&user)
                .and_then(|lane| lane.waiting.pop_front());
            match first {
                Some(act) => return (user, act),
                None => {
                    self.lanes.remove(&user);
                }
            }
        }
    }

    /// The act that [`Self::next`] gave has gone its way: the one behind it is due.
    pub(super) fn went(&mut self, user: UserId) {
        match self.lanes.get_mut(&user) {
            Some(lane) if lane.waiting.is_empty() => {
                self.lanes.remove(&user);
            }
            Some(lane) => {
                // Not at the first place that is free: a card for each would be no help.
                lane.refusing &= lane.waiting.len() > LANE / 2;
                self.due.push(Box::pin(async move { user }));
            }
            None => {}
        }
    }

    /// How many acts of a person wait.
    pub(super) fn len(&self, user: &UserId) -> usize {
        self.lanes.get(user).map_or(0, |lane| lane.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use common::ids::{CauseId, MessageId, Surface};
    use common::lang::Lang;
    use common::message::Meta;
    use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};
    use common::message::work::Work;
    use tokio::sync::oneshot;

    use super::*;

    fn user(name: &str) -> UserId {
        name.parse().unwrap()
    }

    fn act(who: &str, place: u64) -> Accepted {
        let cause = CauseId::new(Surface::Feishu, &format!("{who}-{place}"));
        let meta = Meta::new(MessageId::derived(&[cause.as_str()]), cause, "");
        Accepted {
            place,
            work: Work {
                meta: meta.clone(),
                node: "home".parse().unwrap(),
                lang: Lang::En,
                inbound: Inbound {
                    meta,
                    user: user(who),
                    chat: Chat {
                        id: "oc_1".into(),
                        kind: ChatKind::Direct,
                        message: None,
                    },
                    lang: None,
                    body: InboundBody::Text { text: "x".into() },
                },
            },
        }
    }

    #[tokio::test]
    async fn each_person_waits_for_their_own_session_only() {
        let (anna, ben) = (user("ou_anna"), user("ou_ben"));
        let mut lanes = Lanes::default();
        let (room, open) = oneshot::channel::<()>();
        let never = std::future::pending();
        lanes.wait(&anna, act("ou_anna", 1), never);
        lanes.wait(&ben, act("ou_ben", 2), async {
            let _ = open.await;
        });
        assert_eq!(lanes.push(&anna, act("ou_anna", 3)), Queued::Waits);
        assert_eq!(lanes.push(&ben, act("ou_ben", 4)), Queued::Waits);
        assert!(lanes.holds(&anna) && lanes.holds(&ben));
        room.send(()).unwrap();
        for place in [2, 4] {
            let (who, act) = lanes.next().await;
            assert_eq!((&who, act.place), (&ben, place));
            lanes.went(who);
        }
        assert!(!lanes.holds(&ben));
        assert_eq!(lanes.len(&anna), 2);
        let more = tokio::time::timeout(std::time::Duration::from_millis(20), lanes.next()).await;
        assert!(more.is_err(), "there is no room for anna yet");
    }

    #[tokio::test]
    async fn a_full_lane_says_so_once_for_each_stretch() {
        let anna = user("ou_anna");
        let mut lanes = Lanes::default();
        lanes.wait(&anna, act("ou_anna", 0), async {});
        for place in 1..LANE as u64 {
            assert_eq!(lanes.push(&anna, act("ou_anna", place)), Queued::Waits);
        }
        let full = |lanes: &mut Lanes| lanes.push(&anna, act("ou_anna", 999));
        assert_eq!(full(&mut lanes), Queued::FirstRefused);
        assert_eq!(full(&mut lanes), Queued::Refused);
        assert_eq!(lanes.len(&anna), LANE);
        let (who, _) = lanes.next().await;
        lanes.went(who);
        assert_eq!(full(&mut lanes), Queued::Waits);
        assert_eq!(full(&mut lanes), Queued::Refused, "still the same stretch");
        for _ in 0..LANE / 2 {
            let (who, _) = lanes.next().await;
            lanes.went(who);
        }
        for _ in 0..LANE / 2 {
            assert_eq!(full(&mut lanes), Queued::Waits);
        }
        assert_eq!(full(&mut lanes), Queued::FirstRefused);
    }
}
