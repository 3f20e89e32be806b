//! Tools about commands on this machine: the same guard, sandbox and questions as `/shell`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use common::text::Say as _;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::args::Args;
use super::{Field, Outcome, needed, optional};
use crate::cards::ASK_BYTES;
use crate::context::{Context, Origin};
use crate::grounds::Grounds;
use crate::report;
use crate::shell::output::Shown;
use crate::shell::run::How;
use crate::task::{Ran, RunOrder, TaskState};

pub(super) const RUN: (&str, &[Field]) = (
    "Runs a shell command (bash) on this machine, in the person's shell folder, and returns its output and exit code. Dangerous commands are refused, risky ones are first put to the person. What takes over a minute goes on in the background as a task. Standard input is empty.",
    &[
        needed("command", "string", "the command"),
        optional(
            "timeout",
            "integer",
            "seconds after which it is ended; without it, it goes on as a task",
        ),
        optional(
            "background",
            "boolean",
            "true: a task at once, for long work such as builds",
        ),
    ],
);
pub(super) const STATUS: (&str, &[Field]) = (
    "Tells about the person's tasks: all of them, or one with the end of its output.",
    &[optional("n", "integer", "number of the task")],
);

/// Tasks that are listed.
const MOST_TASKS: usize = 20;

fn how(how: How) -> String {
    match how {
        How::Exit(code) => format!("exit code {code}"),
        How::Signal(signal) => format!("ended by signal {signal}"),
        How::TimedOut => "ended: its time was over".to_owned(),
        How::Stopped => "stopped by the person".to_owned(),
        How::Interrupted => "interrupted by a restart of PhoneWork".to_owned(),
    }
}

fn output(shown: &Shown) -> String {
    let mut text = shown.head.clone();
    if shown.left_out > 0 {
        let _ = write!(text, "\n[… {} bytes left out …]\n", shown.left_out);
        text.push_str(&shown.tail);
    }
    if text.trim().is_empty() {
        "(no output)".clone_into(&mut text);
    }
    text
}

/// The key of the question about a command.
pub(super) fn key(origin: &Origin) -> String {
    crate::task::key(report::turn_of(&origin.cause))
}

pub(super) async fn run(
    context: &Arc<Context>,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
) -> Outcome {
    let command = args.text("command")?;
    if command.len() > ASK_BYTES {
        return Err(format!(
            "a command may have at most {ASK_BYTES} bytes, as the person must be able to read it; write a script with write_file and run that"
        ));
    }
    // Dropped on the way, it is ended; but what is being written down is written down.
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    let order = RunOrder {
        origin: origin.clone(),
        id: report::turn_of(&origin.cause),
        place: None,
        command,
        grounds: grounds.clone(),
        timeout: args
            .number("timeout")?
            .map(|seconds| Duration::from_secs(seconds.max(1))),
        background: args.flag("background"),
        stop,
    };
    let work = {
        let context = Arc::clone(context);
        async move { context.shell.run(&context, order).await }
    };
    let ran = context.tasks.spawn(work.instrument(Span::current())).await;
    drop(guard.disarm());
    match ran.map_err(|_| "it failed inside PhoneWork".to_owned())? {
        Ok(Ran::Ended(outcome)) => {
            let text = format!(
                "{}, {:.1} s, folder now: {}\n{}",
                how(outcome.how),
                outcome.took.as_secs_f64(),
                outcome.dir,
                output(&outcome.output)
            );
            match outcome.how {
                How::Exit(0) => Ok(text),
                How::Exit(_) | How::Signal(_) | How::TimedOut | How::Stopped | How::Interrupted => {
                    Err(text)
                }
            }
        }
        Ok(Ran::Background { n, .. }) => Ok(format!(
            "It goes on in the background as task {n}; the person is told when it ends. task_status tells how it stands. Do not wait for it."
        )),
        Err(why) => Err(why.say(origin.lang)),
    }
}

pub(super) async fn status(context: &Context, origin: &Origin, args: &Args) -> Outcome {
    let Some(n) = args.number("n")? else {
        let all = context.shell.list(context, &origin.user).await;
        if all.is_empty() {
            return Ok("There are no tasks.".to_owned());
        }
        let lines: Vec<String> = all
            .iter()
            .take(MOST_TASKS)
            .map(|task| {
                let state = match &task.state {
                    TaskState::Running => "runs".to_owned(),
                    TaskState::Ended { how: end, .. } => how(*end),
                };
                let command = crate::session::progress::one_line(&task.command, 80);
                format!("{}. {state}: {command}", task.n)
            })
            .collect();
        return Ok(lines.join("\n"));
    };
    let Some(live) = context.shell.show(context, &origin.user, n).await else {
        return Err(format!("there is no task {n}"));
    };
    let state = match &live.record.state {
        TaskState::Running => {
            let ran = chrono::Utc::now() - live.record.started_at;
            format!("runs for {} s", ran.num_seconds().max(0))
        }
        TaskState::Ended { how: end, .. } => how(*end),
    };
    Ok(format!(
        "task {n}, {state}, in {}: {}\n{}",
        live.record.dir,
        live.record.command,
        output(&live.shown)
    ))
}
