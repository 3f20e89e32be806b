//! `/shell [--bg] [--timeout N] <cmd>`: a command on this machine. How it is judged and run is `task`'s.

use std::time::Duration;

use common::command::Command;
use common::command::typed::{dashed, flag, number};
use common::message::view::Tone;
use common::text::host::shell::ShellText;
use tokio_util::sync::CancellationToken;

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;
use crate::report;
use crate::session::progress::one_line;
use crate::task::RunOrder;

/// Seconds that a command may be given: a day.
const LONGEST: u64 = 24 * 3600;
const BACKGROUND: &str = "bg";
const TIMEOUT: &str = "timeout";

/// What was typed behind `/shell`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Typed {
    background: bool,
    timeout: Option<u64>,
    command: String,
}

impl Typed {
    fn with(mut self, command: &str) -> Option<Self> {
        command.trim().clone_into(&mut self.command);
        (!self.command.is_empty()).then_some(self)
    }
}

/// None: there is no command, or it is not written as one. An error: what is wrong with an option.
fn read(args: &str) -> Result<Option<Typed>, ShellText> {
    let mut typed = Typed::default();
    let mut rest = args.trim_start();
    loop {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let Some(option) = flag(word, &[BACKGROUND, TIMEOUT]) else {
            // No command begins with two dashes; two alone end the options.
            return match dashed(word) {
                Some("") => Ok(typed.with(after)),
                Some(_) => Ok(None),
                None => Ok(typed.with(rest)),
            };
        };
        rest = after.trim_start();
        if option.name == BACKGROUND {
            typed.background = true;
            continue;
        }
        let (value, after) = match option.value {
            Some(value) => (value, rest),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        if value.is_empty() {
            return Ok(None);
        }
        let seconds = number(value.trim_end_matches('s'));
        let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds));
        typed.timeout = Some(seconds.ok_or_else(|| ShellText::BadTimeout {
            got: one_line(value, 20),
            max: LONGEST,
        })?);
        rest = after.trim_start();
    }
}

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let typed = match read(args) {
        Ok(Some(typed)) => typed,
        Ok(None) => return desk.usage(place, origin, Command::Shell, None).await,
        Err(wrong) => {
            return desk
                .usage(place, origin, Command::Shell, Some(&wrong))
                .await;
        }
    };
    let order = RunOrder {
        origin: origin.clone(),
        id: report::turn_of(&origin.cause),
        place: Some(place),
        command: typed.command,
        grounds: desk.grounds(&origin.user),
        timeout: typed.timeout.map(Duration::from_secs),
        background: typed.background,
        stop: CancellationToken::new(),
    };
    let context = std::sync::Arc::clone(&desk.context);
    let origin = origin.clone();
    desk.beside(place, &origin.clone(), async move {
        match context.shell.run(&context, order).await {
            Ok(_) => Vec::new(),
            Err(why) => {
                let view = cards::say(&context.name, origin.lang, Tone::Warning, &why);
                vec![origin.reply(view)]
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_before_the_command() {
        let typed = |args: &str| read(args).unwrap().unwrap();
        assert_eq!(typed("ls --bg").command, "ls --bg");
        let all = typed("--bg --timeout 30  make -j4\ntest ");
        assert_eq!(
            (all.background, all.timeout, all.command.as_str()),
            (true, Some(30), "make -j4\ntest")
        );
        for same in ["--timeout=30 --bg ls", "—bg —timeout 30s ls"] {
            let all = typed(same);
            assert_eq!(
                (all.background, all.timeout, all.command.as_str()),
                (true, Some(30), "ls"),
                "{same}"
            );
        }
        assert_eq!(read("  ").unwrap(), None);
        let phone = typed("—bg --timeout=３０ make");
        assert_eq!(
            (phone.background, phone.timeout, phone.command.as_str()),
            (true, Some(30), "make")
        );
        assert_eq!(typed("--timeout 30s -- ls").command, "ls");
        assert_eq!(typed("-x").command, "-x");
        for none in ["--bg", "--timeout", "--timeout=", "--fast ls", "--"] {
            assert_eq!(read(none).unwrap(), None, "{none}");
        }
        for bad in ["--timeout x ls", "--timeout 0 ls", "--timeout 999999 ls"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
