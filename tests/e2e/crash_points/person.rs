//! A person who wants their work done: presses what is offered, and presses again where nothing
//! came of it. Knows nothing of what dies.

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
/// After this long without a sign it is pressed again.
const PATIENCE: Duration = Duration::from_secs(4);

/// When a button was first seen, and last pressed.
#[derive(Debug, Clone, Copy)]
struct Offer {
    seen: Instant,
    pressed: Option<Instant>,
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
                    pressed: None,
                });
                let ready = offer.seen.elapsed() >= look;
                if !ready || offer.pressed.is_some_and(|at| at.elapsed() < PATIENCE) {
                    continue;
                }
                let answer = anna.tap(&message.message_id, label).await;
                // Refused, or gone meanwhile: the app says so, and the person looks again.
                let taken = answer.is_ok_and(|answer| {
                    answer.code == 0 && answer.toast.is_some_and(|toast| toast.kind == "success")
                });
                offer.pressed = taken.then(Instant::now);
            }
        }
    }
}
