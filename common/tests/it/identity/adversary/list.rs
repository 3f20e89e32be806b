//! The attacks: what is tried, and what must hold. In the texts `{ME}` is the attacker, `{API}` the prefix of the
//! stream API, `{BOOT}` the victim's secret start, `{WORK_ACK}` and `{OUT_ACK}` the acknowledgements of what is in the
//! hands of the victim and of the gateway, `{LAST_ID}` an id that the victim has used.

mod reach;
mod speak;

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
const HARMFUL_REPLIES: [&str; 27] = [
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
    // Where nothing is yet: a piece takes the place of one that is there.
    "pw.up.b.x.9",
    "pw.down.b.x.9",
    "pw.hb.b",
    "pw.remind.b",
    "pw.sched.feishu.ou_b.x",
    "pw.fire.feishu.ou_b.x",
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
            ("pw.remind.a", "honest"),
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
    reach::others_work(&mut list);
    reach::streams(&mut list);
    reach::consumers(&mut list);
    reach::acknowledgements(&mut list);
    speak::anothers_name(&mut list);
    speak::tricks(who, &mut list);
    speak::headers(who, &mut list);
    speak::listening(&mut list);
    speak::services(&mut list);
    speak::bytes(who, &mut list);
    list.retain(|attack| !attack.right_of.contains(&who));
    list
}

fn under<'a>(list: &'a mut Vec<Attack>, holds: &'static str) -> Under<'a> {
    Under { list, holds }
}
