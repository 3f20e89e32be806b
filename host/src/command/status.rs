//! `/status`: the person's sessions on this machine, and the mode.

use chrono::{DateTime, Utc};
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;

use crate::cards::{self, Row};
use crate::context::Origin;
use crate::desk::Desk;
use crate::record::Mode;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin) {
    let now = Utc::now();
    let active = desk.active(&origin.user).map(|one| one.record.id);
    let rows: Vec<Row> = desk
        .mine(&origin.user)
        .into_iter()
        .map(|one| {
            let brief = one.handle.brief();
            let active = Some(one.record.id) == active;
            Row {
                session: one.record.id,
                active,
                line: HostText::Line {
                    active,
                    dir: one.record.dir,
                    running: brief.running,
                    waiting: brief.waiting,
                    queued: brief.queued,
                    live: brief.live,
                    age: age(brief.record.used_at, now),
                },
            }
        })
        .collect();
    let context = &desk.context;
    let mode = match (desk.user(&origin.user).mode, &context.mailboy) {
        (Mode::Direct, _) => HostText::ModeDirect.say(origin.lang),
        (Mode::Smart, None) => HostText::ModeSmart.say(origin.lang),
        (Mode::Smart, Some(mailboy)) => {
            let model = mailboy.model().to_owned();
            MailText::ModeSmart { model }.say(origin.lang)
        }
    };
    let view = cards::status(&context.name, &context.node, origin.lang, &mode, &rows);
    desk.show(place, origin, view).await;
}

/// Seconds, minutes, hours or days since.
fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        let now = Utc::now();
        for (seconds, text) in [
            (-5, "0s"),
            (59, "59s"),
            (60, "1m"),
            (7200, "2h"),
            (200_000, "2d"),
        ] {
            assert_eq!(age(now - chrono::Duration::seconds(seconds), now), text);
        }
    }
}
