//! Code for an interpreter that stands in the command itself. It is not understood, only searched:
//! for calls that delete, run or overwrite, and for the paths and commands in its strings.

use common::text::host::shell::Danger;

use super::calls::{values, visible};
use super::feed::Feed;
use super::paths::Reach;
use super::strings::{SURE, is_written, strings};
use super::walk::Walk;
use super::word::{ANY, TAINT};

/// Calls that delete.
const DELETES: &[&str] = &[
    "rmtree",
    "rmdir",
    "unlink",
    "removedirs",
    "os.remove",
    "rmsync",
    "rm_rf",
    "rm_r",
    "fileutils.rm",
    "file.delete",
    "dir.delete",
    "removesync",
    "rimraf",
    "remove_tree",
    "deletefile",
    "remove(",
    "rm(",
    "delete(",
    "os.rename",
    "shutil.move",
    "truncate",
    "remove_dir_all",
    "deno.remove",
    "file delete",
];
/// Calls that run something else, or code that is made on the way.
const RUNS: &[&str] = &[
    "system",
    "popen",
    "subprocess",
    "exec",
    "spawn",
    "child_process",
    "qx",
    "`",
    "shell_exec",
    "passthru",
    "proc_open",
    "eval",
    "pty.",
    "ctypes",
    "__import__",
    "compile(",
    "getattr",
    "importlib",
    "fork",
    "kill",
    "open3",
    "io.popen",
    "do shell",
    "runpy",
    "%x",
    "|getline",
    "| getline",
    "syscall",
    "base64",
    "fromcharcode",
    "\"|",
    "marshal",
    "codecs",
    "urlopen",
    "requests.get",
    "unhexlify",
    "fromhex",
    "chr(",
    "pack(",
    "function(\"",
    "constructor",
];
/// Calls that write.
const WRITES: &[&str] = &[
    "open(",
    "write",
    "copyfile",
    "file_put_contents",
    "fopen",
    "print >",
    "printf >",
    "symlink",
    "chmod",
    "chown",
    "rename",
    ">",
];

impl Walk<'_> {
    pub(super) fn interpreter(&mut self, name: &str, args: &[String], stdin: Feed) -> Feed {
        let mut codes: Vec<String> = Vec::new();
        let mut file = None;
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            at += 1;
            if let Some(rest) = arg
                .strip_prefix("--eval=")
                .or_else(|| arg.strip_prefix("--print="))
            {
                codes.push(rest.to_owned());
                continue;
            }
            let takes_code = if arg.starts_with("--") {
                matches!(
                    arg.as_str(),
                    "--eval" | "--print" | "--run" | "--command" | "--execute"
                )
            } else if let Some(flags) = arg.strip_prefix('-').filter(|flags| !flags.is_empty()) {
                let letters: &[char] = match name {
                    "python" | "pypy" | "ipython" | "tclsh" | "expect" | "guile" => &['c'],
                    "php" => &['r', 'B', 'R', 'E'],
                    "node" | "nodejs" | "bun" | "ts-node" | "tsx" => &['e', 'p'],
                    "perl" | "raku" => &['e', 'E'],
                    _ => &['e', 'c'],
                };
                if let Some(place) = flags.find(letters) {
                    let after = flags.get(place + 1..).unwrap_or_default();
                    // `-e'code'` glued, or flags that stand before it: `-ne`.
                    let words = after.chars().any(|c| !c.is_ascii_lowercase()) || (after.len() > 3);
                    if words && (place == 0 || name == "perl" || name == "ruby" || name == "python")
                    {
                        codes.push(after.to_owned());
                        continue;
                    }
                    true
                } else {
                    if flags == "m" {
                        file = args.get(at).cloned();
                        break;
                    }
                    false
                }
            } else if arg == "eval" && matches!(name, "deno" | "bun") {
                true
            } else if arg == "-" {
                false
            } else {
                file = Some(arg.clone());
                break;
            };
            if takes_code {
                codes.extend(args.get(at).cloned());
                at += 1;
            }
        }
        let in_place = |arg: &String| {
            arg.starts_with('-') && !arg.starts_with("--") && arg.contains('i') && arg.len() < 8
        };
        if matches!(name, "perl" | "ruby") && args.iter().any(in_place) {
            for path in args
                .iter()
                .filter(|arg| !arg.starts_with('-') && !codes.contains(arg))
            {
                self.writes(path);
            }
        }
        for code in &codes {
            self.code(name, &visible(code));
        }
        if codes.is_empty() {
            let feed = match &file {
                Some(file) if file == "/dev/stdin" => stdin,
                Some(file) => self.content(file),
                None => stdin,
            };
            match feed {
                Feed::Text(text) => self.code(name, &text),
                feed if feed.is_tainted() => self.refuse(Danger::PipedToShell),
                Feed::Unknown
                    if file.is_none()
                        || file.as_deref().is_some_and(|file| {
                            file.starts_with("/dev/") || file.contains(ANY)
                        }) =>
                {
                    self.ask(Danger::Inline {
                        name: name.to_owned(),
                    });
                }
                Feed::Nothing
                | Feed::Names(_)
                | Feed::Processes
                | Feed::Fetched
                | Feed::Decoded
                | Feed::Unknown => {}
            }
        }
        Feed::Unknown
    }

    /// `awk`: its program is its first word.
    pub(super) fn awk(&mut self, args: &[String]) {
        let skip = super::launch::after_options(args, &["-F", "-v", "-f", "-i"], 0);
        if values(args, &["-i", "--include"]).contains(&"inplace") {
            for path in skip.iter().skip(1) {
                self.writes(path);
            }
        }
        let mut args = skip.iter();
        if let Some(program) = args.next() {
            let program = visible(program);
            let lower = program.to_ascii_lowercase();
            let runs = lower.contains("system(")
                || lower.contains("system (")
                || lower.contains("getline")
                || lower.contains("| \"")
                || lower.contains("|\"")
                || lower.contains("> \"/")
                || lower.contains(">\"/")
                || lower.contains("|&");
            if runs {
                self.code("awk", &program);
            }
        }
    }

    /// Searches a piece of code.
    pub(super) fn code(&mut self, name: &str, code: &str) {
        if code.contains(TAINT) {
            return self.refuse(Danger::PipedToShell);
        }
        let lower = code.to_ascii_lowercase();
        let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let (deletes, writes) = (any(DELETES), any(WRITES));
        let runs = name == "awk" || any(RUNS);
        let texts = strings(code);
        let mut worst = false;
        for text in &texts {
            // `open F, ">/etc/x"`.
            let text = &text.trim_start_matches(['>', '+', '<']).to_owned();
            if text.starts_with(['/', '~']) {
                self.reads(&text.replacen('~', &self.variable("HOME"), 1));
            }
            let reach = if text.starts_with(['/', '~', '.']) || text.contains("..") {
                let path = match text.strip_prefix('~') {
                    Some(rest) => format!("{}{rest}", self.variable("HOME")),
                    None => text.clone(),
                };
                Some(self.reach(&path))
            } else {
                None
            };
            let outside = matches!(
                reach,
                Some(Reach::Root | Reach::System | Reach::Home | Reach::Device | Reach::Outside)
            );
            let system = matches!(reach, Some(Reach::System | Reach::Device | Reach::Home));
            worst |=
                deletes && outside && !text.starts_with("/bin/") && !text.starts_with("/usr/bin/");
            worst |= writes
                && system
                && !text.starts_with("/bin/")
                && !text.starts_with("/usr/bin/")
                && is_written(&lower, text);
        }
        if runs {
            for text in texts.iter().filter(|text| text.len() > 1) {
                let text = text.clone();
                self.maybe_text(&text);
                if text.contains('(') && code.len() > text.len() + 4 {
                    self.code(name, &text);
                }
            }
            // In pieces: `"rm -rf " "/"`.
            self.maybe_text(&texts.concat());
            self.maybe_text(&texts.join(" "));
            // A command given word by word: `["rm", "-rf", "/"]`.
            let words: Vec<String> = texts
                .iter()
                .filter(|text| !text.is_empty() && !text.contains('\n'))
                .cloned()
                .collect();
            for at in 0..words.len().min(32) {
                let argv: Vec<String> = words
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take(8)
                    .cloned()
                    .collect();
                self.maybe_run(&argv);
            }
        }
        if worst {
            return self.refuse(Danger::InlineDeletes {
                name: name.to_owned(),
            });
        }
        let home = any(&[
            "expanduser",
            "path.home",
            "homedir",
            "environ",
            "env[",
            "env{",
            "process.env",
            "getenv",
        ]);
        if deletes && home {
            return self.refuse(Danger::InlineDeletes {
                name: name.to_owned(),
            });
        }
        if lower.contains("fork")
            && (lower.contains("while") || lower.contains("loop") || lower.contains("for"))
        {
            return self.refuse(Danger::ForkBomb);
        }
        if lower.contains("kill") && lower.contains("-1") {
            return self.refuse(Danger::KillsAll);
        }
        let writes_home = home && (any(SURE) || any(&["'w'", "\"w\"", "'a'", "\"a\""]));
        if deletes || runs || writes_home {
            self.ask(Danger::Inline {
                name: name.to_owned(),
            });
        }
    }

    /// Something that may be a command: only what is refused counts.
    pub(super) fn maybe_text(&mut self, text: &str) {
        let before = self.maybe_on();
        self.apart(|walk| walk.text(text, Feed::Nothing));
        self.maybe_off(before);
    }

    pub(super) fn maybe_run(&mut self, argv: &[String]) {
        let before = self.maybe_on();
        self.apart(|walk| walk.run(argv, Feed::Nothing));
        self.maybe_off(before);
    }
}
