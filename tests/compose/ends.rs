//! The two ends of the check of `docker-compose.yml`: the model that `claude` in a container asks, and a
//! person at the page. What is done with the containers, and when, is `tests/compose/run`'s.
//!
//! ```text
//! compose model ADDRESS          answers as the model, and prints each turn that it was asked
//! compose log-in LINK FILE       uses the printed link; keeps the login in FILE
//! compose ask FILE TEXT ANSWER   says TEXT, allows what is asked, waits for a finished card with ANSWER
//! compose count FILE ANSWER…     each of these is on the page exactly once
//! ```
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a harness that tells a script what it saw"
)]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use kit::model::Model;
use kit::page::{Person, buttons, told};
use serde_json::Value;

/// For everything that is waited for: restarts of containers and a first start of `claude` are within it.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often the model looks for turns that it was asked.
const LOOK: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["model", address] => model(address).await,
        ["log-in", link, file] => {
            let person = Person::log_in(link).await?;
            std::fs::write(file, person.kept()).context("keep the login")
        }
        ["ask", file, text, answer] => ask(&person(file)?, text, answer).await,
        ["count", file, answers @ ..] => count(&person(file)?, answers).await,
        _ => bail!("model ADDRESS | log-in LINK FILE | ask FILE TEXT ANSWER | count FILE ANSWER…"),
    }
}

fn person(file: impl AsRef<Path>) -> Result<Person> {
    Person::from_kept(&std::fs::read_to_string(file).context("read the kept login")?)
}

/// Until it is killed; `claude` has nobody to talk to without it.
async fn model(address: &str) -> Result<()> {
    let model = Model::start_at(address).await;
    println!("listening on {}", model.url());
    let mut printed = 0;
    loop {
        let requests = model.requests();
        for request in requests.iter().skip(printed) {
            if let Some(words) = request.opening.as_ref().filter(|_| request.kind.is_turn()) {
                println!("turn: {}", words.replace('\n', " "));
            }
        }
        printed = requests.len();
        tokio::time::sleep(LOOK).await;
    }
}

async fn ask(person: &Person, text: &str, answer: &str) -> Result<()> {
    // Whether the page can be read is seen first: who cannot read the answer need not ask.
    person.follow(PATIENCE, async |_| Ok(true)).await?;
    person.say(text, PATIENCE).await?;
    let mut allowed = false;
    let finished = async |items: &[Value]| {
        let asks = |item: &&Value| buttons(item).any(|button| button["label"] == "Allow once");
        if let Some(card) = items.iter().find(asks)
            && !allowed
        {
            person.tap(card, "Allow once", PATIENCE).await?;
            allowed = true;
        }
        Ok(items.iter().any(|item| answers(item, answer)))
    };
    person.follow(PATIENCE, finished).await?;
    Ok(())
}

/// Whether it is a card, with nothing going on any more, that says so; one that quotes what was asked is not.
fn answers(item: &Value, answer: &str) -> bool {
    let told = told(item);
    told.contains(answer) && !told.contains("fake: ") && buttons(item).next().is_none()
}

async fn count(person: &Person, wanted: &[&str]) -> Result<()> {
    let items = person.follow(PATIENCE, async |_| Ok(true)).await?;
    for answer in wanted {
        let times = items.iter().filter(|item| answers(item, answer)).count();
        ensure!(times == 1, "`{answer}` is on the page {times} times");
    }
    println!("{} answers, each once", wanted.len());
    Ok(())
}
