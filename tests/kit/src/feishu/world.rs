//! The platform's whole state, behind one lock.
//!
//! Exists so that every request is one short, indivisible step on one value. It is a record of one
//! test's life: nothing is dropped from it except the oldest requests beyond [`MAX_CALLS`].

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::fault::Faults;
use super::line::Line;
use super::record::{Ack, BotMessage, Call, Connection, Edit, Entry, How, Reaction};
use super::settings::Settings;
use super::wire::Frame;
use super::{APP_ID, read};

/// Requests kept; a test that makes more has gone wild and loses the oldest.
const MAX_CALLS: usize = 100_000;

pub(crate) struct World {
    pub(crate) settings: Settings,
    /// How far the platform's clock was put forward.
    pub(crate) skipped: Duration,
    pub(crate) bot_open_id: String,
    /// Host and port, for the URLs given out.
    pub(crate) address: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) chats: BTreeMap<String, Chat>,
    pub(crate) messages: HashMap<String, Message>,
    pub(crate) cards: HashMap<String, Entity>,
    pub(crate) media: HashMap<String, Media>,
    pub(crate) uuids: HashMap<String, (Instant, String)>,
    pub(crate) taps: HashMap<String, TapToken>,
    pub(crate) calls: Vec<Call>,
    pub(crate) calls_dropped: usize,
    pub(crate) acks: Vec<Ack>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) sockets: HashMap<usize, Socket>,
    pub(crate) tickets: HashMap<String, Ticket>,
    pub(crate) pending: HashMap<String, Pending>,
    pub(crate) faults: Faults,
    pub(crate) windows: HashMap<String, VecDeque<Instant>>,
    pub(crate) violations: Vec<String>,
    /// Messages whose card somebody is pressing at this moment.
    pub(crate) busy: Vec<String>,
    pub(crate) sequence: u64,
}

pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) expires: Instant,
}

pub(crate) struct Person {
    pub(crate) union: String,
    pub(crate) user: String,
    /// The private chat.
    pub(crate) chat: String,
}

pub(crate) struct Chat {
    pub(crate) group: bool,
    pub(crate) members: Vec<String>,
    /// Message ids in the order they appear.
    pub(crate) log: Vec<String>,
    /// Every send into it is refused with this code.
    pub(crate) refuses: Option<i64>,
}

pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) chat_id: String,
    /// The open_id of a person, or nothing for the bot.
    pub(crate) from: Option<String>,
    pub(crate) msg_type: String,
    pub(crate) content: Value,
    pub(crate) sent_at: Instant,
    pub(crate) create_ms: u128,
    pub(crate) uuid: Option<String>,
    pub(crate) repeats: usize,
    pub(crate) reply_to: Option<String>,
    pub(crate) in_thread: bool,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) recalled: bool,
    pub(crate) card_id: Option<String>,
    /// The event that told the bot of it.
    pub(crate) event: Option<Value>,
}

pub(crate) struct Entity {
    pub(crate) card: Value,
    pub(crate) created: Instant,
    pub(crate) sequence: i64,
    pub(crate) uuids: HashSet<String>,
    pub(crate) streaming_since: Option<Instant>,
    /// The timeout has been told once (200850); from now on it is "closed".
    pub(crate) timeout_told: bool,
    pub(crate) message_id: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Media {
    /// `image`, or the file_type.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) bytes: bytes::Bytes,
    /// The person's message it belongs to; nothing for the bot's own uploads.
    pub(crate) message_id: Option<String>,
}

pub(crate) struct TapToken {
    pub(crate) message_id: String,
    pub(crate) answered_at: Option<Instant>,
    pub(crate) uses: u32,
}

pub(crate) struct Ticket {
    pub(crate) device_id: String,
    pub(crate) service_id: i32,
}

/// The sending side of an open connection.
pub(crate) struct Socket {
    pub(crate) frames: mpsc::Sender<Vec<u8>>,
    pub(crate) close: mpsc::Sender<(u16, String)>,
    pub(crate) line: Line,
}

/// A delivery that waits for its ack.
pub(crate) struct Pending {
    pub(crate) frames: Vec<Frame>,
    pub(crate) event_id: String,
    pub(crate) event_type: String,
    pub(crate) message_id: Option<String>,
    pub(crate) connection: usize,
    pub(crate) sent_at: Instant,
    pub(crate) deaf: bool,
    pub(crate) done: Option<oneshot::Sender<Verdict>>,
}

/// What became of one delivery.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) code: i64,
    pub(crate) data: Option<Value>,
}

impl World {
    pub(crate) fn new(settings: Settings, address: String) -> Self {
        Self {
            settings,
            skipped: Duration::ZERO,
            bot_open_id: id("ou"),
            address,
            tokens: Vec::new(),
            people: BTreeMap::new(),
            chats: BTreeMap::new(),
            messages: HashMap::new(),
            cards: HashMap::new(),
            media: HashMap::new(),
            uuids: HashMap::new(),
            taps: HashMap::new(),
            calls: Vec::new(),
            calls_dropped: 0,
            acks: Vec::new(),
            connections: Vec::new(),
            sockets: HashMap::new(),
            tickets: HashMap::new(),
            pending: HashMap::new(),
            faults: Faults::default(),
            windows: HashMap::new(),
            violations: Vec::new(),
            busy: Vec::new(),
            sequence: 0,
        }
    }

    /// The platform's clock, which a test may put forward.
    pub(crate) fn now(&self) -> Instant {
        Instant::now() + self.skipped
    }

    /// The platform's wall clock in ms.
    pub(crate) fn now_ms(&self) -> u128 {
        (SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            + self.skipped)
            .as_millis()
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Records a request; the answer is filled in through the returned number.
    pub(crate) fn record(&mut self, call: Call) -> usize {
        if self.calls.len() >= MAX_CALLS {
            self.calls.remove(0);
            self.calls_dropped += 1;
        }
        self.calls.push(call);
        self.calls_dropped + self.calls.len() - 1
    }

    pub(crate) fn call(&mut self, number: usize) -> Option<&mut Call> {
        self.calls.get_mut(number.checked_sub(self.calls_dropped)?)
    }

    /// Registers a person with a private chat, once.
    pub(crate) fn person(&mut self, open_id: &str) -> &Person {
        if !self.people.contains_key(open_id) {
            let chat_id = id("oc");
            let chat = Chat {
                group: false,
                members: vec![open_id.to_owned()],
                log: Vec::new(),
                refuses: None,
            };
            self.chats.insert(chat_id.clone(), chat);
            let bare = open_id.trim_start_matches("ou_");
            let person = Person {
                union: format!("on_{bare}"),
                user: format!("u_{bare}"),
                chat: chat_id,
            };
            self.people.insert(open_id.to_owned(), person);
        }
        &self.people[open_id]
    }

    /// The ids of a person as events carry them.
    pub(crate) fn ids(&self, open_id: &str) -> Value {
        match self.people.get(open_id) {
            Some(p) => json!({"union_id": p.union, "user_id": p.user, "open_id": open_id}),
            None => json!({"union_id": null, "user_id": null, "open_id": open_id}),
        }
    }

    /// Puts a message into its chat.
    pub(crate) fn post(&mut self, message: Message) {
        if let Some(chat) = self.chats.get_mut(&message.chat_id) {
            chat.log.push(message.id.clone());
        }
        self.messages.insert(message.id.clone(), message);
    }

    /// Notes a change of a message and what it shows now.
    pub(crate) fn edited(&mut self, message_id: &str, how: How, content: Value) {
        let at = self.now();
        if let Some(message) = self.messages.get_mut(message_id) {
            message.edits.push(Edit {
                at,
                how,
                content: content.clone(),
            });
            if message.card_id.is_none() {
                message.content = content;
            }
        }
    }

    /// The content as shown now: the entity's card for a message that shows one.
    pub(crate) fn content(&self, message: &Message) -> Value {
        let entity = message.card_id.as_ref().and_then(|id| self.cards.get(id));
        entity.map_or_else(|| message.content.clone(), |e| e.card.clone())
    }

    /// Whether a card entity streams at this moment.
    pub(crate) fn streams(&self, card_id: Option<&str>) -> bool {
        let since = card_id
            .and_then(|id| self.cards.get(id))
            .and_then(|e| e.streaming_since);
        since.is_some_and(|s| self.now() < s + self.settings.streaming_timeout)
    }

    pub(crate) fn view(&self, message: &Message) -> BotMessage {
        BotMessage {
            message_id: message.id.clone(),
            chat_id: message.chat_id.clone(),
            msg_type: message.msg_type.clone(),
            content: self.content(message),
            sent_at: message.sent_at,
            edits: message.edits.clone(),
            uuid: message.uuid.clone(),
            repeats: message.repeats,
            reply_to: message.reply_to.clone(),
            in_thread: message.in_thread,
            reactions: message.reactions.clone(),
            recalled: message.recalled,
            card_id: message.card_id.clone(),
            streaming: self.streams(message.card_id.as_deref()),
        }
    }

    /// A chat id out of a chat id or the open_id of a person.
    pub(crate) fn chat_of<'a>(&'a self, chat_or_user: &'a str) -> &'a str {
        self.people
            .get(chat_or_user)
            .map_or(chat_or_user, |p| &p.chat)
    }

    fn log(&self, chat_or_user: &str) -> impl Iterator<Item = &Message> {
        let chat = self.chats.get(self.chat_of(chat_or_user));
        chat.into_iter()
            .flat_map(|c| &c.log)
            .filter_map(|id| self.messages.get(id))
    }

    pub(crate) fn bot_messages(&self, chat_or_user: &str) -> Vec<BotMessage> {
        self.log(chat_or_user)
            .filter(|m| m.from.is_none())
            .map(|m| self.view(m))
            .collect()
    }

    pub(crate) fn timeline(&self, chat_or_user: &str) -> Vec<Entry> {
        let entry = |m: &Message| Entry {
            message_id: m.id.clone(),
            from: m.from.clone(),
            text: read::text(&m.msg_type, &self.content(m)),
        };
        self.log(chat_or_user).map(entry).collect()
    }

    /// Counts one more use of a limit, or says how long to wait. `None` is no limit.
    pub(crate) fn admit(
        &mut self,
        key: &str,
        max: Option<u32>,
        span: Duration,
    ) -> Result<(), Duration> {
        let Some(max) = max else { return Ok(()) };
        let now = self.now();
        let window = self.windows.entry(key.to_owned()).or_default();
        while window.front().is_some_and(|t| *t + span <= now) {
            window.pop_front();
        }
        if window.len() >= max as usize {
            return Err(window.front().map_or(span, |t| *t + span - now));
        }
        window.push_back(now);
        Ok(())
    }

    /// A schema 2.0 envelope.
    pub(crate) fn envelope(&self, event_id: &str, event_type: &str, event: &Value) -> Value {
        // Card callbacks count in microseconds, everything else in milliseconds.
        let time = match event_type {
            "card.action.trigger" => self.now_ms() * 1000,
            _ => self.now_ms(),
        };
        json!({
            "schema": "2.0",
            "header": {"event_id": event_id, "event_type": event_type, "create_time": time.to_string(),
                       "token": "", "app_id": APP_ID, "tenant_key": "tenant_kit"},
            "event": event,
        })
    }
}

/// A fresh id with this prefix.
pub(crate) fn id(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}
