//! Of machines that come and go.

use crate::text::router::NodeText;

use crate::text::Say as _;
use crate::text::tests::{s, said, table};

table! {
    NodeText;
    WentOff: [NodeText::WentOff { node: s("Home"), seconds: 75, restless: true }, NodeText::WentOff { node: s("Home"), seconds: 7_200, restless: false }],
    IsBack: [NodeText::IsBack { node: s("Home"), restless: true }, NodeText::IsBack { node: s("Home"), restless: false }],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, NodeText::zh), @"
    WentOff: Home 时断时续，现在离线了（最近一次心跳：75 秒前）。发给它的消息会等它回来。
    WentOff: Home 离线了（最近一次心跳：2 小时前）。发给它的消息会等它回来。
    IsBack: Home 之前时断时续，现在已经稳定在线。
    IsBack: Home 已恢复在线。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, NodeText::en), @"
    WentOff: Home has been coming and going, and is off now (last sign of life 75 s ago). What you send to it waits until it is back.
    WentOff: Home went off (last sign of life 2 h ago). What you send to it waits until it is back.
    IsBack: Home had been coming and going; it is steady now, and on.
    IsBack: Home is back.
    ");
}
