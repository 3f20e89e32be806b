//! What each role may send and hear, and the tokens of those who have one.
//! Permissions stand in the account under the role's signing key, never in a token, so a token cannot widen them.

use serde_json::{Value, json};

use super::IdentityError;
use super::accounts::{API_PREFIX, Account, SERVES_READ, SURFACES, kv_read};
use super::jwt::{self, Kind};
use super::keys::Keys;

/// The scoped signing keys: what a role may do stands in the account, so a token cannot widen it.
pub(super) fn roles(account: Account, keys: &Keys) -> Vec<Value> {
    let connections = ["STANDARD", "WEBSOCKET"];
    match account {
        Account::Nodes => vec![
            role(
                &keys.node_role,
                "node",
                &node_publish("{{name()}}"),
                &node_subscribe("{{name()}}", "{{name()}}"),
                &connections,
                Answers::Published,
            ),
            role(
                &keys.leaf_role,
                "leaf",
                &node_publish("{{tag(node)}}"),
                &node_subscribe("{{tag(node)}}", "{{tag(node)}}"),
                &["LEAFNODE", "LEAFNODE_WS"],
                Answers::Published,
            ),
        ],
        Account::Gate => {
            let mut publish: Vec<String> = [
                "pw.in.>",
                "pw.down.>",
                "pw.dead.gateway.>",
                // Gateways among themselves: who shows, and whether they still live.
                "pw.alive.gateway.*",
                "$JS.ACK.PW_OUT.>",
            ]
            .map(str::to_owned)
            .to_vec();
            for rest in [
                "CONSUMER.INFO.PW_OUT.*",
                // Whoever shows next begins with what the one before left.
                "CONSUMER.RESET.PW_OUT.*",
                "CONSUMER.MSG.NEXT.PW_OUT.*",
                "DIRECT.GET.PW_UP.pw.up.>",
                SERVES_READ,
            ] {
                publish.push(format!("{API_PREFIX}.{rest}"));
            }
            for surface in SURFACES {
                publish.push(format!("$KV.PW_GATE_{surface}.>"));
                publish.push(format!("{API_PREFIX}.{}", kv_read(surface)));
            }
            let subscribe = [
                "_INBOX_{{name()}}.>",
                "pw.delta.>",
                "pw.alive.gateway.*",
                "$SRV.>",
            ]
            .map(str::to_owned);
            vec![role(
                &keys.gateway_role,
                "gateway",
                &publish,
                &subscribe,
                &connections,
                // All gateways are one to the broker, and their account reaches nothing that they may not.
                Answers::AnyReply,
            )]
        }
        Account::Pw | Account::Enrol | Account::Sys => Vec::new(),
    }
}

/// Everything a node may send; `node` is its id or the template that stands for it.
fn node_publish(node: &str) -> Vec<String> {
    vec![
        format!("pw.out.{node}.>"),
        format!("pw.dead.{node}.>"),
        format!("pw.turn.{node}.>"),
        format!("pw.up.{node}.>"),
        format!("pw.delta.{node}.>"),
        format!("pw.hb.{node}"),
        // Reminders for those whom it serves; the router looks whether it does.
        format!("pw.remind.{node}"),
        // To another start of itself: one id is served by one process.
        format!("pw.alive.node.{node}"),
        format!("{API_PREFIX}.CONSUMER.INFO.PW_WORK.{node}"),
        format!("{API_PREFIX}.CONSUMER.MSG.NEXT.PW_WORK.{node}"),
        format!("{API_PREFIX}.DIRECT.GET.PW_DOWN.pw.down.{node}.>"),
        format!("PWJS.ACK.PW_WORK.{node}.>"),
        // Answers to the router's requests, below a random subject for each. Not by the server's own right to answer
        // wherever a message says: a node hears what it sends to `pw.alive`, and could name any subject there.
        "_R_.>".into(),
    ]
}

/// Everything a node may hear.
fn node_subscribe(inbox: &str, node: &str) -> Vec<String> {
    vec![
        format!("_INBOX_{inbox}.>"),
        format!("pw.ctl.{node}.>"),
        format!("pw.alive.node.{node}"),
    ]
}

/// How a role answers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// Where it may publish anyway.
    Published,
    /// Wherever a message it has heard asks for an answer.
    AnyReply,
}

fn role(
    key: &nkeys::KeyPair,
    name: &str,
    publish: &[String],
    subscribe: &[String],
    connections: &[&str],
    answers: Answers,
) -> Value {
    let mut template = json!({
        "pub": {"allow": publish},
        "sub": {"allow": subscribe},
        "subs": -1, "data": -1, "payload": -1,
        "allowed_connection_types": connections,
    });
    if let (Answers::AnyReply, Some(map)) = (answers, template.as_object_mut()) {
        // Two, because a late one may follow a refusal.
        map.insert("resp".into(), json!({"max": 2, "ttl": 120_000_000_000_i64}));
    }
    json!({"kind": "user_scope", "key": key.public_key(), "role": name, "template": template})
}

/// A user of a role: the role's key signs, so the token itself must not carry permissions.
pub(super) fn role_user(
    name: &str,
    public_key: &str,
    account: &nkeys::KeyPair,
    role: &nkeys::KeyPair,
    tags: &[String],
    issued_at: i64,
) -> Result<String, IdentityError> {
    let mut claims = json!({"pub": {}, "sub": {}, "issuer_account": account.public_key()});
    if let (false, Some(map)) = (tags.is_empty(), claims.as_object_mut()) {
        map.insert("tags".into(), tags.into());
    }
    jwt::encode(Kind::User, name, public_key, role, claims, issued_at)
}

/// A user with everything its account has: the router in PW, the operator's own in SYS.
pub(super) fn full_user(
    name: &str,
    public_key: &str,
    account: &nkeys::KeyPair,
    issued_at: i64,
) -> Result<String, IdentityError> {
    let claims = json!({"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1});
    jwt::encode(Kind::User, name, public_key, account, claims, issued_at)
}

/// The user of machines that are not enrolled yet. It may knock and hear the answer, nothing else, and the broker
/// takes anybody without credentials for it: whether to let them in is decided by the router, not by this.
pub(super) fn knocking_user(
    public_key: &str,
    enrol: &nkeys::KeyPair,
    issued_at: i64,
) -> Result<String, IdentityError> {
    let claims = json!({
        "pub": {"allow": ["pw.enrol"]},
        "sub": {"allow": ["_INBOX_enrol.>"]},
        "subs": 4, "data": -1, "payload": 4096,
        "bearer_token": true,
        "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
    });
    jwt::encode(Kind::User, "enrol", public_key, enrol, claims, issued_at)
}
