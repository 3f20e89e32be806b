//! Questions of the agent, open and answered.

use common::ids::PromptId;

use super::super::question::ASK_BYTES;
use super::*;
use crate::record::Ask;

fn ask() -> Ask {
    Ask {
        tool: "Bash".into(),
        about: None,
        lang: "bash".into(),
        body: "rm -rf build\nls".into(),
        reason: Some("outside the project".into()),
    }
}

#[test]
fn a_question() {
    let prompt = PromptId::derived(&["prompt"]);
    let open = |frame: Frame<'_>| question(frame, &ask(), &node(), prompt, None);
    insta::assert_snapshot!(both(open), @"
    # 请求许可：Bash (Asking)
    位置: Home · demo
    原因: outside the project
    bash| rm -rf build
    ls
    [允许一次 → AllowOnce, Primary]
    [本会话允许 → AllowSession, Normal]
    [拒绝 → Deny, Danger]

    # May I use Bash? (Asking)
    Where: Home · demo
    Why: outside the project
    bash| rm -rf build
    ls
    [Allow once → AllowOnce, Primary]
    [Allow for this session → AllowSession, Normal]
    [Deny → Deny, Danger]
    ");
    let mut edit = ask();
    edit.about = Some("/home/a/projects/demo/a.rs".into());
    edit.reason = None;
    let at = "14:02".to_owned();
    let answered = |frame: Frame<'_>| {
        let how = HostText::AllowedSession { at: at.clone() };
        question(frame, &edit, &node(), prompt, Some(&how))
    };
    insta::assert_snapshot!(both(answered), @"
    # 请求许可：Bash (Plain)
    位置: Home · demo
    对象: /home/a/projects/demo/a.rs
    bash| rm -rf build
    ls
    -- 14:02 已在本会话允许

    # May I use Bash? (Plain)
    Where: Home · demo
    About: /home/a/projects/demo/a.rs
    bash| rm -rf build
    ls
    -- Allowed for this session at 14:02
    ");
}

#[test]
fn a_question_shows_both_ends_of_a_huge_command() {
    let mut huge = ask();
    huge.body = format!("begin {} end", "é".repeat(ASK_BYTES));
    let card = question(
        frame(Lang::En),
        &huge,
        &node(),
        PromptId::derived(&["prompt"]),
        None,
    );
    insta::assert_snapshot!(show(&card), @"
    # May I use Bash? (Asking)
    Where: Home · demo
    Why: outside the project
    bash| begin éééééé ⟨12021 bytes⟩ éééééééé end
    [Allow once → AllowOnce, Primary]
    [Allow for this session → AllowSession, Normal]
    [Deny → Deny, Danger]
    ");
}
