//! A browser's part in tests of the page's HTTP side: knows the address, keeps the cookie, names the
//! origin, follows the timeline.

use common::ids::UserId;
use futures_util::StreamExt as _;
use reqwest::{Method, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::stage::{Running, SOON, SetUp, Stage};

/// A browser's part: knows the address, keeps the cookie, names the origin.
pub(crate) struct Visitor {
    pub(crate) http: reqwest::Client,
    pub(crate) origin: String,
    pub(crate) link: String,
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    pub(crate) async fn new(gateway: &mut Running) -> Self {
        let ready = gateway.ready().await;
        Self {
            http: kit::http::client(),
            origin: format!("http://{}", ready.address),
            link: ready.link.expose_secret().to_owned(),
            cookie: None,
        }
    }

    pub(crate) async fn logged_in(gateway: &mut Running) -> Self {
        let mut visitor = Self::new(gateway).await;
        let answer = visitor.get(&visitor.link).await;
        assert_eq!(answer.status(), StatusCode::OK);
        visitor.cookie = Some(cookie_of(&answer));
        visitor
    }

    pub(crate) fn request(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, url);
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Response {
        self.request(Method::GET, url).send().await.unwrap()
    }

    pub(crate) async fn page(&self) -> Response {
        self.get(&format!("{}/", self.origin)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let url = format!("{}{path}", self.origin);
        let request = self.request(Method::POST, &url);
        let request = request.header("origin", &self.origin).json(body);
        request.send().await.unwrap()
    }

    /// Follows the timeline; gives what is told until everything missed is told.
    pub(crate) async fn follow(&self, store: &str, after: u64) -> Follow {
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

pub(crate) struct Follow {
    socket: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
    pub(crate) store: String,
    pub(crate) entries: Vec<Value>,
}

impl Follow {
    pub(crate) async fn next(&mut self) -> Value {
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
    pub(crate) async fn until(&mut self, count: usize) {
        while self.entries.len() < count {
            self.next().await;
        }
    }

    pub(crate) fn last(&self) -> u64 {
        self.entries.last().unwrap()["seq"].as_u64().unwrap()
    }
}

pub(crate) fn cookie_of(answer: &Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

pub(crate) fn owner() -> UserId {
    "web/owner".parse().unwrap()
}

pub(crate) fn set_up(dir: &TempDir) -> SetUp {
    SetUp {
        data_dir: Some(dir.path().to_owned()),
        ..SetUp::default()
    }
}

pub(crate) async fn start() -> (Stage, TempDir, Running) {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let gateway = stage.gateway(set_up(&dir));
    (stage, dir, gateway)
}
