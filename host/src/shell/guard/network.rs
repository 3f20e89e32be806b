//! What reaches beyond this machine's files: containers, and what fetches.

use common::text::host::shell::Danger;

use super::calls::{base, has_flag, has_long, operands, values};
use super::feed::Feed;
use super::paths::{Reach, shown};
use super::walk::Walk;
use super::word::ANY;

impl Walk<'_> {
    pub(super) fn container(&mut self, args: &[String]) {
        let verbs: Vec<&str> = operands(args).into_iter().map(String::as_str).collect();
        if has_long(args, "--privileged")
            || args.iter().any(|arg| {
                arg.starts_with("--pid=host")
                    || arg.starts_with("--cap-add")
                    || arg.contains("docker.sock")
            })
        {
            self.ask(Danger::Container);
        }
        for mount in values(args, &["-v", "--volume", "--mount"]) {
            let source = mount.split(',').find_map(|part| {
                part.strip_prefix("source=")
                    .or_else(|| part.strip_prefix("src="))
            });
            let source = source.unwrap_or_else(|| mount.split(':').next().unwrap_or(mount));
            if !source.starts_with(['/', '.', '~']) && !source.contains(ANY) {
                continue;
            }
            match self.reach(source) {
                Reach::Inside | Reach::Temp | Reach::Null => {}
                Reach::Root if !source.starts_with('/') => {}
                Reach::Root | Reach::System | Reach::Home | Reach::Device
                    if args
                        .iter()
                        .any(|arg| base(arg) == "rm" || arg.contains("rm -"))
                        || source == "/" =>
                {
                    self.refuse(Danger::OverwritesSystem {
                        path: shown(source),
                    });
                }
                Reach::Root if source == self.place.root.to_string_lossy() => {}
                Reach::Unknown
                | Reach::Tmp
                | Reach::Outside
                | Reach::Home
                | Reach::System
                | Reach::Device
                | Reach::Root => self.ask(Danger::Container),
            }
        }
        let bad = verbs.windows(2).any(|pair| {
            pair == ["system", "prune"]
                || pair == ["volume", "rm"]
                || pair == ["volume", "prune"]
                || pair == ["image", "prune"]
                || pair == ["container", "prune"]
        }) || (verbs.contains(&"prune"))
            || verbs
                .first()
                .is_some_and(|verb| matches!(*verb, "delete" | "drain" | "uninstall" | "rmi"))
            || (verbs.contains(&"down") && (has_flag(args, 'v') || has_long(args, "--volumes")))
            || (verbs.first() == Some(&"rm") && has_flag(args, 'f'));
        if bad {
            self.ask(Danger::Container);
        }
    }

    pub(super) fn fetches(&mut self, name: &str, args: &[String]) {
        let options: &[&str] = match name {
            "curl" => &[
                "-o",
                "--output",
                "-D",
                "--dump-header",
                "--trace",
                "-c",
                "--cookie-jar",
            ],
            _ => &[
                "-O",
                "--output-document",
                "-o",
                "-P",
                "--directory-prefix",
                "-d",
                "--output",
            ],
        };
        for path in values(args, options) {
            if path != "-" && !path.is_empty() {
                self.writes(path);
                self.keep(path, Feed::Fetched);
            }
        }
        let remote = if name == "curl" {
            has_flag(args, 'O') || has_long(args, "--remote-name")
        } else {
            true
        };
        if remote {
            for url in operands(args) {
                let file = url
                    .split(['?', '#'])
                    .next()
                    .unwrap_or(url)
                    .rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                if !file.is_empty() {
                    self.keep(&file, Feed::Fetched);
                }
            }
        }
        for path in values(
            args,
            &["-T", "--upload-file", "--post-file", "-K", "--config"],
        ) {
            if matches!(self.reach(path), Reach::Home | Reach::System) {
                self.ask(Danger::Elsewhere);
            }
        }
    }
}
