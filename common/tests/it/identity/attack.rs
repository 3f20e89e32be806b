//! A hostile node and a hostile gateway. They hold real credentials and a client that does whatever they like.
//! The server checks subjects, but answers with its own authority to whatever reply subject it is given: most
//! tricks here use that.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{World, imported, roundtrip};

const SOON: Duration = Duration::from_secs(10);
const STREAMS: [&str; 10] = [
    "KV_PW_GATE_feishu",
    "KV_PW_GATE_web",
    "KV_PW_PRESENCE",
    "KV_PW_USERS",
    "PW_DOWN",
    "PW_IN",
    "PW_OUT",
    "PW_TURN",
    "PW_UP",
    "PW_WORK",
];
/// Replies that make the server itself do harm when it answers to them.
const HARMFUL_REPLIES: [&str; 12] = [
    "$JS.API.STREAM.DELETE.PW_OUT",
    "$JS.API.STREAM.PURGE.PW_WORK",
    "$JS.API.CONSUMER.DELETE.PW_WORK.b",
    "$JS.API.CONSUMER.DELETE.PW_OUT.feishu",
    "PWJS.API.STREAM.DELETE.PW_OUT",
    "PWJS.API.CONSUMER.DELETE.PW_WORK.b",
    "pw.out.b.feishu.ou_1",
    "pw.work.b.feishu.ou_1",
    "pw.in.feishu.ou_1.msg",
    "$KV.PW_PRESENCE.b",
    "$KV.PW_GATE_feishu.out",
    "$KV.PW_USERS.u",
];

#[tokio::test]
async fn the_reply_trick_is_real_where_nothing_stands_in_its_way() {
    // The control for the tests below: in the account that owns the streams the trick deletes one.
    let world = World::start().await;
    world.furnish().await;
    let next = "$JS.API.CONSUMER.MSG.NEXT.PW_OUT.web";
    let body = r#"{"batch":1,"no_wait":true}"#;
    world
        .router
        .publish_with_reply(next, "$JS.API.STREAM.DELETE.PW_OUT", body.into())
        .await
        .unwrap();
    world.settle(&world.router).await;
    let left: Vec<String> = world
        .picture()
        .await
        .streams
        .into_iter()
        .map(|(name, ..)| name)
        .collect();
    assert!(!left.contains(&"PW_OUT".to_owned()), "{left:?}");
}

#[tokio::test]
async fn a_forged_reply_subject_reaches_nothing_from_a_node() {
    let world = World::start().await;
    world.furnish().await;
    // Own work away, so that a pull is answered with the empty status the trick lives on.
    let consumer: PullConsumer = imported(&world.a)
        .get_consumer_from_stream("a", "PW_WORK")
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let own = timeout(SOON, messages.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    own.double_ack().await.unwrap();
    drop(messages);
    let before = world.picture().await;
    assert_eq!(
        before
            .streams
            .iter()
            .map(|(name, ..)| name.as_str())
            .collect::<Vec<_>>(),
        STREAMS
    );

    for reply in HARMFUL_REPLIES {
        for (subject, body) in [
            (
                "PWJS.API.CONSUMER.MSG.NEXT.PW_WORK.a",
                r#"{"batch":1,"no_wait":true}"#,
            ),
            ("PWJS.API.CONSUMER.INFO.PW_WORK.a", ""),
            ("PWJS.API.DIRECT.GET.PW_DOWN.pw.down.a.none.0", ""),
        ] {
            world
                .a
                .publish_with_reply(subject, reply, body.into())
                .await
                .unwrap();
        }
    }
    world.settle(&world.a).await;
    assert_eq!(world.picture().await, before);

    // A publish of its own may be stored, its confirmation must land nowhere.
    for reply in HARMFUL_REPLIES {
        world
            .a
            .publish_with_reply("pw.turn.a.feishu.ou_1", reply, "mine".into())
            .await
            .unwrap();
    }
    world.settle(&world.a).await;
    let mut after = world.picture().await;
    let turns = after
        .streams
        .iter_mut()
        .find(|(name, ..)| name == "PW_TURN")
        .unwrap();
    let added = u64::try_from(HARMFUL_REPLIES.len()).unwrap();
    turns.1 -= added;
    turns.2 -= added;
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_node_can_send_nothing_in_anothers_place() {
    let world = World::start().await;
    world.furnish().await;
    let mut overheard = Vec::new();
    for subject in ["pw.ctl.b.>", "_INBOX_b.x"] {
        overheard.push(world.b.subscribe(subject).await.unwrap());
    }
    for subject in ["pw.hb.*", "pw.delta.>", "pw.presence.>", "pw.enrol"] {
        overheard.push(world.router.subscribe(subject).await.unwrap());
    }
    overheard.push(world.router.subscribe("pw.dead.>").await.unwrap());
    overheard.push(world.b.subscribe("pw.alive.node.b").await.unwrap());
    overheard.push(world.router.subscribe("pw.alive.>").await.unwrap());
    overheard.push(world.gateway.subscribe("pw.alive.gateway.*").await.unwrap());
    roundtrip(&world.gateway).await;
    roundtrip(&world.b).await;
    roundtrip(&world.router).await;
    let before = world.picture().await;
    for subject in [
        "pw.out.b.feishu.ou_1",
        "pw.out.router.feishu.ou_1",
        "pw.turn.b.feishu.ou_1",
        "pw.up.b.x.0",
        "pw.down.b.x.0",
        "pw.work.b.feishu.ou_1",
        "pw.work.a.feishu.ou_1",
        "pw.in.feishu.ou_1.msg",
        "pw.hb.b",
        "pw.delta.b.feishu.u.t",
        "pw.ctl.b.x.answer",
        "pw.dead.b.feishu.ou_1",
        "pw.dead.router.feishu.ou_1",
        "pw.dead.gateway.feishu.ou_1",
        "pw.alive.node.b",
        "pw.alive.router.x",
        "pw.alive.gateway.x",
        "pw.enrol",
        "pw.presence.disconnected",
        "_INBOX_b.x",
        "_INBOX_router.x",
        "$KV.PW_PRESENCE.b",
        "$KV.PW_USERS.u",
        "$KV.PW_GATE_feishu.out",
        "$JS.API.STREAM.DELETE.PW_OUT",
        "$JS.API.STREAM.PURGE.PW_WORK",
        "$JS.API.CONSUMER.DELETE.PW_WORK.b",
        "PWJS.API.STREAM.DELETE.PW_OUT",
        "PWJS.API.STREAM.PURGE.PW_WORK",
        "PWJS.API.CONSUMER.DELETE.PW_WORK.b",
        "PWJS.API.CONSUMER.CREATE.PW_WORK.a",
        "PWJS.API.CONSUMER.MSG.NEXT.PW_WORK.b",
        "PWJS.API.CONSUMER.MSG.NEXT.PW_OUT.feishu",
        "$JS.ACK.PW_WORK.b.1.2.2.1.0",
        "$JS.ACK.PW_OUT.feishu.1.1.1.1.0",
        "$SYS.REQ.CLAIMS.UPDATE",
        "$SRV.PING",
    ] {
        world.a.publish(subject, "forged".into()).await.unwrap();
    }
    world.settle(&world.a).await;
    assert_eq!(world.picture().await, before);

    // What arrives first at each listener is the honest mark sent last, not the forgery.
    world
        .router
        .publish("pw.ctl.b.mark.x", "mark".into())
        .await
        .unwrap();
    world.b.publish("pw.hb.b", "mark".into()).await.unwrap();
    world
        .b
        .publish("pw.delta.b.web.u.t", "mark".into())
        .await
        .unwrap();
    for index in [0, 2, 3] {
        let first = timeout(SOON, overheard[index].next())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first.payload.as_ref(), b"mark", "{}", first.subject);
    }
    for index in [1, 4, 5, 6, 7, 8, 9] {
        let nothing = timeout(Duration::ZERO, overheard[index].next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
    }
}

#[tokio::test]
async fn a_node_reads_nothing_of_another() {
    let world = World::start().await;
    world.furnish().await;
    let before = world.picture().await;
    for subject in [
        "PWJS.API.CONSUMER.MSG.NEXT.PW_WORK.b",
        "PWJS.API.CONSUMER.INFO.PW_WORK.b",
        "PWJS.API.DIRECT.GET.PW_DOWN.pw.down.b.x.0",
        "PWJS.API.DIRECT.GET.PW_UP.pw.up.b.x.0",
        "PWJS.API.DIRECT.GET.PW_DOWN",
        "PWJS.API.DIRECT.GET.KV_PW_GATE_feishu.$KV.PW_GATE_feishu.out",
        "PWJS.API.STREAM.MSG.GET.PW_OUT",
        "PWJS.API.STREAM.INFO.PW_OUT",
        "$JS.API.STREAM.INFO.PW_OUT",
        "$JS.API.INFO",
    ] {
        let reply = world.a.new_inbox();
        let mut answers = world.a.subscribe(reply.clone()).await.unwrap();
        world
            .a
            .publish_with_reply(subject, reply, r#"{"batch":1,"seq":1}"#.into())
            .await
            .unwrap();
        world.settle(&world.a).await;
        let answer = timeout(Duration::ZERO, answers.next()).await;
        assert!(answer.is_err(), "{subject}: {answer:?}");
    }
    assert_eq!(
        world.picture().await,
        before,
        "nothing of b's was handed out"
    );

    let mut ears = Vec::new();
    for subject in [
        ">",
        "*.>",
        "pw.>",
        "_INBOX_b.>",
        "_INBOX_router.>",
        "_INBOX.>",
        "_R_.>",
        "pw.ctl.>",
        "pw.ctl.b.>",
        "pw.ctl.*.>",
        "pw.delta.>",
        "pw.hb.*",
        "pw.work.>",
        "pw.out.>",
        "pw.dead.>",
        "pw.dead.b.>",
        "pw.alive.>",
        "pw.alive.node.*",
        "pw.alive.node.b",
        "$JS.>",
        "$SYS.>",
        "$KV.>",
    ] {
        ears.push((subject, world.a.subscribe(subject).await.unwrap()));
    }
    roundtrip(&world.a).await;
    // A whole turn of b, live control included.
    let mut control = world.b.subscribe("pw.ctl.b.>").await.unwrap();
    roundtrip(&world.b).await;
    let consumer: PullConsumer = imported(&world.b)
        .get_consumer_from_stream("b", "PW_WORK")
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    timeout(SOON, messages.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap()
        .double_ack()
        .await
        .unwrap();
    imported(&world.b)
        .publish("pw.out.b.feishu.ou_1", "secret".into())
        .await
        .unwrap()
        .await
        .unwrap();
    world
        .b
        .publish("pw.delta.b.feishu.ou_1.t", "secret".into())
        .await
        .unwrap();
    for subject in ["pw.hb.b", "pw.alive.node.b", "pw.dead.b.feishu.ou_1"] {
        world.b.publish(subject, "secret".into()).await.unwrap();
    }
    world
        .router
        .publish("pw.ctl.b.boot.answer", "secret".into())
        .await
        .unwrap();
    timeout(SOON, control.next()).await.unwrap().unwrap();
    world.settle(&world.b).await;
    roundtrip(&world.a).await;
    for (subject, ear) in &mut ears {
        let heard = timeout(Duration::ZERO, ear.next()).await;
        assert!(heard.is_err(), "{subject} heard {heard:?}");
    }
}

#[tokio::test]
async fn a_gateway_can_neither_touch_streams_nor_speak_for_a_node() {
    let world = World::start().await;
    world.furnish().await;
    let mut dead = world.router.subscribe("pw.dead.>").await.unwrap();
    let mut alive = Vec::new();
    for (who, subject) in [(&world.a, "pw.alive.node.a"), (&world.router, "pw.alive.>")] {
        alive.push(who.subscribe(subject).await.unwrap());
        roundtrip(who).await;
    }
    let before = world.picture().await;
    for reply in HARMFUL_REPLIES {
        for subject in [
            "PWJS.API.CONSUMER.MSG.NEXT.PW_OUT.web",
            "PWJS.API.CONSUMER.INFO.PW_OUT.web",
        ] {
            let body = r#"{"batch":1,"no_wait":true}"#;
            world
                .gateway
                .publish_with_reply(subject, reply, body.into())
                .await
                .unwrap();
        }
    }
    for subject in [
        "pw.out.a.feishu.ou_1",
        "pw.out.router.feishu.ou_1",
        "pw.work.a.feishu.ou_1",
        "pw.turn.a.feishu.ou_1",
        "pw.ctl.a.x.answer",
        "pw.hb.a",
        "pw.dead.a.feishu.ou_1",
        "pw.dead.b.feishu.ou_1",
        "pw.dead.router.feishu.ou_1",
        "pw.alive.node.a",
        "pw.alive.router.x",
        "$KV.PW_USERS.u",
        "$KV.PW_PRESENCE.a",
        "$JS.API.STREAM.DELETE.PW_OUT",
        "PWJS.API.STREAM.DELETE.PW_OUT",
        "PWJS.API.CONSUMER.DELETE.PW_OUT.feishu",
        "PWJS.API.CONSUMER.MSG.NEXT.PW_WORK.a",
        "$JS.ACK.PW_WORK.a.1.1.1.1.0",
        "$SYS.REQ.CLAIMS.UPDATE",
    ] {
        world
            .gateway
            .publish(subject, "forged".into())
            .await
            .unwrap();
    }
    let reply = world.gateway.new_inbox();
    let mut answers = world.gateway.subscribe(reply.clone()).await.unwrap();
    let others = "PWJS.API.DIRECT.GET.KV_PW_USERS.$KV.PW_USERS.u";
    world
        .gateway
        .publish_with_reply(others, reply, "".into())
        .await
        .unwrap();
    world.settle(&world.gateway).await;
    assert!(timeout(Duration::ZERO, answers.next()).await.is_err());
    assert_eq!(world.picture().await, before);
    // Only what it says in its own name arrives.
    let own = "pw.dead.gateway.feishu.ou_1";
    world.gateway.publish(own, "mine".into()).await.unwrap();
    let first = timeout(SOON, dead.next()).await.unwrap().unwrap();
    assert_eq!(first.subject.as_str(), own);
    for ear in &mut alive {
        let heard = timeout(Duration::ZERO, ear.next()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}
