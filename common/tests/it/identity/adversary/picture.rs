//! All streams and consumers with what is in them, without what is the attacker's own to change.

use std::collections::BTreeMap;

use async_nats::Client;
use futures_util::future::join_all;
use serde_json::Value;

use super::Who;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture(BTreeMap<String, String>);

impl Picture {
    pub(super) async fn take(router: &Client, who: Who) -> Self {
        let mut all = BTreeMap::new();
        let names = ask(router, "$JS.API.STREAM.NAMES", "").await;
        let names: Vec<String> =
            serde_json::from_value(names["streams"].clone()).unwrap_or_default();
        let looked = names.iter().map(|name| async move {
            let info = ask(
                router,
                &format!("$JS.API.STREAM.INFO.{name}"),
                r#"{"subjects_filter":">"}"#,
            )
            .await;
            let consumers = ask(router, &format!("$JS.API.CONSUMER.LIST.{name}"), "").await;
            (name, info, consumers)
        });
        for (name, info, consumers) in join_all(looked).await {
            all.insert(format!("{name} config"), info["config"].to_string());
            let state = &info["state"];
            let mut own_inside = false;
            for (subject, count) in state["subjects"].as_object().into_iter().flatten() {
                if who.owns(subject) {
                    own_inside = true;
                } else {
                    all.insert(format!("{name} {subject}"), count.to_string());
                }
            }
            if !own_inside {
                all.insert(format!("{name} first"), state["first_seq"].to_string());
                all.insert(format!("{name} last"), state["last_seq"].to_string());
            }
            for consumer in consumers["consumers"].as_array().into_iter().flatten() {
                let label = format!("{name}/{}", consumer["name"].as_str().unwrap_or_default());
                if who.owns(&label) {
                    continue;
                }
                for field in [
                    "/config",
                    "/created",
                    "/delivered/consumer_seq",
                    "/delivered/stream_seq",
                    "/ack_floor/stream_seq",
                    "/num_ack_pending",
                    "/num_redelivered",
                    "/num_pending",
                    "/paused",
                ] {
                    let value = consumer.pointer(field).unwrap_or(&Value::Null);
                    all.insert(format!("{label} {field}"), value.to_string());
                }
            }
        }
        Self(all)
    }

    /// In what two pictures differ.
    pub(super) fn changes(&self, later: &Self) -> Vec<String> {
        let keys: std::collections::BTreeSet<&String> =
            self.0.keys().chain(later.0.keys()).collect();
        keys.into_iter()
            .filter_map(|key| {
                let (before, after) = (self.0.get(key), later.0.get(key));
                // A stream that holds nothing of the attacker's shows two lines more than one that does.
                let own = (before.is_none() || after.is_none())
                    && (key.ends_with(" first") || key.ends_with(" last"));
                (before != after && !own).then(|| format!("{key}: {before:?} → {after:?}"))
            })
            .collect()
    }
}

async fn ask(router: &Client, subject: &str, body: &str) -> Value {
    let answer = router
        .request(subject.to_owned(), body.to_owned().into())
        .await
        .unwrap_or_else(|why| panic!("{subject}: {why}"));
    serde_json::from_slice(&answer.payload).unwrap()
}
