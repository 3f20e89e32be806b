//! What a failed run tells: what is wrong, and the whole story of the first message that it went
//! wrong with, as the platform, the model and the logs have it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use kit::feishu::BotMessage;

use crate::audit::Problem;
use crate::cards::as_of;
use crate::field::Field;
use crate::tally::{Said, Tally};

/// Problems told by name; the rest is counted.
const MOST_PROBLEMS: usize = 30;
/// Lines of the logs about one message, at most.
const MOST_LINES: usize = 400;

/// The whole text.
pub(crate) fn tell(field: &Field, tally: &Tally, problems: &[Problem]) -> String {
    let mut text = format!("{} things are wrong:\n", problems.len());
    for problem in problems.iter().take(MOST_PROBLEMS) {
        let _ = writeln!(text, "- {}", problem.what);
    }
    let first = problems.iter().find(|problem| !problem.places.is_empty());
    let mut places = first.map_or(Vec::new(), |problem| problem.places.clone());
    if places.is_empty() {
        // Nobody in particular: whoever waits longest.
        let waits = tally.said().iter().position(|said| said.answered.is_none());
        places.extend(waits);
    }
    let _ = writeln!(
        text,
        "neighbours: {}",
        neighbours(tally, places.first().copied())
    );
    for place in places {
        text += &of(field, tally, &tally.one(place));
    }
    text
}

/// The messages of the same person just before and behind it, with the platform's ids of them, to
/// look them up in the logs.
fn neighbours(tally: &Tally, place: Option<usize>) -> String {
    let all = tally.said();
    let Some(one) = place.and_then(|place| all.get(place)) else {
        return "none".to_owned();
    };
    let mine: Vec<&Said> = all.iter().filter(|said| said.user == one.user).collect();
    let at = mine.iter().position(|said| said.token == one.token);
    let at = at.unwrap_or_default();
    let near = mine.iter().skip(at.saturating_sub(3)).take(7);
    let near = near.map(|said| format!("{} {}", said.token, said.message_id));
    near.collect::<Vec<_>>().join(", ")
}

fn of(field: &Field, tally: &Tally, said: &Said) -> String {
    let clock = |at: Instant| format!("{:8.3}", tally.clock(at));
    let mut lines: Vec<(f64, String)> = Vec::new();
    let mut line = |at: Instant, what: String| lines.push((tally.clock(at), what));
    line(said.at, format!("said by person {}", said.user));
    let feishu = &field.world.feishu;
    let mine = |id: &Option<String>| id.as_deref() == Some(said.message_id.as_str());
    for attempt in feishu.attempts().iter().filter(|one| mine(&one.message_id)) {
        line(
            attempt.sent_at,
            format!("event over connection {}", attempt.connection),
        );
    }
    for ack in feishu.acks().iter().filter(|one| mine(&one.message_id)) {
        let (code, problem) = (ack.code, &ack.problem);
        line(
            ack.at,
            format!("ack {code}, taken {}, {problem:?}", ack.accepted),
        );
    }
    let mut until = said.at + Duration::from_secs(5);
    for card in feishu.replies(&said.message_id) {
        let id = &card.message_id;
        let sent = as_sent(field, &card).map(|card| card.text());
        line(card.sent_at, format!("card {id} appears: {sent:?}"));
        for (at, edit) in card.edits.iter().enumerate() {
            let text = as_of(&card, at + 1)
                .map(|card| card.text())
                .unwrap_or_default();
            line(edit.at, format!("card {id} is {text:?}"));
            until = until.max(edit.at);
        }
        line(
            Instant::now(),
            format!("card {id} is now {:?}", card.text()),
        );
    }
    for (number, request) in field.world.model.requests().iter().enumerate() {
        let about = |text: &str| text.contains(&said.token);
        if request.opening.as_deref().is_some_and(about) || about(&request.user_text) {
            let at = request
                .at
                .duration_since(tally.began_at)
                .unwrap_or_default();
            let words = request.opening.as_deref().unwrap_or("(a tool's result)");
            let tail: String = words
                .chars()
                .rev()
                .take(150)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            let what = format!("model call {number}, {:?}, …{tail:?}", request.note);
            lines.push((at.as_secs_f64(), what));
        }
    }
    let from = said
        .at
        .checked_sub(Duration::from_secs(15))
        .unwrap_or(said.at);
    for (at, event) in tally.events() {
        if (from..until + Duration::from_secs(20)).contains(&at) {
            lines.push((tally.clock(at), format!("* {event}")));
        }
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut text = format!("the story of {} ({}):\n", said.token, said.message_id);
    for (at, what) in lines {
        let _ = writeln!(text, "{at:8.3}  {what}");
    }
    let _ = writeln!(
        text,
        "the logs of it (the run began at {:?}):",
        tally.began_at
    );
    text += &logs(field, &said.message_id);
    let _ = writeln!(text, "told at {}", clock(Instant::now()));
    text
}

/// A card as it was when it appeared, out of the request that made it.
fn as_sent(field: &Field, card: &BotMessage) -> Option<BotMessage> {
    let uuid = card.uuid.as_deref()?;
    let calls = field.world.feishu.calls();
    let call = calls.iter().find(|call| call.body["uuid"] == uuid)?;
    let mut sent = card.clone();
    sent.content = serde_json::from_str(call.body["content"].as_str()?).ok()?;
    Some(sent)
}

/// Every line of every log that names the message: it is the cause of all that follows from it.
fn logs(field: &Field, message_id: &str) -> String {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(field.world.home.root())
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        if path.extension().is_none_or(|end| end != "log") {
            continue;
        }
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read(&path).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            if line.contains(message_id) {
                lines.push((line.to_owned(), name.clone()));
            }
        }
    }
    // Each begins with its time.
    lines.sort();
    lines.truncate(MOST_LINES);
    let lines = lines
        .into_iter()
        .map(|(line, name)| format!("{name}: {line}"));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}
