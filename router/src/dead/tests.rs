//! What a sender may claim, and what is made of what it sent.

use async_nats::HeaderMap;
use bytes::Bytes;
use common::broker::dead::DeadWhy;
use common::message::encode;
use common::message::outbound::OutboundBody;
use common::message::view::View;

use super::*;

fn user() -> UserId {
    "ou_1".parse().unwrap()
}

fn letter(subject: &str, stream: &str, payload: Vec<u8>) -> Letter {
    Letter {
        id: "dead-X-1-2".into(),
        subject: subject.into(),
        stream: stream.into(),
        sequence: 1,
        attempts: 1,
        why: DeadWhy::Refused,
        detail: String::new(),
        traceparent: String::new(),
        cut_from: None,
        payload: payload.into(),
    }
}

#[test]
fn nobody_gives_up_what_is_not_theirs() {
    let table = [
        (
            "pw.dead.router.feishu.ou_1",
            "pw.in.feishu.ou_1.msg",
            "PW_IN",
            true,
        ),
        (
            "pw.dead.router.feishu.ou_1",
            "pw.in.feishu.ou_1.card",
            "PW_IN",
            true,
        ),
        (
            "pw.dead.router.feishu.ou_1",
            "pw.in.feishu.ou_2.msg",
            "PW_IN",
            false,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "pw.work.home.feishu.ou_1",
            "PW_WORK",
            true,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "pw.work.lab.feishu.ou_1",
            "PW_WORK",
            false,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "pw.work.home.feishu.ou_2",
            "PW_WORK",
            false,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "pw.work.home.feishu.ou_1",
            "PW_OUT",
            false,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "pw.out.home.feishu.ou_1",
            "PW_OUT",
            false,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "pw.in.feishu.ou_1.msg",
            "PW_IN",
            false,
        ),
        (
            "pw.dead.home.feishu.ou_1",
            "$JS.API.STREAM.DELETE.PW_IN",
            "PW_WORK",
            false,
        ),
        (
            "pw.dead.gateway.feishu.ou_1",
            "pw.out.home.feishu.ou_1",
            "PW_OUT",
            true,
        ),
        (
            "pw.dead.gateway.feishu.ou_1",
            "pw.out.router.feishu.ou_1",
            "PW_OUT",
            true,
        ),
        (
            "pw.dead.gateway.feishu.ou_1",
            "pw.out.home.web.ou_1",
            "PW_OUT",
            false,
        ),
        (
            "pw.dead.gateway.feishu.ou_1",
            "pw.in.feishu.ou_1.msg",
            "PW_OUT",
            false,
        ),
        (
            "pw.dead.gateway.feishu.ou_1.x",
            "pw.out.home.feishu.ou_1",
            "PW_OUT",
            false,
        ),
    ];
    for (subject, of, stream, good) in table {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Nats-Msg-Id", "dead-X-1-2"),
            ("Pw-Subject", of),
            ("Pw-Stream", stream),
            ("Pw-Sequence", "1"),
            ("Pw-Attempts", "1"),
            ("Pw-Why", "dead-refused"),
        ] {
            headers.insert(name, value);
        }
        let found = read(subject, &headers, &Bytes::new());
        assert_eq!(found.is_ok(), good, "{subject} of {of}");
    }
    assert!(
        read(
            "pw.dead.router.feishu.ou_1",
            &HeaderMap::new(),
            &Bytes::new()
        )
        .is_err()
    );
}

#[test]
fn another_persons_words_are_not_shown() {
    let theirs = Inbound {
        meta: Meta::new(MessageId::new(), CauseId::new(user().surface(), "om_1"), ""),
        user: "ou_2".parse().unwrap(),
        chat: Chat {
            id: "oc_2".into(),
            ..their_own()
        },
        lang: None,
        body: InboundBody::Text {
            text: "secret".into(),
        },
    };
    let of = |inbound: &Inbound| {
        let letter = letter("pw.in.feishu.ou_1.msg", "PW_IN", encode(inbound));
        content(&Origin::Act, &user(), &letter).unwrap()
    };
    let found = of(&theirs);
    assert_eq!(
        (found.what, found.chat.id.as_str()),
        (What::Message(None), "")
    );
    let mine = Inbound {
        user: user(),
        ..theirs
    };
    let found = of(&mine);
    assert_eq!(found.what, What::Message(Some("secret".into())));
    assert_eq!(found.chat.id, "oc_2");
}

#[test]
fn a_question_that_cannot_be_shown_asks_nothing() {
    let shown = |cause: &str| Outbound {
        meta: Meta::new(MessageId::new(), CauseId::new(user().surface(), cause), ""),
        user: user(),
        chat: their_own(),
        body: OutboundBody::Card {
            card: CardId::new(),
            rev: 1,
            view: View::default(),
        },
    };
    let asks = |sender: Sender, cause: &str| {
        let letter = letter("", "PW_OUT", encode(&shown(cause)));
        content(&Origin::Shown(sender), &user(), &letter).is_some()
    };
    let own = format!("{OWN}dead-X-1-2");
    assert!(!asks(Sender::Router, &own));
    assert!(asks(Sender::Router, "om_1"));
    assert!(asks(Sender::Node("home".parse().unwrap()), &own));
}
