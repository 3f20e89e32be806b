//! What a run does, worked out from its seed alone: the faults with their moments, and what each
//! person says. Doing it is left to `storm` and `person`.

use std::time::Duration;

use kit::feishu::Order;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// How long a killed process stays away, at most.
const AWAY_MS: u64 = 3000;

/// How much of everything. Read from the environment, so that one test serves both runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Everything random comes from it, except how far the others are at a moment.
    pub(crate) seed: u64,
    /// Numbered messages, at least; more when the storm lasts longer than they do.
    pub(crate) messages: usize,
    /// Processes ended by `kill -9`; cuts and frozen processes come on top.
    pub(crate) kills: usize,
    /// People, each with a session of their own.
    pub(crate) users: usize,
}

impl std::fmt::Display for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seed,
            messages,
            kills,
            users,
        } = self;
        write!(
            f,
            "SEED={seed} MESSAGES={messages} KILLS={kills} USERS={users}"
        )
    }
}

impl Options {
    /// `PHONEWORK_CHAOS_SEED`, `_MESSAGES`, `_KILLS`, `_USERS`; a variable that is missing or empty
    /// leaves the short run's number, and a random seed.
    pub(crate) fn from_env() -> Self {
        let number = |name: &str| {
            let name = format!("PHONEWORK_CHAOS_{name}");
            let text = std::env::var(&name).ok().filter(|text| !text.is_empty())?;
            match text.parse::<u64>() {
                Ok(number) => Some(number),
                Err(why) => panic!("{name}={text}: {why}"),
            }
        };
        let count = |name: &str| number(name).map(|number| usize::try_from(number).unwrap());
        let messages = count("MESSAGES").unwrap_or(500);
        Self {
            // Short enough to be typed again.
            seed: number("SEED").unwrap_or_else(|| rand::random_range(1..1_000_000_000)),
            messages,
            kills: count("KILLS").unwrap_or(messages.div_ceil(12)),
            users: count("USERS").unwrap_or(8),
        }
    }

    /// A run that would keep too much if it kept everything.
    pub(crate) fn is_long(&self) -> bool {
        self.messages > 2000
    }
}

/// A process of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Broker,
    Router,
    Gateway,
    Host(usize),
}

/// A line between two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    RouterToBroker,
    GatewayToBroker,
    HostToBroker(usize),
    GatewayToFeishu,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `kill -9` of all of these at once, each started again after a while.
    Kill(Vec<(Who, Duration)>),
    /// `kill -9` of an agent of a host, the one at this place among those that live.
    KillAgent { host: usize, place: usize },
    /// A line is cut, or passes nothing while it looks open.
    Cut {
        wire: Wire,
        half_open: bool,
        lasts: Duration,
    },
    /// SIGSTOP, and SIGCONT after a while.
    Pause { who: Who, lasts: Duration },
}

impl Fault {
    /// How many processes it ends.
    pub(crate) fn kills(&self) -> usize {
        match self {
            Self::Kill(all) => all.len(),
            Self::KillAgent { .. } => 1,
            Self::Cut { .. } | Self::Pause { .. } => 0,
        }
    }
}

/// A fault and how long after the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) after: Duration,
    pub(crate) fault: Fault,
}

fn millis(rng: &mut StdRng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.random_range(from..=to))
}

/// The whole storm, with at least as many kills as asked for.
pub(crate) fn faults(options: &Options) -> Vec<Due> {
    let rng = &mut StdRng::seed_from_u64(options.seed);
    let mut plan = Vec::new();
    let mut kills = 0;
    while kills < options.kills {
        let due = Due {
            after: millis(rng, 300, 2300),
            fault: fault(rng),
        };
        kills += due.fault.kills();
        plan.push(due);
    }
    plan
}

fn fault(rng: &mut StdRng) -> Fault {
    let away = |rng: &mut StdRng| millis(rng, 0, AWAY_MS);
    let host = rng.random_range(0..2);
    match rng.random_range(0..100) {
        // Fewer than of the others: after each, what the dead one had in hand comes again only
        // once the broker gives it up, and everybody waits for that.
        0..9 => Fault::Kill(vec![(Who::Gateway, away(rng))]),
        9..24 => Fault::Kill(vec![(Who::Router, away(rng))]),
        24..40 => Fault::Kill(vec![(Who::Host(host), away(rng))]),
        40..52 => Fault::Kill(vec![(Who::Broker, away(rng))]),
        52..72 => Fault::KillAgent {
            host,
            place: rng.random_range(0..1000),
        },
        72..78 => {
            let other = match rng.random_range(0..3) {
                0 => Who::Router,
                1 => Who::Gateway,
                _ => Who::Host(host),
            };
            Fault::Kill(vec![(Who::Broker, away(rng)), (other, away(rng))])
        }
        78..92 => {
            let wire = match rng.random_range(0..4) {
                0 => Wire::RouterToBroker,
                1 => Wire::GatewayToBroker,
                2 => Wire::HostToBroker(host),
                _ => Wire::GatewayToFeishu,
            };
            Fault::Cut {
                wire,
                half_open: rng.random_bool(0.4),
                lasts: millis(rng, 1000, 8000),
            }
        }
        _ => {
            let who = match rng.random_range(0..4) {
                0 => Who::Router,
                1 => Who::Gateway,
                2 => Who::Host(host),
                _ => Who::Broker,
            };
            let lasts = millis(rng, 1000, 5000);
            Fault::Pause { who, lasts }
        }
    }
}

/// What a message makes the model do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One answer.
    Plain,
    /// An answer in pieces, so that a turn lasts.
    Slow { pieces: u32, pause_ms: u32 },
    /// A tool that writes the message's number into a file, after a question to the person.
    Tool,
}

/// One message as planned, and what the person does around it.
#[derive(Debug, Clone)]
pub(crate) struct Saying {
    pub(crate) kind: Kind,
    /// Before it is said.
    pub(crate) pause: Duration,
    /// Not before the one said before it was seen to be received.
    pub(crate) patient: bool,
    /// Frames that its event is cut into, and their order.
    pub(crate) parts: usize,
    pub(crate) order: Order,
    /// The platform tells of it again under another event id, each so long after.
    pub(crate) again: Vec<Duration>,
    /// Buttons that it brings are looked at so long before they are pressed, and pressed twice.
    pub(crate) hesitates: Duration,
    pub(crate) twice: bool,
}

/// What one person says, without end.
pub(crate) struct Sayings(StdRng);

impl Sayings {
    pub(crate) fn new(options: &Options, user: usize) -> Self {
        let user = u64::try_from(user).unwrap() + 1;
        Self(StdRng::seed_from_u64(
            options.seed ^ user.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        ))
    }
}

impl Iterator for Sayings {
    type Item = Saying;

    fn next(&mut self) -> Option<Saying> {
        let rng = &mut self.0;
        let kind = match rng.random_range(0..100) {
            0..18 => Kind::Tool,
            18..40 => Kind::Slow {
                pieces: rng.random_range(2..6),
                pause_ms: rng.random_range(50..300),
            },
            _ => Kind::Plain,
        };
        let again = match rng.random_range(0..10) {
            0 => vec![millis(rng, 0, 500)],
            1 => vec![millis(rng, 500, 10_000)],
            2 => vec![millis(rng, 0, 5000), millis(rng, 0, 10_000)],
            _ => Vec::new(),
        };
        let (parts, order) = match rng.random_range(0..20) {
            0 => (3, Order::Reversed),
            1 => (2, Order::Repeated),
            2 => (4, Order::InOrder),
            _ => (1, Order::InOrder),
        };
        Some(Saying {
            kind,
            pause: millis(rng, 0, 500),
            patient: rng.random_bool(0.6),
            parts,
            order,
            again,
            hesitates: millis(rng, 50, 1500),
            twice: rng.random_bool(0.2),
        })
    }
}

#[test]
fn the_plan_follows_from_the_seed() {
    let options = Options {
        seed: 7,
        messages: 500,
        kills: 42,
        users: 8,
    };
    let plan = faults(&options);
    assert_eq!(plan, faults(&options));
    let kills: usize = plan.iter().map(|due| due.fault.kills()).sum();
    assert!((42..44).contains(&kills), "{kills}");
    let other = Options { seed: 8, ..options };
    assert_ne!(plan, faults(&other));
    let said = |user| {
        let sayings = Sayings::new(&options, user).take(50);
        sayings.map(|saying| saying.kind).collect::<Vec<_>>()
    };
    assert_eq!(said(1), said(1));
    assert_ne!(said(1), said(2));
}
