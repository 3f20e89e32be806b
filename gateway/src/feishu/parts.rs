//! Puts deliveries together that arrive in several frames.
//!
//! Pure: time comes in as an argument. Incomplete sets that are dropped are not
//! lost, as they were never acknowledged and will be delivered again.

use std::collections::HashMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

/// Most parts one delivery may have.
pub const MAX_PARTS: usize = 1024;
/// Most bytes one delivery may have.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes held for all incomplete deliveries together.
pub const MAX_HELD: usize = 48 * 1024 * 1024;
/// Most incomplete deliveries at a time; the one untouched longest gives way.
pub const MAX_OPEN: usize = 128;
/// How long an incomplete delivery waits for its next part.
pub const LIFE: Duration = Duration::from_secs(10);

/// Why a part was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// `seq` or `sum` are missing, not numbers, or do not fit each other.
    #[error("part numbers do not fit (seq must be below sum, sum at most {MAX_PARTS})")]
    Numbers,
    /// A part of several without an id to collect it under.
    #[error("a part of several has no message_id")]
    NoId,
    /// The delivery is over [`MAX_BYTES`].
    #[error("the delivery is over {MAX_BYTES} bytes")]
    TooBig,
}

#[derive(Debug)]
struct Open {
    parts: Vec<Option<Bytes>>,
    missing: usize,
    bytes: usize,
    touched: Instant,
}

/// The incomplete deliveries of one connection.
#[derive(Debug, Default)]
pub struct Parts {
    open: HashMap<String, Open>,
    held: usize,
}

impl Parts {
    /// Takes one part; returns the whole payload once all parts are there.
    /// Order does not matter, a repeated part replaces the earlier one, and a
    /// changed `sum` starts the delivery over.
    pub fn push(
        &mut self,
        id: Option<&str>,
        sum: Option<&str>,
        seq: Option<&str>,
        payload: Bytes,
        now: Instant,
    ) -> Result<Option<Bytes>, PartError> {
        let sum = number(sum, 1)?;
        if sum <= 1 {
            return if payload.len() > MAX_BYTES {
                Err(PartError::TooBig)
            } else {
                Ok(Some(payload))
            };
        }
        let seq = number(seq, 0)?;
        if sum > MAX_PARTS || seq >= sum {
            return Err(PartError::Numbers);
        }
        let id = id.filter(|id| !id.is_empty()).ok_or(PartError::NoId)?;

        if self.open.get(id).is_some_and(|set| set.parts.len() != sum) {
            self.remove(id);
        }
        if !self.open.contains_key(id) && self.open.len() >= MAX_OPEN {
            self.remove_oldest();
        }
        let set = self.open.entry(id.to_owned()).or_insert_with(|| Open {
            parts: vec![None; sum],
            missing: sum,
            bytes: 0,
            touched: now,
        });
        set.touched = now;
        if let Some(slot) = set.parts.get_mut(seq) {
            let added = payload.len();
            match slot.replace(payload) {
                Some(earlier) => {
                    set.bytes -= earlier.len();
                    self.held -= earlier.len();
                }
                None => set.missing -= 1,
            }
            set.bytes += added;
            self.held += added;
        }
        if set.bytes > MAX_BYTES {
            self.remove(id);
            return Err(PartError::TooBig);
        }
        if set.missing == 0 {
            return Ok(self.remove(id).map(|set| join(&set)));
        }
        while self.held > MAX_HELD && self.open.len() > 1 {
            self.remove_oldest();
        }
        Ok(None)
    }

    /// Drops what waited too long; returns the ids, for the log.
    pub fn sweep(&mut self, now: Instant) -> Vec<String> {
        let stale: Vec<String> = self
            .open
            .iter()
            .filter(|(_, set)| now.duration_since(set.touched) > LIFE)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &stale {
            self.remove(id);
        }
        stale
    }

    fn remove(&mut self, id: &str) -> Option<Open> {
        let set = self.open.remove(id)?;
        self.held -= set.bytes;
        Some(set)
    }

    fn remove_oldest(&mut self) {
        let oldest = self
            .open
            .iter()
            .min_by_key(|(_, set)| set.touched)
            .map(|(id, _)| id.clone());
        if let Some(id) = oldest {
            self.remove(&id);
        }
    }
}

fn number(text: Option<&str>, missing: usize) -> Result<usize, PartError> {
    match text {
        None | Some("") => Ok(missing),
        Some(text) => text.parse().map_err(|_| PartError::Numbers),
    }
}

fn join(set: &Open) -> Bytes {
    let mut whole = BytesMut::with_capacity(set.bytes);
    for part in set.parts.iter().flatten() {
        whole.extend_from_slice(part);
    }
    whole.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push(
        parts: &mut Parts,
        id: &str,
        sum: usize,
        seq: usize,
        data: &[u8],
    ) -> Result<Option<Bytes>, PartError> {
        parts.push(
            Some(id),
            Some(&sum.to_string()),
            Some(&seq.to_string()),
            Bytes::copy_from_slice(data),
            Instant::now(),
        )
    }

    #[test]
    fn refuses_numbers_that_do_not_fit() {
        let mut parts = Parts::default();
        for (sum, seq) in [
            ("2", "2"),
            ("2", "-1"),
            ("1025", "0"),
            ("x", "0"),
            ("99999999999999999999", "0"),
        ] {
            let result = parts.push(
                Some("a"),
                Some(sum),
                Some(seq),
                Bytes::new(),
                Instant::now(),
            );
            assert_eq!(result, Err(PartError::Numbers), "{sum} {seq}");
        }
        let result = parts.push(None, Some("2"), Some("0"), Bytes::new(), Instant::now());
        assert_eq!(result, Err(PartError::NoId));
        assert!(parts.open.is_empty());
    }

    #[test]
    fn whole_payloads_pass_at_once() {
        let mut parts = Parts::default();
        let result = parts.push(None, None, None, Bytes::from_static(b"{}"), Instant::now());
        assert_eq!(result, Ok(Some(Bytes::from_static(b"{}"))));
    }

    #[test]
    fn a_changed_sum_starts_over() {
        let mut parts = Parts::default();
        assert_eq!(push(&mut parts, "a", 2, 0, b"old"), Ok(None));
        assert_eq!(push(&mut parts, "a", 3, 0, b"x"), Ok(None));
        assert_eq!(push(&mut parts, "a", 3, 1, b"y"), Ok(None));
        assert_eq!(
            push(&mut parts, "a", 3, 2, b"z"),
            Ok(Some(Bytes::from_static(b"xyz")))
        );
        assert_eq!(parts.held, 0);
    }

    #[test]
    fn open_sets_are_bounded_and_swept() {
        let mut parts = Parts::default();
        for n in 0..MAX_OPEN + 5 {
            assert_eq!(push(&mut parts, &n.to_string(), 2, 0, b"1"), Ok(None));
        }
        assert_eq!(parts.open.len(), MAX_OPEN);
        let later = Instant::now() + LIFE + Duration::from_secs(1);
        assert_eq!(parts.sweep(later).len(), MAX_OPEN);
        assert_eq!(parts.held, 0);
    }

    #[test]
    fn bytes_are_bounded() {
        let mut parts = Parts::default();
        let big = vec![0; MAX_BYTES / 2 + 1];
        assert_eq!(push(&mut parts, "a", 3, 0, &big), Ok(None));
        assert_eq!(push(&mut parts, "a", 3, 1, &big), Err(PartError::TooBig));
        assert_eq!(parts.held, 0);
    }

    proptest! {
        #[test]
        fn any_order_and_repeats_give_the_whole(
            text in "\\PC{1,200}",
            cut in 2_usize..20,
            order in prop::collection::vec(any::<prop::sample::Index>(), 60),
        ) {
            let bytes = text.as_bytes();
            let size = bytes.len().div_ceil(cut).max(1);
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            let mut parts = Parts::default();
            let mut done = None;
            // Random order with repeats, then everything once, stopping when whole.
            let random = order.iter().map(|index| index.index(chunks.len()));
            for seq in random.chain(0..chunks.len()) {
                done = push(&mut parts, "id", chunks.len(), seq, chunks[seq]).unwrap();
                if done.is_some() {
                    break;
                }
            }
            let whole = done.unwrap();
            prop_assert_eq!(whole.as_ref(), bytes);
            prop_assert_eq!(parts.held, 0);
        }
    }
}
