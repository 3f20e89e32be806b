//! Every card about reminders, in both languages.

use common::ids::{CauseId, MessageId, Surface};
use common::message::inbound::{Chat, ChatKind};

use super::super::tests::both;
use super::*;
use crate::remind::record::State;
use crate::remind::repeat::{Days, Repeat};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn one(number: u32, again: Option<Repeat>) -> Reminder {
    Reminder {
        id: MessageId::derived(&[&number.to_string()]),
        user: "ou_1".parse().unwrap(),
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Direct,
            message: None,
        },
        cause: CauseId::new(Surface::Feishu, "om_1"),
        traceparent: String::new(),
        text: "stand up\nand stretch".into(),
        zone: "Asia/Shanghai".into(),
        number,
        from: at("2026-11-23T06:30:00Z"),
        due: at("2026-11-24T01:00:00Z"),
        again,
        state: State::Waits,
    }
}

fn work() -> Repeat {
    Repeat::Days {
        days: Days::WORK,
        minute: 540,
    }
}

const BOUNDS: Bounds = Bounds {
    soonest: 5,
    period: 60,
};

/// Without what a button carries.
fn short(card: impl Fn(Lang) -> View) -> String {
    let text = both(card);
    let line = |line: &str| match line.split_once(" → ") {
        Some((label, action)) => {
            let choice = action.split("choice: ").nth(1).unwrap_or_default();
            let choice = choice.split(' ').next().unwrap_or_default();
            format!("{label} → {choice}]")
        }
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_is_set() {
    insta::assert_snapshot!(short(|lang| set(lang, &one(1, None))), @"
    # 好的，会提醒您 (Done)
    2026-11-24 周二 09:00
    stand up
    and stretch
    [取消 → Cancel]
    -- 时区 Asia/Shanghai；/remind zone <地区/城市> 可更改

    # You will be reminded (Done)
    Tue 24 Nov 2026 09:00
    stand up
    and stretch
    [Cancel → Cancel]
    -- Time zone Asia/Shanghai; /remind zone <Area/City> changes it
    ");
    insta::assert_snapshot!(short(|lang| set(lang, &one(2, Some(work())))), @"
    # 好的，会提醒您 (Done)
    每周一至周五 09:00
    下一次：2026-11-24 周二 09:00
    stand up
    and stretch
    [取消 → Cancel]
    -- 时区 Asia/Shanghai；/remind zone <地区/城市> 可更改

    # You will be reminded (Done)
    every Mon–Fri at 09:00
    Next: Tue 24 Nov 2026 09:00
    stand up
    and stretch
    [Cancel → Cancel]
    -- Time zone Asia/Shanghai; /remind zone <Area/City> changes it
    ");
}

#[test]
fn what_is_set() {
    let seldom = Repeat::Days {
        days: Days::NONE
            .and(chrono::Weekday::Mon, chrono::Weekday::Wed)
            .and(chrono::Weekday::Sat, chrono::Weekday::Sat),
        minute: 1_290,
    };
    let all = [
        one(1, None),
        one(2, Some(work())),
        one(3, Some(seldom)),
        one(4, Some(Repeat::Every { seconds: 5_400 })),
        one(5, Some(Repeat::Every { seconds: 86_400 })),
        one(6, Some(Repeat::Month { day: 31, minute: 0 })),
        one(
            7,
            Some(Repeat::Cron {
                fields: "0 9 * * 1".into(),
            }),
        ),
        one(
            8,
            Some(Repeat::Days {
                days: Days::ALL,
                minute: 1,
            }),
        ),
    ]
    .map(Arc::new);
    insta::assert_snapshot!(short(|lang| list(lang, &all, chrono_tz::Asia::Shanghai)), @"
    # 您的提醒 (Plain)
    1. 2026-11-24 周二 09:00: stand up…
    2. 2026-11-24 周二 09:00 · 每周一至周五 09:00: stand up…
    3. 2026-11-24 周二 09:00 · 每周一至周三、周六 21:30: stand up…
    4. 2026-11-24 周二 09:00 · 每 90 分钟: stand up…
    5. 2026-11-24 周二 09:00 · 每天: stand up…
    6. 2026-11-24 周二 09:00 · 每月 31 日 00:00: stand up…
    7. 2026-11-24 周二 09:00 · cron 0 9 * * 1: stand up…
    8. 2026-11-24 周二 09:00 · 每天 00:01: stand up…
    [取消 1 → CancelListed]
    [取消 2 → CancelListed]
    [取消 3 → CancelListed]
    [取消 4 → CancelListed]
    [取消 5 → CancelListed]
    [取消 6 → CancelListed]
    [取消 7 → CancelListed]
    [取消 8 → CancelListed]
    -- /remind cancel <n> 取消一个 · 时区 Asia/Shanghai；/remind zone <地区/城市> 可更改

    # Your reminders (Plain)
    1. Tue 24 Nov 2026 09:00: stand up…
    2. Tue 24 Nov 2026 09:00 · every Mon–Fri at 09:00: stand up…
    3. Tue 24 Nov 2026 09:00 · every Mon–Wed, Sat at 21:30: stand up…
    4. Tue 24 Nov 2026 09:00 · every 90 minutes: stand up…
    5. Tue 24 Nov 2026 09:00 · every day: stand up…
    6. Tue 24 Nov 2026 09:00 · every month on day 31 at 00:00: stand up…
    7. Tue 24 Nov 2026 09:00 · cron 0 9 * * 1: stand up…
    8. Tue 24 Nov 2026 09:00 · every day at 00:01: stand up…
    [Cancel 1 → CancelListed]
    [Cancel 2 → CancelListed]
    [Cancel 3 → CancelListed]
    [Cancel 4 → CancelListed]
    [Cancel 5 → CancelListed]
    [Cancel 6 → CancelListed]
    [Cancel 7 → CancelListed]
    [Cancel 8 → CancelListed]
    -- /remind cancel <n> takes one back · Time zone Asia/Shanghai; /remind zone <Area/City> changes it
    ");
    insta::assert_snapshot!(short(|lang| list(lang, &[], Tz::UTC)), @r#"
    # 没有提醒 (Plain)
    例如：
    /remind 10分钟后 活动一下
    /remind 半小时后 开会
    /remind 明天9点 交报告
    /remind 12月1日 9:00 交房租
    /remind 每个工作日 9:00 站会
    /remind 每周一三五 9点 跑步
    /remind cron "0 9 * * 1-5" 站会
    /remind list 查看，/remind cancel <n> 取消

    # No reminders (Plain)
    For example:
    /remind 10m stretch
    /remind in 2 hours call mom
    /remind tomorrow 9am report
    /remind 2026-12-01 09:00 pay the rent
    /remind every mon-fri 9:00 standup
    /remind every 2 hours drink water
    /remind cron "0 9 * * 1-5" standup
    /remind list shows what is set, /remind cancel <n> takes one back
    "#);
}

#[test]
fn one_is_due() {
    let now = at("2026-11-24T01:00:01Z");
    insta::assert_snapshot!(short(|lang| due(lang, &one(1, None), None, now)), @"
    # 提醒 (Asking)
    stand up
    and stretch
    [10 分钟后再提醒 → Snooze]
    [完成 → Done]

    # Reminder (Asking)
    stand up
    and stretch
    [Snooze 10 min → Snooze]
    [Done → Done]
    ");
    let late = at("2026-11-24T03:30:00Z");
    let next = Some(at("2026-11-25T01:00:00Z"));
    insta::assert_snapshot!(short(|lang| due(lang, &one(1, Some(work())), next, late)), @"
    # 提醒 (Asking)
    stand up
    and stretch
    本应在 2026-11-24 周二 09:00（2 小时前）提醒，当时中心机不在线。
    [10 分钟后再提醒 → Snooze]
    [完成 → Done]
    [不再重复 → Cancel]
    -- 每周一至周五 09:00 · 下一次：2026-11-25 周三 09:00

    # Reminder (Asking)
    stand up
    and stretch
    It was due Tue 24 Nov 2026 09:00 (2 h ago); the hub was off then.
    [Snooze 10 min → Snooze]
    [Done → Done]
    [Stop repeating → Cancel]
    -- every Mon–Fri at 09:00 · Next: Wed 25 Nov 2026 09:00
    ");
    assert_eq!(rings(Lang::En, &one(1, None)), "⏰ stand up…");
}

#[test]
fn what_came_of_it() {
    insta::assert_snapshot!(short(|lang| snoozed(lang, &one(1, None))), @"
    # 2026-11-24 周二 09:00 再提醒 (Plain)
    stand up
    and stretch
    [取消 → CancelListed]

    # Again Tue 24 Nov 2026 09:00 (Plain)
    stand up
    and stretch
    [Cancel → CancelListed]
    ");
    insta::assert_snapshot!(short(|lang| done(lang, &one(1, None))), @"
    # 已完成 (Done)
    stand up
    and stretch

    # Done (Done)
    stand up
    and stretch
    ");
    insta::assert_snapshot!(short(|lang| cancelled(lang, &one(1, None))), @"
    # 提醒已取消 (Plain)
    stand up
    and stretch

    # Reminder cancelled (Plain)
    stand up
    and stretch
    ");
    let came = Reminder {
        state: State::Came {
            at: at("2026-11-24T01:00:00Z"),
        },
        ..one(1, None)
    };
    insta::assert_snapshot!(short(|lang| cancelled(lang, &came)), @"
    # 这个提醒已经到过了 (Plain)
    stand up
    and stretch

    # This reminder has come already (Plain)
    stand up
    and stretch
    ");
    insta::assert_snapshot!(short(|lang| no_number(lang, 7)), @"
    # 没有编号为 7 的提醒 (Warning)
    没有改变任何东西。用 /remind list 查看您的提醒。

    # There is no reminder 7 (Warning)
    Nothing was changed. /remind list shows what is set.
    ");
    insta::assert_snapshot!(short(gone), @"
    # 这个提醒已不再保留 (Warning)
    没有改变任何东西。用 /remind list 查看您的提醒。

    # This reminder is not kept any more (Warning)
    Nothing was changed. /remind list shows what is set.
    ");
}

#[test]
fn why_not() {
    let zone = chrono_tz::Asia::Shanghai;
    let why = |why: Refused| short(|lang| refused(lang, &why, zone, BOUNDS));
    insta::assert_snapshot!(why(Refused::When(Why::Unclear)), @r#"
    # 没有看懂什么时候提醒，没有改变任何东西 (Warning)
    例如：
    /remind 10分钟后 活动一下
    /remind 半小时后 开会
    /remind 明天9点 交报告
    /remind 12月1日 9:00 交房租
    /remind 每个工作日 9:00 站会
    /remind 每周一三五 9点 跑步
    /remind cron "0 9 * * 1-5" 站会
    /remind list 查看，/remind cancel <n> 取消

    # When? That was not understood, and nothing was changed (Warning)
    For example:
    /remind 10m stretch
    /remind in 2 hours call mom
    /remind tomorrow 9am report
    /remind 2026-12-01 09:00 pay the rent
    /remind every mon-fri 9:00 standup
    /remind every 2 hours drink water
    /remind cron "0 9 * * 1-5" standup
    /remind list shows what is set, /remind cancel <n> takes one back
    "#);
    let titles = [
        Refused::When(Why::Past(at("2026-11-23T01:00:00Z"))),
        Refused::When(Why::TooSoon),
        Refused::When(Why::TooOften),
        Refused::When(Why::TooFar),
        Refused::NoText,
        Refused::TooLong,
        Refused::Full,
        Refused::HubFull,
    ]
    .map(|why| {
        let title = |lang| refused(lang, &why, zone, BOUNDS).title;
        format!("{} / {}", title(Lang::Zh), title(Lang::En))
    });
    insta::assert_snapshot!(titles.join("\n"), @"
    2026-11-23 周一 09:00 已经过去，没有改变任何东西 / Mon 23 Nov 2026 09:00 is over; nothing was changed
    太近了：最短 5 秒之后 / Too soon: in 5 s at the earliest
    太频繁了：最短每 60 秒一次 / Too often: every 60 s at most
    太远了：最多五年之后 / Too far off: within five years
    要提醒什么？没有改变任何东西 / Remind you of what? Nothing was changed
    太长了：提醒最多 1000 个字 / Too long: a reminder has at most 1000 characters
    没有设置：您已有 100 个提醒 / Not set: you have 100 reminders already
    没有设置：中心机上的提醒太多了 / Not set: there are too many reminders on the hub
    ");
    insta::assert_snapshot!(short(|lang| zone_set(lang, zone)), @"
    # 您的时区现在是 Asia/Shanghai (Done)

    # Your time zone is Asia/Shanghai now (Done)
    ");
    insta::assert_snapshot!(short(|lang| no_zone(lang, "Nowhere")), @"
    # 没有名为“Nowhere”的时区 (Warning)
    用法：/remind zone Asia/Shanghai。之后设置的提醒按它计算。

    # There is no time zone “Nowhere” (Warning)
    Usage: /remind zone Europe/Berlin. It counts for what you set from now on.
    ");
}

#[test]
fn the_language() {
    insta::assert_snapshot!(short(|lang| language(lang, false, false)), @"
    # 当前语言：中文 (Plain)
    按您的聊天软件、您写的文字或默认设置。
    /lang en 改为英文，/lang zh 改为中文。

    # Language: English (Plain)
    By your chat app, what you write, or the default.
    /lang zh for Chinese, /lang en for English.
    ");
    insta::assert_snapshot!(short(|lang| language(lang, true, false)), @"
    # 当前语言：中文 (Plain)
    由您用 /lang 选择。
    /lang en 改为英文，/lang zh 改为中文。

    # Language: English (Plain)
    You chose it with /lang.
    /lang zh for Chinese, /lang en for English.
    ");
    insta::assert_snapshot!(short(|lang| language(lang, true, true)), @"
    # 好的，以后说中文 (Done)
    /lang en 改为英文，/lang zh 改为中文。

    # English from now on (Done)
    /lang zh for Chinese, /lang en for English.
    ");
}
