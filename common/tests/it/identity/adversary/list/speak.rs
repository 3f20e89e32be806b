//! Attacks by speaking and listening: in another's name, with forged replies and headers, as a service, and too much.

use super::*;

pub(super) fn anothers_name(list: &mut Vec<Attack>) {
    let mut these = under(list, "nothing is said in another's name");
    for subject in [
        "pw.out.b.feishu.ou_b",
        "pw.out.router.feishu.ou_b",
        "pw.turn.b.feishu.ou_b",
        "pw.work.b.feishu.ou_b",
        "pw.up.b.x.0",
        "pw.hb.b",
        "pw.remind.b",
        "pw.sched.feishu.ou_b.x",
        "pw.fire.feishu.ou_b.x",
        "$KV.PW_REMIND.x",
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

pub(super) fn tricks(who: Who, list: &mut Vec<Attack>) {
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
        ("pw.remind.b", "forged", &[]),
        ("pw.fire.feishu.ou_b.x", "forged", &[]),
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

pub(super) fn headers(who: Who, list: &mut Vec<Attack>) {
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

pub(super) fn listening(list: &mut Vec<Attack>) {
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

pub(super) fn services(list: &mut Vec<Attack>) {
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

pub(super) fn bytes(who: Who, list: &mut Vec<Attack>) {
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
            ("pw.up.a.none.#", 100, 250_000),
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
