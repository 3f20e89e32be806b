//! What holds for one kind of component of a card, whatever is around it.
//!
//! Exists apart from `card`, which walks the tree and keeps the counts.

use serde_json::{Map, Value};

use super::card::{Check, fail};
use super::read;

/// A button: a label, and behaviors the person's app can carry out.
pub(crate) fn button(element: &Map<String, Value>, path: &str, in_form: bool) -> Check {
    let bad = |why: &str| fail(200_621, 200_220, why, path);
    let label = element
        .get("text")
        .and_then(|t| t["content"].as_str())
        .unwrap_or_default();
    if label.is_empty() && !element.contains_key("icon") {
        return bad("a button needs a text");
    }
    let submits = element.contains_key("form_action_type");
    if submits && !in_form {
        return bad("form_action_type stands only inside a form");
    }
    let Some(behaviors) = element.get("behaviors") else {
        return if submits {
            Ok(())
        } else {
            bad("a button needs behaviors")
        };
    };
    let behaviors = behaviors.as_array().filter(|b| !b.is_empty());
    let Some(behaviors) = behaviors else {
        return bad("behaviors is not a filled list");
    };
    for behavior in behaviors {
        let good = match behavior["type"].as_str() {
            Some("callback") => behavior["value"].as_object().is_some_and(|v| !v.is_empty()),
            Some("open_url") => behavior["default_url"].is_string(),
            Some(_) | None => false,
        };
        if !good {
            return bad(
                "a behavior is a callback with a value object, or open_url with default_url",
            );
        }
    }
    Ok(())
}

/// A select's options.
pub(crate) fn options(element: &Map<String, Value>, path: &str) -> Check {
    let options = element.get("options").and_then(Value::as_array);
    let good = |o: &Value| o["value"].is_string() && o["text"]["content"].is_string();
    if options.is_some_and(|o| !o.is_empty() && o.iter().all(good)) {
        return Ok(());
    }
    fail(
        200_621,
        200_220,
        "a select needs options, each with text and value",
        path,
    )
}

/// A form: named, with a way to submit it.
pub(crate) fn form(element: &Map<String, Value>, path: &str) -> Check {
    if element
        .get("name")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return fail(200_530, 200_220, "a form needs a name", path);
    }
    let mut submits = false;
    let inner = element.get("elements").cloned().unwrap_or_default();
    read::walk(&inner, None, &mut |inner, _| {
        submits |= inner.get("form_action_type").and_then(Value::as_str) == Some("submit");
    });
    if submits {
        Ok(())
    } else {
        fail(200_530, 200_220, "a form needs a submit button", path)
    }
}

/// Delimiter rows of tables, outside fences.
pub(crate) fn markdown_tables(text: &str) -> usize {
    let mut fenced = false;
    let mut tables = 0;
    let mut previous = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let rule =
            line.contains('-') && line.chars().all(|c| "|-: ".contains(c)) && line.contains('|');
        tables += usize::from(!fenced && rule && previous.contains('|'));
        previous = line;
    }
    tables
}

/// Whether an image in markdown points outside, which the platform refuses.
pub(crate) fn outside_image(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("![") {
        rest = &rest[at + 2..];
        if let Some((_, target)) = rest.split_once("](")
            && target.starts_with("http")
        {
            return true;
        }
    }
    false
}
