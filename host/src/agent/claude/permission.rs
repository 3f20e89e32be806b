//! The CLI's permission questions and our answers to them: what "for this session" may allow, and
//! the exact shapes, which older versions check strictly.

use std::path::{Component, Path};

use serde_json::{Value, json};

use super::fields::{items, str_at};
use super::incoming::Permission;
use crate::agent::{Allow, PermissionAnswer, PermissionRequest};

/// Tools that write a file. Rules for all of them go by the first one's name.
const EDITORS: &[&str] = &["Edit", "Write", "MultiEdit", "NotebookEdit"];

/// Tools whose yes is an answer, not a permission: nothing to allow for longer.
const QUESTIONS: &[&str] = &["AskUserQuestion", "ExitPlanMode"];

/// The question as the session sees it.
pub(super) fn event(request_id: &str, asked: &Permission, cwd: &Path) -> PermissionRequest {
    PermissionRequest {
        request_id: request_id.to_owned(),
        tool: asked.tool.clone(),
        input: asked.input.clone(),
        description: asked.description.clone(),
        session_scope: session_updates(asked, cwd)
            .iter()
            .flat_map(rules_for_people)
            .collect(),
        suggestions: asked.suggestions.clone(),
        blocked_path: asked.blocked_path.clone(),
        reason: asked.reason.clone(),
        agent_id: asked.agent_id.clone(),
        tool_use_id: asked.tool_use_id.clone(),
    }
}

/// The answer in the CLI's shape. `updatedInput` and `message` are always there: older versions
/// take their absence for a broken answer and refuse the tool.
pub(super) fn response(asked: &Permission, answer: &PermissionAnswer, cwd: &Path) -> Value {
    match answer {
        PermissionAnswer::Allow { scope, input } => {
            let input = input.clone().unwrap_or_else(|| asked.input.clone());
            let input = if input.is_object() { input } else { json!({}) };
            let updates = match scope {
                Allow::Once => Vec::new(),
                Allow::Session => session_updates(asked, cwd),
                Allow::AcceptEdits => vec![json!({
                    "type": "setMode", "mode": "acceptEdits", "destination": "session",
                })],
            };
            let mut response = json!({"behavior": "allow", "updatedInput": input});
            if let (false, Some(map)) = (updates.is_empty(), response.as_object_mut()) {
                map.insert("updatedPermissions".to_owned(), Value::Array(updates));
            }
            response
        }
        PermissionAnswer::Deny { message, interrupt } => {
            let message = if message.trim().is_empty() {
                "The user said no."
            } else {
                message
            };
            let mut response = json!({"behavior": "deny", "message": message});
            if let (true, Some(map)) = (*interrupt, response.as_object_mut()) {
                map.insert("interrupt".to_owned(), Value::Bool(true));
            }
            response
        }
    }
}

/// The answer when nobody is there any more to be asked.
pub(super) fn refusal_at_the_end() -> Value {
    json!({
        "behavior": "deny",
        "message": "The session is being closed; nobody can answer.",
        "interrupt": true,
    })
}

/// What "for this session" grants. The CLI's proposals, but kept in the session instead of written
/// to the project, and without two kinds of them: a changed mode would let deletions inside the
/// project through unasked, and a further directory would open all of it, when the person said yes
/// to one command. Without a proposed rule: edits in the project (or beside the file, outside it),
/// any use of another tool.
fn session_updates(asked: &Permission, cwd: &Path) -> Vec<Value> {
    if QUESTIONS.contains(&asked.tool.as_str()) {
        return Vec::new();
    }
    let proposed: Vec<Value> = asked
        .suggestions
        .iter()
        .filter(|update| {
            str_at(update, "type") == Some("addRules")
                && str_at(update, "behavior") == Some("allow")
        })
        .filter_map(|update| {
            let mut update = update.clone();
            let map = update.as_object_mut()?;
            map.insert("destination".to_owned(), json!("session"));
            Some(update)
        })
        .collect();
    if !proposed.is_empty() {
        return proposed;
    }
    let rule = if EDITORS.contains(&asked.tool.as_str()) {
        match edit_rule(&asked.input, cwd) {
            Some(content) => json!({"toolName": "Edit", "ruleContent": content}),
            None => return Vec::new(),
        }
    } else {
        json!({"toolName": asked.tool})
    };
    vec![json!({
        "type": "addRules", "rules": [rule], "behavior": "allow", "destination": "session",
    })]
}

/// All files under the project, or under the folder of a file outside it. `None` (so: this call
/// only) when the path is not a plain one; rules are patterns, and their escapes are not known.
fn edit_rule(input: &Value, cwd: &Path) -> Option<String> {
    let file = str_at(input, "file_path").or_else(|| str_at(input, "notebook_path"))?;
    let file = Path::new(file);
    let plain = file
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !file.is_absolute() || !plain {
        return None;
    }
    let folder = if file.starts_with(cwd) {
        cwd
    } else {
        file.parent()?
    };
    let folder = folder.to_str()?;
    // The root as a folder would be everything.
    if folder.len() < 2 || folder.contains(['*', '?', '[', ']', '{', '}', '!', '\\', '(', ')']) {
        return None;
    }
    Some(format!("/{folder}/**"))
}

/// One line for each rule, in the CLI's own notation.
fn rules_for_people(update: &Value) -> Vec<String> {
    items(update, "rules")
        .filter_map(|rule| {
            let tool = str_at(rule, "toolName")?;
            Some(match str_at(rule, "ruleContent") {
                Some(content) => format!("{tool}({content})"),
                None => tool.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(tool: &str, input: Value, suggestions: &Value) -> Permission {
        Permission {
            tool: tool.to_owned(),
            input,
            suggestions: suggestions.as_array().cloned().unwrap_or_default(),
            ..Permission::default()
        }
    }

    fn scope(tool: &str, input: Value, suggestions: &Value) -> Vec<String> {
        let asked = asked(tool, input, suggestions);
        event("r", &asked, Path::new("/home/user/project")).session_scope
    }

    #[test]
    fn proposals_are_narrowed_to_rules_of_this_session() {
        let suggestions = json!([
            {"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "npm test *"}],
             "behavior": "allow", "destination": "localSettings"},
            {"type": "addDirectories", "directories": ["/home/user"], "destination": "session"},
            {"type": "setMode", "mode": "acceptEdits", "destination": "session"},
        ]);
        let asked = asked("Bash", json!({"command": "npm test a"}), &suggestions);
        let answer = response(&asked, &PermissionAnswer::SESSION, Path::new("/p"));
        insta::assert_json_snapshot!(answer, @r#"
        {
          "behavior": "allow",
          "updatedInput": {
            "command": "npm test a"
          },
          "updatedPermissions": [
            {
              "behavior": "allow",
              "destination": "session",
              "rules": [
                {
                  "ruleContent": "npm test *",
                  "toolName": "Bash"
                }
              ],
              "type": "addRules"
            }
          ]
        }
        "#);
    }

    #[test]
    fn edits_are_kept_to_a_folder() {
        let mode = || json!([{"type": "setMode", "mode": "acceptEdits", "destination": "session"}]);
        let file = |path: &str| json!({"file_path": path});
        let inside = scope("Write", file("/home/user/project/src/a.rs"), &mode());
        assert_eq!(inside, ["Edit(//home/user/project/**)"]);
        let outside = scope("Edit", file("/etc/app/a.conf"), &mode());
        assert_eq!(outside, ["Edit(//etc/app/**)"]);
        for odd in [
            "/a",
            "/home/user/project/../x/y",
            "relative/x",
            "/tmp/[a]/b",
        ] {
            assert!(scope("Write", file(odd), &mode()).is_empty(), "{odd}");
        }
    }

    #[test]
    fn without_proposals_the_tool_itself() {
        assert_eq!(scope("WebSearch", json!({}), &json!([])), ["WebSearch"]);
        assert!(scope("AskUserQuestion", json!({}), &json!([])).is_empty());
        assert!(scope("ExitPlanMode", json!({}), &json!([])).is_empty());
    }

    #[test]
    fn a_refusal_always_has_words() {
        let asked = asked("Bash", json!({}), &json!([]));
        let silent = response(&asked, &PermissionAnswer::deny(" "), Path::new("/p"));
        assert_eq!(
            silent,
            json!({"behavior": "deny", "message": "The user said no."})
        );
        let stop = PermissionAnswer::Deny {
            message: "stop it".to_owned(),
            interrupt: true,
        };
        assert_eq!(
            response(&asked, &stop, Path::new("/p")),
            json!({"behavior": "deny", "message": "stop it", "interrupt": true})
        );
    }

    #[test]
    fn an_input_always_travels() {
        let asked = asked("X", Value::Null, &json!([]));
        let answer = response(&asked, &PermissionAnswer::ONCE, Path::new("/p"));
        assert_eq!(answer, json!({"behavior": "allow", "updatedInput": {}}));
        let changed = PermissionAnswer::Allow {
            scope: Allow::AcceptEdits,
            input: Some(json!({"plan": "b"})),
        };
        let answer = response(&asked, &changed, Path::new("/p"));
        assert_eq!(answer["updatedInput"], json!({"plan": "b"}));
        assert_eq!(answer["updatedPermissions"][0]["mode"], "acceptEdits");
    }
}
