//! Reminders, and the language that is spoken.

use chrono::{NaiveDate, NaiveDateTime};

use super::super::{s, said, table};
use crate::text::Say as _;
use crate::text::router::remind::{Often, RemindText};

fn at() -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
    day.and_hms_opt(9, 0, 0).unwrap()
}

table! { RemindText;
    Set: [RemindText::Set],
    At: [RemindText::At(at()), RemindText::At(at() + chrono::TimeDelta::seconds(5))],
    Often: [
        RemindText::Often(Often::Every { seconds: 600 }),
        RemindText::Often(Often::Every { seconds: 3_600 }),
        RemindText::Often(Often::Every { seconds: 90 }),
        RemindText::Often(Often::Days { days: (0..7).collect(), minute: 540 }),
        RemindText::Often(Often::Days { days: vec![0, 1, 2, 4], minute: 545 }),
        RemindText::Often(Often::Month { day: 31, minute: 0 }),
        RemindText::Often(Often::Cron { fields: s("0 9 * * 1") }),
    ],
    Next: [RemindText::Next(at())],
    Zone: [RemindText::Zone(s("Asia/Shanghai"))],
    List: [RemindText::List],
    Empty: [RemindText::Empty],
    ListHint: [RemindText::ListHint],
    More: [RemindText::More(3)],
    Cancel: [RemindText::Cancel],
    CancelNumber: [RemindText::CancelNumber(2)],
    StopSeries: [RemindText::StopSeries],
    Snooze: [RemindText::Snooze],
    Done: [RemindText::Done],
    Cancelled: [RemindText::Cancelled],
    NoNumber: [RemindText::NoNumber(7)],
    Gone: [RemindText::Gone],
    GoneHint: [RemindText::GoneHint],
    Came: [RemindText::Came],
    Unclear: [RemindText::Unclear],
    Past: [RemindText::Past(at())],
    TooSoon: [RemindText::TooSoon(5)],
    TooOften: [RemindText::TooOften(60)],
    TooFar: [RemindText::TooFar],
    NoText: [RemindText::NoText],
    TooLong: [RemindText::TooLong(1_000)],
    Full: [RemindText::Full(100)],
    FullHint: [RemindText::FullHint],
    HubFull: [RemindText::HubFull],
    Due: [RemindText::Due],
    Late: [RemindText::Late { due: at(), seconds: 720 }],
    Rings: [RemindText::Rings(s("x"))],
    Snoozed: [RemindText::Snoozed(at())],
    IsDone: [RemindText::IsDone],
    ZoneSet: [RemindText::ZoneSet(s("Asia/Shanghai"))],
    NoZone: [RemindText::NoZone(s("Nowhere"))],
    ZoneHint: [RemindText::ZoneHint],
    Language: [RemindText::Language],
    LanguageSet: [RemindText::LanguageSet],
    LanguageChosen: [RemindText::LanguageChosen],
    LanguageTold: [RemindText::LanguageTold],
    LanguageHint: [RemindText::LanguageHint],
    NotServed: [RemindText::NotServed],
    Examples: [RemindText::Examples],
}

#[test]
fn in_both_languages() {
    insta::assert_snapshot!(said(rows(), row_of, RemindText::zh), @r#"
    Set: 好的，会提醒您
    At: 2026-12-01 周二 09:00
    At: 2026-12-01 周二 09:00:05
    Often: 每 10 分钟
    Often: 每小时
    Often: 每 90 秒
    Often: 每天 09:00
    Often: 每周一至周三、周五 09:05
    Often: 每月 31 日 00:00
    Often: cron 0 9 * * 1
    Next: 下一次：2026-12-01 周二 09:00
    Zone: 时区 Asia/Shanghai；/remind zone <地区/城市> 可更改
    List: 您的提醒
    Empty: 没有提醒
    ListHint: /remind cancel <n> 取消一个
    More: 还有 3 个。
    Cancel: 取消
    CancelNumber: 取消 2
    StopSeries: 不再重复
    Snooze: 10 分钟后再提醒
    Done: 完成
    Cancelled: 提醒已取消
    NoNumber: 没有编号为 7 的提醒
    Gone: 这个提醒已不再保留
    GoneHint: 没有改变任何东西。用 /remind list 查看您的提醒。
    Came: 这个提醒已经到过了
    Unclear: 没有看懂什么时候提醒，没有改变任何东西
    Past: 2026-12-01 周二 09:00 已经过去，没有改变任何东西
    TooSoon: 太近了：最短 5 秒之后
    TooOften: 太频繁了：最短每 60 秒一次
    TooFar: 太远了：最多五年之后
    NoText: 要提醒什么？没有改变任何东西
    TooLong: 太长了：提醒最多 1000 个字
    Full: 没有设置：您已有 100 个提醒
    FullHint: 用 /remind list 查看，用 /remind cancel <n> 取消不需要的。
    HubFull: 没有设置：中心机上的提醒太多了
    Due: 提醒
    Late: 本应在 2026-12-01 周二 09:00（12 分钟前）提醒，当时中心机不在线。
    Rings: ⏰ x
    Snoozed: 2026-12-01 周二 09:00 再提醒
    IsDone: 已完成
    ZoneSet: 您的时区现在是 Asia/Shanghai
    NoZone: 没有名为“Nowhere”的时区
    ZoneHint: 用法：/remind zone Asia/Shanghai。之后设置的提醒按它计算。
    Language: 当前语言：中文
    LanguageSet: 好的，以后说中文
    LanguageChosen: 由您用 /lang 选择。
    LanguageTold: 按您的聊天软件、您写的文字或默认设置。
    LanguageHint: /lang en 改为英文，/lang zh 改为中文。
    NotServed: 这台机器不为此人服务
    Examples: 例如：
    /remind 10分钟后 活动一下
    /remind 半小时后 开会
    /remind 明天9点 交报告
    /remind 12月1日 9:00 交房租
    /remind 每个工作日 9:00 站会
    /remind 每周一三五 9点 跑步
    /remind cron "0 9 * * 1-5" 站会
    /remind list 查看，/remind cancel <n> 取消
    "#);
    insta::assert_snapshot!(said(rows(), row_of, RemindText::en), @r#"
    Set: You will be reminded
    At: Tue 1 Dec 2026 09:00
    At: Tue 1 Dec 2026 09:00:05
    Often: every 10 minutes
    Often: every hour
    Often: every 90 seconds
    Often: every day at 09:00
    Often: every Mon–Wed, Fri at 09:05
    Often: every month on day 31 at 00:00
    Often: cron 0 9 * * 1
    Next: Next: Tue 1 Dec 2026 09:00
    Zone: Time zone Asia/Shanghai; /remind zone <Area/City> changes it
    List: Your reminders
    Empty: No reminders
    ListHint: /remind cancel <n> takes one back
    More: And 3 more.
    Cancel: Cancel
    CancelNumber: Cancel 2
    StopSeries: Stop repeating
    Snooze: Snooze 10 min
    Done: Done
    Cancelled: Reminder cancelled
    NoNumber: There is no reminder 7
    Gone: This reminder is not kept any more
    GoneHint: Nothing was changed. /remind list shows what is set.
    Came: This reminder has come already
    Unclear: When? That was not understood, and nothing was changed
    Past: Tue 1 Dec 2026 09:00 is over; nothing was changed
    TooSoon: Too soon: in 5 s at the earliest
    TooOften: Too often: every 60 s at most
    TooFar: Too far off: within five years
    NoText: Remind you of what? Nothing was changed
    TooLong: Too long: a reminder has at most 1000 characters
    Full: Not set: you have 100 reminders already
    FullHint: /remind list shows them, /remind cancel <n> takes one back.
    HubFull: Not set: there are too many reminders on the hub
    Due: Reminder
    Late: It was due Tue 1 Dec 2026 09:00 (12 min ago); the hub was off then.
    Rings: ⏰ x
    Snoozed: Again Tue 1 Dec 2026 09:00
    IsDone: Done
    ZoneSet: Your time zone is Asia/Shanghai now
    NoZone: There is no time zone “Nowhere”
    ZoneHint: Usage: /remind zone Europe/Berlin. It counts for what you set from now on.
    Language: Language: English
    LanguageSet: English from now on
    LanguageChosen: You chose it with /lang.
    LanguageTold: By your chat app, what you write, or the default.
    LanguageHint: /lang zh for Chinese, /lang en for English.
    NotServed: this machine does not serve this person
    Examples: For example:
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
