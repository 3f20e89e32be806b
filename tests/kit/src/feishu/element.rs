//! Single elements of a card entity: added, replaced, changed, removed.
//!
//! Exists apart from `cardkit` because these calls edit the tree; the rules for writes stay there.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::cardkit::{admit, copy, find, judge, store};
use super::record::How;
use super::world::World;

/// JSON out of a text member.
fn inner(body: &Value, key: &str) -> Result<Value, Answer> {
    let parsed = body[key]
        .as_str()
        .and_then(|t| serde_json::from_str(t).ok());
    parsed.ok_or_else(|| Answer::refuse(10_002, format!("invalid param: {key} is JSON in a text")))
}

fn missing(code: i64, element_id: &str) -> Answer {
    Answer::refuse(code, format!("no such element: {element_id}"))
}

fn finish(world: &mut World, card_id: &str, body: &Value, card: Value) -> Outcome {
    judge(&card)?;
    admit(world, card_id, body, false)?;
    store(world, card_id, card, How::Elements);
    Ok(Answer::data(&json!({})))
}

/// `POST cards/:id/elements`.
pub(crate) fn add(world: &mut World, card_id: &str, body: &Value) -> Outcome {
    let Value::Array(new) = inner(body, "elements")? else {
        return Err(Answer::refuse(10_002, "invalid param: elements is a list"));
    };
    let mut card = copy(world, card_id)?;
    let target = body["target_element_id"].as_str();
    let kind = body["type"].as_str().unwrap_or_default();
    let list = match (kind, target) {
        ("append", None) => card
            .pointer_mut("/body/elements")
            .and_then(Value::as_array_mut),
        ("append", Some(id)) => find(&mut card, id).and_then(|e| e["elements"].as_array_mut()),
        ("insert_before" | "insert_after", Some(id)) => around(&mut card, id),
        _ => {
            return Err(Answer::refuse(
                10_002,
                "invalid param: type, target_element_id",
            ));
        }
    };
    let list = list.ok_or_else(|| missing(300_315, target.unwrap_or("body")))?;
    let at = list.iter().position(|e| e["element_id"].as_str() == target);
    let at = match (kind, at) {
        ("insert_before", Some(at)) => at,
        ("insert_after", Some(at)) => at + 1,
        _ => list.len(),
    };
    list.splice(at..at, new);
    finish(world, card_id, body, card)
}

/// The list an element stands in.
fn around<'a>(value: &'a mut Value, element_id: &str) -> Option<&'a mut Vec<Value>> {
    match value {
        Value::Array(items) => {
            if items.iter().any(|e| e["element_id"] == element_id) {
                return Some(items);
            }
            items.iter_mut().find_map(|v| around(v, element_id))
        }
        Value::Object(object) => object.values_mut().find_map(|v| around(v, element_id)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// `PUT cards/:id/elements/:element`.
pub(crate) fn put(world: &mut World, card_id: &str, element_id: &str, body: &Value) -> Outcome {
    let new = inner(body, "element")?;
    let mut card = copy(world, card_id)?;
    let old = find(&mut card, element_id).ok_or_else(|| missing(300_121, element_id))?;
    *old = new;
    finish(world, card_id, body, card)
}

/// `PATCH cards/:id/elements/:element`.
pub(crate) fn patch(world: &mut World, card_id: &str, element_id: &str, body: &Value) -> Outcome {
    let changes = inner(body, "partial_element")?;
    let mut card = copy(world, card_id)?;
    let element = find(&mut card, element_id).ok_or_else(|| missing(300_313, element_id))?;
    for (key, value) in changes.as_object().into_iter().flatten() {
        if key == "tag" && element["tag"] != *value {
            return Err(Answer::refuse(
                300_312,
                "the tag of an element cannot change",
            ));
        }
        element[key] = value.clone();
    }
    finish(world, card_id, body, card)
}

/// `DELETE cards/:id/elements/:element`.
pub(crate) fn delete(world: &mut World, card_id: &str, element_id: &str, body: &Value) -> Outcome {
    let mut card = copy(world, card_id)?;
    let list = around(&mut card, element_id).ok_or_else(|| missing(300_314, element_id))?;
    list.retain(|e| e["element_id"] != element_id);
    finish(world, card_id, body, card)
}
