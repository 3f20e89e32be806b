//! Messages of the bot: sent, replied, edited, recalled, read.
//!
//! Exists to decide where a message goes and whether it may change; what may stand in it is left to
//! `content`.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::record::How;
use super::rest::Asked;
use super::settings::Repeated;
use super::world::{Message, World, id};
use super::{APP_ID, content};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Cards cannot be changed after this time.
const EDITABLE: Duration = Duration::from_secs(14 * 24 * 3600);
/// Longest idempotency key, in characters.
const UUID_MAX: usize = 50;
/// A text can be edited this often.
const EDITS_MAX: usize = 20;

/// `POST messages?receive_id_type=…`.
pub(crate) fn send(world: &mut World, asked: &Asked) -> Outcome {
    let body = asked.json()?;
    let kind = asked
        .param("receive_id_type")
        .ok_or_else(|| Answer::field("receive_id_type", "receive_id_type is required"))?;
    let receiver = text(&body, "receive_id")?;
    let chat_id = receiver_chat(world, kind, receiver)?;
    create(world, asked, &body, chat_id, None)
}

/// `POST messages/:id/reply`.
pub(crate) fn reply(world: &mut World, message_id: &str, asked: &Asked) -> Outcome {
    let body = asked.json()?;
    let parent = existing(world, message_id)?;
    let chat_id = parent.chat_id.clone();
    create(world, asked, &body, chat_id, Some(message_id))
}

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, Answer> {
    match &body[field] {
        Value::String(text) if !text.is_empty() => Ok(text),
        Value::String(_) | Value::Null => {
            Err(Answer::field(field, &format!("{field} is required")))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(
            Answer::refuse(9499, format!("Invalid parameter type in json: {field}")),
        ),
    }
}

fn receiver_chat(world: &World, kind: &str, receiver: &str) -> Result<String, Answer> {
    let wrong = || Answer::refuse(230_034, format!("receive_id is invalid: {receiver}"));
    let by = |hit: &dyn Fn(&str, &super::world::Person) -> bool| {
        let found = world
            .people
            .iter()
            .find(|(open_id, person)| hit(open_id, person));
        found
            .map(|(_, person)| person.chat.clone())
            .ok_or_else(wrong)
    };
    match kind {
        "chat_id" if world.chats.contains_key(receiver) => Ok(receiver.to_owned()),
        "chat_id" | "email" => Err(wrong()),
        "open_id" => by(&|open_id, _| open_id == receiver),
        "union_id" => by(&|_, person| person.union == receiver),
        "user_id" => by(&|_, person| person.user == receiver),
        other => Err(Answer::field(
            "receive_id_type",
            &format!("{other} is not an option"),
        )),
    }
}

fn existing<'a>(world: &'a World, message_id: &str) -> Result<&'a Message, Answer> {
    match world.messages.get(message_id) {
        None => Err(Answer::refuse(
            230_001,
            format!(
                "Your request contains an invalid request parameter, ext=invalid message_id {message_id}"
            ),
        )),
        Some(m) if m.recalled => Err(Answer::refuse(230_011, "The message was recalled.")),
        Some(message) => Ok(message),
    }
}

fn create(
    world: &mut World,
    asked: &Asked,
    body: &Value,
    chat_id: String,
    reply_to: Option<&str>,
) -> Outcome {
    let msg_type = text(body, "msg_type")?.to_owned();
    let raw = text(body, "content")?;
    let uuid = match &body["uuid"] {
        Value::Null => None,
        Value::String(uuid) if uuid.is_empty() => None,
        Value::String(uuid) if uuid.chars().count() <= UUID_MAX => Some(uuid.clone()),
        _ => {
            return Err(Answer::field(
                "uuid",
                "uuid is a text of at most 50 characters",
            ));
        }
    };
    let now = world.now();
    if let Some(uuid) = &uuid
        && let Some((at, first)) = world.uuids.get(uuid)
        && now < *at + HOUR
    {
        let first = first.clone();
        if let Some(message) = world.messages.get_mut(&first) {
            message.repeats += 1;
        }
        return match world.settings.repeated_uuid {
            Repeated::First => Ok(confirmed(world, &first)),
            Repeated::Nameless => Ok(Answer::data(&json!({}))),
            Repeated::Refused { code, msg } => Err(Answer::refuse(code, msg)),
        };
    }
    if let Some(code) = world.chats.get(&chat_id).and_then(|c| c.refuses) {
        return Err(Answer::refuse(
            code,
            "the chat does not take messages of the bot",
        ));
    }
    let parsed = content::check(world, &msg_type, raw, asked.body.len())?;
    let max = world.settings.limits.chat_per_second;
    world
        .admit(&format!("chat {chat_id}"), max, SECOND)
        .map_err(|_| too_fast())?;
    let message_id = id("om");
    let card_id = content::card_id(&msg_type, &parsed).map(str::to_owned);
    if let Some(entity) = card_id.as_ref().and_then(|c| world.cards.get_mut(c)) {
        entity.message_id = Some(message_id.clone());
    }
    if let Some(uuid) = &uuid {
        world.uuids.insert(uuid.clone(), (now, message_id.clone()));
    }
    let create_ms = world.now_ms();
    world.post(Message {
        id: message_id.clone(),
        chat_id,
        from: None,
        msg_type,
        content: parsed,
        sent_at: now,
        create_ms,
        uuid,
        repeats: 0,
        reply_to: reply_to.map(str::to_owned),
        in_thread: body["reply_in_thread"] == true,
        reactions: Vec::new(),
        edits: Vec::new(),
        recalled: false,
        card_id,
        event: None,
    });
    Ok(confirmed(world, &message_id))
}

fn confirmed(world: &World, message_id: &str) -> Answer {
    if world.settings.nameless {
        Answer::data(&Value::Null)
    } else {
        Answer::data(&describe(world, message_id))
    }
}

pub(crate) fn too_fast() -> Answer {
    Answer::refuse(230_020, "This operation triggers the frequency limit.")
}

/// `PATCH messages/:id`: cards only.
pub(crate) fn patch(world: &mut World, message_id: &str, asked: &Asked) -> Outcome {
    let body = asked.json()?;
    let raw = text(&body, "content")?;
    let message = own(world, message_id)?;
    if message.msg_type != "interactive" {
        return Err(Answer::refuse(
            230_054,
            "This operation is not supported for this message type.",
        ));
    }
    if message.card_id.is_some() {
        let why = "the message shows a card entity; update the entity";
        return Err(Answer::refuse(
            230_099,
            format!("Failed to create card content, ext=ErrCode: 200621; ErrMsg: {why};"),
        ));
    }
    if world.now() > message.sent_at + EDITABLE {
        return Err(Answer::refuse(
            230_031,
            "The message is older than 14 days.",
        ));
    }
    let max = world.settings.limits.patch_per_second;
    world
        .admit(&format!("patch {message_id}"), max, SECOND)
        .map_err(|_| too_fast())?;
    let parsed = content::check(world, "interactive", raw, asked.body.len())?;
    if content::card_id("interactive", &parsed).is_some() {
        return Err(Answer::refuse(
            230_001,
            "invalid request parameter, ext=a card is needed",
        ));
    }
    world.edited(message_id, How::Patch, parsed);
    Ok(Answer::data(&json!({})))
}

/// `PUT messages/:id`: texts and posts only.
pub(crate) fn edit(world: &mut World, message_id: &str, asked: &Asked) -> Outcome {
    let body = asked.json()?;
    let (msg_type, raw) = (text(&body, "msg_type")?, text(&body, "content")?);
    let message = own(world, message_id)?;
    let editable = |kind: &str| kind == "text" || kind == "post";
    if !editable(&message.msg_type) || !editable(msg_type) {
        return Err(Answer::refuse(
            230_054,
            "This operation is not supported for this message type.",
        ));
    }
    if message.edits.len() >= EDITS_MAX {
        return Err(Answer::refuse(
            230_072,
            "The message has been edited too often.",
        ));
    }
    let parsed = content::check(world, msg_type, raw, asked.body.len())?;
    if let Some(message) = world.messages.get_mut(message_id) {
        msg_type.clone_into(&mut message.msg_type);
    }
    world.edited(message_id, How::Put, parsed);
    Ok(Answer::data(&describe(world, message_id)))
}

/// `DELETE messages/:id`.
pub(crate) fn delete(world: &mut World, message_id: &str) -> Outcome {
    let message = existing(world, message_id)?;
    if message.from.is_some() {
        return Err(Answer::refuse(
            230_026,
            "No permission to recall this message.",
        ));
    }
    if let Some(message) = world.messages.get_mut(message_id) {
        message.recalled = true;
    }
    Ok(Answer::data(&json!({})))
}

/// `GET messages/:id`.
pub(crate) fn get(world: &World, message_id: &str) -> Outcome {
    existing(world, message_id)?;
    Ok(Answer::data(
        &json!({"items": [describe(world, message_id)]}),
    ))
}

fn own<'a>(world: &'a World, message_id: &str) -> Result<&'a Message, Answer> {
    let message = existing(world, message_id)?;
    if message.from.is_some() {
        return Err(Answer::refuse(
            230_071,
            "The operator is not the sender of the message.",
        ));
    }
    Ok(message)
}

fn describe(world: &World, message_id: &str) -> Value {
    let Some(message) = world.messages.get(message_id) else {
        return Value::Null;
    };
    let sender = match &message.from {
        None => {
            json!({"id": APP_ID, "id_type": "app_id", "sender_type": "app", "tenant_key": "tenant_kit"})
        }
        Some(open_id) => json!({"id": open_id, "id_type": "open_id", "sender_type": "user",
                                "tenant_key": "tenant_kit"}),
    };
    let mut description = json!({
        "message_id": message.id, "chat_id": message.chat_id, "msg_type": message.msg_type,
        "create_time": message.create_ms.to_string(), "update_time": message.create_ms.to_string(),
        "deleted": message.recalled, "updated": !message.edits.is_empty(), "sender": sender,
        "body": {"content": world.content(message).to_string()}});
    if let Some(parent) = &message.reply_to {
        description["parent_id"] = json!(parent);
        description["root_id"] = json!(parent);
    }
    description
}
