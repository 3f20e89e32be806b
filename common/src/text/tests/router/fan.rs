//! Of messages to several machines.

use crate::text::router::FanText;

use crate::text::Say as _;
use crate::text::tests::{s, said, table};

table! {
    FanText;
    Title: [FanText::Title { of: 3, over: 1 }],
    Footer: [FanText::Footer],
    Pending: [FanText::Pending],
    Sent: [FanText::Sent],
    Off: [FanText::Off { seconds: Some(75) }, FanText::Off { seconds: None }],
    Stuck: [FanText::Stuck { what: s("image") }],
    Queued: [FanText::Queued],
    Working: [FanText::Working],
    Asking: [FanText::Asking],
    Done: [FanText::Done],
    Stopped: [FanText::Stopped],
    CutOff: [FanText::CutOff],
    Failed: [FanText::Failed],
    QueueFull: [FanText::QueueFull { limit: 200 }],
    HubFull: [FanText::HubFull],
    Cancelled: [FanText::Cancelled],
    Unsure: [FanText::Unsure],
    Expired: [FanText::Expired],
    Removed: [FanText::Removed],
    Cancel: [FanText::Cancel { node: s("Home") }],
    SendAgain: [FanText::SendAgain { node: s("Home") }],
    TooMany: [FanText::TooMany],
    TooManyHint: [FanText::TooManyHint { count: 2, limit: 200 }, FanText::TooManyHint { count: 1, limit: 200 }],
    NoText: [FanText::NoText],
    NothingSent: [FanText::NothingSent],
    Ours: [FanText::Ours { command: s("/new") }],
    OursHint: [FanText::OursHint],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, FanText::zh), @"
    Title: 发给 3 台机器，1 台已结束
    Footer: 每台机器的完整回答在它自己的卡片里
    Pending: 正在发送
    Sent: 已发出
    Off: 离线，最近一次心跳：75 秒前；消息在等它
    Off: 从未上线过；消息在等它
    Stuck: 不能接收工作，请检查它的磁盘：image；消息在等它
    Queued: 排队中
    Working: 运行中
    Asking: 在问您
    Done: 完成
    Stopped: 已停止
    CutOff: 中断了，可在它的卡片上继续
    Failed: 失败
    QueueFull: 没有收下：已有 200 条消息在等它
    HubFull: 没有收下：中心机没有空间
    Cancelled: 已取消，不会执行
    Unsure: 已收回，但它可能已经拿到；等它回应
    Expired: 没有送达：一直没有收下
    Removed: 没有送达：机器已被移除
    Cancel: 取消 Home
    SendAgain: 再次发给 Home
    TooMany: 机器太多，没有发送
    TooManyHint: 这条消息要发给 2 台机器，一次最多 200 台。请用 @名称 @名称 写出要发给哪些。
    TooManyHint: 这条消息要发给 1 台机器，一次最多 200 台。请用 @名称 @名称 写出要发给哪些。
    NoText: 没有要发送的内容
    NothingSent: 没有发给任何机器。如果文字本身以 @ 开头，请写成 @@。
    Ours: /new 由中心机回答，没有发送
    OursHint: 请单独发送这条命令，前面不要写机器。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, FanText::en), @"
    Title: To 3 machines, 1 finished
    Footer: Each machine's whole answer is in a card of its own
    Pending: on its way
    Sent: sent
    Off: off, last sign of life 75 s ago; the message waits for it
    Off: it has never been on; the message waits for it
    Stuck: can take no work: image; the message waits for it
    Queued: waits for what runs there
    Working: working
    Asking: asks you
    Done: done
    Stopped: stopped
    CutOff: cut off; its card lets it go on
    Failed: failed
    QueueFull: not taken: 200 messages wait for it already
    HubFull: not taken: the hub has no room
    Cancelled: cancelled; it will not run
    Unsure: taken back, but it may have it already; waiting for its word
    Expired: not delivered: it did not take it
    Removed: not delivered: the machine was removed
    Cancel: Cancel Home
    SendAgain: Send to Home again
    TooMany: Too many machines; nothing was sent
    TooManyHint: This would go to 2 machines, at most 200 are taken. Name those you mean: @name @name …
    TooManyHint: This would go to 1 machines, at most 200 are taken. Name those you mean: @name @name …
    NoText: There is nothing to send
    NothingSent: Nothing was sent to any machine. Does your text itself begin with @? Then write @@.
    Ours: /new is answered by the hub; nothing was sent
    OursHint: Send this command alone, without a machine in front.
    ");
}
