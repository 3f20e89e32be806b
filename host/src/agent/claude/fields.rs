//! Reading fields out of JSON whose shape is nobody's promise: what is missing or of another kind
//! is simply not there.

use serde_json::Value;
use uuid::Uuid;

pub(super) fn str_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

pub(super) fn string_at(value: &Value, key: &str) -> Option<String> {
    str_at(value, key).map(str::to_owned)
}

pub(super) fn uuid_at(value: &Value, key: &str) -> Option<Uuid> {
    Uuid::parse_str(str_at(value, key)?).ok()
}

pub(super) fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

pub(super) fn strings_at(value: &Value, key: &str) -> Vec<String> {
    items(value, key)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Some versions write milliseconds with a fraction.
pub(super) fn u64_at(value: &Value, key: &str) -> Option<u64> {
    let number = value.get(key)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and the sign is looked at"
    )]
    let whole = |number: f64| (number >= 0.0).then_some(number as u64);
    number.as_u64().or_else(|| number.as_f64().and_then(whole))
}

pub(super) fn u32_at(value: &Value, key: &str) -> u32 {
    u64_at(value, key)
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or_default()
}

pub(super) fn status_at(value: &Value, key: &str) -> Option<u16> {
    u16::try_from(u64_at(value, key)?).ok()
}

/// A string, or the texts of a list of blocks.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks
            .iter()
            .filter_map(|block| str_at(block, "text"))
            .collect::<Vec<_>>()
            .join("\n"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}
