//! Of what waits for a machine.

use crate::text::router::WaitingText;

use crate::text::Say as _;
use crate::text::tests::{s, said, table};

table! {
    WaitingText;
    Tap: [WaitingText::Tap { node: s("Home") }],
    Stuck: [WaitingText::Stuck { node: s("Home") }],
    Trouble: [WaitingText::Trouble { what: s("image") }],
    Cancel: [WaitingText::Cancel],
    SendTo: [WaitingText::SendTo { node: s("Home") }],
    SendAgain: [WaitingText::SendAgain],
    Back: [WaitingText::Back { node: s("Home") }],
    BackNotice: [WaitingText::BackNotice { node: s("Home"), count: 2 }, WaitingText::BackNotice { node: s("Home"), count: 1 }],
    Cancelled: [WaitingText::Cancelled],
    CancelledHint: [WaitingText::CancelledHint { node: s("Home") }],
    Asked: [WaitingText::Asked { node: s("Home") }],
    AskedHint: [WaitingText::AskedHint { node: s("Home") }],
    Moved: [WaitingText::Moved { from: s("Home"), to: s("Lab") }],
    MovedHint: [WaitingText::MovedHint { from: s("Home") }],
    Kept: [WaitingText::Kept { node: s("Home"), other: s("Lab") }],
    OtherFull: [WaitingText::OtherFull { other: s("Lab") }],
    Expired: [WaitingText::Expired { node: s("Home") }],
    ExpiredHint: [WaitingText::ExpiredHint { node: s("Home"), hours: 72, sure: true, kept: true }, WaitingText::ExpiredHint { node: s("Home"), hours: 72, sure: false, kept: false }],
    Removed: [WaitingText::Removed { node: s("Home") }],
    RemovedHint: [WaitingText::RemovedHint { node: s("Home"), sure: true, others: true }, WaitingText::RemovedHint { node: s("Home"), sure: false, others: false }],
    Again: [WaitingText::Again { node: s("Home") }],
    Gone: [WaitingText::Gone],
    GoneHint: [WaitingText::GoneHint],
    Refused: [WaitingText::Refused { count: 2 }, WaitingText::Refused { count: 1 }],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, WaitingText::zh), @"
    Tap: Home 不在线，您的点击在等它
    Stuck: Home 暂时不能接收工作，消息在等它
    Trouble: 不能接收工作，请检查它的磁盘：image
    Cancel: 取消
    SendTo: 改发给 Home
    SendAgain: 再次发送
    Back: Home 已上线并收下了它
    BackNotice: Home 已上线，开始执行您的 2 条消息
    BackNotice: Home 已上线，开始执行您的消息
    Cancelled: 已取消，不会执行
    CancelledHint: Home 还没有拿到它，它已被收回。
    Asked: Home 可能已经拿到它
    AskedHint: Home 一有回应，就会收回还没开始的部分；结果会显示在这张卡片上。
    Moved: 已改发给 Lab，不再等 Home
    MovedHint: Home 从未拿到它，所以只会执行一次。
    Kept: 没有改发给 Lab：Home 可能已经拿到它，改发会执行两次。它继续等 Home。
    OtherFull: 没有改发给 Lab：等它的消息已经太多。
    Expired: 没有送达：Home 一直没有收下
    ExpiredHint: 它等了 72 小时，没有执行。
    ExpiredHint: 它等了 72 小时，Home 离线前可能已经拿到它；重新发送之前请先看一下。
    Removed: 没有送达：Home 已被移除
    RemovedHint: 它没有执行。可以改发给另一台机器。
    RemovedHint: Home 被移除前可能已经拿到它；重新发送之前请先看一下。
    Again: 已再次发给 Home
    Gone: 这条消息已不在等待
    GoneHint: 没有改变任何东西。需要的话，请重新发送。
    Refused: 到现在共有 2 条没有收下。
    Refused: 到现在共有 1 条没有收下。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, WaitingText::en), @"
    Tap: Home is off; your tap waits for it
    Stuck: Home can take no work right now; your message waits for it
    Trouble: can take no work: image
    Cancel: Cancel
    SendTo: Send to Home
    SendAgain: Send again
    Back: Home is back and has taken it
    BackNotice: Home is back and runs your 2 messages
    BackNotice: Home is back and runs your message
    Cancelled: Cancelled; it will not run
    CancelledHint: It was taken back before Home had it.
    Asked: Home may have it already
    AskedHint: If it has not begun, Home takes it back as soon as it answers. This card will say what came of it.
    Moved: Sent to Lab instead of Home
    MovedHint: Home never had it, so it runs once.
    Kept: Not sent to Lab: Home may have it already, and it would run twice. It waits for Home.
    OtherFull: Not sent to Lab: too much waits for that machine already.
    Expired: Not delivered: Home did not take it
    ExpiredHint: It waited 72 hours, and was not run.
    ExpiredHint: It waited 72 hours, and Home may have had it when it went off: look there before you send it again.
    Removed: Not delivered: Home was removed
    RemovedHint: It was not run. Another machine can have it.
    RemovedHint: Home may have had it before it was removed: look there before you send it elsewhere.
    Again: Sent to Home again
    Gone: This message does not wait any more
    GoneHint: Nothing was changed. Send it again if you still need it.
    Refused: 2 messages were not taken so far.
    Refused: 1 message was not taken so far.
    ");
}
