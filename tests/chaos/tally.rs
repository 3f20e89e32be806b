//! What everybody has said and seen so far, and when something last moved. Judging it is left to
//! `audit`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::plan::Kind;

/// A numbered message, and what became of it as far as its person has seen.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) user: usize,
    /// Names it everywhere: `u3-m00017`.
    pub(crate) token: String,
    pub(crate) kind: Kind,
    /// The platform's id of it.
    pub(crate) message_id: String,
    pub(crate) at: Instant,
    /// When its answer was seen whole.
    pub(crate) answered: Option<Instant>,
    /// Presses of [Continue] and [Try again] that may have reached somebody.
    pub(crate) taken_up: usize,
    /// Questions of its turn that were answered with [Allow once].
    pub(crate) allowed: usize,
}

/// A request for a session, which must be met once.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) message_id: String,
    /// The directory that it names.
    pub(crate) dir: String,
    pub(crate) host: usize,
}

/// The record of a run. Everything has one lock of its own, held for moments.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) began: Instant,
    pub(crate) began_at: SystemTime,
    said: Mutex<Vec<Said>>,
    asked: Mutex<Vec<Asked>>,
    counts: Mutex<BTreeMap<&'static str, usize>>,
    events: Mutex<Vec<(Instant, String)>>,
    moved: Mutex<Instant>,
    faults: AtomicUsize,
    kills: AtomicUsize,
    calm: AtomicBool,
    /// Somebody waits in vain; everybody stops.
    pub(crate) given_up: CancellationToken,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            began_at: SystemTime::now(),
            said: Mutex::default(),
            asked: Mutex::default(),
            counts: Mutex::default(),
            events: Mutex::default(),
            moved: Mutex::new(Instant::now()),
            faults: AtomicUsize::new(0),
            kills: AtomicUsize::new(0),
            calm: AtomicBool::new(false),
            given_up: CancellationToken::new(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    /// Notes a new message; its place is its name from now on.
    pub(crate) fn say(&self, said: Said) -> usize {
        self.moved();
        let mut all = lock(&self.said);
        all.push(said);
        all.len() - 1
    }

    pub(crate) fn change(&self, place: usize, change: impl FnOnce(&mut Said)) {
        self.moved();
        change(&mut lock(&self.said)[place]);
    }

    pub(crate) fn one(&self, place: usize) -> Said {
        lock(&self.said)[place].clone()
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        lock(&self.said).clone()
    }

    pub(crate) fn said_so_far(&self) -> usize {
        lock(&self.said).len()
    }

    pub(crate) fn ask(&self, asked: Asked) {
        self.moved();
        lock(&self.asked).push(asked);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }

    /// One more of what is only counted.
    pub(crate) fn count(&self, what: &'static str) {
        *lock(&self.counts).entry(what).or_default() += 1;
    }

    pub(crate) fn count_many(&self, what: &'static str, many: usize) {
        *lock(&self.counts).entry(what).or_default() += many;
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, usize> {
        lock(&self.counts).clone()
    }

    /// Something that a story may have to tell; told at once, too.
    pub(crate) fn happened(&self, what: String) {
        eprintln!(
            "chaos: {:6.1} s  {what}",
            self.began.elapsed().as_secs_f64()
        );
        lock(&self.events).push((Instant::now(), what));
    }

    pub(crate) fn events(&self) -> Vec<(Instant, String)> {
        lock(&self.events).clone()
    }

    /// Somebody saw something new.
    pub(crate) fn moved(&self) {
        *lock(&self.moved) = Instant::now();
    }

    /// How long nobody has seen anything new.
    pub(crate) fn still_for(&self) -> Duration {
        lock(&self.moved).elapsed()
    }

    /// One more fault of the plan is under way.
    pub(crate) fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// A process was ended.
    pub(crate) fn killed(&self, what: &'static str) {
        self.kills.fetch_add(1, Ordering::Relaxed);
        self.count(what);
    }

    pub(crate) fn kills(&self) -> usize {
        self.kills.load(Ordering::Relaxed)
    }

    pub(crate) fn faults(&self) -> usize {
        self.faults.load(Ordering::Relaxed)
    }

    /// The storm is over.
    pub(crate) fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Seconds since the run began.
    pub(crate) fn clock(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.began).as_secs_f64()
    }

    /// Where the run stands.
    pub(crate) fn line(&self, planned: usize) -> String {
        let (said, answered) = {
            let said = lock(&self.said);
            let answered = said.iter().filter(|one| one.answered.is_some()).count();
            (said.len(), answered)
        };
        format!(
            "chaos: {:4.0} s, {said} said, {answered} answered, {} of {planned} faults with {} kills",
            self.began.elapsed().as_secs_f64(),
            self.faults(),
            self.kills(),
        )
    }
}
