//! The broker's protocol by hand, as a client or as a leaf, so that nothing a well-behaved library would refuse to
//! send stays unsent.

use std::fmt::Write as _;
use std::time::Duration;

use nkeys::KeyPair;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// What one shows at the door.
#[derive(Debug, Clone)]
pub(super) enum Pass {
    Nothing,
    Password { user: String, password: String },
    Token { jwt: String, seed: String },
}

/// Which door it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Client,
    Leaf,
}

/// A message that came in.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) subject: String,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// One connection.
pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    door: Door,
    subscriptions: usize,
    pub(super) heard: Vec<Heard>,
    /// Subjects that the hub says others listen on; only a leaf is told any.
    pub(super) told: Vec<String>,
}

impl Wire {
    /// Connects and waits for the server's word on it.
    pub(super) async fn open(address: &str, door: Door, pass: &Pass) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.unwrap();
        // Or each small word would wait 40 ms for the receipt of the one before.
        stream.set_nodelay(true).unwrap();
        let mut wire = Self {
            stream: BufReader::new(stream),
            door,
            subscriptions: 0,
            heard: Vec::new(),
            told: Vec::new(),
        };
        let info = wire.line().await?;
        let info: Value =
            serde_json::from_str(info.strip_prefix("INFO ").ok_or(info.clone())?).unwrap();
        let mut hello = json!({"verbose": false, "pedantic": false, "headers": true, "no_responders": true,
            "protocol": 1, "version": "2.15.1", "name": "site-x"});
        match door {
            Door::Client => hello["lang"] = "hand".into(),
            Door::Leaf => hello["server_id"] = "NAHAND".into(),
        }
        match pass {
            Pass::Nothing => {}
            Pass::Password { user, password } => {
                hello["user"] = user.as_str().into();
                hello["pass"] = password.as_str().into();
            }
            Pass::Token { jwt, seed } => {
                let nonce = info["nonce"].as_str().unwrap_or_default();
                let signature = KeyPair::from_seed(seed)
                    .unwrap()
                    .sign(nonce.as_bytes())
                    .unwrap();
                hello["jwt"] = jwt.as_str().into();
                hello["sig"] = data_encoding::BASE64URL_NOPAD.encode(&signature).into();
            }
        }
        wire.raw(format!("CONNECT {hello}\r\n").as_bytes()).await;
        wire.sync().await?;
        Ok(wire)
    }

    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        // A server that has hung up meanwhile is noticed at the next `sync`.
        let _ = self.stream.get_mut().write_all(bytes).await;
    }

    /// Listens; with a queue, in the others' place.
    pub(super) async fn hear(&mut self, subject: &str, queue: &str) {
        self.subscriptions += 1;
        let line = match (self.door, queue) {
            (Door::Client, _) => format!("SUB {subject} {queue} {}\r\n", self.subscriptions),
            (Door::Leaf, "") => format!("LS+ {subject}\r\n"),
            (Door::Leaf, _) => format!("LS+ {subject} {queue} 1\r\n"),
        };
        self.raw(line.as_bytes()).await;
    }

    /// Publishes; no reply is an empty one.
    pub(super) async fn say(
        &mut self,
        subject: &str,
        reply: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) {
        let mut head = String::new();
        if !headers.is_empty() {
            head.push_str("NATS/1.0\r\n");
            for (name, value) in headers {
                let _ = write!(head, "{name}: {value}\r\n");
            }
            head.push_str("\r\n");
        }
        let (plain, with_head) = match self.door {
            Door::Client => ("PUB", "HPUB"),
            Door::Leaf => ("LMSG", "HMSG"),
        };
        let mut line = if head.is_empty() {
            format!("{plain} {subject} {reply} {}\r\n", body.len())
        } else {
            let all = head.len() + body.len();
            format!(
                "{with_head} {subject} {reply} {} {all}\r\n{head}",
                head.len()
            )
        }
        .into_bytes();
        line.extend_from_slice(body);
        line.extend_from_slice(b"\r\n");
        self.raw(&line).await;
    }

    /// Returns when the server has read all that was sent; an error when it hung up, with its last word.
    pub(super) async fn sync(&mut self) -> Result<(), String> {
        self.raw(b"PING\r\n").await;
        let mut last_word = String::from("hung up");
        loop {
            let Ok(line) = self.line().await else {
                return Err(last_word);
            };
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["PONG"] => return Ok(()),
                ["PING"] => self.raw(b"PONG\r\n").await,
                ["-ERR", ..] => last_word = line,
                ["LS+", subject, ..] => self.told.push((*subject).to_owned()),
                ["MSG" | "LMSG", subject, .., size] => {
                    let (subject, size) = ((*subject).to_owned(), size.parse().unwrap());
                    self.take(subject, 0, size).await?;
                }
                ["HMSG", subject, .., head, size] => {
                    let subject = (*subject).to_owned();
                    let (head, size) = (head.parse().unwrap(), size.parse().unwrap());
                    self.take(subject, head, size).await?;
                }
                _ => {}
            }
        }
    }

    async fn take(&mut self, subject: String, head: usize, size: usize) -> Result<(), String> {
        let mut bytes = vec![0; size + 2];
        let read = timeout(SOON, self.stream.read_exact(&mut bytes)).await;
        read.unwrap().map_err(|why| why.to_string())?;
        self.heard.push(Heard {
            subject,
            head: String::from_utf8_lossy(&bytes[..head]).into_owned(),
            body: bytes[head..size].to_vec(),
        });
        Ok(())
    }

    async fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        let read = timeout(SOON, self.stream.read_line(&mut line)).await;
        match read.map_err(|_| "no word from the server")? {
            Ok(0) => Err("hung up".into()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(why) => Err(why.to_string()),
        }
    }
}

impl Heard {
    /// An answer that gives nothing: an error of the API, or a status without a message.
    pub(super) fn is_refusal(&self) -> bool {
        let json: Option<Value> = serde_json::from_slice(&self.body).ok();
        self.body.is_empty() && self.head.starts_with("NATS/1.0 ")
            || json.is_some_and(|json| json.get("error").is_some())
    }
}
