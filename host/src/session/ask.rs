//! Questions of the agent: how a request for permission is put to the person, and what the
//! person's answer means to the agent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::message::view::Answer;
use common::text::Say;
use common::text::host::HostText;
use serde_json::Value;

use super::progress::one_line;
use crate::agent::{PermissionAnswer, PermissionRequest};
use crate::context::Context;
use crate::record::{Ask, PromptRecord, PromptState};

/// What a request asks, in full: the command, the change, or the input as it is.
pub(super) fn ask(request: &PermissionRequest) -> Ask {
    let text = |name: &str| request.input.get(name).and_then(Value::as_str);
    let path = text("file_path").or_else(|| text("notebook_path"));
    let (about, lang, body) = match request.tool.as_str() {
        "Bash" => (None, "bash", text("command").unwrap_or_default().to_owned()),
        "Write" => (path, "", text("content").unwrap_or_default().to_owned()),
        "Edit" => (path, "diff", diff(text("old_string"), text("new_string"))),
        "WebFetch" => (
            text("url"),
            "",
            text("prompt").unwrap_or_default().to_owned(),
        ),
        "ExitPlanMode" => (
            None,
            "markdown",
            text("plan").unwrap_or_default().to_owned(),
        ),
        _ => (
            path,
            "json",
            serde_json::to_string_pretty(&request.input).unwrap_or_default(),
        ),
    };
    let about = about
        .map(str::to_owned)
        .or_else(|| request.blocked_path.clone());
    Ask {
        tool: one_line(&request.tool, 60),
        about: about.map(|text| one_line(&text, 500)),
        lang: lang.to_owned(),
        body,
        reason: request.reason.as_deref().map(|text| one_line(text, 300)),
    }
}

fn diff(old: Option<&str>, new: Option<&str>) -> String {
    let lines = |sign: char, text: Option<&str>| -> String {
        let mut lines = String::new();
        for line in text.unwrap_or_default().lines() {
            lines.push(sign);
            lines.push_str(line);
            lines.push('\n');
        }
        lines
    };
    lines('-', old) + &lines('+', new)
}

/// What the agent is told.
pub(super) fn answer(answer: Answer, prompt: &PromptRecord) -> PermissionAnswer {
    match answer {
        Answer::AllowOnce => PermissionAnswer::ONCE,
        Answer::AllowSession => PermissionAnswer::SESSION,
        Answer::Deny => PermissionAnswer::deny(HostText::DenyWords.say(prompt.lang)),
    }
}

/// How long a question still waits for its answer. By the clock on the wall, which goes on while a
/// machine sleeps.
pub(super) fn waits(prompt: &PromptRecord, all: Duration, now: DateTime<Utc>) -> Duration {
    let asked = (now - prompt.asked_at).to_std().unwrap_or_default();
    all.saturating_sub(asked)
}

/// How a question was settled, in words; none while it is open.
pub(crate) fn settled(context: &Context, state: &PromptState) -> Option<HostText> {
    match state {
        PromptState::Open => None,
        PromptState::Answered { answer, at } => {
            let at = context.clock(*at);
            Some(match answer {
                Answer::AllowOnce => HostText::AllowedOnce { at },
                Answer::AllowSession => HostText::AllowedSession { at },
                Answer::Deny => HostText::Denied { at },
            })
        }
        PromptState::Expired { at } => Some(HostText::Expired {
            at: context.clock(*at),
        }),
        PromptState::Withdrawn { .. } => Some(HostText::Withdrawn),
        PromptState::CutOff { .. } => Some(HostText::AskCutOff),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(tool: &str, input: Value) -> PermissionRequest {
        PermissionRequest {
            request_id: "r".into(),
            tool: tool.into(),
            input,
            description: None,
            session_scope: Vec::new(),
            suggestions: Vec::new(),
            blocked_path: None,
            reason: None,
            agent_id: None,
            tool_use_id: None,
        }
    }

    #[test]
    fn the_thing_itself_is_shown() {
        let bash = ask(&request("Bash", json!({"command": "rm -rf build\nls"})));
        assert_eq!(
            (bash.lang.as_str(), bash.body.as_str()),
            ("bash", "rm -rf build\nls")
        );
        let edit = ask(&request(
            "Edit",
            json!({"file_path": "/p/a.rs", "old_string": "a\nb", "new_string": "c"}),
        ));
        assert_eq!(edit.about.as_deref(), Some("/p/a.rs"));
        assert_eq!(edit.body, "-a\n-b\n+c\n");
        let other = ask(&request("mcp__x__y", json!({"k": 1})));
        assert_eq!(other.lang, "json");
        assert!(other.body.contains("\"k\": 1"));
    }
}
