//! The router's lines in the audit: what people wrote and tapped, and what was decided of it.

use common::audit::{Audit, Entry, Kind};
use common::message::inbound::{Inbound, InboundBody};

use crate::decide::Decision;

fn entry(inbound: &Inbound, kind: Kind) -> Entry {
    Entry::new(kind).act(&inbound.user, &inbound.chat, &inbound.meta.cause)
}

/// An act came in.
pub(crate) fn heard(audit: &Audit, inbound: &Inbound) {
    let kind = if matches!(inbound.body, InboundBody::Tap { .. }) {
        Kind::Tap
    } else {
        Kind::Message
    };
    let what = match &inbound.body {
        InboundBody::Text { text } => text.clone(),
        InboundBody::Files { files, text } => {
            // Without the keys by which they can be had.
            let names = files.iter().map(|file| match file.name.as_str() {
                "" => format!("{:?}", file.kind).to_lowercase(),
                name => name.to_owned(),
            });
            let names: Vec<String> = names.collect();
            format!("[{}] {text}", names.join(", "))
        }
        InboundBody::Unsupported { .. } | InboundBody::TooLong { .. } | InboundBody::Tap { .. } => {
            serde_json::to_string(&inbound.body).unwrap_or_default()
        }
    };
    audit.note(entry(inbound, kind).what(what));
}

/// It was decided.
pub(crate) fn decided(audit: &Audit, inbound: &Inbound, decision: &Decision) {
    let mut line = entry(inbound, Kind::Decision).outcome(name_of(decision));
    if let Decision::Send(node)
    | Decision::At { node, .. }
    | Decision::Use { node, .. }
    | Decision::Waiting { node, .. } = decision
    {
        line = line.node(node);
    }
    if let Decision::Chosen { node, reason, .. } = decision {
        line = line.node(node).what(reason.as_str());
    }
    if let Decision::NotYours(node) | Decision::Enrol { id: node, .. } = decision {
        line = line.node(node);
    }
    if let Decision::Fan { nodes, .. } = decision {
        let names: Vec<_> = nodes.iter().map(ToString::to_string).collect();
        line = line.what(names.join(", "));
    }
    audit.note(line);
}

/// The variant's name, as in the code: `send`, `ask`, `no_node`.
fn name_of(decision: &Decision) -> String {
    let mut name = String::new();
    for c in format!("{decision:?}")
        .chars()
        .take_while(char::is_ascii_alphanumeric)
    {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_called_by_their_names() {
        assert_eq!(name_of(&Decision::NoNode), "no_node");
        let node = "home".parse().unwrap();
        assert_eq!(name_of(&Decision::Send(node)), "send");
    }
}
