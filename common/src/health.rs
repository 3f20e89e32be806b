//! What `/health` shows: each part of the process writes its line here, whoever serves HTTP reads
//! them all. Bounded by the number of parts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::metrics::Metrics;

/// One part's state.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// Whether it does its work.
    pub ok: bool,
    /// Whatever helps to see why; never a secret.
    pub detail: Value,
}

/// The board. Cheap to clone; all clones are one board.
#[derive(Debug, Clone, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<&'static str, Part>>>,
    metrics: Metrics,
}

impl Health {
    /// The numbers beside it.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Writes a part's line.
    pub fn set(&self, part: &'static str, ok: bool, detail: Value) {
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, Part { ok, detail });
    }

    /// Whether all parts do their work, and the whole board as JSON
    /// `{"status": "ok"|"degraded", "version": …, "parts": {…}}`.
    pub fn report(&self) -> (bool, Value) {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let ok = parts.values().all(|part| part.ok);
        let status = if ok { "ok" } else { "degraded" };
        let report = serde_json::json!({
            "status": status,
            "version": env!("CARGO_PKG_VERSION"),
            "parts": &*parts,
        });
        (ok, report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_part_degrades_the_whole() {
        let health = Health::default();
        health.set("broker", true, Value::Null);
        assert!(health.report().0);
        health.clone().set("feishu", false, "no answer".into());
        let (ok, report) = health.report();
        assert!(!ok);
        assert_eq!(report["status"], "degraded");
        assert_eq!(report["parts"]["feishu"]["detail"], "no answer");
    }
}
