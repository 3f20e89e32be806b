//! Commands that somebody else is to run: an editor, a builder, a package manager, whoever reads a
//! variable of the environment. Only what would be refused counts there: it may never be run.

use common::text::host::shell::Danger;

use super::calls::{has_flag, operands, values};
use super::feed::Feed;
use super::launch::after_options;
use super::paths::Reach;
use super::walk::Walk;

/// Variables whose value somebody runs.
const COMMANDS: &[&str] = &[
    "PAGER",
    "MANPAGER",
    "GIT_PAGER",
    "SYSTEMD_PAGER",
    "BAT_PAGER",
    "EDITOR",
    "VISUAL",
    "FCEDIT",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_EXTERNAL_DIFF",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "RSYNC_RSH",
    "CVS_RSH",
    "TAR_OPTIONS",
    "LESSOPEN",
    "LESSCLOSE",
    "BROWSER",
    "PROMPT_COMMAND",
    "RUSTC_WRAPPER",
    "MAKEFLAGS",
];
/// Variables that are expanded before they are used: what is in `$(…)` there is run.
const EXPANDED: &[&str] = &["BASH_ENV", "ENV", "PS0", "PS1", "PS2", "PS4"];
/// Variables that name a file which is run or loaded.
const FILES: &[&str] = &[
    "BASH_ENV",
    "ENV",
    "LD_PRELOAD",
    "LD_AUDIT",
    "PYTHONSTARTUP",
    "GIT_SSH",
    "GIT_ASKPASS",
    "RUSTC_WRAPPER",
];

impl Walk<'_> {
    /// A variable gets a value.
    pub(super) fn sets(&mut self, name: &str, value: &str) {
        if COMMANDS.contains(&name) || name.starts_with("BASH_FUNC_") {
            let script = value.trim_start_matches('|').to_owned();
            self.maybe_text(&script);
            // Options of `tar` with a command of their own.
            if name == "TAR_OPTIONS" {
                self.maybe_text(&format!("tar {script}"));
            }
        }
        if EXPANDED.contains(&name) && value.contains(['$', '`']) {
            self.maybe_text(&format!("echo \"{}\"", value.replace('"', "\\\"")));
        }
        if FILES.contains(&name) {
            for path in value.split([':', ' ']).filter(|path| !path.is_empty()) {
                // Somebody's file elsewhere, which whatever is run takes in.
                if matches!(self.reach(path), Reach::Tmp | Reach::Outside) {
                    self.ask(Danger::UnknownCommand);
                }
                let before = self.maybe_on();
                self.script(path, &[]);
                self.maybe_off(before);
            }
        }
    }

    /// Something was written to a file that somebody runs unasked.
    pub(super) fn hook(&mut self, path: &str, content: &Feed) {
        if !path.contains("hooks/") {
            return;
        }
        match content {
            Feed::Text(text) => {
                let text = text.clone();
                self.maybe_text(&text);
            }
            feed if feed.is_tainted() => self.refuse(Danger::PipedToShell),
            Feed::Nothing
            | Feed::Names(_)
            | Feed::Processes
            | Feed::Fetched
            | Feed::Decoded
            | Feed::Unknown => {}
        }
    }

    /// Whoever runs what it is given.
    pub(super) fn through(&mut self, name: &str, args: &[String], stdin: &Feed) {
        match name {
            "vim" | "vi" | "nvim" | "gvim" | "view" | "rvim" | "vimdiff" | "nvi" | "ex" => {
                self.vi(name, args, stdin);
            }
            "ed" | "red" => {
                for path in operands(args) {
                    self.writes(path);
                }
                if let Feed::Text(text) = stdin {
                    let text = text.clone();
                    self.lines(name, &text);
                } else if *stdin != Feed::Nothing {
                    self.ask(Danger::Inline { name: name.into() });
                }
            }
            "emacs" | "emacsclient" | "xemacs" => {
                let codes = values(args, &["--eval", "-eval", "--execute", "-execute", "-e"]);
                for code in &codes {
                    self.code(name, code);
                    let code = code.replace("delete-", "rm(").replace("shell-", "exec(");
                    self.code(name, &code);
                }
                if !codes.is_empty() {
                    self.ask(Danger::Inline { name: name.into() });
                }
            }
            "man" => {
                for pager in values(args, &["-P", "--pager"]) {
                    self.maybe_text(pager);
                }
            }
            "scp" | "sftp" => {
                for command in values(args, &["-S"]) {
                    self.maybe_text(command);
                }
                self.ssh_options(args);
            }
            "just" => self.just(args),
            "npm" | "pnpm" | "yarn" => self.packages(args, stdin),
            "uv" | "poetry" | "pipenv" | "bundle" | "hatch" | "pdm" | "rye" | "mise" | "conda"
            | "nix-shell" | "nix" | "devbox" | "cargo" => {
                for text in values(args, &["-s", "--shell", "--run"]) {
                    self.maybe_text(text);
                }
                let runs = args
                    .iter()
                    .position(|arg| matches!(arg.as_str(), "run" | "exec" | "--command" | "-c"));
                if let Some(at) = runs.filter(|_| name != "cargo") {
                    let rest = args.get(at + 1..).unwrap_or_default();
                    let rest = after_options(rest, &["-n", "-p", "--with", "--python"], 0);
                    self.apart(|walk| walk.run(rest, stdin.clone()));
                }
            }
            _ => {}
        }
    }

    /// Variables of `make`, and its file, where that was seen.
    pub(super) fn made(&mut self, args: &[String]) {
        let mut recipes = Vec::new();
        for arg in args {
            if let Some((name, value)) = arg.split_once('=')
                && !arg.starts_with("--")
            {
                if name.trim_end_matches([':', '+', '?']) == ".SHELLFLAGS" {
                    recipes.push(value.to_owned());
                }
                self.maybe_text(value);
            }
        }
        let shell = args
            .iter()
            .find_map(|arg| arg.strip_prefix("SHELL="))
            .map(str::to_owned);
        if let Some(shell) = shell {
            for flags in recipes {
                self.maybe_text(&format!("{shell} {flags}"));
            }
        }
        for file in ["Makefile", "makefile", "GNUmakefile"] {
            if let Feed::Text(text) = self.content(file) {
                for line in text.lines() {
                    self.maybe_text(line.trim_start_matches(['\t', '@', '-', '+', ' ']));
                }
            }
        }
    }

    /// `-o ProxyCommand=…` in all its spellings.
    pub(super) fn ssh_options(&mut self, args: &[String]) {
        for option in values(args, &["-o"]) {
            let option = option.trim();
            if let Some((key, command)) = option.split_once(['=', ' '])
                && key.trim().to_ascii_lowercase().ends_with("command")
            {
                self.maybe_text(command.trim_start_matches(['=', ' ']));
            }
        }
    }

    fn vi(&mut self, name: &str, args: &[String], stdin: &Feed) {
        let mut commands: Vec<String> = values(args, &["-c", "--cmd", "-sc", "-esc", "-Esc"])
            .into_iter()
            .map(str::to_owned)
            .collect();
        commands.extend(
            args.iter()
                .filter_map(|arg| arg.strip_prefix('+'))
                .map(str::to_owned),
        );
        for file in values(args, &["-S", "-s"]) {
            if let Feed::Text(text) = self.content(file) {
                commands.push(text);
            }
        }
        let silent = name == "ex" || has_flag(args, 's') || has_flag(args, 'e');
        if let Feed::Text(text) = stdin
            && silent
        {
            commands.push(text.clone());
        }
        for command in &commands {
            self.lines(name, command);
        }
        let saves = commands.iter().any(|command| {
            command
                .split(['|', '\n'])
                .map(|part| part.trim().trim_start_matches(':'))
                .any(|part| part.starts_with(['w', 'x', 'u']) || part.starts_with("sav"))
        });
        if saves {
            let rest = after_options(args, &["-c", "--cmd", "-S", "-u", "-i", "-sc", "-esc"], 0);
            for path in rest {
                self.writes(path);
            }
        }
    }

    /// Commands of a line editor: what stands behind `!` is run, a file behind `w` is written.
    fn lines(&mut self, name: &str, text: &str) {
        let mut runs = false;
        for line in text.lines() {
            if let Some((before, command)) = line.split_once('!') {
                // `q!` and `w!` are in a hurry only.
                if !command.trim().is_empty() {
                    self.maybe_text(command);
                    runs |= before.is_empty()
                        || before.ends_with([' ', ':', '%', '.', '$', 'r', 'w', ',']);
                }
            }
            let verb = line
                .trim_start_matches([':', ' '])
                .trim_start_matches("silent ");
            let codes = [
                "lua", "py", "perl", "ruby", "term", "exe", "call", "let", "eval",
            ];
            if codes.iter().any(|code| verb.starts_with(code)) || line.contains("system(") {
                self.code(
                    name,
                    &line.replace("exe", "exec(").replace("delete(", "rm("),
                );
                runs |= !verb.starts_with("let");
            }
            let written = line.trim_start_matches([':', '%', ',', '$', '1', ' ']);
            if let Some((verb, path)) = written.split_once(' ')
                && matches!(verb, "w" | "w!" | "W" | "wq" | "sav" | "saveas" | "write")
                && !path.starts_with('!')
            {
                self.writes(path.trim());
            }
        }
        if runs {
            self.ask(Danger::Inline { name: name.into() });
        }
    }

    fn just(&mut self, args: &[String]) {
        let shell = values(args, &["--shell"]);
        let given = values(args, &["--shell-arg"]);
        if let Some(shell) = shell.first() {
            self.maybe_text(&format!("{shell} {}", given.join(" ")));
        }
        let command = args
            .iter()
            .position(|arg| matches!(arg.as_str(), "--command" | "-c"));
        if let Some(at) = command {
            self.maybe_run(args.get(at + 1..).unwrap_or_default());
        }
        for (_, value) in args.iter().filter_map(|arg| arg.split_once('=')) {
            self.maybe_text(value);
        }
    }

    /// `npm` and its like: what they run, and scripts that they are to keep.
    fn packages(&mut self, args: &[String], stdin: &Feed) {
        for text in values(args, &["-c", "--call", "--script-shell", "--shell"]) {
            self.maybe_text(text);
        }
        let verb = args.iter().position(|arg| !arg.starts_with('-'));
        let rest = verb
            .and_then(|at| args.get(at + 1..))
            .unwrap_or_default()
            .to_vec();
        match verb.and_then(|at| args.get(at)).map(String::as_str) {
            Some("exec" | "x" | "dlx") => {
                let rest = after_options(&rest, &["-p", "--package", "-c", "--call"], 0).to_vec();
                self.apart(|walk| walk.run(&rest, stdin.clone()));
            }
            Some("pkg" | "set" | "set-script") => {
                for text in &rest {
                    let text = text
                        .split_once('=')
                        .map_or(text.as_str(), |(_, value)| value);
                    self.maybe_text(text);
                }
            }
            Some(_) | None => {}
        }
    }

    /// Commands that are to run at some time: each line, with and without its times in front.
    pub(super) fn timetable(&mut self, table: &Feed) {
        let Feed::Text(text) = table else {
            return;
        };
        for line in text.lines() {
            self.maybe_text(line);
            let times = if line.trim_start().starts_with('@') {
                1
            } else {
                5
            };
            let command: Vec<&str> = line.split_whitespace().skip(times).collect();
            self.maybe_text(&command.join(" "));
        }
    }
}
