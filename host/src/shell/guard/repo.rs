//! Tools of a project with a way to run something: `git`, archives, `sed`.

use common::text::host::shell::Danger;

use super::calls::{has_flag, has_long, operands, values};
use super::feed::Feed;
use super::launch::after_options;
use super::paths::{Reach, shown};
use super::walk::Walk;

/// Whether a setting holds a command.
fn is_command(setting: &str) -> bool {
    [
        "sshcommand",
        "pager",
        "editor",
        "fsmonitor",
        "hookspath",
        "command",
        "helper",
        ".cmd",
        "askpass",
        "textconv",
        "external",
        "filter.",
    ]
    .iter()
    .any(|key| setting.to_ascii_lowercase().contains(key))
}

/// Whether a path is the directory the shell is in, or all that is in it.
fn is_here(path: &str) -> bool {
    let path = path.trim_start_matches("./");
    matches!(path, "." | "" | ":/" | ":") || path == super::word::STAR.to_string()
}

/// Whether `git` throws away what is in no commit, or the commits that nothing names any more.
fn loses_work(verb: &str, rest: &[String]) -> bool {
    let words = operands(rest);
    let first = words.first().map_or("", |word| word.as_str());
    match verb {
        "reset" => has_long(rest, "--hard") || has_long(rest, "--merge"),
        "checkout" | "switch" => {
            has_flag(rest, 'f')
                || has_long(rest, "--force")
                || has_long(rest, "--discard-changes")
                || words.iter().any(|path| is_here(path) && !path.is_empty())
        }
        "restore" => {
            words.iter().any(|path| is_here(path))
                && (!has_flag(rest, 'S') && !has_long(rest, "--staged")
                    || has_flag(rest, 'W')
                    || has_long(rest, "--worktree"))
        }
        "rm" => !has_long(rest, "--cached") && words.iter().any(|path| is_here(path)),
        "stash" => matches!(first, "drop" | "clear"),
        "reflog" => matches!(first, "expire" | "delete"),
        "update-ref" => has_flag(rest, 'd') || has_long(rest, "--stdin"),
        "gc" | "prune" => has_long(rest, "--prune") || verb == "prune",
        _ => false,
    }
}

impl Walk<'_> {
    pub(super) fn git(&mut self, args: &[String]) -> Option<Feed> {
        for setting in values(args, &["-c", "--config-env"]) {
            if let Some((_, value)) = setting.split_once('=') {
                let runs = value.starts_with('!') || is_command(setting);
                if runs {
                    let script = value.trim_start_matches('!').to_owned();
                    self.apart(|walk| walk.text(&script, Feed::Nothing));
                }
            }
        }
        let rest = after_options(
            args,
            &["-c", "-C", "--git-dir", "--work-tree", "--namespace"],
            0,
        );
        let (verb, rest) = rest.split_first()?;
        for script in values(
            rest,
            &[
                "--upload-pack",
                "--receive-pack",
                "--extcmd",
                "--open-files-in-pager",
            ],
        ) {
            self.maybe_text(script);
        }
        if verb == "difftool" {
            for script in values(rest, &["-x"]) {
                self.maybe_text(script);
            }
        }
        for address in rest.iter().filter_map(|arg| arg.strip_prefix("ext::")) {
            self.maybe_text(&address.replace("% ", "\\ "));
        }
        match verb.as_str() {
            "filter-repo" => self.ask(Danger::RewritesHistory),
            "submodule" | "bisect" | "filter-branch" => {
                let scripts: Vec<String> = rest
                    .iter()
                    .skip_while(|arg| !matches!(arg.as_str(), "foreach" | "run"))
                    .skip(1)
                    .filter(|arg| *arg != "--recursive")
                    .cloned()
                    .collect();
                if !scripts.is_empty() {
                    let script = scripts.join(" ");
                    self.apart(|walk| walk.text(&script, Feed::Nothing));
                }
                if verb == "filter-branch" {
                    self.ask(Danger::RewritesHistory);
                }
            }
            "rebase" => {
                for script in values(rest, &["-x", "--exec"]) {
                    let script = script.to_owned();
                    self.apart(|walk| walk.text(&script, Feed::Nothing));
                }
            }
            "config" => {
                if let Some(script) = rest.iter().find(|arg| arg.starts_with('!')) {
                    let script = script.trim_start_matches('!').to_owned();
                    self.apart(|walk| walk.text(&script, Feed::Nothing));
                }
                if let [key, value, ..] = operands(rest).as_slice() {
                    if is_command(key) {
                        self.maybe_text(value);
                    } else if key.starts_with("alias.") && !value.starts_with('!') {
                        self.maybe_text(&format!("git {value}"));
                    }
                }
                if rest.iter().any(|arg| arg == "--system") {
                    self.refuse(Danger::OverwritesSystem {
                        path: "/etc/gitconfig".into(),
                    });
                }
            }
            "push"
                if has_flag(rest, 'f')
                    || has_flag(rest, 'd')
                    || rest.iter().any(|arg| {
                        arg == "--force"
                            || matches!(arg.as_str(), "--mirror" | "--delete" | "--prune")
                            || arg.starts_with('+')
                            || (arg.starts_with(':') && arg.len() > 1)
                    }) =>
            {
                self.ask(Danger::RewritesHistory);
            }
            "clone" | "init" | "worktree" => {
                let targets = operands(rest);
                let skip = match verb.as_str() {
                    "clone" => 1,
                    "init" => 0,
                    _ => 1 + usize::from(targets.first().is_none_or(|verb| *verb != "add")),
                };
                for target in targets.into_iter().skip(skip).take(1) {
                    self.writes(target);
                }
            }
            verb if loses_work(verb, rest) => self.ask(Danger::LosesWork),
            "clean" => {
                for path in values(args, &["-C", "--work-tree"]) {
                    if !matches!(self.reach(path), Reach::Inside | Reach::Temp) {
                        self.refuse(Danger::DeletesOutside { path: shown(path) });
                    }
                }
                let looks = has_flag(rest, 'n') || has_long(rest, "--dry-run");
                let excluded = values(rest, &["-e", "--exclude"]);
                for path in operands(rest) {
                    // A way up, or from the root of all, is not in this repository.
                    let inside =
                        matches!(self.reach(path), Reach::Inside | Reach::Temp) || is_here(path);
                    if !looks && !inside && !excluded.contains(&path.as_str()) {
                        self.refuse(Danger::DeletesOutside { path: shown(path) });
                    }
                }
            }
            _ => {}
        }
        None
    }

    pub(super) fn archive(&mut self, name: &str, args: &[String]) {
        for arg in args {
            if let Some(action) = arg.strip_prefix("--checkpoint-action=exec=") {
                let action = action.to_owned();
                self.apart(|walk| walk.text(&action, Feed::Nothing));
                self.ask(Danger::Inline { name: name.into() });
            }
        }
        for script in values(
            args,
            &[
                "--to-command",
                "-I",
                "--use-compress-program",
                "--unzip-command",
                "-TT",
                "--info-script",
                "-F",
                "--new-volume-script",
                "--rsh-command",
            ],
        ) {
            let script = script.to_owned();
            // What is in the archive is what it reads.
            self.apart(|walk| walk.text(&script, Feed::Unknown));
        }
        let bundle = |at: usize, arg: &String| {
            (at == 0 || arg.starts_with('-')) && !arg.starts_with("--") && arg.contains('f')
        };
        let makes = args
            .first()
            .is_some_and(|first| first.contains(['c', 'r', 'u']))
            || has_long(args, "--create");
        let file = args.iter().enumerate().find(|(at, arg)| bundle(*at, arg));
        if let Some((at, _)) = file.filter(|_| makes && name.ends_with("tar"))
            && let Some(path) = args.get(at + 1)
        {
            self.writes(path);
        }
        let mut dirs = values(args, &["-C", "--directory", "--one-top-level", "-d", "-D"]);
        if name == "7z" {
            dirs.extend(values(args, &["-o"]));
        }
        for dir in dirs {
            if args.first().is_some_and(|first| first.contains('x'))
                || name == "unzip"
                || (name == "cpio" && has_flag(args, 'i'))
                || has_long(args, "--extract")
                || has_flag(args, 'x')
            {
                self.writes(dir);
            }
        }
        if has_long(args, "--remove-files") {
            for path in operands(args) {
                self.deletes(path, true);
            }
        }
        if has_flag(args, 'P') || has_long(args, "--absolute-names") {
            self.ask(Danger::OverwritesSystem { path: "/".into() });
        }
    }

    pub(super) fn sed(&mut self, args: &[String]) {
        let in_place = args.iter().any(|arg| {
            arg.starts_with("-i")
                || arg.starts_with("--in-place")
                || (arg.starts_with('-') && !arg.starts_with("--") && arg.contains('i'))
        });
        let given = values(args, &["-e", "--expression"]);
        let rest = operands(args);
        let script = given
            .first()
            .map_or_else(
                || rest.first().map_or("", |script| script.as_str()),
                |script| *script,
            )
            .to_owned();
        if in_place {
            let skip = usize::from(given.is_empty() && values(args, &["-f", "--file"]).is_empty());
            for path in rest.iter().skip(skip) {
                self.writes(path);
            }
        }
        // `s/x/y/e` and `1e command` run what they make.
        let runs = script.split([';', '\n']).any(|part| {
            let part = part.trim();
            let body =
                part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$' || c == ',');
            if let Some(command) = body.strip_prefix("e ") {
                let command = command.to_owned();
                self.apart(|walk| walk.text(&command, Feed::Nothing));
                return true;
            }
            let Some(mark) = body.strip_prefix('s').and_then(|rest| rest.chars().next()) else {
                return false;
            };
            let body = body.replace(&format!("\\{mark}"), "\u{1}");
            let pieces: Vec<&str> = body.split(mark).collect();
            let flagged = !mark.is_alphanumeric()
                && pieces.len() == 4
                && pieces.last().is_some_and(|flags| flags.contains('e'));
            if flagged && let Some(command) = pieces.get(2) {
                let command = command.replace('\u{1}', &mark.to_string());
                self.apart(|walk| walk.text(&command, Feed::Nothing));
            }
            flagged
        });
        if runs {
            self.ask(Danger::Inline { name: "sed".into() });
        }
        for part in script.split([';', '\n']) {
            if let Some((_, path)) = part.trim().split_once("w /") {
                self.writes(&format!("/{path}"));
            }
        }
    }
}
