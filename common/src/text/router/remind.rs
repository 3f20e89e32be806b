//! What the router says about reminders, and about the language it speaks.

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};

use super::words::{Unit, age};
use crate::lang::Lang;
use crate::text::Say;

/// What is written behind /remind, with examples.
pub const EXAMPLES_EN: &str = "/remind 10m stretch\n/remind in 2 hours call mom\n/remind tomorrow 9am report\n/remind 2026-12-01 09:00 pay the rent\n/remind every mon-fri 9:00 standup\n/remind every 2 hours drink water\n/remind cron \"0 9 * * 1-5\" standup";
/// The same in Chinese.
pub const EXAMPLES_ZH: &str = "/remind 10分钟后 活动一下\n/remind 半小时后 开会\n/remind 明天9点 交报告\n/remind 12月1日 9:00 交房租\n/remind 每个工作日 9:00 站会\n/remind 每周一三五 9点 跑步\n/remind cron \"0 9 * * 1-5\" 站会";

/// How often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Often {
    /// After each such time.
    Every {
        /// Seconds.
        seconds: u64,
    },
    /// On days of the week.
    Days {
        /// Counted from Monday, which is 0; in order.
        days: Vec<u8>,
        /// Minutes after midnight.
        minute: u32,
    },
    /// On a day of each month.
    Month {
        /// From 1.
        day: u32,
        /// Minutes after midnight.
        minute: u32,
    },
    /// As cron says.
    Cron {
        /// Its five fields.
        fields: String,
    },
}

/// A text about reminders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemindText {
    /// Title: one is set.
    Set,
    /// A moment by the person's clock.
    At(NaiveDateTime),
    /// A series.
    Often(Often),
    /// When it comes next.
    Next(NaiveDateTime),
    /// Small print: whose clock.
    Zone(String),
    /// Title: what is set.
    List,
    /// Title: nothing is set.
    Empty,
    /// Small print of the list.
    ListHint,
    /// More than a card shows.
    More(usize),
    /// Button: not any more.
    Cancel,
    /// Button of the list: this one not any more.
    CancelNumber(u32),
    /// Button: no more of a series.
    StopSeries,
    /// Button: once more, in ten minutes.
    Snooze,
    /// Button: it is dealt with.
    Done,
    /// Title: one is taken back.
    Cancelled,
    /// Title: none of that number.
    NoNumber(u32),
    /// Title: one that is not kept any more.
    Gone,
    /// What to do about it.
    GoneHint,
    /// Title: it came already.
    Came,
    /// Title: no time was found in it.
    Unclear,
    /// What can be written, with examples.
    Examples,
    /// Title: it is over.
    Past(NaiveDateTime),
    /// Title: too soon.
    TooSoon(u64),
    /// Title: too often.
    TooOften(u64),
    /// Title: too far.
    TooFar,
    /// Title: nothing to be reminded of.
    NoText,
    /// Title: too much to be reminded of.
    TooLong(usize),
    /// Title: too many of one person.
    Full(usize),
    /// What to do about it.
    FullHint,
    /// Title: too many of all.
    HubFull,
    /// Title of one that has come.
    Due,
    /// It came later than it was due.
    Late {
        /// When it was due.
        due: NaiveDateTime,
        /// Seconds since.
        seconds: u64,
    },
    /// The short message that rings.
    Rings(String),
    /// It comes again then.
    Snoozed(NaiveDateTime),
    /// Title: it is dealt with.
    IsDone,
    /// Title: whose clock counts from now on.
    ZoneSet(String),
    /// Title: no such zone.
    NoZone(String),
    /// What a zone looks like.
    ZoneHint,
    /// Title: the language that is spoken.
    Language,
    /// Title: the language that is spoken from now on.
    LanguageSet,
    /// How it came to be.
    LanguageChosen,
    /// How it came to be.
    LanguageTold,
    /// How to change it.
    LanguageHint,
    /// Nothing of that name is to be asked.
    NotServed,
}

const ZH_DAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
const EN_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Seconds are shown where there are any.
fn hour(at: &NaiveDateTime) -> String {
    let form = if at.second() == 0 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    };
    at.format(form).to_string()
}

/// Runs of three days and more as from–to.
fn runs(days: &[u8], names: &[&str; 7], to: &str, and: &str) -> String {
    let name = |day: u8| names.get(usize::from(day)).copied().unwrap_or_default();
    let mut parts: Vec<String> = Vec::new();
    let mut rest = days;
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .zip(*first..)
            .take_while(|(day, wanted)| *day == wanted)
            .count();
        let (these, behind) = rest.split_at(run);
        match (these.last(), run > 2) {
            (Some(last), true) => parts.push(format!("{}{to}{}", name(*first), name(*last))),
            (_, _) => parts.extend(these.iter().map(|day| name(*day).to_owned())),
        }
        rest = behind;
    }
    parts.join(and)
}

fn often(often: &Often, lang: Lang) -> String {
    match (often, lang) {
        (Often::Every { seconds }, lang) => every(*seconds, lang),
        (Often::Days { days, minute }, Lang::Zh) => {
            let at = clock(*minute);
            if days.len() == 7 {
                format!("每天 {at}")
            } else {
                format!("每周{} {at}", runs(days, &ZH_DAYS, "至周", "、周"))
            }
        }
        (Often::Days { days, minute }, Lang::En) => {
            let at = clock(*minute);
            if days.len() == 7 {
                format!("every day at {at}")
            } else {
                format!("every {} at {at}", runs(days, &EN_DAYS, "–", ", "))
            }
        }
        (Often::Month { day, minute }, Lang::Zh) => format!("每月 {day} 日 {}", clock(*minute)),
        (Often::Month { day, minute }, Lang::En) => {
            format!("every month on day {day} at {}", clock(*minute))
        }
        (Often::Cron { fields }, Lang::Zh | Lang::En) => format!("cron {fields}"),
    }
}

fn every(seconds: u64, lang: Lang) -> String {
    let units = [
        (604_800, "周", "week"),
        (86_400, "天", "day"),
        (3_600, "小时", "hour"),
        (60, "分钟", "minute"),
        (1, "秒", "second"),
    ];
    let fits = units
        .iter()
        .find(|(unit, ..)| seconds.is_multiple_of(*unit));
    let (unit, zh, en) = fits.copied().unwrap_or((1, "秒", "second"));
    match (seconds / unit, lang) {
        (1, Lang::Zh) => format!("每{zh}"),
        (n, Lang::Zh) => format!("每 {n} {zh}"),
        (1, Lang::En) => format!("every {en}"),
        (n, Lang::En) => format!("every {n} {en}s"),
    }
}

impl Say for RemindText {
    fn zh(&self) -> String {
        match self {
            Self::Set => "好的，会提醒您".into(),
            Self::At(at) => {
                let day = ZH_DAYS.get(at.weekday().num_days_from_monday() as usize);
                let date = at.format("%Y-%m-%d");
                format!("{date} 周{} {}", day.copied().unwrap_or_default(), hour(at))
            }
            Self::Often(how) => often(how, Lang::Zh),
            Self::Next(at) => format!("下一次：{}", Self::At(*at).zh()),
            Self::Zone(zone) => format!("时区 {zone}；/remind zone <地区/城市> 可更改"),
            Self::List => "您的提醒".into(),
            Self::Empty => "没有提醒".into(),
            Self::ListHint => "/remind cancel <n> 取消一个".into(),
            Self::More(count) => format!("还有 {count} 个。"),
            Self::Cancel => "取消".into(),
            Self::CancelNumber(n) => format!("取消 {n}"),
            Self::StopSeries => "不再重复".into(),
            Self::Snooze => "10 分钟后再提醒".into(),
            Self::Done => "完成".into(),
            Self::Cancelled => "提醒已取消".into(),
            Self::NoNumber(n) => format!("没有编号为 {n} 的提醒"),
            Self::Gone => "这个提醒已不再保留".into(),
            Self::GoneHint => "没有改变任何东西。用 /remind list 查看您的提醒。".into(),
            Self::Came => "这个提醒已经到过了".into(),
            Self::Unclear => "没有看懂什么时候提醒，没有改变任何东西".into(),
            Self::Examples => {
                format!("例如：\n{EXAMPLES_ZH}\n/remind list 查看，/remind cancel <n> 取消")
            }
            Self::Past(at) => format!("{} 已经过去，没有改变任何东西", Self::At(*at).zh()),
            Self::TooSoon(seconds) => format!("太近了：最短 {seconds} 秒之后"),
            Self::TooOften(seconds) => format!("太频繁了：最短每 {seconds} 秒一次"),
            Self::TooFar => "太远了：最多五年之后".into(),
            Self::NoText => "要提醒什么？没有改变任何东西".into(),
            Self::TooLong(limit) => format!("太长了：提醒最多 {limit} 个字"),
            Self::Full(limit) => format!("没有设置：您已有 {limit} 个提醒"),
            Self::FullHint => "用 /remind list 查看，用 /remind cancel <n> 取消不需要的。".into(),
            Self::HubFull => "没有设置：中心机上的提醒太多了".into(),
            Self::Due => "提醒".into(),
            Self::Late { due, seconds } => format!(
                "本应在 {}（{}）提醒，当时中心机不在线。",
                Self::At(*due).zh(),
                ago(*seconds, Lang::Zh)
            ),
            Self::Rings(text) => format!("⏰ {text}"),
            Self::Snoozed(at) => format!("{} 再提醒", Self::At(*at).zh()),
            Self::IsDone => "已完成".into(),
            Self::ZoneSet(zone) => format!("您的时区现在是 {zone}"),
            Self::NoZone(zone) => format!("没有名为“{zone}”的时区"),
            Self::ZoneHint => "用法：/remind zone Asia/Shanghai。之后设置的提醒按它计算。".into(),
            Self::Language => "当前语言：中文".into(),
            Self::LanguageSet => "好的，以后说中文".into(),
            Self::LanguageChosen => "由您用 /lang 选择。".into(),
            Self::LanguageTold => "按您的聊天软件、您写的文字或默认设置。".into(),
            Self::LanguageHint => "/lang en 改为英文，/lang zh 改为中文。".into(),
            Self::NotServed => "这台机器不为此人服务".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Set => "You will be reminded".into(),
            Self::At(at) => format!("{} {}", at.format("%a %-d %b %Y"), hour(at)),
            Self::Often(how) => often(how, Lang::En),
            Self::Next(at) => format!("Next: {}", Self::At(*at).en()),
            Self::Zone(zone) => format!("Time zone {zone}; /remind zone <Area/City> changes it"),
            Self::List => "Your reminders".into(),
            Self::Empty => "No reminders".into(),
            Self::ListHint => "/remind cancel <n> takes one back".into(),
            Self::More(count) => format!("And {count} more."),
            Self::Cancel => "Cancel".into(),
            Self::CancelNumber(n) => format!("Cancel {n}"),
            Self::StopSeries => "Stop repeating".into(),
            Self::Snooze => "Snooze 10 min".into(),
            Self::Done => "Done".into(),
            Self::Cancelled => "Reminder cancelled".into(),
            Self::NoNumber(n) => format!("There is no reminder {n}"),
            Self::Gone => "This reminder is not kept any more".into(),
            Self::GoneHint => "Nothing was changed. /remind list shows what is set.".into(),
            Self::Came => "This reminder has come already".into(),
            Self::Unclear => "When? That was not understood, and nothing was changed".into(),
            Self::Examples => format!(
                "For example:\n{EXAMPLES_EN}\n/remind list shows what is set, /remind cancel <n> takes one back"
            ),
            Self::Past(at) => format!("{} is over; nothing was changed", Self::At(*at).en()),
            Self::TooSoon(seconds) => format!("Too soon: in {seconds} s at the earliest"),
            Self::TooOften(seconds) => format!("Too often: every {seconds} s at most"),
            Self::TooFar => "Too far off: within five years".into(),
            Self::NoText => "Remind you of what? Nothing was changed".into(),
            Self::TooLong(limit) => format!("Too long: a reminder has at most {limit} characters"),
            Self::Full(limit) => format!("Not set: you have {limit} reminders already"),
            Self::FullHint => "/remind list shows them, /remind cancel <n> takes one back.".into(),
            Self::HubFull => "Not set: there are too many reminders on the hub".into(),
            Self::Due => "Reminder".into(),
            Self::Late { due, seconds } => format!(
                "It was due {} ({}); the hub was off then.",
                Self::At(*due).en(),
                ago(*seconds, Lang::En)
            ),
            Self::Rings(text) => format!("⏰ {text}"),
            Self::Snoozed(at) => format!("Again {}", Self::At(*at).en()),
            Self::IsDone => "Done".into(),
            Self::ZoneSet(zone) => format!("Your time zone is {zone} now"),
            Self::NoZone(zone) => format!("There is no time zone “{zone}”"),
            Self::ZoneHint => {
                "Usage: /remind zone Europe/Berlin. It counts for what you set from now on.".into()
            }
            Self::Language => "Language: English".into(),
            Self::LanguageSet => "English from now on".into(),
            Self::LanguageChosen => "You chose it with /lang.".into(),
            Self::LanguageTold => "By your chat app, what you write, or the default.".into(),
            Self::LanguageHint => "/lang zh for Chinese, /lang en for English.".into(),
            Self::NotServed => "this machine does not serve this person".into(),
        }
    }
}

fn ago(seconds: u64, lang: Lang) -> String {
    let (n, zh, en) = match age(seconds) {
        (n, Unit::Second) => (n, "秒", "s"),
        (n, Unit::Minute) => (n, "分钟", "min"),
        (n, Unit::Hour) => (n, "小时", "h"),
        (n, Unit::Day) => (n, "天", "days"),
    };
    match lang {
        Lang::Zh => format!("{n} {zh}前"),
        Lang::En => format!("{n} {en} ago"),
    }
}
