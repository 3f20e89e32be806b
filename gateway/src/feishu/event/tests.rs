//! What is read out of deliveries, odd ones among them.

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;

fn received(chat_type: &str, text: &str, mentions: &Value) -> Value {
    json!({
        "schema": "2.0",
        "header": {"event_id": "ev_1", "event_type": "im.message.receive_v1"},
        "event": {
            "sender": {"sender_id": {"open_id": "ou_me"}, "sender_type": "user"},
            "message": {
                "message_id": "om_1", "chat_id": "oc_1", "chat_type": chat_type,
                "create_time": "1609073151345", "message_type": "text",
                "content": json!({"text": text}).to_string(), "mentions": mentions,
            },
        },
    })
}

fn read(whole: &Value) -> Event {
    read_as(whole, &OwnId::Known("ou_bot".into()))
}

fn read_as(whole: &Value, bot: &OwnId) -> Event {
    parse(whole.to_string().as_bytes(), bot)
}

fn as_message(whole: &Value) -> FeishuMessage {
    match read(whole) {
        Event::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

fn why(event: Event) -> Ignored {
    match event {
        Event::Ignored { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_private_message() {
    let message = as_message(&received("p2p", "/help", &Value::Null));
    assert_eq!(message.content, Content::Text("/help".into()));
    assert_eq!(
        message.create_time.unwrap().timestamp_millis(),
        1_609_073_151_345
    );
    assert_eq!(
        (message.open_id.as_str(), message.thread_id),
        ("ou_me", None)
    );
}

#[test]
fn groups_need_a_mention_which_is_taken_out() {
    let bot = json!([
        {"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Helper"},
        {"key": "@_user_10", "id": {"open_id": "ou_tom"}, "name": "Tom"},
    ]);
    let message = as_message(&received("group", "@_user_1 ask @_user_10 please", &bot));
    assert!(message.mentions_bot);
    assert_eq!(message.content, Content::Text("ask @Tom please".into()));

    let other = json!([{"key": "@_user_1", "id": {"open_id": "ou_tom"}, "name": "Tom"}]);
    let event = read(&received("group", "@_user_1 hi", &other));
    assert_eq!(why(event), Ignored::NotAddressed);
    let everybody = json!([{"key": "@_all", "name": "all"}]);
    assert_eq!(
        why(read(&received("group", "@_all hi", &everybody))),
        Ignored::NotAddressed
    );
}

#[test]
fn without_our_own_id_a_mention_waits_or_counts() {
    let unmarked = json!([
        {"key": "@_user_1", "id": {"open_id": "ou_x"}, "name": "Helper"},
        {"key": "@_user_2", "id": {"open_id": "ou_y"}, "name": "Tom"},
    ]);
    let group = received("group", "@_user_1 ask @_user_2", &unmarked);
    assert_eq!(why(read_as(&group, &OwnId::Awaited)), Ignored::OwnIdAwaited);
    let Event::Message(message) = read_as(&group, &OwnId::Withheld) else {
        panic!("not a message");
    };
    assert_eq!(message.content, Content::Text("ask @Tom".into()));
    for others in [
        json!([{"key": "@_all", "name": "all"}]),
        json!([{"key": "@_user_1", "mentioned_type": "user", "id": {"open_id": "ou_x"}}]),
        Value::Null,
    ] {
        for bot in [OwnId::Awaited, OwnId::Withheld] {
            let group = received("group", "hi", &others);
            assert_eq!(
                why(read_as(&group, &bot)),
                Ignored::NotAddressed,
                "{others}"
            );
        }
    }
    let marked = json!([{"key": "@_user_1", "mentioned_type": "bot", "id": {"open_id": "ou_x"}}]);
    let group = received("group", "@_user_1 hi", &marked);
    assert!(matches!(
        read_as(&group, &OwnId::Awaited),
        Event::Message(_)
    ));
}

#[test]
fn what_is_left_out_does_not_lose_a_message() {
    for chat_type in [Value::Null, "".into(), "private".into()] {
        let mut whole = received("p2p", "hi", &Value::Null);
        whole["event"]["message"]["chat_type"] = chat_type;
        whole["event"]["message"]["content"] = json!({"text": "hi"});
        assert_eq!(as_message(&whole).content, Content::Text("hi".into()));
    }
}

#[test]
fn bots_are_not_listened_to() {
    let mut other = received("p2p", "hi", &Value::Null);
    other["event"]["sender"]["sender_type"] = "app".into();
    assert_eq!(why(read(&other)), Ignored::FromBot);
    let mut own = received("p2p", "hi", &Value::Null);
    own["event"]["sender"]["sender_id"]["open_id"] = "ou_bot".into();
    assert_eq!(why(read(&own)), Ignored::FromBot);
}

#[test]
fn a_tap() {
    let whole = json!({
        "header": {"event_id": "ev_2", "event_type": "card.action.trigger", "create_time": "1609073151345000"},
        "event": {
            "operator": {"open_id": "ou_me"}, "token": "c-1",
            "action": {"value": {"do": "stop"}, "tag": "button", "form_value": {"why": "no"}},
            "context": {"open_message_id": "om_9", "open_chat_id": "oc_9"},
        },
    });
    let Event::Tap(tap) = read(&whole) else {
        panic!("not a tap");
    };
    assert_eq!(tap.value, json!({"do": "stop"}));
    assert_eq!(tap.form_value, json!({"why": "no"}));
    for (value, wanted) in [
        (json!("{\"do\":\"stop\"}"), json!({"do": "stop"})),
        (json!("no json"), json!("no json")),
    ] {
        let mut whole = whole.clone();
        whole["event"]["action"]["value"] = value;
        assert!(matches!(read(&whole), Event::Tap(tap) if tap.value == wanted));
    }
    assert_eq!(
        (tap.message_id.as_str(), tap.chat_id.as_str()),
        ("om_9", "oc_9")
    );
    assert_eq!(tap.token.expose_secret(), "c-1");
    assert!(!format!("{tap:?}").contains("c-1"));
}

#[test]
fn what_is_unknown_or_broken_is_ignored() {
    assert_eq!(
        why(parse(b"\xff", &OwnId::Awaited)),
        Ignored::Malformed("the payload is not JSON")
    );
    assert_eq!(why(parse(b"[]", &OwnId::Awaited)), Ignored::UnknownType);
    let new = json!({"header": {"event_type": "im.chat.something_v7"}});
    assert_eq!(why(read(&new)), Ignored::UnknownType);
    let empty = json!({"header": {"event_type": "im.message.receive_v1"}});
    assert_eq!(why(read(&empty)), Ignored::Malformed("no message_id"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop::sample::select(vec![
            "tag", "text", "content", "title", "mentions", "key", "id", "open_id", "name", "href",
            "language",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|pairs| {
                let pairs = pairs
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(pairs.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_shape_makes_it_fail(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        kind in prop::sample::select(vec!["text", "post", "image", "new"]),
        content in any_json(),
        mentions in any_json(),
        tag in prop::sample::select(vec!["text", "a", "at", "img", "code_block", "hr", "new"]),
    ) {
        let _ = parse(&bytes, &OwnId::Withheld);
        let node = json!({"tag": tag, "text": content, "user_id": mentions, "href": content});
        for content in [content.clone(), json!({"title": content, "content": [[node]]})] {
            let mut whole = received("p2p", "", &mentions);
            whole["event"]["message"]["message_type"] = kind.into();
            whole["event"]["message"]["content"] = content.to_string().into();
            prop_assert!(matches!(read(&whole), Event::Message(_)));
        }
        for member in ["event", "header"] {
            let mut whole = received("group", "", &mentions);
            whole[member] = content.clone();
            let _ = read(&whole);
        }
    }
}
