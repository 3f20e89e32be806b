//! Compares what was asked of the server with what it says it keeps, field by field.
//!
//! A server passes over fields that it does not know without a word, and then the feature is
//! silently missing. Fields that we leave at zero are the server's to fill in.

use serde::Serialize;
use serde_json::{Map, Value};

use super::ProvisionError;

/// An error naming the first field that differs.
pub(super) fn same<T: Serialize>(what: &str, wanted: &T, found: &T) -> Result<(), ProvisionError> {
    let (wanted, found) = (fields(wanted), fields(found));
    let differs = |field: &str, wanted: &Value, found: &Value| ProvisionError::Ignored {
        what: what.to_owned(),
        field: field.to_owned(),
        wanted: wanted.to_string(),
        found: found.to_string(),
    };
    for (field, value) in &wanted {
        let kept = found.get(field).unwrap_or(&Value::Null);
        if is_set(value) && value != kept {
            return Err(differs(field, value, kept));
        }
    }
    // A switch that is on and was not asked for opens something: roll-up on a work queue, say.
    for (field, value) in &found {
        let asked = wanted.get(field).unwrap_or(&Value::Null);
        if *value == Value::Bool(true) && asked != value {
            return Err(differs(field, &Value::Bool(false), value));
        }
    }
    Ok(())
}

fn fields<T: Serialize>(config: &T) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(map)) => map,
        // Configurations are structs; anything else would have no field to compare.
        Ok(_) | Err(_) => Map::new(),
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::Config;

    use super::*;

    type Change = fn(&mut Config);

    fn wanted() -> Config {
        common::stream::streams().remove(1)
    }

    fn field_of(found: &Config) -> Option<String> {
        match same("stream X", &wanted(), found) {
            Ok(()) => None,
            Err(ProvisionError::Ignored { field, .. }) => Some(field),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_the_server_fills_in_is_not_a_difference() {
        let found = Config {
            max_messages: -1,
            max_message_size: -1,
            metadata: [("_nats.ver".to_owned(), "2.15.1".to_owned())].into(),
            ..wanted()
        };
        assert_eq!(field_of(&found), None);
    }

    #[test]
    fn a_passed_over_field_is_named() {
        let changes: [(&str, Change); 5] = [
            ("allow_msg_ttl", |c| c.allow_message_ttl = false),
            ("max_consumers", |c| c.max_consumers = 1000),
            ("duplicate_window", |c| {
                c.duplicate_window = Duration::from_secs(120);
            }),
            ("subjects", |c| c.subjects = vec!["pw.other".into()]),
            ("allow_rollup_hdrs", |c| c.allow_rollup = true),
        ];
        for (field, change) in changes {
            let mut found = wanted();
            change(&mut found);
            assert_eq!(field_of(&found).as_deref(), Some(field));
        }
    }
}
