//! An adversary with real credentials and a client that sends whatever it likes tries a written list of attacks,
//! while a victim's messages are under way. After each one everything is looked at: what it was told and what it
//! overheard, what the others heard that none of them said, every stream and consumer, and whether the victim's
//! messages arrive, each once and in order.
//!
//! The server checks subjects, but answers with its own authority to whatever reply subject it is given: many of the
//! attacks use that. The same list runs against a server with one account and no permissions: there most succeed, so
//! the list and the looking are worth something.

mod list;
mod login;
mod picture;
mod stage;
mod wire;

use common::identity::Creds;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use list::{Attack, Try, attacks};
use stage::{BOOT, Round, Stage};
use wire::{Door, Pass, Wire};

/// Who attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The node a, as a client.
    Node,
    /// A site's server that carries the node a.
    Leaf,
    Gateway,
    /// Nobody has let it in; it may knock.
    Stranger,
    /// Somebody on a server without permissions, who calls itself a.
    Anybody,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Node | Self::Leaf | Self::Anybody => "a",
            Self::Gateway => "gateway",
            Self::Stranger => "enrol",
        }
    }

    /// Whether a subject, or a consumer (`STREAM/name`), is its own to change.
    fn owns(self, what: &str) -> bool {
        let own: &[&str] = match self {
            Self::Node | Self::Leaf | Self::Anybody => &[
                "pw.out.a.",
                "pw.dead.a.",
                "pw.turn.a.",
                "pw.up.a.",
                "pw.work.a.",
                "PW_WORK/a",
                "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.PW_WORK.a",
            ],
            Self::Gateway => &[
                "pw.down.none.",
                "pw.dead.gateway.",
                "$KV.PW_GATE_web.",
                "PW_OUT/web",
            ],
            Self::Stranger => &[],
        };
        own.iter().any(|own| what.starts_with(own))
    }

    /// Whether it may hear this.
    fn may_hear(self, subject: &str) -> bool {
        match self {
            Self::Node | Self::Leaf | Self::Anybody => {
                ["pw.alive.node.a", "pw.ctl.a.x.y", "_INBOX_a.self"].contains(&subject)
            }
            Self::Gateway => ["pw.alive.gateway.", "pw.delta.", "$SRV."]
                .iter()
                .any(|own| subject.starts_with(own)),
            Self::Stranger => false,
        }
    }
}

/// Whether something that was heard was said by one of the honest ones.
fn is_honest(message: &async_nats::Message) -> bool {
    // The server's own words about connections.
    let event = message.subject.starts_with("pw.presence.")
        && json(message)["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("io.nats.server.advisory."));
    message.payload.starts_with(b"honest") || event
}

/// Whether the starts of a node do not take this for the word of one of them: `host/src/claim.rs` reads it like this.
/// An answer of the server to another's forged reply can get as far as that.
fn is_passed_over(message: &async_nats::Message) -> bool {
    message.headers.is_some()
        || message.reply.is_some()
        || message.payload.is_empty()
        || json(message).is_object() && json(message).get("boot").is_none()
}

fn json(message: &async_nats::Message) -> serde_json::Value {
    serde_json::from_slice(&message.payload).unwrap_or_default()
}

fn pass_of(creds: &Creds) -> Pass {
    let text = creds.text().expose_secret();
    let section = |name: &str| {
        let (_, rest) = text.split_once(&format!("BEGIN {name}-----\n")).unwrap();
        rest.lines().next().unwrap().to_owned()
    };
    Pass::Token {
        jwt: section("NATS USER JWT"),
        seed: section("USER NKEY SEED"),
    }
}

/// Attacks that fail also where there are no permissions, a name a line.
const REFUSED_ANYWHERE: &str = include_str!("adversary/refused_anywhere.txt");

/// What the server lets through from a leaf and nobody can forbid (2.15): it takes a reply subject below `$JS.ACK` as
/// it is into the account that owns the streams, and an empty answer sent there settles what somebody has in hand.
/// Nothing is read, said or thrown away by that, but what is settled does not come again should its reader die before
/// it has written it down. So leaf credentials are for sites that one trusts that far. From clients such replies are
/// refused.
const KNOWN_THROUGH_A_LEAF: [&str; 2] = ["reply to {WORK_ACK}", "reply to {OUT_ACK}"];

/// One adversary at work.
struct Adversary {
    who: Who,
    door: Door,
    pass: Pass,
    api: &'static str,
}

impl Adversary {
    /// Carries out one attack; says in what it succeeded, if it did.
    async fn attack(&self, stage: &mut Stage, attack: &Attack) -> Vec<String> {
        let round = stage.begin().await;
        let before = stage.picture(self.who).await;
        let mut wire = self.enter(stage).await;
        let mut listened = Vec::new();
        for part in &attack.tries {
            self.try_one(&mut wire, part, &round).await;
            // The hub hangs up on a leaf at its first wrong word. It comes back, and goes on.
            if self.door == Door::Leaf && wire.sync().await.is_err() {
                let before = wire;
                wire = self.enter(stage).await;
                wire.heard = before.heard;
                wire.told.extend(before.told);
                for part in &listened {
                    self.try_one(&mut wire, part, &round).await;
                }
            } else if matches!(part, Try::Hear { .. }) {
                listened.push(part.clone());
            }
        }
        // The server may have hung up on it.
        let _ = wire.sync().await;
        stage.settle().await;
        let mut found = before.changes(&stage.picture(self.who).await);
        found.extend(stage.overheard().await);
        // Where it has succeeded all is made anew afterwards, so the rest may stay undone.
        if found.is_empty() {
            found.extend(stage.finish(round).await.err());
        }
        stage.settle().await;
        let _ = wire.sync().await;
        let inbox = format!("_INBOX_{}.got", self.who.name());
        for heard in &wire.heard {
            let refused = heard.subject.starts_with(&inbox) && heard.is_refusal();
            if !refused && !self.who.may_hear(&heard.subject) {
                let body = String::from_utf8_lossy(&heard.body);
                found.push(format!("told on {}: {body:.80}", heard.subject));
            }
        }
        for told in &wire.told {
            if told.contains("_INBOX_b") || told.contains(BOOT) {
                found.push(format!("told who listens on {told}"));
            }
        }
        let all = found.len();
        found.truncate(4);
        if all > 4 {
            found.push(format!("and {} more", all - 4));
        }
        found
    }

    /// Connects and listens where answers go; one by one, as all of one kind share the rest of their name.
    async fn enter(&self, stage: &Stage) -> Wire {
        let address = match self.door {
            Door::Client => &stage.address,
            Door::Leaf => &stage.leaf_address,
        };
        let mut wire = Wire::open(address, self.door, &self.pass).await.unwrap();
        for inbox in ["got", "push", "watch", "snapshot", "trace", "self"] {
            wire.hear(&format!("_INBOX_{}.{inbox}", self.who.name()), "")
                .await;
        }
        wire
    }

    async fn try_one(&self, wire: &mut Wire, part: &Try, round: &Round) {
        let fill = |text: &str| self.fill(text, round);
        match part {
            Try::Say {
                subject,
                reply,
                headers,
                body,
            } => {
                let headers: Vec<(String, String)> = headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), fill(value)))
                    .collect();
                let (subject, reply) = (fill(subject), fill(reply));
                wire.say(&subject, &reply, &headers, fill(body).as_bytes())
                    .await;
            }
            Try::Ask { subject, body } => {
                let (subject, reply) = (fill(subject), fill("_INBOX_{ME}.got"));
                wire.say(&subject, &reply, &[], fill(body).as_bytes()).await;
            }
            Try::Hear { subject, queue } => wire.hear(&fill(subject), queue).await,
            Try::Raw(bytes) => wire.raw(bytes).await,
            Try::Flood {
                subject,
                count,
                bytes,
            } => {
                let body: Vec<u8> = b"honest ".iter().copied().cycle().take(*bytes).collect();
                let subject = fill(subject);
                for n in 0..*count {
                    let subject = subject.replace('#', &n.to_string());
                    wire.say(&subject, "", &[], &body).await;
                }
            }
            Try::Ears { subject, count } => {
                let subject = fill(subject);
                for n in 0..*count {
                    wire.hear(&subject.replace('#', &n.to_string()), "").await;
                }
            }
        }
    }

    fn fill(&self, text: &str, round: &Round) -> String {
        let sequence = round.work_ack.split('.').nth(5).unwrap();
        text.replace("{ME}", self.who.name())
            .replace("{API}", self.api)
            .replace("{BOOT}", BOOT)
            .replace("{WORK_ACK}", &round.work_ack)
            .replace("{OUT_ACK}", &round.out_ack)
            .replace("{WORK_ACK_HERE}", &round.work_ack.replacen('$', "PW", 1))
            .replace("{OUT_ACK_HERE}", &round.out_ack.replacen('$', "PW", 1))
            .replace("{WORK_SEQ}", sequence)
            .replace("{LAST_ID}", &round.last_id)
            .replace("{GUESSED_ID}", &Uuid::now_v7().to_string())
    }

    /// Carries out the whole list and prints it; the names of what has succeeded, and in what.
    async fn run(&self, stage: &mut Stage) -> (usize, Vec<(String, Vec<String>)>) {
        let list: Vec<Attack> = attacks(self.who)
            .into_iter()
            .filter(|attack| {
                let raw = attack.tries.iter().any(|part| matches!(part, Try::Raw(_)));
                self.door == Door::Client || !raw
            })
            .collect();
        let mut succeeded = Vec::new();
        for attack in &list {
            let found = self.attack(stage, attack).await;
            let verdict = if found.is_empty() {
                "refused"
            } else {
                "SUCCEEDED"
            };
            say(&format!("{verdict:9} {} ({})", attack.name, attack.holds));
            if !found.is_empty() {
                succeeded.push((attack.name.clone(), found));
                stage.furnish().await;
                stage.overheard().await;
            }
        }
        (list.len(), succeeded)
    }
}

#[expect(clippy::print_stdout, reason = "the list is for whoever reads the run")]
fn say(line: &str) {
    println!("{line}");
}

/// The whole list against our hub, under both names of the stream API: nothing may succeed.
async fn all_fail(who: Who) {
    let mut stage = Box::pin(Stage::ours()).await;
    let broker = stage.broker.as_ref().unwrap();
    let creds_a = broker.enroll("a");
    let (door, pass) = match who {
        Who::Node => (Door::Client, pass_of(&creds_a)),
        Who::Leaf => {
            let leaf = broker.hub().mint_leaf("site-x", &["a".to_owned()]).unwrap();
            (Door::Leaf, pass_of(&leaf))
        }
        Who::Gateway => (Door::Client, pass_of(&broker.creds("gateway"))),
        Who::Stranger | Who::Anybody => (Door::Client, Pass::Nothing),
    };
    let (mut tried, mut succeeded) = (0, Vec::new());
    for api in ["PWJS.API", "$JS.API"] {
        say(&format!("--- {who:?}, API {api}"));
        let adversary = Adversary {
            who,
            door,
            pass: pass.clone(),
            api,
        };
        let (count, found) = Box::pin(adversary.run(&mut stage)).await;
        tried += count;
        succeeded.extend(found);
    }
    let known = succeeded.len();
    if who == Who::Leaf {
        succeeded.retain(|(name, _)| !KNOWN_THROUGH_A_LEAF.contains(&name.as_str()));
    }
    let known = known - succeeded.len();
    say(&format!(
        "{who:?}: {tried} attacks, {} succeeded, {known} known ones did",
        succeeded.len()
    ));
    assert!(succeeded.is_empty(), "{succeeded:#?}");
}

#[tokio::test]
async fn a_node_reaches_nothing_of_others() {
    all_fail(Who::Node).await;
}

#[tokio::test]
async fn a_leaf_reaches_nothing_of_others() {
    all_fail(Who::Leaf).await;
}

#[tokio::test]
async fn a_gateway_reaches_nothing_of_others() {
    all_fail(Who::Gateway).await;
}

#[tokio::test]
async fn a_stranger_reaches_nothing() {
    all_fail(Who::Stranger).await;
}

#[tokio::test]
async fn the_same_list_succeeds_where_nothing_stands_in_its_way() {
    let mut stage = Box::pin(Stage::plain()).await;
    let adversary = Adversary {
        who: Who::Anybody,
        door: Door::Client,
        pass: Pass::Nothing,
        api: "$JS.API",
    };
    let (tried, succeeded) = Box::pin(adversary.run(&mut stage)).await;
    say(&format!(
        "one account: {tried} attacks, {} succeeded",
        succeeded.len()
    ));
    // What the protocol or the settings of a stream refuse to anybody proves nothing, and is named in a file of its
    // own; each of the others must be seen to succeed here.
    let all = attacks(Who::Anybody);
    let blunt: Vec<&str> = all
        .iter()
        .map(|attack| attack.name.trim())
        .filter(|name| !succeeded.iter().any(|(found, _)| found.trim() == *name))
        .filter(|name| !REFUSED_ANYWHERE.lines().any(|line| line == *name))
        .collect();
    assert!(blunt.is_empty(), "{blunt:#?}");
    assert!(succeeded.len() >= 200, "{} of {tried}", succeeded.len());
}
