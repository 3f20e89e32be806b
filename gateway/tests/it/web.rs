//! The page's HTTP side against a real broker: who gets in, what is taken, what is told to open
//! pages. How the page looks and behaves in a browser is `web_page`'s.

use std::time::Duration;

use common::ids::{CardId, UserId};
use common::message::inbound::InboundBody;
use common::message::outbound::Preview;
use common::message::view::{Action, Button, ButtonStyle, Tone};
use futures_util::StreamExt as _;
use reqwest::{Method, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use uuid::Uuid;

use crate::stage::{Running, SOON, SetUp, Stage, card, direct, notice, until, view};

/// A browser's part: knows the address, keeps the cookie, names the origin.
struct Visitor {
    http: reqwest::Client,
    origin: String,
    link: String,
    cookie: Option<String>,
}

impl Visitor {
    async fn new(gateway: &mut Running) -> Self {
        let ready = gateway.ready().await;
        Self {
            http: kit::http::client(),
            origin: format!("http://{}", ready.address),
            link: ready.link.expose_secret().to_owned(),
            cookie: None,
        }
    }

    async fn logged_in(gateway: &mut Running) -> Self {
        let mut visitor = Self::new(gateway).await;
        let answer = visitor.get(&visitor.link).await;
        assert_eq!(answer.status(), StatusCode::OK);
        visitor.cookie = Some(cookie_of(&answer));
        visitor
    }

    fn request(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, url);
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    async fn get(&self, url: &str) -> Response {
        self.request(Method::GET, url).send().await.unwrap()
    }

    async fn page(&self) -> Response {
        self.get(&format!("{}/", self.origin)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let url = format!("{}{path}", self.origin);
        let request = self.request(Method::POST, &url);
        let request = request.header("origin", &self.origin).json(body);
        request.send().await.unwrap()
    }

    /// Follows the timeline; gives what is told until everything missed is told.
    async fn follow(&self, store: &str, after: u64) -> Follow {
        let address = self.origin.trim_start_matches("http://");
        let url = format!("ws://{address}/api/follow?store={store}&after={after}");
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("origin", self.origin.parse().unwrap());
        if let Some(cookie) = &self.cookie {
            headers.insert("cookie", cookie.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut follow = Follow {
            socket,
            store: String::new(),
            entries: Vec::new(),
        };
        loop {
            let told = follow.next().await;
            if told["type"] == "caught_up" {
                return follow;
            }
        }
    }
}

struct Follow {
    socket: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
    store: String,
    entries: Vec<Value>,
}

impl Follow {
    async fn next(&mut self) -> Value {
        let next = tokio::time::timeout(SOON, self.socket.next())
            .await
            .unwrap();
        let text = next.unwrap().unwrap().into_text().unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        match told["type"].as_str().unwrap() {
            "hello" => told["store"].as_str().unwrap().clone_into(&mut self.store),
            "entries" => self
                .entries
                .extend(told["entries"].as_array().unwrap().clone()),
            _ => {}
        }
        told
    }

    /// Reads on until there are this many entries.
    async fn until(&mut self, count: usize) {
        while self.entries.len() < count {
            self.next().await;
        }
    }

    fn last(&self) -> u64 {
        self.entries.last().unwrap()["seq"].as_u64().unwrap()
    }
}

fn cookie_of(answer: &Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

fn owner() -> UserId {
    "web/owner".parse().unwrap()
}

fn set_up(dir: &TempDir) -> SetUp {
    SetUp {
        data_dir: Some(dir.path().to_owned()),
        ..SetUp::default()
    }
}

async fn start() -> (Stage, TempDir, Running) {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let gateway = stage.gateway(set_up(&dir));
    (stage, dir, gateway)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_printed_link_lets_in_and_only_once() {
    let (stage, dir, mut gateway) = start().await;
    let mut visitor = Visitor::new(&mut gateway).await;
    let refused = visitor.page().await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let csp = refused.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(
        csp.starts_with("default-src 'none'") && !csp.contains("unsafe"),
        "{csp}"
    );
    assert!(refused.text().await.unwrap().contains("login link"));
    let hi = json!({"id": Uuid::new_v4(), "text": "hi"});
    let said = visitor.post("/api/messages", &hi).await;
    assert_eq!(said.status(), StatusCode::UNAUTHORIZED);

    let wrong = format!("{}/login?token=AAAA", visitor.origin);
    assert_eq!(visitor.get(&wrong).await.status(), StatusCode::UNAUTHORIZED);
    let answer = visitor.get(&visitor.link).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = cookie_of(&answer);
    let used = visitor.get(&visitor.link).await;
    assert_eq!(used.status(), StatusCode::UNAUTHORIZED);
    assert!(used.text().await.unwrap().contains("has been used"));
    visitor.cookie = Some(cookie.clone());
    assert_eq!(visitor.page().await.status(), StatusCode::OK);

    // A restart logs nobody out, and the old link stays used.
    let old = visitor.link.split("/login").nth(1).unwrap().to_owned();
    gateway.stop().await;
    let mut gateway = stage.gateway(set_up(&dir));
    let mut visitor = Visitor::new(&mut gateway).await;
    assert!(!visitor.link.ends_with(&old));
    let old = format!("{}/login{old}", visitor.origin);
    assert_eq!(visitor.get(&old).await.status(), StatusCode::UNAUTHORIZED);
    visitor.cookie = Some(cookie);
    assert_eq!(visitor.page().await.status(), StatusCode::OK);
    // A cookie that we did not sign.
    visitor.cookie = visitor
        .cookie
        .map(|cookie| cookie.replace("owner.", "owner.9"));
    assert_eq!(visitor.page().await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_and_names_are_refused_and_health_is_public() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let url = format!("{}/api/messages", visitor.origin);
    let body = json!({"id": Uuid::new_v4(), "text": "do it"});
    for origin in [Some("http://evil.example"), Some("null"), None] {
        let mut request = visitor.request(Method::POST, &url).json(&body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin:?}");
    }
    let rebound = visitor.request(Method::GET, &format!("{}/", visitor.origin));
    let rebound = rebound.header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);

    let address = visitor.origin.trim_start_matches("http://");
    for (origin, cookie, status) in [
        ("http://evil.example", visitor.cookie.clone(), 403),
        (visitor.origin.as_str(), None, 401),
    ] {
        let mut request = format!("ws://{address}/api/follow")
            .into_client_request()
            .unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        if let Some(cookie) = cookie {
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), status),
            other => panic!("{other:?}"),
        }
    }
    let health = async || {
        let url = format!("{}/health", visitor.origin);
        let answer = visitor.http.get(url).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (_, report) = until("a good board", async || {
        let (status, report) = health().await;
        (status == StatusCode::OK).then_some((status, report))
    })
    .await;
    assert_eq!(report["parts"]["web"]["ok"], true);
    assert_eq!(report["parts"]["gateway"]["detail"]["refusals"], 0);
    assert!(stage.said().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_taken_once_and_survives_the_broker() {
    let (mut stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let (id, text) = (Uuid::new_v4(), "hello");
    let body = json!({"id": id, "text": text, "lang": "zh"});
    for _ in 0..2 {
        let answer = visitor.post("/api/messages", &body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    stage.nats.kill().await;
    let other = json!({"id": Uuid::new_v4(), "text": "later"});
    let answer = visitor.post("/api/messages", &other).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let said: Value = answer.json().await.unwrap();
    assert!(said["error"].as_str().unwrap().contains("tries again"));
    stage.nats.restart().await;
    until("the message is taken", async || {
        let answer = visitor.post("/api/messages", &other).await;
        (answer.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    let said = stage.wait_said(2).await;
    assert_eq!(said.len(), 2);
    assert_eq!(said[0].body, InboundBody::Text { text: text.into() });
    assert_eq!(said[0].meta.cause.as_str(), format!("web:{}", id.simple()));
    assert_eq!(
        (said[0].user.clone(), said[0].lang),
        (owner(), Some(common::lang::Lang::Zh))
    );
    assert_eq!(visitor.follow("", 0).await.entries.len(), 2);

    for (bad, status) in [
        (json!({"id": "x", "text": "hi"}), 422),
        (json!({"id": Uuid::new_v4(), "text": " "}), 400),
        (
            json!({"id": Uuid::new_v4(), "text": "x".repeat(5_000_000)}),
            413,
        ),
    ] {
        let answer = visitor.post("/api/messages", &bad).await;
        assert_eq!(answer.status(), status);
        assert!(answer.json::<Value>().await.unwrap()["error"].is_string());
    }
    let long = json!({"id": Uuid::new_v4(), "text": "x".repeat(100_001)});
    let answer = visitor.post("/api/messages", &long).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let said = stage.wait_said(3).await;
    assert_eq!(said[2].body, InboundBody::TooLong { bytes: 100_001 });
}

#[tokio::test(flavor = "multi_thread")]
async fn only_buttons_that_are_on_the_card_can_be_tapped() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let action = |node: &str| Action::UseNode {
        node: node.parse().unwrap(),
        pending: None,
    };
    let mut asking = view(Tone::Asking, "Which machine?");
    asking.buttons = vec![Button {
        label: "lab-1".into(),
        style: ButtonStyle::Normal,
        action: action("lab-1"),
    }];
    let (chat, id) = (direct("page"), CardId::new());
    stage.show(&card(&owner(), &chat, id, 1, asking)).await;
    stage.wait_all_shown().await;
    let tap = async |card: CardId, node: &str| {
        let body = json!({"id": Uuid::new_v4(), "card": card, "action": action(node)});
        visitor.post("/api/taps", &body).await.status()
    };
    assert_eq!(tap(id, "lab-2").await, StatusCode::CONFLICT);
    assert_eq!(tap(CardId::new(), "lab-1").await, StatusCode::CONFLICT);
    assert_eq!(tap(id, "lab-1").await, StatusCode::ACCEPTED);
    let said = stage.wait_said(1).await;
    assert_eq!(
        said[0].body,
        InboundBody::Tap {
            action: action("lab-1")
        }
    );
    // The next state of the card has no buttons any more.
    stage
        .show(&card(
            &owner(),
            &chat,
            id,
            2,
            view(Tone::Done, "lab-1 it is"),
        ))
        .await;
    stage.wait_all_shown().await;
    assert_eq!(tap(id, "lab-1").await, StatusCode::CONFLICT);
    assert_eq!(stage.said().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_told_everything_once_also_over_a_crash() {
    let (stage, dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let cookie = visitor.cookie.clone();
    let (chat, id) = (direct("page"), CardId::new());
    let first = card(&owner(), &chat, id, 1, view(Tone::Working, "one"));
    let ring = notice(&owner(), &chat, "ring");
    stage.show(&first).await;
    let mut open = visitor.follow("", 0).await;
    open.until(1).await;
    stage.show(&ring).await;
    open.until(2).await;
    let (store, last) = (open.store.clone(), open.last());
    drop(open);

    // Away meanwhile: a new revision, repeats of everything, and a crash of the process.
    stage
        .show(&card(&owner(), &chat, id, 2, view(Tone::Done, "two")))
        .await;
    stage.show(&first).await;
    stage.show(&ring).await;
    stage.wait_all_shown().await;
    gateway.crash();
    let mut gateway = until("the crashed gateway lets go of its file", async || {
        let mut gateway = stage.gateway(set_up(&dir));
        let ready = tokio::time::timeout(Duration::from_secs(2), gateway.is_ready()).await;
        ready.is_ok_and(|ready| ready).then_some(gateway)
    })
    .await;
    let mut visitor = Visitor::new(&mut gateway).await;
    visitor.cookie = cookie;
    stage.show(&ring).await;
    stage.wait_all_shown().await;
    let mut again = visitor.follow(&store, last).await;
    assert_eq!(again.entries.len(), 1, "{:?}", again.entries);
    assert_eq!(again.entries[0]["item"]["rev"], 2);
    stage.show(&notice(&owner(), &chat, "more")).await;
    again.until(2).await;
    assert_eq!(again.entries[1]["item"]["text"], "more");
    let all = visitor.follow("another", 99).await;
    assert_eq!(all.entries.len(), 3);
    assert_eq!(all.store, store);
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_reach_open_pages_until_the_next_revision() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let (chat, id) = (direct("page"), CardId::new());
    stage
        .show(&card(&owner(), &chat, id, 1, view(Tone::Working, "one")))
        .await;
    let mut open = visitor.follow("", 0).await;
    open.until(1).await;
    let preview = |rev, n| Preview {
        card: id,
        rev,
        n,
        user: owner(),
        view: view(Tone::Working, &format!("{rev}.{n}")),
    };
    let text = |told: &Value| {
        told["view"]["blocks"][0]["text"]
            .as_str()
            .map(str::to_owned)
    };
    stage.preview(&preview(1, 1)).await;
    assert_eq!(text(&open.next().await).as_deref(), Some("1.1"));
    // Whoever opens the page now sees it as well.
    assert_eq!(visitor.follow("", 0).await.entries.len(), 1);
    stage
        .show(&card(&owner(), &chat, id, 2, view(Tone::Working, "two")))
        .await;
    open.until(2).await;
    stage.preview(&preview(1, 2)).await;
    stage.preview(&preview(2, 1)).await;
    assert_eq!(text(&open.next().await).as_deref(), Some("2.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_passed_over() {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = set_up(&dir);
    options.port = port;
    let mut gateway = stage.gateway(options);
    let ready = gateway.ready().await;
    assert!(ready.address.port() > port && ready.address.port() < port + 10);
    assert!(
        ready
            .link
            .expose_secret()
            .contains(&ready.address.to_string())
    );
}
