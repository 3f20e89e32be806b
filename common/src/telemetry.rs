//! Logs to stderr, ids that follow a message through all processes, and
//! masking of what must not be shown. What is logged is left to everybody.

use std::fmt;

use tracing::Span;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Everything at info but the libraries that talk a lot. What a person sets
/// comes after it and so goes before it.
const BASE_FILTER: &str = "info,async_nats=warn,h2=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,tokio_tungstenite=warn,tungstenite=warn";

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
#[error("LOG is not a log filter ({0}); write for example LOG: info,host=debug")]
pub struct TelemetryError(#[from] tracing_subscriber::filter::ParseError);

/// Starts logging to stderr, as lines for people or (`json`) for machines.
/// Only the first call in a process counts.
///
/// # Errors
/// When `log_filter` is none.
pub fn init(log_filter: &str, json: bool) -> Result<(), TelemetryError> {
    let filter = filter(log_filter)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // Err means that somebody was first, which is fine.
    let _ = if json {
        lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .finish()
            .try_init()
    } else {
        lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .finish()
            .try_init()
    };
    Ok(())
}

fn filter(log_filter: &str) -> Result<EnvFilter, TelemetryError> {
    Ok(EnvFilter::builder().parse(format!("{BASE_FILTER},{log_filter}"))?)
}

/// A place in a trace, as the W3C's `traceparent` header carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// The header's name.
    pub const HEADER: &str = "traceparent";

    /// A new trace, sampled.
    pub fn generate() -> Self {
        Self {
            trace: rand::random::<u128>().max(1),
            span: new_span(),
            flags: 1,
        }
    }

    /// Reads a header of version 00, or of a later one that begins like it;
    /// `None` for anything else.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let version = hex(parts.next()?, 2)?;
        let trace = hex(parts.next()?, 32)?;
        let span = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        let more = parts.next().is_some();
        let good = version != 0xff && !(version == 0 && more) && trace != 0 && span != 0;
        good.then_some(Self { trace, span, flags })
    }

    /// The header's context, or a new trace when there is none to go on with.
    pub fn parse_or_new(header: Option<&str>) -> Self {
        header.and_then(Self::parse).unwrap_or_else(Self::generate)
    }

    /// The next place in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self {
            span: new_span(),
            ..self
        }
    }

    /// The trace's id, 32 hex digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }

    /// This place's id, 16 hex digits.
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span)
    }

    /// A span with these ids for the log. `message`, `turn`, `session` and
    /// `node` are there to be recorded once known.
    pub fn span(self, stage: &'static str) -> Span {
        tracing::info_span!(
            "work",
            stage,
            trace = %self.trace_id(),
            span = %self.span_id(),
            message = tracing::field::Empty,
            turn = tracing::field::Empty,
            session = tracing::field::Empty,
            node = tracing::field::Empty,
        )
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace, self.span, self.flags
        )
    }
}

/// Zero would be invalid.
fn new_span() -> u64 {
    rand::random::<u64>().max(1)
}

/// Exactly so many digits of lower-case hex.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let good = text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    good.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Shows a secret by its first three characters; a short one not at all,
/// because three would be too much of it.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let long = self.0.chars().count() >= 12;
        let start: String = self.0.chars().take(if long { 3 } else { 0 }).collect();
        write!(f, "{start}…")
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn logging_can_be_started_twice() {
        init("debug", false).unwrap();
        init("info", true).unwrap();
        assert!(init("info,host=loud", false).is_err());
    }

    #[test]
    fn a_persons_filter_goes_before_ours() {
        let shown = |text: &str| filter(text).unwrap().to_string();
        assert!(
            shown("debug").contains("debug") && !shown("debug").contains("info"),
            "{}",
            shown("debug")
        );
        assert!(shown("debug").contains("hyper=warn"));
        assert!(
            shown("hyper=trace").contains("hyper=trace")
                && !shown("hyper=trace").contains("hyper=warn")
        );
    }

    #[test]
    fn headers_of_the_standard_are_read() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::parse(good).unwrap();
        assert_eq!(context.to_string(), good);
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.span_id(), context.span_id());
        assert!(
            TraceContext::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")
                .is_some()
        );
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_refused_or_survives(text in "\\PC{0,70}") {
            if let Some(context) = TraceContext::parse(&text) {
                prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
            }
        }
    }

    #[test]
    fn generated_contexts_are_valid() {
        let context = TraceContext::generate();
        assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        assert_ne!(
            TraceContext::parse_or_new(None).trace_id(),
            context.trace_id()
        );
    }

    #[test]
    fn secrets_show_their_start_at_most() {
        assert_eq!(Masked("sk-1234567890").to_string(), "sk-…");
        assert_eq!(format!("{:?}", Masked("hunter2")), "…");
        assert_eq!(Masked("密钥密钥密钥密钥密钥密钥").to_string(), "密钥密…");
    }
}
