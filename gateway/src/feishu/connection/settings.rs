//! The intervals that the platform asks for, and the pauses that follow from them.
//!
//! Pure; values come from the endpoint answer and from pongs.

use std::time::Duration;

use serde_json::Value;

use super::Tuning;

/// No interval of the platform is taken to be longer than this.
const LONGEST: u64 = 3600;
/// Longest pause while the platform cannot be reached at all: such tries cost it
/// nothing, so its own, longer interval need not be waited out.
const UNREACHED: Duration = Duration::from_secs(30);

/// Intervals as last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) ping: Duration,
    reconnect: Duration,
    /// Seconds; spread of the first try.
    nonce: u64,
    /// Most tries in a row; none for no end.
    tries: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(120),
            reconnect: Duration::from_secs(120),
            nonce: 30,
            tries: None,
        }
    }
}

impl Settings {
    /// Takes over what is given and makes sense; a missing or non-positive
    /// interval leaves the present one.
    pub(super) fn merge(&mut self, config: &Value) {
        let number = |key: &str| config.get(key).and_then(Value::as_i64);
        let seconds = |key: &str| {
            let value = u64::try_from(number(key)?).ok()?;
            (value > 0).then(|| value.min(LONGEST))
        };
        if let Some(value) = seconds("PingInterval") {
            self.ping = Duration::from_secs(value);
        }
        if let Some(value) = seconds("ReconnectInterval") {
            self.reconnect = Duration::from_secs(value);
        }
        if let Some(value) = seconds("ReconnectNonce") {
            self.nonce = value;
        }
        if let Some(value) = number("ReconnectCount") {
            self.tries = u32::try_from(value).ok();
        }
    }

    /// Whether the platform wants no more tries after so many failures.
    pub(super) fn exhausted(&self, failures: u32) -> bool {
        self.tries.is_some_and(|tries| failures >= tries.max(1))
    }

    /// How long to wait after a failure that `failures` came before. `reached`:
    /// the platform was spoken to.
    pub(super) fn pause(&self, failures: u32, reached: bool, tuning: &Tuning) -> Duration {
        if failures < tuning.quick_tries {
            let base = tuning.quick_pause * (1 << failures.min(8));
            return base + random(base);
        }
        if reached {
            self.reconnect + random(Duration::from_secs(self.nonce))
        } else {
            let base = UNREACHED.min(self.reconnect);
            base / 2 + random(base / 2)
        }
    }
}

fn random(most: Duration) -> Duration {
    most.mul_f64(rand::random_range(0.0..1.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_sensible_values_are_taken() {
        let mut settings = Settings::default();
        settings.merge(&json!({"PingInterval": 0, "ReconnectInterval": -5, "ReconnectNonce": "x", "ReconnectCount": -1}));
        assert_eq!(settings, Settings::default());
        settings.merge(&Value::Null);
        settings.merge(&json!({"PingInterval": 9_000_000_000_000_i64}));
        assert_eq!(settings.ping, Duration::from_secs(LONGEST));
        settings.merge(&json!({"PingInterval": 7}));
        assert_eq!(settings.ping, Duration::from_secs(7));
        assert_eq!(settings.reconnect, Duration::from_secs(120));
    }

    #[test]
    fn quick_tries_come_first_then_the_platforms_values() {
        let (settings, tuning) = (Settings::default(), Tuning::default());
        let secs = Duration::from_secs;
        for _ in 0..50 {
            let first = settings.pause(0, true, &tuning);
            assert!((secs(1)..=secs(2)).contains(&first), "{first:?}");
            let third = settings.pause(2, true, &tuning);
            assert!((secs(4)..=secs(8)).contains(&third), "{third:?}");
            let later = settings.pause(3, true, &tuning);
            assert!((secs(120)..=secs(150)).contains(&later), "{later:?}");
            let unreached = settings.pause(9, false, &tuning);
            assert!((secs(15)..=secs(30)).contains(&unreached), "{unreached:?}");
        }
    }

    #[test]
    fn the_count_of_tries_is_kept() {
        let mut settings = Settings::default();
        assert!(!settings.exhausted(u32::MAX));
        settings.merge(&json!({"ReconnectCount": 2}));
        assert!(!settings.exhausted(1));
        assert!(settings.exhausted(2));
    }
}
