//! What the model may use, one file for each room. A tool obeys the same guards as the command of
//! its name; what changes something asks the person by a card where the command's guard says so.
//! Nothing that a tool returns can skip that: results are texts, and asking is done here.
//!
//! What the model calls wrongly is answered to the model, which may do better in the next round.

mod args;
mod files;
mod node;
mod reminders;
mod session;
mod shell;
mod web;

use std::collections::HashMap;
use std::sync::Arc;

use common::llm::{Call, Tool};
use serde_json::{Value, json};

use super::live::Live;
use crate::context::{Context, Origin};
use crate::desk::door::Door;
use crate::grounds::Grounds;
use crate::journal::Change;
use crate::session::progress::one_line;
use args::Args;

/// Bytes of a result that the model hears; what is in the middle of more is left out.
const MAX_RESULT: usize = 12_000;
/// The same call with the same arguments, in one text; more are not carried out.
const MAX_SAME: usize = 3;
/// Characters of a call's line on the card.
const LINE_CHARS: usize = 120;

/// Every tool there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
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

/// What a call came to.
pub(super) struct Done {
    /// For the model.
    pub(super) text: String,
    /// It did not do what was asked.
    pub(super) failed: bool,
    /// To be written down with the end of the call.
    pub(super) changes: Vec<Change>,
}

/// What a room's function gives: what it found or did, or what is wrong.
type Outcome = Result<String, String>;

impl Name {
    const ALL: [Self; 20] = [
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

    const fn text(self) -> &'static str {
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
    fn read(name: &str) -> Option<Self> {
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

    fn tool(self) -> Tool {
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
    fn usage(self) -> String {
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
struct Field {
    name: &'static str,
    kind: &'static str,
    about: &'static str,
    needed: bool,
}

const fn needed(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field {
        name,
        kind,
        about,
        needed: true,
    }
}

const fn optional(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field {
        name,
        kind,
        about,
        needed: false,
    }
}

/// The tools, in one text of one person.
pub(super) struct Toolbox {
    context: Arc<Context>,
    door: Door,
    origin: Origin,
    grounds: Grounds,
    live: Live,
    /// How often each call was made.
    made: HashMap<(String, String), usize>,
}

impl Toolbox {
    pub(super) fn new(
        context: Arc<Context>,
        door: Door,
        origin: Origin,
        grounds: Grounds,
        live: Live,
    ) -> Self {
        Self {
            context,
            door,
            origin,
            grounds,
            live,
            made: HashMap::new(),
        }
    }

    /// Where the person is; sessions change it.
    pub(super) fn grounds(&self) -> &Grounds {
        &self.grounds
    }

    /// Carries out the `n`-th call of this text. May be dropped on the way; then [`Self::abandon`].
    pub(super) async fn call(&mut self, n: usize, call: &Call) -> Done {
        let mut changes = Vec::new();
        let outcome = self.carry_out(n, call, &mut changes).await;
        let failed = outcome.is_err();
        let text = match outcome {
            Ok(text) if text.trim().is_empty() => "(nothing)".to_owned(),
            Ok(text) => text,
            Err(why) => format!("Error: {why}"),
        };
        Done {
            text: middle(&text, MAX_RESULT),
            failed,
            changes,
        }
    }

    /// Undoes what a call that was dropped left open: its question, its process.
    pub(super) async fn abandon(&self, n: usize) {
        let origin = self.of(n);
        shell::abandon(&self.context, &origin).await;
        self.context.confirms.withdraw(&origin, files::KEY).await;
    }

    /// The `n`-th call as an act of its own, which other ids come from.
    fn of(&self, n: usize) -> Origin {
        Origin {
            cause: self.origin.cause.leads_to(&format!("call {n}")),
            ..self.origin.clone()
        }
    }

    async fn carry_out(&mut self, n: usize, call: &Call, changes: &mut Vec<Change>) -> Outcome {
        let Some(name) = Name::read(&call.name) else {
            let all: Vec<&str> = Name::ALL.into_iter().map(Name::text).collect();
            return Err(format!(
                "there is no tool “{}”. There are: {}",
                one_line(&call.name, 60),
                all.join(", ")
            ));
        };
        let args = Args::read(&call.arguments)
            .map_err(|why| format!("{why}. Call it as {}", name.usage()))?;
        let made = self
            .made
            .entry((name.text().to_owned(), args.to_string()))
            .or_default();
        *made += 1;
        if *made > MAX_SAME {
            return Err(format!(
                "not carried out: this very call was made {MAX_SAME} times already. Use what it returned, do something else, or tell the person where you are stuck."
            ));
        }
        let wrong = |why: String| format!("{why}. Call it as {}", name.usage());
        let origin = self.of(n);
        match name {
            Name::NewSession => {
                let dir = args.text("dir").map_err(wrong)?;
                let text = args.maybe_text("text");
                self.session(&origin, session::new(dir, text)).await
            }
            Name::SendToSession => {
                let text = args.text("text").map_err(wrong)?;
                let to = args.maybe_text("session");
                self.session(&origin, session::send(to, text)).await
            }
            Name::ListSessions => self.session(&origin, session::list()).await,
            Name::SwitchSession => {
                let to = args.text("session").map_err(wrong)?;
                self.session(&origin, session::switch(to)).await
            }
            Name::CloseSession => {
                // Without a name it is the active one, as with the command.
                let which = args.maybe_text("session").unwrap_or_default();
                self.session(&origin, session::close(which)).await
            }
            Name::RunShell => shell::run(&self.context, &origin, &self.grounds, &args).await,
            Name::TaskStatus => shell::status(&self.context, &origin, &args).await,
            Name::ReadFile => files::read(&self.context, &origin, &self.grounds, &args).await,
            Name::WriteFile => self.write(&origin, &args, false).await,
            Name::AppendFile => self.write(&origin, &args, true).await,
            Name::ListDir => files::list(&self.context, &origin, &self.grounds, &args).await,
            Name::SearchFiles => files::search(&self.context, &origin, &self.grounds, &args).await,
            Name::SendFile => {
                files::send(&self.context, &origin, &self.grounds, &args, changes).await
            }
            Name::SetReminder => reminders::set(&self.context, &origin, &args).await,
            Name::ListReminders => reminders::list(&self.context, &origin).await,
            Name::CancelReminder => reminders::cancel(&self.context, &origin, &args).await,
            Name::WebSearch => web::search(&self.context, &origin, &args).await,
            Name::ReadUrl => web::read(&self.context, &origin, &args).await,
            Name::WebAsk => web::ask(&self.context, &origin, &args).await,
            Name::NodeInfo => Ok(node::info(&self.context, &self.grounds)),
        }
    }

    async fn write(&self, origin: &Origin, args: &Args, append: bool) -> Outcome {
        let (context, grounds) = (&self.context, &self.grounds);
        files::write(context, origin, grounds, args, &self.live, append).await
    }

    /// Asks the desk, and sees the world as it is afterwards.
    async fn session(&mut self, origin: &Origin, ask: crate::desk::door::Ask) -> Outcome {
        let told = self
            .door
            .ask(origin, ask)
            .await
            .ok_or("the host is stopping")?;
        self.grounds = told.grounds;
        told.outcome
    }
}

/// What the model may call.
pub(super) fn list() -> Vec<Tool> {
    Name::ALL.into_iter().map(Name::tool).collect()
}

/// A call's line on the card: its name and what it is about.
pub(super) fn line(call: &Call) -> String {
    let name: &str = match Name::read(&call.name) {
        Some(name) => name.text(),
        None => &call.name,
    };
    let about = Args::read(&call.arguments)
        .map(|args| args.about())
        .unwrap_or_default();
    let line = if about.is_empty() {
        name.to_owned()
    } else {
        format!("{name}: {about}")
    };
    one_line(&line, LINE_CHARS)
}

/// A text without its middle, if it has more than about `max` bytes.
pub(super) fn middle(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut head = max * 2 / 3;
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = text.len() - max / 3;
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    let (first, _) = text.split_at(head);
    let (_, last) = text.split_at(tail);
    format!("{first}\n[… {} bytes left out …]\n{last}", tail - head)
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

    #[test]
    fn the_middle_is_left_out() {
        assert_eq!(middle("short", 10), "short");
        let cut = middle(&"天".repeat(1000), 300);
        assert!(
            cut.len() < 400 && cut.starts_with('天') && cut.ends_with('天'),
            "{cut}"
        );
        assert!(cut.contains("bytes left out"));
    }

    #[test]
    fn a_line_names_what_a_call_is_about() {
        let call = |name: &str, arguments: &str| {
            line(&Call {
                id: "c".into(),
                name: name.into(),
                arguments: arguments.into(),
            })
        };
        assert_eq!(call("node_info", ""), "node_info");
        assert_eq!(
            call("send_to_session", r#"{"text":"fix\nit","session":2}"#),
            "send_to_session: 2 · fix it"
        );
        assert_eq!(call("bad", "{broken"), "bad");
    }
}
