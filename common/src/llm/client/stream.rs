//! Reading an answer's body within its limits, and the events of a stream in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;
use tokio::time::Instant;

use super::super::fault::{LlmFault, Stage};
use super::super::gather::Gather;
use super::super::read;
use super::super::types::Heard;
use super::Limits;

/// For a last chunk with counts behind the end of the answer. Some leave the line open.
const AFTER_END: Duration = Duration::from_secs(2);
/// What some put in front of a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// How vendors say that this was all.
const DONE: &str = "[DONE]";

/// What a body is, by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON value.
    Json,
    /// A page for people.
    Page,
    /// A stream of events, or nothing.
    Events,
}

/// A body, in the pieces that come.
pub(super) struct Source {
    response: reqwest::Response,
    limits: Limits,
    /// Until then something has to be said; afterwards silence is counted.
    first: Instant,
    begun: Arc<AtomicBool>,
    taken: usize,
    /// What was read to see how it begins.
    head: Vec<u8>,
    over: bool,
}

impl Source {
    pub(super) fn new(response: reqwest::Response, limits: Limits, first: Instant) -> Self {
        Self {
            response,
            limits,
            first,
            begun: Arc::default(),
            taken: 0,
            head: Vec::new(),
            over: false,
        }
    }

    /// The next bytes; `None` at the end.
    async fn more(&mut self) -> Result<Option<Bytes>, LlmFault> {
        let (until, stage) = if self.begun.load(Ordering::Relaxed) {
            (Instant::now() + self.limits.silence, Stage::Silence)
        } else {
            (self.first, Stage::First)
        };
        let bytes = tokio::time::timeout_at(until, self.response.chunk())
            .await
            .map_err(|_| LlmFault::Slow { stage })?
            .map_err(|_| LlmFault::Cut)?;
        self.taken += bytes.as_ref().map_or(0, Bytes::len);
        if self.taken > self.limits.body {
            return Err(LlmFault::TooBig {
                limit: self.limits.body,
            });
        }
        Ok(bytes)
    }

    /// What the body is.
    pub(super) async fn form(&mut self) -> Result<Form, LlmFault> {
        loop {
            let first = self
                .head
                .iter()
                .find(|byte| !byte.is_ascii_whitespace() && !MARK.contains(byte));
            if let Some(first) = first {
                return Ok(match first {
                    b'{' | b'[' => Form::Json,
                    b'<' => Form::Page,
                    _ => Form::Events,
                });
            }
            let Some(bytes) = self.more().await? else {
                self.over = true;
                return Ok(Form::Events);
            };
            self.head.extend_from_slice(&bytes);
        }
    }

    /// All of it.
    pub(super) async fn whole(mut self) -> Result<Vec<u8>, LlmFault> {
        // Blanks may come for a long time before the answer does.
        self.begun.store(true, Ordering::Relaxed);
        let mut whole = std::mem::take(&mut self.head);
        while let Some(bytes) = self.more().await? {
            whole.extend_from_slice(&bytes);
        }
        if whole.starts_with(MARK) {
            whole.drain(..MARK.len());
        }
        Ok(whole)
    }

    async fn next(&mut self) -> Result<Option<Bytes>, LlmFault> {
        if !self.head.is_empty() {
            return Ok(Some(std::mem::take(&mut self.head).into()));
        }
        if self.over {
            return Ok(None);
        }
        let bytes = self.more().await?;
        if bytes.is_none() {
            // The last event counts even where the blank line behind it is missing.
            self.over = true;
            return Ok(Some(Bytes::from_static(b"\n\n")));
        }
        Ok(bytes)
    }
}

/// Reads a stream of events to its end.
pub(super) async fn events(
    source: Source,
    hear: &mut (dyn FnMut(Heard) + Send),
) -> Result<Gather, LlmFault> {
    let begun = Arc::clone(&source.begun);
    let bytes = stream::try_unfold(source, |mut source| async move {
        let bytes = source.next().await?;
        Ok::<_, LlmFault>(bytes.map(|bytes| (bytes, source)))
    });
    let mut events = std::pin::pin!(bytes.eventsource());
    let mut gather = Gather::default();
    loop {
        let event = if gather.has_ended() {
            match tokio::time::timeout(AFTER_END, events.next()).await {
                Ok(event) => event,
                Err(_) => break,
            }
        } else {
            events.next().await
        };
        let data = match event {
            None => break,
            Some(Ok(event)) => event.data,
            // What comes behind the end changes nothing.
            Some(Err(_)) if gather.has_ended() => break,
            Some(Err(EventStreamError::Transport(fault))) => return Err(fault),
            Some(Err(_)) => return Err(LlmFault::Cut),
        };
        // Comments that only keep the line alive are no events, so they do not count as a word.
        begun.store(true, Ordering::Relaxed);
        if !said(&data, &mut gather, hear)? {
            break;
        }
    }
    Ok(gather)
}

/// Takes one event; false at the end of all. Some servers forget the blank lines between events,
/// which then come as one of several lines.
fn said(
    data: &str,
    gather: &mut Gather,
    hear: &mut (dyn FnMut(Heard) + Send),
) -> Result<bool, LlmFault> {
    if let Ok(value) = serde_json::from_str(data) {
        take(&value, gather, hear)?;
        return Ok(true);
    }
    for line in data.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == DONE {
            gather.end();
            return Ok(false);
        }
        match serde_json::from_str(line) {
            Ok(value) => take(&value, gather, hear)?,
            // Half an event: the connection broke in it.
            Err(_) if line.starts_with('{') => return Err(LlmFault::Cut),
            // A word of the server's own, such as `ping`.
            Err(_) => {}
        }
    }
    Ok(true)
}

fn take(
    value: &Value,
    gather: &mut Gather,
    hear: &mut (dyn FnMut(Heard) + Send),
) -> Result<(), LlmFault> {
    if let Some((code, said)) = read::error(value) {
        return Err(LlmFault::of(200, &code, &said, None));
    }
    for heard in gather.take(read::piece(value)) {
        hear(heard);
    }
    Ok(())
}
