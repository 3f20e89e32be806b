//! What answers mean.

use serde_json::json;

use super::*;

fn error(status: u16, body: Value) -> ApiError {
    let answer = Answer {
        status,
        code: body.get("code").and_then(Value::as_i64),
        body,
        log_id: Some("L1".into()),
        reset: Some(3),
    };
    ApiError::answer("send", &answer)
}

#[test]
fn the_code_decides_not_the_status() {
    for status in [200, 400] {
        let refused = error(status, json!({"code": 99_991_663, "msg": "invalid token"}));
        assert_eq!(refused.kind, ErrorKind::TokenRefused);
    }
    assert_eq!(
        error(400, json!({"code": 99_991_400})).kind,
        ErrorKind::RateLimited {
            wait: Some(Duration::from_secs(3))
        }
    );
    assert_eq!(error(502, Value::Null).kind, ErrorKind::Unsure);
    assert_eq!(error(404, Value::Null).kind, ErrorKind::Permanent);
    assert_eq!(error(401, Value::Null).kind, ErrorKind::TokenRefused);
    assert_eq!(
        error(500, json!({"code": 77, "msg": "?"})).kind,
        ErrorKind::Unsure
    );
}

#[test]
fn a_refused_card_names_its_inner_reason() {
    let text =
        "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit;";
    let refused = error(400, json!({"code": 230_099, "msg": text}));
    assert_eq!(refused.kind, ErrorKind::CardRefused { code: Some(11_310) });
    assert!(refused.wants_simpler());
    assert_eq!(
        error(400, json!({"code": 230_099, "msg": "no reason"})).kind,
        ErrorKind::CardRefused { code: None }
    );
}

#[test]
fn a_key_used_before_is_told_from_other_refusals() {
    for (code, text) in [
        (230_099, "Failed to send, ext=duplicate uuid"),
        (230_099, "ext=ErrCode: 11288; ErrMsg: uuid is duplicated;"),
        (230_001, "invalid request parameter, ext=repeated uuid"),
        (77, "the message has already been sent"),
    ] {
        assert!(
            error(400, json!({"code": code, "msg": text})).is_repeat(),
            "{text}"
        );
    }
    for (code, text) in [
        (
            230_099,
            "ext=ErrCode: 300301; ErrMsg: duplicate element_id;",
        ),
        (230_001, "message does not exist"),
        (230_002, "Bot can NOT be out of the chat."),
        (77, "request conflict"),
        (230_020, "duplicate message, slow down"),
    ] {
        assert!(
            !error(400, json!({"code": code, "msg": text})).is_repeat(),
            "{text}"
        );
    }
    let mut unclear = error(400, json!({"code": 77, "msg": "request conflict"}));
    unclear.maybe_done = true;
    assert!(unclear.is_repeat());
}

#[test]
fn missing_scopes_are_named() {
    let text = "Access denied. One of the following scopes is required: [im:message, im:message:send_as_bot].";
    let refused = error(400, json!({"code": 99_991_672, "msg": text}));
    assert_eq!(
        refused.kind,
        ErrorKind::Permission {
            scopes: vec!["im:message".into(), "im:message:send_as_bot".into()]
        }
    );
    insta::assert_snapshot!(refused, @"Feishu call send failed (code 99991672) [log id L1]: Access denied. One of the following scopes is required: [im:message, im:message:send_as_bot].");
}
