//! Shells, and commands that are given as one text: their script is in a word, in a file, or in what
//! they read.

use common::text::host::shell::Danger;

use super::calls::{has_flag, operands, values};
use super::feed::Feed;
use super::launch::after_options;
use super::walk::Walk;
use super::word::{ANY, TAINT};

/// What a command reads, by one of its names.
fn is_stdin(path: &str) -> bool {
    matches!(path, "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0")
}

impl Walk<'_> {
    pub(super) fn sourced(&mut self, args: &[String], stdin: &Feed) {
        let Some(path) = operands(args).first().map(|path| (*path).clone()) else {
            return;
        };
        let feed = if is_stdin(&path) {
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
                self.ask(Danger::UnknownCommand);
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
                if matches!(name, "pwsh" | "powershell" | "nu" | "xonsh" | "elvish") {
                    // A language of its own.
                    self.ask(Danger::Inline {
                        name: name.to_owned(),
                    });
                }
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
            let feed = if is_stdin(path) {
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
    pub(super) fn runs_texts(&mut self, name: &str, args: &[String], stdin: &Feed) -> Option<Feed> {
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
                self.ssh_options(args);
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
                self.made(args);
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
}
