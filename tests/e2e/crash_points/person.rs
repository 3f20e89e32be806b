//! A person who wants their work done: presses what is offered, and presses again where it
//! was not taken; what was taken counts, and is not pressed twice. Knows nothing of what dies.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::world::World;

/// What is pressed, wherever it is offered, and how long it is looked at before.
const PRESSED: [(&str, Duration); 4] = [
    ("Machine A", Duration::ZERO),
    ("Allow once", Duration::ZERO),
    ("Continue", Duration::from_millis(1200)),
    ("Try again", Duration::ZERO),
];

/// When a button was first seen, and whether the app said that a tap on it was taken.
#[derive(Debug, Clone, Copy)]
struct Offer {
    seen: Instant,
    taken: bool,
}

/// The person's memory, by message and button.
#[derive(Debug, Default)]
pub(super) struct Person(HashMap<(String, &'static str), Offer>);

impl Person {
    /// Looks at the chat once, and presses what is due.
    pub(super) async fn acts(&mut self, world: &World) {
        let anna = world.anna();
        for message in anna.messages() {
            for (label, look) in PRESSED {
                if !message.has_button(label) {
                    continue;
                }
                let key = (message.message_id.clone(), label);
                let offer = self.0.entry(key).or_insert(Offer {
                    seen: Instant::now(),
                    taken: false,
                });
                if offer.taken || offer.seen.elapsed() < look {
                    continue;
                }
                let answer = anna.tap(&message.message_id, label).await;
                // Refused, or gone meanwhile: the app says so, and the person looks again.
                offer.taken = answer.is_ok_and(|answer| {
                    answer.code == 0 && answer.toast.is_some_and(|toast| toast.kind == "success")
                });
            }
        }
    }
}
