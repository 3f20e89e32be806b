//! The five accounts and what they share. What single users may do within an account is in `roles`; these two files
//! are the only place where the subjects stand as text, building and parsing them at run time is done elsewhere.
//!
//! The server never checks the reply subject of a publish and answers with its own authority. So nodes and gateways
//! live in accounts without JetStream and reach the router's streams only through renamed imports: a forged reply
//! subject resolves in *their* account, where it reaches nothing.

use serde_json::{Value, json};

use super::jwt::{self, Kind};
use super::keys::Keys;
use super::{IdentityError, roles};

/// Surfaces with a place of their own in the shared state. Each one needs its lines below.
pub(super) const SURFACES: [&str; 2] = ["feishu", "web"];

/// Raised when a table below changes: an older data folder then gets its accounts signed anew.
pub(super) const LAYOUT: u32 = 6;

/// Prefix under which nodes and gateways find the JetStream services that are open to them.
pub const API_PREFIX: &str = "PWJS.API";
/// Where a node settles what the broker wants settled at `reply`; none when that is the same place. The broker lets
/// through whatever a leaf publishes below `$JS.ACK`, also for nodes it does not carry; under a name of our own the
/// permissions hold.
pub fn ack_of_node(reply: &str) -> Option<String> {
    let rest = reply.strip_prefix("$JS.ACK.PW_WORK.")?;
    Some(format!("PWJS.ACK.PW_WORK.{rest}"))
}

/// Where the router hears that a node's connection has come up (broker's own event, account NODES).
pub const NODE_CONNECTED: &str = "pw.presence.connected";
/// Where the router hears that a node's connection is gone.
pub const NODE_DISCONNECTED: &str = "pw.presence.disconnected";

/// One of the five accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    Pw,
    Gate,
    Nodes,
    Enrol,
    Sys,
}

impl Account {
    pub(super) const ALL: [Self; 5] = [Self::Pw, Self::Gate, Self::Nodes, Self::Enrol, Self::Sys];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pw => "PW",
            Self::Gate => "GATE",
            Self::Nodes => "NODES",
            Self::Enrol => "ENROL",
            Self::Sys => "SYS",
        }
    }

    pub(super) const fn key(self, keys: &Keys) -> &nkeys::KeyPair {
        match self {
            Self::Pw => &keys.pw,
            Self::Gate => &keys.gate,
            Self::Nodes => &keys.nodes,
            Self::Enrol => &keys.enrol,
            Self::Sys => &keys.sys,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// Request with one answer, or a publish into the owner's account.
    Service,
    /// Request with several answers (a pull), or one whose answer may take long.
    Answers,
    /// One-way messages out of the owner's account.
    Stream,
}

/// `owner` lets `user` reach `subject`, there called `local` when that is not empty.
struct Link {
    owner: Account,
    user: Account,
    share: Share,
    subject: String,
    local: String,
}

fn links(keys: &Keys) -> Vec<Link> {
    use Account::{Enrol, Gate, Nodes, Pw, Sys};
    let mut links = Vec::new();
    let mut link = |owner, user, share, subject: &str, local: &str| {
        links.push(Link {
            owner,
            user,
            share,
            subject: subject.into(),
            local: local.into(),
        });
    };
    let api = |rest: &str| (format!("$JS.API.{rest}"), format!("{API_PREFIX}.{rest}"));

    // Nodes: own work, own replies, own files.
    for (share, rest) in [
        (Share::Service, "CONSUMER.INFO.PW_WORK.*"),
        (Share::Answers, "CONSUMER.MSG.NEXT.PW_WORK.*"),
        (Share::Service, "DIRECT.GET.PW_DOWN.pw.down.>"),
    ] {
        let (subject, local) = api(rest);
        link(Pw, Nodes, share, &subject, &local);
    }
    let acks = "ACK.PW_WORK.>";
    link(
        Pw,
        Nodes,
        Share::Service,
        &format!("$JS.{acks}"),
        &format!("PWJS.{acks}"),
    );
    for subject in [
        "pw.out.>",
        "pw.dead.>",
        "pw.turn.>",
        "pw.up.>",
        "pw.remind.*",
    ] {
        link(Pw, Nodes, Share::Service, subject, "");
    }
    link(Nodes, Pw, Share::Answers, "pw.ctl.>", "");
    link(Nodes, Pw, Share::Stream, "pw.delta.>", "");
    link(Nodes, Gate, Share::Stream, "pw.delta.>", "");
    link(Nodes, Pw, Share::Stream, "pw.hb.*", "");

    // Gateways: what people said in, what they are told out, files both ways, what was sent.
    for (share, rest) in [
        (Share::Service, "CONSUMER.INFO.PW_OUT.*"),
        (Share::Service, "CONSUMER.RESET.PW_OUT.*"),
        (Share::Answers, "CONSUMER.MSG.NEXT.PW_OUT.*"),
        (Share::Service, "DIRECT.GET.PW_UP.pw.up.>"),
        (Share::Service, SERVES_READ),
    ] {
        let (subject, local) = api(rest);
        link(Pw, Gate, share, &subject, &local);
    }
    for subject in [
        "$JS.ACK.PW_OUT.>",
        "pw.in.>",
        // Only its own: a gateway may answer where a message says, and it may send itself one.
        "pw.dead.gateway.>",
        "pw.down.>",
    ] {
        link(Pw, Gate, Share::Service, subject, "");
    }
    for surface in SURFACES {
        let (subject, local) = api(&kv_read(surface));
        link(Pw, Gate, Share::Service, &subject, &local);
        link(
            Pw,
            Gate,
            Share::Service,
            &format!("$KV.PW_GATE_{surface}.>"),
            "",
        );
    }
    // Lets the router's account discover the gateways' micro services.
    link(Gate, Pw, Share::Answers, "$SRV.>", "");

    link(Pw, Enrol, Share::Service, "pw.enrol", "");

    let nodes = keys.nodes.public_key();
    link(
        Sys,
        Pw,
        Share::Stream,
        &format!("$SYS.ACCOUNT.{nodes}.CONNECT"),
        NODE_CONNECTED,
    );
    link(
        Sys,
        Pw,
        Share::Stream,
        &format!("$SYS.ACCOUNT.{nodes}.DISCONNECT"),
        NODE_DISCONNECTED,
    );
    links
}

/// Where a gateway reads whom a node may serve, below the API prefix.
pub(super) const SERVES_READ: &str = "DIRECT.GET.KV_PW_NODES.$KV.PW_NODES.*";

/// The direct read of a gateway bucket's newest value, below the API prefix.
pub(super) fn kv_read(surface: &str) -> String {
    format!("DIRECT.GET.KV_PW_GATE_{surface}.$KV.PW_GATE_{surface}.>")
}

/// Signs one account's claims: limits, exports, imports, roles and revocations.
pub(super) fn account_token(
    account: Account,
    keys: &Keys,
    revoked: &[(String, i64)],
    issued_at: i64,
) -> Result<String, IdentityError> {
    let links = links(keys);
    let mut exports: Vec<Value> = Vec::new();
    let owned = || links.iter().filter(|link| link.owner == account);
    // The server wants no export within another one; who imports less than is exported has that much less.
    let within = |link: &Link, other: &Link| {
        let head = other.subject.strip_suffix('>');
        other.share == link.share
            && other.subject != link.subject
            && head.is_some_and(|head| link.subject.starts_with(head))
    };
    for link in owned().filter(|link| !owned().any(|other| within(link, other))) {
        let export = match link.share {
            Share::Service => {
                json!({"name": link.subject, "subject": link.subject, "type": "service"})
            }
            Share::Answers => {
                json!({"name": link.subject, "subject": link.subject, "type": "service", "response_type": "Stream"})
            }
            Share::Stream => {
                json!({"name": link.subject, "subject": link.subject, "type": "stream"})
            }
        };
        if !exports.contains(&export) {
            exports.push(export);
        }
    }
    let imports: Vec<Value> = links
        .iter()
        .filter(|link| link.user == account)
        .map(|link| {
            let kind = match link.share {
                Share::Service | Share::Answers => "service",
                Share::Stream => "stream",
            };
            let mut import = json!({
                "name": link.subject,
                "subject": link.subject,
                "account": link.owner.key(keys).public_key(),
                "type": kind,
            });
            if let (false, Some(map)) = (link.local.is_empty(), import.as_object_mut()) {
                map.insert("local_subject".into(), link.local.as_str().into());
            }
            import
        })
        .collect();

    sign_account(account, keys, &exports, &imports, revoked, issued_at)
}

/// The account of the nodes as the server of a site has it: the same keys and roles, and nothing shared with others,
/// since those are at the hub. What a host sends there goes on over the link.
pub(super) fn site_token(
    keys: &Keys,
    revoked: &[(String, i64)],
    issued_at: i64,
) -> Result<String, IdentityError> {
    sign_account(Account::Nodes, keys, &[], &[], revoked, issued_at)
}

fn sign_account(
    account: Account,
    keys: &Keys,
    exports: &[Value],
    imports: &[Value],
    revoked: &[(String, i64)],
    issued_at: i64,
) -> Result<String, IdentityError> {
    let mut claims = json!({
        "limits": limits(account),
        "exports": exports,
        "imports": imports,
        "signing_keys": roles::roles(account, keys),
        "default_permissions": {"pub": {}, "sub": {}},
    });
    if account == Account::Nodes {
        let revoked: serde_json::Map<String, Value> = revoked
            .iter()
            .map(|(key, at)| (key.clone(), (*at).into()))
            .collect();
        if let Some(map) = claims.as_object_mut() {
            map.insert("revocations".into(), revoked.into());
        }
    }
    let subject = account.key(keys).public_key();
    jwt::encode(
        Kind::Account,
        account.name(),
        &subject,
        &keys.operator,
        claims,
        issued_at,
    )
}

fn limits(account: Account) -> Value {
    // Strangers may knock; they must not be able to fill the broker.
    let connections = match account {
        Account::Enrol => 64,
        Account::Pw | Account::Gate | Account::Nodes | Account::Sys => -1,
    };
    let mut limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1,
        "conn": connections, "leaf": -1, "wildcards": true,
    });
    if let (Account::Pw, Some(map)) = (account, limits.as_object_mut()) {
        for name in ["mem_storage", "disk_storage", "streams", "consumer"] {
            map.insert(name.into(), (-1).into());
        }
    }
    limits
}

/// The self-signed root.
pub(super) fn operator_token(keys: &Keys, issued_at: i64) -> Result<String, IdentityError> {
    sign_operator(
        keys,
        json!({"system_account": keys.sys.public_key()}),
        issued_at,
    )
}

/// The same for the server of a site, which has no account of the system: nothing can be changed there from outside.
pub(super) fn site_operator_token(keys: &Keys, issued_at: i64) -> Result<String, IdentityError> {
    sign_operator(keys, json!({}), issued_at)
}

fn sign_operator(keys: &Keys, claims: Value, issued_at: i64) -> Result<String, IdentityError> {
    jwt::encode(
        Kind::Operator,
        "phonework",
        &keys.operator.public_key(),
        &keys.operator,
        claims,
        issued_at,
    )
}
