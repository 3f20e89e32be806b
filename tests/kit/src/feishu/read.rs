//! Reads content as a person would: its text and its buttons.
//!
//! Exists so that tests assert on what is seen, not on JSON paths. Whether content is valid is left
//! to `content` and `card`.

use serde_json::{Map, Value};

use super::record::Button;

/// All readable text of a message's parsed content, one piece a line.
pub(crate) fn text(msg_type: &str, content: &Value) -> String {
    let mut lines = Vec::new();
    match msg_type {
        "text" => lines.extend(content["text"].as_str().map(str::to_owned)),
        "post" => post(content, &mut lines),
        "interactive" => card(content, &mut lines),
        "file" => lines.extend(content["file_name"].as_str().map(str::to_owned)),
        _ => {}
    }
    lines.join("\n")
}

fn post(content: &Value, lines: &mut Vec<String>) {
    let body = if content["content"].is_array() {
        content
    } else {
        content
            .as_object()
            .and_then(|o| o.values().next())
            .unwrap_or(&Value::Null)
    };
    lines.extend(
        body["title"]
            .as_str()
            .filter(|t| !t.is_empty())
            .map(str::to_owned),
    );
    for paragraph in body["content"].as_array().into_iter().flatten() {
        let nodes = paragraph.as_array().into_iter().flatten();
        let line: String = nodes
            .map(|node| match node["tag"].as_str().unwrap_or_default() {
                "at" => format!("@{}", node["user_name"].as_str().unwrap_or_default()),
                _ => node["text"].as_str().unwrap_or_default().to_owned(),
            })
            .collect();
        lines.push(line);
    }
}

fn card(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|v| card(v, lines)),
        Value::Object(object) => {
            let tag = object
                .get("tag")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if let ("plain_text" | "lark_md" | "markdown", Some(Value::String(text))) =
                (tag, object.get("content"))
            {
                lines.push(text.clone());
            }
            if tag == "text_tag" {
                return object.get("text").into_iter().for_each(|v| card(v, lines));
            }
            if tag == "table" {
                return table(object, lines);
            }
            // Reading order: what stands on top comes first, whatever the order of the keys.
            let first = [
                "header",
                "title",
                "subtitle",
                "text_tag_list",
                "label",
                "text",
            ];
            let hidden = [
                "value",
                "behaviors",
                "config",
                "card_link",
                "hover_tips",
                "alt",
                "confirm",
            ];
            for key in first {
                object.get(key).into_iter().for_each(|v| card(v, lines));
            }
            for (key, inner) in object {
                if !first.contains(&key.as_str()) && !hidden.contains(&key.as_str()) {
                    card(inner, lines);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn table(table: &Map<String, Value>, lines: &mut Vec<String>) {
    let list = |key: &str| {
        table
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let columns = list("columns");
    let cell = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let names: Vec<String> = columns.iter().map(|c| cell(&c["display_name"])).collect();
    lines.push(names.join(" | "));
    for row in list("rows") {
        let cells: Vec<String> = columns
            .iter()
            .map(|c| cell(&row[c["name"].as_str().unwrap_or_default()]))
            .collect();
        lines.push(cells.join(" | "));
    }
}

/// The buttons of a card, in reading order.
pub(crate) fn buttons(content: &Value) -> Vec<Button> {
    let mut found = Vec::new();
    walk(content, None, &mut |element, form| {
        if element.get("tag").and_then(Value::as_str) == Some("button") {
            found.push(button(element, form));
        }
    });
    found
}

/// Calls `visit` for every tagged object, outer before inner, with the name of its form.
pub(crate) fn walk(
    value: &Value,
    form: Option<&str>,
    visit: &mut impl FnMut(&Map<String, Value>, Option<&str>),
) {
    match value {
        Value::Array(items) => items.iter().for_each(|v| walk(v, form, visit)),
        Value::Object(object) => {
            if object.contains_key("tag") {
                visit(object, form);
            }
            let form = match object.get("tag").and_then(Value::as_str) {
                Some("form") => object.get("name").and_then(Value::as_str),
                Some(_) | None => form,
            };
            for (key, inner) in object {
                if !["value", "behaviors", "rows"].contains(&key.as_str()) {
                    walk(inner, form, visit);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn button(element: &Map<String, Value>, form: Option<&str>) -> Button {
    let behaviors = element
        .get("behaviors")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let value = behaviors
        .iter()
        .find(|b| b["type"] == "callback")
        .map(|b| b["value"].clone());
    Button {
        label: element
            .get("text")
            .and_then(|t| t["content"].as_str())
            .unwrap_or_default()
            .to_owned(),
        value: value.unwrap_or_default(),
        name: element
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned),
        disabled: element
            .get("disabled")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        form: form.map(str::to_owned),
    }
}
