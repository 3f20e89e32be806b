//! The command line: roles, their own options, and one flag for each configuration key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use common::config::Key;
use common::ids::UserId;

use crate::commands::audit::Since;

/// What the program is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything in one process, with its own broker.
    Standalone,
    /// The router, at an external broker.
    Router,
    /// The gateway, at an external broker.
    Gateway,
    /// A host, at an external broker.
    Host,
    /// Make the hub's identities and configuration.
    Init,
    /// Make what a new host needs.
    Enroll(Wish),
    /// Make what the server of a site needs.
    EnrollSite(SiteWish),
    /// Make this machine a host.
    Join {
        /// What `enroll` printed.
        token: String,
        /// Where its files go.
        out: PathBuf,
        /// What comes after it; none: a person is asked, where there is one.
        then: Option<Then>,
    },
    /// Let systemd run the host.
    Service {
        /// Take that back.
        remove: bool,
    },
    /// List the machines.
    Nodes {
        /// As JSON.
        json: bool,
    },
    /// Cut a machine off.
    Revoke {
        /// Its id.
        node: String,
    },
    /// Show what was done, and by whose word.
    Audit(Look),
    /// Show the configuration and what is missing.
    Doctor {
        /// Of a host.
        host: bool,
    },
}

/// What a machine does once it is a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Its host runs as a service.
    Service,
    /// Its host runs here and now.
    Run,
    /// Nothing yet.
    Nothing,
}

/// A host to be enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Its id.
    pub(crate) node: String,
    /// Whom it serves; empty: everybody who is admitted.
    pub(crate) serves: Vec<String>,
    /// What people call it; empty: its id.
    pub(crate) name: String,
    /// Where its files go, to be carried over; none: it joins by itself.
    pub(crate) out: Option<PathBuf>,
    /// Bind a taken id to a new key.
    pub(crate) replace: bool,
}

/// A site with a nats-server of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SiteWish {
    /// Its id.
    pub(crate) site: String,
    /// The nodes that its server may speak for.
    pub(crate) nodes: Vec<String>,
    /// Where its hosts reach its server, `HOST` or `HOST:PORT`; none: as before.
    pub(crate) at: Option<String>,
    /// Where its files go; none: a folder of its name here.
    pub(crate) out: Option<PathBuf>,
}

/// What is looked for in the audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// Of one person.
    pub(crate) user: Option<UserId>,
    /// From when on.
    pub(crate) since: Option<Since>,
    /// As JSON, a line each.
    pub(crate) json: bool,
    /// Of a host with a configuration of its own.
    pub(crate) host: bool,
}

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What to do.
    pub(crate) role: Role,
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// Keys given as flags.
    pub(crate) flags: BTreeMap<Key, String>,
}

/// Reads the command line.
///
/// # Errors
/// Clap's own, which say what is wrong; `--help` and `--version` come as such, too.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
) -> Result<Parsed, clap::error::Error> {
    let matches = command().try_get_matches_from(args)?;
    let (role, at) = match matches.subcommand() {
        None => (Role::Standalone, &matches),
        Some(("router", at)) => (Role::Router, at),
        Some(("gateway", at)) => (Role::Gateway, at),
        Some(("host", at)) => (Role::Host, at),
        Some(("init", at)) => (Role::Init, at),
        Some(("enroll", at)) => match at.get_one::<String>("leaf") {
            Some(site) => (Role::EnrollSite(site_wish(site, at)), at),
            None => (Role::Enroll(wish(at)), at),
        },
        Some(("join", at)) => (
            Role::Join {
                token: at.get_one::<String>("token").cloned().unwrap_or_default(),
                out: at
                    .get_one::<PathBuf>("out")
                    .cloned()
                    .unwrap_or_else(|| PathBuf::from(".")),
                then: match (at.get_flag("service"), at.get_flag("run")) {
                    (true, _) => Some(Then::Service),
                    (false, true) => Some(Then::Run),
                    (false, false) => None,
                },
            },
            at,
        ),
        Some(("service", at)) => (
            Role::Service {
                remove: at.get_flag("remove"),
            },
            at,
        ),
        Some(("revoke", at)) => (
            Role::Revoke {
                node: at.get_one::<String>("node").cloned().unwrap_or_default(),
            },
            at,
        ),
        Some(("nodes", at)) => (
            Role::Nodes {
                json: at.get_flag("json"),
            },
            at,
        ),
        Some(("audit", at)) => (
            Role::Audit(Look {
                user: at.get_one::<UserId>("user").cloned(),
                since: at.get_one::<Since>("since").copied(),
                json: at.get_flag("json"),
                host: at.get_flag("host"),
            }),
            at,
        ),
        Some(("doctor", at)) => (
            Role::Doctor {
                host: at.get_flag("host"),
            },
            at,
        ),
        Some((_, at)) => (Role::Standalone, at),
    };
    let flags = Key::ALL
        .iter()
        .filter_map(|key| {
            let value: &String = at.get_one(&key.flag())?;
            Some((*key, value.clone()))
        })
        .collect();
    Ok(Parsed {
        role,
        config: at.get_one("config").cloned(),
        flags,
    })
}

fn wish(at: &ArgMatches) -> Wish {
    let text = |name: &str| at.get_one::<String>(name).cloned().unwrap_or_default();
    Wish {
        node: text("node"),
        serves: at
            .get_many::<String>("serves")
            .map(|users| users.cloned().collect())
            .unwrap_or_default(),
        name: text("name"),
        out: at.get_one::<PathBuf>("out").cloned(),
        replace: at.get_flag("replace"),
    }
}

fn site_wish(site: &str, at: &ArgMatches) -> SiteWish {
    SiteWish {
        site: site.to_owned(),
        nodes: at
            .get_many::<String>("nodes")
            .map(|nodes| nodes.cloned().collect())
            .unwrap_or_default(),
        at: at.get_one::<String>("at").cloned(),
        out: at.get_one::<PathBuf>("out").cloned(),
    }
}

fn command() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .global(true)
        .help("The configuration file; else keyring.yaml (host: host_config.yaml) in this folder, else in ~/.config/phonework");
    let keys = Key::ALL.iter().map(|key| {
        Arg::new(key.flag())
            .long(key.flag())
            .value_name("VALUE")
            .allow_hyphen_values(true)
            .global(true)
            .hide_short_help(true)
            .help_heading("Configuration keys")
            .help(key.spec().doc)
    });
    let node = Arg::new("node")
        .required_unless_present("leaf")
        .help("Its id: 1 to 32 of a-z, 0-9 and -");
    let removed = Arg::new("node").required(true).help("Its id, or a site's");
    let leaf = Arg::new("leaf")
        .long("leaf")
        .value_name("SITE")
        .requires("nodes")
        .conflicts_with_all(["node", "serves", "name", "replace"])
        .help(
            "Make the files for a site's own nats-server, over which several hosts reach the hub",
        );
    let nodes = Arg::new("nodes")
        .long("nodes")
        .value_name("NODE,…")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .requires("leaf")
        .help("With --leaf: all hosts of the site; those that are not enrolled yet are");
    let reached = Arg::new("at")
        .long("at")
        .value_name("HOST[:PORT]")
        .requires("leaf")
        .help("With --leaf: where the site's hosts reach its server; needed the first time");
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("As JSON, for programs");
    let serves = Arg::new("serves")
        .long("serves")
        .value_name("USER")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("Whom it serves (ou_… or surface/id); may be repeated; nobody named: everybody who is admitted");
    let name = Arg::new("name")
        .long("name")
        .value_name("TEXT")
        .help("What people call it");
    let out = Arg::new("out")
        .long("out")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Write host_config.yaml and the key file there, to be carried over, instead of printing a line to run there");
    let token = Arg::new("token")
        .required(true)
        .value_name("TOKEN")
        .help("What `phonework enroll <node>` printed on the hub");
    let join_out = Arg::new("out")
        .long("out")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Where host_config.yaml and the key file go; else into this folder");
    let service = Arg::new("service")
        .long("service")
        .action(ArgAction::SetTrue)
        .conflicts_with("run")
        .help("Then let systemd run it, now and after each start of the machine");
    let run = Arg::new("run")
        .long("run")
        .action(ArgAction::SetTrue)
        .help("Then run it here and now, as `phonework host` does");
    let unserve = Arg::new("remove")
        .long("remove")
        .action(ArgAction::SetTrue)
        .help("End it, and do not start it any more");
    let replace = Arg::new("replace")
        .long("replace")
        .action(ArgAction::SetTrue)
        .help("Give a taken id to this new machine, and cut the old one off");
    let user = Arg::new("user")
        .long("user")
        .value_name("USER")
        .value_parser(|typed: &str| {
            typed
                .parse::<UserId>()
                .map_err(|_| "not a user; write ou_… (Feishu) or <surface>/<id>, as in web/owner")
        })
        .help("Of this person only (ou_… or surface/id)");
    let since = Arg::new("since")
        .long("since")
        .value_name("TIME")
        .value_parser(Since::read)
        .help("From then on: 30m, 2h, 7d ago, or a day or time, 2026-11-01 or 2026-11-01T09:30");
    let host = Arg::new("host")
        .long("host")
        .action(ArgAction::SetTrue)
        .help("Look at host_config.yaml instead of keyring.yaml");
    Command::new("phonework")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Drive the coding agents on all your machines from the chat app on your phone.")
        .after_help("Without a command it runs everything in one process: broker, router, gateway and host.\n`--help` lists the flags of all configuration keys.")
        .subcommand(Command::new("router").about("Run the router at an external broker"))
        .subcommand(Command::new("gateway").about("Run the gateway (chat platform and web page) at an external broker"))
        .subcommand(Command::new("host").about("Run a host: the sessions of this machine"))
        .subcommand(Command::new("init").about("Make the hub: identities, credentials, hub.conf for nats-server"))
        .subcommand(
            Command::new("enroll")
                .about("Let a new host in, on the hub: prints the line to run on that machine")
                .args([node, serves, name, out, replace, leaf, nodes, reached]),
        )
        .subcommand(
            Command::new("join")
                .about("Make this machine a host, with the line that `enroll` printed on the hub")
                .args([token, join_out, service, run]),
        )
        .subcommand(
            Command::new("service")
                .about("Let systemd run the host of this folder, now and after each start of the machine")
                .arg(unserve),
        )
        .subcommand(
            Command::new("revoke")
                .about("Cut a machine off, on the hub; its key is refused from then on")
                .arg(removed),
        )
        .subcommand(
            Command::new("nodes")
                .about("List the machines, on the hub: which are on, whom they serve, their versions")
                .arg(json.clone()),
        )
        .subcommand(
            Command::new("audit")
                .about("Show what was done on this machine and by whose word, oldest first")
                .args([user, since, json, host.clone()]),
        )
        .subcommand(Command::new("doctor").about("Show where each setting comes from, and what is missing").arg(host))
        .arg(config)
        .args(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Parsed, clap::error::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn roles_flags_and_options_are_read() {
        assert_eq!(read("phonework").unwrap().role, Role::Standalone);
        let host =
            read("phonework host --config /x.yaml --node-id a --claude-args --bare").unwrap();
        assert_eq!(host.role, Role::Host);
        assert_eq!(host.config, Some(PathBuf::from("/x.yaml")));
        let node = Key::from_name("NODE_ID").unwrap();
        assert_eq!(host.flags.get(&node).map(String::as_str), Some("a"));
        let enroll = read("phonework enroll lab --serves ou_1,web/owner --out d").unwrap();
        let Role::Enroll(wish) = enroll.role else {
            panic!("{:?}", enroll.role);
        };
        assert_eq!(wish.serves, ["ou_1", "web/owner"]);
        assert_eq!(wish.out, Some(PathBuf::from("d")));
        let join = read("phonework join abc-_").unwrap();
        let here = Role::Join {
            token: "abc-_".into(),
            out: PathBuf::from("."),
            then: None,
        };
        assert_eq!(join.role, here);
        assert!(read("phonework join abc --service --run").is_err());
        let site = read("phonework enroll --leaf site-a --nodes a,b --at 10.0.0.2").unwrap();
        let Role::EnrollSite(wish) = site.role else {
            panic!("{:?}", site.role);
        };
        assert_eq!((wish.site.as_str(), wish.nodes.len()), ("site-a", 2));
        assert!(read("phonework enroll --leaf site-a").is_err());
        assert!(read("phonework enroll a --leaf site-a --nodes a").is_err());
        let look = read("phonework audit --user ou_1 --since 2h --json");
        let wanted = Look {
            user: Some("ou_1".parse().unwrap()),
            since: Since::read("2h").ok(),
            json: true,
            host: false,
        };
        assert_eq!(look.unwrap().role, Role::Audit(wanted));
        for wrong in [
            "--since soon",
            "--since 2026-13-01",
            "--user 1/2/3",
            "--until 2h",
        ] {
            assert!(
                read(&format!("phonework audit {wrong}")).is_err(),
                "{wrong}"
            );
        }
        assert!(read("phonework enroll").is_err());
        assert!(read("phonework fly").is_err());
    }
}
