//! What may stand in a message the bot sends.
//!
//! Exists to refuse, with the platform's codes, what the platform refuses. Cards are left to `card`.

use serde_json::Value;

use super::answer::Answer;
use super::card;
use super::world::World;

/// The narrower reading of the platform's "KB" and of what is counted: the whole request.
const TEXT_MAX: usize = 150_000;
const CARD_MAX: usize = 30_000;

const POST_TAGS: [&str; 9] = [
    "text",
    "a",
    "at",
    "img",
    "media",
    "emotion",
    "hr",
    "code_block",
    "md",
];

/// Parses and judges a message's content.
pub(crate) fn check(
    world: &World,
    msg_type: &str,
    raw: &str,
    body: usize,
) -> Result<Value, Answer> {
    let max = if matches!(msg_type, "post" | "interactive") {
        CARD_MAX
    } else {
        TEXT_MAX
    };
    if body > max {
        return Err(Answer::refuse(
            230_025,
            "The length of the message content reaches its limit.",
        ));
    }
    let bad = |ext: &str| {
        Answer::refuse(
            230_001,
            format!("Your request contains an invalid request parameter, ext={ext}"),
        )
    };
    let parsed: Value =
        serde_json::from_str(raw).map_err(|_| bad("content is not in JSON format"))?;
    if !parsed.is_object() {
        return Err(bad("content is not a JSON object"));
    }
    let text = |field: &str| parsed[field].as_str().filter(|t| !t.is_empty());
    match msg_type {
        "text" => text("text")
            .map(drop)
            .ok_or_else(|| bad("text message content is empty"))?,
        "post" => post(world, &parsed).map_err(|why| bad(&why))?,
        "image" => {
            let key = text("image_key").ok_or_else(|| bad("image_key is needed"))?;
            holds(world, key, |kind| kind == "image")?;
        }
        "file" | "audio" | "media" => {
            let key = text("file_key").ok_or_else(|| bad("file_key is needed"))?;
            holds(world, key, |kind| match msg_type {
                "audio" => kind == "opus",
                "media" => kind == "mp4",
                _ => kind != "opus" && kind != "mp4" && kind != "image",
            })?;
        }
        "sticker" => text("file_key")
            .map(drop)
            .ok_or_else(|| bad("file_key is needed"))?,
        "share_chat" => text("chat_id")
            .map(drop)
            .ok_or_else(|| bad("chat_id is needed"))?,
        "share_user" => text("user_id")
            .map(drop)
            .ok_or_else(|| bad("user_id is needed"))?,
        "interactive" => interactive(world, &parsed)?,
        other => return Err(bad(&format!("invalid msg_type {other}"))),
    }
    Ok(parsed)
}

/// The card entity a content points to.
pub(crate) fn card_id<'a>(msg_type: &str, content: &'a Value) -> Option<&'a str> {
    if msg_type != "interactive" || content["type"] != "card" {
        return None;
    }
    content.pointer("/data/card_id")?.as_str()
}

fn interactive(world: &World, content: &Value) -> Result<(), Answer> {
    let refuse = |code: i64, msg: &str| {
        let text = format!("Failed to create card content, ext=ErrCode: {code}; ErrMsg: {msg};");
        Answer::refuse(230_099, text)
    };
    if let Some(card_id) = card_id("interactive", content) {
        let entity = world
            .cards
            .get(card_id)
            .ok_or_else(|| refuse(200_740, "no such card entity"))?;
        if entity.message_id.is_some() {
            return Err(refuse(200_740, "the card entity has been sent before"));
        }
        return Ok(());
    }
    if content["type"] == "template" {
        return Err(refuse(200_621, "this app has no templates"));
    }
    card::check(content).map_err(|error| {
        Answer::refuse(
            230_099,
            format!("Failed to create card content, ext={error}"),
        )
    })
}

/// Whether a key is the bot's own upload, of a kind that fits.
fn holds(world: &World, key: &str, fits: impl Fn(&str) -> bool) -> Result<(), Answer> {
    let own = world.media.get(key).filter(|m| m.message_id.is_none());
    let media =
        own.ok_or_else(|| Answer::refuse(230_017, "The bot is not the owner of the resource."))?;
    if fits(&media.kind) {
        return Ok(());
    }
    Err(Answer::refuse(
        230_055,
        "The type of the file does not match the type of the message.",
    ))
}

fn post(world: &World, content: &Value) -> Result<(), String> {
    let locales = content.as_object().map_or(0, serde_json::Map::len);
    if locales == 0 {
        return Err("a post needs a locale level".to_owned());
    }
    for (locale, body) in content.as_object().into_iter().flatten() {
        let known = ["zh_cn", "zh_hk", "zh_tw", "en_us", "ja_jp"].contains(&locale.as_str());
        if !known {
            return Err(format!("{locale:?} is no locale of a post"));
        }
        let paragraphs = body["content"]
            .as_array()
            .ok_or("a post's content is a list of paragraphs")?;
        if paragraphs.is_empty() {
            return Err("a post without paragraphs".to_owned());
        }
        for paragraph in paragraphs {
            let nodes = paragraph
                .as_array()
                .ok_or("a paragraph is a list of nodes")?;
            for node in nodes {
                self::node(world, node, nodes.len())?;
            }
        }
    }
    Ok(())
}

fn node(world: &World, node: &Value, neighbours: usize) -> Result<(), String> {
    let tag = node["tag"].as_str().unwrap_or_default();
    if !POST_TAGS.contains(&tag) {
        return Err(format!("unknown tag {tag:?} in a post"));
    }
    let needs: &[&str] = match tag {
        "text" | "md" | "code_block" => &["text"],
        "a" => &["text", "href"],
        "at" => &["user_id"],
        "img" => &["image_key"],
        "media" => &["file_key"],
        "emotion" => &["emoji_type"],
        _ => &[],
    };
    for field in needs {
        if !node[field].is_string() {
            return Err(format!("{tag} without {field}"));
        }
    }
    if tag == "md" && neighbours > 1 {
        return Err("md must be alone in its paragraph".to_owned());
    }
    if tag == "img" {
        let key = node["image_key"].as_str().unwrap_or_default();
        holds(world, key, |kind| kind == "image").map_err(|_| format!("unknown image {key}"))?;
    }
    Ok(())
}
