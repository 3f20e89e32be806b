//! Attacks on what is stored: others' messages, the streams, their readers, and what these have in hand.

use super::*;

pub(super) fn others_work(list: &mut Vec<Attack>) {
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

pub(super) fn streams(list: &mut Vec<Attack>) {
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

pub(super) fn consumers(list: &mut Vec<Attack>) {
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

pub(super) fn acknowledgements(list: &mut Vec<Attack>) {
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
