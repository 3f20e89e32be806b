//! `phonework nodes`: who is enrolled, from the hub's records, and who is there, from what the router wrote. With the
//! router or the broker down it says what is not known then.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use common::broker::BrokerOptions;
use common::config::Settings;
use common::identity::{Creds, Hub, IdentityError, NodeRecord};
use common::ids::NodeId;
use router::look::{Look, Sight};
use serde_json::{Value, json};

/// Silence after which a node counts as off: what is noted may be 30 s old when it is read.
const OFF_AFTER: i64 = 34 + 30;

/// All that is known.
#[derive(Debug)]
pub(crate) struct List {
    rows: Vec<Row>,
    /// Whether a router runs; none: not known.
    router: Option<bool>,
    /// Why nothing is known of who is there.
    trouble: Option<String>,
    now: DateTime<Utc>,
}

#[derive(Debug)]
struct Row {
    record: NodeRecord,
    sight: Option<Sight>,
    /// Messages that wait for it; none if not known.
    queued: Option<usize>,
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    On,
    Off,
    Never,
    Unknown,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Never => "never",
            Self::Unknown => "unknown",
        }
    }
}

/// Looks at records and broker.
///
/// # Errors
/// When there is no hub here, or a record cannot be read.
pub(crate) async fn nodes(settings: &Settings) -> Result<List, IdentityError> {
    let hub = Hub::open(&settings.data_dir)?;
    let running = hub.running_url();
    let url = settings.nats.url.clone().or(running);
    let options = BrokerOptions {
        url: url.unwrap_or_else(|| crate::hub::DEFAULT_URL.to_owned()),
        creds: Creds::read(&hub.creds_path("router"))?,
        ca: crate::credentials::ca_of(settings),
        owner: true,
    };
    let looked = router::look::look(&options).await;
    let looked = looked.map_err(|why| why.to_string());
    Ok(List::of(hub.nodes()?, looked, Utc::now()))
}

impl List {
    fn of(records: Vec<NodeRecord>, looked: Result<Look, String>, now: DateTime<Utc>) -> Self {
        let (mut sights, queued, router, trouble) = match looked {
            Ok(look) => (look.nodes, look.queued, Some(look.router), None),
            Err(why) => (BTreeMap::new(), None, None, Some(why)),
        };
        let rows = records
            .into_iter()
            // The removed ones are kept for their keys only.
            .filter(|record| record.revoked_at.is_none())
            .map(|record| {
                let id = record.id.parse::<NodeId>().ok();
                let sight = id.as_ref().and_then(|id| sights.remove(id));
                let count = |queued: &BTreeMap<NodeId, usize>| {
                    let of = id.as_ref().and_then(|id| queued.get(id));
                    of.copied().unwrap_or_default()
                };
                Row {
                    queued: queued.as_ref().map(count),
                    record,
                    sight,
                }
            })
            .collect();
        Self {
            rows,
            router,
            trouble,
            now,
        }
    }

    fn state(&self, row: &Row) -> State {
        let Some(sight) = &row.sight else {
            return match self.router {
                Some(_) => State::Never,
                None => State::Unknown,
            };
        };
        if sight.gone || (self.now - sight.last).num_seconds() > OFF_AFTER {
            // Without a router nobody notes that one is back.
            return match self.router {
                Some(true) => State::Off,
                Some(false) | None => State::Unknown,
            };
        }
        match self.router {
            Some(true) => State::On,
            Some(false) | None => State::Unknown,
        }
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let heads = [
            "ID", "NAME", "STATE", "SESSIONS", "LOAD", "QUEUED", "SERVES", "VERSION",
        ];
        let mut lines = vec![heads.map(str::to_owned)];
        for row in &self.rows {
            let seen = row.sight.as_ref().map(|sight| age(self.now - sight.last));
            let state = match (self.state(row), seen) {
                (State::On, _) => match row.sight.as_ref().and_then(|one| one.trouble.as_ref()) {
                    Some(trouble) => format!("on, but {trouble}"),
                    None => "on".to_owned(),
                },
                (State::Off, Some(age)) => format!("off, seen {age} ago"),
                (State::Unknown, Some(age)) => format!("unknown, seen {age} ago"),
                (State::Off | State::Unknown, None) => "unknown".to_owned(),
                (State::Never, _) => "never seen".to_owned(),
            };
            // Of one that is off they are what they were, and that is of no use.
            let there = row.sight.as_ref().filter(|_| self.state(row) == State::On);
            let sessions = there.map_or_else(unknown, |sight| match sight.running {
                0 => sight.sessions.to_string(),
                running => format!("{}, {running} running", sight.sessions),
            });
            let load = there.and_then(|sight| sight.load);
            let load = load.map(|load| format!("{:.0}%", load * 100.0));
            let version = row.sight.as_ref().map(|sight| sight.version.clone());
            let serves = if row.record.serves.is_empty() {
                "everybody".to_owned()
            } else {
                row.record.serves.join(", ")
            };
            lines.push([
                row.record.id.clone(),
                row.name().to_owned(),
                state,
                sessions,
                load.unwrap_or_else(unknown),
                row.queued.map_or_else(unknown, |n| n.to_string()),
                serves,
                version.unwrap_or_else(unknown),
            ]);
        }
        let mut text = String::new();
        if self.rows.is_empty() {
            text.push_str("No machine is enrolled. Let one in with: phonework enroll <node>\n");
        } else {
            text.push_str(&columns(&lines));
        }
        // Writing to a String cannot fail.
        let _ = match (&self.trouble, self.router) {
            (Some(why), _) => writeln!(text, "\nWhich are on is not known: {why}"),
            (None, Some(false)) => writeln!(
                text,
                "\nThe router does not run: which are on is not known, the rest is as it last knew."
            ),
            (None, Some(true) | None) => Ok(()),
        };
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> String {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let sight = row.sight.as_ref();
                json!({
                    "id": row.record.id,
                    "name": row.name(),
                    "state": self.state(row).word(),
                    "last_seen": sight.map(|sight| sight.last),
                    "serves": row.record.serves,
                    "description": sight.map(|sight| sight.description.as_str()),
                    "version": sight.map(|sight| sight.version.as_str()),
                    "sessions": sight.map(|sight| sight.sessions),
                    "running": sight.map(|sight| sight.running),
                    "load": sight.and_then(|sight| sight.load),
                    "queued": row.queued,
                    "trouble": sight.and_then(|sight| sight.trouble.as_deref()),
                    "enrolled_at": DateTime::from_timestamp(row.record.enrolled_at, 0),
                })
            })
            .collect();
        let whole = json!({"nodes": rows, "router": self.router, "trouble": self.trouble});
        format!("{whole:#}\n")
    }
}

impl Row {
    /// What the hub calls it, else what it calls itself, else its id.
    fn name(&self) -> &str {
        let own = self.sight.as_ref().map(|sight| sight.name.as_str());
        [Some(self.record.name.as_str()), own]
            .into_iter()
            .flatten()
            .find(|name| !name.trim().is_empty())
            .unwrap_or(&self.record.id)
    }
}

fn unknown() -> String {
    "?".to_owned()
}

/// In one unit, rounded down.
fn age(age: chrono::TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Columns as wide as their widest cell; the last one is not filled.
fn columns<const N: usize>(lines: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn record(id: &str, name: &str, serves: &[&str]) -> NodeRecord {
        NodeRecord {
            id: id.into(),
            name: name.into(),
            serves: serves.iter().map(|&user| user.to_owned()).collect(),
            public_key: "U".into(),
            enrolled_at: 1_700_000_000,
            revoked_at: None,
            former_keys: Vec::new(),
        }
    }

    fn records() -> Vec<NodeRecord> {
        let mut gone = record("gone", "", &[]);
        gone.revoked_at = Some(1);
        vec![
            gone,
            record("home-pc", "Home PC", &[]),
            record("lab-1", "", &["feishu/ou_1", "web/owner"]),
            record("new", "", &[]),
        ]
    }

    fn look(router: bool) -> Look {
        let sight = |seconds, gone| Sight {
            last: now() - TimeDelta::seconds(seconds),
            gone,
            name: "Own name".into(),
            description: "Builds".into(),
            version: "0.1.0".into(),
            sessions: 2,
            running: 1,
            load: Some(0.424),
            trouble: None,
        };
        let nodes = [("home-pc", sight(9, false)), ("lab-1", sight(9_000, false))]
            .map(|(id, sight)| (id.parse().unwrap(), sight));
        Look {
            router,
            nodes: nodes.into(),
            queued: Some([("lab-1".parse().unwrap(), 3)].into()),
        }
    }

    #[test]
    fn the_table_says_what_is_known_and_what_is_not() {
        let all = List::of(records(), Ok(look(true)), now()).table();
        insta::assert_snapshot!(all, @r"
        ID       NAME      STATE              SESSIONS      LOAD  QUEUED  SERVES                  VERSION
        home-pc  Home PC   on                 2, 1 running  42%   0       everybody               0.1.0
        lab-1    Own name  off, seen 2 h ago  ?             ?     3       feishu/ou_1, web/owner  0.1.0
        new      new       never seen         ?             ?     0       everybody               ?
        ");
        let no_router = List::of(records(), Ok(look(false)), now()).table();
        insta::assert_snapshot!(no_router, @r"
        ID       NAME      STATE                  SESSIONS  LOAD  QUEUED  SERVES                  VERSION
        home-pc  Home PC   unknown, seen 9 s ago  ?         ?     0       everybody               0.1.0
        lab-1    Own name  unknown, seen 2 h ago  ?         ?     3       feishu/ou_1, web/owner  0.1.0
        new      new       never seen             ?         ?     0       everybody               ?

        The router does not run: which are on is not known, the rest is as it last knew.
        ");
        let why = "the broker at nats://hub:4222 cannot be reached".to_owned();
        let no_broker = List::of(records(), Err(why), now()).table();
        insta::assert_snapshot!(no_broker, @r"
        ID       NAME     STATE    SESSIONS  LOAD  QUEUED  SERVES                  VERSION
        home-pc  Home PC  unknown  ?         ?     ?       everybody               ?
        lab-1    lab-1    unknown  ?         ?     ?       feishu/ou_1, web/owner  ?
        new      new      unknown  ?         ?     ?       everybody               ?

        Which are on is not known: the broker at nats://hub:4222 cannot be reached
        ");
        let none = List::of(Vec::new(), Ok(look(true)), now()).table();
        insta::assert_snapshot!(none, @"No machine is enrolled. Let one in with: phonework enroll <node>");
    }

    #[test]
    fn programs_get_the_same_as_json() {
        let text = List::of(records(), Ok(look(true)), now()).json();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["router"], true);
        assert_eq!(read["nodes"].as_array().unwrap().len(), 3);
        let first = &read["nodes"][0];
        assert_eq!(
            (&first["id"], &first["name"], &first["state"]),
            (&json!("home-pc"), &json!("Home PC"), &json!("on"))
        );
        assert_eq!(first["enrolled_at"], "2023-11-14T22:13:20Z");
        assert_eq!(
            (&first["queued"], &first["sessions"]),
            (&json!(0), &json!(2))
        );
        assert!((first["load"].as_f64().unwrap() - 0.424).abs() < 1e-6);
        assert_eq!(read["nodes"][1]["queued"], 3);
        assert_eq!(read["nodes"][2]["load"], Value::Null);
        assert_eq!(read["nodes"][1]["state"], "off");
        assert_eq!(read["nodes"][2]["state"], "never");
        let dark = List::of(records(), Err("x".into()), now()).json();
        let read: Value = serde_json::from_str(&dark).unwrap();
        assert_eq!(read["nodes"][0]["state"], "unknown");
        assert_eq!(
            (&read["router"], &read["trouble"]),
            (&Value::Null, &json!("x"))
        );
    }
}
