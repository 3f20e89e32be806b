//! Of machines that ask to be let in.

use crate::text::router::enrol::EnrolText;

use crate::text::Say as _;
use crate::text::tests::{s, said, table};

table! {
    EnrolText;
    Ring: [EnrolText::Ring { node: s("Home") }],
    Title: [EnrolText::Title { node: s("Home") }],
    Id: [EnrolText::Id],
    Name: [EnrolText::Name],
    Program: [EnrolText::Program],
    Key: [EnrolText::Key],
    Hint: [EnrolText::Hint],
    Approve: [EnrolText::Approve],
    Deny: [EnrolText::Deny],
    Approved: [EnrolText::Approved { node: s("Home") }],
    ApprovedHint: [EnrolText::ApprovedHint],
    Denied: [EnrolText::Denied { node: s("Home") }],
    DeniedHint: [EnrolText::DeniedHint { node: s("Home") }],
    By: [EnrolText::By { user: s("feishu/ou_1") }],
    Late: [EnrolText::Late],
    NotAdmin: [EnrolText::NotAdmin],
    NotAdminHint: [EnrolText::NotAdminHint],
    Failed: [EnrolText::Failed],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, EnrolText::zh), @"
    Ring: 机器 Home 请求加入，等您决定
    Title: 是否允许机器 Home 加入？
    Id: 机器 ID
    Name: 名称
    Program: 版本
    Key: 密钥末尾
    Hint: 它知道 ROUTER_SECRET。请只在自己刚启动了它、且它日志里的密钥末尾相同时批准。批准后，它就能执行发给它的工作。
    Approve: 批准
    Deny: 拒绝
    Approved: 已允许 Home 加入
    ApprovedHint: 它会在几秒内上线。
    Denied: 已拒绝 Home
    DeniedHint: 改变主意时，请在中心机器上运行 phonework enroll Home。
    By: 由 feishu/ou_1 决定
    Late: 此前已有人决定，这次点击没有改变任何东西。
    NotAdmin: 您不能决定机器的加入
    NotAdminHint: 只有 ADMIN_OPEN_IDS 里的人可以。
    Failed: 没有成功
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, EnrolText::en), @"
    Ring: Machine Home asks to be let in and waits for you
    Title: Let machine Home in?
    Id: Node id
    Name: Name
    Program: Version
    Key: End of its key
    Hint: It knows ROUTER_SECRET. Approve only what you have just started yourself, and if its log shows the same end of its key. Once in, it runs the work that is sent to it.
    Approve: Approve
    Deny: Deny
    Approved: Home is let in
    ApprovedHint: It will be on within seconds.
    Denied: Home is not let in
    DeniedHint: If you change your mind, run phonework enroll Home on the hub.
    By: Decided by feishu/ou_1
    Late: This was decided before; your tap changed nothing.
    NotAdmin: You cannot let machines in
    NotAdminHint: Only those in ADMIN_OPEN_IDS can.
    Failed: That did not work
    ");
}
