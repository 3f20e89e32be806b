//! The attacks: what is tried, and what must hold. In the texts `{ME}` is the attacker, `{API}` the prefix of the
//! stream API, `{BOOT}` the victim's secret start, `{WORK_ACK}` and `{OUT_ACK}` the acknowledgements of what is in the
//! hands of the victim and of the gateway, `{LAST_ID}` an id that the victim has used.

use super::Who;

/// One step of an attack.
#[derive(Debug, Clone)]
pub(super) enum Try {
    /// Publishes, with a reply subject unless that is empty.
    Say {
        subject: String,
        reply: String,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Requests; an answer other than an error is a success.
    Ask { subject: String, body: String },
    /// Listens while the others work, in a queue group unless that is empty.
    Hear {
        subject: String,
        queue: &'static str,
    },
    /// Bytes as they are; clients only.
    Raw(Vec<u8>),
    /// So many publishes of so many bytes; `#` in the subject is counted.
    Flood {
        subject: String,
        count: usize,
        bytes: usize,
    },
    /// So many subscriptions.
    Ears { subject: String, count: usize },
}

#[derive(Debug, Clone)]
pub(super) struct Attack {
    pub(super) name: String,
    /// What must hold.
    pub(super) holds: &'static str,
    pub(super) tries: Vec<Try>,
    /// Whose right it is, so that it is no attack by them.
    pub(super) right_of: &'static [Who],
}

/// Collects attacks under one promise.
struct Under<'a> {
    list: &'a mut Vec<Attack>,
    holds: &'static str,
}

impl Under<'_> {
    fn add(&mut self, name: impl Into<String>, tries: Vec<Try>) {
        self.add_but(&[], name, tries);
    }

    fn add_but(&mut self, right_of: &'static [Who], name: impl Into<String>, tries: Vec<Try>) {
        self.list.push(Attack {
            name: name.into(),
            holds: self.holds,
            tries,
            right_of,
        });
    }

    fn say(&mut self, subject: &str) {
        self.add(format!("publish {subject}"), vec![say(subject, "forged")]);
    }

    fn ask(&mut self, subject: &str, body: &str) {
        self.add(format!("{subject} {body}"), vec![ask(subject, body)]);
    }

    fn hear(&mut self, subject: &str) {
        self.add(format!("subscribe {subject}"), vec![hear(subject, "")]);
    }
}

fn say(subject: &str, body: &str) -> Try {
    say_to(subject, "", body)
}

fn say_to(subject: &str, reply: &str, body: &str) -> Try {
    Try::Say {
        subject: subject.into(),
        reply: reply.into(),
        headers: Vec::new(),
        body: body.into(),
    }
}

fn say_with(subject: &str, headers: &[(&'static str, &str)], body: &str) -> Try {
    Try::Say {
        subject: subject.into(),
        reply: String::new(),
        headers: headers
            .iter()
            .map(|&(name, value)| (name, value.to_owned()))
            .collect(),
        body: body.into(),
    }
}

fn ask(subject: &str, body: &str) -> Try {
    Try::Ask {
        subject: subject.into(),
        body: body.into(),
    }
}

fn hear(subject: &str, queue: &'static str) -> Try {
    Try::Hear {
        subject: subject.into(),
        queue,
    }
}

const PULL: &str = r#"{"batch":1,"no_wait":true}"#;
const GATEWAY: &[Who] = &[Who::Gateway];

/// Replies that make the server itself do harm, or speak in another's name, when it answers to them.
const HARMFUL_REPLIES: [&str; 24] = [
    "{API}.STREAM.DELETE.PW_OUT",
    "{API}.STREAM.PURGE.PW_WORK",
    "{API}.CONSUMER.DELETE.PW_WORK.b",
    "{API}.CONSUMER.DELETE.PW_OUT.feishu",
    "{API}.CONSUMER.MSG.NEXT.PW_WORK.b",
    "{API}.CONSUMER.MSG.NEXT.PW_OUT.feishu",
    "{API}.CONSUMER.RESET.PW_OUT.feishu",
    "pw.out.b.feishu.ou_b",
    "pw.out.router.feishu.ou_b",
    "pw.work.b.feishu.ou_b",
    "pw.in.feishu.ou_b.msg",
    "pw.dead.b.feishu.ou_b",
    "pw.turn.b.feishu.ou_b",
    "pw.up.b.x.0",
    "pw.down.b.x.0",
    "pw.hb.b",
    "pw.delta.b.feishu.ou_b.t",
    "pw.alive.node.b",
    "$KV.PW_PRESENCE.b",
    "$KV.PW_GATE_feishu.out",
    "$KV.PW_USERS.u",
    "{WORK_ACK}",
    "{OUT_ACK}",
    "{WORK_ACK_HERE}",
];

/// What an attacker may send, answered by the server to whatever reply it names.
fn answered(who: Who, reply: &str) -> Vec<Try> {
    let mut tries = Vec::new();
    let own: &[(&str, &str)] = match who {
        Who::Gateway => &[
            ("{API}.CONSUMER.MSG.NEXT.PW_OUT.web", PULL),
            ("{API}.CONSUMER.INFO.PW_OUT.web", ""),
            ("{API}.DIRECT.GET.PW_UP.pw.up.b.x.0", ""),
            ("{API}.CONSUMER.RESET.PW_OUT.web", ""),
            ("pw.down.none.x.0", "mine"),
            ("pw.dead.gateway.none.x", "mine"),
            ("$KV.PW_GATE_web.mine", "mine"),
            ("pw.alive.gateway.nobody", "honest"),
        ],
        Who::Node | Who::Leaf | Who::Stranger | Who::Anybody => &[
            // The first takes the one message there is, the second is told that there is none.
            ("{API}.CONSUMER.MSG.NEXT.PW_WORK.a", PULL),
            ("{API}.CONSUMER.MSG.NEXT.PW_WORK.a", PULL),
            ("{API}.CONSUMER.INFO.PW_WORK.a", ""),
            ("{API}.DIRECT.GET.PW_DOWN.pw.down.a.x.0", ""),
            ("{API}.DIRECT.GET.PW_DOWN.pw.down.a.none.0", ""),
            ("$JS.ACK.PW_WORK.a.1.1.1.1.0", "+NXT"),
            ("$JS.ACK.PW_WORK.a.1.1.1.1.0", "+ACK"),
            ("PWJS.ACK.PW_WORK.a.1.1.1.1.0", "+NXT"),
            ("PWJS.ACK.PW_WORK.a.1.1.1.1.0", "+ACK"),
            ("pw.out.a.none.x", "mine"),
            ("pw.dead.a.none.x", "mine"),
            ("pw.turn.a.none.x", "mine"),
            ("pw.up.a.none.0", "mine"),
            ("pw.hb.a", "honest"),
            ("pw.delta.a.none.x.t", "honest"),
        ],
    };
    for (subject, body) in own {
        tries.push(say_to(subject, reply, body));
    }
    tries
}

/// Everything `who` tries.
pub(super) fn attacks(who: Who) -> Vec<Attack> {
    let mut list = Vec::new();
    others_work(&mut list);
    streams(&mut list);
    consumers(&mut list);
    acknowledgements(&mut list);
    anothers_name(&mut list);
    tricks(who, &mut list);
    headers(who, &mut list);
    listening(&mut list);
    services(&mut list);
    bytes(who, &mut list);
    list.retain(|attack| !attack.right_of.contains(&who));
    list
}

fn under<'a>(list: &'a mut Vec<Attack>, holds: &'static str) -> Under<'a> {
    Under { list, holds }
}

fn others_work(list: &mut Vec<Attack>) {
    let mut these = under(list, "others' messages are neither handed out nor shown");
    for subject in [
        "{API}.CONSUMER.MSG.NEXT.PW_WORK.b",
        "{API}.CONSUMER.MSG.NEXT.PW_IN.router",
    ] {
        these.ask(subject, PULL);
    }
    these.add_but(
        GATEWAY,
        "pull from a gateway's consumer",
        vec![ask("{API}.CONSUMER.MSG.NEXT.PW_OUT.feishu", PULL)],
    );
    for stream in ["PW_IN", "PW_WORK", "PW_OUT", "PW_DLQ", "KV_PW_USERS"] {
        let subject = format!("{{API}}.STREAM.MSG.GET.{stream}");
        these.ask(&subject, r#"{"seq":1,"next_by_subj":">"}"#);
        these.ask(
            &format!("{{API}}.DIRECT.GET.{stream}"),
            r#"{"seq":1,"next_by_subj":">"}"#,
        );
    }
    for subject in [
        "PW_DOWN.pw.down.b.x.0",
        "KV_PW_USERS.$KV.PW_USERS.u",
        "KV_PW_PRESENCE.$KV.PW_PRESENCE.b",
        "KV_PW_ROUTER.$KV.PW_ROUTER.lead",
    ] {
        these.ask(&format!("{{API}}.DIRECT.GET.{subject}"), "");
    }
    for subject in [
        "PW_UP.pw.up.b.x.0",
        // A gateway asks whom a node serves.
        "KV_PW_NODES.$KV.PW_NODES.b",
        "KV_PW_GATE_feishu.$KV.PW_GATE_feishu.out",
    ] {
        let subject = format!("{{API}}.DIRECT.GET.{subject}");
        these.add_but(GATEWAY, format!("{subject} "), vec![ask(&subject, "")]);
    }
    // Through what is open to it, with another's name inside.
    for body in [
        r#"{"last_by_subj":"pw.down.b.x.0"}"#,
        r#"{"seq":1}"#,
        r#"{"multi_last":["pw.down.b.>"],"batch":9}"#,
        r#"{"next_by_subj":"pw.down.b.x.0","seq":1}"#,
    ] {
        these.ask("{API}.DIRECT.GET.PW_DOWN", body);
        these.ask("{API}.DIRECT.GET.PW_DOWN.pw.down.{ME}.none.0", body);
    }
    these.ask("{API}.CONSUMER.MSG.NEXT.PW_WORK.*", PULL);
    these.ask("{API}.CONSUMER.MSG.NEXT.PW_WORK.>", PULL);
}

fn streams(list: &mut Vec<Attack>) {
    let mut these = under(list, "no stream is seen, made, changed, emptied or removed");
    for stream in ["PW_WORK", "PW_OUT", "PW_IN", "KV_PW_USERS"] {
        for (what, body) in [
            ("INFO", ""),
            ("PURGE", ""),
            ("DELETE", ""),
            ("MSG.DELETE", r#"{"seq":1,"no_erase":true}"#),
            (
                "SNAPSHOT",
                r#"{"deliver_subject":"_INBOX_{ME}.snapshot","chunk_size":1024}"#,
            ),
        ] {
            these.ask(&format!("{{API}}.STREAM.{what}.{stream}"), body);
        }
    }
    these.ask("{API}.STREAM.PURGE.PW_WORK", r#"{"filter":"pw.work.b.>"}"#);
    these.ask("{API}.STREAM.PURGE.PW_OUT", r#"{"keep":1}"#);
    these.ask(
        "{API}.STREAM.UPDATE.PW_UP",
        r#"{"name":"PW_UP","subjects":["pw.up.>"],"retention":"limits","storage":"file","max_age":1000000000,"allow_direct":true}"#,
    );
    these.ask(
        "{API}.STREAM.CREATE.SPY",
        r#"{"name":"SPY","subjects":["pw.spy.>"],"retention":"limits","storage":"memory"}"#,
    );
    these.ask(
        "{API}.STREAM.CREATE.MIRROR",
        r#"{"name":"MIRROR","retention":"limits","storage":"memory","mirror":{"name":"PW_WORK"}}"#,
    );
    these.ask(
        "{API}.STREAM.RESTORE.BACK",
        r#"{"config":{"name":"BACK","subjects":["pw.back.>"],"retention":"limits","storage":"memory"},"state":{"messages":0,"bytes":0,"first_seq":0,"last_seq":0,"consumer_count":0,"first_ts":"0001-01-01T00:00:00Z","last_ts":"0001-01-01T00:00:00Z"}}"#,
    );
    for subject in ["STREAM.NAMES", "STREAM.LIST", "INFO"] {
        these.ask(&format!("{{API}}.{subject}"), "");
    }
    these.ask("$JS.hub.API.STREAM.NAMES", "");
    these.ask("$JS.hub.API.STREAM.DELETE.PW_OUT", "");
}

fn consumers(list: &mut Vec<Attack>) {
    let mut these = under(
        list,
        "others' consumers stay as they are, and nobody makes one",
    );
    let reader = |durable: &str, filter: &str, rest: &str| {
        format!(
            r#"{{"stream_name":"PW_IN","config":{{"durable_name":"{durable}","name":"{durable}","filter_subject":"{filter}","ack_policy":"explicit","deliver_policy":"all"{rest}}}}}"#
        )
    };
    these.ask(
        "{API}.CONSUMER.CREATE.PW_IN.spy.pw.in.>",
        &reader("spy", "pw.in.>", ""),
    );
    these.ask("{API}.CONSUMER.CREATE.PW_IN.spy2", &reader("spy2", "", ""));
    these.ask(
        "{API}.CONSUMER.DURABLE.CREATE.PW_IN.spy3",
        &reader("spy3", "pw.in.>", ""),
    );
    these.ask(
        "{API}.CONSUMER.CREATE.PW_IN",
        r#"{"stream_name":"PW_IN","config":{"ack_policy":"none","deliver_policy":"all","deliver_subject":"_INBOX_{ME}.push"}}"#,
    );
    these.add(
        "a push consumer that delivers in b's name",
        vec![ask(
            "{API}.CONSUMER.CREATE.PW_IN.push.pw.in.>",
            &reader("push", "pw.in.>", r#","deliver_subject":"pw.hb.b""#),
        )],
    );
    these.add(
        "a watch of KV_PW_USERS",
        vec![ask(
            "{API}.CONSUMER.CREATE.KV_PW_USERS",
            r#"{"stream_name":"KV_PW_USERS","config":{"ack_policy":"none","deliver_policy":"last_per_subject","deliver_subject":"_INBOX_{ME}.watch","filter_subject":"$KV.PW_USERS.>"}}"#,
        )],
    );
    these.add(
        "its own consumer widened to all work",
        vec![ask(
            "{API}.CONSUMER.CREATE.PW_WORK.a.pw.work.>",
            r#"{"stream_name":"PW_WORK","config":{"durable_name":"a","name":"a","filter_subject":"pw.work.>","ack_policy":"explicit","ack_wait":120000000000,"max_ack_pending":1,"deliver_policy":"all"},"action":"update"}"#,
        ), ask("{API}.CONSUMER.DELETE.PW_WORK.b", ""), ask(
            "{API}.CONSUMER.CREATE.PW_WORK.a.pw.work.b.>",
            r#"{"stream_name":"PW_WORK","config":{"durable_name":"a","name":"a","filter_subject":"pw.work.b.>","ack_policy":"explicit","deliver_policy":"all"}}"#,
        )],
    );
    for (consumer, right_of) in [
        ("PW_WORK.b", &[] as &'static [Who]),
        ("PW_IN.router", &[]),
        ("PW_OUT.feishu", GATEWAY),
    ] {
        for (what, body, open) in [
            ("INFO", "", true),
            ("RESET", r#"{"seq":1}"#, true),
            ("RESET", "", true),
            ("DELETE", "", false),
            ("PAUSE", r#"{"pause_until":"2099-01-01T00:00:00Z"}"#, false),
            ("UNPIN", r#"{"group":"g"}"#, false),
            ("LEADER.STEPDOWN", "", false),
        ] {
            let subject = format!("{{API}}.CONSUMER.{what}.{consumer}");
            let right_of = if open { right_of } else { &[] };
            these.add_but(
                right_of,
                format!("{subject} {body}"),
                vec![ask(&subject, body)],
            );
        }
    }
    these.ask("{API}.CONSUMER.LIST.PW_WORK", "");
    these.ask("{API}.CONSUMER.NAMES.PW_WORK", "");
    these.ask("{API}.CONSUMER.INFO.PW_WORK.*", "");
    for what in ["DELETE", "RESET", "PAUSE"] {
        these.add_but(
            &[Who::Anybody],
            format!("its own consumer: {what}"),
            vec![ask(
                &format!("{{API}}.CONSUMER.{what}.PW_WORK.a"),
                r#"{"pause_until":"2099-01-01T00:00:00Z"}"#,
            )],
        );
    }
}

fn acknowledgements(list: &mut Vec<Attack>) {
    let mut these = under(list, "what others have in hand stays in their hand");
    for word in ["+ACK", "-NAK", "+TERM", "+WPI", "+NXT", ""] {
        these.add(
            format!("settle b's work with {word:?}"),
            vec![say("{WORK_ACK}", word), say("{WORK_ACK_HERE}", word)],
        );
        these.add_but(
            GATEWAY,
            format!("settle a gateway's delivery with {word:?}"),
            vec![say("{OUT_ACK}", word), say("{OUT_ACK_HERE}", word)],
        );
    }
    these.add(
        "all of b's work by counting",
        (1..40)
            .flat_map(|n| {
                ["$JS", "PWJS"]
                    .map(|api| say(&format!("{api}.ACK.PW_WORK.b.1.{n}.{n}.1.0"), "+TERM"))
            })
            .collect(),
    );
    these.add(
        "the long form of an acknowledgement",
        vec![
            say(
                "$JS.ACK.hub._.PW_WORK.b.1.{WORK_SEQ}.{WORK_SEQ}.1.0",
                "+TERM",
            ),
            say(
                "$JS.ACK._._.PW_WORK.b.1.{WORK_SEQ}.{WORK_SEQ}.1.0.x",
                "+TERM",
            ),
        ],
    );
    these.add(
        "its own acknowledgement with the number of b's message",
        ["+ACK", "+TERM", "-NAK", "+NXT"]
            .iter()
            .flat_map(|word| {
                ["$JS", "PWJS"]
                    .map(|api| say(&format!("{api}.ACK.PW_WORK.a.1.{{WORK_SEQ}}.1.1.0"), word))
            })
            .collect(),
    );
    these.say("$JS.FC.PW_WORK.b.x");
}

fn anothers_name(list: &mut Vec<Attack>) {
    let mut these = under(list, "nothing is said in another's name");
    for subject in [
        "pw.out.b.feishu.ou_b",
        "pw.out.router.feishu.ou_b",
        "pw.turn.b.feishu.ou_b",
        "pw.work.b.feishu.ou_b",
        "pw.up.b.x.0",
        "pw.hb.b",
        "pw.delta.b.feishu.ou_b.t",
        "pw.ctl.b.{BOOT}.answer",
        "pw.ctl.b.{BOOT}.cancel",
        "pw.dead.b.feishu.ou_b",
        "pw.dead.router.feishu.ou_b",
        "pw.alive.node.b",
        "pw.alive.router.x",
        "pw.presence.disconnected",
        "_INBOX_router.guess.x",
        "$KV.PW_PRESENCE.b",
        "$KV.PW_USERS.u",
        "$KV.PW_NODES.b",
        "$KV.PW_NODES.{ME}",
        "$KV.PW_ROUTER.lead",
        "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.PW_WORK.b",
    ] {
        these.say(subject);
    }
    for subject in [
        "pw.in.feishu.ou_b.msg",
        "pw.in.feishu.ou_b.card",
        "pw.down.b.x.0",
        "pw.dead.gateway.feishu.ou_b",
        "pw.alive.gateway.x",
        "$KV.PW_GATE_feishu.out",
    ] {
        these.add_but(
            GATEWAY,
            format!("publish {subject}"),
            vec![say(subject, "forged")],
        );
    }
    let mut these = under(list, "nothing of a bucket is erased");
    for (subject, right_of) in [
        ("$KV.PW_PRESENCE.{ME}", &[] as &'static [Who]),
        ("$KV.PW_USERS.u", &[]),
        ("$KV.PW_ROUTER.lead", &[]),
        ("$KV.PW_GATE_feishu.out", GATEWAY),
    ] {
        for (name, value) in [
            ("Nats-Rollup", "all"),
            ("Nats-Rollup", "sub"),
            ("KV-Operation", "DEL"),
            ("KV-Operation", "PURGE"),
        ] {
            these.add_but(
                right_of,
                format!("publish {subject} with {name}: {value}"),
                vec![say_with(subject, &[(name, value)], "")],
            );
        }
    }
}

fn tricks(who: Who, list: &mut Vec<Attack>) {
    let mut these = under(
        list,
        "the server's answer to a forged reply reaches nothing",
    );
    for reply in HARMFUL_REPLIES {
        // Gateways hear previews in their own account, and are all one to the broker.
        let theirs = reply.starts_with("pw.delta.");
        let right_of = if theirs { GATEWAY } else { &[] };
        these.add_but(right_of, format!("reply to {reply}"), answered(who, reply));
    }
    let mut these = under(
        list,
        "a message to oneself gives no right to answer anywhere",
    );
    let (own, heard): (&[&str], &[&str]) = match who {
        Who::Gateway => (&["pw.alive.gateway.mine"], &["pw.delta.mine", "$SRV.mine"]),
        Who::Node | Who::Leaf | Who::Stranger | Who::Anybody => {
            (&["pw.alive.node.a"], &["pw.ctl.a.x.y", "_INBOX_a.self"])
        }
    };
    for (goal, body, right_of) in [
        (
            "{API}.CONSUMER.MSG.NEXT.PW_WORK.b",
            PULL,
            &[] as &'static [Who],
        ),
        ("{API}.CONSUMER.INFO.PW_WORK.b", "", &[]),
        ("{API}.DIRECT.GET.PW_DOWN.pw.down.b.x.0", "", &[]),
        ("pw.out.b.feishu.ou_b", "forged", &[]),
        ("pw.out.router.feishu.ou_b", "forged", &[]),
        ("pw.turn.b.feishu.ou_b", "forged", &[]),
        ("pw.hb.b", "forged", &[]),
        ("pw.ctl.b.{BOOT}.answer", "forged", &[]),
        ("{WORK_ACK}", "+TERM", &[]),
        ("{WORK_ACK_HERE}", "+TERM", &[]),
        ("pw.delta.b.feishu.ou_b.t", "forged", GATEWAY),
        ("pw.dead.b.feishu.ou_b", "forged", &[]),
        ("pw.up.b.x.0", "forged", &[]),
        ("pw.alive.node.b", "forged", &[]),
    ] {
        let mut tries = Vec::new();
        for own in own.iter().chain(heard) {
            tries.push(hear(own, ""));
        }
        for own in own.iter().chain(heard) {
            tries.push(say_to(own, goal, "honest"));
            tries.push(say_to(goal, "_INBOX_{ME}.got", body));
        }
        these.add_but(right_of, format!("answer oneself on {goal}"), tries);
    }
}

fn headers(who: Who, list: &mut Vec<Attack>) {
    let mut these = under(list, "headers on its own messages touch nothing of others");
    let own: &[&str] = match who {
        Who::Gateway => &["pw.down.none.x.0", "pw.dead.gateway.none.x"],
        Who::Node | Who::Leaf | Who::Stranger | Who::Anybody => &[
            "pw.out.a.none.x",
            "pw.dead.a.none.x",
            "pw.turn.a.none.x",
            "pw.up.a.none.0",
        ],
    };
    let mut add = |name: &str, headers: &[(&'static str, &str)]| {
        let tries = own.iter().map(|own| say_with(own, headers, "mine"));
        these.add(name, tries.collect());
    };
    add("roll up the stream", &[("Nats-Rollup", "all")]);
    add("roll up the subject", &[("Nats-Rollup", "sub")]);
    add("an id that b has used", &[("Nats-Msg-Id", "{LAST_ID}")]);
    add(
        "a guess at b's coming id",
        &[("Nats-Msg-Id", "{GUESSED_ID}")],
    );
    add(
        "expected last sequence",
        &[("Nats-Expected-Last-Sequence", "0")],
    );
    add(
        "expected sequence of b's subject",
        &[
            ("Nats-Expected-Last-Subject-Sequence", "0"),
            (
                "Nats-Expected-Last-Subject-Sequence-Subject",
                "pw.out.b.feishu.ou_b",
            ),
        ],
    );
    add(
        "expected other stream",
        &[("Nats-Expected-Stream", "PW_WORK")],
    );
    add("time to live", &[("Nats-TTL", "1s")]);
    add(
        "time to live of a marker",
        &[("Nats-Marker-Reason", "MaxAge"), ("Nats-TTL", "1s")],
    );
    add(
        "a schedule that speaks for b",
        &[
            ("Nats-Schedule", "@at 2020-01-01T00:00:00Z"),
            ("Nats-Schedule-Target", "pw.out.b.feishu.ou_b"),
        ],
    );
    add(
        "a schedule that cancels b's",
        &[
            ("Nats-Schedule-Next", "purge"),
            ("Nats-Scheduler", "pw.out.b.feishu.ou_b"),
        ],
    );
    add(
        "a batch left open",
        &[("Nats-Batch-Id", "x"), ("Nats-Batch-Sequence", "1")],
    );
    add("a counter", &[("Nats-Incr", "+1")]);
    add(
        "a foreign source",
        &[("Nats-Stream-Source", "PW_OUT 1 > >")],
    );
    add("a trace to b's name", &[("Nats-Trace-Dest", "pw.hb.b")]);
    add(
        "a trace of others to itself",
        &[
            ("Nats-Trace-Dest", "_INBOX_{ME}.trace"),
            ("Nats-Trace-Only", "true"),
        ],
    );
    add(
        "a trace as another's reply",
        &[("Nats-Trace-Dest", "pw.out.b.feishu.ou_b")],
    );
    add(
        "another account's papers",
        &[("Nats-Request-Info", r#"{"acc":"PW","svc":"PW","rtt":1}"#)],
    );
    these.add(
        "another account's papers to the API",
        vec![Try::Say {
            subject: "{API}.STREAM.DELETE.PW_OUT".into(),
            reply: "_INBOX_{ME}.got".into(),
            headers: vec![("Nats-Request-Info", r#"{"acc":"PW"}"#.into())],
            body: String::new(),
        }],
    );
}

fn listening(list: &mut Vec<Attack>) {
    let mut these = under(list, "nothing of others is heard");
    for subject in [
        ">",
        "*.>",
        "*.*.b.>",
        "pw.>",
        "pw.*.b.>",
        "pw.hb.*",
        "pw.hb.b",
        "pw.in.>",
        "pw.work.>",
        "pw.work.b.>",
        "pw.out.>",
        "pw.out.b.>",
        "pw.turn.>",
        "pw.up.>",
        "pw.down.>",
        "pw.dead.>",
        "pw.alive.>",
        "pw.alive.node.b",
        "pw.alive.router.*",
        "pw.ctl.>",
        "pw.ctl.b.>",
        "pw.ctl.*.{BOOT}.*",
        "pw.presence.>",
        "pw.enrol",
        "_INBOX.>",
        "_INBOX_b.>",
        "_INBOX_router.>",
        "_R_.>",
        "$JS.>",
        "$JS.ACK.>",
        "$JS.API.>",
        "$JS.EVENT.>",
        "$KV.>",
        "$KV.PW_USERS.>",
        "$SYS.>",
        "$SYS.ACCOUNT.>",
        "PWJS.>",
        "PWJS.API.>",
    ] {
        these.hear(subject);
    }
    for subject in ["pw.delta.>", "pw.delta.b.>", "$SRV.>", "pw.alive.gateway.*"] {
        these.add_but(
            GATEWAY,
            format!("subscribe {subject}"),
            vec![hear(subject, "")],
        );
    }
    for subject in ["pw.ctl.b.>", "pw.hb.*", "pw.work.>", "_INBOX_b.>", ">"] {
        these.add(
            format!("subscribe {subject} in a queue"),
            vec![hear(subject, "q")],
        );
    }
}

fn services(list: &mut Vec<Attack>) {
    let mut these = under(list, "the broker's and the others' services do not answer");
    for subject in [
        "$SRV.PING",
        "$SRV.INFO",
        "$SRV.STATS",
        "$SYS.REQ.USER.INFO",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.SERVER.PING.CONNZ",
        "$SYS.REQ.ACCOUNT.PING.STATZ",
        "$SYS.REQ.CLAIMS.LIST",
        "$SYS.REQ.CLAIMS.PACK",
        "$SYS.REQ.CLAIMS.UPDATE",
        "$SYS.REQ.CLAIMS.DELETE",
        "$SYS.DEBUG.SUBSCRIBERS",
    ] {
        these.ask(subject, "");
    }
    these.ask(&format!("pw.ctl.b.{}.status", "{BOOT}"), "");
}

fn bytes(who: Who, list: &mut Vec<Attack>) {
    let own = match who {
        Who::Gateway => "pw.down.none.x",
        Who::Node | Who::Leaf | Who::Stranger | Who::Anybody => "pw.out.a.none.x",
    };
    let mut these = under(list, "lines that no client sends do nothing");
    let forged = "pw.out.b.feishu.ou_b";
    for (name, text) in [
        ("a leaf's line", format!("LMSG {forged} 6\r\nforged\r\n")),
        ("a route's line", format!("RMSG $G {forged} 6\r\nforged\r\n")),
        ("a leaf's subscription", "LS+ pw.ctl.b.>\r\n".to_owned()),
        ("a route's subscription", "RS+ $G pw.ctl.b.>\r\n".to_owned()),
        ("a message as if from the server", format!("MSG {forged} 1 6\r\nforged\r\n")),
        (
            "a header that is longer than it says",
            format!("HPUB {own} 12 12\r\nNATS/1.0\r\n\r\nPUB {forged} 6\r\nforged\r\n"),
        ),
        (
            "a header longer than the message",
            format!("HPUB {own} 99 12\r\nNATS/1.0\r\n\r\n\r\nPUB {forged} 6\r\nforged\r\n"),
        ),
        (
            "a body shorter than it says",
            format!("PUB {own} 2\r\nxxPUB {forged} 6\r\nforged\r\n"),
        ),
        (
            "a size below zero",
            format!("PUB {own} -1\r\nPUB {forged} 6\r\nforged\r\n"),
        ),
        ("a size beyond all numbers", format!("PUB {own} 99999999999999999999\r\n")),
        ("two subjects", format!("PUB {own} {own} {forged} 6\r\nforged\r\n")),
        ("a subject with a wildcard", "PUB pw.out.*.feishu.ou_b 6\r\nforged\r\n".to_owned()),
        ("another greeting", "CONNECT {\"user\":\"router\",\"pass\":\"router\",\"account\":\"PW\"}\r\nSUB pw.ctl.b.> 77\r\n".to_owned()),
        ("a line without end", format!("PUB {}", "x".repeat(9000))),
    ] {
        these.add(name, vec![Try::Raw(text.into_bytes())]);
    }
    these.add(
        "a message larger than allowed",
        vec![Try::Flood {
            subject: own.into(),
            count: 1,
            bytes: 2 * 1024 * 1024,
        }],
    );
    let mut these = under(list, "the others' messages pass a flood, each once");
    let floods: &[(&str, usize, usize)] = match who {
        Who::Gateway => &[
            ("pw.down.none.#.0", 5_000, 100),
            ("pw.dead.gateway.none.#", 2_000, 100),
        ],
        Who::Node | Who::Leaf | Who::Stranger | Who::Anybody => &[
            ("pw.delta.a.none.x.t", 20_000, 200),
            ("pw.out.a.none.#", 5_000, 100),
            ("pw.dead.a.none.#", 2_000, 100),
            ("pw.up.a.none.#", 50, 500_000),
            ("pw.out.b.feishu.#", 20_000, 100),
            ("{API}.CONSUMER.INFO.PW_WORK.a", 5_000, 0),
            ("{API}.CONSUMER.MSG.NEXT.PW_WORK.a", 5_000, 20),
            ("{API}.CONSUMER.MSG.NEXT.PW_WORK.b", 5_000, 20),
        ],
    };
    for (subject, count, bytes) in floods {
        these.add(
            format!("{count} times {bytes} bytes on {subject}"),
            vec![Try::Flood {
                subject: (*subject).into(),
                count: *count,
                bytes: *bytes,
            }],
        );
    }
    these.add(
        "10000 subscriptions",
        vec![Try::Ears {
            subject: "_INBOX_{ME}.#".into(),
            count: 10_000,
        }],
    );
}
