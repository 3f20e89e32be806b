//! What tools there are: their names, and how the model is told of them. What one does is its room's;
//! that each is carried out, `tools` sees to. Pure.

use common::llm::Tool;
use serde_json::{Value, json};

use super::{files, node, reminders, session, shell, web};

/// Every tool there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Name {
    NewSession,
    SendToSession,
    ListSessions,
    SwitchSession,
    CloseSession,
    RunShell,
    ReadFile,
    WriteFile,
    AppendFile,
    ListDir,
    SearchFiles,
    SendFile,
    WebSearch,
    ReadUrl,
    WebAsk,
    SetReminder,
    ListReminders,
    CancelReminder,
    TaskStatus,
    NodeInfo,
}

impl Name {
    pub(super) const ALL: [Self; 20] = [
        Self::NewSession,
        Self::SendToSession,
        Self::ListSessions,
        Self::SwitchSession,
        Self::CloseSession,
        Self::RunShell,
        Self::ReadFile,
        Self::WriteFile,
        Self::AppendFile,
        Self::ListDir,
        Self::SearchFiles,
        Self::SendFile,
        Self::WebSearch,
        Self::ReadUrl,
        Self::WebAsk,
        Self::SetReminder,
        Self::ListReminders,
        Self::CancelReminder,
        Self::TaskStatus,
        Self::NodeInfo,
    ];

    /// As the model is told it.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::NewSession => "new_session",
            Self::SendToSession => "send_to_session",
            Self::ListSessions => "list_sessions",
            Self::SwitchSession => "switch_session",
            Self::CloseSession => "close_session",
            Self::RunShell => "run_shell",
            Self::TaskStatus => "task_status",
            Self::ReadFile => "read_file",
            Self::WriteFile => "write_file",
            Self::AppendFile => "append_file",
            Self::ListDir => "list_dir",
            Self::SearchFiles => "search_files",
            Self::SendFile => "send_file",
            Self::SetReminder => "set_reminder",
            Self::ListReminders => "list_reminders",
            Self::CancelReminder => "cancel_reminder",
            Self::WebSearch => "web_search",
            Self::ReadUrl => "read_url",
            Self::WebAsk => "web_ask",
            Self::NodeInfo => "node_info",
        }
    }

    /// Models write names in their own ways: case and separators do not count.
    pub(super) fn read(name: &str) -> Option<Self> {
        let plain = |name: &str| -> String {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|c| c.to_ascii_lowercase()).collect()
        };
        let name = plain(name.rsplit('.').next().unwrap_or(name));
        Self::ALL
            .into_iter()
            .find(|tool| plain(tool.text()) == name)
    }

    /// What it does, and its arguments: name, type, what it is, and whether it is needed.
    fn described(self) -> (&'static str, &'static [Field]) {
        match self {
            Self::NewSession => session::NEW,
            Self::SendToSession => session::SEND,
            Self::ListSessions => session::LIST,
            Self::SwitchSession => session::SWITCH,
            Self::CloseSession => session::CLOSE,
            Self::RunShell => shell::RUN,
            Self::TaskStatus => shell::STATUS,
            Self::ReadFile => files::READ,
            Self::WriteFile => files::WRITE,
            Self::AppendFile => files::APPEND,
            Self::ListDir => files::LIST,
            Self::SearchFiles => files::SEARCH,
            Self::SendFile => files::SEND,
            Self::SetReminder => reminders::SET,
            Self::ListReminders => reminders::LIST,
            Self::CancelReminder => reminders::CANCEL,
            Self::WebSearch => web::SEARCH,
            Self::ReadUrl => web::READ,
            Self::WebAsk => web::ASK,
            Self::NodeInfo => node::INFO,
        }
    }

    /// As the model is told of it.
    pub(super) fn tool(self) -> Tool {
        let (description, fields) = self.described();
        let properties: serde_json::Map<String, Value> = fields
            .iter()
            .map(|field| {
                let schema = json!({"type": field.kind, "description": field.about});
                (field.name.to_owned(), schema)
            })
            .collect();
        let needed: Vec<&str> = fields.iter().filter(|f| f.needed).map(|f| f.name).collect();
        Tool {
            name: self.text(),
            description: description.to_owned(),
            parameters: json!({
                "type": "object",
                "properties": properties,
                "required": needed,
            }),
        }
    }

    /// How it is called, for a model that called it wrongly.
    pub(super) fn usage(self) -> String {
        let (_, fields) = self.described();
        let fields: Vec<String> = fields
            .iter()
            .map(|field| {
                let open = if field.needed { "" } else { "?" };
                format!("{}{open}: {}", field.name, field.kind)
            })
            .collect();
        format!("{}({})", self.text(), fields.join(", "))
    }
}

/// One argument of a tool.
pub(super) struct Field {
    name: &'static str,
    kind: &'static str,
    about: &'static str,
    needed: bool,
}

/// One that there must be.
pub(super) const fn needed(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field {
        name,
        kind,
        about,
        needed: true,
    }
}

/// One that may be left out.
pub(super) const fn optional(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field {
        name,
        kind,
        about,
        needed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_models_write_them() {
        assert_eq!(Name::read("list_sessions"), Some(Name::ListSessions));
        assert_eq!(Name::read("ListSessions"), Some(Name::ListSessions));
        assert_eq!(
            Name::read("functions.list-sessions"),
            Some(Name::ListSessions)
        );
        assert_eq!(Name::read("rm_everything"), None);
    }

    #[test]
    fn every_tool_has_a_schema() {
        for name in Name::ALL {
            let tool = name.tool();
            assert!(tool.description.len() > 20, "{}", tool.name);
            assert_eq!(tool.parameters["type"], "object");
            let properties = tool.parameters["properties"].as_object().unwrap();
            for needed in tool.parameters["required"].as_array().unwrap() {
                assert!(properties.contains_key(needed.as_str().unwrap()));
            }
        }
    }
}
