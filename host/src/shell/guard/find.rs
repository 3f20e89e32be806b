//! `find`: where it starts, what it leaves out, and what it does with what it found.

use common::text::host::shell::Danger;

use super::calls::{base, has_flag};
use super::feed::Feed;
use super::paths::shown;
use super::walk::Walk;
use super::word::NAME;

/// Tests of `find` that leave something out.
const NARROW: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-regex",
    "-iregex",
    "-mtime",
    "-mmin",
    "-ctime",
    "-cmin",
    "-atime",
    "-amin",
    "-newer",
    "-empty",
    "-inum",
    "-lname",
    "-samefile",
    "-perm",
    "-user",
    "-newermt",
];

impl Walk<'_> {
    pub(super) fn find(&mut self, args: &[String]) -> Feed {
        let from = args
            .iter()
            .position(|arg| !matches!(arg.as_str(), "-H" | "-L" | "-P"))
            .unwrap_or(0);
        let args = args.get(from..).unwrap_or_default();
        let end = args
            .iter()
            .position(|arg| arg.starts_with('-') || arg == "(" || arg == "!")
            .unwrap_or(args.len());
        let (starts, tests) = args.split_at(end);
        let mut starts = starts.to_vec();
        if starts.is_empty() {
            starts.push(".".to_owned());
        }
        let all = |value: &String| value.trim_matches(['*', super::word::STAR, '.']).is_empty();
        let narrow = tests.iter().enumerate().any(|(at, test)| {
            let value = tests.get(at + 1);
            NARROW.contains(&test.as_str())
                && (test == "-empty" || value.is_some_and(|value| !all(value)))
        }) && !tests
            .iter()
            .any(|test| matches!(test.as_str(), "-o" | "-or" | "!" | "-not" | ","));
        // The folder itself where nothing is left out, else something in it.
        let found = |start: &String| {
            if narrow {
                format!("{}/{NAME}", start.trim_end_matches('/'))
            } else {
                start.clone()
            }
        };
        // With a way up it is looked for among all that is there, the neighbours' too.
        let above = starts.iter().any(|start| self.is_above(start));
        if tests.iter().any(|test| test == "-delete") {
            for start in &starts {
                if above {
                    self.ask(Danger::DeletesAll { path: shown(start) });
                }
                self.deletes(&found(start), true);
            }
        }
        for (at, test) in tests.iter().enumerate() {
            match test.as_str() {
                "-exec" | "-execdir" | "-ok" | "-okdir" => {
                    let command: Vec<&String> = tests
                        .iter()
                        .skip(at + 1)
                        .take_while(|arg| !matches!(arg.as_str(), ";" | "+"))
                        .collect();
                    let deletes = command.first().is_some_and(|name| {
                        matches!(base(name), "rm" | "shred" | "unlink" | "mv" | "truncate")
                    });
                    let argv: Vec<String> = command.iter().map(|arg| (*arg).clone()).collect();
                    let deletes = deletes
                        || (matches!(command.first().map(|name| base(name)), Some("sed" | "perl"))
                            && has_flag(&argv, 'i'));
                    for start in &starts {
                        if deletes && above {
                            self.ask(Danger::DeletesAll { path: shown(start) });
                        }
                        let below = format!("{}/{NAME}", start.trim_end_matches('/'));
                        let harmless = command
                            .iter()
                            .any(|arg| base(arg) == "sh" || base(arg) == "bash");
                        let it = if harmless { below } else { found(start) };
                        let argv: Vec<String> =
                            command.iter().map(|arg| arg.replace("{}", &it)).collect();
                        self.apart(|walk| walk.run(&argv, Feed::Nothing));
                    }
                }
                "-fprint" | "-fprintf" | "-fls" | "-fprint0" => {
                    if let Some(path) = tests.get(at + 1) {
                        self.writes(path);
                    }
                }
                _ => {}
            }
        }
        match starts.as_slice() {
            [start] => Feed::Names(found(start)),
            _ => Feed::Text(starts.iter().map(|start| found(start) + "\n").collect()),
        }
    }

    /// Whether a path leads to a folder that a directory the shell may be in is in.
    fn is_above(&self, path: &str) -> bool {
        self.resolve(path).is_some_and(|path| {
            self.state
                .cwd
                .iter()
                .any(|dir| dir != &path && dir.starts_with(&path))
        })
    }
}
