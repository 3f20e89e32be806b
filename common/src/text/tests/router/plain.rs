//! Of messages and machines in general.

use crate::text::router::RouterText;

use crate::text::Say as _;
use crate::text::tests::{s, said, table};

table! {
    RouterText;
    AskTitle: [RouterText::AskTitle],
    AskHint: [RouterText::AskHint],
    AskMore: [RouterText::AskMore { count: 2 }, RouterText::AskMore { count: 1 }],
    SentTo: [RouterText::SentTo { node: s("Home") }],
    SentHint: [RouterText::SentHint { node: s("Home") }],
    AlreadySent: [RouterText::AlreadySent { node: s("Home") }],
    AlreadySentHint: [RouterText::AlreadySentHint],
    Expired: [RouterText::Expired],
    ExpiredHint: [RouterText::ExpiredHint { node: s("Home") }],
    NoNodes: [RouterText::NoNodes],
    NoNodesHint: [RouterText::NoNodesHint { user: s("feishu/ou_1") }],
    Nodes: [RouterText::Nodes],
    On: [RouterText::On],
    Off: [RouterText::Off],
    Never: [RouterText::Never],
    Active: [RouterText::Active],
    Ago: [RouterText::Ago { seconds: 75 }, RouterText::Ago { seconds: 7_200 }],
    Sessions: [RouterText::Sessions { open: 3, running: 1 }, RouterText::Sessions { open: 1, running: 0 }],
    Load: [RouterText::Load { percent: Some(40) }, RouterText::Load { percent: None }],
    Queued: [RouterText::Queued { count: Some(2) }, RouterText::Queued { count: None }],
    NodesHint: [RouterText::NodesHint],
    Use: [RouterText::Use { node: s("Home") }],
    Using: [RouterText::Using { node: s("Home") }],
    UsingHint: [RouterText::UsingHint],
    UsingOff: [RouterText::UsingOff { seconds: Some(75) }, RouterText::UsingOff { seconds: None }],
    UnknownNode: [RouterText::UnknownNode { name: s("hom") }],
    KnownNodes: [RouterText::KnownNodes { names: vec![s("Home"), s("Lab")] }, RouterText::KnownNodes { names: vec![s("Home")] }],
    AmbiguousNode: [RouterText::AmbiguousNode { name: s("hom") }],
    MatchingNodes: [RouterText::MatchingNodes { names: vec![s("Home"), s("Lab")] }, RouterText::MatchingNodes { names: vec![s("Home")] }],
    WrongUse: [RouterText::WrongUse],
    Usage: [RouterText::Usage { usage: s("/node <name>") }],
    Waiting: [RouterText::Waiting { node: s("Home") }],
    LastSeen: [RouterText::LastSeen { seconds: Some(75) }, RouterText::LastSeen { seconds: None }],
    Place: [RouterText::Place { place: Some(3), hours: 72 }, RouterText::Place { place: None, hours: 72 }],
    QueueFull: [RouterText::QueueFull { node: s("Home") }],
    QueueFullHint: [RouterText::QueueFullHint { limit: 200 }],
    HubFull: [RouterText::HubFull],
    HubFullHint: [RouterText::HubFullHint],
    Unsupported: [RouterText::Unsupported { what: s("image") }],
    UnsupportedHint: [RouterText::UnsupportedHint],
    TooLong: [RouterText::TooLong],
    TooLongHint: [RouterText::TooLongHint { bytes: 200_000, limit: 200 }],
    NotYours: [RouterText::NotYours { node: s("Home") }],
    NotYoursHint: [RouterText::NotYoursHint],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, RouterText::zh), @"
    AskTitle: 发给哪台机器？
    AskHint: 有多台机器可用。请选择一台，之后的消息也会发给它。
    AskMore: 还有 2 台，请用 /node <名称> 选择。
    AskMore: 还有 1 台，请用 /node <名称> 选择。
    SentTo: 已发给 Home
    SentHint: 之后的消息也会发给 Home；用 /node <名称> 可以更换。
    AlreadySent: 这条消息之前已发给 Home
    AlreadySentHint: 以第一次点击为准，这次点击没有改变任何东西。
    Expired: 这条消息已不再保留
    ExpiredHint: 消息最多等待选择 72 小时，这条没有执行。当前机器是 Home，请重新发送。
    NoNodes: 还没有可用的机器
    NoNodesHint: 请在中心机上运行 `phonework enroll <名称>`，在要使用的机器上运行它打印的那一行，然后在那里运行 `phonework host`。如果机器已登记但只服务指定的人，请让管理员加上 --serves feishu/ou_1。
    Nodes: 您的机器
    On: 在线
    Off: 离线
    Never: 从未上线
    Active: 当前
    Ago: 75 秒前
    Ago: 2 小时前
    Sessions: 3 个会话，1 个运行中
    Sessions: 1 个会话，0 个运行中
    Load: 负载 40%
    Load: 负载未知
    Queued: 2 条消息在等
    Queued: 等待数未知
    NodesHint: /node <名称> 更换当前机器
    Use: 使用 Home
    Using: 现在使用 Home
    UsingHint: 之后的消息会发给这台机器。
    UsingOff: 它现在不在线（最近一次心跳：75 秒前）。消息会等它上线。
    UsingOff: 它现在不在线（从未上线过）。消息会等它上线。
    UnknownNode: 没有名为“hom”的机器
    KnownNodes: 您的机器：Home、Lab
    KnownNodes: 您的机器：Home
    AmbiguousNode: 有多台机器符合“hom”
    MatchingNodes: 请写完整：Home、Lab
    MatchingNodes: 请写完整：Home
    WrongUse: 命令写法不对，没有改变任何东西
    Usage: 用法：/node <name>
    Waiting: Home 不在线，消息在等它
    LastSeen: 最近一次心跳：75 秒前
    LastSeen: 从未上线过
    Place: 排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    Place: 机器上线后会按顺序执行，最多等 72 小时。
    QueueFull: Home 的等待队列已满，这条没有收下
    QueueFullHint: 已有 200 条消息在等这台机器。请等它上线后重新发送，或用 /node <名称> 换一台。
    HubFull: 中心机没有空间，这条没有收下
    HubFullHint: 等待中的消息太多。请稍后重新发送；如果一直这样，请管理员运行 phonework doctor。
    Unsupported: 暂时还不能处理图片
    UnsupportedHint: 请发送文字、图片或文件。
    TooLong: 文字太长，没有执行
    TooLongHint: 这条有 200000 字节，最多 200 字节。请分成几条发送，或把内容放进机器上的文件里。
    NotYours: 机器 Home 不在您的机器之中
    NotYoursHint: 它可能已被移除，或不再为您服务。用 /nodes 查看您的机器。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, RouterText::en), @"
    AskTitle: Which machine?
    AskHint: Several machines can take this. The one you choose gets what you send from then on.
    AskMore: And 2 more: choose with /node <name>.
    AskMore: And 1 more: choose with /node <name>.
    SentTo: Sent to Home
    SentHint: What you send now goes to Home; /node <name> changes that.
    AlreadySent: This message had gone to Home already
    AlreadySentHint: The first tap counted; this one changed nothing.
    Expired: This message is not kept any more
    ExpiredHint: A message waits 72 hours for a choice; this one was not run. Home is the active machine now: please send it again.
    NoNodes: No machine yet
    NoNodesHint: Run `phonework enroll <name>` on the hub, on the machine that you want to use the line that it prints, and then `phonework host` there. If a machine is enrolled for certain people only, ask its owner to add --serves feishu/ou_1.
    Nodes: Your machines
    On: on
    Off: off
    Never: never seen
    Active: active
    Ago: 75 s ago
    Ago: 2 h ago
    Sessions: 3 sessions, 1 running
    Sessions: 1 session, 0 running
    Load: load 40%
    Load: load unknown
    Queued: 2 messages wait
    Queued: waiting messages unknown
    NodesHint: /node <name> changes the active machine
    Use: Use Home
    Using: Now using Home
    UsingHint: What you send now goes to this machine.
    UsingOff: It is off at the moment (last sign of life 75 s ago). Messages wait for it.
    UsingOff: It is off at the moment (it has never been on). Messages wait for it.
    UnknownNode: There is no machine “hom”
    KnownNodes: Your machines: Home, Lab
    KnownNodes: Your machines: Home
    AmbiguousNode: Several machines match “hom”
    MatchingNodes: Write one of them in full: Home, Lab
    MatchingNodes: Write one of them in full: Home
    WrongUse: That is not how this command is written; nothing was changed
    Usage: Usage: /node <name>
    Waiting: Home is off; your message waits for it
    LastSeen: Last sign of life: 75 s ago
    LastSeen: It has never been on
    Place: Place in line: 3. It runs in order once the machine is back, within 72 hours.
    Place: It runs in order once the machine is back, within 72 hours.
    QueueFull: Not taken: too much waits for Home
    QueueFullHint: 200 messages wait for this machine already. Send it again when the machine is back, or take another one with /node <name>.
    HubFull: Not taken: the hub has no room
    HubFullHint: Too many messages are waiting. Please send it again later; if this goes on, the owner should run phonework doctor.
    Unsupported: Cannot handle pictures yet
    UnsupportedHint: Please send text, pictures or files.
    TooLong: Too long: this was not run
    TooLongHint: It has 200000 bytes, at most 200 are taken. Send it in pieces, or put the content into a file on the machine.
    NotYours: Home is not one of your machines
    NotYoursHint: It may have been removed, or serves you no longer. /nodes lists your machines.
    ");
}
