//! Commands that run other commands: prefixes, shells, and whatever else takes a command as its
//! words or its input.

use common::text::host::shell::Danger;

use super::calls::{base, has_flag, has_long, operands, values};
use super::feed::Feed;
use super::known;
use super::walk::Walk;
use super::word::{ANY, TAINT};

/// Options of a prefix that take the next word.
const PREFIXES: &[(&str, &[&str], usize)] = &[
    ("nohup", &[], 0),
    ("command", &[], 0),
    ("builtin", &[], 0),
    ("exec", &["-a"], 0),
    ("time", &["-f", "-o", "--format", "--output"], 0),
    ("nice", &["-n", "--adjustment"], 0),
    ("ionice", &["-c", "-n", "--class", "--classdata"], 0),
    ("timeout", &["-k", "-s", "--kill-after", "--signal"], 1),
    ("gtimeout", &["-k", "-s"], 1),
    ("stdbuf", &["-i", "-o", "-e"], 0),
    ("setsid", &[], 0),
    ("unbuffer", &[], 0),
    ("caffeinate", &["-t", "-w"], 0),
    ("chrt", &["-T", "-P", "-D"], 1),
    ("taskset", &[], 1),
    (
        "strace",
        &[
            "-o", "-e", "-p", "-s", "-u", "-E", "-P", "-O", "-S", "-a", "-b", "-I",
        ],
        0,
    ),
    (
        "ltrace",
        &["-o", "-e", "-p", "-s", "-u", "-n", "-a", "-l", "-x"],
        0,
    ),
    ("fakeroot", &["-l", "-s", "-i", "-b"], 0),
    ("coproc", &[], 0),
    ("noglob", &[], 0),
    ("nocorrect", &[], 0),
    ("rlwrap", &[], 0),
    ("catchsegv", &[], 0),
    ("proxychains", &["-f"], 0),
    ("proxychains4", &["-f"], 0),
    ("torsocks", &[], 0),
    (
        "xvfb-run",
        &[
            "-n",
            "-s",
            "-e",
            "-f",
            "-p",
            "-w",
            "--server-args",
            "--server-num",
        ],
        0,
    ),
    ("dbus-run-session", &[], 0),
    (
        "systemd-run",
        &[
            "-p",
            "-u",
            "--unit",
            "--property",
            "--slice",
            "-M",
            "--on-active",
        ],
        0,
    ),
    (
        "numactl",
        &["-m", "-N", "-C", "--cpunodebind", "--membind"],
        0,
    ),
    ("prlimit", &[], 0),
    ("firejail", &[], 0),
    (
        "hyperfine",
        &[
            "-w",
            "-r",
            "-m",
            "-M",
            "--warmup",
            "--runs",
            "-p",
            "--prepare",
            "-n",
            "-L",
            "-P",
        ],
        0,
    ),
    ("valgrind", &[], 0),
    ("ccache", &[], 0),
    ("linux64", &[], 0),
    ("linux32", &[], 0),
    ("setarch", &[], 0),
    ("direnv", &[], 0),
    ("eatmydata", &[], 0),
    ("faketime", &[], 1),
    ("tini", &[], 0),
    ("dumb-init", &[], 0),
    ("pipx", &[], 0),
    ("uvx", &[], 0),
    ("gdb", &["-ex", "-x", "-iex"], 0),
    ("perf", &["-e", "-o"], 1),
    ("toybox", &[], 0),
    ("busybox", &[], 0),
    ("sbase-box", &[], 0),
    ("coreutils", &[], 0),
];

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
        if let Some((_, options, skip)) = PREFIXES.iter().find(|(prefix, ..)| *prefix == name) {
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
            let rest = after_options(args, options, *skip);
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
                for name in operands(args) {
                    self.state.vars.insert(name.clone(), value.clone());
                }
                Feed::Nothing
            }
            "printf" if args.first().is_some_and(|arg| arg == "-v") => {
                if let Some(name) = args.get(1) {
                    let text = args.get(2..).unwrap_or_default().join("");
                    self.state.vars.insert(
                        name.clone(),
                        if text.contains('%') {
                            ANY.to_string()
                        } else {
                            super::word::unescape(&text)
                        },
                    );
                }
                Feed::Nothing
            }
            "export" | "declare" | "local" | "readonly" | "typeset" => {
                for arg in args {
                    if let Some((name, value)) = arg.split_once('=') {
                        self.state.vars.insert(name.to_owned(), value.to_owned());
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
        let feed: Vec<String> = match stdin {
            _ if !given.is_empty() => given,
            Feed::Nothing if values(args, &["-a", "--arg-file"]).is_empty() => Vec::new(),
            Feed::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            other => vec![match other {
                Feed::Nothing => ANY.to_string(),
                other => other.value(),
            }],
        };
        let replace = values(args, &["-I", "-J", "--replace"])
            .first()
            .map(|text| (*text).to_owned());
        let replace = replace
            .or_else(|| (has_flag(args, 'i') || name == "parallel").then(|| "{}".to_owned()))
            .filter(|text| !text.is_empty());
        if command.is_empty() {
            if name == "parallel" || name == "rush" {
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

    fn sourced(&mut self, args: &[String], stdin: &Feed) {
        let Some(path) = operands(args).first().map(|path| (*path).clone()) else {
            return;
        };
        let feed = if path == "/dev/stdin" {
            stdin.clone()
        } else {
            self.content(&path)
        };
        self.scripted(feed, &path);
    }

    /// A script whose text is this.
    fn scripted(&mut self, feed: Feed, path: &str) {
        match feed {
            Feed::Text(text) => {
                self.text(&text, Feed::Nothing);
            }
            feed if feed.is_tainted() || path.contains(TAINT) => self.refuse(Danger::PipedToShell),
            Feed::Unknown if path.starts_with("/dev/") || path.contains(ANY) => {
                self.ask(Danger::UnknownCommand)
            }
            Feed::Nothing
            | Feed::Names(_)
            | Feed::Processes
            | Feed::Fetched
            | Feed::Decoded
            | Feed::Unknown => {}
        }
    }

    /// A shell: its script in a word, in a file, or in what it reads.
    pub(super) fn shell(&mut self, name: &str, args: &[String], stdin: Feed) -> Feed {
        let mut rest = args;
        while let Some((first, after)) = rest.split_first() {
            if first == "--" || first == "-" {
                rest = after;
                break;
            }
            if !first.starts_with(['-', '+']) {
                break;
            }
            let short = !first.starts_with("--");
            if (short && first.contains('c')) || first == "--command" || first == "-Command" {
                let mut after = after;
                while let Some((next, more)) = after.split_first()
                    && next.starts_with('-')
                    && next.len() > 1
                {
                    after = more;
                }
                let Some((script, words)) = after.split_first() else {
                    return Feed::Nothing;
                };
                let script = super::calls::visible(script);
                let zero = words.first().cloned();
                let words = words.get(1..).unwrap_or_default().to_vec();
                return self.apart(|walk| {
                    walk.state.args = words;
                    if let Some(zero) = zero {
                        walk.state.vars.insert("0".into(), zero);
                    }
                    walk.text(&script, stdin)
                });
            }
            let takes = matches!(
                first.as_str(),
                "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file"
            );
            rest = if takes {
                after.get(1..).unwrap_or_default()
            } else {
                after
            };
            if takes
                && first.ends_with("file")
                && let Some(file) = after.first()
            {
                let feed = self.content(file);
                self.scripted(feed, file);
            }
            if short && first.contains('s') {
                rest = &[];
                break;
            }
        }
        if let Some((path, words)) = rest.split_first() {
            let feed = if path == "/dev/stdin" {
                stdin
            } else {
                self.content(path)
            };
            let words = words.to_vec();
            return self.apart(|walk| {
                walk.state.args = words;
                walk.scripted(feed, path);
                Feed::Unknown
            });
        }
        match stdin {
            Feed::Nothing => {}
            Feed::Text(text) => return self.apart(|walk| walk.text(&text, Feed::Nothing)),
            feed if feed.is_tainted() => self.refuse(Danger::PipedToShell),
            Feed::Names(_) | Feed::Processes | Feed::Unknown | Feed::Fetched | Feed::Decoded => {
                self.ask(Danger::Inline {
                    name: name.to_owned(),
                });
            }
        }
        Feed::Unknown
    }

    /// Commands that are given as one text among other words.
    fn runs_texts(&mut self, name: &str, args: &[String], stdin: &Feed) -> Option<Feed> {
        match name {
            "ssh" | "mosh" => {
                let rest = after_options(
                    args,
                    &[
                        "-p", "-i", "-l", "-o", "-L", "-R", "-D", "-F", "-J", "-b", "-c", "-E",
                        "-e", "-I", "-m", "-O", "-Q", "-S", "-W", "-w",
                    ],
                    1,
                );
                for option in values(args, &["-o"]) {
                    if let Some((key, command)) = option.split_once('=')
                        && key.to_ascii_lowercase().ends_with("command")
                    {
                        let command = command.to_owned();
                        self.apart(|walk| walk.text(&command, Feed::Nothing));
                    }
                }
                if !rest.is_empty() {
                    let script = rest.join(" ");
                    self.apart(|walk| {
                        // Another machine has no folder of ours.
                        walk.state.cwd.clear();
                        walk.text(&script, stdin.clone())
                    });
                } else if *stdin != Feed::Nothing {
                    self.apart(|walk| walk.shell("sh", &[], stdin.clone()));
                }
                if !has_flag(args, 'V') {
                    self.ask(Danger::Elsewhere);
                }
                Some(Feed::Fetched)
            }
            "flock" => {
                let rest = after_options(args, &["-w", "-E", "--timeout", "--wait"], 1);
                for text in values(args, &["-c", "--command"]) {
                    let text = text.to_owned();
                    self.apart(|walk| walk.text(&text, stdin.clone()));
                }
                Some(self.run(rest, stdin.clone()))
            }
            "script" => {
                for text in values(args, &["-c", "-qc", "-ec", "--command"]) {
                    let text = text.to_owned();
                    self.apart(|walk| walk.text(&text, Feed::Nothing));
                }
                Some(Feed::Unknown)
            }
            "make" | "gmake" => {
                for text in values(args, &["--eval", "-E"]) {
                    let text = text.replace("$(shell", ";").replace(')', "");
                    self.apart(|walk| walk.text(&text, Feed::Nothing));
                    self.ask(Danger::Inline {
                        name: "make".into(),
                    });
                }
                for file in values(args, &["-f", "--file", "--makefile"]) {
                    let feed = if file == "-" || file == "/dev/stdin" {
                        stdin.clone()
                    } else {
                        self.content(file)
                    };
                    if file == "-" || feed.is_tainted() || matches!(feed, Feed::Text(_)) {
                        if let Feed::Text(text) = &feed {
                            let rules: String = text
                                .lines()
                                .map(|line| {
                                    line.trim_start_matches(['\t', '@', '-', ' ']).to_owned() + "\n"
                                })
                                .collect();
                            self.apart(|walk| walk.text(&rules, Feed::Nothing));
                        }
                        self.ask(Danger::Inline {
                            name: "make".into(),
                        });
                    }
                }
                None
            }
            "npx" | "bunx" | "pnpx" => {
                for text in values(args, &["-c", "--call"]) {
                    let text = text.to_owned();
                    self.apart(|walk| walk.text(&text, Feed::Nothing));
                }
                let rest = after_options(args, &["-p", "--package", "-c", "--call"], 0);
                Some(self.run(rest, stdin.clone()))
            }
            _ => {
                let options = ["-n", "--interval", "-d", "-q", "-w", "-e", "--exec", "-x"];
                for text in values(args, &["--exec", "-x"]) {
                    let text = text.to_owned();
                    self.apart(|walk| walk.text(&text, Feed::Nothing));
                }
                let rest = after_options(
                    args,
                    if name == "watch" {
                        &options[..2]
                    } else {
                        &options
                    },
                    0,
                );
                let script = rest.join(" ");
                Some(self.apart(|walk| walk.text(&script, Feed::Nothing)))
            }
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
