//! Commands that run other commands: prefixes, shells, and whatever else takes a command as its
//! words or its input.

use common::text::host::shell::Danger;

use super::calls::{base, has_flag, has_long, operands, printf, values};
use super::feed::Feed;
use super::known;
use super::walk::Walk;
use super::word::ANY;

impl Walk<'_> {
    /// `sudo` and its kin.
    pub(super) fn raises(&mut self, name: &str, args: &[String], stdin: Feed) -> Feed {
        let why = || Danger::Raises {
            name: name.to_owned(),
        };
        if name == "su"
            || name == "sudoedit"
            || has_flag(args, 's')
            || has_flag(args, 'i')
            || has_flag(args, 'e')
        {
            self.refuse(why());
            return Feed::Unknown;
        }
        let rest = after_options(
            args,
            &[
                "-u", "-g", "-p", "-h", "-C", "-U", "-D", "-R", "-T", "-r", "-t", "--user",
                "--group",
            ],
            0,
        );
        let rest: Vec<String> = rest
            .iter()
            .skip_while(|arg| arg.contains('='))
            .cloned()
            .collect();
        let Some(command) = rest.first() else {
            let looks = args.iter().all(|arg| {
                matches!(
                    arg.as_str(),
                    "-l" | "-v"
                        | "-k"
                        | "-K"
                        | "-V"
                        | "-n"
                        | "--list"
                        | "--version"
                        | "--help"
                        | "-h"
                        | "-ll"
                )
            });
            if !looks {
                self.refuse(why());
            }
            return Feed::Unknown;
        };
        let status = rest.get(1).is_some_and(|verb| {
            matches!(
                verb.as_str(),
                "status" | "is-active" | "list-units" | "show"
            )
        });
        let looks = known::LOOKS.contains(&base(command))
            || (matches!(base(command), "systemctl" | "service")
                && (status || rest.get(2).is_some_and(|verb| verb == "status")));
        let out = self.run(&rest, stdin);
        if !looks {
            self.refuse(why());
        }
        out
    }

    /// What runs what stands behind it.
    pub(super) fn launches(&mut self, name: &str, args: &[String], stdin: &Feed) -> Option<Feed> {
        if let Some((_, options, skip)) = super::prefix::PREFIXES
            .iter()
            .find(|(prefix, ..)| *prefix == name)
        {
            if name == "command" && (has_flag(args, 'v') || has_flag(args, 'V')) {
                return Some(Feed::Unknown);
            }
            if matches!(name, "gdb")
                && !args
                    .iter()
                    .any(|arg| arg.contains("shell") || arg.contains("system"))
            {
                return Some(Feed::Unknown);
            }
            let mut rest = after_options(args, options, *skip);
            if name == "coproc"
                && let Some(at) = rest
                    .iter()
                    .take(2)
                    .position(|word| word == "{" || word == "(")
            {
                rest = rest.get(at + 1..).unwrap_or_default();
            }
            let mut texts = values(args, &["-ex", "--prepare"]);
            if name == "hyperfine" {
                texts.extend(rest.iter().map(String::as_str));
            }
            for text in texts {
                self.apart(|walk| {
                    walk.text(
                        text.trim_start_matches("shell ").trim_start_matches('!'),
                        Feed::Nothing,
                    )
                });
            }
            return Some(self.run(rest, stdin.clone()));
        }
        let out = match name {
            "env" => self.env(args, stdin),
            "xargs" | "parallel" | "rush" => self.xargs(name, args, stdin),
            "eval" => {
                let script = super::calls::visible(&args.join(" "));
                self.text(&script, stdin.clone())
            }
            "trap" => {
                if let Some(script) = operands(args).first().filter(|arg| arg.as_str() != "-") {
                    let script = (*script).clone();
                    self.apart(|walk| walk.text(&script, Feed::Nothing));
                }
                Feed::Nothing
            }
            "alias" => {
                for arg in args {
                    if let Some((name, body)) = arg.split_once('=') {
                        self.state
                            .functions
                            .insert(name.to_owned(), format!("{body} \"$@\""));
                        let body = body.to_owned();
                        self.apart(|walk| walk.text(&body, Feed::Nothing));
                    }
                }
                Feed::Nothing
            }
            "source" | "." => {
                self.sourced(args, stdin);
                Feed::Unknown
            }
            "watch" | "entr" | "flock" | "script" | "ssh" | "mosh" | "chronic" | "ts"
            | "nodemon" | "npx" | "bunx" | "pnpx" | "watchexec" | "make" | "gmake" => {
                return self.runs_texts(name, args, stdin);
            }
            "cd" | "pushd" => {
                self.enters(args);
                Feed::Nothing
            }
            "popd" => {
                self.state.cwd.clear();
                Feed::Nothing
            }
            "set" => {
                if let Some(at) = args.iter().position(|arg| arg == "--") {
                    self.state.args = args.get(at + 1..).unwrap_or_default().to_vec();
                } else if args.first().is_some_and(|arg| !arg.starts_with(['-', '+'])) {
                    self.state.args = args.to_vec();
                }
                Feed::Nothing
            }
            "shift" => {
                if !self.state.args.is_empty() {
                    self.state.args.remove(0);
                }
                Feed::Nothing
            }
            "read" | "mapfile" | "readarray" => {
                let value = match stdin {
                    Feed::Nothing => ANY.to_string(),
                    other => other.value(),
                };
                if name != "read" && matches!(stdin, Feed::Text(_)) {
                    // Its lines are words of their own, whatever they hold.
                    self.maybe_text(&value);
                }
                for name in operands(args) {
                    self.state.vars.insert(name.clone(), value.clone());
                }
                Feed::Nothing
            }
            "printf" if args.first().is_some_and(|arg| arg == "-v") => {
                if let Some(name) = args.get(1) {
                    let text = printf(args.get(2..).unwrap_or_default()).value();
                    self.state.vars.insert(name.clone(), text);
                }
                Feed::Nothing
            }
            "export" | "declare" | "local" | "readonly" | "typeset" => {
                for arg in args {
                    if let Some((name, value)) = arg.split_once('=') {
                        self.state.vars.insert(name.to_owned(), value.to_owned());
                        self.sets(name, value);
                    }
                }
                Feed::Nothing
            }
            "enable" | "hash" if has_flag(args, 'f') || has_flag(args, 'p') => {
                self.ask(Danger::UnknownCommand);
                Feed::Nothing
            }
            _ => return None,
        };
        Some(out)
    }

    fn env(&mut self, args: &[String], stdin: &Feed) -> Feed {
        for text in values(args, &["-S", "--split-string"]) {
            let text = text.to_owned();
            self.apart(|walk| walk.text(&text, stdin.clone()));
        }
        let rest = after_options(
            args,
            &["-u", "-C", "-S", "--unset", "--chdir", "--split-string"],
            0,
        );
        for (name, value) in rest.iter().map_while(|arg| arg.split_once('=')) {
            self.sets(name, value);
        }
        let rest: Vec<String> = rest
            .iter()
            .skip_while(|arg| arg.contains('='))
            .cloned()
            .collect();
        if rest.is_empty() {
            return Feed::Unknown;
        }
        let chdir: Vec<String> = values(args, &["-C", "--chdir"])
            .into_iter()
            .map(str::to_owned)
            .collect();
        self.apart(|walk| {
            if !chdir.is_empty() {
                walk.enters(&chdir);
            }
            walk.run(&rest, stdin.clone())
        })
    }

    fn xargs(&mut self, name: &str, args: &[String], stdin: &Feed) -> Feed {
        let options = [
            "-I",
            "-i",
            "-n",
            "-P",
            "-L",
            "-l",
            "-d",
            "-s",
            "-a",
            "-E",
            "-j",
            "-J",
            "-R",
            "-S",
            "--max-args",
            "--max-procs",
            "--replace",
            "--delimiter",
            "--arg-file",
            "--jobs",
            "--max-lines",
        ];
        let rest = after_options(args, &options, 0);
        let mut command: Vec<String> = Vec::new();
        let mut given: Vec<String> = Vec::new();
        for arg in rest {
            if name == "parallel" && matches!(arg.as_str(), ":::" | "::::" | ":::+") {
                given = rest
                    .iter()
                    .skip_while(|arg| !arg.starts_with(":::"))
                    .skip(1)
                    .cloned()
                    .collect();
                break;
            }
            command.push(arg.clone());
        }
        let replace = values(args, &["-I", "-J", "--replace"])
            .first()
            .map(|text| (*text).to_owned());
        let replace = replace
            .or_else(|| (has_flag(args, 'i') || name == "parallel").then(|| "{}".to_owned()))
            .filter(|text| !text.is_empty());
        let listed = !given.is_empty();
        let feed: Vec<String> = match stdin {
            _ if !given.is_empty() => given,
            Feed::Nothing if values(args, &["-a", "--arg-file"]).is_empty() => Vec::new(),
            // What is put in somewhere is a line, however many words it has.
            Feed::Text(text) if replace.is_some() => text.lines().map(str::to_owned).collect(),
            Feed::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            other => vec![match other {
                Feed::Nothing => ANY.to_string(),
                other => other.value(),
            }],
        };
        if command.is_empty() {
            if name == "parallel" || name == "rush" {
                for text in feed.iter().filter(|_| listed) {
                    self.apart(|walk| walk.text(text, Feed::Nothing));
                }
                // The commands themselves come by its input.
                return self.shell("sh", &[], stdin.clone());
            }
            return stdin.clone().filtered();
        }
        let mut replaced = false;
        let mut out = Feed::Nothing;
        let each: Vec<String> = feed.iter().take(64).cloned().collect();
        if let Some(mark) = &replace
            && command.iter().any(|arg| arg.contains(mark.as_str()))
        {
            replaced = true;
            for value in &each {
                let argv: Vec<String> = command
                    .iter()
                    .map(|arg| arg.replace(mark.as_str(), value))
                    .collect();
                out = out.then(self.launched(name, &argv));
            }
        }
        if !replaced {
            let processes = *stdin == Feed::Processes;
            if processes && command.iter().any(|arg| base(arg) == "kill") {
                self.refuse(Danger::KillsAll);
            }
            let mut argv = command;
            argv.extend(feed);
            out = self.launched(name, &argv);
        }
        out
    }

    fn launched(&mut self, name: &str, argv: &[String]) -> Feed {
        if name == "parallel" || name == "rush" {
            let script = argv.join(" ");
            self.apart(|walk| walk.text(&script, Feed::Unknown))
        } else {
            self.apart(|walk| walk.run(argv, Feed::Unknown))
        }
    }

    /// `cd`.
    fn enters(&mut self, args: &[String]) {
        let to = operands(args)
            .first()
            .map_or_else(|| self.variable("HOME"), |to| (*to).clone());
        if to == "-" || has_long(args, "--help") {
            self.state.cwd.clear();
            return;
        }
        let dirs: Vec<Option<std::path::PathBuf>> = if to.starts_with('/') {
            vec![self.resolve(&to)]
        } else {
            let here = self.state.cwd.clone();
            here.into_iter()
                .map(|dir| {
                    let before = std::mem::replace(&mut self.state.cwd, vec![dir]);
                    let to = self.resolve(&to);
                    self.state.cwd = before;
                    to
                })
                .collect()
        };
        if !to.starts_with('.') && !to.starts_with('/') && self.state.vars.contains_key("CDPATH") {
            // It may lead there.
            self.state.cwd.clear();
            return;
        }
        self.state.cwd = dirs
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .unwrap_or_default();
    }
}

/// What follows the options of a command, and `skip` words more.
pub(super) fn after_options<'a>(args: &'a [String], takes: &[&str], skip: usize) -> &'a [String] {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if arg == "--" {
            at += 1;
            break;
        }
        if !arg.starts_with('-') || arg == "-" {
            break;
        }
        at += if takes.contains(&arg.as_str()) { 2 } else { 1 };
    }
    args.get(at + skip..).unwrap_or_default()
}
