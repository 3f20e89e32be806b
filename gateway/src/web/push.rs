//! Open pages: each follows the timeline over a websocket, from the last change it knows.
//!
//! What it missed comes first, then what happens. A page that comes back asks again with its last
//! number, so nothing is lost and nothing is applied twice.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::timeline::{Entry, Live, Timeline, TimelineError};
use common::message::outbound::Preview;

/// The page counts the connection as dead after three of these without a word.
const BEAT: Duration = Duration::from_secs(15);
/// A page that takes nothing for this long is cut off; it comes back and asks for what it missed.
const WRITE: Duration = Duration::from_secs(20);
/// Entries of about this many bytes go into one message.
const CHUNK: usize = 256 * 1024;

/// Where a page stands.
#[derive(Debug, Deserialize)]
pub(super) struct From {
    /// The database that its number is of; empty at first.
    #[serde(default)]
    store: String,
    /// The last change it knows.
    #[serde(default)]
    after: u64,
}

/// What a page is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told<'a> {
    /// First: which database the numbers are of. If it is another one, the page starts empty.
    Hello { store: &'a str },
    /// New or changed items, by number.
    Entries { entries: &'a [Entry] },
    /// Everything missed was told.
    CaughtUp,
    /// A card in between.
    Preview {
        #[serde(flatten)]
        preview: &'a Preview,
    },
    /// The connection lives.
    Beat,
}

/// The page is gone, or we are.
struct Over;

impl std::convert::From<TimelineError> for Over {
    fn from(_: TimelineError) -> Self {
        Self
    }
}

/// Tells one page everything, until it goes or `cancel`.
pub(super) async fn follow(
    mut socket: WebSocket,
    timeline: Timeline,
    from: From,
    cancel: CancellationToken,
) {
    let done = async { tell_all(&mut socket, &timeline, from).await };
    tokio::select! {
        Err(Over) = done => debug!("a page has gone"),
        () = cancel.cancelled() => {}
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
}

async fn tell_all(
    socket: &mut WebSocket,
    timeline: &Timeline,
    mut from: From,
) -> Result<std::convert::Infallible, Over> {
    loop {
        let missed = timeline.follow(from.store.clone(), from.after).await?;
        if missed.store != from.store {
            from.after = 0;
        }
        let store = &missed.store;
        tell(socket, &Told::Hello { store }).await?;
        for entries in chunks(&missed.entries) {
            tell(socket, &Told::Entries { entries }).await?;
        }
        for preview in &missed.previews {
            tell(socket, &Told::Preview { preview }).await?;
        }
        tell(socket, &Told::CaughtUp).await?;
        let mut last = missed.entries.last().map_or(from.after, |entry| entry.seq);
        from.store.clone_from(&missed.store);
        let mut live = missed.live;
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
        loop {
            tokio::select! {
                event = live.recv() => match event {
                    Ok(event) => match Arc::as_ref(&event) {
                        Live::Entry(entry) if entry.seq <= last => {}
                        Live::Entry(entry) => {
                            last = entry.seq;
                            let entries = std::slice::from_ref(entry);
                            tell(socket, &Told::Entries { entries }).await?;
                        }
                        Live::Preview(preview) => tell(socket, &Told::Preview { preview }).await?,
                    },
                    // Too slow for the live events: read what was missed from the timeline.
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return Err(Over),
                },
                heard = socket.next() => match heard {
                    // The page has nothing to say here; pongs and the like pass.
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(Over),
                },
                _ = beat.tick() => tell(socket, &Told::Beat).await?,
            }
        }
        from.after = last;
    }
}

async fn tell(socket: &mut WebSocket, told: &Told<'_>) -> Result<(), Over> {
    let text = serde_json::to_string(told).map_err(|_| Over)?;
    let sent = tokio::time::timeout(WRITE, socket.send(Message::Text(text.into()))).await;
    sent.map_err(|_| Over)?.map_err(|_| Over)
}

/// Cuts entries into runs of about [`CHUNK`] bytes, so that a long timeline shows up bit by bit.
fn chunks(mut entries: &[Entry]) -> Vec<&[Entry]> {
    let mut chunks = Vec::new();
    while !entries.is_empty() {
        let mut size = 0;
        let fits = |entry: &&Entry| {
            let within = size < CHUNK;
            size += serde_json::to_vec(entry).map_or(0, |json| json.len());
            within
        };
        let count = entries.iter().take_while(fits).count().max(1);
        let (chunk, rest) = entries.split_at(count);
        chunks.push(chunk);
        entries = rest;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::super::timeline::Item;
    use super::*;

    #[test]
    fn chunks_hold_everything_in_order() {
        let entry = |seq: u64| Entry {
            seq,
            pos: seq,
            item: Item::Mine {
                id: String::new(),
                files: Vec::new(),
                text: "x".repeat(CHUNK / 3),
                at: chrono::Utc::now(),
            },
        };
        let entries: Vec<Entry> = (1..=8).map(entry).collect();
        let chunks = chunks(&entries);
        assert!(chunks.len() > 1 && chunks.len() < 8);
        assert_eq!(chunks.concat(), entries);
    }
}
