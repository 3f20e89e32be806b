//! Commands that delete, move, overwrite, or change rights.

use common::text::host::shell::Danger;

use super::calls::{has_flag, has_long, operands, values};
use super::feed::Feed;
use super::paths::{Reach, shown};
use super::walk::Walk;
use super::word::{NAME, STAR};

impl Walk<'_> {
    /// None: it is no such command.
    pub(super) fn deletion(&mut self, name: &str, args: &[String]) -> Option<Feed> {
        let paths: Vec<String> = operands(args).into_iter().cloned().collect();
        match name {
            "rm" | "grm" | "srm" | "shred" | "wipe" | "scrub" | "unlink" | "rmdir" | "trash"
            | "trash-put" | "rimraf" | "del-cli" | "gshred" | "del" | "nwipe" => {
                let forced = !matches!(name, "rm" | "grm" | "unlink" | "rmdir")
                    || has_flag(args, 'r')
                    || has_flag(args, 'R')
                    || has_flag(args, 'f')
                    || has_long(args, "--recursive")
                    || has_long(args, "--force")
                    || has_long(args, "--no-preserve-root");
                for path in &paths {
                    self.deletes(path, forced);
                }
            }
            "gio" | "kioclient" | "kioclient5"
                if paths
                    .first()
                    .is_some_and(|verb| matches!(verb.as_str(), "trash" | "remove")) =>
            {
                for path in paths.iter().skip(1) {
                    self.deletes(path, true);
                }
            }
            "mv" | "gmv" => self.moves(args, &paths),
            "cp" | "gcp" | "ln" | "gln" | "install" | "ginstall" | "link" | "ditto" => {
                self.copies(args, &paths);
            }
            "rsync" | "rclone" => self.syncs(args, &paths),
            "tee" | "sponge" => {
                for path in &paths {
                    self.writes(path);
                }
                return None;
            }
            "truncate" | "fallocate" | "touch" | "mkdir" | "mkfifo" | "mknod" | "split"
            | "csplit" => {
                for path in &paths {
                    self.writes(path);
                }
            }
            "dd" => self.copies_blocks(args),
            "chmod" | "chown" | "chgrp" | "gchmod" | "gchown" | "setfacl" | "chcon" | "lchown" => {
                let whole = has_flag(args, 'R') || has_long(args, "--recursive");
                let no_mode = name == "setfacl" || has_long(args, "--reference");
                // A mode may begin with a dash: it is no file.
                let skip = usize::from(!no_mode && !args.iter().any(|arg| is_mode(arg)));
                for path in paths
                    .iter()
                    .skip(skip)
                    .filter(|path| !no_mode || !path.contains(':'))
                {
                    self.rights(path, whole);
                }
            }
            _ => return None,
        }
        Some(Feed::Nothing)
    }

    fn moves(&mut self, args: &[String], paths: &[String]) {
        let given = values(args, &["-t", "--target-directory"]);
        let (sources, target) = match (given.first(), paths.split_last()) {
            (Some(target), _) => (paths, (*target).to_owned()),
            (None, Some((target, sources))) => (sources, target.clone()),
            (None, None) => return,
        };
        for source in sources.iter().filter(|source| **source != target) {
            // What is in the working directory may be moved about in it.
            let stays = matches!(self.reach(&target), Reach::Inside | Reach::Temp);
            let from = self.reach(source);
            let all =
                source.contains([STAR, NAME]) && from == Reach::Root && !source.starts_with('/');
            if !(stays && (all || from == Reach::Inside)) {
                self.deletes(source, true);
            }
        }
        if self.reach(&target) == Reach::Null {
            self.refuse(Danger::DeletesAll {
                path: shown(&target),
            });
        }
        self.writes(&target);
    }

    fn copies(&mut self, args: &[String], paths: &[String]) {
        let mut targets: Vec<String> = values(args, &["-t", "--target-directory"])
            .into_iter()
            .map(str::to_owned)
            .collect();
        if targets.is_empty() && paths.len() > 1 {
            targets.extend(paths.last().cloned());
        }
        for target in &targets {
            self.writes(target);
            if let Some(source) = paths.first() {
                let content = self.content(source);
                if content != Feed::Unknown {
                    self.keep(target, content);
                }
            }
        }
    }

    fn syncs(&mut self, args: &[String], paths: &[String]) {
        for text in values(args, &["-e", "--rsh", "--rsync-path"]) {
            if text.split_whitespace().next() == Some("ssh") {
                // As always; that it goes elsewhere is said by its target.
                self.maybe_text(text);
                continue;
            }
            let text = text.to_owned();
            self.apart(|walk| walk.text(&text, Feed::Nothing));
        }
        let deletes = args
            .iter()
            .any(|arg| arg.starts_with("--del") || arg == "--remove-source-files")
            || matches!(
                paths.first().map(String::as_str),
                Some("sync" | "delete" | "purge" | "move" | "cleanup")
            );
        let Some((target, sources)) = paths.split_last() else {
            return;
        };
        if target.contains(':') {
            if deletes {
                self.ask(Danger::Elsewhere);
            }
            return;
        }
        if deletes {
            self.deletes(target, true);
            if args.iter().any(|arg| arg == "--remove-source-files") {
                for source in sources {
                    self.deletes(source, true);
                }
            }
        } else {
            self.writes(target);
        }
    }

    fn copies_blocks(&mut self, args: &[String]) {
        for arg in args {
            if let Some(path) = arg.strip_prefix("of=") {
                match self.reach(path) {
                    Reach::Null => {}
                    Reach::Unknown => self.ask(Danger::DeletesUnknown),
                    Reach::Inside
                    | Reach::Temp
                    | Reach::Tmp
                    | Reach::Outside
                    | Reach::Home
                    | Reach::Device
                    | Reach::System
                    | Reach::Root => self.writes(path),
                }
            }
        }
    }
}

fn is_mode(arg: &str) -> bool {
    arg.strip_prefix('-').is_some_and(|mode| {
        !mode.is_empty() && mode.chars().all(|c| "rwxXst,+-=ugoa".contains(c)) && mode != "R"
    })
}
