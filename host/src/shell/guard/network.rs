//! What reaches beyond this machine's files: containers, services, and what fetches.

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
            let mount = mount.trim_start_matches('=');
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
                || pair == ["system", "reset"]
        }) || (verbs.contains(&"prune"))
            || verbs
                .iter()
                .any(|verb| matches!(*verb, "delete" | "drain" | "uninstall" | "rmi"))
            || self.deletes_in_container(args)
            || (verbs.contains(&"down") && (has_flag(args, 'v') || has_long(args, "--volumes")))
            || (verbs.first() == Some(&"rm") && has_flag(args, 'f'))
            || (matches!(verbs.first(), Some(&("kill" | "stop" | "rm")))
                && verbs.iter().any(|verb| verb.contains(ANY)));
        if bad {
            self.ask(Danger::Container);
        }
    }

    /// Whether what is run in a container would be refused here: there it may be all that it holds.
    fn deletes_in_container(&mut self, args: &[String]) -> bool {
        let runs = args
            .iter()
            .position(|arg| matches!(arg.as_str(), "exec" | "run"));
        let rest = args.get(runs.unwrap_or(args.len())..).unwrap_or_default();
        let starts = |word: &String| super::known::DANGEROUS.contains(&base(word));
        let Some(command) = rest.iter().position(starts).and_then(|at| rest.get(at..)) else {
            return false;
        };
        let command = command.to_vec();
        let mut inside = Walk::new(self.place);
        inside.state.cwd.clear();
        inside.run(&command, Feed::Nothing);
        inside.verdict != super::Judgement::Run
    }

    /// Data and machines that are somewhere else.
    pub(super) fn services(&mut self, name: &str, args: &[String], stdin: &Feed) {
        let verb = |n: usize| operands(args).get(n).map_or("", |verb| verb.as_str());
        let (first, second) = (verb(0).to_owned(), verb(1).to_owned());
        match name {
            "psql" | "mysql" | "mariadb" | "sqlite3" | "mongo" | "mongosh" | "redis-cli"
            | "cqlsh" | "clickhouse-client" | "influx" => {
                let mut all = args.join(" ");
                if let Feed::Text(text) = stdin {
                    all.push_str(text);
                }
                let all = all.to_ascii_lowercase();
                for mark in [".shell ", ".system ", "\\! "] {
                    if let Some((_, script)) = all.split_once(mark) {
                        let script = script.to_owned();
                        self.apart(|walk| walk.text(&script, Feed::Nothing));
                        self.ask(Danger::Inline { name: name.into() });
                    }
                }
                let bad = [
                    "drop ",
                    "truncate",
                    "delete from",
                    "flushall",
                    "flushdb",
                    "dropdatabase",
                    "deletemany",
                    ".drop(",
                    "shutdown",
                    "copy ",
                    "into outfile",
                ];
                if bad.iter().any(|word| all.contains(word)) {
                    self.ask(Danger::Database);
                }
            }
            "dropdb" | "mysqladmin" | "dropuser" => self.ask(Danger::Database),
            "pg_restore" if has_flag(args, 'c') || has_long(args, "--clean") => {
                self.ask(Danger::Database);
            }
            "terraform" | "tofu" | "pulumi" | "cdk"
                if matches!(first.as_str(), "destroy" | "apply") =>
            {
                self.ask(Danger::Elsewhere);
            }
            "aws" | "gcloud" | "az" | "gsutil" | "s3cmd" | "doctl" | "heroku" | "flyctl"
            | "fly" | "mc" | "hub" | "eksctl" | "vercel" | "netlify" | "railway" | "wrangler"
            | "firebase" | "supabase" | "virsh" | "vagrant" | "multipass" | "limactl"
            | "minikube" | "kind" | "k3d" => {
                let bad = args.iter().any(|arg| {
                    [
                        "delete",
                        "rm",
                        "rb",
                        "terminate",
                        "destroy",
                        "remove",
                        "purge",
                        "del",
                    ]
                    .iter()
                    .any(|bad| {
                        arg == bad
                            || arg.starts_with(&format!("{bad}-"))
                            || arg.ends_with(&format!(":{bad}"))
                    })
                });
                if bad {
                    self.ask(Danger::Elsewhere);
                }
            }
            // What is published cannot be taken back.
            "twine" | "gem" | "npm" | "pnpm" | "yarn" | "cargo" | "gh" | "glab" | "poetry"
            | "uv"
                if matches!(
                    (first.as_str(), second.as_str()),
                    (
                        "publish" | "unpublish" | "push" | "upload" | "yank" | "deprecate",
                        _
                    ) | ("repo" | "release" | "secret" | "project", "delete")
                ) && !has_long(args, "--dry-run") =>
            {
                self.ask(Danger::Elsewhere);
            }
            _ => {}
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
        let letter = if name == "curl" { 'o' } else { 'O' };
        let mut paths = values(args, options);
        // Among other letters: `-sSLo x`, `-qO x`.
        for (at, arg) in args.iter().enumerate() {
            let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            if let Some((_, glued)) = letters.and_then(|rest| rest.split_once(letter)) {
                let next = args.get(at + 1).map_or("", String::as_str);
                paths.push(if glued.is_empty() { next } else { glued });
            }
        }
        for path in paths {
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
