//! `@name` at the beginning of a text: which nodes it is for, and what is left for them. Pure.
//!
//! A name is a node's id, what people call it, or a beginning that only one has, in any case. What
//! could be no id and is no name (`@src/main.rs`) belongs to the text; what could be one and is none
//! is a mistake, as it must not run elsewhere. `@@` begins a text that itself begins with `@`.

use common::ids::NodeId;

use crate::decide::{Candidate, named};

/// For whom a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Addressed<'a> {
    /// It names nobody.
    Nobody,
    /// For these nodes, each named once or more, in this order.
    To {
        /// At least one.
        nodes: Vec<NodeId>,
        /// What is left; may be empty.
        text: &'a str,
    },
    /// A name that is none, or several.
    Unclear {
        /// As it was typed.
        name: String,
        /// Those that it could mean; empty: none.
        matches: Vec<NodeId>,
    },
}

/// Reads the names at the beginning of `text`.
pub(crate) fn read<'a>(text: &'a str, candidates: &[Candidate]) -> Addressed<'a> {
    let mut rest = text.trim();
    let mut nodes: Vec<NodeId> = Vec::new();
    while let Some(after) = strip_at(rest).filter(|_| !candidates.is_empty()) {
        let node = if let Some((node, behind)) = whole_name(after, candidates) {
            rest = behind;
            node
        } else {
            let end = after.find(is_end).unwrap_or(after.len());
            let (name, behind) = after.split_at(end);
            if name.to_lowercase().parse::<NodeId>().is_err() {
                break;
            }
            match <[NodeId; 1]>::try_from(named(name, candidates)) {
                Ok([node]) => {
                    rest = behind;
                    node
                }
                Err(matches) => {
                    let name = name.to_owned();
                    return Addressed::Unclear { name, matches };
                }
            }
        };
        rest = rest.trim_start_matches(is_end);
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    if nodes.is_empty() {
        return Addressed::Nobody;
    }
    Addressed::To { nodes, text: rest }
}

/// A text as it is meant: `@@` at its beginning stands for `@`.
pub(crate) fn meant(text: &str) -> &str {
    let trimmed = text.trim_start();
    match strip_at(trimmed) {
        // Both signs may be one or three bytes wide.
        Some(rest) if strip_at(rest).is_some() => rest,
        Some(_) | None => text,
    }
}

fn strip_at(text: &str) -> Option<&str> {
    text.strip_prefix('@').or_else(|| text.strip_prefix('＠'))
}

/// What ends a name.
fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ':' | '，' | '、' | '：')
}

/// The longest id or name that stands here, and what is behind it. Names may have spaces.
fn whole_name<'a>(text: &'a str, candidates: &[Candidate]) -> Option<(NodeId, &'a str)> {
    let names = candidates.iter().flat_map(|one| {
        // The id first: of two as long, that is who is meant.
        [(one.node.as_str(), &one.node), (one.name.trim(), &one.node)]
    });
    let mut found: Option<(&NodeId, &str)> = None;
    for (name, node) in names {
        let Some(behind) = behind(text, name) else {
            continue;
        };
        let ends = behind.is_empty() || behind.starts_with(is_end);
        let longer = found.is_none_or(|(_, before)| behind.len() < before.len());
        if ends && longer {
            found = Some((node, behind));
        }
    }
    // Two machines of one name: only their ids tell them apart.
    let (node, behind) = found?;
    let name = text.get(..text.len() - behind.len())?;
    let several = named(name, candidates).len() > 1;
    (!several).then(|| (node.clone(), behind))
}

/// What is behind `name`, if `text` begins with that in any case.
fn behind<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    for wanted in name.chars() {
        let found = rest.next()?;
        if !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    (!name.is_empty()).then_some(rest.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> NodeId {
        text.parse().unwrap()
    }

    fn candidates() -> Vec<Candidate> {
        [
            ("home-pc", "Home PC"),
            ("lab-1", "Lab"),
            ("lab-2", "lab-2"),
            ("nas", "书房"),
        ]
        .map(|(node, name)| Candidate {
            node: id(node),
            name: name.into(),
        })
        .into()
    }

    fn to<'a>(nodes: &[&str], text: &'a str) -> Addressed<'a> {
        Addressed::To {
            nodes: nodes.iter().map(|text| id(text)).collect(),
            text,
        }
    }

    #[test]
    fn names_at_the_beginning_are_read() {
        let all = candidates();
        let unclear = |name: &str, matches: &[&str]| Addressed::Unclear {
            name: name.into(),
            matches: matches.iter().map(|text| id(text)).collect(),
        };
        let table = [
            ("hi", Addressed::Nobody),
            ("", Addressed::Nobody),
            ("ask @lab-1 about it", Addressed::Nobody),
            ("@lab-1 hi", to(&["lab-1"], "hi")),
            ("  @LAB-1   hi @home-pc ", to(&["lab-1"], "hi @home-pc")),
            ("@lab hi", to(&["lab-1"], "hi")),
            ("＠home-pc hi", to(&["home-pc"], "hi")),
            (
                "@home-pc @lab-2 hi\nthere",
                to(&["home-pc", "lab-2"], "hi\nthere"),
            ),
            ("@home-pc, @lab-2: hi", to(&["home-pc", "lab-2"], "hi")),
            ("@home-pc，@lab-2：你好", to(&["home-pc", "lab-2"], "你好")),
            ("@lab-1 @lab-1 hi", to(&["lab-1"], "hi")),
            ("@Home PC hi", to(&["home-pc"], "hi")),
            ("@home pc hi", to(&["home-pc"], "hi")),
            ("@home hi", to(&["home-pc"], "hi")),
            ("@书房 你好", to(&["nas"], "你好")),
            ("@lab-1", to(&["lab-1"], "")),
            ("@lab-1 /status", to(&["lab-1"], "/status")),
            // Files and people are no machines.
            ("@src/main.rs explain", Addressed::Nobody),
            ("@README.md explain", Addressed::Nobody),
            ("@张三 看一下", Addressed::Nobody),
            ("@ hi", Addressed::Nobody),
            (
                "@lab-1 @src/main.rs explain",
                to(&["lab-1"], "@src/main.rs explain"),
            ),
            ("@@lab-1 hi", Addressed::Nobody),
            ("@lab-1 @@lab-2 hi", to(&["lab-1"], "@@lab-2 hi")),
            // One that could be a machine and is none: nothing goes anywhere.
            ("@hmoe-pc hi", unclear("hmoe-pc", &[])),
            ("@lab-1 @nowhere hi", unclear("nowhere", &[])),
            ("@lab- hi", unclear("lab-", &["lab-1", "lab-2"])),
        ];
        for (text, wanted) in table {
            assert_eq!(read(text, &all), wanted, "{text}");
        }
        assert_eq!(read("@lab-1 hi", &[]), Addressed::Nobody);
    }

    #[test]
    fn of_two_machines_of_one_name_only_the_ids_are_clear() {
        let twins: Vec<_> = ["a-1", "a-2"]
            .map(|node| Candidate {
                node: id(node),
                name: "Twin".into(),
            })
            .into();
        assert_eq!(
            read("@twin hi", &twins),
            Addressed::Unclear {
                name: "twin".into(),
                matches: vec![id("a-1"), id("a-2")],
            }
        );
        assert_eq!(read("@a-2 hi", &twins), to(&["a-2"], "hi"));
    }

    #[test]
    fn two_signs_stand_for_one() {
        for (text, wanted) in [
            ("@@lab-1 hi", "@lab-1 hi"),
            (" @@x", "@x"),
            ("＠@x", "@x"),
            ("@x", "@x"),
            ("hi @@x", "hi @@x"),
            ("", ""),
        ] {
            assert_eq!(meant(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read(text in "[@＠ ,:a-z1-2书房-]{0,40}") {
            let all = candidates();
            match read(&text, &all) {
                Addressed::Nobody => {}
                Addressed::To { nodes, text: left } => {
                    prop_assert!(!nodes.is_empty());
                    prop_assert!(text.ends_with(left) || text.trim().ends_with(left));
                    let mut once = nodes.clone();
                    once.sort();
                    once.dedup();
                    prop_assert_eq!(once.len(), nodes.len());
                }
                Addressed::Unclear { name, matches } => {
                    prop_assert!(matches.len() != 1);
                    prop_assert!(text.contains(&name));
                }
            }
            let _ = meant(&text);
        }

        #[test]
        fn what_is_named_is_found(picked in proptest::sample::subsequence(vec!["home-pc", "lab-1", "lab-2", "nas"], 1..=4), rest in "[a-z ]{0,20}") {
            let names: Vec<_> = picked.iter().map(|name| format!("@{name}")).collect();
            let text = format!("{} {rest}", names.join(" "));
            let wanted: Vec<NodeId> = picked.iter().map(|name| id(name)).collect();
            prop_assert_eq!(
                read(&text, &candidates()),
                Addressed::To { nodes: wanted, text: rest.trim() }
            );
        }
    }
}
