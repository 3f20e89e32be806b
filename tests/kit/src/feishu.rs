//! A stand-in for the Feishu platform on 127.0.0.1 that speaks its real wire protocol.
//!
//! Exists because nothing may leave the machine in a test, and because the real platform cannot be
//! told to lose an answer. It is strict where the real one is, and is itself checked against the
//! official SDKs. What a bot ought to do is left to the tests.
//!
//! Start with [`Feishu::start`], speak as a person through [`Feishu::user`], watch with
//! [`Feishu::wait_message`] and [`Feishu::messages`], make trouble with [`Feishu::fault`].

mod answer;
mod card;
mod cardkit;
mod component;
mod content;
mod delivery;
mod element;
mod fault;
mod group;
mod line;
mod media;
mod messages;
mod reaction;
mod read;
mod record;
mod rest;
mod route;
mod schema;
mod server;
mod settings;
mod socket;
mod tap;
mod token;
mod user;
mod watch;
pub mod wire;
mod world;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch as channel;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::delivery::Order;
pub use self::fault::{Class, Fault};
pub use self::group::Group;
use self::line::Lines;
pub use self::record::{
    Ack, Attempt, BotMessage, Button, Call, CallbackAnswer, Connection, Edit, Entry, How, Reaction,
    Toast,
};
pub use self::settings::{Limits, Repeated, Settings};
pub use self::tap::Tap;
pub use self::user::{SayOptions, User};
use self::world::World;

/// The only app the platform knows; of the form the Node SDK insists on.
pub const APP_ID: &str = "cli_a1b2c3d4e5f60718";
/// Its secret.
pub const APP_SECRET: &str = "kit-secret-0123456789abcdef";

/// The running platform; clones are cheap and mean the same one. It ends with its last clone.
#[derive(Clone)]
pub struct Feishu {
    core: Core,
    _end: Arc<End>,
}

/// What the server's own tasks hold: the platform without the right to keep it alive.
#[derive(Clone)]
pub(crate) struct Core(Arc<Inner>);

pub(crate) struct Inner {
    world: Mutex<World>,
    changed: channel::Sender<u64>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) lines: Lines,
    server: server::Server,
}

struct End(Core);

impl Drop for End {
    fn drop(&mut self) {
        self.0.stop.cancel();
        self.0.lines.cut();
    }
}

impl std::ops::Deref for Core {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Core {
    /// One indivisible step on the platform's state, which wakes all who wait for something.
    pub(crate) fn step<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let result = act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed
            .send_modify(|version| *version = version.wrapping_add(1));
        result
    }

    /// Reads the platform's state.
    pub(crate) fn look<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        read(&self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Feishu {
    /// Starts the platform on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// Starts the platform with other numbers.
    pub async fn start_with(settings: Settings) -> Self {
        Self::start_at(0, settings).await
    }

    /// Starts the platform on this port of 127.0.0.1; 0 picks a free one.
    ///
    /// # Panics
    /// If the port is taken.
    pub async fn start_at(port: u16, settings: Settings) -> Self {
        let (server, listener) = server::Server::bind(port).await;
        let world = World::new(settings, server.address.to_string());
        let core = Core(Arc::new(Inner {
            world: Mutex::new(world),
            changed: channel::Sender::new(0),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            lines: Lines::default(),
            server,
        }));
        core.server.listen(&core, listener);
        Self {
            _end: Arc::new(End(core.clone())),
            core,
        }
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.core.server.address)
    }

    /// The app's id.
    pub fn app_id(&self) -> &'static str {
        APP_ID
    }

    /// The app's secret.
    pub fn app_secret(&self) -> &'static str {
        APP_SECRET
    }

    /// The bot's own open_id.
    pub fn bot_open_id(&self) -> String {
        self.core.look(|w| w.bot_open_id.clone())
    }

    /// Changes the platform's numbers while it runs.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.core.step(|w| change(&mut w.settings));
    }

    /// Orders one fault: it strikes the next request of this class that has none before it.
    pub fn fault(&self, class: Class, fault: Fault) {
        self.core.step(|w| w.faults.push(class, fault));
    }

    /// Orders the same fault for the next `times` requests of this class.
    pub fn fault_times(&self, class: Class, times: usize, fault: &Fault) {
        self.core
            .step(|w| (0..times).for_each(|_| w.faults.push(class, fault.clone())));
    }

    /// How many ordered faults have not struck yet.
    pub fn faults_left(&self, class: Class) -> usize {
        self.core.look(|w| w.faults.left(class))
    }

    /// Takes all orders for faults back.
    pub fn clear_faults(&self) {
        self.core.step(|w| w.faults.clear());
    }

    /// Makes every token given out so far invalid.
    pub fn expire_tokens(&self) {
        self.core.step(|w| w.tokens.clear());
    }

    /// Puts the platform's clock forward: tokens, uuids, streaming modes and cards age by it. The
    /// pauses between redeliveries do not shrink.
    pub fn skip(&self, time: Duration) {
        self.core.step(|w| w.skipped += time);
    }

    /// Cuts all websocket connections without a word.
    pub fn disconnect_all(&self) {
        self.core.step(|w| {
            let all: Vec<usize> = w.sockets.keys().copied().collect();
            for index in all {
                delivery::disconnect(w, index);
            }
        });
    }

    /// Ends all websocket connections with a close frame.
    pub fn close_all(&self, code: u16, reason: &str) {
        self.core.step(|w| {
            for socket in w.sockets.values() {
                // A close that is already under way is enough.
                let _ = socket.close.try_send((code, reason.to_owned()));
            }
        });
    }

    /// Lets all present websocket connections fall silent: open, but neither reading nor writing.
    pub fn half_open_all(&self) {
        self.core.step(|w| {
            let all: Vec<usize> = w.sockets.keys().copied().collect();
            for index in all {
                delivery::half_open(w, index);
            }
        });
    }

    /// An outage: every connection is cut and new ones are refused. The port stays reserved.
    pub async fn stop_listening(&self) {
        self.core.server.pause(&self.core).await;
    }

    /// Ends the outage on the same port, with all state kept.
    pub async fn resume(&self) {
        self.core.server.resume(&self.core).await;
    }
}
