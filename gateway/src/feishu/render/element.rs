//! The single components of a card of schema 2.0.
//!
//! Only shapes; what goes where is `render`'s. The platform refuses properties
//! that it does not know, so nothing is written that is not needed.

use common::message::view::{Button, ButtonStyle, Tone};
use serde_json::{Value, json};

/// Buttons in one row; more go into the next.
pub(super) const ROW: usize = 4;
/// Longest label, in characters.
const LABEL: usize = 60;
/// Longest title, in characters.
const TITLE: usize = 120;

/// A whole card.
pub(super) fn card(title: &str, tone: Tone, summary: &str, elements: &[Value]) -> Value {
    let mut card = json!({
        "schema": "2.0",
        "config": {"update_multi": true, "summary": {"content": short(summary, TITLE)}},
        "body": {"elements": elements},
    });
    if !title.is_empty()
        && let Some(map) = card.as_object_mut()
    {
        let header = json!({"title": plain_text(&short(title, TITLE)), "template": colour(tone)});
        map.insert("header".to_owned(), header);
    }
    card
}

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "grey",
        Tone::Working => "blue",
        Tone::Asking => "orange",
        Tone::Done => "green",
        Tone::Warning => "yellow",
        Tone::Failed => "red",
    }
}

fn plain_text(text: &str) -> Value {
    json!({"tag": "plain_text", "content": text})
}

/// Text that is already in the platform's Markdown.
pub(super) fn markdown(content: &str) -> Value {
    json!({"tag": "markdown", "content": content})
}

/// Text shown as it is.
pub(super) fn plain(text: &str) -> Value {
    json!({"tag": "div", "text": plain_text(text)})
}

/// Small grey print.
pub(super) fn small(text: &str) -> Value {
    json!({"tag": "div", "text": {
        "tag": "plain_text", "content": text, "text_size": "notation", "text_color": "grey",
    }})
}

/// Text behind a line that opens it.
pub(super) fn folded(title: &str, text: &str) -> Value {
    json!({
        "tag": "collapsible_panel",
        "expanded": false,
        "header": {"title": plain_text(title)},
        "elements": [plain(text)],
    })
}

/// Up to [`ROW`] buttons side by side, wrapping where there is no room.
pub(super) fn row(buttons: &[Button]) -> Value {
    let columns: Vec<Value> = buttons
        .iter()
        .map(|button| json!({"tag": "column", "width": "auto", "elements": [self::button(button)]}))
        .collect();
    json!({"tag": "column_set", "flex_mode": "flow", "columns": columns})
}

fn button(button: &Button) -> Value {
    let style = match button.style {
        ButtonStyle::Normal => "default",
        ButtonStyle::Primary => "primary",
        ButtonStyle::Danger => "danger",
    };
    json!({
        "tag": "button",
        "text": plain_text(&short(&button.label, LABEL)),
        "type": style,
        "behaviors": [{"type": "callback", "value": button.action}],
    })
}

/// How many components a part of a card counts as.
pub(super) fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => {
            let own = usize::from(map.contains_key("tag"));
            let inner = map.iter().filter(|(key, _)| *key != "behaviors");
            own + inner.map(|(_, value)| count(value)).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The first line of a text, cut to so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let head: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{head}…")
}
