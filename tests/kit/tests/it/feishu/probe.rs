//! A bare client of the stand-in: plain requests and single frames, right or wrong on purpose.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use kit::feishu::wire::{CONTROL, DATA, Frame, Header};
use kit::feishu::{APP_ID, APP_SECRET, Feishu};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(super) const SOON: Duration = Duration::from_secs(10);

/// Status and parsed body of an answer.
pub(super) type Reply = (u16, Value);

/// A client with a token.
pub(super) struct Probe {
    base: String,
    http: reqwest::Client,
    pub(super) token: String,
}

impl Probe {
    pub(super) async fn new(feishu: &Feishu) -> Self {
        let mut probe = Self {
            base: feishu.base_url(),
            http: kit::http::client(),
            token: String::new(),
        };
        probe.token = probe.fetch_token().await;
        probe
    }

    pub(super) async fn fetch_token(&self) -> String {
        let body = json!({"app_id": APP_ID, "app_secret": APP_SECRET});
        let path = "/open-apis/auth/v3/tenant_access_token/internal";
        let (status, answer) = self.call("POST", path, &body).await.unwrap();
        assert_eq!((status, &answer["code"]), (200, &json!(0)), "{answer}");
        answer["tenant_access_token"].as_str().unwrap().to_owned()
    }

    /// Any request; an error when no answer came.
    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> reqwest::Result<Reply> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.json(body);
        }
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// Sends a message to a person.
    pub(super) async fn send(&self, to: &str, msg_type: &str, content: &Value) -> Reply {
        self.send_as(to, msg_type, content, None).await.unwrap()
    }

    pub(super) async fn send_as(
        &self,
        to: &str,
        msg_type: &str,
        content: &Value,
        uuid: Option<&str>,
    ) -> reqwest::Result<Reply> {
        let mut body =
            json!({"receive_id": to, "msg_type": msg_type, "content": content.to_string()});
        if let Some(uuid) = uuid {
            body["uuid"] = json!(uuid);
        }
        self.call(
            "POST",
            "/open-apis/im/v1/messages?receive_id_type=open_id",
            &body,
        )
        .await
    }

    /// Uploads bytes as multipart.
    pub(super) async fn upload(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        part: &str,
        bytes: &[u8],
    ) -> Reply {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        let body = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("f");
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        let answer = request
            .multipart(form.part(part.to_owned(), body))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The endpoint call's answer.
    pub(super) async fn endpoint(&self) -> Value {
        let body = json!({"AppID": APP_ID, "AppSecret": APP_SECRET});
        self.call("POST", "/callback/ws/endpoint", &body)
            .await
            .unwrap()
            .1
    }

    pub(super) async fn connect(&self) -> Socket {
        let url = self.endpoint().await["data"]["URL"]
            .as_str()
            .unwrap()
            .to_owned();
        Socket::open(&url).await.unwrap()
    }
}

/// A websocket that speaks in frames.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(super) service: i32,
}

impl Socket {
    pub(super) async fn open(url: &str) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let (stream, _) = tokio_tungstenite::connect_async(url).await?;
        let service = url
            .split("service_id=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap();
        Ok(Self {
            stream,
            service: service.parse().unwrap(),
        })
    }

    pub(super) async fn raw(&mut self, bytes: Vec<u8>) {
        self.stream
            .send(Message::Binary(bytes.into()))
            .await
            .unwrap();
    }

    pub(super) fn ping(&self) -> Frame {
        let headers = vec![Header::new("type", "ping")];
        Frame {
            service: self.service,
            method: CONTROL,
            headers,
            ..Frame::default()
        }
    }

    /// The next frame; nothing when the connection has ended.
    pub(super) async fn frame(&mut self) -> Option<Frame> {
        let next = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Binary(bytes))) => {
                        return Some(Frame::read_strict(&bytes).unwrap());
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                }
            }
        };
        tokio::time::timeout(SOON, next)
            .await
            .expect("a frame or the end in time")
    }

    /// The next event, whole.
    pub(super) async fn event(&mut self) -> (Frame, Value) {
        let frame = self.frame().await.expect("an event, not the end");
        assert_eq!(frame.method, DATA);
        let event = serde_json::from_slice(frame.payload.as_deref().unwrap()).unwrap();
        (frame, event)
    }

    pub(super) async fn ack(&mut self, frame: &Frame, payload: &Value) {
        self.raw(ack_of(frame, payload).to_bytes()).await;
    }
}

/// The right ack of a frame.
pub(super) fn ack_of(frame: &Frame, payload: &Value) -> Frame {
    let mut ack = frame.clone();
    ack.headers.push(Header::new("biz_rt", "1"));
    ack.payload = Some(payload.to_string().into_bytes());
    ack
}

/// A card of schema 2.0 with these elements.
pub(super) fn card(elements: &Value) -> Value {
    json!({"schema": "2.0", "body": {"elements": elements}})
}

/// A button with a callback.
pub(super) fn button(label: &str, op: &str) -> Value {
    json!({"tag": "button", "text": {"tag": "plain_text", "content": label},
           "behaviors": [{"type": "callback", "value": {"op": op}}]})
}
