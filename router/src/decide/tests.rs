//! Who gets what, by all that can be known.

use common::ids::TurnId;

use super::*;

fn id(text: &str) -> NodeId {
    text.parse().unwrap()
}

fn candidates(all: &[(&str, &str)]) -> Vec<Candidate> {
    let one = |&(node, name): &(&str, &str)| Candidate {
        node: id(node),
        name: name.into(),
    };
    all.iter().map(one).collect()
}

fn text(text: &str) -> InboundBody {
    InboundBody::Text { text: text.into() }
}

#[test]
fn texts_go_by_active_then_only_then_question() {
    let one = candidates(&[("home", "Home")]);
    let two = candidates(&[("home", "Home"), ("lab", "Lab")]);
    let table: [(&[Candidate], Option<&str>, &str, Decision); 11] = [
        (&[], None, "hi", Decision::NoNode),
        (&[], Some("home"), "hi", Decision::NoNode),
        (&[], None, "/nodes", Decision::NoNode),
        (&[], None, "/help", Decision::NoNode),
        (&one, None, "hi", Decision::Send(id("home"))),
        (&one, Some("lab"), "hi", Decision::Send(id("home"))),
        (&two, None, "hi", Decision::Ask),
        (&two, Some("gone"), "hi", Decision::Ask),
        (&two, Some("lab"), "hi", Decision::Send(id("lab"))),
        (&two, Some("lab"), "/status", Decision::Send(id("lab"))),
        (&two, None, "//nodes", Decision::Ask),
    ];
    for (candidates, active, typed, wanted) in table {
        let active = active.map(id);
        let facts = Facts {
            candidates,
            active: active.as_ref(),
        };
        assert_eq!(
            decide(&text(typed), &facts),
            wanted,
            "{typed} with {active:?}"
        );
    }
}

#[test]
fn named_nodes_get_what_is_for_them() {
    let all = candidates(&[("home", "Home"), ("lab", "Lab")]);
    let active = id("home");
    let facts = Facts {
        candidates: &all,
        active: Some(&active),
    };
    let at = |node: &str, text: &str| Decision::At {
        node: id(node),
        text: text.into(),
    };
    let both = |text: &str| Decision::Fan {
        nodes: vec![id("home"), id("lab")],
        text: text.into(),
    };
    let table = [
        ("@lab hi", at("lab", "hi")),
        ("@lab /status", at("lab", "/status")),
        ("@home @lab hi", both("hi")),
        ("/all hi\nyou", both("hi\nyou")),
        ("/all /status", both("/status")),
        ("/all", Decision::WrongUse(Command::All)),
        ("@lab", Decision::NoText),
        ("@lab @home ", Decision::NoText),
        ("@lab /nodes", Decision::Ours(Command::Nodes)),
        ("/all /all hi", Decision::Ours(Command::All)),
        ("@@lab hi", Decision::Send(id("home"))),
        (
            "@nowhere hi",
            Decision::Unclear {
                name: "nowhere".into(),
                matches: Vec::new(),
            },
        ),
    ];
    for (typed, wanted) in table {
        assert_eq!(decide(&text(typed), &facts), wanted, "{typed}");
    }
    let nobody = Facts {
        candidates: &[],
        active: None,
    };
    for typed in ["@lab hi", "/all hi"] {
        assert_eq!(decide(&text(typed), &nobody), Decision::NoNode, "{typed}");
    }
}

#[test]
fn own_commands_are_read_strictly() {
    let all = candidates(&[
        ("home-pc", "Home"),
        ("lab-1", "Lab"),
        ("lab-2", "lab-2"),
        ("x", "Home-Server"),
    ]);
    let facts = Facts {
        candidates: &all,
        active: None,
    };
    let used = |node: &str| Decision::Use {
        node: id(node),
        pending: None,
    };
    let not = |name: &str, matches: &[&str]| Decision::NotFound {
        name: name.into(),
        matches: matches.iter().map(|text| id(text)).collect(),
    };
    let table = [
        ("/nodes", Decision::List),
        ("/NODES ", Decision::List),
        ("/nodes now", Decision::WrongUse(Command::Nodes)),
        ("/node", Decision::WrongUse(Command::Node)),
        ("/node HOME-PC", used("home-pc")),
        // A whole name goes before beginnings of others.
        ("/node lab", used("lab-1")),
        ("/node lab-", not("lab-", &["lab-1", "lab-2"])),
        ("/node X", used("x")),
        ("/node home", used("home-pc")),
        ("/node home-s", used("x")),
        ("/node home-", not("home-", &["home-pc", "x"])),
        ("/node nowhere", not("nowhere", &[])),
    ];
    for (typed, wanted) in table {
        assert_eq!(decide(&text(typed), &facts), wanted, "{typed}");
    }
}

#[test]
fn taps_go_to_their_own_node_if_it_serves() {
    let all = candidates(&[("home", "Home"), ("lab", "Lab")]);
    let active = id("home");
    let facts = Facts {
        candidates: &all,
        active: Some(&active),
    };
    let stop = |node: &str| InboundBody::Tap {
        action: Action::Stop {
            node: id(node),
            turn: TurnId::new(),
        },
    };
    let choose = |node: &str| InboundBody::Tap {
        action: Action::UseNode {
            node: id(node),
            pending: Some(7),
        },
    };
    assert_eq!(decide(&stop("lab"), &facts), Decision::Send(id("lab")));
    assert_eq!(
        decide(&stop("other"), &facts),
        Decision::NotYours(id("other"))
    );
    // What waits for a node that was removed can still be taken back.
    let waits = |node: &str| InboundBody::Tap {
        action: Action::Waiting {
            node: id(node),
            cause: CauseId::new(common::ids::Surface::Feishu, "om_1"),
            choice: WaitingChoice::Cancel,
        },
    };
    for node in ["lab", "other"] {
        let decided = decide(&waits(node), &facts);
        assert!(
            matches!(&decided, Decision::Waiting { node: n, .. } if *n == id(node)),
            "{decided:?}"
        );
    }
    let wanted = Decision::Use {
        node: id("lab"),
        pending: Some(7),
    };
    assert_eq!(decide(&choose("lab"), &facts), wanted);
    assert_eq!(
        decide(&choose("other"), &facts),
        Decision::NotYours(id("other"))
    );
}

#[test]
fn what_cannot_be_run_is_answered_here() {
    let facts = Facts {
        candidates: &[],
        active: None,
    };
    let image = InboundBody::Unsupported {
        what: "image".into(),
    };
    assert_eq!(
        decide(&image, &facts),
        Decision::Unsupported("image".into())
    );
    assert_eq!(
        decide(&InboundBody::TooLong { bytes: 9 }, &facts),
        Decision::TooLong(9)
    );
}
