//! One command with its words: who it is for, and what it would write.

use common::text::host::shell::Danger;

use super::feed::Feed;
use super::known;
use super::walk::Walk;
use super::word::{self, ANY, NAME, ONE, STAR, TAINT, could_be};

/// The last part of a path.
pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A short option, alone or among others: `-r`, `-fr`.
pub(super) fn has_flag(args: &[String], flag: char) -> bool {
    args.iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg.starts_with('-') && !arg.starts_with("--") && arg.contains(flag))
}

/// A long option, also shortened, or with a value.
pub(super) fn has_long(args: &[String], name: &str) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| {
        let arg = arg.split('=').next().unwrap_or(arg);
        arg.len() > 3 && name.starts_with(arg) && arg.starts_with("--")
    })
}

/// What is no option; all after `--` is none.
pub(super) fn operands(args: &[String]) -> Vec<&String> {
    let mut plain = false;
    args.iter()
        .filter(|arg| {
            if plain {
                return true;
            }
            if *arg == "--" {
                plain = true;
                return false;
            }
            !arg.starts_with('-') || *arg == "-"
        })
        .collect()
}

/// The value of an option: `-o x`, `-ox`, `--out x`, `--out=x`.
pub(super) fn values<'a>(args: &'a [String], names: &[&str]) -> Vec<&'a str> {
    let mut out = Vec::new();
    for (at, arg) in args.iter().enumerate() {
        for name in names {
            if arg == name {
                out.extend(args.get(at + 1).map(String::as_str));
            } else if let Some(rest) = arg.strip_prefix(name) {
                let rest = if name.starts_with("--") {
                    rest.strip_prefix('=')
                } else {
                    Some(rest)
                };
                out.extend(rest);
            }
        }
    }
    out
}

impl Walk<'_> {
    /// Judges a command, and says what it writes.
    pub(super) fn run(&mut self, argv: &[String], stdin: Feed) -> Feed {
        let Some((first, args)) = argv.split_first() else {
            return Feed::Nothing;
        };
        if let Some(out) = self.call(argv, &stdin) {
            return out;
        }
        if first.contains(TAINT) {
            self.refuse(Danger::PipedToShell);
            return Feed::Unknown;
        }
        if first.contains([ANY, NAME, STAR, ONE]) {
            return self.unseen(first, args, stdin);
        }
        let name = base(first).to_owned();
        // No command has such a name; it looks like one.
        if !first.contains('/') && !first.is_ascii() {
            self.ask(Danger::UnknownCommand);
        }
        if first.contains('/') || name.contains('.') {
            self.script(first, args);
        }
        self.named(&name, args, stdin)
    }

    /// The command's name is a pattern, or not known at all.
    fn unseen(&mut self, first: &str, args: &[String], stdin: Feed) -> Feed {
        let name = base(first);
        let meant = known::DANGEROUS
            .iter()
            .find(|known| !name.contains([ANY, NAME]) && could_be(name, known));
        if let Some(meant) = meant {
            return self.named(meant, args, stdin);
        }
        // Whatever it is: with such words it is as bad as the worst.
        let flags = has_flag(args, 'r')
            || has_flag(args, 'R')
            || has_flag(args, 'f')
            || has_long(args, "--recursive");
        if flags {
            for path in operands(args) {
                self.deletes(path, true);
            }
        }
        self.ask(Danger::UnknownCommand);
        Feed::Unknown
    }

    /// A file that is run: what is in it counts, where that was seen.
    pub(super) fn script(&mut self, path: &str, args: &[String]) {
        match self.content(path) {
            Feed::Text(text) => {
                let before = std::mem::replace(&mut self.state.args, args.to_vec());
                self.apart(|walk| walk.text(&text, Feed::Nothing));
                self.state.args = before;
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

    fn named(&mut self, name: &str, args: &[String], stdin: Feed) -> Feed {
        let asks_help = args.len() == 1
            && args
                .iter()
                .any(|arg| matches!(arg.as_str(), "--help" | "--version"));
        if asks_help && known::STOPS_MACHINE.contains(&name) {
            return Feed::Unknown;
        }
        if known::STOPS_MACHINE.contains(&name) {
            self.refuse(Danger::StopsMachine {
                name: name.to_owned(),
            });
            return Feed::Nothing;
        }
        let only_looks = only_looks(name, args);
        if name.starts_with("mkfs")
            || name.starts_with("newfs")
            || name == "mke2fs"
            || (known::FILE_SYSTEMS.contains(&name) && !only_looks)
        {
            self.refuse(Danger::FileSystem {
                name: name.to_owned(),
            });
            return Feed::Nothing;
        }
        if known::ACCOUNTS.contains(&name) {
            self.refuse(Danger::Accounts {
                name: name.to_owned(),
            });
            return Feed::Nothing;
        }
        if known::KERNEL.contains(&name) && !only_looks {
            self.refuse(Danger::System {
                name: name.to_owned(),
            });
            return Feed::Nothing;
        }
        if known::RAISES.contains(&name) {
            return self.raises(name, args, stdin);
        }
        if let Some(out) = self.launches(name, args, &stdin) {
            return out;
        }
        if known::SHELLS.contains(&name) {
            return self.shell(name, args, stdin);
        }
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        if known::INTERPRETERS.contains(&plain) || known::INTERPRETERS.contains(&name) {
            return self.interpreter(plain, args, stdin);
        }
        self.reads_words(name, args);
        if name == "dd" {
            for path in args.iter().filter_map(|arg| arg.strip_prefix("of=")) {
                self.keep(path, stdin.clone());
            }
        }
        if let Some(out) = self.deletion(name, args) {
            return out;
        }
        self.sends(name, args, &stdin);
        self.through(name, args, &stdin);
        if let Some(out) = self.tool(name, args, &stdin) {
            return out;
        }
        self.output(name, args, stdin)
    }

    /// What a harmless command writes.
    fn output(&mut self, name: &str, args: &[String], stdin: Feed) -> Feed {
        match name {
            "echo" => {
                let mut args = args;
                let mut escapes = false;
                while let Some((first, rest)) = args.split_first()
                    && first.len() > 1
                    && first.starts_with('-')
                    && first.chars().skip(1).all(|c| matches!(c, 'e' | 'n' | 'E'))
                {
                    escapes |= first.contains('e');
                    args = rest;
                }
                let text = args.join(" ");
                Feed::Text((if escapes { word::unescape(&text) } else { text }) + "\n")
            }
            "printf" => printf(args),
            "pwd" => Feed::Text(self.variable("PWD")),
            "cat" | "tac" | "bat" | "head" | "tail" | "less" | "more" | "zcat"
                if !operands(args).is_empty() =>
            {
                let files: Vec<&String> = operands(args);
                let mut out = Feed::Nothing;
                for file in files {
                    out = out.then(if file == "-" {
                        stdin.clone()
                    } else {
                        self.content(file)
                    });
                }
                if name == "cat" || out.is_tainted() {
                    out
                } else {
                    Feed::Unknown
                }
            }
            "tee" | "sponge" => {
                for path in operands(args) {
                    self.keep(path, stdin.clone());
                }
                stdin
            }
            "cat" | "pv" => stdin,
            "true" | "false" | ":" | "test" | "[" | "mkdir" | "sleep" | "touch" => Feed::Nothing,
            // All of them still, unless somebody chose.
            _ if stdin == Feed::Processes
                && known::FILTERS.contains(&name)
                && !name.contains("grep")
                && !args
                    .iter()
                    .any(|arg| arg.contains('/') || arg.contains('~')) =>
            {
                stdin
            }
            "fd" | "fdfind" if args.iter().any(|arg| runs_on_found(arg)) => {
                let at = args.iter().position(|arg| runs_on_found(arg));
                let (search, command) = args.split_at(at.unwrap_or(args.len()));
                let paths = operands(search);
                let path = paths.get(1).map_or(".", |path| path.as_str());
                let found = format!("{}/{NAME}", path.trim_end_matches('/'));
                let mut argv: Vec<String> = command.iter().skip(1).cloned().collect();
                argv.push(found);
                self.apart(|walk| walk.run(&argv, Feed::Nothing));
                Feed::Unknown
            }
            "ls" | "fd" | "fdfind" | "locate" | "tree" => {
                let paths = operands(args);
                let path = paths.last().map_or(".", |path| path.as_str());
                if name == "ls" && !path.contains([STAR, ONE]) {
                    // All there is, as long as nothing chooses among it.
                    Feed::Names(format!("{}/{STAR}", path.trim_end_matches('/')))
                } else if name == "fd" {
                    Feed::names_below(".")
                } else if name == "locate" {
                    Feed::Unknown
                } else {
                    Feed::names_below(path)
                }
            }
            "grep" | "egrep" | "fgrep" | "rg" | "ag" | "ack"
                if has_flag(args, 'l')
                    || has_flag(args, 'L')
                    || has_long(args, "--files-with-matches")
                    || has_long(args, "--files") =>
            {
                let paths = operands(args);
                let path = paths.get(1).map_or(".", |path| path.as_str());
                if path.contains([STAR, ONE]) {
                    Feed::Names(path.to_owned())
                } else {
                    Feed::names_below(path)
                }
            }
            "git"
                if args.iter().any(|arg| {
                    matches!(arg.as_str(), "ls-files" | "diff" | "ls-tree" | "status")
                }) =>
            {
                Feed::names_below(".")
            }
            "mktemp" => Feed::Text(format!("{}/{NAME}", self.place.temp.display())),
            "basename" => Feed::Names(NAME.to_string()),
            "ps" => Feed::Processes,
            "date" | "nproc" | "seq" | "wc" | "id" | "hostname" | "uname" | "git" => {
                Feed::Names(NAME.to_string())
            }
            _ if known::FETCHES.contains(&name) => Feed::Fetched,
            _ if known::DECODES.contains(&name) => match stdin {
                Feed::Fetched => Feed::Fetched,
                _ => Feed::Decoded,
            },
            _ if known::FILTERS.contains(&name) => stdin.filtered(),
            "pgrep" | "pidof" if super::tools::names_much(args) => Feed::Processes,
            _ => {
                if !known::SHOW_WORDS.contains(&name) {
                    self.behind(args);
                }
                if stdin.is_tainted() {
                    stdin
                } else {
                    Feed::Unknown
                }
            }
        }
    }
}

/// Whether a command that changes the machine is only asked what there is: its first word says so, and
/// stands for nothing else there (`umount -l`, `fsck -V`).
fn only_looks(name: &str, args: &[String]) -> bool {
    let Some(first) = args.first() else {
        return false;
    };
    match first.as_str() {
        "--help" | "--version" => true,
        "-l" | "--list" | "-V" | "-h" | "list" | "status" => {
            !matches!(name, "umount" | "swapoff" | "fsck" | "e2fsck" | "chattr")
        }
        _ => false,
    }
}

/// Options of `fd` with a command for all that it finds.
fn runs_on_found(arg: &str) -> bool {
    matches!(arg, "-x" | "-X") || arg.starts_with("--exec")
}

/// Patterns that are written out rather than matched.
pub(super) fn visible(text: &str) -> String {
    text.replace(STAR, "*").replace(ONE, "?")
}

pub(super) fn printf(args: &[String]) -> Feed {
    let args: Vec<String> = args.iter().filter(|arg| *arg != "--").cloned().collect();
    let Some((format, rest)) = args.split_first() else {
        return Feed::Nothing;
    };
    let mut rest = rest.iter();
    let mut out = String::new();
    let format = word::unescape(format);
    // The format is used again as long as there are words.
    for _ in 0..64 {
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let kind = chars.find(|c| c.is_alphabetic() || *c == '%');
            match kind {
                Some('%') | None => out.push('%'),
                Some('s' | 'd' | 'q' | 'i' | 'u') => {
                    out.push_str(rest.next().map_or("", String::as_str));
                }
                Some('b') => out.push_str(&word::unescape(rest.next().map_or("", String::as_str))),
                Some(_) => {
                    rest.next();
                    out.push(ANY);
                }
            }
        }
        if rest.len() == 0 || !format.contains('%') {
            break;
        }
    }
    Feed::Text(out)
}
