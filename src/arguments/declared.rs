//! Every command and option, as clap is told of them. What they mean is read beside it.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};
use common::config::Key;
use common::ids::UserId;

use crate::commands::audit::Since;

fn user_id(typed: &str) -> Result<UserId, &'static str> {
    UserId::typed(typed)
        .map_err(|_| "not a user; write ou_… (Feishu) or <surface>/<id>, as in web/owner")
}

/// The program with its commands, their options, and the flags of all keys.
pub(super) fn command() -> Command {
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
        .value_parser(user_id)
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
        .value_parser(user_id)
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
