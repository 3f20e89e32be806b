//! What the model may use, one file for each room. A tool obeys the same guards as the command of
//! its name; what changes something asks the person by a card where the command's guard says so.
//! Nothing that a tool returns can skip that: results are texts, and asking is done here.
//!
//! What the model calls wrongly is answered to the model, which may do better in the next round.

mod args;
mod files;
mod name;
mod node;
mod reminders;
mod session;
mod shell;
mod web;

use std::collections::HashMap;
use std::sync::Arc;

use common::llm::{Call, Tool};

use super::live::Live;
use crate::context::{Context, Origin};
use crate::desk::door::Door;
use crate::grounds::Grounds;
use crate::journal::Change;
use crate::session::progress::{cut_middle, one_line};
use args::Args;
use name::{Field, Name, needed, optional};

/// Bytes of a result that the model hears; what is in the middle of more is left out.
const MAX_RESULT: usize = 12_000;
/// The same call with the same arguments, in one text; more are not carried out.
const MAX_SAME: usize = 3;
/// Characters of a call's line on the card.
const LINE_CHARS: usize = 120;

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

    /// Carries out the `n`-th call of this text. May be dropped on the way: a command ends itself then,
    /// a question is left to [`withdraw`].
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
        let origin = act(&self.origin, n);
        // Others come and go while the model thinks: what is whose counts as it is now.
        self.look().await;
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

    async fn write(&mut self, origin: &Origin, args: &Args, append: bool) -> Outcome {
        let context = Arc::clone(&self.context);
        let planned = files::Writing::plan(&context, origin, &self.grounds, args, append).await?;
        let asked = self.grounds.clone();
        planned.ask(&context, origin, &asked, &self.live).await?;
        // The answer may have taken its time: it is written where the card said, and in the world as it is now.
        self.look().await;
        let grounds = asked.renewed(self.grounds.clone());
        planned.write(&context, origin, &grounds).await
    }

    /// Sees where the person is now, and gives their sessions, one line each.
    pub(super) async fn look(&mut self) -> Option<String> {
        let told = self
            .door
            .ask(&self.origin, crate::desk::door::Ask::Look)
            .await?;
        self.grounds = told.grounds;
        told.outcome.ok()
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

/// The `n`-th call of the text `origin` as an act of its own, which other ids come from.
fn act(origin: &Origin, n: usize) -> Origin {
    Origin {
        cause: origin.cause.leads_to(&format!("call {n}")),
        ..origin.clone()
    }
}

/// Takes back what the `n`-th call of the text `origin` asks the person: nobody waits for it any more.
pub(super) async fn withdraw(context: &Context, origin: &Origin, n: usize) {
    let act = act(origin, n);
    context.confirms.withdraw(&act, files::KEY).await;
    context.confirms.withdraw(&act, &shell::key(&act)).await;
}

/// A text without its middle, for the model.
pub(super) fn middle(text: &str, max: usize) -> String {
    cut_middle(text, max, |bytes| format!("[… {bytes} bytes left out …]"))
}

/// What the model may call.
pub(super) fn list() -> Vec<Tool> {
    Name::ALL.into_iter().map(Name::tool).collect()
}

/// Whether the arguments of a call can be read.
pub(super) fn can_read(call: &Call) -> bool {
    Args::read(&call.arguments).is_ok()
}

/// Writes the arguments of a call as they were understood, where they are not what vendors take back:
/// else the model would see other ones there than it was answered for.
pub(super) fn tidy(call: &mut Call) {
    let is_plain =
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&call.arguments);
    if is_plain.is_err()
        && let Ok(args) = Args::read(&call.arguments)
    {
        call.arguments = args.to_string();
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_goes_back_as_it_was_understood() {
        for (written, back) in [
            (r#"{"b":1, "a":2}"#, r#"{"b":1, "a":2}"#),
            (r#"{"a":2,}"#, r#"{"a":2}"#),
            ("```json\n{\"a\":2}\n```", r#"{"a":2}"#),
            ("", "{}"),
            ("{\"a\":", "{\"a\":"),
        ] {
            let mut call = Call {
                arguments: written.into(),
                ..Call::default()
            };
            tidy(&mut call);
            assert_eq!(call.arguments, back, "{written}");
        }
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
