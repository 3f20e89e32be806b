//! The websocket: opening it, and carrying frames over it.
//!
//! Exists to keep one task per connection that owns the socket; everybody else reaches it through a
//! bounded queue. What the frames say is left to `delivery`.

use std::time::Instant;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use tokio::sync::mpsc;

use super::Core;
use super::delivery;
use super::fault::{Class, Fault};
use super::line::Line;
use super::record::Connection;
use super::wire::{CONTROL, DATA, Frame, Header};
use super::world::{Socket, Ticket, World};

/// Frames waiting for one connection; beyond it a frame is lost, as on a clogged line.
const QUEUE: usize = 1024;

/// Axum's entry for `/ws/v2`.
pub(crate) async fn upgrade(
    State(core): State<Core>,
    ConnectInfo(line): ConnectInfo<Line>,
    uri: Uri,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // A wrong way of asking gets a plain page, not an upgrade.
    let Ok(ws) = ws else {
        return Response::default();
    };
    match core.step(|world| world.faults.take(Class::Handshake)) {
        None | Some(Fault::ExpireToken) => {}
        Some(Fault::Status(status)) => return bare(status),
        Some(Fault::Code { http, code }) => return refusal(http, code, "ordered by the test"),
        Some(Fault::RateLimited { .. }) => return bare(429),
        Some(Fault::Delay(pause)) => tokio::time::sleep(pause).await,
        Some(Fault::Hang | Fault::Late(_)) => std::future::pending().await,
        Some(Fault::HalfOpen) => {
            line.deafen();
            std::future::pending::<()>().await;
        }
        Some(Fault::DropBeforeWork | Fault::DropAfterWork | Fault::Disconnect) => {
            line.cut();
            return Response::default();
        }
    }
    let query = uri.query().unwrap_or_default();
    let param = |name: &str| {
        query
            .split('&')
            .find_map(|p| p.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let (full, ticket) = core.step(|world| {
        let full = world.sockets.len() >= world.settings.max_connections;
        (full, world.tickets.remove(param("ticket")))
    });
    if full {
        return refusal(
            514,
            1_000_040_350,
            "the number of connections exceeded the limit",
        );
    }
    let Some(ticket) = ticket else {
        core.step(|w| {
            w.violations
                .push("a websocket URL was used twice or made up".to_owned());
        });
        return refusal(514, 1_000_040_343, "the ticket is not valid");
    };
    if param("device_id") != ticket.device_id
        || param("service_id") != ticket.service_id.to_string()
    {
        core.step(|w| {
            w.violations
                .push("the websocket URL was changed".to_owned());
        });
        return refusal(403, 403, "the URL was changed");
    }
    // Known before the client is told so: what is said from then on reaches the connection.
    let (registered, index) = register(&core, line, ticket);
    let failed = core.clone();
    ws.on_failed_upgrade(move |_| failed.step(|world| closed(world, index)))
        .on_upgrade(move |socket| serve(core, socket, index, registered))
}

fn bare(status: u16) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}

/// A refused handshake with the headers that say why.
fn refusal(status: u16, code: i64, msg: &str) -> Response {
    let mut response = bare(status);
    let headers = response.headers_mut();
    let pairs = [
        ("handshake-status", status.to_string()),
        ("handshake-msg", msg.to_owned()),
        ("handshake-autherrcode", code.to_string()),
    ];
    for (name, value) in pairs {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The receiving ends of a connection's queues.
struct Registered {
    frames: mpsc::Receiver<Vec<u8>>,
    close: mpsc::Receiver<(u16, String)>,
    service_id: i32,
}

fn register(core: &Core, line: Line, ticket: Ticket) -> (Registered, usize) {
    let (frames, outgoing) = mpsc::channel(QUEUE);
    let (close, closing) = mpsc::channel(1);
    let service_id = ticket.service_id;
    let index = core.step(|world| {
        let index = world.connections.len();
        world.connections.push(Connection {
            index,
            device_id: ticket.device_id,
            service_id,
            opened_at: Instant::now(),
            closed_at: None,
            pings: Vec::new(),
            half_open: false,
        });
        world.sockets.insert(
            index,
            Socket {
                frames,
                close,
                line,
            },
        );
        index
    });
    (
        Registered {
            frames: outgoing,
            close: closing,
            service_id,
        },
        index,
    )
}

async fn serve(core: Core, mut socket: WebSocket, index: usize, mut registered: Registered) {
    let service_id = registered.service_id;
    loop {
        let alive = tokio::select! {
            frame = registered.frames.recv() => match frame {
                Some(bytes) => socket.send(Message::Binary(bytes.into())).await.is_ok(),
                None => false,
            },
            order = registered.close.recv() => {
                if let Some((code, reason)) = order {
                    let frame = CloseFrame { code, reason: reason.into() };
                    let _ = socket.send(Message::Close(Some(frame))).await;
                }
                false
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    match core.step(|world| receive(world, index, service_id, &bytes)) {
                        Ok(None) => true,
                        Ok(Some(reply)) => {
                            let reply = Message::Binary(reply.to_bytes().into());
                            socket.send(reply).await.is_ok()
                        }
                        Err(why) => {
                            core.step(|w| w.violations.push(why.clone()));
                            let frame = CloseFrame { code: 1002, reason: why.into() };
                            let _ = socket.send(Message::Close(Some(frame))).await;
                            false
                        }
                    }
                }
                Some(Ok(Message::Text(_))) => {
                    core.step(|w| w.violations.push("a text message on the websocket".to_owned()));
                    true
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => true,
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
            },
        };
        if !alive {
            break;
        }
    }
    core.step(|world| closed(world, index));
}

/// Forgets a connection; what waited for an ack on it will not get one.
pub(crate) fn closed(world: &mut World, index: usize) {
    world.sockets.remove(&index);
    if let Some(connection) = world.connections.get_mut(index) {
        connection.closed_at.get_or_insert_with(Instant::now);
    }
    for pending in world.pending.values_mut().filter(|p| p.connection == index) {
        pending.done = None;
    }
}

/// One frame from the client, and what to send back. An error ends the connection.
fn receive(
    world: &mut World,
    index: usize,
    service_id: i32,
    bytes: &[u8],
) -> Result<Option<Frame>, String> {
    let frame = Frame::read_strict(bytes)?;
    let kind = frame.header("type").unwrap_or_default().to_owned();
    if frame.service != service_id {
        return Err(format!(
            "service {} in a frame, not {service_id}",
            frame.service
        ));
    }
    match (frame.method, kind.as_str()) {
        (CONTROL, "ping") => {
            if let Some(connection) = world.connections.get_mut(index) {
                connection.pings.push(Instant::now());
            }
            if !world.settings.pongs {
                return Ok(None);
            }
            let payload = world
                .settings
                .pong_settings
                .as_ref()
                .map(|s| s.to_string().into_bytes());
            Ok(Some(Frame {
                service: service_id,
                method: CONTROL,
                headers: vec![Header::new("type", "pong")],
                payload,
                ..Frame::default()
            }))
        }
        (DATA, "event" | "card") => {
            delivery::acked(world, index, &frame);
            Ok(None)
        }
        (method, kind) => Err(format!("a frame of method {method} and type {kind:?}")),
    }
}
