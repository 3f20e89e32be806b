//! The same times in more of the words that people use, and what must not be half understood.

use super::*;

#[test]
fn in_a_while_in_other_words() {
    insta::assert_snapshot!(table(&[
        "1个半小时后 x", "两个半小时后 x", "两天半后 x", "五分钟之后 x", "再过半小时 x", "三刻钟后 x", "两个钟头后 x", "两个星期后 x", "我10分钟后喝水", "提醒我十分钟后喝水",
        "in an hour and a half x", "in one and a half hours x", "in two and a half hours x", "2 hours and a half x", "a half hour x", "in a quarter of an hour x", "in three quarters of an hour x",
        "in two hours x", "in ten minutes x", "in twenty-five minutes x", "in forty-five mins x", "me in 10m stretch", "in 90 min x", "1 week from now x", "in 3 days evening x", "三天后早上 x", "三天后 早上8点 x",
        "10分钟前 x", "10 minutes ago x", "2小时内 x", "10分钟一次 x", "10 minutes before lunch x", "a week from tomorrow x", "in a million years x", "1000000 years x", "999999w x", "0秒后 x", "in 0 minutes x",
        "10分钟和20分钟后 x", "两天半价 x", "in an hour 🎂", "10分钟后 @all <b>hi</b>",
    ]), @"
    1个半小时后 x → Mon 2026-11-23 16:00:00 |x
    两个半小时后 x → Mon 2026-11-23 17:00:00 |x
    两天半后 x → Thu 2026-11-26 02:30:00 |x
    五分钟之后 x → Mon 2026-11-23 14:35:00 |x
    再过半小时 x → Mon 2026-11-23 15:00:00 |x
    三刻钟后 x → Mon 2026-11-23 15:15:00 |x
    两个钟头后 x → Mon 2026-11-23 16:30:00 |x
    两个星期后 x → Mon 2026-12-07 14:30:00 |x
    我10分钟后喝水 → Mon 2026-11-23 14:40:00 |喝水
    提醒我十分钟后喝水 → Mon 2026-11-23 14:40:00 |喝水
    in an hour and a half x → Mon 2026-11-23 16:00:00 |x
    in one and a half hours x → Mon 2026-11-23 16:00:00 |x
    in two and a half hours x → Mon 2026-11-23 17:00:00 |x
    2 hours and a half x → Mon 2026-11-23 17:00:00 |x
    a half hour x → Mon 2026-11-23 15:00:00 |x
    in a quarter of an hour x → Mon 2026-11-23 14:45:00 |x
    in three quarters of an hour x → Mon 2026-11-23 15:15:00 |x
    in two hours x → Mon 2026-11-23 16:30:00 |x
    in ten minutes x → Mon 2026-11-23 14:40:00 |x
    in twenty-five minutes x → Mon 2026-11-23 14:55:00 |x
    in forty-five mins x → Mon 2026-11-23 15:15:00 |x
    me in 10m stretch → Mon 2026-11-23 14:40:00 |stretch
    in 90 min x → Mon 2026-11-23 16:00:00 |x
    1 week from now x → Mon 2026-11-30 14:30:00 |x
    in 3 days evening x → Thu 2026-11-26 20:00:00 |x
    三天后早上 x → Thu 2026-11-26 09:00:00 |x
    三天后 早上8点 x → Thu 2026-11-26 08:00:00 |x
    10分钟前 x → Unclear
    10 minutes ago x → Unclear
    2小时内 x → Unclear
    10分钟一次 x → Unclear
    10 minutes before lunch x → Unclear
    a week from tomorrow x → Unclear
    in a million years x → Unclear
    1000000 years x → Unclear
    999999w x → TooFar
    0秒后 x → TooSoon
    in 0 minutes x → TooSoon
    10分钟和20分钟后 x → Unclear
    两天半价 x → Wed 2026-11-25 14:30:00 |半价 x
    in an hour 🎂 → Mon 2026-11-23 15:30:00 |🎂
    10分钟后 @all <b>hi</b> → Mon 2026-11-23 14:40:00 |@all <b>hi</b>
    ");
}

#[test]
fn at_an_hour_in_other_words() {
    insta::assert_snapshot!(table(&[
        "at 5pm x", "at noon x", "at 8 o'clock x", "at 8.30 x", "8.30pm x", "9.15 x", "at 8.5 x", "half past 8 x", "quarter to 9 x", "at a quarter past 5pm x", "8:30 in the evening x", "at 9 in the morning x", "8 tonight x", "at 8 tonight x",
        "1am tonight x", "9:00-10:00 meeting", "9点到10点开会", "9am and 5pm x", "8点、12点 x", "9点前 x", "9点前台见", "at 8:300 x", "at 24:30 x", "24:00 x", "零点 x", "下午5:30 x", "晚上8点整 x", "14:30 x", "14:31 x", "5pm friday drinks", "9am dec 1 x",
        "9:30 daily standup", "8.30am tomorrow x", "10 tomorrow evening x",
    ]), @"
    at 5pm x → Mon 2026-11-23 17:00:00 |x
    at noon x → Tue 2026-11-24 12:00:00 |x
    at 8 o'clock x → Tue 2026-11-24 08:00:00 |x
    at 8.30 x → Tue 2026-11-24 08:30:00 |x
    8.30pm x → Mon 2026-11-23 20:30:00 |x
    9.15 x → Unclear
    at 8.5 x → Unclear
    half past 8 x → Tue 2026-11-24 08:30:00 |x
    quarter to 9 x → Tue 2026-11-24 08:45:00 |x
    at a quarter past 5pm x → Mon 2026-11-23 17:15:00 |x
    8:30 in the evening x → Mon 2026-11-23 20:30:00 |x
    at 9 in the morning x → Tue 2026-11-24 09:00:00 |x
    8 tonight x → Unclear
    at 8 tonight x → Mon 2026-11-23 20:00:00 |x
    1am tonight x → Tue 2026-11-24 01:00:00 |x
    9:00-10:00 meeting → Tue 2026-11-24 09:00:00 |-10:00 meeting
    9点到10点开会 → Tue 2026-11-24 09:00:00 |到10点开会
    9am and 5pm x → Unclear
    8点、12点 x → Unclear
    9点前 x → Unclear
    9点前台见 → Tue 2026-11-24 09:00:00 |前台见
    at 8:300 x → Unclear
    at 24:30 x → Unclear
    24:00 x → Tue 2026-11-24 00:00:00 |x
    零点 x → Tue 2026-11-24 00:00:00 |x
    下午5:30 x → Mon 2026-11-23 17:30:00 |x
    晚上8点整 x → Mon 2026-11-23 20:00:00 |x
    14:30 x → Tue 2026-11-24 14:30:00 |x
    14:31 x → Mon 2026-11-23 14:31:00 |x
    5pm friday drinks → Fri 2026-11-27 17:00:00 |drinks
    9am dec 1 x → Tue 2026-12-01 09:00:00 |x
    9:30 daily standup → Tue 2026-11-24 09:30:00 |daily standup
    8.30am tomorrow x → Tue 2026-11-24 08:30:00 |x
    10 tomorrow evening x → Unclear
    ");
}

#[test]
fn on_a_day_in_other_words() {
    insta::assert_snapshot!(table(&[
        "后天下午三点半 x", "下周五 8:30 x", "本月25号 x", "本月15号 x", "这个月30日 9点 x", "25号 10点 x", "15号 x", "31号 x", "下下个月3号 x", "12月31日23:59 x", "12月31号晚上11点59分 x", "2月31日 9点 x", "2027年2月29日 x", "2028年2月29日 8点 x", "2月29日 x",
        "3号线 x", "5日后 x", "周日一起吃饭", "周二一早出发", "周五到上海", "周一到周五", "friday to monday trip", "下周一到周五9点 x", "明天到后天 x", "明天25点 x", "明天早上25点 x", "今天9点 x", "今早8点 x", "今天中午 x", "明天中午12点半 x", "周末 x",
        "next friday 8:30 x", "on Dec 31 at 23:59 x", "dec 31st 23:59 x", "on the 25th at 10 x", "the 15th x", "on feb 31 x", "tomorrow at noon x", "tomorrow 10 x", "tonight 10", "tomorrow at 25:00 x", "tomorrow 3 eggs", "tomorrow at the dentist", "tomorrow 5k run", "friday 5 miles",
        "monday next week x", "tomorrow and friday x", "friday before 5pm x", "明天9点和周五 x", "明天9点和张三开会", "明天 3杯水", "9999-12-31 9:00 x", "99999-01-01 x", "tomorrow at 9 or 10 x", "tomorrow - friday x", "me tomorrow at 9 x", "2026-12-31 24:00 x", "2026.12.1 9:00 x",
    ]), @"
    后天下午三点半 x → Wed 2026-11-25 15:30:00 |x
    下周五 8:30 x → Fri 2026-12-04 08:30:00 |x
    本月25号 x → Wed 2026-11-25 09:00:00 |x
    本月15号 x → past 2026-11-15 09:00
    这个月30日 9点 x → Mon 2026-11-30 09:00:00 |x
    25号 10点 x → Wed 2026-11-25 10:00:00 |x
    15号 x → Tue 2026-12-15 09:00:00 |x
    31号 x → Thu 2026-12-31 09:00:00 |x
    下下个月3号 x → Sun 2027-01-03 09:00:00 |x
    12月31日23:59 x → Thu 2026-12-31 23:59:00 |x
    12月31号晚上11点59分 x → Thu 2026-12-31 23:59:00 |x
    2月31日 9点 x → Unclear
    2027年2月29日 x → Unclear
    2028年2月29日 8点 x → Tue 2028-02-29 08:00:00 |x
    2月29日 x → Tue 2028-02-29 09:00:00 |x
    3号线 x → Unclear
    5日后 x → Unclear
    周日一起吃饭 → Sun 2026-11-29 09:00:00 |一起吃饭
    周二一早出发 → Tue 2026-11-24 09:00:00 |一早出发
    周五到上海 → Fri 2026-11-27 09:00:00 |到上海
    周一到周五 → Unclear
    friday to monday trip → Unclear
    下周一到周五9点 x → Unclear
    明天到后天 x → Unclear
    明天25点 x → Unclear
    明天早上25点 x → Unclear
    今天9点 x → past 2026-11-23 09:00
    今早8点 x → past 2026-11-23 08:00
    今天中午 x → past 2026-11-23 12:00
    明天中午12点半 x → Tue 2026-11-24 12:30:00 |x
    周末 x → Unclear
    next friday 8:30 x → Fri 2026-12-04 08:30:00 |x
    on Dec 31 at 23:59 x → Thu 2026-12-31 23:59:00 |x
    dec 31st 23:59 x → Thu 2026-12-31 23:59:00 |x
    on the 25th at 10 x → Wed 2026-11-25 10:00:00 |x
    the 15th x → Tue 2026-12-15 09:00:00 |x
    on feb 31 x → Unclear
    tomorrow at noon x → Tue 2026-11-24 12:00:00 |x
    tomorrow 10 x → Unclear
    tonight 10 → Unclear
    tomorrow at 25:00 x → Unclear
    tomorrow 3 eggs → Unclear
    tomorrow at the dentist → Tue 2026-11-24 09:00:00 |at the dentist
    tomorrow 5k run → Tue 2026-11-24 09:00:00 |5k run
    friday 5 miles → Unclear
    monday next week x → Unclear
    tomorrow and friday x → Unclear
    friday before 5pm x → Unclear
    明天9点和周五 x → Unclear
    明天9点和张三开会 → Tue 2026-11-24 09:00:00 |和张三开会
    明天 3杯水 → Tue 2026-11-24 09:00:00 |3杯水
    9999-12-31 9:00 x → TooFar
    99999-01-01 x → Unclear
    tomorrow at 9 or 10 x → Unclear
    tomorrow - friday x → Unclear
    me tomorrow at 9 x → Tue 2026-11-24 09:00:00 |x
    2026-12-31 24:00 x → Fri 2027-01-01 00:00:00 |x
    2026.12.1 9:00 x → Tue 2026-12-01 09:00:00 |x
    ");
}

#[test]
fn again_and_again_in_other_words() {
    insta::assert_snapshot!(table(&[
        "每天早上8点 x", "每个工作日 9:00 x", "每隔2小时 x", "每月1号10点 x", "周一到周五9点 x", "周一至周五 9:00 x", "周一三五 18点 x", "周六、周日 10点 x", "每周六日 10点 x", "每周日一起吃饭", "每周一，7:30 x", "每周一，15:00 x", "每周一到周五早上9点 x", "每周——周五 x",
        "每隔一天 x", "每隔一周 x", "每两周周一9点 x", "每2小时一次 x", "每天一次 x", "每天25点 x", "每天8点、12点 x", "每天9点和17点 x", "每天 8杯水", "every day 9:00, 5 pushups", "每天9点，3公里", "每月1日和15日 9点 x", "每年12月25日 x", "每月32号 x", "每分钟 x", "每30秒 x", "每小时半 x",
        "every day at 8 x", "every day at 8am and 8pm x", "every weekday 9:00 x", "every 2 hours x", "every hour and a half x", "every two hours x", "every month on the 1st at 10 x", "every month on day 15 at 9:00 x", "monthly on the 1st x", "on the 1st of every month at 10 x", "every 1st at 10 x", "every 15th of the month x", "every month x", "every month on the 32nd x",
        "every mon,wed,fri 18:00 x", "every mon wed fri 18:00 x", "every mon sun cream", "mon-fri 9:00 x", "monday to friday at 9 x", "mon, wed and fri 18:00 x", "mondays at 9 x", "on fridays 17:00 x", "on weekdays at 9 x", "9:00 every day x", "at 9am every weekday x", "at 9 on weekdays x", "every mon thru thu 8:00 x", "every business day 9:00 x",
        "every 2 weeks on monday 9:00 x", "every 2 hours from 9 to 17 x", "every day except sunday x", "every day 8 x", "every day at 25:00 x", "every other day x", "every second day x", "every year on dec 25 x", "every 0 minutes x", "every million years x", "every monday 10 x",
        "cron `*/15 9-17 * * 1-5` x", "cron 0 0 9 * * 1-5 x", "cron \"0 0 9 * * 1-5\" x", "cron 0 9 * * 1-5 - x", "cron 0 9 1 * */1 x", "*/15 9-17 * * 1-5 x", "cron 0 9 31 2 * x", "cron 0 9 29 2 * x", "cron */0 * * * * x",
    ]), @r#"
    每天早上8点 x → days 1234567 8:00 |x
    每个工作日 9:00 x → days 12345 9:00 |x
    每隔2小时 x → every 7200 s |x
    每月1号10点 x → month 1 10:00 |x
    周一到周五9点 x → days 12345 9:00 |x
    周一至周五 9:00 x → days 12345 9:00 |x
    周一三五 18点 x → days 135 18:00 |x
    周六、周日 10点 x → days 67 10:00 |x
    每周六日 10点 x → days 67 10:00 |x
    每周日一起吃饭 → days 7 9:00 |一起吃饭
    每周一，7:30 x → days 1 7:30 |x
    每周一，15:00 x → days 1 15:00 |x
    每周一到周五早上9点 x → days 12345 9:00 |x
    每周——周五 x → Unclear
    每隔一天 x → Unclear
    每隔一周 x → Unclear
    每两周周一9点 x → Unclear
    每2小时一次 x → every 7200 s |x
    每天一次 x → days 1234567 9:00 |x
    每天25点 x → Unclear
    每天8点、12点 x → Unclear
    每天9点和17点 x → Unclear
    每天 8杯水 → days 1234567 9:00 |8杯水
    every day 9:00, 5 pushups → days 1234567 9:00 |, 5 pushups
    每天9点，3公里 → days 1234567 9:00 |，3公里
    每月1日和15日 9点 x → Unclear
    每年12月25日 x → Unclear
    每月32号 x → Unclear
    每分钟 x → every 60 s |x
    每30秒 x → TooOften
    每小时半 x → every 5400 s |x
    every day at 8 x → days 1234567 8:00 |x
    every day at 8am and 8pm x → Unclear
    every weekday 9:00 x → days 12345 9:00 |x
    every 2 hours x → every 7200 s |x
    every hour and a half x → every 5400 s |x
    every two hours x → every 7200 s |x
    every month on the 1st at 10 x → month 1 10:00 |x
    every month on day 15 at 9:00 x → month 15 9:00 |x
    monthly on the 1st x → month 1 9:00 |x
    on the 1st of every month at 10 x → month 1 10:00 |x
    every 1st at 10 x → month 1 10:00 |x
    every 15th of the month x → month 15 9:00 |x
    every month x → Unclear
    every month on the 32nd x → Unclear
    every mon,wed,fri 18:00 x → days 135 18:00 |x
    every mon wed fri 18:00 x → days 135 18:00 |x
    every mon sun cream → days 1 9:00 |sun cream
    mon-fri 9:00 x → days 12345 9:00 |x
    monday to friday at 9 x → days 12345 9:00 |x
    mon, wed and fri 18:00 x → days 135 18:00 |x
    mondays at 9 x → days 1 9:00 |x
    on fridays 17:00 x → days 5 17:00 |x
    on weekdays at 9 x → days 12345 9:00 |x
    9:00 every day x → days 1234567 9:00 |x
    at 9am every weekday x → days 12345 9:00 |x
    at 9 on weekdays x → days 12345 9:00 |x
    every mon thru thu 8:00 x → days 1234 8:00 |x
    every business day 9:00 x → days 12345 9:00 |x
    every 2 weeks on monday 9:00 x → Unclear
    every 2 hours from 9 to 17 x → Unclear
    every day except sunday x → Unclear
    every day 8 x → Unclear
    every day at 25:00 x → Unclear
    every other day x → Unclear
    every second day x → TooOften
    every year on dec 25 x → Unclear
    every 0 minutes x → TooOften
    every million years x → Unclear
    every monday 10 x → Unclear
    cron `*/15 9-17 * * 1-5` x → cron 0,15,30,45 9,10,11,12,13,14,15,16,17 * * 1,2,3,4,5 |x
    cron 0 0 9 * * 1-5 x → Unclear
    cron "0 0 9 * * 1-5" x → Unclear
    cron 0 9 * * 1-5 - x → cron 0 9 * * 1,2,3,4,5 |- x
    cron 0 9 1 * */1 x → cron 0 9 1 * * |x
    */15 9-17 * * 1-5 x → Unclear
    cron 0 9 31 2 * x → Unclear
    cron 0 9 29 2 * x → cron 0 9 29 2 * |x
    cron */0 * * * * x → Unclear
    "#);
}

/// Hours that a day leaves out, or has twice: once, and not on any other day.
#[test]
fn a_series_over_clocks_that_are_set() {
    let all = |text: &str, zone: Tz, from: &str, count: usize| {
        let from: DateTime<Utc> = from.parse().unwrap();
        let (When::Again(repeat), _) = read(text, from, zone, BOUNDS).unwrap() else {
            panic!("{text}");
        };
        let mut at = from;
        let times = (0..count).map(|_| {
            at = repeat.next(from, at, zone).unwrap();
            at.with_timezone(&zone).format("%a %d %H:%M %z").to_string()
        });
        format!("{text}: {}", times.collect::<Vec<_>>().join(", "))
    };
    let new_york = chrono_tz::America::New_York;
    insta::assert_snapshot!([
        all("every day 2:30 x", Berlin, "2026-03-27T12:00:00Z", 3),
        all("every day 2:30 x", Berlin, "2026-10-23T12:00:00Z", 4),
        all("every sun 1:30 x", new_york, "2026-10-30T12:00:00Z", 3),
        all("every month on the 31st at 8 x", Shanghai, "2026-11-23T12:00:00Z", 4),
        all("cron \"30 2 * * *\" x", new_york, "2026-03-07T12:00:00Z", 3),
        all("cron \"*/30 1-3 * * *\" x", Berlin, "2026-10-24T22:00:00Z", 9),
    ].join("\n"), @r#"
    every day 2:30 x: Sat 28 02:30 +0100, Sun 29 03:00 +0200, Mon 30 02:30 +0200
    every day 2:30 x: Sat 24 02:30 +0200, Sun 25 02:30 +0200, Mon 26 02:30 +0100, Tue 27 02:30 +0100
    every sun 1:30 x: Sun 01 01:30 -0400, Sun 08 01:30 -0500, Sun 15 01:30 -0500
    every month on the 31st at 8 x: Thu 31 08:00 +0800, Sun 31 08:00 +0800, Wed 31 08:00 +0800, Mon 31 08:00 +0800
    cron "30 2 * * *" x: Sun 08 03:00 -0400, Mon 09 02:30 -0400, Tue 10 02:30 -0400
    cron "*/30 1-3 * * *" x: Sun 25 01:00 +0200, Sun 25 01:30 +0200, Sun 25 02:00 +0200, Sun 25 02:30 +0200, Sun 25 02:00 +0100, Sun 25 02:30 +0100, Sun 25 03:00 +0100, Sun 25 03:30 +0100, Mon 26 01:00 +0100
    "#);
}

/// Berlin: at the end of March 2:30 is left out, at the end of October it comes twice.
#[test]
fn clocks_that_are_set() {
    let at = |text: &str, now: &str| say_at(text, now.parse().unwrap(), Berlin);
    assert_eq!(
        at("tomorrow 2:30 x", "2026-03-28T12:00:00Z"),
        "Sun 2026-03-29 03:30:00 |x"
    );
    assert_eq!(
        at("tomorrow 2:30 x", "2026-10-24T12:00:00Z"),
        "Sun 2026-10-25 02:30:00 |x"
    );
    let (when, _) = read(
        "tomorrow 2:30 x",
        "2026-10-24T12:00:00Z".parse().unwrap(),
        Berlin,
        BOUNDS,
    )
    .unwrap();
    assert_eq!(when, When::Once("2026-10-25T00:30:00Z".parse().unwrap()));
    // A day of 23 hours: a span is a span, an hour is an hour.
    assert_eq!(
        at("24h x", "2026-03-28T12:00:00Z"),
        "Sun 2026-03-29 14:00:00 |x"
    );
    assert_eq!(
        at("tomorrow 13:00 x", "2026-03-28T12:00:00Z"),
        "Sun 2026-03-29 13:00:00 |x"
    );
    // Samoa left out a whole day.
    let gone = say_at(
        "2011-12-30 09:00 x",
        "2011-12-28T12:00:00Z".parse().unwrap(),
        chrono_tz::Pacific::Apia,
    );
    assert_eq!(gone, "Sat 2011-12-31 09:00:00 |x");
}
