//! A storm over the whole product: many people write numbered messages through the chat platform's
//! wire while processes are killed, frozen and cut off at random. At the end it is counted from
//! outside, at the model's API, in the chats and on the disk: nothing lost, nothing run twice,
//! nothing answered twice, each person's order kept, no card left waiting, no process left over.
//!
//! The plan of what is killed when, and what is said, follows from a seed that is printed; how far
//! everybody has come at such a moment does not. `make chaos` runs it for longer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::format_push_string,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod cards;
mod field;
mod order;
mod person;
mod plan;
mod service;
mod storm;
mod story;
mod tally;
mod words;
#[path = "../e2e/world.rs"]
#[expect(dead_code, reason = "this binary needs a part of it")]
mod world;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::field::Field;
use crate::person::Person;
use crate::plan::Options;
use crate::tally::Tally;

/// How often the run says where it stands.
const TELL_EVERY: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn short_run() {
    let options = Options::from_env();
    eprintln!("chaos: {options}");
    let tally = Arc::new(Tally::default());
    let field = Arc::new(Field::start(&options, Arc::clone(&tally)).await);
    let faults = plan::faults(&options);
    let planned = faults.len();

    let mut people = JoinSet::new();
    for number in 0..options.users {
        let person = Person::new(number, &options, Arc::clone(&field), Arc::clone(&tally));
        people.spawn(person.run());
    }
    let teller = tokio::spawn(tell(Arc::clone(&tally), planned));
    let weather = tokio::spawn(storm::blow(
        faults,
        options,
        Arc::clone(&field),
        Arc::clone(&tally),
    ));
    while let Some(person) = people.join_next().await {
        person.expect("a person's task");
    }
    weather.await.expect("the storm");
    teller.abort();
    eprintln!("{}", tally.line(planned));

    let problems = audit::all(&field, &tally, &options).await;
    eprint!("{}", audit::table(&field, &tally, &options));
    if problems.is_empty() {
        eprintln!("chaos: all kept; {options}");
        return;
    }
    let told = story::tell(&field, &tally, &problems);
    let kept = Arc::into_inner(field).map(Field::keep);
    panic!("{told}\n{options}\nkept for looking at: {kept:?}");
}

async fn tell(tally: Arc<Tally>, planned: usize) {
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        eprintln!("{}", tally.line(planned));
    }
}
