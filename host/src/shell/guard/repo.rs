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
                if rest.iter().any(|arg| {
                    matches!(
                        arg.as_str(),
                        "-f" | "--force" | "--mirror" | "--delete" | "-d" | "--prune"
                    ) || arg.starts_with('+')
                }) =>
            {
                self.ask(Danger::RewritesHistory);
            }
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
            self.apart(|walk| walk.text(&script, Feed::Nothing));
        }
        for dir in values(args, &["-C", "--directory", "--one-top-level", "-d"]) {
            if args.first().is_some_and(|first| first.contains('x'))
                || name == "unzip"
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
