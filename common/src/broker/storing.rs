//! Which streams do not take what is sent to them, as far as our own sending shows it: for
//! `/health`. Nobody else says so: a server whose disk is full goes on answering everything but
//! the messages that it cannot store (nats-server 2.15), and one that was refused by its file system
//! turns its streams off altogether.
//!
//! What becomes of the message is the sender's business.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::{self, ErrorCode};

use crate::stream;

/// A silence at least this long counts; whoever gives up sooner has other reasons.
const SILENCE: Duration = Duration::from_millis(900);
/// How long a finding counts without being found again: those who send try again much sooner.
const FINDING: Duration = Duration::from_secs(300);

/// What was found. Cheap to clone; all clones are one. Bounded by the number of streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Storing {
    found: Arc<Mutex<BTreeMap<String, Finding>>>,
}

#[derive(Debug, Clone)]
struct Finding {
    full: Option<String>,
    /// On which connection: another one may lead to a server that was started anew.
    cuts: u64,
    at: Instant,
}

/// How sending a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The stream has it.
    Stored,
    /// The server says that there is no room.
    Full(String),
    /// No answer, or nobody there to answer.
    Silent,
    /// Anything else, which says nothing of the stream.
    Other,
}

/// One message under way. Dropped early it counts as one without an answer.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    storing: &'a Storing,
    stream: String,
    cuts: u64,
    since: Instant,
    over: bool,
}

impl Storing {
    /// A message is sent, on connection number `cuts`.
    pub(super) fn attempt(&self, subject: &str, cuts: u64) -> Attempt<'_> {
        Attempt {
            storing: self,
            stream: stream_of(subject),
            cuts,
            since: Instant::now(),
            over: false,
        }
    }

    /// What is wrong, in words for whoever runs the broker; none if nothing is. `cuts` as now.
    pub(super) fn trouble(&self, cuts: u64) -> Option<String> {
        let mut found = self.lock();
        found.retain(|_, finding| finding.cuts == cuts && finding.at.elapsed() < FINDING);
        let mut text = String::new();
        let mut silent = Vec::new();
        for (stream, finding) in found.iter() {
            match &finding.full {
                Some(why) => {
                    let _ = write!(text, "no room in stream {stream} ({why}). ");
                }
                None => silent.push(stream.as_str()),
            }
        }
        if !silent.is_empty() {
            let _ = write!(
                text,
                "no room, it seems: {} does not confirm what is sent. Is the broker's disk full or read-only? \
                 Make room there and start nats-server again; nothing is lost meanwhile",
                silent.join(", ")
            );
        }
        (!text.is_empty()).then(|| text.trim_end().to_owned())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Finding>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// How it ended, on connection number `cuts`.
    pub(super) fn ended(mut self, how: Ending, cuts: u64) {
        self.over = true;
        match how {
            Ending::Stored => {
                self.storing.lock().remove(&self.stream);
            }
            // One person's queue is full, not the stream.
            Ending::Full(why) if why.contains("per subject") => {}
            Ending::Full(why) => self.note(Some(why)),
            // A link that was cut meanwhile is another matter, and told elsewhere.
            Ending::Silent if cuts == self.cuts => self.note(None),
            Ending::Silent | Ending::Other => {}
        }
    }

    fn note(&self, full: Option<String>) {
        let finding = Finding {
            full,
            cuts: self.cuts,
            at: Instant::now(),
        };
        self.storing.lock().insert(self.stream.clone(), finding);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.over && self.since.elapsed() >= SILENCE {
            self.note(None);
        }
    }
}

/// What an error of the server or the client means for the stream.
pub(super) fn ending(error: &PublishError, up: bool) -> Ending {
    // The first is its word for a stream at its limits, and for a store that refused.
    const NO_ROOM: [ErrorCode; 6] = [
        ErrorCode::STREAM_STORE_FAILED,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::MEMORY_RESOURCES_EXCEEDED,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED,
    ];
    let code = error
        .source()
        .and_then(|why| why.downcast_ref::<jetstream::Error>())
        .map(jetstream::Error::error_code);
    if code.is_some_and(|code| NO_ROOM.contains(&code)) {
        return Ending::Full(error.to_string());
    }
    match error.kind() {
        PublishErrorKind::TimedOut | PublishErrorKind::StreamNotFound => silence(up),
        PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::MaxAckPending
        | PublishErrorKind::MaxPayloadExceeded
        | PublishErrorKind::Other => Ending::Other,
    }
}

/// No answer in time: of the stream that says something only while the connection is up.
pub(super) fn silence(up: bool) -> Ending {
    if up { Ending::Silent } else { Ending::Other }
}

/// The stream behind a subject, as operators know it.
fn stream_of(subject: &str) -> String {
    let mut tokens = subject.split('.');
    match (tokens.next(), tokens.next()) {
        (Some("$KV"), Some(bucket)) => bucket.to_owned(),
        (Some("pw"), Some("in")) => stream::IN.to_owned(),
        (Some("pw"), Some("work")) => stream::WORK.to_owned(),
        (Some("pw"), Some("out")) => stream::OUT.to_owned(),
        (Some("pw"), Some("up")) => stream::UP.to_owned(),
        (Some("pw"), Some("down")) => stream::DOWN.to_owned(),
        (Some("pw"), Some("dead")) => stream::DLQ.to_owned(),
        _ => subject.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_told_until_the_next_confirmation_or_connection() {
        let storing = Storing::default();
        assert_eq!(storing.trouble(0), None);
        storing
            .attempt("pw.in.feishu.ou_1.msg", 0)
            .ended(Ending::Silent, 0);
        storing
            .attempt("$KV.PW_GATE_feishu.card.x", 0)
            .ended(Ending::Silent, 0);
        insta::assert_snapshot!(
            storing.trouble(0).unwrap(),
            @"no room, it seems: PW_GATE_feishu, PW_IN does not confirm what is sent. Is the broker's disk full or read-only? Make room there and start nats-server again; nothing is lost meanwhile"
        );
        storing
            .attempt("pw.in.web.owner.msg", 0)
            .ended(Ending::Stored, 0);
        assert!(!storing.trouble(0).unwrap().contains("PW_IN"));
        assert_eq!(storing.trouble(1), None);
        // Cut while it waited: nothing is known of the stream.
        storing
            .attempt("pw.in.web.owner.msg", 1)
            .ended(Ending::Silent, 2);
        assert_eq!(storing.trouble(2), None);
    }

    #[test]
    fn a_full_stream_is_told_with_the_servers_words() {
        let storing = Storing::default();
        let full = |why: &str| Ending::Full(why.into());
        storing
            .attempt("pw.out.home.web.owner", 0)
            .ended(full("maximum bytes exceeded"), 0);
        storing
            .attempt("pw.work.home.web.owner", 0)
            .ended(full("maximum messages per subject exceeded"), 0);
        storing
            .attempt("pw.in.web.owner.msg", 0)
            .ended(Ending::Other, 0);
        insta::assert_snapshot!(storing.trouble(0).unwrap(), @"no room in stream PW_OUT (maximum bytes exceeded).");
    }

    #[test]
    fn whoever_gives_up_at_once_has_found_nothing() {
        let storing = Storing::default();
        drop(storing.attempt("pw.in.web.owner.msg", 0));
        assert_eq!(storing.trouble(0), None);
    }
}
