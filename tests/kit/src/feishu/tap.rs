//! A person's finger on a card: the callback, its answer, and what the person then sees.
//!
//! Exists because a callback is a question with three seconds for its answer, unlike any event.
//! Checking the cards in answers is left to `card`.

use std::time::Instant;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::delivery::{Outgoing, Plan, attempt};
use super::record::{Button, CallbackAnswer, How, Toast};
use super::user::User;
use super::world::{TapToken, Verdict, World, id};
use super::{Core, Feishu, card, read};

/// How a button is pressed.
#[derive(Clone, Debug, Default)]
pub struct Tap {
    /// Who presses; nothing is the chat's first person.
    pub by: Option<String>,
    /// What was filled into the form around the button, by component name, on top of the defaults.
    pub form: Map<String, Value>,
}

impl User {
    /// Presses a button: see [`Feishu::tap`].
    ///
    /// # Errors
    /// As there.
    pub async fn tap(&self, message_id: &str, button: &str) -> anyhow::Result<CallbackAnswer> {
        self.tap_form(message_id, button, json!({})).await
    }

    /// Fills in a form and presses a button of it.
    ///
    /// # Errors
    /// As [`Feishu::tap`]; also if a required field is empty.
    pub async fn tap_form(
        &self,
        message_id: &str,
        button: &str,
        form: Value,
    ) -> anyhow::Result<CallbackAnswer> {
        let form = form
            .as_object()
            .cloned()
            .context("form values are an object")?;
        let tap = Tap {
            by: Some(self.open_id.clone()),
            form,
        };
        self.feishu.tap_with(message_id, button, tap).await
    }
}

impl Feishu {
    /// Presses a button of the card a message shows now, found by its label, its name, its callback
    /// value as JSON text, or any text in that value. Returns what the person's app gets.
    ///
    /// # Errors
    /// If there is no such button, it is disabled, or several fit.
    pub async fn tap(&self, message_id: &str, button: &str) -> anyhow::Result<CallbackAnswer> {
        self.tap_with(message_id, button, Tap::default()).await
    }

    /// Presses a button in a particular way.
    ///
    /// # Errors
    /// As [`Feishu::tap`]; also if a required field of the form is empty.
    pub async fn tap_with(
        &self,
        message_id: &str,
        button: &str,
        tap: Tap,
    ) -> anyhow::Result<CallbackAnswer> {
        let card = self
            .message(message_id)
            .context("no such message of the bot")?
            .content;
        let button = find(&card, button)?;
        let mut action =
            json!({"tag": "button", "value": button.value, "timezone": "Asia/Shanghai"});
        if let Some(name) = &button.name {
            action["name"] = json!(name);
        }
        if let Some(form) = &button.form {
            action["form_value"] = Value::Object(fill(&card, form, tap.form)?);
        }
        self.act(message_id, tap.by.as_deref(), action).await
    }

    /// Any action on a card: a select's choice, an input outside a form, or one of no button at all
    /// (a stale or forged tap). `action` is the event's member of that name.
    ///
    /// # Errors
    /// If there is no such message.
    pub async fn act(
        &self,
        message_id: &str,
        by: Option<&str>,
        action: Value,
    ) -> anyhow::Result<CallbackAnswer> {
        let token = id("c").replacen("c_", "c-", 1);
        let started = Instant::now();
        let envelope = self
            .core
            .step(|w| envelope(w, message_id, by, &token, &action))?;
        let outgoing = Outgoing {
            envelope,
            message_id: Some(message_id.to_owned()),
            plan: Plan::default(),
        };
        let busy = Busy::new(&self.core, message_id);
        let verdict = match attempt(&self.core, &outgoing) {
            // Without a connection the app is told so at once.
            None if self.connections().iter().all(|c| !c.is_open()) => Err(200_340),
            None => Err(200_341),
            Some(waiting) => {
                let deadline = self.core.look(|w| w.settings.ack_deadline);
                tokio::time::timeout(deadline, waiting)
                    .await
                    .ok()
                    .and_then(Result::ok)
                    .ok_or(200_341)
            }
        };
        drop(busy);
        let mut answer = CallbackAnswer {
            code: 0,
            toast: None,
            card: None,
            latency: started.elapsed(),
            token,
        };
        match verdict {
            Err(code) => answer.code = code,
            Ok(Verdict { code: 200, data }) => {
                self.core
                    .step(|w| settle(w, message_id, data.as_ref(), &mut answer));
            }
            Ok(Verdict { .. }) => answer.code = 200_671,
        }
        Ok(answer)
    }
}

/// While it lives, the person interacts with the card, and streaming writes to it fail.
struct Busy<'a>(&'a Core, String);

impl<'a> Busy<'a> {
    fn new(core: &'a Core, message_id: &str) -> Self {
        core.step(|w| w.busy.push(message_id.to_owned()));
        Self(core, message_id.to_owned())
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.step(|w| {
            if let Some(at) = w.busy.iter().position(|m| *m == self.1) {
                w.busy.swap_remove(at);
            }
        });
    }
}

fn envelope(
    world: &mut World,
    message_id: &str,
    by: Option<&str>,
    token: &str,
    action: &Value,
) -> anyhow::Result<Value> {
    let message = world.messages.get(message_id).context("no such message")?;
    if message.recalled {
        bail!("the message was taken back: nothing to press");
    }
    let chat_id = message.chat_id.clone();
    let first = world.chats[&chat_id]
        .members
        .first()
        .cloned()
        .unwrap_or_default();
    let mut operator = world.ids(by.unwrap_or(&first));
    operator["tenant_key"] = json!("tenant_kit");
    let taken = TapToken {
        message_id: message_id.to_owned(),
        answered_at: None,
        uses: 0,
    };
    world.taps.insert(token.to_owned(), taken);
    let event = json!({"operator": operator, "token": token, "action": action, "host": "im_message",
        "context": {"open_message_id": message_id, "open_chat_id": chat_id}});
    Ok(world.envelope(&id("ev"), "card.action.trigger", &event))
}

fn find(card: &Value, wanted: &str) -> anyhow::Result<Button> {
    let all = read::buttons(card);
    let any_text = |value: &Value| match value {
        Value::Object(map) => map.values().any(|v| v == wanted),
        other => other == wanted,
    };
    let ways: [&dyn Fn(&Button) -> bool; 4] = [
        &|b| b.label == wanted,
        &|b| b.name.as_deref() == Some(wanted),
        &|b| serde_json::from_str::<Value>(wanted).is_ok_and(|v| v == b.value),
        &|b| any_text(&b.value),
    ];
    for way in ways {
        let fits: Vec<&Button> = all.iter().filter(|b| way(b)).collect();
        match fits.as_slice() {
            [] => {}
            [only] if only.disabled => bail!("the button {wanted:?} is disabled"),
            [only] => return Ok((*only).clone()),
            several => bail!("{} buttons fit {wanted:?}", several.len()),
        }
    }
    let labels: Vec<String> = all.into_iter().map(|b| b.label).collect();
    bail!("no button {wanted:?}; the card has {labels:?}")
}

/// The values of a form: defaults, then what was filled in; required ones must not be empty.
fn fill(
    card: &Value,
    form: &str,
    filled: Map<String, Value>,
) -> anyhow::Result<Map<String, Value>> {
    let mut values = Map::new();
    let mut required = Vec::new();
    read::walk(card, None, &mut |element, inside| {
        let name = element.get("name").and_then(Value::as_str);
        if let (Some(name), true) = (name, inside == Some(form)) {
            let defaults = [
                "default_value",
                "initial_option",
                "selected_values",
                "checked",
            ];
            if let Some(value) = defaults.iter().find_map(|key| element.get(*key)) {
                values.insert(name.to_owned(), value.clone());
            }
            if element.get("required") == Some(&Value::Bool(true)) {
                required.push(name.to_owned());
            }
        }
    });
    values.extend(filled);
    for name in required {
        let value = values.get(&name);
        if value.is_none_or(|v| v.is_null() || *v == json!("") || *v == json!([])) {
            bail!("the form's field {name:?} is required");
        }
    }
    Ok(values)
}

/// Shows the handler's answer to the person.
fn settle(world: &mut World, message_id: &str, data: Option<&Value>, answer: &mut CallbackAnswer) {
    let now = world.now();
    if let Some(token) = world.taps.get_mut(&answer.token) {
        token.answered_at = Some(now);
    }
    let Some(data) = data.filter(|d| !d.is_null()) else {
        return;
    };
    let known = |o: &Map<String, Value>| o.keys().all(|k| k == "toast" || k == "card");
    if !data.as_object().is_some_and(known) {
        answer.code = 200_672;
        return;
    }
    if let Some(toast) = data.get("toast").filter(|t| !t.is_null()) {
        let text = |key: &str| toast[key].as_str().unwrap_or_default().to_owned();
        let (mut kind, content) = (text("type"), text("content"));
        if kind.is_empty() {
            "info".clone_into(&mut kind);
        }
        if !["info", "success", "error", "warning"].contains(&kind.as_str()) || content.is_empty() {
            answer.code = 200_672;
            return;
        }
        let zh_cn = toast["i18n"]["zh_cn"].as_str().map(str::to_owned);
        answer.toast = Some(Toast {
            kind,
            content,
            zh_cn,
        });
    }
    if let Some(new) = data.get("card").filter(|c| !c.is_null()) {
        if new["type"] != "raw" || !new["data"].is_object() {
            answer.code = 200_672;
            return;
        }
        let new = &new["data"];
        if new["schema"] != "2.0" {
            answer.code = 200_830;
            return;
        }
        if let Err(error) = card::check(new) {
            world
                .violations
                .push(format!("a bad card in a callback's answer: {error}"));
            answer.code = 200_673;
            return;
        }
        if show(world, message_id, new, How::Callback) {
            answer.card = Some(new.clone());
        }
    }
}

/// Replaces the card a message shows; not while it is being streamed, then false.
pub(crate) fn show(world: &mut World, message_id: &str, new: &Value, how: How) -> bool {
    let card_id = world
        .messages
        .get(message_id)
        .and_then(|m| m.card_id.clone());
    if world.streams(card_id.as_deref()) {
        return false;
    }
    if let Some(entity) = card_id.and_then(|id| world.cards.get_mut(&id)) {
        entity.card = new.clone();
    }
    world.edited(message_id, how, new.clone());
    true
}
