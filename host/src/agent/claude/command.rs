//! The CLI's command line and its environment: a pipe instead of a terminal, every question to us,
//! nothing run for the project unasked.

use std::ffi::OsString;

use super::outgoing::mode_word;
use crate::agent::{AgentSpec, SessionStart};

/// Name of the variable that marks all that a process of ours has started, so that it can be found
/// when the process is gone: its tools are groups of their own.
pub(super) const MARK: &str = "PHONEWORK_AGENT";
/// The same for commands of people, who see it in their environment.
pub(crate) const SHELL_MARK: &str = "PW_TASK";

/// All arguments after the program's name.
pub(super) fn arguments(spec: &AgentSpec) -> Vec<String> {
    let mut args: Vec<String> = [
        "-p",
        "--input-format",
        "stream-json",
        "--output-format",
        "stream-json",
        // Compulsory with the above.
        "--verbose",
        "--include-partial-messages",
        "--replay-user-messages",
        "--permission-prompt-tool",
        "stdio",
        "--permission-mode",
        mode_word(spec.permission_mode),
    ]
    .map(str::to_owned)
    .to_vec();
    let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
    match spec.session {
        SessionStart::New(id) => option("--session-id", id.to_string()),
        SessionStart::Resume(id) => option("--resume", id.to_string()),
    }
    if let Some(model) = &spec.model {
        option("--model", model.clone());
    }
    if !spec.trust_project {
        // In this mode there is no question whether to trust the directory: its hooks and servers
        // would be run at once.
        option("--setting-sources", "user".to_owned());
    }
    args.extend(spec.extra_args.iter().cloned());
    args
}

/// The whole environment of the child; nothing else is inherited. `mark` is this start's own.
pub(super) fn environment(spec: &AgentSpec, mark: &str) -> Vec<(OsString, OsString)> {
    let ours = [
        // Without it nothing tells when work has ended.
        ("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1"),
        // Under the usual name, sessions made through a pipe are hidden from the terminal's list.
        ("CLAUDE_CODE_ENTRYPOINT", "phonework"),
        ("DISABLE_AUTOUPDATER", "1"),
        (MARK, mark),
    ];
    let inherited = spec
        .env
        .vars()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let extra = spec
        .extra_env
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    inherited
        .chain(ours.map(|(name, value)| (name.into(), value.into())))
        .chain(extra)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use uuid::Uuid;

    use super::*;
    use crate::agent::{ChildEnv, PermissionMode};

    fn spec() -> AgentSpec {
        AgentSpec {
            program: PathBuf::from("claude"),
            extra_args: vec!["--add-dir".to_owned(), "/data".to_owned()],
            cwd: PathBuf::from("/p"),
            session: SessionStart::Resume(Uuid::nil()),
            model: Some("opus".to_owned()),
            permission_mode: PermissionMode::Ask,
            trust_project: false,
            env: ChildEnv::filtered([("HOME".into(), "/home/user".into())], &[]),
            extra_env: vec![("HOME".to_owned(), "/elsewhere".to_owned())],
            family: "f".to_owned(),
        }
    }

    #[test]
    fn the_whole_command_line() {
        insta::assert_snapshot!(arguments(&spec()).join(" "), @"-p --input-format stream-json --output-format stream-json --verbose --include-partial-messages --replay-user-messages --permission-prompt-tool stdio --permission-mode default --resume 00000000-0000-0000-0000-000000000000 --model opus --setting-sources user --add-dir /data");
    }

    #[test]
    fn a_trusted_project_brings_its_settings() {
        let trusted = AgentSpec {
            trust_project: true,
            session: SessionStart::New(Uuid::nil()),
            ..spec()
        };
        let args = arguments(&trusted);
        assert!(!args.iter().any(|arg| arg == "--setting-sources"));
        assert!(args.iter().any(|arg| arg == "--session-id"));
    }

    #[test]
    fn extra_variables_win() {
        let vars = environment(&spec(), "m");
        let last = vars.iter().rfind(|(name, _)| name == "HOME").unwrap();
        assert_eq!(last.1, "/elsewhere");
        assert!(vars.contains(&(MARK.into(), "m".into())));
    }
}
