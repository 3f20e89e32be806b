//! One fleet's life, from an empty hub to machines that are off, and what is measured on the way.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::subject;
use futures_util::StreamExt as _;
use kit::usage::{self, Usage};
use tokio::io::AsyncReadExt as _;

use crate::Size;
use crate::hub::{Counts, Site, consumers, until};
use crate::node::{Board, Node};
use crate::people::{self, Gateway, OF_A_NODE, node_id, served_by};

/// Connecting side by side.
const AT_ONCE: usize = 64;
/// Just after a start nodes beat every second; by then they do not any more.
const EAGER_ENDS: Duration = Duration::from_secs(12);
/// Asked for `/nodes`.
const LISTS: usize = 20;

/// Hub, router and ourselves at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sight {
    pub(crate) hub: Usage,
    pub(crate) router: Usage,
    pub(crate) nodes: Usage,
}

/// What happened between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stretch {
    pub(crate) seconds: f64,
    /// Processor seconds.
    pub(crate) hub: f64,
    pub(crate) router: f64,
    pub(crate) nodes: f64,
    /// Requests to the broker's stream API, and messages into the broker.
    pub(crate) requests: f64,
    pub(crate) messages: f64,
}

/// One rate.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    pub(crate) a_second: u32,
    pub(crate) count: u32,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) stretch: Stretch,
}

/// What one fleet came to. Times in seconds unless they say otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) nodes: usize,
    /// With all records and nobody enrolled.
    pub(crate) empty: Sight,
    /// With all connected.
    pub(crate) full: Sight,
    /// Until all that were enrolled at once had their consumers, and the router's processor time.
    pub(crate) enrolled: f64,
    pub(crate) enrolled_cpu: f64,
    /// The same for one more, in ms.
    pub(crate) one_more_ms: f64,
    /// Until all were connected and the router counted them.
    pub(crate) joined: f64,
    pub(crate) idle: Stretch,
    pub(crate) rates: Vec<Rate>,
    pub(crate) list_ms: f64,
    pub(crate) back: Back,
    /// After the router was killed: the first message, and its processor time until it had settled.
    pub(crate) router_routes: f64,
    pub(crate) router_cpu: f64,
    pub(crate) router_requests: f64,
    /// A tenth of the nodes is off and a message waits for each.
    pub(crate) waiting: usize,
    pub(crate) waits: Stretch,
    /// After all of it.
    pub(crate) end: Sight,
}

/// After the hub was killed and started at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Back {
    /// It takes connections.
    pub(crate) listens: f64,
    /// All nodes are connected.
    pub(crate) connected: f64,
    /// All have been heard.
    pub(crate) heard: f64,
    /// Each has taken a message.
    pub(crate) worked: f64,
}

fn sight(site: &Site) -> Sight {
    Sight {
        hub: site.broker.usage(),
        router: site.router.usage(),
        nodes: usage::of(std::process::id()),
    }
}

/// Watches from here to [`Watch::end`].
struct Watch {
    begun: Instant,
    sight: Sight,
    counts: Counts,
}

impl Watch {
    async fn begin(site: &Site) -> Self {
        let counts = site.counts_of_broker().await;
        Self {
            begun: Instant::now(),
            sight: sight(site),
            counts,
        }
    }

    async fn end(self, site: &Site) -> Stretch {
        let now = sight(site);
        let seconds = self.begun.elapsed().as_secs_f64();
        let counts = site.counts_of_broker().await;
        let used = |now: Usage, before: Usage| now.cpu.saturating_sub(before.cpu).as_secs_f64();
        Stretch {
            seconds,
            hub: used(now.hub, self.sight.hub),
            router: used(now.router, self.sight.router),
            nodes: used(now.nodes, self.sight.nodes),
            requests: (counts.requests - self.counts.requests) as f64,
            messages: (counts.messages - self.counts.messages) as f64,
        }
    }
}

fn say(nodes: usize, what: &str) {
    eprintln!("  {nodes} nodes: {what}");
}

pub(crate) async fn play(nodes: usize, size: &Size) -> Row {
    let mut row = Row {
        nodes,
        ..Row::default()
    };
    say(nodes, "hub, router and records");
    let mut site = Site::start().await;
    let inside = site.connect("router").await;
    people::write_records(&inside, size.users).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    row.empty = sight(&site);

    say(nodes, "enrolling");
    let begun = Instant::now();
    let before = site.router.usage().cpu;
    let creds: Vec<_> = (0..nodes)
        .map(|node| site.enroll(&node_id(node), &served_by(node, nodes)))
        .collect();
    until("all have their consumers", || async {
        consumers(&inside).await >= nodes
    })
    .await;
    row.enrolled = begun.elapsed().as_secs_f64();
    // What follows from it goes on behind.
    quiet(&site).await;
    row.enrolled_cpu = since(&site, before).as_secs_f64();

    say(nodes, "connecting");
    let board = Arc::new(Board::default());
    let gateway = site.connect("gateway").await;
    let gateway = Arc::new(Gateway::start(gateway, Arc::clone(&board)).await);
    let begun = Instant::now();
    let url = site.url();
    let mut fleet: Vec<Node> = futures_util::stream::iter(creds)
        .map(|creds| Node::start(&url, creds, Arc::clone(&board)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    site.counts(nodes).await;
    row.joined = begun.elapsed().as_secs_f64();
    tokio::time::sleep(EAGER_ENDS).await;

    say(nodes, "doing nothing");
    let watch = Watch::begin(&site).await;
    tokio::time::sleep(Duration::from_secs(size.seconds.max(10))).await;
    row.idle = watch.end(&site).await;
    row.full = sight(&site);

    let speaking = size.users.min(nodes * OF_A_NODE);
    for &rate in &size.rates {
        say(nodes, &format!("{rate} messages a second"));
        row.rates
            .push(steady(&site, &gateway, &board, speaking, rate, size.seconds).await);
    }
    let mut lists = Vec::new();
    for user in 0..LISTS {
        lists.push(gateway.nodes(user).await);
    }
    row.list_ms = usage::percentile(&lists, 50);

    say(nodes, "one more is enrolled");
    let begun = Instant::now();
    site.enroll("one-more", &[people::user_id(0)]);
    until("it has its consumer", || async {
        consumers(&inside).await > nodes
    })
    .await;
    row.one_more_ms = begun.elapsed().as_secs_f64() * 1000.0;

    say(nodes, "the hub is killed");
    row.back = hub_killed(&mut site, &gateway, &board, &fleet).await;

    say(nodes, "the router is killed");
    quiet(&site).await;
    let before = site.counts_of_broker().await;
    site.kill_router();
    let begun = Instant::now();
    site.start_router();
    gateway.send(0).await;
    all_came(&board).await;
    row.router_routes = begun.elapsed().as_secs_f64();
    site.leads().await;
    quiet(&site).await;
    row.router_cpu = site.router.usage().cpu.as_secs_f64();
    row.router_requests = (site.counts_of_broker().await.requests - before.requests) as f64;

    say(nodes, "a tenth is off");
    row.waiting = nodes.div_ceil(10);
    let rest = fleet.split_off(row.waiting);
    let off: Vec<usize> = fleet.iter().map(number).collect();
    all_stop(fleet).await;
    for node in off {
        gateway.send(node * OF_A_NODE).await;
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let watch = Watch::begin(&site).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    row.waits = watch.end(&site).await;
    board.forget();

    row.end = sight(&site);
    all_stop(rest).await;
    let strange = board.strange.load(Ordering::Relaxed);
    let (previews, cards) = gateway.shown();
    say(
        nodes,
        &format!("{previews} previews, {cards} cards shown; {strange} came twice"),
    );
    row
}

fn number(node: &Node) -> usize {
    let id = node.id.as_str().trim_start_matches("node-");
    id.parse().expect("a number")
}

async fn all_stop(nodes: Vec<Node>) {
    futures_util::stream::iter(nodes)
        .for_each_concurrent(256, Node::stop)
        .await;
}

/// The router's processor time from then to now.
fn since(site: &Site, before: Duration) -> Duration {
    site.router.usage().cpu.saturating_sub(before)
}

/// Waits until the router uses no processor time to speak of: a twentieth of a core.
async fn quiet(site: &Site) {
    loop {
        let before = site.router.usage().cpu;
        tokio::time::sleep(Duration::from_secs(1)).await;
        if since(site, before) <= Duration::from_millis(50) {
            return;
        }
    }
}

async fn all_came(board: &Board) {
    until("all messages have arrived", || async {
        board.under_way() == 0
    })
    .await;
}

async fn steady(
    site: &Site,
    gateway: &Arc<Gateway>,
    board: &Board,
    speaking: usize,
    rate: u32,
    seconds: u64,
) -> Rate {
    board.take();
    let watch = Watch::begin(site).await;
    let count = gateway
        .steady(speaking, rate, Duration::from_secs(seconds))
        .await;
    all_came(board).await;
    let stretch = watch.end(site).await;
    let took = board.take();
    assert_eq!(took.len(), count as usize, "each arrives once");
    Rate {
        a_second: rate,
        count,
        p50: usage::percentile(&took, 50),
        p99: usage::percentile(&took, 99),
        stretch,
    }
}

async fn hub_killed(
    site: &mut Site,
    gateway: &Arc<Gateway>,
    board: &Arc<Board>,
    fleet: &[Node],
) -> Back {
    let ears = site.ears().await;
    let mut beats = ears.subscribe(subject::HEARTBEAT_ALL).await.expect("heard");
    ears.flush().await.expect("subscribed");
    site.kill_broker();
    while futures_util::FutureExt::now_or_never(beats.next()).is_some() {}
    let begun = Instant::now();
    site.start_broker();
    let address = site.url().trim_start_matches("nats://").to_owned();
    let listens = async {
        until("the hub listens", || async {
            // The first line is its own.
            let Ok(mut line) = tokio::net::TcpStream::connect(&address).await else {
                return false;
            };
            line.read_u8().await.is_ok()
        })
        .await;
        begun.elapsed().as_secs_f64()
    };
    let connected = async {
        // Nobody has noticed yet in the first moment.
        tokio::time::sleep(Duration::from_millis(300)).await;
        until("all are connected", || async {
            fleet.iter().all(Node::is_up)
        })
        .await;
        begun.elapsed().as_secs_f64()
    };
    let heard = async {
        let mut missing: HashSet<&str> = fleet.iter().map(|node| node.id.as_str()).collect();
        while !missing.is_empty() {
            let beat = beats.next().await.expect("the ears stay open");
            missing.remove(beat.subject.trim_start_matches("pw.hb."));
        }
        begun.elapsed().as_secs_f64()
    };
    let worked = async {
        futures_util::stream::iter(fleet)
            .for_each_concurrent(AT_ONCE, |node| gateway.send(number(node) * OF_A_NODE))
            .await;
        all_came(board).await;
        board.take();
        begun.elapsed().as_secs_f64()
    };
    let (listens, connected, heard, worked) = tokio::join!(listens, connected, heard, worked);
    Back {
        listens,
        connected,
        heard,
        worked,
    }
}
