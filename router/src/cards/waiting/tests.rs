//! Every card and notice about what waits, in both languages, as people read it.

use chrono::TimeDelta;
use common::ids::{CauseId, Surface};
use common::message::inbound::{Chat, ChatKind};
use common::stream::WORK_WAITS;

use super::*;
use crate::cards::tests::both;
use crate::waiting::{Other, Waits};

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn entry(lang: Lang, state: State) -> Entry {
    let cause = CauseId::new(Surface::Feishu, "om_1");
    Entry {
        cause: cause.clone(),
        user: "ou_1".parse().unwrap(),
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Direct,
            message: None,
        },
        lang,
        traceparent: String::new(),
        node: "home-pc".parse().unwrap(),
        name: "Home".into(),
        tap: false,
        sequence: 7,
        at: now(),
        first: cause,
        rev: 1,
        open: false,
        state,
    }
}

fn shown(state: &State) -> String {
    both(|lang| view(&entry(lang, state.clone()), WORK_WAITS, now()))
}

fn waits() -> Waits {
    Waits {
        since: Some(now() - TimeDelta::seconds(2_400)),
        place: 3,
        others: vec![Other {
            node: "lab-1".parse().unwrap(),
            name: "Lab".into(),
        }],
        ..Waits::default()
    }
}

fn tap() -> CauseId {
    CauseId::new(Surface::Feishu, "ev_1")
}

#[test]
fn a_message_that_waits() {
    insta::assert_snapshot!(shown(&State::Waiting(waits())), @r"
    # Home 不在线，消息在等它 (Warning)
    最近一次心跳：40 分钟前
    排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    [取消 → cancel at home-pc]
    [改发给 Lab → from home-pc to lab-1]

    # Home is off; your message waits for it (Warning)
    Last sign of life: 40 min ago
    Place in line: 3. It runs in order once the machine is back, within 72 hours.
    [Cancel → cancel at home-pc]
    [Send to Lab → from home-pc to lab-1]
    ");
    let never = Waits {
        since: None,
        others: Vec::new(),
        ..waits()
    };
    insta::assert_snapshot!(shown(&State::Waiting(never.clone())), @r"
    # Home 不在线，消息在等它 (Warning)
    从未上线过
    排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    [取消 → cancel at home-pc]

    # Home is off; your message waits for it (Warning)
    It has never been on
    Place in line: 3. It runs in order once the machine is back, within 72 hours.
    [Cancel → cancel at home-pc]
    ");
    let tapped = |lang| {
        let entry = Entry {
            tap: true,
            ..entry(lang, State::Waiting(never.clone()))
        };
        view(&entry, WORK_WAITS, now())
    };
    insta::assert_snapshot!(both(tapped), @r"
    # Home 不在线，您的点击在等它 (Warning)
    从未上线过
    排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    [取消 → cancel at home-pc]

    # Home is off; your tap waits for it (Warning)
    It has never been on
    Place in line: 3. It runs in order once the machine is back, within 72 hours.
    [Cancel → cancel at home-pc]
    ");
}

#[test]
fn a_machine_that_is_on_and_in_trouble() {
    let trouble = Waits {
        since: None,
        trouble: Some("the disk is full".into()),
        ..waits()
    };
    insta::assert_snapshot!(shown(&State::Waiting(trouble)), @r"
    # Home 暂时不能接收工作，消息在等它 (Warning)
    不能接收工作，请检查它的磁盘：the disk is full
    排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    [取消 → cancel at home-pc]
    [改发给 Lab → from home-pc to lab-1]

    # Home can take no work right now; your message waits for it (Warning)
    can take no work: the disk is full
    Place in line: 3. It runs in order once the machine is back, within 72 hours.
    [Cancel → cancel at home-pc]
    [Send to Lab → from home-pc to lab-1]
    ");
}

#[test]
fn it_could_not_be_moved() {
    let kept = Waits {
        kept_from: Some("Lab".into()),
        others: Vec::new(),
        ..waits()
    };
    insta::assert_snapshot!(shown(&State::Waiting(kept)), @r"
    # Home 不在线，消息在等它 (Warning)
    没有改发给 Lab：Home 可能已经拿到它，改发会执行两次。它继续等 Home。
    最近一次心跳：40 分钟前
    排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    [取消 → cancel at home-pc]

    # Home is off; your message waits for it (Warning)
    Not sent to Lab: Home may have it already, and it would run twice. It waits for Home.
    Last sign of life: 40 min ago
    Place in line: 3. It runs in order once the machine is back, within 72 hours.
    [Cancel → cancel at home-pc]
    ");
    let full = Waits {
        full: Some("Lab".into()),
        ..waits()
    };
    insta::assert_snapshot!(shown(&State::Waiting(full)), @r"
    # Home 不在线，消息在等它 (Warning)
    没有改发给 Lab：等它的消息已经太多。
    最近一次心跳：40 分钟前
    排在第 3 位。机器上线后会按顺序执行，最多等 72 小时。
    [取消 → cancel at home-pc]
    [改发给 Lab → from home-pc to lab-1]

    # Home is off; your message waits for it (Warning)
    Not sent to Lab: too much waits for that machine already.
    Last sign of life: 40 min ago
    Place in line: 3. It runs in order once the machine is back, within 72 hours.
    [Cancel → cancel at home-pc]
    [Send to Lab → from home-pc to lab-1]
    ");
}

#[test]
fn the_machine_is_back() {
    insta::assert_snapshot!(shown(&State::Taken { count: 1 }), @r"
    # Home 已上线并收下了它 (Done)

    # Home is back and has taken it (Done)
    ");
    let notice = |count| {
        format!(
            "{}\n{}",
            back(Lang::Zh, "Home", count),
            back(Lang::En, "Home", count)
        )
    };
    insta::assert_snapshot!(notice(1), @r"
    Home 已上线，开始执行您的消息
    Home is back and runs your message
    ");
    insta::assert_snapshot!(notice(3), @r"
    Home 已上线，开始执行您的 3 条消息
    Home is back and runs your 3 messages
    ");
}

#[test]
fn taken_back() {
    insta::assert_snapshot!(shown(&State::Withdrawn { by: tap() }), @r"
    # 已取消，不会执行 (Plain)
    Home 还没有拿到它，它已被收回。

    # Cancelled; it will not run (Plain)
    It was taken back before Home had it.
    ");
    insta::assert_snapshot!(shown(&State::Asked { by: tap() }), @r"
    # Home 可能已经拿到它 (Warning)
    Home 一有回应，就会收回还没开始的部分；结果会显示在这张卡片上。

    # Home may have it already (Warning)
    If it has not begun, Home takes it back as soon as it answers. This card will say what came of it.
    ");
    let moved = State::Moved {
        by: tap(),
        from: "Lab".into(),
    };
    insta::assert_snapshot!(shown(&moved), @r"
    # 已改发给 Home，不再等 Lab (Done)
    Lab 从未拿到它，所以只会执行一次。

    # Sent to Home instead of Lab (Done)
    Lab never had it, so it runs once.
    ");
    let late = |lang| late(&entry(lang, moved.clone()), WORK_WAITS, now());
    insta::assert_snapshot!(both(late), @r"
    # 已改发给 Home，不再等 Lab (Done)
    Lab 从未拿到它，所以只会执行一次。
    以第一次点击为准，这次点击没有改变任何东西。

    # Sent to Home instead of Lab (Done)
    Lab never had it, so it runs once.
    The first tap counted; this one changed nothing.
    ");
    insta::assert_snapshot!(both(gone), @r"
    # 这条消息已不在等待 (Warning)
    没有改变任何东西。需要的话，请重新发送。

    # This message does not wait any more (Warning)
    Nothing was changed. Send it again if you still need it.
    ");
}

#[test]
fn its_machine_was_removed() {
    let removed = |sure, kept| {
        let others = waits().others;
        shown(&State::Removed { sure, kept, others })
    };
    insta::assert_snapshot!(removed(true, true), @r"
    # 没有送达：Home 已被移除 (Failed)
    它没有执行。可以改发给另一台机器。
    [改发给 Lab → from home-pc to lab-1]

    # Not delivered: Home was removed (Failed)
    It was not run. Another machine can have it.
    [Send to Lab → from home-pc to lab-1]
    ");
    insta::assert_snapshot!(removed(false, true), @r"
    # 没有送达：Home 已被移除 (Failed)
    Home 被移除前可能已经拿到它；重新发送之前请先看一下。可以改发给另一台机器。
    [改发给 Lab → from home-pc to lab-1]

    # Not delivered: Home was removed (Failed)
    Home may have had it before it was removed: look there before you send it elsewhere. Another machine can have it.
    [Send to Lab → from home-pc to lab-1]
    ");
    insta::assert_snapshot!(removed(true, false), @r"
    # 没有送达：Home 已被移除 (Failed)
    它没有执行。

    # Not delivered: Home was removed (Failed)
    It was not run.
    ");
}

#[test]
fn it_waited_in_vain() {
    let expired = |sure, kept| shown(&State::Expired { sure, kept });
    insta::assert_snapshot!(expired(true, true), @r"
    # 没有送达：Home 一直没有收下 (Failed)
    它等了 72 小时，没有执行。
    [再次发送 → again to home-pc]

    # Not delivered: Home did not take it (Failed)
    It waited 72 hours, and was not run.
    [Send again → again to home-pc]
    ");
    let unsure = expired(false, true);
    assert!(
        unsure.contains("Sent again, it still runs once."),
        "{unsure}"
    );
    insta::assert_snapshot!(expired(false, false), @r"
    # 没有送达：Home 一直没有收下 (Failed)
    它等了 72 小时，Home 离线前可能已经拿到它；重新发送之前请先看一下。

    # Not delivered: Home did not take it (Failed)
    It waited 72 hours, and Home may have had it when it went off: look there before you send it again.
    ");
    insta::assert_snapshot!(shown(&State::Again { by: tap() }), @r"
    # 已再次发给 Home (Done)

    # Sent to Home again (Done)
    ");
}

#[test]
fn what_may_not_even_wait() {
    let full = |why, count| both(|lang| refused(lang, "Home", why, count));
    insta::assert_snapshot!(full(Refusal::Queue, 1), @r"
    # Home 的等待队列已满，这条没有收下 (Failed)
    已有 200 条消息在等这台机器。请等它上线后重新发送，或用 /node <名称> 换一台。
    -- queue-full

    # Not taken: too much waits for Home (Failed)
    200 messages wait for this machine already. Send it again when the machine is back, or take another one with /node <name>.
    -- queue-full
    ");
    insta::assert_snapshot!(full(Refusal::Queue, 1_600), @r"
    # Home 的等待队列已满，这条没有收下 (Failed)
    已有 200 条消息在等这台机器。请等它上线后重新发送，或用 /node <名称> 换一台。
    到现在共有 1600 条没有收下。
    -- queue-full

    # Not taken: too much waits for Home (Failed)
    200 messages wait for this machine already. Send it again when the machine is back, or take another one with /node <name>.
    1600 messages were not taken so far.
    -- queue-full
    ");
    insta::assert_snapshot!(full(Refusal::Hub, 1), @r"
    # 中心机没有空间，这条没有收下 (Failed)
    等待中的消息太多。请稍后重新发送；如果一直这样，请管理员运行 phonework doctor。
    -- hub-full

    # Not taken: the hub has no room (Failed)
    Too many messages are waiting. Please send it again later; if this goes on, the owner should run phonework doctor.
    -- hub-full
    ");
}
