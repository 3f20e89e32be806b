//! The gateway's texts.

use crate::text::gateway::GatewayText;

use super::{s, said, table};
use crate::text::Say as _;

table! {
    GatewayText;
    NotAllowed: [GatewayText::NotAllowed { id: s("ou_1") }],
    Part: [GatewayText::Part { n: 2, of: 3 }, GatewayText::Part { n: 1, of: 3 }],
    Steps: [GatewayText::Steps { count: 2 }, GatewayText::Steps { count: 1 }],
    PartEmpty: [GatewayText::PartEmpty],
    TapTaken: [GatewayText::TapTaken],
    TapKept: [GatewayText::TapKept],
    TapFailed: [GatewayText::TapFailed],
    TapGone: [GatewayText::TapGone],
    LoginTitle: [GatewayText::LoginTitle],
    LoginNeeded: [GatewayText::LoginNeeded],
    LinkUsed: [GatewayText::LinkUsed],
    LoggedIn: [GatewayText::LoggedIn],
    GoOn: [GatewayText::GoOn],
    OtherOrigin: [GatewayText::OtherOrigin],
    BadRequest: [GatewayText::BadRequest],
    NotTaken: [GatewayText::NotTaken],
    TooLarge: [GatewayText::TooLarge],
    FileGone: [GatewayText::FileGone { name: s("a.pdf") }],
    FileRefused: [GatewayText::FileRefused { name: s("a.pdf"), why: s("too wide") }],
    FileDropped: [GatewayText::FileDropped],
    FileTooLarge: [GatewayText::FileTooLarge { max: s("100 MB") }],
    FileNoRoom: [GatewayText::FileNoRoom],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, GatewayText::zh), @"
    NotAllowed: 抱歉，您还没有使用权限。请管理员把 ou_1 加入 keyring.yaml 的 ALLOWED_OPEN_IDS。
    Part: 第 2/3 部分
    Part: 第 1/3 部分
    Steps: 2 个步骤
    Steps: 1 个步骤
    PartEmpty: （这一部分已不再需要）
    TapTaken: 收到
    TapKept: 已记下，连接恢复后立即生效
    TapFailed: 可能没有收到；如果没有变化，请再点一次
    TapGone: 这个按钮已经失效
    LoginTitle: 请先登录
    LoginNeeded: 请打开 PhoneWork 启动时在终端里打印的登录链接（http://…/login?token=…）。每次启动都会打印一个新链接，只能使用一次。
    LinkUsed: 这个登录链接已经用过，或者不是最新的。请使用终端里最近一次打印的链接，或重新启动 PhoneWork 得到新链接。
    LoggedIn: 已登录
    GoOn: 进入 PhoneWork
    OtherOrigin: 拒绝：这个请求不是从 PhoneWork 自己的页面发出的。请使用启动时打印的地址。
    BadRequest: 无法读懂这个请求，请刷新页面后再试。
    NotTaken: 消息服务暂时没有确认，页面会自动重试。
    TooLarge: 内容太大，请分成几条发送。
    FileGone: a.pdf 没有按时送达（在途中超过两小时）。请重新发送：/send
    FileRefused: 聊天平台没有接受 a.pdf：too wide
    FileDropped: 这个文件已不再保留，请重新发送：/send
    FileTooLarge: 文件是空的，或超过 100 MB。
    FileNoRoom: 现在没有空间接收文件，请稍后再试。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, GatewayText::en), @"
    NotAllowed: Sorry, you may not use this bot yet. Ask its owner to add ou_1 to ALLOWED_OPEN_IDS in keyring.yaml.
    Part: Part 2 of 3
    Part: Part 1 of 3
    Steps: 2 steps
    Steps: 1 step
    PartEmpty: (This part is no longer needed.)
    TapTaken: Got it
    TapKept: Kept: it counts as soon as the connection is back
    TapFailed: That may not have arrived; tap again if nothing changes
    TapGone: This button is no longer in use
    LoginTitle: Please log in first
    LoginNeeded: Open the login link that PhoneWork printed in its terminal when it started (http://…/login?token=…). Each start prints a new one, and it works once.
    LinkUsed: This login link has been used, or is not the newest one. Use the one that was printed last, or restart PhoneWork to get a new one.
    LoggedIn: You are logged in
    GoOn: Go to PhoneWork
    OtherOrigin: Refused: this request did not come from PhoneWork's own page. Use the address that was printed at its start.
    BadRequest: This request cannot be read; reload the page and try again.
    NotTaken: The broker has not confirmed yet; the page tries again.
    TooLarge: This is too large; send it in several messages.
    FileGone: a.pdf did not arrive in time (it was on its way for more than two hours). Send it again: /send
    FileRefused: The chat platform did not take a.pdf: too wide
    FileDropped: This file is not kept any more. Send it again: /send
    FileTooLarge: The file is empty, or larger than 100 MB.
    FileNoRoom: There is no room for the file at present; try again later.
    ");
}
