//! The command line: roles, their own options, and one flag for each configuration key. How clap is told of
//! them is in `declared`.

mod declared;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgMatches;
use common::config::Key;
use common::ids::UserId;

use crate::commands::audit::Since;
use declared::command;

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
            .get_many::<UserId>("serves")
            .map(|users| users.map(ToString::to_string).collect())
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
        assert_eq!(wish.serves, ["feishu/ou_1", "web/owner"]);
        assert!(read("phonework enroll lab --serves bob").is_err());
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
