//! A TCP proxy that stands for a bad line: cut, frozen half-open, slammed, or slow. It knows nothing of what
//! it carries, so it goes in front of the broker, a platform or a model alike.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How much of a stream is under way in one direction.
const BUFFER: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Whole,
    Frozen,
    Slammed,
    Cut,
}

#[derive(Debug, Clone, Copy)]
struct Weather {
    line: Line,
    delay: Duration,
    /// Counts the cuts, so that one followed at once by `heal` still ends every connection.
    cuts: u64,
    /// Connections that were made before this many were forgotten carry nothing any more.
    forgotten: u64,
}

/// The running proxy; dropping it closes everything.
pub struct Proxy {
    addr: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    cut: watch::Receiver<bool>,
    taken: Arc<Mutex<Vec<Instant>>>,
    _stop: DropGuard,
}

impl Proxy {
    /// Starts in front of `target`, on a free port of the loopback.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("bind the proxy");
        let addr = listener.local_addr().expect("own address");
        let whole = Weather {
            line: Line::Whole,
            delay: Duration::ZERO,
            cuts: 0,
            forgotten: 0,
        };
        let weather = Arc::new(watch::Sender::new(whole));
        let stop = CancellationToken::new();
        let (closed, cut) = watch::channel(false);
        let taken = Arc::<Mutex<Vec<Instant>>>::default();
        let noted = Arc::clone(&taken);
        let note = move || {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.push(Instant::now());
        };
        let watched = weather.subscribe();
        tokio::spawn(accept(
            listener,
            target,
            watched,
            closed,
            note,
            stop.clone(),
        ));
        Self {
            addr,
            weather,
            cut,
            taken,
            _stop: stop.drop_guard(),
        }
    }

    /// Where to connect; stays the same through cuts.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends all connections and refuses new ones; returns when new ones are refused.
    pub async fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.line = Line::Cut;
            weather.cuts += 1;
        });
        self.settled(true).await;
    }

    /// Keeps connections and takes new ones, but passes nothing: the half-open state of a line
    /// that a router on the way has forgotten. Bytes wait and are passed after [`Self::heal`].
    pub async fn freeze(&self) {
        self.set(Line::Frozen).await;
    }

    /// The same for the present connections and for ever, as after a router on the way was started
    /// again: what they carry vanishes, and nobody is told. New ones work.
    pub async fn forget(&self) {
        self.weather.send_modify(|weather| weather.forgotten += 1);
        self.set(Line::Whole).await;
    }

    /// Ends all connections, and each new one as soon as it is made.
    pub async fn slam(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
        self.set(Line::Slammed).await;
    }

    /// When connections were made so far, in order; refused ones are not seen.
    pub fn taken(&self) -> Vec<Instant> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.clone()
    }

    /// Passes everything again; returns when new connections are taken.
    pub async fn heal(&self) {
        self.set(Line::Whole).await;
    }

    /// Makes every piece of data wait this long on its way; zero ends it.
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }

    async fn set(&self, line: Line) {
        self.weather.send_modify(|weather| weather.line = line);
        self.settled(false).await;
    }

    async fn settled(&self, closed: bool) {
        let mut cut = self.cut.clone();
        cut.wait_for(|now| *now == closed)
            .await
            .expect("the proxy runs");
    }
}

/// Owns the listening socket: refusing means not to have one.
async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    closed: watch::Sender<bool>,
    note: impl Fn(),
    stop: CancellationToken,
) {
    let addr = listener.local_addr().expect("own address");
    let mut listener = Some(listener);
    loop {
        let line = weather.borrow_and_update().line;
        if line == Line::Cut {
            listener = None;
        } else if listener.is_none() {
            listener = Some(rebind(addr).await);
        }
        closed.send_replace(line == Line::Cut);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = weather.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            accepted = next(listener.as_ref()) => {
                if let Ok((near, _)) = accepted {
                    note();
                    if line == Line::Slammed {
                        continue;
                    }
                    tokio::spawn(carry(near, target, weather.clone(), stop.clone()));
                }
            }
        }
    }
}

async fn next(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The same port again. Nothing but a passing connection can have it, so this ends.
async fn rebind(addr: SocketAddr) -> TcpListener {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let socket = TcpSocket::new_v4().expect("socket");
        socket.set_reuseaddr(true).expect("reuse the address");
        match socket.bind(addr).and_then(|()| socket.listen(128)) {
            Ok(listener) => return listener,
            Err(wrong) => assert!(Instant::now() < deadline, "bind {addr} again: {wrong}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Carries one connection until either side ends it or the line is cut.
async fn carry(
    near: TcpStream,
    target: SocketAddr,
    weather: watch::Receiver<Weather>,
    stop: CancellationToken,
) {
    let Weather {
        cuts, forgotten, ..
    } = *weather.borrow();
    let mut watch = weather.clone();
    let both = async {
        // Behind a frozen line nobody answers, not even for the connection.
        thawed(&mut weather.clone(), forgotten).await;
        let Ok(far) = TcpStream::connect(target).await else {
            return;
        };
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let (near_in, near_out) = near.into_split();
        let (far_in, far_out) = far.into_split();
        tokio::join!(
            pass(near_in, far_out, weather.clone(), forgotten),
            pass(far_in, near_out, weather.clone(), forgotten),
        );
    };
    tokio::select! {
        () = both => {}
        _ = watch.wait_for(|now| now.cuts != cuts || now.line == Line::Cut) => {}
        () = stop.cancelled() => {}
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut weather: watch::Receiver<Weather>,
    born: u64,
) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let delay = weather.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        thawed(&mut weather, born).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    // The end of the stream does not get through a frozen line either.
    thawed(&mut weather, born).await;
    let _ = to.shutdown().await;
}

/// Waits until the line carries what a connection brings that was made after so many were forgotten.
async fn thawed(weather: &mut watch::Receiver<Weather>, born: u64) {
    // An error means the proxy is gone, and `carry` with it.
    let _ = weather
        .wait_for(|weather| weather.line != Line::Frozen && weather.forgotten == born)
        .await;
}
