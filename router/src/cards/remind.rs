//! Cards about reminders and about the language that is spoken.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, RemindChoice, Tone, View};
use common::text::Say as _;
use common::text::router::remind::RemindText as Text;

use super::{BUTTONS, QUOTE, sheet};
use crate::presence::seconds_since;
use crate::remind::record::{Reminder, local};
use crate::remind::when::{Bounds, Why};
use crate::remind::{LONGEST, Refused};

/// From here on a reminder says that it is late.
const LATE: TimeDelta = TimeDelta::minutes(1);
/// Reminders that one card lists.
const LISTED: usize = 50;

fn card(lang: Lang, tone: Tone, title: &Text, lines: &[Text]) -> View {
    let lines = lines.iter().map(|line| line.say(lang));
    sheet(tone, title.say(lang), lines)
}

fn button(
    lang: Lang,
    label: &Text,
    style: ButtonStyle,
    one: &Reminder,
    due: Option<i64>,
    choice: RemindChoice,
) -> Button {
    Button {
        label: label.say(lang),
        style,
        action: Action::Remind {
            reminder: one.id,
            due,
            choice,
        },
    }
}

/// When, in words; of a series also when it comes next.
fn times(lang: Lang, one: &Reminder) -> Vec<String> {
    let due = one.local(one.due);
    match one.often() {
        Some(often) => vec![Text::Often(often).say(lang), Text::Next(due).say(lang)],
        None => vec![Text::At(due).say(lang)],
    }
}

/// What it is about, as the person wrote it.
fn about(one: &Reminder) -> Block {
    Block::Plain {
        text: one.text.clone(),
    }
}

/// It is set, or stands so since before.
pub(crate) fn set(lang: Lang, one: &Reminder) -> View {
    if !one.waits() {
        let mut view = card(lang, Tone::Plain, &Text::Came, &[]);
        view.blocks.push(about(one));
        return view;
    }
    let mut view = sheet(Tone::Done, Text::Set.say(lang), times(lang, one));
    view.blocks.push(about(one));
    view.buttons.push(button(
        lang,
        &Text::Cancel,
        ButtonStyle::Normal,
        one,
        None,
        RemindChoice::Cancel,
    ));
    view.footer = Some(Text::Zone(one.zone.clone()).say(lang));
    view
}

/// All that waits for a person.
pub(crate) fn list(lang: Lang, waiting: &[Arc<Reminder>], zone: Tz) -> View {
    if waiting.is_empty() {
        return card(lang, Tone::Plain, &Text::Empty, &[Text::Examples]);
    }
    let mut view = card(lang, Tone::Plain, &Text::List, &[]);
    let row = |one: &Arc<Reminder>| {
        let due = Text::At(local(one.due, zone)).say(lang);
        let often = one.often().map(|often| Text::Often(often).say(lang));
        let when = [Some(due), often].into_iter().flatten().collect::<Vec<_>>();
        (
            format!("{}. {}", one.number, when.join(" · ")),
            cut(&one.text),
        )
    };
    view.blocks.push(Block::Fields {
        rows: waiting.iter().take(LISTED).map(row).collect(),
    });
    let more = waiting.len().saturating_sub(LISTED);
    if more > 0 {
        let text = Text::More(more).say(lang);
        view.blocks.push(Block::Plain { text });
    }
    view.buttons = waiting
        .iter()
        .take(BUTTONS)
        .map(|one| {
            let label = Text::CancelNumber(one.number);
            button(
                lang,
                &label,
                ButtonStyle::Normal,
                one,
                None,
                RemindChoice::CancelListed,
            )
        })
        .collect();
    let (hint, zone) = (Text::ListHint, Text::Zone(zone.name().to_owned()));
    view.footer = Some(format!("{} · {}", hint.say(lang), zone.say(lang)));
    view
}

fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(QUOTE).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// It is due, or was. `next`: when its series goes on.
pub(crate) fn due(
    lang: Lang,
    one: &Reminder,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> View {
    let mut view = card(lang, Tone::Asking, &Text::Due, &[]);
    view.blocks.push(about(one));
    if now - one.due > LATE {
        let late = Text::Late {
            due: one.local(one.due),
            seconds: seconds_since(one.due, now),
        };
        view.blocks.push(Block::Plain {
            text: late.say(lang),
        });
    }
    let due = Some(one.due.timestamp_millis());
    view.buttons = vec![
        button(
            lang,
            &Text::Snooze,
            ButtonStyle::Normal,
            one,
            due,
            RemindChoice::Snooze,
        ),
        button(
            lang,
            &Text::Done,
            ButtonStyle::Primary,
            one,
            due,
            RemindChoice::Done,
        ),
    ];
    if let (Some(often), Some(next)) = (one.often(), next) {
        let (often, next) = (Text::Often(often), Text::Next(one.local(next)));
        view.footer = Some(format!("{} · {}", often.say(lang), next.say(lang)));
        view.buttons.push(button(
            lang,
            &Text::StopSeries,
            ButtonStyle::Danger,
            one,
            due,
            RemindChoice::Cancel,
        ));
    }
    view
}

/// The short message with it.
pub(crate) fn rings(lang: Lang, one: &Reminder) -> String {
    Text::Rings(cut(&one.text)).say(lang)
}

/// It comes again.
pub(crate) fn snoozed(lang: Lang, again: &Reminder) -> View {
    let title = Text::Snoozed(again.local(again.due));
    let mut view = card(lang, Tone::Plain, &title, &[]);
    view.blocks.push(about(again));
    view.buttons.push(button(
        lang,
        &Text::Cancel,
        ButtonStyle::Normal,
        again,
        None,
        RemindChoice::CancelListed,
    ));
    view
}

/// It is dealt with.
pub(crate) fn done(lang: Lang, one: &Reminder) -> View {
    let mut view = card(lang, Tone::Done, &Text::IsDone, &[]);
    view.blocks.push(about(one));
    view
}

/// It is taken back, unless it came before that.
pub(crate) fn cancelled(lang: Lang, one: &Reminder) -> View {
    use crate::remind::record::State;
    let title = match one.state {
        State::Waits | State::Cancelled { .. } => Text::Cancelled,
        State::Came { .. } => Text::Came,
    };
    let mut view = card(lang, Tone::Plain, &title, &[]);
    view.blocks.push(about(one));
    view
}

/// There is none of that number.
pub(crate) fn no_number(lang: Lang, number: u32) -> View {
    card(
        lang,
        Tone::Warning,
        &Text::NoNumber(number),
        &[Text::GoneHint],
    )
}

/// It is not known any more.
pub(crate) fn gone(lang: Lang) -> View {
    card(lang, Tone::Warning, &Text::Gone, &[Text::GoneHint])
}

/// Why it is not set, and what can be written.
pub(crate) fn refused(lang: Lang, why: &Refused, zone: Tz, bounds: Bounds) -> View {
    let seconds = |seconds: i64| u64::try_from(seconds).unwrap_or(0);
    let (title, hint) = match why {
        Refused::When(Why::Unclear) => (Text::Unclear, Text::Examples),
        Refused::When(Why::Past(due)) => (Text::Past(local(*due, zone)), Text::Examples),
        Refused::When(Why::TooSoon) => (Text::TooSoon(seconds(bounds.soonest)), Text::Examples),
        Refused::When(Why::TooOften) => (Text::TooOften(seconds(bounds.period)), Text::Examples),
        Refused::When(Why::TooFar) => (Text::TooFar, Text::Examples),
        Refused::NoText => (Text::NoText, Text::Examples),
        Refused::TooLong => (Text::TooLong(LONGEST), Text::GoneHint),
        Refused::Full => (Text::Full(crate::remind::PER_PERSON), Text::FullHint),
        Refused::HubFull => (Text::HubFull, Text::FullHint),
    };
    card(lang, Tone::Warning, &title, &[hint])
}

/// Whose clock counts now.
pub(crate) fn zone_set(lang: Lang, zone: Tz) -> View {
    let title = Text::ZoneSet(zone.name().to_owned());
    card(lang, Tone::Done, &title, &[])
}

/// Whose clock counts.
pub(crate) fn zone_is(lang: Lang, zone: Tz) -> View {
    let title = Text::Zone(zone.name().to_owned());
    card(lang, Tone::Plain, &title, &[Text::ZoneHint])
}

/// There is no such zone.
pub(crate) fn no_zone(lang: Lang, name: &str) -> View {
    let name = name.chars().take(QUOTE).collect();
    card(lang, Tone::Warning, &Text::NoZone(name), &[Text::ZoneHint])
}

/// The language that is spoken; `chosen`: by the person, `now`: just now.
pub(crate) fn language(lang: Lang, chosen: bool, now: bool) -> View {
    if now {
        return card(lang, Tone::Done, &Text::LanguageSet, &[Text::LanguageHint]);
    }
    let how = if chosen {
        Text::LanguageChosen
    } else {
        Text::LanguageTold
    };
    card(
        lang,
        Tone::Plain,
        &Text::Language,
        &[how, Text::LanguageHint],
    )
}

/// A card as lines of text, for a chat model.
pub(crate) fn plain(view: &View) -> String {
    let mut lines = vec![view.title.clone()];
    for block in &view.blocks {
        match block {
            Block::Plain { text } | Block::Markdown { text } | Block::Code { text, .. } => {
                lines.push(text.clone());
            }
            Block::Fields { rows } => {
                lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
            }
            Block::Steps { steps, .. } => lines.extend(steps.iter().map(|step| step.text.clone())),
        }
    }
    lines.extend(view.footer.clone());
    lines.join("\n")
}

#[cfg(test)]
mod tests;
