//! `/remind` and the buttons of reminders: what was typed or tapped, carried out and answered. Works without
//! any node.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use common::command::Command;
use common::command::typed::number;
use common::ids::MessageId;
use common::lang::Lang;
use common::message::inbound::Inbound;
use common::message::view::{RemindChoice, View};

use super::record::{Reminder, card_of};
use super::when;
use super::{Refused, Reminders, Wish};
use crate::act::Desk;
use crate::cards::remind as show;
use crate::users::{Stopped, User};

/// What `/remind` can be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Typed<'a> {
    List,
    Cancel(u32),
    /// `cancel` and no number.
    CancelWhat,
    Zone(&'a str),
    Set(&'a str),
}

fn typed(args: &str) -> Typed<'_> {
    let args = args.trim();
    let (word, rest) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    let rest = rest.trim();
    match (word.to_lowercase().as_str(), rest) {
        ("" | "list" | "ls" | "列表" | "查看", "") => Typed::List,
        ("cancel" | "delete" | "rm" | "取消" | "删除", typed) => {
            let typed = typed.trim_start_matches(['#', '＃']);
            number(typed).map_or(Typed::CancelWhat, Typed::Cancel)
        }
        ("zone" | "timezone" | "tz" | "时区", zone) => Typed::Zone(zone),
        _ => glued(args).unwrap_or(Typed::Set(args)),
    }
}

/// "取消3": no blank is written between.
fn glued(args: &str) -> Option<Typed<'_>> {
    let number = ["取消", "删除"]
        .iter()
        .find_map(|word| args.strip_prefix(word))?;
    number
        .trim_matches(['#', '＃', ' '])
        .parse()
        .ok()
        .map(Typed::Cancel)
}

/// What is left when the time is read: without the marks between, and words that say nothing.
fn about(rest: &str) -> &str {
    let marks = |c: char| c.is_whitespace() || ",:;，：；、。-".contains(c);
    let number = |text: &str| {
        let mut chars = text.trim_start().chars();
        chars.next() == Some('-') && chars.next().is_some_and(|c| c.is_ascii_digit())
    };
    // "-5°C", "9:00-10:00"
    if number(rest) {
        return rest.trim();
    }
    let text = rest.trim().trim_start_matches(marks);
    let text = ["提醒我一下", "提醒我", "remind me to ", "Remind me to "]
        .iter()
        .find_map(|words| text.strip_prefix(words))
        .unwrap_or(text);
    text.trim_start_matches(marks).trim_end()
}

/// Carries out `/remind`, which lies in PW_IN since `at`.
pub(crate) async fn run(
    desk: &Desk,
    inbound: &Inbound,
    mut user: User,
    args: &str,
    at: DateTime<Utc>,
    lang: Lang,
) -> Result<(), Stopped> {
    let reminders = &desk.reminders;
    let replies = &desk.dispatch.replies;
    let zone = user.zone().unwrap_or(reminders.zone);
    let view = match typed(args) {
        Typed::List => show::list(lang, &reminders.waiting(&inbound.user), zone),
        Typed::Cancel(number) => {
            let by = &inbound.meta.cause;
            match reminders.cancel_number(&inbound.user, number, by).await? {
                Some(one) => show::cancelled(lang, &one),
                None => show::no_number(lang, number),
            }
        }
        Typed::CancelWhat => crate::cards::wrong_use(lang, Command::Remind),
        Typed::Zone("") => show::zone_is(lang, zone),
        Typed::Zone(name) => match zone_of(name) {
            Some(zone) => {
                if user.set_zone(zone) {
                    desk.users.put(&inbound.user, &user).await?;
                }
                show::zone_set(lang, zone)
            }
            None => show::no_zone(lang, name),
        },
        Typed::Set(text) => {
            let wish = Wish {
                id: MessageId::derived(&["reminder", inbound.meta.cause.as_str()]),
                user: &inbound.user,
                chat: &inbound.chat,
                cause: &inbound.meta.cause,
                traceparent: &inbound.meta.traceparent,
                now: at,
                zone,
            };
            match set(reminders, wish, text).await? {
                Ok(one) => {
                    let view = show::set(lang, &one);
                    return replies.card(inbound, "answer", one.card(), 1, view).await;
                }
                Err(why) => show::refused(lang, &why, zone, reminders.bounds()),
            }
        }
    };
    replies.show(inbound, "answer", view).await
}

async fn set(
    reminders: &Reminders,
    wish: Wish<'_>,
    text: &str,
) -> Result<Result<std::sync::Arc<Reminder>, Refused>, Stopped> {
    match when::read(text, wish.now, wish.zone, reminders.bounds()) {
        Ok((when, rest)) => reminders.set(wish, when, about(rest)).await,
        Err(why) => Ok(Err(Refused::When(why))),
    }
}

/// A zone by its name, in any case.
fn zone_of(name: &str) -> Option<Tz> {
    let name = name.trim();
    let same = |zone: &&Tz| zone.name().eq_ignore_ascii_case(name);
    name.parse()
        .ok()
        .or_else(|| chrono_tz::TZ_VARIANTS.iter().find(same).copied())
}

/// Carries out a tap on a reminder's card. `place` is the tap's in PW_IN: each tap is a newer state.
#[expect(clippy::too_many_arguments, reason = "all that is known of one act")]
pub(crate) async fn tapped(
    desk: &Desk,
    inbound: &Inbound,
    reminder: MessageId,
    due: Option<i64>,
    choice: RemindChoice,
    place: u64,
    at: DateTime<Utc>,
    lang: Lang,
) -> Result<(), Stopped> {
    let (reminders, user) = (&desk.reminders, &inbound.user);
    let by = &inbound.meta.cause;
    let replies = &desk.dispatch.replies;
    let found: Option<View> = match (choice, due) {
        (RemindChoice::Snooze, Some(due)) => {
            let again = reminders
                .snooze(user, &inbound.chat, (reminder, due), at, by)
                .await?;
            match again {
                // The card of the reminder keeps its buttons.
                Some(Err(why)) => {
                    let zone = reminders.zone;
                    let view = show::refused(lang, &why, zone, reminders.bounds());
                    return replies.show(inbound, "answer", view).await;
                }
                Some(Ok(one)) => Some(show::snoozed(lang, &one)),
                None => None,
            }
        }
        (RemindChoice::Done, Some(due)) => {
            let done = reminders.done(user, (reminder, due), by).await?;
            done.map(|one| show::done(lang, &one))
        }
        (RemindChoice::Snooze | RemindChoice::Done, None) => None,
        (RemindChoice::Cancel | RemindChoice::CancelListed, _) => {
            let one = reminders.cancel(user, reminder, by).await?;
            one.map(|one| show::cancelled(lang, &one))
        }
    };
    let Some(view) = found else {
        return replies.show(inbound, "answer", show::gone(lang)).await;
    };
    let card = match (choice, due, reminders.own(user, reminder)) {
        (RemindChoice::CancelListed, ..) | (_, None, None) => {
            return replies.show(inbound, "answer", view).await;
        }
        (_, Some(due), _) => card_of(user, reminder, due),
        (_, None, Some(one)) => one.card(),
    };
    let rev = u32::try_from(place).unwrap_or(u32::MAX).max(2);
    replies.card(inbound, "answer", card, rev, view).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_told_apart() {
        assert_eq!(typed(""), Typed::List);
        assert_eq!(typed(" LIST "), Typed::List);
        assert_eq!(typed("cancel 3"), Typed::Cancel(3));
        assert_eq!(typed("取消 ＃３。"), Typed::Cancel(3));
        assert_eq!(typed("取消 #3"), Typed::Cancel(3));
        assert_eq!(typed("取消3"), Typed::Cancel(3));
        assert_eq!(typed("取消会议"), Typed::Set("取消会议"));
        assert_eq!(typed("cancel all"), Typed::CancelWhat);
        assert_eq!(typed("zone Asia/Tokyo"), Typed::Zone("Asia/Tokyo"));
        assert_eq!(typed("10m list"), Typed::Set("10m list"));
        assert_eq!(about(" , 提醒我喝水 "), "喝水");
        assert_eq!(about("提醒我一下，喝水"), "喝水");
        assert_eq!(about(" remind me to drink"), "drink");
        assert_eq!(about(" -5°C"), "-5°C");
        assert_eq!(about(" - call"), "call");
        assert_eq!(zone_of("asia/tokyo"), Some(chrono_tz::Asia::Tokyo));
        assert_eq!(zone_of("Nowhere"), None);
    }
}
