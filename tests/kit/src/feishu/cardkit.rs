//! Card entities: created, streamed, set, replaced; and the delayed update after a tap.
//!
//! Exists because writes on an entity follow rules of their own: a growing sequence, single-use
//! uuids, streaming that ends by itself. Single elements are left to `element`.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::record::How;
use super::world::{Entity, World};
use super::{card, messages, tap};

/// The narrower reading of "30 KB".
const CARD_MAX: usize = 30_000;
/// Longest text of one element, in characters.
const CONTENT_MAX: usize = 100_000;
const ENTITY_LIFE: Duration = Duration::from_secs(14 * 24 * 3600);
const TAP_LIFE: Duration = Duration::from_secs(30 * 60);
const TAP_USES: u32 = 2;

fn bad(why: impl AsRef<str>) -> Answer {
    Answer::refuse(10_002, format!("invalid param: {}", why.as_ref()))
}

/// A card out of `{"type": "card_json", "data": "…"}`.
fn parse(holder: &Value) -> Result<Value, Answer> {
    if holder["type"] != "card_json" {
        return Err(bad("type is card_json"));
    }
    let data = holder["data"]
        .as_str()
        .ok_or_else(|| bad("data is a text"))?;
    let parsed = serde_json::from_str(data).map_err(|e| Answer::refuse(200_220, e.to_string()))?;
    judge(&parsed)?;
    Ok(parsed)
}

/// A card as CardKit judges it.
pub(crate) fn judge(card: &Value) -> Result<(), Answer> {
    if card.to_string().len() > CARD_MAX {
        return Err(Answer::refuse(200_860, "card content exceeds limit"));
    }
    card::check(card).map_err(|error| Answer::refuse(error.kit, error.to_string()))
}

/// `POST cards`.
pub(crate) fn create(world: &mut World, body: &Value) -> Outcome {
    let card = parse(body)?;
    let number = world.next();
    let card_id = format!("73{:017}", number + u64::from(rand::random::<u32>()) * 1000);
    let now = world.now();
    let entity = Entity {
        streaming_since: streaming(&card).then_some(now),
        card,
        created: now,
        sequence: 0,
        uuids: HashSet::new(),
        timeout_told: false,
        message_id: None,
    };
    world.cards.insert(card_id.clone(), entity);
    Ok(Answer::data(&json!({"card_id": card_id})))
}

fn streaming(card: &Value) -> bool {
    card.pointer("/config/streaming_mode") == Some(&Value::Bool(true))
}

/// The rules every write on an entity has in common. The write itself must follow on success.
pub(crate) fn admit(
    world: &mut World,
    card_id: &str,
    body: &Value,
    streams: bool,
) -> Result<(), Answer> {
    let max = world.settings.limits.card_per_second;
    let second = Duration::from_secs(1);
    world
        .admit(&format!("card {card_id}"), max, second)
        .map_err(|_| messages::too_fast())?;
    let now = world.now();
    let entity = world.cards.get(card_id);
    let entity = entity.ok_or_else(|| Answer::refuse(200_740, "the card entity does not exist"))?;
    if now > entity.created + ENTITY_LIFE {
        return Err(Answer::refuse(200_750, "the card entity has expired"));
    }
    let uuid = match &body["uuid"] {
        Value::Null => None,
        Value::String(uuid) if (1..=64).contains(&uuid.chars().count()) => Some(uuid.clone()),
        _ => return Err(bad("uuid is a text of 1 to 64 characters")),
    };
    if uuid.as_ref().is_some_and(|u| entity.uuids.contains(u)) {
        return Err(Answer::refuse(200_770, "the uuid was used before"));
    }
    let sequence = body["sequence"]
        .as_i64()
        .filter(|s| i32::try_from(*s).is_ok());
    let sequence = sequence.ok_or_else(|| bad("sequence is an int32"))?;
    if sequence <= entity.sequence {
        let why = format!(
            "sequence number compare failed: {sequence} after {}",
            entity.sequence
        );
        return Err(Answer::refuse(300_317, why));
    }
    let busy = entity
        .message_id
        .as_ref()
        .is_some_and(|m| world.busy.contains(m));
    if streams && busy {
        return Err(Answer::refuse(
            200_810,
            "the person is interacting with the card",
        ));
    }
    let timeout = world.settings.streaming_timeout;
    let Some(entity) = world.cards.get_mut(card_id) else {
        return Ok(());
    };
    if streams {
        match entity.streaming_since {
            None => return Err(Answer::refuse(300_309, "streaming mode is closed")),
            Some(since) if now < since + timeout => {}
            Some(_) if entity.timeout_told => {
                return Err(Answer::refuse(300_309, "streaming mode is closed"));
            }
            Some(_) => {
                entity.timeout_told = true;
                return Err(Answer::refuse(200_850, "card streaming timeout"));
            }
        }
    }
    entity.sequence = sequence;
    entity.uuids.extend(uuid);
    Ok(())
}

/// Makes `card` the entity's, and notes it on the message that shows it.
pub(crate) fn store(world: &mut World, card_id: &str, card: Value, how: How) {
    let now = world.now();
    let Some(entity) = world.cards.get_mut(card_id) else {
        return;
    };
    if how == How::Settings || how == How::Replace {
        let on = streaming(&card);
        // Switching on anew starts the time anew.
        entity.streaming_since = on.then_some(now);
        entity.timeout_told = false;
    }
    entity.card = card.clone();
    if let Some(message_id) = entity.message_id.clone() {
        world.edited(&message_id, how, card);
    }
}

/// A copy of the entity's card, to change and judge before it is stored.
pub(crate) fn copy(world: &World, card_id: &str) -> Result<Value, Answer> {
    let entity = world.cards.get(card_id);
    let entity = entity.ok_or_else(|| Answer::refuse(200_740, "the card entity does not exist"))?;
    Ok(entity.card.clone())
}

/// `PUT cards/:id/elements/:element/content`.
pub(crate) fn content(world: &mut World, card_id: &str, element_id: &str, body: &Value) -> Outcome {
    let text = body["content"]
        .as_str()
        .filter(|t| (1..=CONTENT_MAX).contains(&t.chars().count()));
    let text = text.ok_or_else(|| bad("content is a text of 1 to 100000 characters"))?;
    let mut card = copy(world, card_id)?;
    let element = find(&mut card, element_id)
        .ok_or_else(|| Answer::refuse(300_313, format!("no such element: {element_id}")))?;
    if !matches!(element["tag"].as_str(), Some("markdown" | "plain_text")) {
        return Err(Answer::refuse(300_310, "not a text element"));
    }
    element["content"] = json!(text);
    judge(&card)?;
    admit(world, card_id, body, true)?;
    store(world, card_id, card, How::Stream);
    Ok(Answer::data(&json!({})))
}

/// The element with this id, wherever it stands.
pub(crate) fn find<'a>(value: &'a mut Value, element_id: &str) -> Option<&'a mut Value> {
    if value.get("element_id").and_then(Value::as_str) == Some(element_id) {
        return Some(value);
    }
    match value {
        Value::Array(items) => items.iter_mut().find_map(|v| find(v, element_id)),
        Value::Object(object) => object.values_mut().find_map(|v| find(v, element_id)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// `PATCH cards/:id/settings`.
pub(crate) fn settings(world: &mut World, card_id: &str, body: &Value) -> Outcome {
    let parsed = body["settings"]
        .as_str()
        .and_then(|t| serde_json::from_str::<Value>(t).ok());
    let parsed = parsed.ok_or_else(|| bad("settings is JSON in a text"))?;
    let config = parsed["config"]
        .as_object()
        .ok_or_else(|| Answer::refuse(300_122, "settings need the member config"))?;
    let mut card = copy(world, card_id)?;
    if !card["config"].is_object() {
        card["config"] = json!({});
    }
    for (key, value) in config {
        card["config"][key] = value.clone();
    }
    judge(&card)?;
    admit(world, card_id, body, false)?;
    store(world, card_id, card, How::Settings);
    Ok(Answer::data(&json!({})))
}

/// `PUT cards/:id`.
pub(crate) fn replace(world: &mut World, card_id: &str, body: &Value) -> Outcome {
    let card = parse(&body["card"])?;
    admit(world, card_id, body, false)?;
    store(world, card_id, card, How::Replace);
    Ok(Answer::data(&json!({})))
}

/// `POST interactive/v1/card/update`: after a tap, with its token.
pub(crate) fn delayed(world: &mut World, body: &Value) -> Outcome {
    let now = world.now();
    let new = &body["card"];
    let token = body["token"].as_str().unwrap_or_default();
    let tap = world
        .taps
        .get_mut(token)
        .ok_or_else(|| Answer::refuse(300_020, "token is invalid"))?;
    match tap.answered_at {
        None => {
            return Err(Answer::refuse(
                300_010,
                "the callback has not been answered yet",
            ));
        }
        Some(at) if now > at + TAP_LIFE => {
            return Err(Answer::refuse(300_020, "token expired: 30 min"));
        }
        Some(_) if tap.uses >= TAP_USES => {
            return Err(Answer::refuse(300_020, "token used twice already"));
        }
        Some(_) => {}
    }
    card::check(new)
        .map_err(|e| Answer::refuse(230_099, format!("Failed to create card content, ext={e}")))?;
    tap.uses += 1;
    let message_id = tap.message_id.clone();
    tap::show(world, &message_id, new, How::Delayed);
    Ok(Answer::data(&json!({})))
}
