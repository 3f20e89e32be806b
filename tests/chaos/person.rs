//! A person with a phone: writes numbered messages with a few unanswered at a time, decides what
//! the cards ask, and tries again what did not get through. Sees only what the platform shows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::feishu::{BotMessage, SayOptions, User};
use tokio::task::JoinSet;

use crate::cards::{ALLOW, Standing, standing};
use crate::field::{Field, NODES};
use crate::plan::{Kind, Options, Saying, Sayings};
use crate::tally::{Asked, Said, Tally};
use crate::words::{name, prompt};

/// Messages of one person without an answer, at most.
const WINDOW: usize = 4;
/// How often the person looks at the phone.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Nobody sees anything new for so long: something is stuck, and the run ends.
const NOBODY_MOVES: Duration = Duration::from_secs(100);
/// The same for the cards of one message.
const ONE_STANDS_STILL: Duration = Duration::from_secs(200);
/// After this long a press that got through and changed nothing counts as lost.
const PRESS_LOST: Duration = Duration::from_secs(60);
/// A message that shows no sign of having been received does not hold up the next for longer.
const LONGEST_WAIT_FOR_RECEIPT: Duration = Duration::from_secs(15);
/// Messages in one session; then another one is begun, so that conversations stay short.
const PER_SESSION: usize = 80;
/// At the end each of so many messages is told of once more.
const REPEATED_AT_END: usize = 20;

/// A message that waits for its answer.
struct Open {
    place: usize,
    message_id: String,
    saying: Saying,
    /// How its cards stood when last looked at: how many, and their edits.
    cards: (usize, usize),
    changed: Instant,
}

/// A button of a card, and how pressing it went.
#[derive(Default)]
struct Press {
    busy: bool,
    /// When it got through, and how often the card had been edited then.
    through: Option<(Instant, usize)>,
    not_before: Option<Instant>,
    counted: bool,
}

/// How a press ended.
struct Pressed {
    key: (String, &'static str),
    through: bool,
    edits: usize,
}

/// The person.
pub(crate) struct Person {
    number: usize,
    host: usize,
    user: User,
    sayings: Sayings,
    options: Options,
    field: Arc<Field>,
    tally: Arc<Tally>,
    open: Vec<Open>,
    presses: HashMap<(String, &'static str), Press>,
    pressing: JoinSet<Pressed>,
    repeating: JoinSet<()>,
    said: usize,
    in_session: usize,
    sessions: usize,
}

impl Person {
    pub(crate) fn new(
        number: usize,
        options: &Options,
        field: Arc<Field>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            number,
            host: number % NODES.len(),
            user: field.world.feishu.user(&name(number)),
            sayings: Sayings::new(options, number),
            options: *options,
            field,
            tally,
            open: Vec::new(),
            presses: HashMap::new(),
            pressing: JoinSet::new(),
            repeating: JoinSet::new(),
            said: 0,
            in_session: 0,
            sessions: 0,
        }
    }

    /// Writes until the own share is written and the storm is over, and waits for every answer. Ends
    /// early when somebody waits in vain.
    pub(crate) async fn run(mut self) {
        let given_up = self.tally.given_up.clone();
        given_up.run_until_cancelled_owned(self.live()).await;
    }

    async fn live(&mut self) {
        let node = NODES[self.host];
        self.ask(
            &format!("/node {node}"),
            &format!("Machine {}", node.to_uppercase()),
        )
        .await;
        self.begin_session().await;
        let share = self.options.messages.div_ceil(self.options.users);
        while self.said < share || !self.tally.is_calm() {
            if self.in_session >= PER_SESSION {
                self.settle().await;
                self.begin_session().await;
                self.ask("/close 1", "is closed").await;
            }
            let saying = self.sayings.next().expect("without end");
            self.until_free(&saying).await;
            self.say(saying);
        }
        self.settle().await;
        self.repeat_at_end().await;
    }

    /// Once more what is long answered, and one message behind it: when that is answered, the
    /// repeats have been dealt with.
    async fn repeat_at_end(&mut self) {
        while self.repeating.join_next().await.is_some() {}
        let mine = self
            .tally
            .said()
            .into_iter()
            .filter(|said| said.user == self.number);
        let mine: Vec<String> = mine.map(|said| said.message_id).collect();
        for message_id in mine.iter().rev().step_by(3).take(REPEATED_AT_END) {
            self.field.world.feishu.redeliver(message_id, None);
            self.tally.count("events repeated");
        }
        self.say(Saying {
            kind: Kind::Plain,
            pause: Duration::ZERO,
            patient: true,
            parts: 1,
            order: kit::feishu::Order::InOrder,
            again: Vec::new(),
            hesitates: Duration::ZERO,
            twice: false,
        });
        self.settle().await;
    }

    /// Looks at the phone until nothing is unanswered.
    async fn settle(&mut self) {
        while !self.open.is_empty() {
            self.look();
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Looks at the phone until there is room for one more message and its time has come.
    async fn until_free(&mut self, saying: &Saying) {
        let time = Instant::now() + saying.pause;
        loop {
            self.look();
            let unseen = self
                .open
                .last()
                .filter(|_| saying.patient)
                .is_some_and(|last| {
                    let said = self.tally.one(last.place).at;
                    let feishu = &self.field.world.feishu;
                    said.elapsed() < LONGEST_WAIT_FOR_RECEIPT
                        && last.cards.0 == 0
                        && feishu.reactions(&last.message_id).is_empty()
                });
            if self.open.len() < WINDOW && !unseen && Instant::now() >= time {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn say(&mut self, saying: Saying) {
        self.said += 1;
        self.in_session += 1;
        let token = format!("u{}-m{:05}", self.number, self.said);
        let text = prompt(&token, saying.kind);
        let at = Instant::now();
        let options = SayOptions {
            parts: saying.parts,
            order: saying.order,
            ..SayOptions::default()
        };
        let message_id = self.user.say_with(&text, options);
        for after in &saying.again {
            let (after, id, feishu) = (*after, message_id.clone(), self.field.world.feishu.clone());
            self.tally.count("events repeated");
            self.repeating.spawn(async move {
                tokio::time::sleep(after).await;
                feishu.redeliver(&id, None);
            });
        }
        let place = self.tally.say(Said {
            user: self.number,
            token,
            kind: saying.kind,
            message_id: message_id.clone(),
            at,
            answered: None,
            taken_up: 0,
            allowed: 0,
        });
        self.open.push(Open {
            place,
            message_id,
            saying,
            cards: (0, 0),
            changed: at,
        });
    }

    /// One look at the phone: answers are noted, buttons pressed.
    fn look(&mut self) {
        while let Some(done) = self.pressing.try_join_next() {
            self.note_press(done.expect("a press"));
        }
        let mut still_open = Vec::with_capacity(self.open.len());
        for mut open in std::mem::take(&mut self.open) {
            if !self.look_at(&mut open) {
                still_open.push(open);
            }
        }
        self.open = still_open;
        if self.tally.still_for() > NOBODY_MOVES {
            self.give_up(format!("nobody has seen anything new for {NOBODY_MOVES:?}"));
        }
    }

    fn give_up(&self, why: String) {
        self.tally.happened(why);
        self.tally.given_up.cancel();
    }

    /// Whether the message is answered.
    fn look_at(&mut self, open: &mut Open) -> bool {
        let cards = self.field.world.feishu.replies(&open.message_id);
        let now = (cards.len(), cards.iter().map(|card| card.edits.len()).sum());
        if now != open.cards {
            open.cards = now;
            open.changed = Instant::now();
            self.tally.moved();
        } else if open.changed.elapsed() > ONE_STANDS_STILL {
            let token = self.tally.one(open.place).token;
            self.give_up(format!("nothing new on {token} for {ONE_STANDS_STILL:?}"));
        }
        let mut answered = false;
        for card in &cards {
            match standing(card) {
                Standing::Answer(_) => answered = true,
                Standing::Asks(button) => self.decide(open, card, button),
                Standing::Open | Standing::Settled => {}
            }
        }
        if answered {
            self.tally
                .change(open.place, |said| said.answered = Some(Instant::now()));
        }
        answered
    }

    /// Presses a button, unless that is under way or done.
    fn decide(&mut self, open: &Open, card: &BotMessage, button: &'static str) {
        let edits = card.edits.len();
        let key = (card.message_id.clone(), button);
        let press = self.presses.entry(key.clone()).or_default();
        let hesitates = open.saying.hesitates;
        let at = *press
            .not_before
            .get_or_insert_with(|| Instant::now() + hesitates);
        if press.busy || Instant::now() < at {
            return;
        }
        if let Some((through, then)) = press.through {
            // The same question again, after a crash in what was taken up.
            let anew = edits > then;
            if !anew && through.elapsed() < PRESS_LOST {
                return;
            }
            if !anew {
                let token = self.tally.one(open.place).token;
                self.tally.happened(format!(
                    "[{button}] of {token} got through and changed nothing"
                ));
                self.tally.count("presses without effect");
            }
            press.through = None;
        }
        press.busy = true;
        if button == ALLOW {
            if !std::mem::replace(&mut press.counted, true) {
                self.tally.change(open.place, |said| said.allowed += 1);
            }
        } else {
            self.tally.change(open.place, |said| said.taken_up += 1);
        }
        let (user, id, twice) = (
            self.user.clone(),
            card.message_id.clone(),
            open.saying.twice,
        );
        let tally = Arc::clone(&self.tally);
        self.pressing.spawn(async move {
            tally.count("presses");
            let one = || async {
                user.tap(&id, button)
                    .await
                    .is_ok_and(|answer| answer.code == 0)
            };
            let through = if twice {
                tally.count("presses");
                let both = tokio::join!(one(), one());
                both.0 || both.1
            } else {
                one().await
            };
            Pressed {
                key,
                through,
                edits,
            }
        });
    }

    fn note_press(&mut self, done: Pressed) {
        let press = self.presses.entry(done.key).or_default();
        press.busy = false;
        if done.through {
            press.through = Some((Instant::now(), done.edits));
            self.tally.moved();
        } else {
            self.tally.count("presses that did not get through");
            press.not_before = Some(Instant::now() + Duration::from_secs(1));
        }
    }

    async fn begin_session(&mut self) {
        self.sessions += 1;
        self.in_session = 0;
        let dir = format!("u{}-{}", self.number, self.sessions);
        let message_id = self.ask(&format!("/new {dir}"), "is ready").await;
        self.tally.ask(Asked {
            message_id,
            dir,
            host: self.host,
        });
    }

    /// A command, and waits for the answer that holds `part`.
    async fn ask(&mut self, command: &str, part: &str) -> String {
        let id = self.user.say(command);
        let said = Instant::now();
        let mut cards = 0;
        let mut changed = said;
        loop {
            let replies = self.field.world.feishu.replies(&id);
            if replies.iter().any(|card| card.text().contains(part)) {
                self.tally.moved();
                return id;
            }
            if replies.len() != cards {
                cards = replies.len();
                changed = Instant::now();
            }
            if changed.elapsed() > ONE_STANDS_STILL {
                self.give_up(format!("{} got no answer to {command}", name(self.number)));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
