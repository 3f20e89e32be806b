//! Events on their way to the bot: cut into frames, sent, acked or repeated.
//!
//! Exists because at-least-once delivery with acks is the heart of the long connection. Making the
//! events is left to `user` and `tap`.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::seq::IndexedRandom as _;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Core;
use super::fault::{Class, Fault};
use super::record::Ack;
use super::socket;
use super::wire::{DATA, Frame, Header};
use super::world::{Pending, Verdict, World, id};

/// In which order the parts of an event go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// First to last.
    #[default]
    InOrder,
    /// Last to first.
    Reversed,
    /// Each part twice.
    Repeated,
    /// The last part is lost; only a repeated delivery brings it.
    PartLost,
}

/// How one event is put on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// Number of frames; 0 and 1 are the same.
    pub(crate) parts: usize,
    pub(crate) order: Order,
}

/// An event to deliver.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) envelope: Value,
    /// The chat message it is about.
    pub(crate) message_id: Option<String>,
    pub(crate) plan: Plan,
}

type Waiting = Option<oneshot::Receiver<Verdict>>;

/// Delivers an event until it is acked or the repeats are used up. The first try is on its way
/// when this returns, so that events keep the order of the calls.
pub(crate) fn deliver(core: &Core, event: Outgoing) {
    let first = attempt(core, &event);
    let core = core.clone();
    let stop = core.stop.clone();
    core.tasks
        .clone()
        .spawn(stop.run_until_cancelled_owned(async move {
            let mut waiting = first;
            let mut repeats = core.look(|w| w.settings.redelivery.clone()).into_iter();
            while !handled(&core, waiting).await {
                let Some(pause) = repeats.next() else { break };
                tokio::time::sleep(pause).await;
                let mut again = event.clone();
                if again.plan.order == Order::PartLost {
                    again.plan.order = Order::InOrder;
                }
                waiting = attempt(&core, &again);
            }
        }));
}

async fn handled(core: &Core, waiting: Waiting) -> bool {
    let Some(waiting) = waiting else { return false };
    let deadline = core.look(|w| w.settings.ack_deadline);
    matches!(
        tokio::time::timeout(deadline, waiting).await,
        Ok(Ok(Verdict { code: 200, .. }))
    )
}

/// Sends an event once. Nothing, when nobody is connected or an ordered fault swallowed it.
pub(crate) fn attempt(core: &Core, event: &Outgoing) -> Waiting {
    let (delivery_id, frames, waiting, pause) = core.step(|world| prepare(world, event))?;
    if let Some(pause) = pause {
        let (core, stop) = (core.clone(), core.stop.clone());
        core.tasks
            .clone()
            .spawn(stop.run_until_cancelled_owned(async move {
                tokio::time::sleep(pause).await;
                core.step(|world| send(world, &delivery_id, frames));
            }));
    } else {
        core.step(|world| send(world, &delivery_id, frames));
    }
    Some(waiting)
}

type Prepared = (
    String,
    Vec<Frame>,
    oneshot::Receiver<Verdict>,
    Option<Duration>,
);

fn prepare(world: &mut World, event: &Outgoing) -> Option<Prepared> {
    let index = choose(world)?;
    let mut pause = None;
    let mut deaf = false;
    match world.faults.take(Class::Delivery) {
        None => {}
        Some(Fault::DropBeforeWork) => return None,
        Some(Fault::DropAfterWork) => deaf = true,
        Some(Fault::Delay(time)) => pause = Some(time),
        Some(Fault::Disconnect) => {
            disconnect(world, index);
            return None;
        }
        Some(Fault::HalfOpen) => {
            half_open(world, index);
            return None;
        }
        Some(
            fault @ (Fault::Status(_)
            | Fault::Code { .. }
            | Fault::RateLimited { .. }
            | Fault::Hang
            | Fault::Late(_)
            | Fault::ExpireToken),
        ) => panic!("{fault:?} cannot strike a delivery on the websocket"),
    }
    let (done, waiting) = oneshot::channel();
    let delivery_id = id("dlv");
    let frames = cut(world, index, &delivery_id, event);
    let text = |pointer: &str| {
        event
            .envelope
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let pending = Pending {
        frames: frames.clone(),
        event_id: text("/header/event_id"),
        event_type: text("/header/event_type"),
        message_id: event.message_id.clone(),
        connection: index,
        sent_at: Instant::now(),
        deaf,
        done: Some(done),
    };
    world.pending.insert(delivery_id.clone(), pending);
    let wire: Vec<Frame> = match event.plan.order {
        Order::InOrder => frames,
        Order::Reversed => frames.into_iter().rev().collect(),
        Order::Repeated => frames.into_iter().flat_map(|f| [f.clone(), f]).collect(),
        Order::PartLost => frames
            .split_last()
            .map(|(_, most)| most.to_vec())
            .unwrap_or_default(),
    };
    Some((delivery_id, wire, waiting, pause))
}

/// A random open connection; a silent one only when there is no other.
fn choose(world: &World) -> Option<usize> {
    let (silent, healthy): (Vec<usize>, Vec<usize>) = world
        .sockets
        .keys()
        .copied()
        .partition(|i| world.connections[*i].half_open);
    let pool = if healthy.is_empty() { silent } else { healthy };
    pool.choose(&mut rand::rng()).copied()
}

fn cut(world: &mut World, index: usize, delivery_id: &str, event: &Outgoing) -> Vec<Frame> {
    let payload = event.envelope.to_string().into_bytes();
    let parts = event.plan.parts.clamp(1, payload.len());
    let service = world.connections[index].service_id;
    let (trace, time) = (id("trace"), world.now_ms());
    let sum = parts.to_string();
    let bound = |i: usize| payload.len() * i / parts;
    (0..parts)
        .map(|seq| Frame {
            seq_id: world.next(),
            // The Node SDK rounds what has more than 53 bits, and still works with the real one.
            log_id: rand::random::<u64>() >> 11,
            service,
            method: DATA,
            headers: vec![
                Header::new("type", "event"),
                Header::new("message_id", delivery_id),
                Header::new("sum", sum.clone()),
                Header::new("seq", seq.to_string()),
                Header::new("trace_id", trace.clone()),
                Header::new("timestamp", time.to_string()),
                Header::new("instance_id", "kit-1"),
            ],
            // Cut at byte positions, if need be within a character.
            payload: Some(payload[bound(seq)..bound(seq + 1)].to_vec()),
            ..Frame::default()
        })
        .collect()
}

fn send(world: &mut World, delivery_id: &str, frames: Vec<Frame>) {
    let Some(pending) = world.pending.get_mut(delivery_id) else {
        return;
    };
    pending.sent_at = Instant::now();
    let Some(socket) = world.sockets.get(&pending.connection) else {
        return;
    };
    for frame in frames {
        // A full queue loses the frame; the delivery is then repeated.
        let _ = socket.frames.try_send(frame.to_bytes());
    }
}

/// Cuts one connection.
pub(crate) fn disconnect(world: &mut World, index: usize) {
    if let Some(socket) = world.sockets.get(&index) {
        socket.line.cut();
    }
    socket::closed(world, index);
}

/// Lets one connection fall silent.
pub(crate) fn half_open(world: &mut World, index: usize) {
    if let Some(socket) = world.sockets.get(&index) {
        socket.line.deafen();
    }
    if let Some(connection) = world.connections.get_mut(index) {
        connection.half_open = true;
    }
}

/// Judges an ack and notes it.
pub(crate) fn acked(world: &mut World, index: usize, frame: &Frame) {
    let delivery_id = frame.header("message_id").unwrap_or_default().to_owned();
    let deadline = world.settings.ack_deadline;
    let Some(pending) = world.pending.get_mut(&delivery_id) else {
        world.violations.push(format!(
            "an ack for {delivery_id:?}, which was never delivered"
        ));
        return;
    };
    let latency = pending.sent_at.elapsed();
    let payload: Value =
        serde_json::from_slice(frame.payload.as_deref().unwrap_or_default()).unwrap_or_default();
    let (code, data) = (payload["code"].as_i64(), decode(&payload["data"]));
    let mut problem = mismatch(pending, index, frame, code).err();
    if code.is_none() {
        problem.get_or_insert_with(|| "the payload has no code".to_owned());
    }
    let data = data.unwrap_or_else(|why| {
        problem.get_or_insert(why);
        None
    });
    if latency > deadline {
        problem.get_or_insert_with(|| format!("too late: {latency:?}"));
    }
    if pending.done.is_none() {
        problem.get_or_insert_with(|| "acked before".to_owned());
    }
    let code = code.unwrap_or_default();
    let accepted = code == 200 && problem.is_none() && !pending.deaf;
    if problem.is_none() && !pending.deaf {
        let done = pending.done.take();
        if let Some(done) = done {
            let _ = done.send(Verdict {
                code,
                data: data.clone(),
            });
        }
    }
    let biz_rt = frame.header("biz_rt").and_then(|t| t.parse().ok());
    let ack = Ack {
        at: Instant::now(),
        delivery_id,
        event_id: pending.event_id.clone(),
        event_type: pending.event_type.clone(),
        message_id: pending.message_id.clone(),
        connection: index,
        latency,
        code,
        biz_rt,
        data,
        accepted,
        problem,
    };
    world.acks.push(ack);
}

/// The answer's `data`: base64 of JSON, or nothing.
fn decode(data: &Value) -> Result<Option<Value>, String> {
    let Some(text) = data.as_str().filter(|t| !t.is_empty()) else {
        return if data.is_null() || data.is_string() {
            Ok(None)
        } else {
            Err("data is not a text".to_owned())
        };
    };
    let bytes = STANDARD
        .decode(text)
        .map_err(|e| format!("data is not base64: {e}"))?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|e| format!("data is not JSON: {e}"))
}

/// Whether an ack repeats one of the frames sent, with nothing but `biz_rt` added.
fn mismatch(pending: &Pending, index: usize, ack: &Frame, code: Option<i64>) -> Result<(), String> {
    if pending.connection != index {
        return Err("acked over another connection".to_owned());
    }
    let seq = ack.header("seq");
    let frame = pending.frames.iter().find(|f| f.header("seq") == seq);
    let frame = frame.ok_or_else(|| format!("no frame has seq {seq:?}"))?;
    if ack.seq_id != frame.seq_id || ack.log_id != frame.log_id {
        return Err(format!(
            "SeqID {} and LogID {} instead of {} and {}",
            ack.seq_id, ack.log_id, frame.seq_id, frame.log_id
        ));
    }
    let Some(added) = ack.headers.strip_prefix(frame.headers.as_slice()) else {
        return Err(format!(
            "headers {:?} do not start with {:?}",
            ack.headers, frame.headers
        ));
    };
    match added {
        // A failed handler's ack goes without the time, in the SDK for Python.
        [] if code != Some(200) => Ok(()),
        [only] if only.key == "biz_rt" && only.value.parse::<i64>().is_ok() => Ok(()),
        _ => Err(format!(
            "headers added to the frame's are {added:?}, not one biz_rt in ms"
        )),
    }
}
