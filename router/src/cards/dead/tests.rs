//! The cards about dead letters in both languages, as people read them.

use super::*;

fn letter(why: DeadWhy) -> Letter {
    Letter {
        id: "dead-PW_WORK-7-1".into(),
        subject: "pw.work.home.feishu.ou_1".into(),
        stream: "PW_WORK".into(),
        sequence: 7,
        attempts: 13,
        why,
        detail: "not a readable work: missing field `body`".into(),
        traceparent: String::new(),
        cut_from: None,
        payload: bytes::Bytes::new(),
    }
}

fn plain(view: &View) -> String {
    let mut lines = vec![format!("# {} ({:?})", view.title, view.tone)];
    for block in &view.blocks {
        match block {
            Block::Plain { text } => lines.push(text.clone()),
            other => panic!("not on these cards: {other:?}"),
        }
    }
    for button in &view.buttons {
        lines.push(format!("[{} → {:?}]", button.label, button.action));
    }
    lines.extend(view.footer.iter().map(|text| format!("-- {text}")));
    lines.join("\n")
}

fn both(card: impl Fn(Lang) -> View) -> String {
    format!("{}\n\n{}", plain(&card(Lang::Zh)), plain(&card(Lang::En)))
}

#[test]
fn the_question_about_a_message() {
    let what = What::Message(Some("build it\nand the rest".into()));
    let refused = letter(DeadWhy::Refused);
    insta::assert_snapshot!(both(|lang| question(lang, &what, Some("Home"), &refused, 5)), @r"
    # 您的一条消息无法处理 (Failed)
    “build it…”
    机器：Home
    按它现在的样子永远无法处理。
    原因：not a readable work: missing field `body`
    其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。
    [重试 → Dead { sequence: 5, choice: Retry }]
    [丢弃 → Dead { sequence: 5, choice: Discard }]
    -- dead-refused

    # A message of yours could not be handled (Failed)
    “build it…”
    Machine: Home
    As it is, it can never be handled.
    Reason: not a readable work: missing field `body`
    Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    [Retry → Dead { sequence: 5, choice: Retry }]
    [Discard → Dead { sequence: 5, choice: Discard }]
    -- dead-refused
    ");
    let often = letter(DeadWhy::TooOften);
    insta::assert_snapshot!(both(|lang| question(lang, &What::Message(None), None, &often, 5)), @r"
    # 您的一条消息无法处理 (Failed)
    位置：中心机
    已经开始 13 次，每次都在完成之前中断。
    其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。
    [重试 → Dead { sequence: 5, choice: Retry }]
    [丢弃 → Dead { sequence: 5, choice: Discard }]
    -- dead-too-often

    # A message of yours could not be handled (Failed)
    Where: on the hub
    It was begun 13 times and never came to an end.
    Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    [Retry → Dead { sequence: 5, choice: Retry }]
    [Discard → Dead { sequence: 5, choice: Discard }]
    -- dead-too-often
    ");
}

#[test]
fn the_question_about_a_tap() {
    let failed = letter(DeadWhy::Failed);
    insta::assert_snapshot!(both(|lang| question(lang, &What::Tap, Some("Home"), &failed, 5)), @r"
    # 您的一次点击无法处理 (Failed)
    机器：Home
    处理中途出错了，这是 PhoneWork 的缺陷。
    其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。
    [重试 → Dead { sequence: 5, choice: Retry }]
    [丢弃 → Dead { sequence: 5, choice: Discard }]
    -- dead-failed

    # A tap of yours could not be handled (Failed)
    Machine: Home
    Handling it broke off: a defect of PhoneWork.
    Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    [Retry → Dead { sequence: 5, choice: Retry }]
    [Discard → Dead { sequence: 5, choice: Discard }]
    -- dead-failed
    ");
}

#[test]
fn the_question_about_an_answer() {
    let cut = Letter {
        cut_from: Some(1_048_000),
        ..letter(DeadWhy::Refused)
    };
    insta::assert_snapshot!(both(|lang| question(lang, &What::Answer, Some("Home"), &cut, 5)), @r"
    # Home 的一条回复无法显示 (Failed)
    按它现在的样子永远无法处理。
    原因：not a readable work: missing field `body`
    它有 1048000 字节，太大而没有完整保留，不能重试。其他消息不受影响。
    [丢弃 → Dead { sequence: 5, choice: Discard }]
    -- dead-refused

    # An answer of Home could not be shown (Failed)
    As it is, it can never be handled.
    Reason: not a readable work: missing field `body`
    It had 1048000 bytes, too many to be kept whole, so it cannot be retried. Nothing else waits for it.
    [Discard → Dead { sequence: 5, choice: Discard }]
    -- dead-refused
    ");
    let failed = letter(DeadWhy::Failed);
    let hub = question(Lang::En, &What::Answer, None, &failed, 5);
    assert_eq!(hub.title, "An answer of the hub could not be shown");
}

#[test]
fn what_became_of_it() {
    let retry = |lang| settled(lang, DeadChoice::Retry, false);
    insta::assert_snapshot!(both(retry), @r"
    # 已重新提交 (Done)
    如果再次失败，会有一张新的卡片。

    # Handed in again (Done)
    If it fails again, there will be a new card.
    ");
    let late = |lang| settled(lang, DeadChoice::Discard, true);
    insta::assert_snapshot!(both(late), @r"
    # 已丢弃 (Done)
    它已不再保留。
    以第一次点击为准，这次点击没有改变任何东西。

    # Discarded (Done)
    It is not kept any more.
    The first tap counted; this one changed nothing.
    ");
    insta::assert_snapshot!(both(gone), @r"
    # 它已不再保留 (Warning)
    无法处理的内容最多保留一周。如果仍然需要，请重新发送。

    # It is not kept any more (Warning)
    What could not be handled is kept for a week at most. If it still matters, please send it again.
    ");
    insta::assert_snapshot!(both(no_room), @r"
    # 现在没有空间，没有重新提交 (Failed)
    已有太多消息在等待。它仍然保留，请稍后再点“重试”。
    -- no-room

    # Not handed in again: there is no room (Failed)
    Too many messages are waiting. It is still kept: tap Retry again later.
    -- no-room
    ");
    insta::assert_snapshot!(both(|lang| cut(lang, 2_000_000)), @r"
    # 您的一条消息无法处理 (Warning)
    它有 2000000 字节，太大而没有完整保留，不能重试。其他消息不受影响。

    # A message of yours could not be handled (Warning)
    It had 2000000 bytes, too many to be kept whole, so it cannot be retried. Nothing else waits for it.
    ");
}
