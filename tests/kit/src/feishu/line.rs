//! A TCP connection that can be cut or made deaf from outside.
//!
//! Exists because losing an answer, a half-open socket and an outage are properties of the line,
//! which no HTTP library lets a handler produce. What to cut, and when, is decided elsewhere.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

// 0, where every line starts, is open.
const CUT: u8 = 1;
const DEAF: u8 = 2;

#[derive(Default)]
struct Shared {
    mode: AtomicU8,
    read: AtomicWaker,
    write: AtomicWaker,
}

/// The outside grip on one accepted connection.
#[derive(Clone, Default)]
pub(crate) struct Line(Arc<Shared>);

impl Line {
    fn set(&self, mode: u8) {
        self.0.mode.store(mode, Ordering::SeqCst);
        self.0.read.wake();
        self.0.write.wake();
    }

    /// Ends the connection; nothing written from now on reaches the peer.
    pub(crate) fn cut(&self) {
        self.set(CUT);
    }

    /// Swallows everything in both directions, yet leaves the connection open.
    pub(crate) fn deafen(&self) {
        self.set(DEAF);
    }
}

/// The accepted connection with its grip.
pub(crate) struct Grip {
    stream: TcpStream,
    line: Line,
}

impl AsyncRead for Grip {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.0.read.register(cx.waker());
        match self.line.0.mode.load(Ordering::SeqCst) {
            CUT => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            DEAF => {
                // What comes is thrown away; only the peer's own end is let through.
                let mut scratch = [0_u8; 4096];
                loop {
                    let mut waste = ReadBuf::new(&mut scratch);
                    match Pin::new(&mut self.stream).poll_read(cx, &mut waste) {
                        Poll::Ready(Ok(())) if waste.filled().is_empty() => {
                            return Poll::Ready(Ok(()));
                        }
                        Poll::Ready(Ok(())) => {}
                        other => return other,
                    }
                }
            }
            _ => Pin::new(&mut self.stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Grip {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.line.0.write.register(cx.waker());
        match self.line.0.mode.load(Ordering::SeqCst) {
            CUT => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            DEAF => Poll::Ready(Ok(buf.len())),
            _ => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// All open lines of one server, to end them at once.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Weak<Shared>>>>);

impl Lines {
    fn add(&self, line: &Line) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|shared| shared.strong_count() > 0);
        all.push(Arc::downgrade(&line.0));
    }

    /// Cuts every line there is.
    pub(crate) fn cut(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for shared in all.iter().filter_map(Weak::upgrade) {
            Line(shared).cut();
        }
    }
}

/// A listener that gives each connection its grip.
pub(crate) struct Gate {
    pub(crate) listener: TcpListener,
    pub(crate) lines: Lines,
}

impl Listener for Gate {
    type Io = Grip;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Grip, SocketAddr) {
        loop {
            // A failed accept (the peer has gone again) is no reason to stop serving.
            let Ok((stream, peer)) = self.listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let line = Line::default();
            self.lines.add(&line);
            return (Grip { stream, line }, peer);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Gate>> for Line {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        stream.io().line.clone()
    }
}
