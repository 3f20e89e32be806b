//! Whether each person's order was kept. Pure.
//!
//! Two messages have an order where the platform was told "received" of the first before the second
//! was written, or where both went out in their order over one connection and neither had to be
//! repeated. What the platform delivers late, as nobody had received it, may come behind what was
//! written after it.

use std::collections::HashMap;
use std::time::Instant;

use kit::feishu::{Ack, Attempt};

/// One message of a person, in the order of writing.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) place: usize,
    pub(crate) token: String,
    pub(crate) said: Instant,
    /// When the platform was first told that it is received.
    pub(crate) received: Option<Instant>,
    /// The only delivery of it, if there was one: over which connection, and when.
    pub(crate) only_way: Option<(usize, Instant)>,
    /// The first model call that it began.
    pub(crate) run: Option<usize>,
    /// Where its card stands among the bot's messages.
    pub(crate) card: Option<usize>,
    /// When its answer could be seen.
    pub(crate) shown: Option<Instant>,
    /// A crash cut its turn off, so that others went before the rest of it.
    pub(crate) cut_off: bool,
}

/// How the platform came to be rid of each message.
pub(crate) struct Deliveries {
    received: HashMap<String, Instant>,
    ways: HashMap<String, Vec<(usize, Instant)>>,
}

impl Deliveries {
    pub(crate) fn new(attempts: &[Attempt], acks: &[Ack]) -> Self {
        let mut ways: HashMap<String, Vec<(usize, Instant)>> = HashMap::new();
        for attempt in attempts {
            if let Some(id) = &attempt.message_id {
                let way = (attempt.connection, attempt.sent_at);
                ways.entry(id.clone()).or_default().push(way);
            }
        }
        let mut received = HashMap::new();
        for ack in acks.iter().filter(|ack| ack.accepted) {
            if let Some(id) = &ack.message_id {
                received.entry(id.clone()).or_insert(ack.at);
            }
        }
        Self { received, ways }
    }

    pub(crate) fn received(&self, message_id: &str) -> Option<Instant> {
        self.received.get(message_id).copied()
    }

    /// The delivery of a message that was delivered once and received.
    pub(crate) fn only_way(&self, message_id: &str) -> Option<(usize, Instant)> {
        let way = self.ways.get(message_id)?;
        let received = self.received.contains_key(message_id);
        (received && way.len() == 1).then_some(way[0])
    }
}

/// What is known of the order.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Pairs of neighbours that had an order, and all pairs of neighbours.
    pub(crate) judged: usize,
    pub(crate) pairs: usize,
    /// The places of the two messages, and what is wrong.
    pub(crate) wrong: Vec<([usize; 2], String)>,
}

fn has_order(first: &Placed, second: &Placed) -> bool {
    let in_a_row = match (first.only_way, second.only_way) {
        (Some((one, first)), Some((other, second))) => one == other && first <= second,
        _ => false,
    };
    in_a_row
        || first
            .received
            .is_some_and(|received| received < second.said)
}

/// Judges the messages of one person.
pub(crate) fn judge(messages: &[Placed]) -> Verdict {
    let mut verdict = Verdict::default();
    for (at, second) in messages.iter().enumerate() {
        for (before, first) in messages[..at].iter().enumerate() {
            let ordered = has_order(first, second);
            if before + 1 == at {
                verdict.pairs += 1;
                verdict.judged += usize::from(ordered);
            }
            if ordered && let Some(what) = overtook(first, second) {
                let places = [first.place, second.place];
                let what = format!("{what} {} came before {}", second.token, first.token);
                verdict.wrong.push((places, what));
            }
        }
    }
    verdict
}

/// In what the second message was before the first.
fn overtook(first: &Placed, second: &Placed) -> Option<&'static str> {
    fn before<T: PartialOrd>(first: Option<T>, second: Option<T>) -> bool {
        matches!((first, second), (Some(first), Some(second)) if second < first)
    }
    if before(first.card, second.card) {
        return Some("in the chat, the card of");
    }
    if first.cut_off {
        return None;
    }
    if before(first.run, second.run) {
        return Some("at the model, the prompt of");
    }
    if !second.cut_off && before(first.shown, second.shown) {
        return Some("in the chat, the answer to");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn three() -> Vec<Placed> {
        let now = Instant::now();
        let at = |n: usize| now + Duration::from_secs(u64::try_from(n).unwrap());
        let placed = |n: usize| Placed {
            place: n,
            token: format!("m{n}"),
            said: at(n),
            received: Some(at(n) + Duration::from_millis(500)),
            only_way: None,
            run: Some(n),
            card: Some(n),
            shown: Some(at(n + 10)),
            cut_off: false,
        };
        (0..3).map(placed).collect()
    }

    #[test]
    fn what_overtakes_is_found() {
        assert!(judge(&three()).wrong.is_empty());
        assert_eq!(judge(&three()).judged, 2);
        let changes: [fn(&mut [Placed]); 3] = [
            |all| all[0].card = Some(9),
            |all| all[0].run = Some(9),
            |all| all[0].shown = all[0].shown.map(|at| at + Duration::from_secs(9)),
        ];
        for change in changes {
            let mut all = three();
            change(&mut all);
            assert_eq!(judge(&all).wrong.len(), 2);
        }
    }

    #[test]
    fn what_nobody_received_has_no_order() {
        let mut all = three();
        all[0].received = all[2].received;
        all[0].run = Some(9);
        assert!(judge(&all).wrong.is_empty());
        assert_eq!(judge(&all).judged, 1);
        // Both were on the same connection, once.
        all[0].only_way = Some((4, all[0].said));
        all[1].only_way = Some((4, all[1].said));
        assert_eq!(judge(&all).wrong.len(), 1);
        // The first was late: nobody was connected when it was said.
        all[0].only_way = Some((4, all[2].said));
        assert!(judge(&all).wrong.is_empty());
    }
}
