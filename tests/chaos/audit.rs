//! Counts, from outside, what became of every message: in the chats, at the model's API, on the
//! disk, among the processes. Nothing of what the product says of itself is believed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use kit::feishu::BotMessage;

use crate::cards::{Standing, as_of, standing, was_found};
use crate::field::Field;
use crate::order::{self, Deliveries, Placed};
use crate::plan::{Kind, Options};
use crate::tally::{Said, Tally};
use crate::words::{self, DONE};

/// How long cards and processes have to come to rest after the last answer.
const REST: Duration = Duration::from_secs(40);

/// Stands before a prompt that is quoted in the request to go on with it.
const QUOTES: &str = "The request was:";

/// What is wrong, and with which message.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The messages' places in the tally.
    pub(crate) places: Vec<usize>,
    pub(crate) what: String,
}

fn general(what: impl Into<String>) -> Problem {
    let what = what.into();
    let places = Vec::new();
    Problem { places, what }
}

/// What was seen from outside.
struct Seen {
    said: Vec<Said>,
    /// The bot's messages to each person.
    chats: Vec<Vec<BotMessage>>,
    /// For each message, the calls to the model that it began, by their number.
    runs: HashMap<String, Vec<usize>>,
    /// Messages that the model was asked to go on with, by their words.
    gone_on: HashSet<String>,
    /// For each message, how often its tool ran.
    tools: HashMap<String, usize>,
}

/// Waits for rest, ends everything, and gives all that is wrong.
pub(crate) async fn all(field: &Field, tally: &Tally, options: &Options) -> Vec<Problem> {
    let mut problems = Vec::new();
    if tally.given_up.is_cancelled() {
        let events = tally.events();
        let why = events.last().map(|(_, what)| what.as_str());
        problems.push(general(format!("given up: {}", why.unwrap_or_default())));
    }
    problems.extend(at_rest(field, options).await);
    problems.extend(field.stop().await.into_iter().map(general));

    let seen = look(field, tally, options);
    for (place, said) in seen.said.iter().enumerate() {
        for what in of_message(said, &seen) {
            let places = vec![place];
            problems.push(Problem { places, what });
        }
    }
    for (places, what) in in_order(field, &seen, tally) {
        let places = places.to_vec();
        problems.push(Problem { places, what });
    }
    problems.extend(of_sessions(field, tally).into_iter().map(general));
    problems.extend(
        of_the_rest(field, tally, options, &seen)
            .into_iter()
            .map(general),
    );
    problems
}

fn look(field: &Field, tally: &Tally, options: &Options) -> Seen {
    let world = &field.world;
    let chats = (0..options.users).map(|user| world.feishu.messages(&words::name(user)));
    let mut runs: HashMap<String, Vec<usize>> = HashMap::new();
    let mut gone_on = HashSet::new();
    for (number, request) in world.model.requests().iter().enumerate() {
        let opening = request
            .opening
            .as_deref()
            .filter(|_| request.kind.is_turn());
        match opening.and_then(about) {
            Some((token, Call::Begins)) => runs.entry(token).or_default().push(number),
            Some((token, Call::GoesOn)) => {
                gone_on.insert(token);
            }
            None => {}
        }
    }
    let mut tools: HashMap<String, usize> = HashMap::new();
    for asked in tally.asked() {
        let file = field.work(asked.host).join(&asked.dir).join("ran.txt");
        for line in std::fs::read_to_string(file).unwrap_or_default().lines() {
            *tools.entry(line.to_owned()).or_default() += 1;
        }
    }
    Seen {
        said: tally.said(),
        chats: chats.collect(),
        runs,
        gone_on,
        tools,
    }
}

/// How a message's prompt stands in a call to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// It is what the model is asked.
    Begins,
    /// It is quoted in what asks to go on with it.
    GoesOn,
}

/// The message that a model call is about. The words of a turn that was cut off may stand before it
/// in the same request; what asks to go on without saying with what stands behind.
fn about(opening: &str) -> Option<(String, Call)> {
    let (before, newest) = opening.split_at(opening.rfind("Message ")?);
    let token = newest.split_whitespace().nth(1)?;
    let whole = newest.starts_with(&words::opening(token))
        && newest.trim_end().ends_with(&format!("{DONE}{token}"));
    let call = if before.trim_end().ends_with(QUOTES) {
        Call::GoesOn
    } else {
        Call::Begins
    };
    whole.then(|| (token.to_owned(), call))
}

/// Nothing in the chats waits any more, and no agent works without its host.
async fn at_rest(field: &Field, options: &Options) -> Vec<Problem> {
    let deadline = Instant::now() + REST;
    loop {
        let mut problems = Vec::new();
        for user in 0..options.users {
            let cards = field.world.feishu.messages(&words::name(user));
            for card in cards {
                if let Standing::Open | Standing::Asks(_) = standing(&card) {
                    let text = card.text();
                    problems.push(general(format!(
                        "a card of person {user} still waits: {text:?}"
                    )));
                }
            }
        }
        let orphans = field.orphans().await;
        let orphans = orphans
            .iter()
            .map(|one| general(format!("an agent without a host: {one:?}")));
        problems.extend(orphans);
        if problems.is_empty() || Instant::now() > deadline {
            return problems;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Each bot message that answers this one, with its place in the chat.
fn answers<'a>(said: &Said, seen: &'a Seen) -> Vec<(usize, &'a BotMessage, Vec<String>)> {
    let cards = seen.chats[said.user].iter().enumerate();
    cards
        .filter(|(_, card)| card.reply_to.as_deref() == Some(said.message_id.as_str()))
        .filter_map(|(at, card)| match standing(card) {
            Standing::Answer(names) => Some((at, card, names)),
            Standing::Asks(_) | Standing::Open | Standing::Settled => None,
        })
        .collect()
}

fn of_message(said: &Said, seen: &Seen) -> Vec<String> {
    let token = &said.token;
    let mut wrong = Vec::new();
    let answers = answers(said, seen);
    match answers.as_slice() {
        [] => wrong.push(format!("{token} was lost: it has no answer")),
        [(_, card, names)] => {
            if *names != [token.clone()] {
                wrong.push(format!("{token} was answered as {names:?}"));
            }
            let is_answer = |edits| {
                let before = as_of(card, edits).map(|card| standing(&card));
                matches!(before, Some(Standing::Answer(_)))
            };
            let first = (1..=card.edits.len()).find(|edits| is_answer(*edits));
            if first.is_some_and(|first| (first..=card.edits.len()).any(|later| !is_answer(later)))
            {
                wrong.push(format!("the card of {token} went back after its answer"));
            }
        }
        several => wrong.push(format!("{token} was answered {} times", several.len())),
    }
    let runs = seen.runs.get(token).map_or(0, Vec::len);
    if runs == 0 && !seen.gone_on.contains(token) {
        wrong.push(format!("{token} never came to the model"));
    } else if runs > 1 + said.taken_up {
        wrong.push(format!("{token} was run {runs} times"));
    }
    let tools = seen.tools.get(token).copied().unwrap_or_default();
    let crashed = said.taken_up > 0 || answers.iter().any(|(_, card, _)| was_found(card));
    let least = match said.kind {
        // A question ends with the process that asked: then the tool does not run.
        Kind::Tool => usize::from(!crashed),
        Kind::Plain | Kind::Slow { .. } => 0,
    };
    if tools < least || tools > said.allowed {
        wrong.push(format!(
            "the tool of {token} ran {tools} times, allowed {} times",
            said.allowed
        ));
    }
    wrong
}

fn in_order(field: &Field, seen: &Seen, tally: &Tally) -> Vec<([usize; 2], String)> {
    let feishu = &field.world.feishu;
    let deliveries = Deliveries::new(&feishu.attempts(), &feishu.acks());
    let mut wrong = Vec::new();
    for user in 0..seen.chats.len() {
        let mut placed = Vec::new();
        for (place, said) in seen
            .said
            .iter()
            .enumerate()
            .filter(|(_, said)| said.user == user)
        {
            let answer = answers(said, seen).into_iter().next();
            placed.push(Placed {
                place,
                token: said.token.clone(),
                said: said.at,
                received: deliveries.received(&said.message_id),
                only_way: deliveries.only_way(&said.message_id),
                run: seen
                    .runs
                    .get(&said.token)
                    .and_then(|runs| runs.first().copied()),
                card: answer.as_ref().map(|(at, ..)| *at),
                shown: answer.map(|(_, card, _)| shown_at(card)),
                cut_off: said.taken_up > 0,
            });
        }
        let verdict = order::judge(&placed);
        tally.count_many("neighbours in a chat", verdict.pairs);
        tally.count_many("neighbours with an order", verdict.judged);
        wrong.extend(verdict.wrong);
    }
    wrong
}

/// When a card first was an answer.
fn shown_at(card: &BotMessage) -> Instant {
    let edits = (1..=card.edits.len()).find(|edits| {
        let then = as_of(card, *edits).map(|card| standing(&card));
        matches!(then, Some(Standing::Answer(_)))
    });
    edits.map_or(card.sent_at, |edits| card.edits[edits - 1].at)
}

fn of_sessions(field: &Field, tally: &Tally) -> Vec<String> {
    let mut wrong = Vec::new();
    for asked in tally.asked() {
        let replies = field.world.feishu.replies(&asked.message_id);
        let ready = replies
            .iter()
            .filter(|card| card.text().contains("is ready"))
            .count();
        if ready != 1 {
            wrong.push(format!("session {} was announced {ready} times", asked.dir));
        }
    }
    wrong
}

fn of_the_rest(field: &Field, tally: &Tally, options: &Options, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    let said: HashSet<&str> = seen
        .said
        .iter()
        .map(|said| said.message_id.as_str())
        .collect();
    for card in seen.chats.iter().flatten() {
        let known = card.reply_to.as_deref().is_some_and(|to| said.contains(to));
        if !known && matches!(standing(card), Standing::Answer(_)) {
            wrong.push(format!("an answer to nothing: {:?}", card.text()));
        }
    }
    let violations = field.world.feishu.violations();
    wrong.extend(
        violations
            .into_iter()
            .map(|what| format!("against the platform's rules: {what}")),
    );
    for (what, count) in tally.counts() {
        if what == "presses without effect" {
            wrong.push(format!("{count} presses got through and changed nothing"));
        }
    }
    for entry in std::fs::read_dir(field.world.home.root())
        .into_iter()
        .flatten()
        .flatten()
    {
        let log = entry.path();
        if log.extension().is_some_and(|end| end == "log") {
            let text = std::fs::read(&log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let panics = text.lines().filter(|line| line.contains("panicked at"));
            wrong.extend(panics.map(|line| format!("{}: {line}", log.display())));
        }
    }
    if !tally.given_up.is_cancelled() {
        if tally.kills() < options.kills {
            wrong.push(format!("only {} processes were killed", tally.kills()));
        }
        if seen.said.len() < options.messages {
            wrong.push(format!("only {} messages were said", seen.said.len()));
        }
    }
    wrong
}

/// The numbers of a run.
pub(crate) fn table(field: &Field, tally: &Tally, options: &Options) -> String {
    let seen = look(field, tally, options);
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    let counts = tally.counts();
    rows.extend(
        counts
            .into_iter()
            .map(|(what, count)| (what.to_owned(), count)),
    );
    let mut row = |what: &str, count: usize| rows.insert(what.to_owned(), count);
    row("messages said", seen.said.len());
    row("kills, all", tally.kills());
    let answered = seen.said.iter().map(|said| answers(said, &seen).len());
    row("answers in the chats", answered.sum());
    row(
        "turns begun at the model",
        seen.runs.values().map(Vec::len).sum(),
    );
    let taken_up = seen.said.iter().filter(|said| said.taken_up > 0);
    row("messages taken up after a crash", taken_up.count());
    let again = seen.runs.values().filter(|runs| runs.len() > 1).count();
    row("prompts given again on being taken up", again);
    row("tools run", seen.tools.values().sum());
    let twice = seen.tools.values().filter(|runs| **runs > 1).count();
    row("tools allowed and run again on being taken up", twice);
    let mut text = String::new();
    for (what, count) in rows {
        let _ = writeln!(text, "chaos: {count:7}  {what}");
    }
    text
}

#[test]
fn a_run_is_told_from_going_on() {
    let prompt = "Message u1-m00002 of the storm, words. fake: text done-u1-m00002";
    let of_2 = |call| Some(("u1-m00002".to_owned(), call));
    assert_eq!(about(prompt), of_2(Call::Begins));
    let behind = format!("Message u1-m00001 of the storm, x. fake: text done-u1-m00001\n{prompt}");
    assert_eq!(about(&behind), of_2(Call::Begins));
    let quoted = format!("Look what is done. The request was:\n\n{prompt}");
    assert_eq!(about(&quoted), of_2(Call::GoesOn));
    assert_eq!(
        about(&format!("{prompt}\nThe last turn was interrupted.")),
        None
    );
    assert_eq!(about("Go on."), None);
}
