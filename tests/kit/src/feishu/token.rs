//! Credentials: tenant tokens, the websocket's URL, and who the bot is.
//!
//! Exists because these three calls decide whether a client gets anywhere at all. Opening the
//! websocket behind the URL is left to `socket`.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::answer::{Answer, Outcome};
use super::world::{Ticket, Token, World, id};
use super::{APP_ID, APP_SECRET};

/// With this much left the same token is given out again.
const SAME_TOKEN: Duration = Duration::from_secs(30 * 60);

/// `tenant_access_token/internal`.
pub(crate) fn issue(world: &mut World, body: &Value) -> Outcome {
    if body["app_id"] != APP_ID {
        return Err(Answer::code(200, 10_003, "invalid param: app_id"));
    }
    if body["app_secret"] != APP_SECRET {
        return Err(Answer::code(200, 10_014, "app secret invalid"));
    }
    let now = world.now();
    world.tokens.retain(|t| t.expires > now);
    let reusable = world.tokens.iter().find(|t| t.expires - now >= SAME_TOKEN);
    let (text, expires) = if let Some(token) = reusable {
        (token.text.clone(), token.expires)
    } else {
        let token = Token {
            text: id("t-g1").replace('_', ""),
            expires: now + world.settings.token_life,
        };
        let fresh = (token.text.clone(), token.expires);
        world.tokens.push(token);
        fresh
    };
    Ok(Answer::top(
        json!({"tenant_access_token": text, "expire": (expires - now).as_secs()}),
    ))
}

/// The bearer token of a call.
pub(crate) fn check(world: &World, headers: &HeaderMap) -> Result<(), Answer> {
    let text = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let Some(token) = text.strip_prefix("Bearer ").filter(|t| !t.is_empty()) else {
        return Err(Answer::refuse(
            99_991_661,
            "Missing access token for authorization",
        ));
    };
    if !token.starts_with("t-") && !token.starts_with("u-") {
        return Err(Answer::refuse(
            99_991_671,
            "Invalid access token: it must start with t- or u-",
        ));
    }
    let now = world.now();
    if world
        .tokens
        .iter()
        .any(|t| t.text == token && t.expires > now)
    {
        return Ok(());
    }
    Err(Answer::refuse(
        99_991_663,
        "Invalid access token for authorization",
    ))
}

/// `/callback/ws/endpoint`.
pub(crate) fn endpoint(world: &mut World, body: &Value) -> Outcome {
    let code = |code: i64, msg: &str| Answer::code(200, code, msg);
    let (Some(app), Some(secret)) = (body["AppID"].as_str(), body["AppSecret"].as_str()) else {
        return Err(code(
            1_000_040_344,
            "no credential: AppID and AppSecret are needed",
        ));
    };
    if app != APP_ID || secret != APP_SECRET {
        return Err(code(514, "auth failed"));
    }
    if world.sockets.len() >= world.settings.max_connections {
        return Err(code(
            1_000_040_350,
            "the number of connections exceeded the limit",
        ));
    }
    let number = world.next();
    let (device_id, secret) = (number.to_string() + "0042", id("ticket"));
    let service_id = 33_554_678;
    let url = format!(
        "ws://{}/ws/v2?fpid=493&aid=552564&device_id={device_id}&access_key=k&service_id={service_id}&ticket={secret}",
        world
            .settings
            .websocket_authority
            .as_ref()
            .unwrap_or(&world.address)
    );
    world.tickets.insert(
        secret,
        Ticket {
            device_id,
            service_id,
        },
    );
    let config = world.settings.client_config.clone();
    Ok(Answer::data(&json!({"URL": url, "ClientConfig": config})))
}

/// `/open-apis/bot/v3/info`.
pub(crate) fn bot_info(world: &World) -> Answer {
    Answer::top(json!({"bot": {
        "activate_status": 2, "app_name": "PhoneWork", "avatar_url": "", "ip_white_list": [],
        "open_id": world.bot_open_id}}))
}
