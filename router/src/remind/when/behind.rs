//! What must not stand behind a time: words that would make another one of it, in a way that is not read. A text
//! with them is not understood, rather than half of it.

use chrono::NaiveDate;

use super::cursor::Cursor;
use super::{clock, day, length};

/// Whether what follows changes the time that ends here: "9点前", "9am and 5pm", "monday next week".
pub(super) fn changes(words: &Cursor<'_>, series: bool) -> bool {
    let mut words = words.clone();
    if words.any(&["前", "以前", "之前", "内", "以内", "之内"]) {
        // Words of the text.
        return !words.next_is(|c| "往去台端面部容科方".contains(c));
    }
    if words.word("一次") {
        return true;
    }
    words.spaces();
    if words.any(&[
        "ago",
        "except",
        "除了",
        "next week",
        "of next week",
        "this week",
    ]) {
        return true;
    }
    let list = words.any(&["和", "及", "或", "、", "&", "and", "or", "before"]);
    let comma = !list && series && words.word(",");
    let range = words.any(&[
        "到", "至", "-", "~", "to", "through", "thru", "till", "until",
    ]);
    if !list && !comma && !range {
        return false;
    }
    while words.word("-") {}
    words.spaces();
    let fits = |read: &dyn Fn(&mut Cursor<'_>) -> bool| read(&mut words.clone());
    let today = NaiveDate::default();
    let day = fits(&|words| day::near(words, today).is_some())
        || fits(&|words| day::named(words, today, false).is_some());
    let hour = fits(&|words| clock::read(words, None).is_some());
    // "9:00-10:00" is reminded of when it begins.
    day || hour && (list || series)
        || list && (clock::is_no_hour(&words) || fits(&|words| length::read(words).is_some()))
}
