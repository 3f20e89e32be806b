//! Everyday tools with a dangerous corner: `git`, `tar`, `kill`, containers, databases.

use common::text::host::shell::Danger;

use super::calls::{has_flag, has_long, operands, values};
use super::feed::Feed;
use super::paths::Reach;
use super::walk::Walk;

impl Walk<'_> {
    /// None: there is nothing to say about it here.
    pub(super) fn tool(&mut self, name: &str, args: &[String], stdin: &Feed) -> Option<Feed> {
        let verb = |n: usize| operands(args).get(n).map_or("", |verb| verb.as_str());
        let (first, second) = (verb(0).to_owned(), verb(1).to_owned());
        self.services(name, args, stdin);
        match name {
            "find" | "gfind" | "bfs" => return Some(self.find(args)),
            "kill" => self.kill(args),
            "fuser" if has_flag(args, 'k') => {
                // Whoever has a file open that stands for much.
                let all = |path: &&String| {
                    !matches!(self.reach(path), Reach::Inside | Reach::Temp | Reach::Tmp)
                };
                if operands(args).iter().any(|path| {
                    path.contains('/')
                        && !path.ends_with("/tcp")
                        && !path.ends_with("/udp")
                        && all(path)
                }) {
                    self.refuse(Danger::KillsAll);
                }
            }
            "pkill" | "killall" | "skill" | "slay" | "fkill" => self.kill_named(args),
            "init" if matches!(first.as_str(), "0" | "1" | "6" | "s" | "S") => {
                self.refuse(Danger::StopsMachine {
                    name: "init".into(),
                });
            }
            "systemctl" | "loginctl" => match first.as_str() {
                "poweroff" | "reboot" | "halt" | "kexec" | "suspend" | "hibernate" | "rescue"
                | "emergency" | "soft-reboot" | "hybrid-sleep" | "isolate" | "exit" | "default" => {
                    self.refuse(Danger::StopsMachine {
                        name: format!("{name} {first}"),
                    });
                }
                "status" | "show" | "cat" | "is-active" | "is-enabled" | "is-failed"
                | "list-units" | "list-unit-files" | "list-timers" | "list-sockets"
                | "list-dependencies" | "list-jobs" | "get-default" | "show-environment"
                | "list-sessions" | "" => {}
                _ => self.ask(Danger::System {
                    name: format!("{name} {first}"),
                }),
            },
            "service" | "rc-service" | "launchctl" | "initctl" | "sv" => {
                if !matches!(second.as_str(), "status" | "")
                    && !matches!(first.as_str(), "list" | "status" | "print")
                {
                    self.ask(Danger::System {
                        name: format!("{name} {second}"),
                    });
                }
            }
            "crontab" => {
                if has_flag(args, 'r') {
                    self.refuse(Danger::DeletesAll {
                        path: "crontab".into(),
                    });
                } else if !has_flag(args, 'l') {
                    let file = operands(args).first().map_or("-", |file| file.as_str());
                    let table = if file == "-" {
                        stdin.clone()
                    } else {
                        self.content(file)
                    };
                    self.timetable(&table);
                    self.ask(Danger::System {
                        name: "crontab".into(),
                    });
                }
            }
            "at" | "batch" => {
                if let Feed::Text(text) = stdin {
                    let text = text.clone();
                    self.apart(|walk| walk.text(&text, Feed::Nothing));
                }
                for file in values(args, &["-f"]) {
                    let job = self.content(file);
                    self.timetable(&job);
                }
                if !has_flag(args, 'l') {
                    self.ask(Danger::Inline { name: name.into() });
                }
            }
            "git" => return self.git(args),
            "tar" | "gtar" | "bsdtar" | "zip" | "unzip" | "7z" | "cpio" => self.archive(name, args),
            "sed" | "gsed" => self.sed(args),
            "awk" | "gawk" | "mawk" | "nawk" => self.awk(args),
            "docker" | "podman" | "nerdctl" | "docker-compose" | "lxc" | "kubectl" | "helm" => {
                self.container(args);
            }
            "curl" | "wget" | "aria2c" | "http" | "https" | "xh" => self.fetches(name, args),
            "nc" | "ncat" | "netcat" | "socat" | "telnet" => {
                let runs = args.iter().any(|arg| {
                    let arg = arg.to_ascii_lowercase();
                    matches!(arg.as_str(), "-e" | "-c" | "--exec" | "--sh-exec")
                        || arg.starts_with("exec:")
                        || arg.starts_with("system:")
                        || arg.contains(",exec:")
                });
                if runs {
                    self.refuse(Danger::PipedToShell);
                }
                if args
                    .iter()
                    .any(|arg| arg.contains("file:/dev/") || arg.contains("open:/dev/"))
                {
                    self.refuse(Danger::Device { path: name.into() });
                }
            }
            "apt" | "apt-get" | "dpkg" | "yum" | "dnf" | "pacman" | "zypper" | "apk" | "rpm"
            | "snap" | "flatpak" | "brew" | "aptitude" | "emerge" => {
                let bad = args.iter().any(|arg| {
                    matches!(
                        arg.as_str(),
                        "remove"
                            | "purge"
                            | "autoremove"
                            | "erase"
                            | "-P"
                            | "-r"
                            | "-e"
                            | "del"
                            | "uninstall"
                    ) || arg.starts_with("-R")
                });
                if bad && name != "brew" && name != "flatpak" {
                    self.refuse(Danger::System {
                        name: format!("{name} {first}"),
                    });
                } else if bad
                    || args.iter().any(|arg| {
                        matches!(
                            arg.as_str(),
                            "install"
                                | "upgrade"
                                | "dist-upgrade"
                                | "add"
                                | "-S"
                                | "-i"
                                | "full-upgrade"
                        )
                    })
                {
                    self.ask(Danger::System {
                        name: format!("{name} {first}"),
                    });
                }
            }
            "mount" | "fusermount" => {
                if !args.is_empty() && !has_flag(args, 'l') {
                    self.refuse(Danger::System { name: name.into() });
                }
            }
            "ip" | "ifconfig" | "route" | "nmcli" | "hostnamectl" | "timedatectl" | "localectl" => {
                let bad = args.iter().any(|arg| {
                    matches!(
                        arg.as_str(),
                        "down"
                            | "del"
                            | "delete"
                            | "flush"
                            | "off"
                            | "disconnect"
                            | "add"
                            | "change"
                            | "replace"
                    ) || arg.starts_with("set-")
                });
                if bad {
                    self.refuse(Danger::System { name: name.into() });
                }
            }
            "patch" => {
                for path in operands(args)
                    .into_iter()
                    .map(String::as_str)
                    .chain(values(args, &["-d", "--directory", "-o", "--output"]))
                {
                    self.writes(path);
                }
            }
            "rfkill" if first != "list" => self.refuse(Danger::System { name: name.into() }),
            "date" if has_flag(args, 's') || has_long(args, "--set") => {
                self.refuse(Danger::System { name: name.into() });
            }
            "gpg" | "gpg2" if args.iter().any(|arg| arg.starts_with("--delete")) => {
                self.refuse(Danger::DeletesOutside {
                    path: "~/.gnupg".into(),
                });
            }
            "ssh-keygen" => {
                for path in values(args, &["-f"]) {
                    self.writes(path);
                }
            }
            "ssh-copy-id" => self.ask(Danger::Elsewhere),
            "gsettings" | "dconf" => {
                if args
                    .iter()
                    .any(|arg| arg.starts_with("reset") || arg == "load")
                {
                    self.ask(Danger::System { name: name.into() });
                }
            }
            "tmux" | "screen" | "dtach" | "abduco" => {
                for at in 0..args.len() {
                    let rest = args.get(at..).unwrap_or_default().to_vec();
                    self.maybe_text(&rest.join(" "));
                }
            }
            "complete" | "compgen" | "bind" => {
                for text in values(args, &["-C", "-x"]) {
                    self.maybe_text(text);
                }
            }
            "ulimit"
            | "ldconfig"
            | "update-alternatives"
            | "update-grub"
            | "dpkg-reconfigure"
            | "depmod"
            | "systemd-nspawn"
            | "machinectl" => {
                if name != "ulimit" {
                    self.ask(Danger::System { name: name.into() });
                }
            }
            _ => return None,
        }
        None
    }

    fn kill(&mut self, args: &[String]) {
        let mut rest = args;
        if let Some((first, after)) = rest.split_first() {
            if matches!(first.as_str(), "-l" | "-L" | "--list") {
                return;
            }
            if matches!(first.as_str(), "-s" | "-n" | "--signal") {
                rest = after.get(1..).unwrap_or_default();
            } else if first.starts_with('-') && (after.iter().any(|arg| arg != "--")) {
                rest = after;
            }
        }
        for pid in rest.iter().filter(|arg| *arg != "--") {
            match pid.trim() {
                "-1" | "1" | "--1" | "-0" => self.refuse(Danger::KillsAll),
                // As many as a pattern has found.
                many if many.contains(super::word::STAR) => self.refuse(Danger::KillsAll),
                _ => {}
            }
        }
        if args.iter().filter(|arg| *arg == "-1").count() > 0 && rest.is_empty() {
            self.refuse(Danger::KillsAll);
        }
    }

    fn kill_named(&mut self, args: &[String]) {
        if names_all(args) {
            self.refuse(Danger::KillsAll);
        } else if names_much(args) {
            self.refuse(Danger::KillsOurs);
        }
    }
}

/// Whether processes are named so that it may be all of them, or those that hold the machine.
fn names_all(args: &[String]) -> bool {
    let by_user = args.iter().any(|arg| {
        matches!(
            arg.as_str(),
            "-u" | "-U"
                | "--user"
                | "--euid"
                | "--uid"
                | "-G"
                | "--group"
                | "-v"
                | "--inverse"
                | "-V"
        ) || arg.starts_with("--eu")
            || arg.starts_with("-u")
            || arg.starts_with("-U")
    });
    let everything = operands(args).iter().any(|pattern| {
        let bare = pattern.trim_matches([
            '.',
            '*',
            '^',
            '$',
            '+',
            '?',
            super::word::STAR,
            super::word::ONE,
            '[',
            ']',
            '(',
            ')',
        ]);
        bare.is_empty()
            || matches!(
                pattern.as_str(),
                "systemd" | "init" | "sshd" | "dbus-daemon"
            )
    });
    by_user || everything
}

/// The same, or this program and what it runs.
pub(super) fn names_much(args: &[String]) -> bool {
    let ours = ["phonework", "claude", "nats-server"];
    let names = operands(args);
    let is_ours = |name: &&String| ours.iter().any(|ours| name.contains(ours));
    names_all(args) || names.iter().any(is_ours)
}
