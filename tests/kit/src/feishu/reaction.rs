//! Emoji under a message.
//!
//! Exists because a reaction is the cheapest sign of life a bot can give. Reactions by people start
//! in `user`.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::delivery::{self, Outgoing, Plan};
use super::record::Reaction;
use super::world::{World, id};
use super::{APP_ID, Core};

/// The emoji names the platform knows, as far as bots commonly use them.
const EMOJI: [&str; 64] = [
    "OK",
    "THUMBSUP",
    "ThumbsDown",
    "THANKS",
    "MUSCLE",
    "FINGERHEART",
    "APPLAUSE",
    "FISTBUMP",
    "JIAYI",
    "DONE",
    "SMILE",
    "BLUSH",
    "LAUGH",
    "SMIRK",
    "LOL",
    "FACEPALM",
    "LOVE",
    "WINK",
    "PROUD",
    "WITTY",
    "SMART",
    "SCOWL",
    "THINKING",
    "SOB",
    "CRY",
    "ERROR",
    "HAUGHTY",
    "GLANCE",
    "DULL",
    "JOYFUL",
    "WOW",
    "YEAH",
    "CLAP",
    "PRAISE",
    "STRIVE",
    "SILENT",
    "WAVE",
    "WHAT",
    "SHHH",
    "ANGRY",
    "HAMMER",
    "SHOCKED",
    "SWEAT",
    "SPEECHLESS",
    "SLEEP",
    "Typing",
    "Get",
    "LGTM",
    "OnIt",
    "OneSecond",
    "SALUTE",
    "HIGHFIVE",
    "ROSE",
    "HEART",
    "PARTY",
    "Yes",
    "No",
    "CheckMark",
    "CrossMark",
    "Hundred",
    "Pin",
    "Alarm",
    "Fire",
    "HEARTBROKEN",
];

/// `POST messages/:id/reactions`.
pub(crate) fn add(world: &mut World, message_id: &str, body: &Value) -> Outcome {
    let Some(emoji) = body
        .pointer("/reaction_type/emoji_type")
        .and_then(Value::as_str)
    else {
        return Err(Answer::field(
            "reaction_type.emoji_type",
            "emoji_type is required",
        ));
    };
    let reaction_id = put(world, message_id, emoji, true)?;
    Ok(Answer::data(&json!({
        "reaction_id": reaction_id, "reaction_type": {"emoji_type": emoji},
        "operator": {"operator_id": APP_ID, "operator_type": "app"},
        "action_time": world.now_ms().to_string()})))
}

/// Adds a reaction, by the bot or by a person; returns its id.
pub(crate) fn put(
    world: &mut World,
    message_id: &str,
    emoji: &str,
    by_bot: bool,
) -> Result<String, Answer> {
    if !EMOJI.contains(&emoji) {
        return Err(Answer::refuse(
            231_001,
            format!("reaction type is invalid: {emoji}"),
        ));
    }
    let message = world.messages.get_mut(message_id).filter(|m| !m.recalled);
    let message = message.ok_or_else(|| Answer::refuse(231_003, "the message does not exist"))?;
    let held = message
        .reactions
        .iter()
        .find(|r| by_bot && r.by_bot && r.emoji == emoji);
    if let Some(reaction) = held {
        // The same emoji twice by one hand is one reaction.
        return Ok(reaction.reaction_id.clone());
    }
    let reaction_id = id("rc");
    message.reactions.push(Reaction {
        reaction_id: reaction_id.clone(),
        emoji: emoji.to_owned(),
        by_bot,
    });
    Ok(reaction_id)
}

/// `DELETE messages/:id/reactions/:reaction_id`.
pub(crate) fn remove(world: &mut World, message_id: &str, reaction_id: &str) -> Outcome {
    let message = world.messages.get_mut(message_id).filter(|m| !m.recalled);
    let message = message.ok_or_else(|| Answer::refuse(231_003, "the message does not exist"))?;
    let at = message
        .reactions
        .iter()
        .position(|r| r.reaction_id == reaction_id && r.by_bot);
    let at = at.ok_or_else(|| Answer::refuse(231_007, "no such reaction of the app"))?;
    let reaction = message.reactions.remove(at);
    Ok(Answer::data(&json!({
        "reaction_id": reaction_id, "reaction_type": {"emoji_type": reaction.emoji},
        "operator": {"operator_id": APP_ID, "operator_type": "app"},
        "action_time": world.now_ms().to_string()})))
}

/// The event an app gets of its own last reaction, if it subscribed to reactions.
pub(crate) fn tell(core: &Core, message_id: &str) {
    let envelope = core.look(|w| {
        let message = w.messages.get(message_id)?;
        let emoji = &message.reactions.iter().rfind(|r| r.by_bot)?.emoji;
        let event = json!({"message_id": message_id, "reaction_type": {"emoji_type": emoji},
            "operator_type": "app", "app_id": APP_ID, "action_time": w.now_ms().to_string()});
        Some(w.envelope(&id("ev"), "im.message.reaction.created_v1", &event))
    });
    if let Some(envelope) = envelope {
        let message_id = Some(message_id.to_owned());
        delivery::deliver(
            core,
            Outgoing {
                envelope,
                message_id,
                plan: Plan::default(),
            },
        );
    }
}
