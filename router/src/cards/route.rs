//! The card of a message for which a chat model chose the machine, and what becomes of it by [Other machine].

use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, Tone, View};
use common::text::Say as _;
use common::text::router::RouterText as Text;
use common::text::router::route::RouteText;

use super::{ask, card, sent, sheet};
use crate::decide::Candidate;

/// A chat model chose the machine; `active`: from now on.
pub(crate) fn chosen(lang: Lang, name: &str, active: bool, reason: &str, pending: u64) -> View {
    let node = name.to_owned();
    let title = Text::SentTo { node: node.clone() };
    let hint = if active {
        RouteText::FromNowOn { node }
    } else {
        RouteText::ThisOne { node }
    };
    let reason = (!reason.is_empty()).then(|| RouteText::Reason(reason.to_owned()));
    let lines = [Some(hint), reason].into_iter().flatten();
    let mut view = sheet(
        Tone::Done,
        title.say(lang),
        lines.map(|line| line.say(lang)),
    );
    view.buttons.push(Button {
        label: RouteText::Other.say(lang),
        style: ButtonStyle::Normal,
        action: Action::OtherNode { pending },
    });
    view
}

/// Where else the message at `pending` is to go, which is with `first` now; `begun`: that has it, or may have it.
pub(crate) fn elsewhere(
    lang: Lang,
    message: &str,
    others: &[Candidate],
    pending: u64,
    first: &str,
    begun: bool,
) -> View {
    let mut view = ask(lang, message, others, pending);
    let node = first.to_owned();
    let stands = match (others.is_empty(), begun) {
        (true, _) => RouteText::NoOther,
        (false, true) => RouteText::HasBegun { node },
        (false, false) => RouteText::NotBegun { node },
    };
    // In place of what is asked where it has gone nowhere yet.
    view.blocks.truncate(1);
    view.blocks.push(Block::Plain {
        text: stands.say(lang),
    });
    view
}

/// It went to another one, though `first` has it as well.
pub(crate) fn sent_as_well(lang: Lang, name: &str, first: &str) -> View {
    let mut view = sent(lang, name);
    let text = RouteText::AsWell {
        node: first.to_owned(),
    };
    view.blocks.push(Block::Plain {
        text: text.say(lang),
    });
    view
}

/// It went nowhere else.
pub(crate) fn stays(lang: Lang) -> View {
    sheet(
        Tone::Warning,
        RouteText::Stays.say(lang),
        [RouteText::StaysHint.say(lang)],
    )
}

/// The message that should go elsewhere waits, and has a card of its own.
pub(crate) fn chosen_waits(lang: Lang) -> View {
    sheet(Tone::Plain, RouteText::Waits.say(lang), [])
}

/// The message that should go elsewhere is gone.
pub(crate) fn not_kept(lang: Lang) -> View {
    card(lang, Tone::Warning, &Text::Expired, &[])
}

#[cfg(test)]
mod tests {
    use super::super::tests::both;
    use super::*;

    #[test]
    fn where_else_it_goes() {
        let others = |names: &[&str]| -> Vec<Candidate> {
            let one = |name: &&str| Candidate {
                node: name.to_lowercase().parse().unwrap(),
                name: (*name).to_owned(),
            };
            names.iter().map(one).collect()
        };
        insta::assert_snapshot!(both(|lang| elsewhere(lang, "build it", &others(&["Lab"]), 7, "Home", false)), @"
        # 发给哪台机器？ (Asking)
        “build it”
        Home 还没有开始执行它；换一台时会从那里收回，只执行一次。
        [Lab → use lab Some(7)]

        # Which machine? (Asking)
        “build it”
        Home has not begun it: it is taken back there, and runs once.
        [Lab → use lab Some(7)]
        ");
        insta::assert_snapshot!(both(|lang| elsewhere(lang, "build it", &others(&["Lab"]), 7, "Home", true)), @"
        # 发给哪台机器？ (Asking)
        “build it”
        Home 已经收下它，可能已开始执行，无法收回。再选一台，它会在两台上都执行；不想这样，请先在 Home 的卡片上点 [停止]。
        [Lab → use lab Some(7)]

        # Which machine? (Asking)
        “build it”
        Home has it and may have begun: it cannot be taken back. Choose another machine and it runs on both; if you do not want that, tap [Stop] on the card of Home first.
        [Lab → use lab Some(7)]
        ");
        insta::assert_snapshot!(both(|lang| elsewhere(lang, "build it", &[], 7, "Home", true)), @"
        # 发给哪台机器？ (Asking)
        “build it”
        您没有别的机器。

        # Which machine? (Asking)
        “build it”
        You have no other machine.
        ");
        insta::assert_snapshot!(both(|lang| sent_as_well(lang, "Lab", "Home")), @"
        # 已发给 Lab (Done)
        之后的消息也会发给 Lab；用 /node <名称> 可以更换。
        Home 也有这条消息，会继续执行；不需要的话，请在它的卡片上点 [停止]。

        # Sent to Lab (Done)
        What you send now goes to Lab; /node <name> changes that.
        Home has this message as well and goes on with it; [Stop] on its card ends that.
        ");
        insta::assert_snapshot!(both(stays), @"
        # 没有改发 (Warning)
        这条消息现在怎样，写在它自己的卡片上。

        # Not sent elsewhere (Warning)
        How this message stands is on its own card.
        ");
    }
}
