//! The list, the code, the table and the tests speak of the same crash points.

use std::collections::BTreeMap;
use std::path::Path;

use common::crash_point::NAMES;

use super::{dead, fan, gateway, host, mail, page, parcel, remind, route, router, shell, waiting};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All code of ours, tests left out, as one text.
fn code() -> String {
    let mut folders: Vec<_> = ["common/src", "gateway/src", "router/src", "host/src", "src"]
        .map(|folder| root().join(folder))
        .to_vec();
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                code += &std::fs::read_to_string(&path).unwrap();
            }
        }
    }
    code
}

/// Where each test dies.
fn tested() -> Vec<&'static str> {
    let mut all = Vec::new();
    all.extend(host::WORK);
    all.extend(host::BEGUN);
    all.extend(host::ASKED);
    all.extend(host::QUEUED);
    all.extend(host::FOLDED);
    all.extend(host::TAKEN);
    all.extend(host::STOPPED);
    all.extend(host::CLOSED);
    all.extend(host::EXITED);
    all.extend(host::FOUND);
    all.extend(host::SECOND);
    all.extend(mail::MAIL);
    all.extend(shell::ANSWERED);
    all.extend(shell::BEGUN);
    all.extend(parcel::SENT);
    all.extend(remind::REMINDED);
    all.extend(route::ROUTED);
    all.extend(gateway::IN);
    all.extend(gateway::KEPT);
    all.extend(gateway::OUT.concat());
    all.extend(page::PAGE.concat());
    all.extend(router::TURN);
    all.extend(router::REPLY);
    all.extend(router::CHOICE);
    all.extend(router::START);
    all.extend(waiting::TOLD);
    all.extend(waiting::BACK);
    all.extend(waiting::MOVED);
    all.extend(fan::SENT);
    all.extend(fan::SAID);
    all.extend(dead::LETTER);
    all.extend(dead::RETRIED);
    all.extend(dead::DISCARDED);
    all
}

#[test]
fn every_crash_point_is_in_the_code_once_in_the_table_and_in_a_test() {
    let code = code();
    let table = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut tests: BTreeMap<&str, usize> = BTreeMap::new();
    for at in tested() {
        *tests.entry(at.split('@').next().unwrap()).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for name in NAMES {
        let places = code.matches(&format!("crash_point!(\"{name}\")")).count();
        if places != 1 {
            wrong.push(format!("{name} is at {places} places of the code"));
        }
        if table.matches(&format!("| `{name}` |")).count() != 1 {
            wrong.push(format!("{name} has no row in the table of ARCHITECTURE.md"));
        }
        if tests.remove(name).is_none() {
            wrong.push(format!("nobody dies at {name}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tests.is_empty(), "not in the list: {tests:?}");
}
