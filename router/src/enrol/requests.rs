//! Machines that wait for a person to let them in, and what was said: in `requests.json` of the hub's data folder, so
//! that a restart asks nobody twice and forgets no answer.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{CardId, NodeId, UserId};
use common::message::enrol::Knock;
use common::message::view::EnrolChoice;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

/// Requests that are kept, answered ones included. At the bound answered ones go first; when all are open, a further
/// machine is told to come later.
const KEPT: usize = 64;
/// Those of one id, so that one machine cannot take all places.
const OF_ONE: usize = 4;
/// How long one is kept. A machine that still asks then is asked about anew.
const AGE: TimeDelta = TimeDelta::days(3);
/// Characters of a name.
const NAME: usize = 64;

/// One machine's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) node: NodeId,
    pub(crate) key: String,
    /// What it calls itself; may be empty.
    pub(crate) name: String,
    /// Version of its program.
    pub(crate) program: String,
    pub(crate) asked_at: DateTime<Utc>,
    pub(crate) fate: Fate,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Fate {
    /// Nobody has answered.
    Open,
    /// It may come in.
    Approved { by: UserId },
    /// It may not.
    Denied { by: UserId },
}

impl Fate {
    /// Whether this choice of this person led to it.
    pub(super) fn is(&self, choice: EnrolChoice, who: &UserId) -> bool {
        match (self, choice) {
            (Self::Approved { by }, EnrolChoice::Approve)
            | (Self::Denied { by }, EnrolChoice::Deny) => by == who,
            (Self::Open | Self::Approved { .. } | Self::Denied { .. }, _) => false,
        }
    }
}

impl Request {
    pub(super) fn new(node: &NodeId, knock: &Knock, now: DateTime<Utc>) -> Self {
        Self {
            node: node.clone(),
            key: knock.key.clone(),
            name: clean(&knock.name),
            program: clean(&knock.program),
            asked_at: now,
            fate: Fate::Open,
        }
    }

    /// The card about it that an administrator sees.
    pub(crate) fn card(&self, admin: &UserId) -> CardId {
        let at = self.asked_at.timestamp().to_string();
        CardId::derived(&[
            "router",
            "enrol",
            self.node.as_str(),
            &self.key,
            &at,
            &admin.to_string(),
        ])
    }
}

/// A stranger's words, short and on one line.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(NAME)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// All of them.
#[derive(Debug)]
pub(super) struct Requests {
    path: PathBuf,
    all: Vec<Request>,
}

impl Requests {
    /// Reads them. What cannot be read is left behind: machines ask again.
    pub(super) fn open(data_dir: &Path) -> Self {
        let path = data_dir.join("requests.json");
        let all = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|why| {
                warn!(path = %path.display(), %why, "requests of machines cannot be read; they will ask again");
                Vec::new()
            }),
            Err(_) => Vec::new(),
        };
        Self { path, all }
    }

    /// The newest of this machine.
    pub(super) fn find(&mut self, node: &NodeId, key: &str, now: DateTime<Utc>) -> Option<Request> {
        self.all.retain(|one| now - one.asked_at < AGE);
        let fits = |one: &&Request| one.node == *node && one.key == key;
        self.all.iter().rev().find(fits).cloned()
    }

    /// Those that nobody has answered.
    pub(super) fn open_ones(&self, now: DateTime<Utc>) -> Vec<Request> {
        let open = |one: &&Request| one.fate == Fate::Open && now - one.asked_at < AGE;
        self.all.iter().filter(open).cloned().collect()
    }

    /// Notes one; false if there is no room.
    pub(super) fn add(&mut self, request: Request) -> bool {
        let of_one = |one: &&Request| one.node == request.node;
        if self.all.iter().filter(of_one).count() >= OF_ONE || self.all.len() >= KEPT {
            let answered = |one: &Request| {
                one.fate != Fate::Open && (one.node == request.node || self.all.len() >= KEPT)
            };
            let Some(place) = self.all.iter().position(answered) else {
                return false;
            };
            self.all.remove(place);
        }
        self.all.push(request);
        self.write();
        true
    }

    /// Notes what became of one.
    pub(super) fn settle(&mut self, request: Request) {
        if let Some(one) = self
            .all
            .iter_mut()
            .find(|one| one.card_key() == request.card_key())
        {
            *one = request;
        }
        self.write();
    }

    /// Small and rare. When it fails, the worst is that somebody is asked again after a restart.
    fn write(&self) {
        let write = || -> std::io::Result<()> {
            use std::os::unix::fs::OpenOptionsExt as _;
            let text = serde_json::to_vec_pretty(&self.all)?;
            let whole = self.path.with_extension("json.new");
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&whole)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&whole, &self.path)
        };
        if let Err(why) = write() {
            error!(path = %self.path.display(), %why, "requests of machines cannot be written");
        }
    }
}

impl Request {
    fn card_key(&self) -> (&NodeId, &str, DateTime<Utc>) {
        (&self.node, &self.key, self.asked_at)
    }
}

#[cfg(test)]
mod tests {
    use common::message::enrol::Proof;

    use super::*;

    fn request(node: &str, key: &str) -> Request {
        let knock = Knock::new(node, key, " My\nPC ", Proof::Look);
        Request::new(&node.parse().unwrap(), &knock, Utc::now())
    }

    #[test]
    fn requests_and_answers_outlive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut requests = Requests::open(dir.path());
        let mine = request("a", "U1");
        assert_eq!(mine.name, "MyPC");
        assert!(requests.add(mine.clone()));
        let by: UserId = "feishu/ou_1".parse().unwrap();
        let fate = Fate::Denied { by: by.clone() };
        requests.settle(Request {
            fate,
            ..mine.clone()
        });
        let mut again = Requests::open(dir.path());
        let found = again.find(&mine.node, "U1", Utc::now()).unwrap();
        assert!(found.fate.is(EnrolChoice::Deny, &by));
        assert!(!found.fate.is(EnrolChoice::Approve, &by));
        assert_eq!(found.card(&by), mine.card(&by));
        assert_eq!(again.find(&mine.node, "U2", Utc::now()), None);
        assert_eq!(again.find(&mine.node, "U1", Utc::now() + AGE), None);
        std::fs::write(dir.path().join("requests.json"), "{").unwrap();
        assert!(Requests::open(dir.path()).all.is_empty());
    }

    #[test]
    fn there_is_a_bound_for_each_id_and_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let mut requests = Requests::open(dir.path());
        for n in 0..OF_ONE {
            assert!(requests.add(request("a", &format!("U{n}"))));
        }
        assert!(!requests.add(request("a", "UX")));
        for n in 0..KEPT - OF_ONE {
            assert!(requests.add(request(&format!("b-{n}"), "U")));
        }
        assert!(!requests.add(request("c", "U")));
        let first = requests.find(&"b-0".parse().unwrap(), "U", Utc::now());
        let by = "feishu/ou_1".parse().unwrap();
        requests.settle(Request {
            fate: Fate::Approved { by },
            ..first.unwrap()
        });
        assert!(
            requests.add(request("c", "U")),
            "an answered one makes room"
        );
        assert_eq!(requests.all.len(), KEPT);
    }
}
