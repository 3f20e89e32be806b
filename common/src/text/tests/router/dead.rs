//! Of what could not be handled.

use crate::text::router::dead::DeadText;

use crate::text::Say as _;
use crate::text::tests::{s, said, table};

table! {
    DeadText;
    Message: [DeadText::Message],
    Tap: [DeadText::Tap],
    Answer: [DeadText::Answer { node: Some(s("Home")) }, DeadText::Answer { node: None }],
    Where: [DeadText::Where { node: Some(s("Home")) }, DeadText::Where { node: None }],
    Refused: [DeadText::Refused],
    Failed: [DeadText::Failed],
    TooOften: [DeadText::TooOften { attempts: 12 }],
    Detail: [DeadText::Detail { detail: s("…") }],
    Hint: [DeadText::Hint],
    Cut: [DeadText::Cut { bytes: 200_000 }],
    Retry: [DeadText::Retry],
    Discard: [DeadText::Discard],
    NoRoom: [DeadText::NoRoom],
    NoRoomHint: [DeadText::NoRoomHint],
    Retried: [DeadText::Retried],
    RetriedHint: [DeadText::RetriedHint],
    Discarded: [DeadText::Discarded],
    DiscardedHint: [DeadText::DiscardedHint],
    Gone: [DeadText::Gone],
    GoneHint: [DeadText::GoneHint],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, DeadText::zh), @"
    Message: 您的一条消息无法处理
    Tap: 您的一次点击无法处理
    Answer: Home 的一条回复无法显示
    Answer: 中心机的一条回复无法显示
    Where: 机器：Home
    Where: 位置：中心机
    Refused: 按它现在的样子永远无法处理。
    Failed: 处理中途出错了，这是 PhoneWork 的缺陷。
    TooOften: 已经开始 12 次，每次都在完成之前中断。
    Detail: 原因：…
    Hint: 其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。
    Cut: 它有 200000 字节，太大而没有完整保留，不能重试。其他消息不受影响。
    Retry: 重试
    Discard: 丢弃
    NoRoom: 现在没有空间，没有重新提交
    NoRoomHint: 已有太多消息在等待。它仍然保留，请稍后再点“重试”。
    Retried: 已重新提交
    RetriedHint: 如果再次失败，会有一张新的卡片。
    Discarded: 已丢弃
    DiscardedHint: 它已不再保留。
    Gone: 它已不再保留
    GoneHint: 无法处理的内容最多保留一周。如果仍然需要，请重新发送。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, DeadText::en), @"
    Message: A message of yours could not be handled
    Tap: A tap of yours could not be handled
    Answer: An answer of Home could not be shown
    Answer: An answer of the hub could not be shown
    Where: Machine: Home
    Where: Where: on the hub
    Refused: As it is, it can never be handled.
    Failed: Handling it broke off: a defect of PhoneWork.
    TooOften: It was begun 12 times and never came to an end.
    Detail: Reason: …
    Hint: Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    Cut: It had 200000 bytes, too many to be kept whole, so it cannot be retried. Nothing else waits for it.
    Retry: Retry
    Discard: Discard
    NoRoom: Not handed in again: there is no room
    NoRoomHint: Too many messages are waiting. It is still kept: tap Retry again later.
    Retried: Handed in again
    RetriedHint: If it fails again, there will be a new card.
    Discarded: Discarded
    DiscardedHint: It is not kept any more.
    Gone: It is not kept any more
    GoneHint: What could not be handled is kept for a week at most. If it still matters, please send it again.
    ");
}
