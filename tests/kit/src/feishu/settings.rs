//! The platform's numbers, all of which a test may set.
//!
//! Exists to keep the real values in one place, next to the reasons to change them. Enforcing them
//! is left to the modules that handle the requests.

use std::time::Duration;

use serde_json::{Value, json};

/// How the platform behaves. The defaults are the real platform's, except that rates are unlimited.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `data.ClientConfig` of the endpoint call; null is allowed.
    pub client_config: Value,
    /// Sent as the payload of every pong while set: new settings for the client.
    pub pong_settings: Option<Value>,
    /// Whether pings are answered.
    pub pongs: bool,
    /// What a message sent again under the same key gets. Either way it is there once.
    pub repeated_uuid: Repeated,
    /// Confirm messages without naming their ids.
    pub nameless: bool,
    /// Leave out whether a mentioned one is a person or a bot.
    pub unmarked_mentions: bool,
    /// Time for an ack or a callback's answer.
    pub ack_deadline: Duration,
    /// Pauses before the repeats of an event that was not acked. Real: 15 s, 5 min, 1 h, 6 h.
    pub redelivery: Vec<Duration>,
    /// Open connections allowed at once.
    pub max_connections: usize,
    /// Life of a tenant token.
    pub token_life: Duration,
    /// How long streaming mode stays on by itself.
    pub streaming_timeout: Duration,
    /// Rates; none by default.
    pub limits: Limits,
    /// Host and port in the websocket's URL, to lead clients through a proxy; nothing is the
    /// platform's own.
    pub websocket_authority: Option<String>,
    /// Tell the bot of its own reactions, as an app that subscribed to reaction events is told.
    pub own_reaction_events: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let minutes = |m: u64| Duration::from_secs(60 * m);
        Self {
            client_config: json!({"ReconnectCount": -1, "ReconnectInterval": 120,
                                  "ReconnectNonce": 30, "PingInterval": 120}),
            pong_settings: None,
            pongs: true,
            repeated_uuid: Repeated::First,
            nameless: false,
            unmarked_mentions: false,
            ack_deadline: Duration::from_secs(3),
            redelivery: vec![
                Duration::from_secs(15),
                minutes(5),
                minutes(60),
                minutes(360),
            ],
            max_connections: 50,
            token_life: minutes(120),
            streaming_timeout: minutes(10),
            limits: Limits::default(),
            websocket_authority: None,
            own_reaction_events: false,
        }
    }
}

/// The answer to a repeated idempotency key, which the platform's documents leave open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// Success, with the first message.
    First,
    /// Success, without a message.
    Nameless,
    /// An error.
    Refused {
        /// Its code.
        code: i64,
        /// Its words.
        msg: &'static str,
    },
}

/// Rates; `None` is unlimited, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls of one API in a second; beyond it 429 with code 99991400.
    pub api_per_second: Option<u32>,
    /// Calls of one API in a minute; beyond it the same.
    pub api_per_minute: Option<u32>,
    /// Messages into one chat in a second; beyond it code 230020.
    pub chat_per_second: Option<u32>,
    /// `PATCH` of one message in a second; beyond it code 230020.
    pub patch_per_second: Option<u32>,
    /// Writes on one card entity in a second; beyond it code 230020.
    pub card_per_second: Option<u32>,
}

impl Limits {
    /// The real platform's rates.
    pub fn real() -> Self {
        Self {
            api_per_second: Some(50),
            api_per_minute: Some(1000),
            chat_per_second: Some(5),
            patch_per_second: Some(5),
            card_per_second: Some(10),
        }
    }
}
