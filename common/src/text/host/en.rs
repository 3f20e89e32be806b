//! What a host says, in English.

use super::HostText;

pub(super) fn say(text: &HostText) -> String {
    match text {
        HostText::Working => "Working".into(),
        HostText::RunsFor { seconds } if *seconds < 60 => format!("{seconds} s"),
        HostText::RunsFor { seconds } => format!("{} min {} s", seconds / 60, seconds % 60),
        HostText::Thinking => "Thinking".into(),
        HostText::Compacting => "Shortening the conversation".into(),
        HostText::WaitsForYou => "Waiting for your answer".into(),
        HostText::Stop => "Stop".into(),
        HostText::Stopped => "Stopped".into(),
        HostText::TimedOut { after } => format!(
            "Stopped after {after} seconds. You can let it go on, or give a session more time with /new … --timeout."
        ),
        HostText::NoWords => "Done (no words)".into(),
        HostText::Retrying { attempt, max } => {
            format!("The service failed; trying again ({attempt} of {max})")
        }
        HostText::Background => "Result of background work".into(),
        HostText::Part { n, of } => format!("Part {n} of {of}"),
        HostText::LongTurnDone { dir } => format!("{dir}: finished"),
        HostText::MoreSteps { n } => format!("{n} more before"),
        HostText::Context { percent } => format!("context {percent}%"),
        HostText::Queued { place } => {
            format!("Waiting, place {place}. It runs when the turn before it ends.")
        }
        HostText::SendNow => "Send now".into(),
        HostText::Cancel => "Cancel".into(),
        HostText::Cancelled => "Taken back; it did not run.".into(),
        HostText::AlreadyTaken => {
            "Not cancelled: it was taken before. If it still runs, tap Stop on its own card.".into()
        }
        HostText::Folded => "Handed to the running turn.".into(),
        HostText::AnsweredTogether => "Answered together with the message before.".into(),
        HostText::QueueFull { waiting } => format!(
            "{waiting} messages wait in this session already, so this one was not taken, nor are those behind it until there is room. Let them finish, or use /stop."
        ),
        HostText::QueueFreed { refused: 1 } => {
            "There is room again. This message was not taken; send it once more if it still matters.".into()
        }
        HostText::QueueFreed { refused } => format!(
            "There is room again. {refused} messages from here on were not taken; send again what still matters."
        ),
        HostText::LaneFull { waiting } => format!(
            "The session is held up and {waiting} messages and taps of yours wait for it already, so this one was not taken, nor are those behind it until it goes on. Wait a moment, then send again what still matters."
        ),
        HostText::Asks { tool } => format!("May I use {tool}?"),
        HostText::About => "About".into(),
        HostText::Why => "Why".into(),
        HostText::Where => "Where".into(),
        HostText::AllowOnce => "Allow once".into(),
        HostText::AllowSession => "Allow for this session".into(),
        HostText::Deny => "Deny".into(),
        HostText::AllowedOnce { at } => format!("Allowed once at {at}"),
        HostText::AllowedSession { at } => format!("Allowed for this session at {at}"),
        HostText::Denied { at } => format!("Denied at {at}"),
        HostText::Withdrawn => "No answer is needed any more".into(),
        HostText::AskCutOff => "No answer is needed any more: PhoneWork restarted before there was one, so this was not done. If you still want it, say so again.".into(),
        HostText::Expired { at } => format!("Nobody answered by {at}, which counts as no"),
        HostText::NotYours => {
            "That card is somebody else's; only they can use it. Nothing was changed.".into()
        }
        HostText::AnsweredBefore { how } => format!("This was answered before: {how}"),
        HostText::NobodyAsks => {
            "Nobody waits for this answer any more: what asked has ended. Nothing was changed.".into()
        }
        HostText::NobodyAnswered => {
            "The user did not answer in time, so this is refused. Do not try it again unasked."
                .into()
        }
        HostText::DenyWords => "The user refused this.".into(),
        HostText::Rings { dir, tool } => format!("{dir}: {tool} waits for your permission"),
        HostText::Interrupted { prompt } => format!(
            "PhoneWork restarted in the middle of this turn:\n“{prompt}”\nWhat was done is not done again. Go on?"
        ),
        HostText::InterruptedAlive { prompt } => format!(
            "PhoneWork restarted; the process of this turn still runs:\n“{prompt}”\nIf it finishes by itself, the answer appears here. Or take over now."
        ),
        HostText::Continue => "Continue".into(),
        HostText::Discard => "Discard".into(),
        HostText::TryAgain => "Try again".into(),
        HostText::Discarded => "Discarded. Session and directory are as they were.".into(),
        HostText::ContinueWords { request } => format!(
            "A request of mine was interrupted. Please go on with it where it stopped, and do not repeat steps that are done. The request was:\n\n{request}"
        ),
        HostText::ContinueUnsure { request } => format!(
            "My last request may have been interrupted at any point, perhaps after some of it was done. Do not begin again from the start: first look at what is already done (files, running processes, results), then do only what is missing, and do not repeat steps that are done. The request was:\n\n{request}"
        ),
        HostText::Recovered => "found after a restart".into(),
        HostText::SessionReady {
            n,
            dir,
            made,
            smart,
        } => {
            let made = if *made { " (a new directory)" } else { "" };
            let next = if *smart {
                "Tell the assistant what is to be done there, or write to it yourself after /direct."
            } else {
                "Just write to it."
            };
            format!("Session {n} is ready in {dir}{made}. {next}")
        }
        HostText::NoSession => {
            "There is no session yet. Begin one with /new <dir>, for example: /new demo".into()
        }
        HostText::NoneActive => {
            "None of your sessions is the active one. Choose one with /switch <n>; /status lists them.".into()
        }
        HostText::Usage { wrong, usage } if wrong.is_empty() => format!("Usage: {usage}"),
        HostText::Usage { wrong, usage } => format!("{wrong}\nUsage: {usage}"),
        HostText::NoSuchSession { n, have: 0 } => {
            format!("There is no session {n}: there are none. Begin one with /new <dir>.")
        }
        HostText::NoSuchSession { n, have: 1 } => {
            format!("There is no session {n}: there is one, see /status.")
        }
        HostText::NoSuchSession { n, have } => {
            format!("There is no session {n}: there are {have}, see /status.")
        }
        HostText::NotANumber { got } => format!("“{got}” is not a number."),
        HostText::OutOfBounds { option, min, max } => {
            format!("{option} must be between {min} and {max}.")
        }
        HostText::Switched { n, dir } => format!("Active session: {n} ({dir})"),
        HostText::Closed { n, dir } => {
            format!("Session {n} ({dir}) is closed. Its directory and files stay as they are.")
        }
        HostText::Closing { n, dir } => {
            format!("Closing session {n} ({dir}); what it is doing is stopped first.")
        }
        HostText::SessionFailed { dir } => format!(
            "The session in {dir} failed inside PhoneWork, so this was not taken. Restart PhoneWork on this machine to take up its work, or close it with /close; its files stay as they are."
        ),
        HostText::DirectOn => "Direct mode: text goes straight to Claude Code.".into(),
        HostText::TooMuchAtOnce { max } => format!(
            "{max} commands of yours run at once already, so this one was not run. Wait until one of them is done and send it again."
        ),
        HostText::CommandBroke => "This command failed inside PhoneWork and has no result. Try it once more; if it happens again, see the log on this machine.".into(),
        HostText::DirOthers { dir } => format!("“{dir}” is somebody else's and not yours to use. Choose another folder."),
        HostText::NothingRuns => "Nothing is running.".into(),
        HostText::Stopping => "Stopping.".into(),
        HostText::StatusTitle { node } => format!("Sessions on {node}"),
        HostText::NoSessions => "No sessions. Begin one with /new <dir>.".into(),
        HostText::Line {
            active,
            dir,
            running,
            waiting,
            queued,
            live,
            age,
        } => {
            let state = match (waiting, running, live) {
                (true, _, _) => "waits for your answer",
                (_, true, _) => "working",
                (_, _, true) => "ready",
                (_, _, false) => "asleep",
            };
            let queued = match queued {
                0 => String::new(),
                n => format!(" · {n} queued"),
            };
            let active = if *active { " (active)" } else { "" };
            format!("{dir}{active} · {state}{queued} · {age} ago")
        }
        HostText::ModeRow => "Mode".into(),
        HostText::ModeDirect => "direct".into(),
        HostText::ModeSmart => "smart (no model set up: text goes to the active session)".into(),
        HostText::SwitchTo { n } => format!("Switch to {n}"),
        HostText::HelpTitle => "Commands".into(),
        HostText::HelpMore => {
            "Other commands with / go to Claude Code in the active session, such as /compact; write //help for one of the names above. Other text goes to the assistant (/smart) or the active session (/direct).".into()
        }
        HostText::UnknownCommand { name } => format!(
            "{name} is not a command, and there is no active session to pass it to. /help lists all commands."
        ),
        HostText::TooManySessions { max } => {
            format!("There are {max} sessions, which is the limit. Close one first with /close <n>.")
        }
        HostText::DirOutside { dir, root } => format!(
            "“{dir}” is not inside the working directory {root}, so no session was begun. Name a folder of it, for example: /new demo"
        ),
        HostText::DirIsFile { dir } => format!("“{dir}” is a file, not a directory."),
        HostText::DirFailed { dir, why } => format!("The directory “{dir}” cannot be used: {why}"),
        HostText::AgentMissing => "There is no claude on this machine. Install it with: npm install -g @anthropic-ai/claude-code, or say in the configuration where it is (CLAUDE_BIN), and send the message again.".into(),
        HostText::AgentNotLoggedIn => "Claude Code is not logged in, or the login has run out. In a terminal on this machine, start claude and type /login, then try again.".into(),
        HostText::AgentBadKey => "The service refused the key. Check ANTHROPIC_API_KEY on this machine, or log in again by starting claude in a terminal, then try again.".into(),
        HostText::AgentNoCredit => "The account's credit is used up. Top it up, then try again.".into(),
        HostText::AgentOverloaded => "The service is overloaded; several attempts failed. Try again in a few minutes.".into(),
        HostText::AgentServiceFailed { status } => {
            format!("The service failed ({status}). Try again in a while.")
        }
        HostText::AgentRateLimited { until: Some(until) } => {
            format!("The usage limit is reached; it ends at {until}. Try again then.")
        }
        HostText::AgentRateLimited { until: None } => {
            "Too many requests, or the usage limit is reached. Try again in a while.".into()
        }
        HostText::AgentContextFull => "The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.".into(),
        HostText::AgentRefused { status, message } => {
            format!("The service refused the request ({status}): {message}")
        }
        HostText::AgentNetwork => "This machine cannot reach the model's service. Check its network or proxy, then try again.".into(),
        HostText::AgentNoSuchSession => "The old conversation is not on this machine any more; a new one was begun in the same directory. Send the message again.".into(),
        HostText::AgentInUse => "Another program, a terminal perhaps, has this conversation open. Leave it there first, then try again.".into(),
        HostText::AgentArguments { message } => format!("claude refuses what CLAUDE_ARGS says: {message}. Change the configuration and restart."),
        HostText::AgentCrashed { detail } if detail.is_empty() => {
            "The process of Claude Code ended unexpectedly.".into()
        }
        HostText::AgentCrashed { detail } => {
            format!("The process of Claude Code ended unexpectedly: {detail}")
        }
        HostText::AgentOther { message } if message.is_empty() => {
            "Claude Code reports an error and does not say which.".into()
        }
        HostText::AgentOther { message } => format!("Claude Code reports an error: {message}"),
        HostText::AgentLimit => "The turn took as many steps, or as much money, as it may. You can let it go on.".into(),
    }
}
