//! What a script gives names to: its functions, its variables.

use common::text::host::shell::Danger;
use tree_sitter::Node;

use super::{Walk, children, named, slice};
use crate::shell::guard::feed::Feed;
use crate::shell::guard::word::{self, ANY};

impl Walk<'_> {
    pub(super) fn define(&mut self, node: Node<'_>, src: &str) {
        let Some(name) = node.child_by_field_name("name") else {
            return self.ask(Danger::Unreadable);
        };
        let name = word::text(&word::plain(slice(name, src)));
        let body: Vec<&str> = named(node)
            .into_iter()
            .skip(1)
            .map(|kid| slice(kid, src))
            .collect();
        let body = body.join(" ");
        self.state.functions.insert(name.clone(), body.clone());
        // Whoever may call it, by whatever way: what is refused in it is refused.
        self.maybe += 1;
        self.apart(|walk| {
            walk.state.args = vec![ANY.to_string(); 9];
            walk.calls.push(name);
            walk.text(&body, Feed::Unknown);
            walk.calls.pop();
        });
        self.maybe -= 1;
    }

    /// Calls a function of the script, if it is one.
    pub(in crate::shell::guard) fn call(&mut self, argv: &[String], stdin: &Feed) -> Option<Feed> {
        let (name, args) = argv.split_first()?;
        let body = self.state.functions.get(name)?.clone();
        if self.calls.contains(name) {
            // It calls itself: with a pipe or in the background that is a bomb.
            let multiplies = body.contains('|') || body.contains('&');
            if multiplies && !body.contains("&&") && !body.contains("||") {
                self.refuse(Danger::ForkBomb);
            } else {
                self.ask(Danger::Unreadable);
            }
            return Some(Feed::Unknown);
        }
        self.calls.push(name.clone());
        let args = std::mem::replace(&mut self.state.args, args.to_vec());
        let out = self.text(&body, stdin.clone());
        self.state.args = args;
        self.calls.pop();
        Some(out)
    }

    pub(super) fn assign(&mut self, node: Node<'_>, src: &str) {
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let subscript = name.kind() == "subscript";
        let name = slice(name, src).to_owned();
        let value = match node.child_by_field_name("value") {
            Some(value) if value.kind() == "array" => {
                let mut all = Vec::new();
                for kid in named(value) {
                    let chars = self.word(kid, src);
                    all.extend(word::words(&chars));
                }
                all.join(" ")
            }
            Some(value) => word::text(&self.word(value, src)),
            None => String::new(),
        };
        if subscript {
            // What stands in the brackets is run.
            if let Some(place) = node.child_by_field_name("name") {
                for kid in named(place) {
                    self.node(kid, src, Feed::Nothing);
                }
            }
            let array = name.split('[').next().unwrap_or_default().to_owned();
            self.state.vars.insert(array, ANY.to_string());
            return;
        }
        let adds = children(node).iter().any(|kid| kid.kind() == "+=");
        let array = node
            .child_by_field_name("value")
            .is_some_and(|value| value.kind() == "array");
        let entry = self.state.vars.entry(name.clone()).or_default();
        if adds {
            if array && !entry.is_empty() {
                entry.push(' ');
            }
            entry.push_str(&value);
        } else {
            *entry = value;
        }
        let value = entry.clone();
        self.sets(&name, &value);
    }
}
