//! How the cards read, in both languages.

use chrono::DateTime;
use insta::assert_snapshot;

use super::*;

fn request(fate: Fate) -> Request {
    Request {
        node: "lab-1".parse().unwrap(),
        key: "UABCDEFGHIJKLMNOPQRSTUVW12345678".into(),
        name: "Lab".into(),
        program: "0.1.0".into(),
        asked_at: DateTime::UNIX_EPOCH,
        fate,
    }
}

fn show(view: &View) -> String {
    let mut lines = vec![format!("{:?}: {}", view.tone, view.title)];
    for block in &view.blocks {
        lines.push(match block {
            Block::Plain { text } => text.clone(),
            other => format!("{other:?}"),
        });
    }
    lines.extend(
        view.buttons
            .iter()
            .map(|button| format!("[{}] {:?}", button.label, button.action)),
    );
    lines.join("\n")
}

#[test]
fn the_question() {
    let request = request(Fate::Open);
    assert_snapshot!(show(&question(Lang::En, &request)), @r#"
    Asking: Let machine lab-1 in?
    Fields { rows: [("Node id", "lab-1"), ("Name", "Lab"), ("Version", "0.1.0"), ("End of its key", "12345678")] }
    It knows ROUTER_SECRET. Approve only what you have just started yourself, and if its log shows the same end of its key. Once in, it runs the work that is sent to it.
    [Approve] Enrol { id: NodeId("lab-1"), key: "UABCDEFGHIJKLMNOPQRSTUVW12345678", choice: Approve }
    [Deny] Enrol { id: NodeId("lab-1"), key: "UABCDEFGHIJKLMNOPQRSTUVW12345678", choice: Deny }
    "#);
    assert_snapshot!(show(&question(Lang::Zh, &request)), @r#"
    Asking: 是否允许机器 lab-1 加入？
    Fields { rows: [("机器 ID", "lab-1"), ("名称", "Lab"), ("版本", "0.1.0"), ("密钥末尾", "12345678")] }
    它知道 ROUTER_SECRET。请只在自己刚启动了它、且它日志里的密钥末尾相同时批准。批准后，它就能执行发给它的工作。
    [批准] Enrol { id: NodeId("lab-1"), key: "UABCDEFGHIJKLMNOPQRSTUVW12345678", choice: Approve }
    [拒绝] Enrol { id: NodeId("lab-1"), key: "UABCDEFGHIJKLMNOPQRSTUVW12345678", choice: Deny }
    "#);
    assert_snapshot!(ring(Lang::En, &request), @"Machine lab-1 asks to be let in and waits for you");
}

#[test]
fn the_answers() {
    let by: common::ids::UserId = "feishu/ou_1".parse().unwrap();
    let approved = request(Fate::Approved { by: by.clone() });
    let denied = request(Fate::Denied { by });
    assert_snapshot!(show(&settled(Lang::En, &approved, false)), @r"
    Done: lab-1 is let in
    It will be on within seconds.
    Decided by feishu/ou_1
    ");
    assert_snapshot!(show(&settled(Lang::Zh, &approved, true)), @r"
    Done: 已允许 lab-1 加入
    它会在几秒内上线。
    由 feishu/ou_1 决定
    此前已有人决定，这次点击没有改变任何东西。
    ");
    assert_snapshot!(show(&settled(Lang::En, &denied, true)), @r"
    Plain: lab-1 is not let in
    If you change your mind, run phonework enroll lab-1 on the hub.
    Decided by feishu/ou_1
    This was decided before; your tap changed nothing.
    ");
    assert_snapshot!(show(&settled(Lang::Zh, &denied, false)), @r"
    Plain: 已拒绝 lab-1
    改变主意时，请在中心机器上运行 phonework enroll lab-1。
    由 feishu/ou_1 决定
    ");
    assert_snapshot!(show(&not_admin(Lang::En)), @r"
    Warning: You cannot let machines in
    Only those in ADMIN_OPEN_IDS can.
    ");
    assert_snapshot!(show(&failed(Lang::En, "lab-1 is taken")), @r"
    Failed: That did not work
    lab-1 is taken
    ");
}
