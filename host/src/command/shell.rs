//! `/shell [--bg] [--timeout N] <cmd>`: a command on this machine. How it is judged and run is `task`'s.

use std::time::Duration;

use common::command::Command;
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

/// What was typed behind `/shell`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Typed {
    background: bool,
    timeout: Option<u64>,
    command: String,
}

/// None: there is no command. An error: what is wrong with an option.
fn read(args: &str) -> Result<Option<Typed>, ShellText> {
    let mut typed = Typed::default();
    let mut rest = args.trim_start();
    loop {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        // Phones make one dash of two.
        let option = word.strip_prefix("--").or_else(|| word.strip_prefix('—'));
        let option = option.map(|option| option.split_once('=').unwrap_or((option, "")));
        rest = match option {
            Some(("bg", "")) => {
                typed.background = true;
                after.trim_start()
            }
            Some(("timeout", value)) => {
                let after = after.trim_start();
                let (number, after) = match value {
                    "" => after.split_once(char::is_whitespace).unwrap_or((after, "")),
                    value => (value, after),
                };
                let wrong = || ShellText::BadTimeout {
                    got: one_line(number, 20),
                    max: LONGEST,
                };
                let seconds: u64 = number.trim_end_matches('s').parse().map_err(|_| wrong())?;
                if !(1..=LONGEST).contains(&seconds) {
                    return Err(wrong());
                }
                typed.timeout = Some(seconds);
                after.trim_start()
            }
            Some(_) | None if word.is_empty() => return Ok(None),
            Some(_) | None => {
                rest.trim_end().clone_into(&mut typed.command);
                return Ok(Some(typed));
            }
        };
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
        assert_eq!(typed("--background ls").command, "--background ls");
        assert_eq!(read("  ").unwrap(), None);
        assert_eq!(read("--bg").unwrap(), None);
        for bad in [
            "--timeout x ls",
            "--timeout 0 ls",
            "--timeout 999999 ls",
            "--timeout",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
