//! What people write, in both languages, and when that is. Now is Monday, 23 November 2026, 14:30 in
//! Shanghai, where nothing else is said.

use chrono_tz::Asia::Shanghai;
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::*;

mod spellings;

const BOUNDS: Bounds = Bounds {
    soonest: 5,
    period: 60,
};

fn now() -> DateTime<Utc> {
    "2026-11-23T06:30:00Z".parse().unwrap()
}

/// When, by the person's clock, and what is behind it.
fn say_at(text: &str, now: DateTime<Utc>, zone: Tz) -> String {
    match read(text, now, zone, BOUNDS) {
        Ok((When::Once(due), rest)) => {
            let due = due.with_timezone(&zone).format("%a %Y-%m-%d %H:%M:%S");
            format!("{due} |{}", rest.trim())
        }
        Ok((When::Again(Repeat::Every { seconds }), rest)) => {
            format!("every {seconds} s |{}", rest.trim())
        }
        Ok((When::Again(Repeat::Days { days, minute }), rest)) => {
            let days: Vec<_> = days.each().map(|day| (day + 1).to_string()).collect();
            let (hour, minute) = (minute / 60, minute % 60);
            format!("days {} {hour}:{minute:02} |{}", days.join(""), rest.trim())
        }
        Ok((When::Again(Repeat::Month { day, minute }), rest)) => {
            format!(
                "month {day} {}:{:02} |{}",
                minute / 60,
                minute % 60,
                rest.trim()
            )
        }
        Ok((When::Again(Repeat::Cron { fields }), rest)) => {
            format!("cron {fields} |{}", rest.trim())
        }
        Err(Why::Past(due)) => {
            format!("past {}", due.with_timezone(&zone).format("%Y-%m-%d %H:%M"))
        }
        Err(why) => format!("{why:?}"),
    }
}

fn say(text: &str) -> String {
    say_at(text, now(), Shanghai)
}

fn table(texts: &[&str]) -> String {
    let lines = texts.iter().map(|text| format!("{text} → {}", say(text)));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn in_a_while() {
    insta::assert_snapshot!(table(&[
        "10m stretch", "in 10m stretch", "10 min stretch", "1h30m tea", "1h 30m tea", "1 hour and 5 minutes tea",
        "90s x", "5s x", "4s x", "in 2 hours call mom", "half an hour tea", "in half an hour tea", "1.5h tea", "in an hour x",
        "2w x", "3d x", "10分钟后 喝水", "10分钟后喝水", "１０分钟后喝水", "十分钟后喝水", "半小时后开会", "半个小时后开会",
        "两小时后开会", "一个半小时后开会", "1小时30分钟后 x", "一小时半后 x", "三天后 交房租", "3天后上午9点 交房租", "in 2 days at 9am x",
        "一刻钟后 x", "二十五分钟后 x", "过10分钟 x", "两周后 x", "10m", "10mb is full", "1000000w x", "0m x", "10m, stretch",
    ]), @"
    10m stretch → Mon 2026-11-23 14:40:00 |stretch
    in 10m stretch → Mon 2026-11-23 14:40:00 |stretch
    10 min stretch → Mon 2026-11-23 14:40:00 |stretch
    1h30m tea → Mon 2026-11-23 16:00:00 |tea
    1h 30m tea → Mon 2026-11-23 16:00:00 |tea
    1 hour and 5 minutes tea → Mon 2026-11-23 15:35:00 |tea
    90s x → Mon 2026-11-23 14:31:30 |x
    5s x → Mon 2026-11-23 14:30:05 |x
    4s x → TooSoon
    in 2 hours call mom → Mon 2026-11-23 16:30:00 |call mom
    half an hour tea → Mon 2026-11-23 15:00:00 |tea
    in half an hour tea → Mon 2026-11-23 15:00:00 |tea
    1.5h tea → Mon 2026-11-23 16:00:00 |tea
    in an hour x → Mon 2026-11-23 15:30:00 |x
    2w x → Mon 2026-12-07 14:30:00 |x
    3d x → Thu 2026-11-26 14:30:00 |x
    10分钟后 喝水 → Mon 2026-11-23 14:40:00 |喝水
    10分钟后喝水 → Mon 2026-11-23 14:40:00 |喝水
    １０分钟后喝水 → Mon 2026-11-23 14:40:00 |喝水
    十分钟后喝水 → Mon 2026-11-23 14:40:00 |喝水
    半小时后开会 → Mon 2026-11-23 15:00:00 |开会
    半个小时后开会 → Mon 2026-11-23 15:00:00 |开会
    两小时后开会 → Mon 2026-11-23 16:30:00 |开会
    一个半小时后开会 → Mon 2026-11-23 16:00:00 |开会
    1小时30分钟后 x → Mon 2026-11-23 16:00:00 |x
    一小时半后 x → Mon 2026-11-23 16:00:00 |x
    三天后 交房租 → Thu 2026-11-26 14:30:00 |交房租
    3天后上午9点 交房租 → Thu 2026-11-26 09:00:00 |交房租
    in 2 days at 9am x → Wed 2026-11-25 09:00:00 |x
    一刻钟后 x → Mon 2026-11-23 14:45:00 |x
    二十五分钟后 x → Mon 2026-11-23 14:55:00 |x
    过10分钟 x → Mon 2026-11-23 14:40:00 |x
    两周后 x → Mon 2026-12-07 14:30:00 |x
    10m → Mon 2026-11-23 14:40:00 |
    10mb is full → Unclear
    1000000w x → Unclear
    0m x → TooSoon
    10m, stretch → Mon 2026-11-23 14:40:00 |, stretch
    ");
}

#[test]
fn at_an_hour() {
    insta::assert_snapshot!(table(&[
        "at 18:30 dinner", "18:30 dinner", "18：30 晚饭", "9:00 x", "at 9 x", "9am x", "9 pm x", "12am x", "12pm x", "9:05pm x", "noon lunch",
        "9点 x", "九点 x", "十点半 x", "下午3点半 开会", "下午三点一刻开会", "晚上8点 x", "晚上十一点四十五分 x", "中午12点 吃饭", "凌晨2点 x", "9点2个人开会",
        "16点15分出发", "at 25:00 x", "at 18:61 x", "15时 x", "晚8点 x", "9 x", "早点睡",
    ]), @"
    at 18:30 dinner → Mon 2026-11-23 18:30:00 |dinner
    18:30 dinner → Mon 2026-11-23 18:30:00 |dinner
    18：30 晚饭 → Mon 2026-11-23 18:30:00 |晚饭
    9:00 x → Tue 2026-11-24 09:00:00 |x
    at 9 x → Tue 2026-11-24 09:00:00 |x
    9am x → Tue 2026-11-24 09:00:00 |x
    9 pm x → Mon 2026-11-23 21:00:00 |x
    12am x → Tue 2026-11-24 00:00:00 |x
    12pm x → Tue 2026-11-24 12:00:00 |x
    9:05pm x → Mon 2026-11-23 21:05:00 |x
    noon lunch → Tue 2026-11-24 12:00:00 |lunch
    9点 x → Tue 2026-11-24 09:00:00 |x
    九点 x → Tue 2026-11-24 09:00:00 |x
    十点半 x → Tue 2026-11-24 10:30:00 |x
    下午3点半 开会 → Mon 2026-11-23 15:30:00 |开会
    下午三点一刻开会 → Mon 2026-11-23 15:15:00 |开会
    晚上8点 x → Mon 2026-11-23 20:00:00 |x
    晚上十一点四十五分 x → Mon 2026-11-23 23:45:00 |x
    中午12点 吃饭 → Tue 2026-11-24 12:00:00 |吃饭
    凌晨2点 x → Tue 2026-11-24 02:00:00 |x
    9点2个人开会 → Tue 2026-11-24 09:00:00 |2个人开会
    16点15分出发 → Mon 2026-11-23 16:15:00 |出发
    at 25:00 x → Unclear
    at 18:61 x → Unclear
    15时 x → Mon 2026-11-23 15:00:00 |x
    晚8点 x → Mon 2026-11-23 20:00:00 |x
    9 x → Unclear
    早点睡 → Unclear
    ");
}

#[test]
fn on_a_day() {
    insta::assert_snapshot!(table(&[
        "tomorrow 9am report", "tomorrow at 9 report", "tomorrow report", "tomorrow morning report", "tomorrow evening at 8 x", "tonight 8:15 x", "tonight at 8 x",
        "tonight x", "today 18:00 x", "today 9:00 x", "today x", "9am tomorrow x", "at 9am on friday x", "day after tomorrow 10:00 x",
        "明天9点 开会", "明天9点开会", "明天 9点 开会", "明天早上9点开会", "明天上午九点半开会", "明早8点 x", "明晚8点 x", "今晚8点 看球", "今晚 看球", "今晚12点 x", "今晚1点 x",
        "后天下午3点半 x", "大后天 x", "明天下午 x", "明天 交报告",
        "monday 9am standup", "monday 20:00 x", "mon 9:00 x", "next monday 9am x", "this friday 17:00 x", "friday x", "on friday at 17:00 x",
        "周一 9点 x", "下周一 9点 周会", "下周一9点周会", "下周一二点 x", "本周五 17:00 x", "星期天 10点 x", "礼拜三 x", "下下周一 9点 x", "这周一 9点 x",
        "2026-12-01 09:00 x", "2026-12-01T09:00 x", "2026-12-01T09:00:00+08:00 x", "2026/12/1 9:00 x", "2026年12月1日9点 x", "2020-01-01 09:00 x", "2026-13-01 09:00 x",
        "on dec 1 9am report", "dec 1 9am report", "1 dec 9:00 x", "the 1st of december at 9 x", "december 24th x", "dec 1 2027 9am x", "may 5 9:00 x", "feb 29 9:00 x", "feb 30 9:00 x",
        "12月1日 9点 x", "12月1号9点x", "十二月二十五日 x", "11月1日 9点 x", "下个月3号 10点 x",
    ]), @"
    tomorrow 9am report → Tue 2026-11-24 09:00:00 |report
    tomorrow at 9 report → Tue 2026-11-24 09:00:00 |report
    tomorrow report → Tue 2026-11-24 09:00:00 |report
    tomorrow morning report → Tue 2026-11-24 09:00:00 |report
    tomorrow evening at 8 x → Tue 2026-11-24 20:00:00 |x
    tonight 8:15 x → Mon 2026-11-23 20:15:00 |x
    tonight at 8 x → Mon 2026-11-23 20:00:00 |x
    tonight x → Mon 2026-11-23 20:00:00 |x
    today 18:00 x → Mon 2026-11-23 18:00:00 |x
    today 9:00 x → past 2026-11-23 09:00
    today x → Unclear
    9am tomorrow x → Tue 2026-11-24 09:00:00 |x
    at 9am on friday x → Fri 2026-11-27 09:00:00 |x
    day after tomorrow 10:00 x → Wed 2026-11-25 10:00:00 |x
    明天9点 开会 → Tue 2026-11-24 09:00:00 |开会
    明天9点开会 → Tue 2026-11-24 09:00:00 |开会
    明天 9点 开会 → Tue 2026-11-24 09:00:00 |开会
    明天早上9点开会 → Tue 2026-11-24 09:00:00 |开会
    明天上午九点半开会 → Tue 2026-11-24 09:30:00 |开会
    明早8点 x → Tue 2026-11-24 08:00:00 |x
    明晚8点 x → Tue 2026-11-24 20:00:00 |x
    今晚8点 看球 → Mon 2026-11-23 20:00:00 |看球
    今晚 看球 → Mon 2026-11-23 20:00:00 |看球
    今晚12点 x → Tue 2026-11-24 00:00:00 |x
    今晚1点 x → Tue 2026-11-24 01:00:00 |x
    后天下午3点半 x → Wed 2026-11-25 15:30:00 |x
    大后天 x → Thu 2026-11-26 09:00:00 |x
    明天下午 x → Tue 2026-11-24 15:00:00 |x
    明天 交报告 → Tue 2026-11-24 09:00:00 |交报告
    monday 9am standup → Mon 2026-11-30 09:00:00 |standup
    monday 20:00 x → Mon 2026-11-23 20:00:00 |x
    mon 9:00 x → Mon 2026-11-30 09:00:00 |x
    next monday 9am x → Mon 2026-11-30 09:00:00 |x
    this friday 17:00 x → Fri 2026-11-27 17:00:00 |x
    friday x → Fri 2026-11-27 09:00:00 |x
    on friday at 17:00 x → Fri 2026-11-27 17:00:00 |x
    周一 9点 x → Mon 2026-11-30 09:00:00 |x
    下周一 9点 周会 → Mon 2026-11-30 09:00:00 |周会
    下周一9点周会 → Mon 2026-11-30 09:00:00 |周会
    下周一二点 x → Mon 2026-11-30 02:00:00 |x
    本周五 17:00 x → Fri 2026-11-27 17:00:00 |x
    星期天 10点 x → Sun 2026-11-29 10:00:00 |x
    礼拜三 x → Wed 2026-11-25 09:00:00 |x
    下下周一 9点 x → Mon 2026-12-07 09:00:00 |x
    这周一 9点 x → past 2026-11-23 09:00
    2026-12-01 09:00 x → Tue 2026-12-01 09:00:00 |x
    2026-12-01T09:00 x → Tue 2026-12-01 09:00:00 |x
    2026-12-01T09:00:00+08:00 x → Tue 2026-12-01 09:00:00 |x
    2026/12/1 9:00 x → Tue 2026-12-01 09:00:00 |x
    2026年12月1日9点 x → Tue 2026-12-01 09:00:00 |x
    2020-01-01 09:00 x → past 2020-01-01 09:00
    2026-13-01 09:00 x → Unclear
    on dec 1 9am report → Tue 2026-12-01 09:00:00 |report
    dec 1 9am report → Tue 2026-12-01 09:00:00 |report
    1 dec 9:00 x → Tue 2026-12-01 09:00:00 |x
    the 1st of december at 9 x → Tue 2026-12-01 09:00:00 |x
    december 24th x → Thu 2026-12-24 09:00:00 |x
    dec 1 2027 9am x → Wed 2027-12-01 09:00:00 |x
    may 5 9:00 x → Wed 2027-05-05 09:00:00 |x
    feb 29 9:00 x → Tue 2028-02-29 09:00:00 |x
    feb 30 9:00 x → Unclear
    12月1日 9点 x → Tue 2026-12-01 09:00:00 |x
    12月1号9点x → Tue 2026-12-01 09:00:00 |x
    十二月二十五日 x → Fri 2026-12-25 09:00:00 |x
    11月1日 9点 x → Mon 2027-11-01 09:00:00 |x
    下个月3号 10点 x → Thu 2026-12-03 10:00:00 |x
    ");
}

#[test]
fn again_and_again() {
    insta::assert_snapshot!(table(&[
        "every 10m stretch", "every 10 minutes stretch", "every hour x", "every 2 hours x", "every half hour x", "every 59s x", "every 2 days x", "every 2 days at 9:00 x",
        "every day 9:00 x", "every day at 9am x", "every day x", "everyday 9:00 x", "daily 9:00 x", "every morning x", "every evening at 8 x", "every evening x",
        "every mon-fri 9:00 standup", "every mon–fri 9:00 standup", "every mon to fri at 9:00 x", "every mon,wed,fri 9:00 x", "every tuesday and thursday 18:00 x", "every monday 9am x", "every weekday 9:00 x",
        "weekdays at 9 x", "every weekend 10:00 x", "every fri-mon 9:00 x",
        "每天9点 喝水", "每天9点喝水", "每天早上9点 x", "每晚8点 x", "每晚12点 x", "每天 x", "每周一 9:00 周会", "每周一9点 x", "每周一 x", "每周一三五 9点 x", "每周一、周三 9点 x", "每周一到周五 9:00 x", "每周一至五9点 x",
        "每周日晚12点 x", "每周一三点 x", "每星期五 17:30 x", "每个工作日 9:00 x", "工作日 9:00 x", "每个周末 10点 x", "每隔10分钟 x", "每10分钟 x", "每半小时 x", "每小时 x", "每两小时 x", "每隔两个小时 x", "每月1号9点 x", "每个月15日 x", "每月31号 x",
        "cron \"0 9 * * 1-5\" x", "cron 0 9 * * 1-5 x", "cron “*/15 9-17 * * mon-fri” x", "cron \"0 9 1 jan *\" x", "cron \"0 9 * * 7\" x", "cron \"0 9 30 2 *\" x", "cron \"0 9 * *\" x", "cron \"60 9 * * *\" x", "cron 0 9 x",
    ]), @r#"
    every 10m stretch → every 600 s |stretch
    every 10 minutes stretch → every 600 s |stretch
    every hour x → every 3600 s |x
    every 2 hours x → every 7200 s |x
    every half hour x → every 1800 s |x
    every 59s x → TooOften
    every 2 days x → every 172800 s |x
    every 2 days at 9:00 x → Unclear
    every day 9:00 x → days 1234567 9:00 |x
    every day at 9am x → days 1234567 9:00 |x
    every day x → days 1234567 9:00 |x
    everyday 9:00 x → days 1234567 9:00 |x
    daily 9:00 x → days 1234567 9:00 |x
    every morning x → days 1234567 9:00 |x
    every evening at 8 x → days 1234567 20:00 |x
    every evening x → days 1234567 20:00 |x
    every mon-fri 9:00 standup → days 12345 9:00 |standup
    every mon–fri 9:00 standup → days 12345 9:00 |standup
    every mon to fri at 9:00 x → days 12345 9:00 |x
    every mon,wed,fri 9:00 x → days 135 9:00 |x
    every tuesday and thursday 18:00 x → days 24 18:00 |x
    every monday 9am x → days 1 9:00 |x
    every weekday 9:00 x → days 12345 9:00 |x
    weekdays at 9 x → days 12345 9:00 |x
    every weekend 10:00 x → days 67 10:00 |x
    every fri-mon 9:00 x → days 1567 9:00 |x
    每天9点 喝水 → days 1234567 9:00 |喝水
    每天9点喝水 → days 1234567 9:00 |喝水
    每天早上9点 x → days 1234567 9:00 |x
    每晚8点 x → days 1234567 20:00 |x
    每晚12点 x → days 1234567 0:00 |x
    每天 x → days 1234567 9:00 |x
    每周一 9:00 周会 → days 1 9:00 |周会
    每周一9点 x → days 1 9:00 |x
    每周一 x → days 1 9:00 |x
    每周一三五 9点 x → days 135 9:00 |x
    每周一、周三 9点 x → days 13 9:00 |x
    每周一到周五 9:00 x → days 12345 9:00 |x
    每周一至五9点 x → days 12345 9:00 |x
    每周日晚12点 x → days 1 0:00 |x
    每周一三点 x → days 1 3:00 |x
    每星期五 17:30 x → days 5 17:30 |x
    每个工作日 9:00 x → days 12345 9:00 |x
    工作日 9:00 x → days 12345 9:00 |x
    每个周末 10点 x → days 67 10:00 |x
    每隔10分钟 x → every 600 s |x
    每10分钟 x → every 600 s |x
    每半小时 x → every 1800 s |x
    每小时 x → every 3600 s |x
    每两小时 x → every 7200 s |x
    每隔两个小时 x → every 7200 s |x
    每月1号9点 x → month 1 9:00 |x
    每个月15日 x → month 15 9:00 |x
    每月31号 x → month 31 9:00 |x
    cron "0 9 * * 1-5" x → cron 0 9 * * 1,2,3,4,5 |x
    cron 0 9 * * 1-5 x → cron 0 9 * * 1,2,3,4,5 |x
    cron “*/15 9-17 * * mon-fri” x → cron 0,15,30,45 9,10,11,12,13,14,15,16,17 * * 1,2,3,4,5 |x
    cron "0 9 1 jan *" x → cron 0 9 1 1 * |x
    cron "0 9 * * 7" x → cron 0 9 * * 0 |x
    cron "0 9 30 2 *" x → Unclear
    cron "0 9 * *" x → Unclear
    cron "60 9 * * *" x → Unclear
    cron 0 9 x → Unclear
    "#);
}

#[test]
fn what_is_no_time() {
    for text in [
        "",
        " ",
        "buy milk",
        "买牛奶",
        "every",
        "每",
        "every thing",
        "in",
        "at",
        "下周",
        "next",
        "cron",
        "once more",
        "10",
        "半",
        "周",
        "12月",
        "dec",
        "monday9",
        "list",
        "cancel 1",
    ] {
        assert_eq!(say(text), "Unclear", "{text}");
    }
}

/// Words that times are made of, in any order.
fn wild() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "every", "each", "in", "at", "on", "next", "mon", "fri", "-", "to", ",", "9", "10",
        "99999", "999999", ":", "30", "am", "pm", "m", "h", "day", "days", "weeks", "每", "每隔",
        "周", "一", "五", "十", "百", "两", "半", "个", "小时", "分钟", "天", "后", "点", "明天",
        "今晚", "下", "月", "号", "年", "2026", "9999", "早", "晚上", "cron", "\"", "*", "*/5",
        "1-5", "dec", "29", "feb", "tomorrow", "T", "Z", "＋", "：", "🎉", "x", " ", " ", " ",
    ]);
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn nothing_that_is_typed_breaks_it(text in prop_oneof![wild(), ".*", "[ -~]{0,60}"], seconds in 0_i64..4_102_444_800, zone in prop::sample::select(vec![Shanghai, Berlin, Tz::UTC, chrono_tz::Pacific::Apia, chrono_tz::America::New_York])) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        if let Ok((when, rest)) = read(&text, now, zone, BOUNDS) {
            prop_assert!(text.ends_with(rest));
            match when {
                When::Once(due) => {
                    prop_assert!(due > now);
                    prop_assert!(due <= now + TimeDelta::seconds(LONGEST));
                }
                When::Again(repeat) => prop_assert!(repeat.next(now, now, zone).unwrap() > now),
            }
        }
    }
}
