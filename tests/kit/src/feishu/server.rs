//! Listening, and not listening, on one port.
//!
//! Exists so that an outage ends on the port it began on. Serving the connections is left to `rest`
//! and `socket`.

use std::future::IntoFuture as _;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::line::{Gate, Line};
use super::{Core, rest, socket};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Mutex<State>,
}

enum State {
    /// Not started yet, or already ended.
    Idle,
    Listening(JoinHandle<()>),
    /// Bound without listening: connections are refused, yet nobody else gets the port.
    Reserved {
        _hold: TcpSocket,
    },
}

fn socket_at(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a TCP socket");
    socket.set_reuseaddr(true).expect("SO_REUSEADDR");
    socket
        .bind(address)
        .unwrap_or_else(|e| panic!("cannot bind {address}: {e}"));
    socket
}

impl Server {
    #[expect(clippy::unused_async, reason = "needs the runtime of its caller")]
    pub(crate) async fn bind(port: u16) -> (Self, TcpListener) {
        let socket = socket_at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let listener = socket.listen(1024).expect("listening");
        let address = listener.local_addr().expect("the listener's address");
        (
            Self {
                address,
                state: Mutex::new(State::Idle),
            },
            listener,
        )
    }

    pub(crate) fn listen(&self, core: &Core, listener: TcpListener) {
        let mut state = self.state.try_lock().expect("one caller at a time");
        *state = State::Listening(serve(core, listener));
    }

    pub(crate) async fn pause(&self, core: &Core) {
        let mut state = self.state.lock().await;
        if let State::Listening(task) = std::mem::replace(&mut *state, State::Idle) {
            task.abort();
            // Awaited, so that the listener is closed when the port is bound again.
            let _ = task.await;
            core.lines.cut();
            *state = State::Reserved {
                _hold: socket_at(self.address),
            };
        }
    }

    pub(crate) async fn resume(&self, core: &Core) {
        let mut state = self.state.lock().await;
        if matches!(*state, State::Reserved { .. }) {
            let listener = socket_at(self.address)
                .listen(1024)
                .expect("listening again");
            *state = State::Listening(serve(core, listener));
        }
    }
}

fn serve(core: &Core, listener: TcpListener) -> JoinHandle<()> {
    let app = Router::new()
        .route("/ws/v2", any(socket::upgrade))
        .fallback(rest::handle)
        .layer(DefaultBodyLimit::disable())
        .with_state(core.clone())
        .into_make_service_with_connect_info::<Line>();
    let (gate, stop) = (
        Gate {
            listener,
            lines: core.lines.clone(),
        },
        core.stop.clone(),
    );
    core.tasks.spawn(async move {
        let serving = axum::serve(gate, app);
        stop.run_until_cancelled_owned(serving.into_future()).await;
    })
}
