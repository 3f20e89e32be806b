//! Numbers for whoever watches us, as `/metrics` shows them. Each part counts its own; whoever serves
//! HTTP reads them all. What is to be seen at a glance stands in `health`.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The type of [`Metrics::text`]: `OpenMetrics`, which Prometheus reads.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All numbers of a process. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix("phonework"))),
        }
    }
}

impl Metrics {
    /// A number that only grows, one for each value of `label`; shown as `phonework_<name>_total`.
    /// To be asked for once by each part that counts. The values must come from a bounded set, such as the
    /// enrolled nodes: each one stays for the life of the process.
    pub fn counts(&self, name: &'static str, help: &'static str, label: &'static str) -> Counts {
        let family = Family::default();
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(name, help, Family::clone(&family));
        Counts { family, label }
    }

    /// All of them, in the type that [`CONTENT_TYPE`] names.
    pub fn text(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

/// Numbers that only grow, by one label. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Counts {
    family: Family<[(&'static str, String); 1], Counter>,
    label: &'static str,
}

impl Counts {
    /// One more of this value.
    pub fn add(&self, value: &str) {
        self.family
            .get_or_create(&[(self.label, value.to_owned())])
            .inc();
    }

    /// How many there were of this value.
    pub fn get(&self, value: &str) -> u64 {
        let of = self.family.get(&[(self.label, value.to_owned())]);
        of.map_or(0, |counter| counter.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_own_line() {
        let metrics = Metrics::default();
        let counts = metrics.counts("replies_refused", "Replies that were dropped", "node");
        counts.add("home-pc");
        counts.add("home-pc");
        assert_eq!((counts.get("home-pc"), counts.get("other")), (2, 0));
        insta::assert_snapshot!(metrics.clone().text(), @r#"
        # HELP phonework_replies_refused Replies that were dropped.
        # TYPE phonework_replies_refused counter
        phonework_replies_refused_total{node="home-pc"} 2
        # EOF
        "#);
    }
}
