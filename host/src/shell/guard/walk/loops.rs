//! Loops: what is done again and again, and for what.

use common::text::host::shell::Danger;
use tree_sitter::Node;

use super::{Walk, children, slice};
use crate::shell::guard::feed::Feed;
use crate::shell::guard::word::{self, ANY};

impl Walk<'_> {
    pub(super) fn repeat(&mut self, node: Node<'_>, src: &str, stdin: &Feed) -> Feed {
        let before = self.state.clone();
        let variable = node
            .child_by_field_name("variable")
            .map(|name| slice(name, src).to_owned());
        let mut values = Vec::new();
        let mut rest = Vec::new();
        let mut cursor = node.walk();
        for (at, kid) in node.children(&mut cursor).enumerate() {
            if !kid.is_named() {
                continue;
            }
            let field = u32::try_from(at)
                .ok()
                .and_then(|at| node.field_name_for_child(at));
            match field {
                Some("variable") => {}
                Some("value") => values.push(kid),
                _ => rest.push(kid),
            }
        }
        let mut each: Vec<String> = Vec::new();
        for value in &values {
            let chars = self.word(*value, src);
            each.extend(word::words(&chars));
        }
        if variable.is_some() && values.is_empty() {
            each.clone_from(&self.state.args);
        }
        if each.len() > 24 {
            each = vec![ANY.to_string()];
        }
        // `while :; do x & done`: more and more of them, without an end.
        let typed = slice(node, src);
        let endless = [
            "while :",
            "while true",
            "while [ 1 ]",
            "for ((;;))",
            "for (( ; ; ))",
            "until false",
        ];
        if endless.iter().any(|head| typed.starts_with(head))
            && rest.iter().any(|body| starts_aside(*body, src))
        {
            self.refuse(Danger::ForkBomb);
        }
        let mut out = Feed::Nothing;
        // Twice at least: the second time meets what the first has left.
        for round in 0..each.len().max(2) {
            if let Some(name) = &variable {
                let Some(value) = each.get(round).or(each.last()) else {
                    break;
                };
                self.state.vars.insert(name.clone(), value.clone());
            }
            for kid in &rest {
                out = out.then(self.node(*kid, src, stdin.clone()));
            }
        }
        self.merge(&before);
        // Which of its values it ends with is known, mostly; that it has none is not.
        out
    }
}

/// Whether something of the body of a loop goes on by itself, and nothing in it waits or ends the loop.
fn starts_aside(body: Node<'_>, src: &str) -> bool {
    let kids = children(body);
    let aside = |at: usize| kids.get(at + 1).is_some_and(|next| next.kind() == "&");
    let pauses = |text: &str| {
        ["wait", "sleep", "break", "exit", "read", "return"]
            .iter()
            .any(|word| text.contains(word))
    };
    (0..kids.len()).any(aside)
        && !kids
            .iter()
            .enumerate()
            .any(|(at, kid)| !aside(at) && pauses(slice(*kid, src)))
}
