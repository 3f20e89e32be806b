//! A node comes and goes while a clock is wound by hand.

use proptest::prelude::*;

use super::*;

/// A node, what was told of it, and a clock.
struct Played {
    told: Told,
    times: Times,
    now: DateTime<Utc>,
    seen: Sight,
    /// Whether the rule is asked; the router may be away.
    awake: bool,
    notices: Vec<(i64, Notice)>,
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

impl Played {
    fn new() -> Self {
        Self {
            told: Told::nothing("pc".parse().unwrap()),
            times: Times::default(),
            now: at(0),
            seen: Sight {
                on: true,
                since: at(0),
            },
            awake: true,
            notices: Vec::new(),
        }
    }

    /// It is so from now on, for so many seconds.
    fn is(&mut self, on: bool, seconds: i64) -> &mut Self {
        if self.seen.on != on {
            self.seen = Sight {
                on,
                since: self.now,
            };
        }
        for _ in 0..seconds {
            self.now += TimeDelta::seconds(1);
            if !self.awake {
                continue;
            }
            match self.told.step(self.seen, &self.times, self.now) {
                Step::Nothing => {}
                Step::Keep(told) => self.told = told,
                Step::Tell(told, notice) => {
                    self.told = told;
                    let at = (self.now - DateTime::UNIX_EPOCH).num_seconds();
                    self.notices.push((at, notice));
                }
            }
        }
        self
    }

    fn on(&mut self, seconds: i64) -> &mut Self {
        self.is(true, seconds)
    }

    fn off(&mut self, seconds: i64) -> &mut Self {
        self.is(false, seconds)
    }

    /// The router is away for a while, and what it keeps is all that is left.
    fn restarts(&mut self, on: bool, seconds: i64) -> &mut Self {
        self.awake = false;
        self.is(on, seconds);
        self.awake = true;
        let kept = serde_json::to_vec(&self.told).unwrap();
        self.told = serde_json::from_slice(&kept).unwrap();
        self
    }

    /// When, off or back, and whether it says that it comes and goes.
    fn told(&self) -> Vec<(i64, &'static str, bool)> {
        let words = |(at, notice): &(i64, Notice)| {
            let what = if notice.off.is_some() { "off" } else { "back" };
            (*at, what, notice.restless)
        };
        self.notices.iter().map(words).collect()
    }
}

#[test]
fn off_for_a_minute_is_told_once_and_back_once() {
    let mut played = Played::new();
    played.on(100).off(5_000).on(5_000);
    assert_eq!(played.told(), [(160, "off", false), (5_101, "back", false)]);
    assert_eq!(played.notices[0].1.off, Some(at(100)));
}

#[test]
fn less_than_a_minute_is_told_to_nobody() {
    let mut played = Played::new();
    for _ in 0..50 {
        played.on(30).off(59);
    }
    played.on(5_000);
    assert_eq!(played.told(), []);
}

#[test]
fn one_that_comes_and_goes_makes_no_stream() {
    let mut played = Played::new();
    // Twenty times off for two minutes and on for two.
    for _ in 0..20 {
        played.off(120).on(120);
    }
    let stormy = played.told();
    assert_eq!(stormy, [(60, "off", false), (121, "back", false)]);
    // Steady at last: one line, and then it is as ever.
    played.on(3_000).off(100);
    let from = 20 * 240 - 120;
    assert_eq!(
        played.told()[2..],
        [(from + 600, "back", true), (7_860, "off", false)]
    );
}

#[test]
fn one_that_stays_away_after_coming_and_going_is_told_when_that_is_sure() {
    let mut played = Played::new();
    played.off(120).on(120).off(120).on(30).off(3_000).on(100);
    assert_eq!(
        played.told(),
        [
            (60, "off", false),
            (121, "back", false),
            (390 + 600, "off", true),
            // The return of what was told is told, as the two before it were long ago by now.
            (3_391, "back", false),
        ]
    );
}

#[test]
fn a_return_that_is_held_back_is_told_as_well() {
    let mut played = Played::new();
    // Off, back and off again within half an hour of the second: the return comes too early.
    played.off(1_500).on(600).off(100).on(3_000);
    assert_eq!(
        played.told(),
        [
            (60, "off", false),
            (1_501, "back", false),
            (2_160, "off", false),
            (2_200 + 600, "back", true),
        ]
    );
}

#[test]
fn a_restart_of_the_router_tells_nothing_twice_and_misses_nothing() {
    // An off that began before the restart, and was told before it.
    let mut played = Played::new();
    played.off(100).restarts(false, 50).off(5_000);
    assert_eq!(played.told(), [(60, "off", false)]);
    // One that was not told yet.
    let mut played = Played::new();
    played.off(30).restarts(false, 500).off(10);
    assert_eq!(played.told(), [(531, "off", false)]);
    // The return was during the restart.
    let mut played = Played::new();
    played.off(100).restarts(true, 50).on(10);
    assert_eq!(played.told(), [(60, "off", false), (151, "back", false)]);
    // Off and back while nobody looked.
    let mut played = Played::new();
    played
        .on(10)
        .restarts(false, 500)
        .restarts(true, 50)
        .on(5_000);
    assert_eq!(played.told(), []);
    // What was held back is still held back.
    let mut played = Played::new();
    played
        .off(120)
        .on(120)
        .off(120)
        .restarts(true, 10)
        .on(2_000);
    assert_eq!(played.told()[2..], [(360 + 600, "back", true)]);
}

#[test]
fn what_is_days_old_is_no_news() {
    let mut played = Played::new();
    played.restarts(false, 80 * 3_600).off(100).on(100);
    // Nobody was told that it was off; that it is back is for nobody either.
    assert!(played.told.people.is_empty());
    assert_eq!(played.told().len(), 1);
    assert_eq!(played.told()[0].1, "back");
}

proptest! {
    /// However a node comes and goes: at most two notices in half an hour but for the one that says
    /// so; each follows from what was told before; and once it is steady it is told as it is.
    #[test]
    fn nobody_is_flooded_and_nobody_is_left_with_a_wrong_word(
        spells in proptest::collection::vec((any::<bool>(), 1_i64..1_500), 1..40),
        last in any::<bool>(),
    ) {
        let mut played = Played::new();
        for (on, seconds) in spells {
            played.is(on, seconds);
        }
        played.is(last, 2_000);
        let notices = &played.notices;
        for three in notices.windows(3) {
            let within = three[2].0 - three[0].0;
            prop_assert!(within >= 1_800 || three.iter().any(|(_, one)| one.restless), "{three:?}");
        }
        for two in notices.windows(2) {
            let changes = two[0].1.off.is_some() != two[1].1.off.is_some();
            prop_assert!(changes || two[1].1.restless, "{two:?}");
            prop_assert!(!two[1].1.restless || two[1].0 - two[0].0 >= 600, "{two:?}");
        }
        prop_assert_eq!(played.told.off.is_none(), last);
        prop_assert!(!played.told.held);
    }
}
