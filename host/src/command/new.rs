//! `/new <dir> [msg] [--timeout N] [--idle N]`: a session in a directory, and its first message.

use chrono::Utc;
use common::command::Command;
use common::command::typed::{flag, number, quoted};
use common::ids::SessionId;
use common::message::view::Tone;
use common::text::host::HostText;
use uuid::Uuid;

use crate::cards::{self, Frame};
use crate::context::Origin;
use crate::desk::{Desk, MAX_SESSIONS, Went};
use crate::record::SessionRecord;
use crate::session::progress::one_line;
use crate::workdir::SubDir;

/// Seconds that a turn may take, unless said otherwise.
const TIMEOUT_S: u64 = 3600;
/// Seconds without work after which the process is closed, unless said otherwise.
const IDLE_S: u64 = 1800;
/// Least and most of both, in seconds: up to a day, and up to a week.
const TIMEOUT_BOUNDS: (u64, u64) = (5, 86_400);
const IDLE_BOUNDS: (u64, u64) = (5, 604_800);

/// What was typed behind `/new`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Typed {
    dir: String,
    msg: String,
    timeout_s: u64,
    idle_s: u64,
}

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) -> Went {
    let typed = match read(args) {
        Ok(typed) => typed,
        Err(wrong) => {
            let wrong = wrong.as_ref().map(|text| text as _);
            desk.usage(place, origin, Command::New, wrong).await;
            return Went::On;
        }
    };
    // Taken up again after a crash: the session is there already, under the id that its cause
    // gives it.
    let id = SessionId::derived(&[origin.cause.as_str(), "session"]);
    let times = (typed.timeout_s, typed.idle_s);
    let dir = match begin_with(desk, origin, id, &typed.dir, times).await {
        Ok(dir) => dir,
        Err(text) => {
            desk.say(place, origin, Tone::Warning, &text).await;
            return Went::On;
        }
    };
    if typed.msg.is_empty() {
        let n = desk
            .mine(&origin.user)
            .iter()
            .find(|one| one.record.id == id)
            .map_or(1, |one| one.n);
        let text = HostText::SessionReady {
            n,
            dir: dir.name.clone(),
            made: dir.made,
            smart: desk.assistant(&origin.user).is_some(),
        };
        let frame = Frame {
            node: &desk.context.name,
            dir: &dir.name,
            lang: origin.lang,
        };
        let view = cards::note(frame, Tone::Done, &text);
        desk.show(place, origin, view).await;
        Went::On
    } else {
        desk.give(place, origin, id, typed.msg).await
    }
}

/// Begins a session in a directory with the usual times, unless it is there already.
pub(crate) async fn begin(
    desk: &mut Desk,
    origin: &Origin,
    id: SessionId,
    typed: &str,
) -> Result<SubDir, HostText> {
    begin_with(desk, origin, id, typed, (TIMEOUT_S, IDLE_S)).await
}

async fn begin_with(
    desk: &mut Desk,
    origin: &Origin,
    id: SessionId,
    typed: &str,
    (timeout_s, idle_s): (u64, u64),
) -> Result<SubDir, HostText> {
    let mine = desk.mine(&origin.user);
    let again = mine.iter().any(|one| one.record.id == id);
    // What is being closed still has its process.
    if mine.len() + desk.closing(&origin.user) >= MAX_SESSIONS && !again {
        return Err(HostText::TooManySessions { max: MAX_SESSIONS });
    }
    let workdir = &desk.context.workdir;
    if let Some(found) = workdir.place(typed)
        && (desk.grounds(&origin.user).is_others(&found) || desk.context.files.is_ours(&found))
    {
        return Err(HostText::DirOthers {
            dir: typed.to_owned(),
        });
    }
    let dir = workdir.enter(typed)?;
    if !again {
        let now = Utc::now();
        desk.open(SessionRecord {
            id,
            user: origin.user.clone(),
            dir: dir.name.clone(),
            agent_session: Uuid::new_v4(),
            created_at: now,
            used_at: now,
            timeout_s,
            idle_s,
            process: None,
        })
        .await;
        common::crash_point!("host.session.made");
    }
    Ok(dir)
}

/// Reads the arguments. Options stand right behind the directory or at the very end, so that a
/// message may speak of `--timeout` without meaning it. `Err(None)`: nothing more to say than how
/// it is used.
fn read(args: &str) -> Result<Typed, Option<HostText>> {
    let (dir, mut rest) = first_word(args).ok_or(None)?;
    let (mut timeout_s, mut idle_s) = (TIMEOUT_S, IDLE_S);
    while let Some((name, value, left)) = option_at_start(rest) {
        set(name, value, &mut timeout_s, &mut idle_s)?;
        rest = left;
    }
    while let Some((name, value, left)) = option_at_end(rest) {
        set(name, value, &mut timeout_s, &mut idle_s)?;
        rest = left;
    }
    Ok(Typed {
        dir,
        msg: rest.trim().to_owned(),
        timeout_s,
        idle_s,
    })
}

/// The first word, which may be quoted.
fn first_word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let (word, rest) = match quoted(text) {
        Some(both) => both,
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    };
    (!text.is_empty()).then(|| (word.to_owned(), rest))
}

const OPTIONS: [&str; 2] = [TIMEOUT, "idle"];
const TIMEOUT: &str = "timeout";

fn option_at_start(text: &str) -> Option<(&'static str, &str, &str)> {
    let text = text.trim_start();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let option = flag(word, &OPTIONS)?;
    if let Some(value) = option.value {
        return Some((option.name, value, rest));
    }
    let rest = rest.trim_start();
    let (value, left) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some((option.name, value, left))
}

fn option_at_end(text: &str) -> Option<(&'static str, &str, &str)> {
    let text = text.trim_end();
    let (left, value) = text.rsplit_once(char::is_whitespace)?;
    let left = left.trim_end();
    let (before, word) = left.rsplit_once(char::is_whitespace).unwrap_or(("", left));
    let option = flag(word, &OPTIONS).filter(|option| option.value.is_none())?;
    Some((option.name, value, before))
}

fn set(
    name: &str,
    value: &str,
    timeout_s: &mut u64,
    idle_s: &mut u64,
) -> Result<(), Option<HostText>> {
    if value.is_empty() {
        return Err(None);
    }
    let seconds: u64 = number(value).ok_or_else(|| {
        Some(HostText::NotANumber {
            got: one_line(value, 40),
        })
    })?;
    let ((min, max), slot) = if name == TIMEOUT {
        (TIMEOUT_BOUNDS, timeout_s)
    } else {
        (IDLE_BOUNDS, idle_s)
    };
    if !(min..=max).contains(&seconds) {
        return Err(Some(HostText::OutOfBounds {
            option: format!("--{name}"),
            min,
            max,
        }));
    }
    *slot = seconds;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(dir: &str, msg: &str, timeout_s: u64, idle_s: u64) -> Typed {
        Typed {
            dir: dir.into(),
            msg: msg.into(),
            timeout_s,
            idle_s,
        }
    }

    #[test]
    fn the_forms_that_people_type() {
        let good = [
            ("demo", typed("demo", "", TIMEOUT_S, IDLE_S)),
            (
                "demo  fix the\n tests ",
                typed("demo", "fix the\n tests", TIMEOUT_S, IDLE_S),
            ),
            ("\"my app\" hi", typed("my app", "hi", TIMEOUT_S, IDLE_S)),
            (
                "“我的 项目” 你好",
                typed("我的 项目", "你好", TIMEOUT_S, IDLE_S),
            ),
            (
                "demo --timeout 60 --idle 90 go",
                typed("demo", "go", 60, 90),
            ),
            (
                "demo —timeout=６０ ——idle 90 go",
                typed("demo", "go", 60, 90),
            ),
            (
                "demo go on --idle 90",
                typed("demo", "go on", TIMEOUT_S, 90),
            ),
            (
                "demo set --timeout 9 in the file",
                typed("demo", "set --timeout 9 in the file", TIMEOUT_S, IDLE_S),
            ),
            (
                "demo --verbose x",
                typed("demo", "--verbose x", TIMEOUT_S, IDLE_S),
            ),
            ("it's fine", typed("it's", "fine", TIMEOUT_S, IDLE_S)),
        ];
        for (args, expected) in good {
            assert_eq!(read(args), Ok(expected), "{args}");
        }
    }

    #[test]
    fn wrong_use_says_what_is_wrong() {
        assert_eq!(read(""), Err(None));
        assert_eq!(read("demo --timeout"), Err(None));
        assert_eq!(
            read("demo --timeout soon"),
            Err(Some(HostText::NotANumber { got: "soon".into() }))
        );
        assert!(matches!(
            read("demo hi --idle 1"),
            Err(Some(HostText::OutOfBounds { .. }))
        ));
        assert!(matches!(
            read("demo --timeout -3 x"),
            Err(Some(HostText::NotANumber { .. }))
        ));
    }

    proptest! {
        #[test]
        fn reading_never_panics(args in ".{0,80}") {
            let _ = read(&args);
        }
    }
}
