//! A web server that answers what a test tells it to, byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// How a request is answered.
#[derive(Clone)]
pub(super) enum Reply {
    /// Headers (lines after the first) and a body.
    Page(String, Vec<u8>),
    /// A redirect.
    To(String),
    /// A status without a body.
    Status(u16),
    /// Headers, and bytes without an end: some first, then others again and again.
    Endless(String, Vec<u8>, Vec<u8>),
    /// Headers without an end.
    Headers,
    /// These bytes and no more.
    Raw(Vec<u8>),
    /// A byte each so often, for ever.
    Drip(Duration),
    /// Nothing at all.
    Silent,
}

pub(super) struct Site {
    pub(super) at: SocketAddr,
    sent: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Site {
    /// Answers by path.
    pub(super) async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (sent, asked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (count, asks, answer) = (Arc::clone(&sent), Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (count, asks, answer) =
                    (Arc::clone(&count), Arc::clone(&asks), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    let mut buffer = [0; 2048];
                    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        match stream.read(&mut buffer).await {
                            Ok(0) | Err(_) => return,
                            Ok(n) => head.extend_from_slice(&buffer[..n]),
                        }
                    }
                    asks.fetch_add(1, Ordering::Relaxed);
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
                    let _ = serve(&mut stream, answer(&path), &count).await;
                });
            }
        });
        Self { at, sent, asked }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Bytes of bodies that went out.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Requests that came.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn serve(
    stream: &mut tokio::net::TcpStream,
    reply: Reply,
    sent: &AtomicU64,
) -> std::io::Result<()> {
    match reply {
        Reply::Page(headers, body) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            sent.fetch_add(body.len() as u64, Ordering::Relaxed);
        }
        Reply::To(url) => {
            let head = format!(
                "HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
        }
        Reply::Status(status) => {
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        Reply::Endless(headers, first, piece) => {
            let head = format!("HTTP/1.1 200 OK\r\n{headers}Connection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&first).await?;
            let piece = piece.repeat(65_536 / piece.len() + 1);
            loop {
                stream.write_all(&piece).await?;
                sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
            }
        }
        Reply::Headers => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            for n in 0_u64.. {
                let line = format!("X-{n}: {}\r\n", "y".repeat(1_000));
                stream.write_all(line.as_bytes()).await?;
                sent.fetch_add(line.len() as u64, Ordering::Relaxed);
            }
        }
        Reply::Raw(bytes) => stream.write_all(&bytes).await?,
        Reply::Drip(pause) => {
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n",
                )
                .await?;
            loop {
                stream.write_all(b"x").await?;
                stream.flush().await?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Silent => tokio::time::sleep(Duration::from_secs(3_600)).await,
    }
    stream.shutdown().await
}
