//! Judges a JSON 2.0 card as strictly as the platform does.
//!
//! Exists so that a card which the real platform would refuse fails a test. Wrapping a refusal into
//! an answer is left to `content` (IM) and `cardkit`.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::component::{self, markdown_tables, outside_image};
use super::schema;

/// Elements and components in all.
const ELEMENTS_MAX: usize = 200;
/// Tables, of components and of markdown together; the lowest number reported.
const TABLES_MAX: usize = 3;
/// Levels of containers.
const LEVELS_MAX: usize = 5;
/// Longest element_id.
const ID_MAX: usize = 20;

/// Why a card is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CardError {
    /// The inner code, after `ErrCode:`.
    pub(crate) code: i64,
    /// The code CardKit gives for the same.
    pub(crate) kit: i64,
    message: String,
    path: String,
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ErrCode: {}; ErrMsg: {}; ErrPath: {};",
            self.code, self.message, self.path
        )
    }
}

pub(crate) type Check = Result<(), CardError>;

pub(crate) fn fail(code: i64, kit: i64, message: impl Into<String>, path: &str) -> Check {
    Err(CardError {
        code,
        kit,
        message: message.into(),
        path: path.to_owned(),
    })
}

/// Judges a whole card.
pub(crate) fn check(card: &Value) -> Check {
    let Some(root) = card.as_object() else {
        return fail(200_621, 200_220, "parse card json err", "ROOT");
    };
    if root.get("schema").and_then(Value::as_str) != Some("2.0") {
        return fail(200_621, 300_303, "the card is not of schema 2.0", "ROOT");
    }
    known(root, schema::ROOT, "ROOT")?;
    if let Some(config) = object(root, "config", "ROOT")? {
        known(config, schema::CONFIG, "ROOT -> config")?;
        if config.get("update_multi") == Some(&Value::Bool(false)) {
            return fail(
                300_302,
                300_302,
                "update_multi must be true",
                "ROOT -> config",
            );
        }
    }
    let mut checker = Checker::default();
    if let Some(header) = object(root, "header", "ROOT")? {
        known(header, schema::HEADER, "ROOT -> header")?;
        if !header.contains_key("title") {
            return fail(200_621, 200_220, "a header needs a title", "ROOT -> header");
        }
        checker.properties(header, "ROOT -> header", Place::default())?;
    }
    let Some(body) = object(root, "body", "ROOT")? else {
        return fail(200_621, 300_307, "the card has no body", "ROOT");
    };
    known(body, schema::BODY, "ROOT -> body")?;
    let elements = body.get("elements").and_then(Value::as_array);
    if elements.is_none_or(Vec::is_empty) {
        return fail(200_621, 300_307, "the card has no elements", "ROOT -> body");
    }
    let place = Place {
        root: true,
        ..Place::default()
    };
    checker.elements(body, "ROOT -> body", place)?;
    if checker.count > ELEMENTS_MAX {
        return fail(11_310, 300_305, "element exceeds the limit", "ROOT -> body");
    }
    if checker.tables > TABLES_MAX {
        return fail(
            11_310,
            200_220,
            "card table number over limit",
            "ROOT -> body",
        );
    }
    Ok(())
}

fn object<'a>(
    parent: &'a Map<String, Value>,
    key: &str,
    path: &str,
) -> Result<Option<&'a Map<String, Value>>, CardError> {
    match parent.get(key) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => fail(200_621, 200_220, format!("{key} is not an object"), path).map(|()| None),
    }
}

fn known(object: &Map<String, Value>, allowed: &[&str], path: &str) -> Check {
    match object.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => fail(200_621, 200_220, format!("unknown property {key:?}"), path),
        None => Ok(()),
    }
}

#[derive(Clone, Copy, Default)]
struct Place {
    root: bool,
    level: usize,
    form: bool,
    panel: bool,
}

#[derive(Default)]
struct Checker {
    count: usize,
    tables: usize,
    ids: HashSet<String>,
    /// Names of components in forms.
    names: HashSet<String>,
}

impl Checker {
    fn elements(&mut self, parent: &Map<String, Value>, path: &str, place: Place) -> Check {
        let Some(Value::Array(elements)) = parent.get("elements") else {
            return fail(200_621, 200_220, "elements is not a list", path);
        };
        for (index, element) in elements.iter().enumerate() {
            let path = format!("{path} -> elements -> [{index}]");
            let Some(element) = element.as_object() else {
                return fail(200_621, 200_220, "an element is not an object", &path);
            };
            self.element(element, &path, place)?;
        }
        Ok(())
    }

    fn element(&mut self, element: &Map<String, Value>, path: &str, place: Place) -> Check {
        let tag = element
            .get("tag")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let path = format!("{path}(tag: {tag})");
        if schema::DROPPED.contains(&tag) {
            let why = format!(
                "cards of schema V2 no longer support this capability; unsupported tag {tag}"
            );
            return fail(200_861, 200_220, why, &path);
        }
        let Some(own) = schema::properties(tag) else {
            return fail(200_621, 200_220, format!("not support tag: {tag:?}"), &path);
        };
        let allowed: Vec<&str> = own.iter().chain(&schema::COMMON).copied().collect();
        known(element, &allowed, &path)?;
        self.count += 1;
        self.id(element, &path)?;
        self.rules(tag, element, &path, place)?;
        let place = Place {
            root: false,
            level: place.level + usize::from(schema::CONTAINERS.contains(&tag)),
            form: place.form || tag == "form",
            panel: place.panel || tag == "collapsible_panel",
        };
        if place.level > LEVELS_MAX {
            return fail(200_621, 200_220, "more than 5 levels of containers", &path);
        }
        if tag == "table" || tag == "chart" {
            return Ok(());
        }
        self.properties(element, &path, place)
    }

    /// Looks for further components in the properties of one.
    fn properties(&mut self, object: &Map<String, Value>, path: &str, place: Place) -> Check {
        for (key, value) in object {
            let path = format!("{path} -> {key}");
            match (key.as_str(), value) {
                ("elements", _) => {
                    self.elements(object, path.trim_end_matches(" -> elements"), place)?;
                }
                // Free-form for the app, or checked with their component.
                ("behaviors" | "value" | "style", _) => {}
                (_, Value::Object(inner)) if inner.contains_key("tag") => {
                    self.element(inner, &path, place)?;
                }
                (_, Value::Object(inner)) => self.properties(inner, &path, place)?,
                (_, Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        let path = format!("{path} -> [{index}]");
                        match item {
                            Value::Object(item) if item.contains_key("tag") => {
                                self.element(item, &path, place)?;
                            }
                            Value::Object(item) => self.properties(item, &path, place)?,
                            _ => {}
                        }
                    }
                }
                (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
            }
        }
        Ok(())
    }

    fn id(&mut self, element: &Map<String, Value>, path: &str) -> Check {
        let Some(id) = element.get("element_id") else {
            return Ok(());
        };
        let id = id.as_str().unwrap_or_default();
        let good = id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && id.len() <= ID_MAX;
        if !good {
            let why =
                format!("element_id {id:?}: a letter, then letters, digits, _, at most 20 in all");
            return fail(200_621, 200_220, why, path);
        }
        if !self.ids.insert(id.to_owned()) {
            return fail(
                300_301,
                300_301,
                format!("element_id {id:?} stands twice"),
                path,
            );
        }
        Ok(())
    }

    /// What holds for one tag.
    fn rules(
        &mut self,
        tag: &str,
        element: &Map<String, Value>,
        path: &str,
        place: Place,
    ) -> Check {
        let text = |key: &str| element.get(key).and_then(Value::as_str);
        let bad = |why: &str| fail(200_621, 200_220, why, path);
        if schema::INTERACTIVE.contains(&tag) && place.form {
            let Some(name) = text("name").filter(|n| !n.is_empty()) else {
                return fail(200_530, 200_220, "a component in a form needs a name", path);
            };
            if !self.names.insert(name.to_owned()) {
                return fail(
                    200_530,
                    200_220,
                    format!("the name {name:?} stands twice"),
                    path,
                );
            }
        }
        match tag {
            "markdown" | "plain_text" | "lark_md" => {
                let Some(content) = text("content") else {
                    return bad("content is not a text");
                };
                if tag == "markdown" {
                    self.tables += markdown_tables(content);
                    if outside_image(content) {
                        return fail(
                            200_570,
                            200_220,
                            "image key is invalid: an outside URL",
                            path,
                        );
                    }
                }
                Ok(())
            }
            "button" => component::button(element, path, place.form),
            "img" if text("img_key").is_none() || !element.contains_key("alt") => {
                bad("an image needs img_key and alt")
            }
            "input" | "select_static" | "multi_select_static"
                if !place.form && element.get("required") == Some(&Value::Bool(true)) =>
            {
                bad("required stands only inside a form")
            }
            "input" => match element.get("max_length").map(Value::as_u64) {
                None | Some(Some(1..=1000)) => Ok(()),
                Some(_) => bad("max_length is 1 to 1000"),
            },
            "select_static" | "multi_select_static" => component::options(element, path),
            "form" if !place.root => bad("a form stands only at the root"),
            "form" => component::form(element, path),
            "table" if !place.root => bad("a table stands only at the root"),
            "table" => {
                self.tables += 1;
                Ok(())
            }
            "collapsible_panel" => {
                let Some(header) = element.get("header").and_then(Value::as_object) else {
                    return bad("a panel needs a header");
                };
                known(header, schema::PANEL_HEADER, path)
            }
            "column_set" if !element.get("columns").is_some_and(Value::is_array) => {
                bad("columns is not a list")
            }
            _ => Ok(()),
        }
    }
}
