//! What is said when a chat model chose the machine.

use super::super::{s, said, table};
use crate::text::Say as _;
use crate::text::router::route::RouteText;

table! { RouteText;
    FromNowOn: [RouteText::FromNowOn { node: s("Home") }],
    ThisOne: [RouteText::ThisOne { node: s("Home") }],
    Reason: [RouteText::Reason(s("it says so"))],
    Other: [RouteText::Other],
    Waits: [RouteText::Waits],
    NotBegun: [RouteText::NotBegun { node: s("Home") }],
    HasBegun: [RouteText::HasBegun { node: s("Home") }],
    NoOther: [RouteText::NoOther],
    AsWell: [RouteText::AsWell { node: s("Home") }],
    Stays: [RouteText::Stays],
    StaysHint: [RouteText::StaysHint],
}

#[test]
fn in_both_languages() {
    insta::assert_snapshot!(said(rows(), row_of, RouteText::zh), @"
    FromNowOn: 由模型选择。之后的消息也会发给 Home；用 /node <名称> 可以更换。
    ThisOne: 由模型选择，只有这条发给 Home；当前机器不变。
    Reason: 理由：it says so
    Other: 换一台机器
    Waits: 这条消息在等一台离线的机器；请用那张卡片上的按钮发给别的机器。
    NotBegun: Home 还没有开始执行它；换一台时会从那里收回，只执行一次。
    HasBegun: Home 已经收下它，可能已开始执行，无法收回。再选一台，它会在两台上都执行；不想这样，请先在 Home 的卡片上点 [停止]。
    NoOther: 您没有别的机器。
    AsWell: Home 也有这条消息，会继续执行；不需要的话，请在它的卡片上点 [停止]。
    Stays: 没有改发
    StaysHint: 这条消息现在怎样，写在它自己的卡片上。
    ");
    insta::assert_snapshot!(said(rows(), row_of, RouteText::en), @"
    FromNowOn: Chosen by the model. What you send now goes to Home as well; /node <name> changes that.
    ThisOne: Chosen by the model: this message goes to Home, the active machine stays as it is.
    Reason: Reason: it says so
    Other: Other machine
    Waits: This message waits for a machine that is off; the buttons of that card send it to another one.
    NotBegun: Home has not begun it: it is taken back there, and runs once.
    HasBegun: Home has it and may have begun: it cannot be taken back. Choose another machine and it runs on both; if you do not want that, tap [Stop] on the card of Home first.
    NoOther: You have no other machine.
    AsWell: Home has this message as well and goes on with it; [Stop] on its card ends that.
    Stays: Not sent elsewhere
    StaysHint: How this message stands is on its own card.
    ");
}
