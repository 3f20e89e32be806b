//! Commands that take their time run beside the desk, a few of each person at once.
//!
//! The act stays in the inbox until its answer is written down, so dying on the way runs it again from
//! the start. That is right for whatever only reads; what changes something writes down first that it
//! began, and settles the act with that.

use std::collections::HashMap;
use std::sync::Arc;

use common::ids::UserId;
use common::message::view::Tone;
use common::text::host::HostText;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument as _, Span, error};

use super::Desk;
use crate::cards;
use crate::context::Origin;
use crate::journal::Change;

/// Commands of one person that run at once; the next is refused with a word.
const AT_ONCE: usize = 8;

/// Who has how many running; a person is here only while something runs.
#[derive(Debug, Default)]
pub(super) struct Seats(HashMap<UserId, Arc<Semaphore>>);

impl Seats {
    fn take(&mut self, user: &UserId) -> Option<OwnedSemaphorePermit> {
        self.0
            .retain(|_, seats| seats.available_permits() < AT_ONCE);
        let seats = self
            .0
            .entry(user.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
        Arc::clone(seats).try_acquire_owned().ok()
    }
}

impl Desk {
    /// Runs `work` beside the desk; what it gives is written down in one step with the end of the act.
    pub(crate) async fn beside<F>(&mut self, place: u64, origin: &Origin, work: F)
    where
        F: Future<Output = Vec<Change>> + Send + 'static,
    {
        let Some(seat) = self.seats.take(&origin.user) else {
            let text = HostText::TooMuchAtOnce { max: AT_ONCE };
            self.say(place, origin, Tone::Warning, &text).await;
            return;
        };
        let context = Arc::clone(&self.context);
        let origin = origin.clone();
        // On its own, so that a failure of ours in it ends nothing else.
        let work = self.context.tasks.spawn(work.instrument(Span::current()));
        let stop = work.abort_handle();
        let settle = async move {
            let ended = tokio::select! {
                // First, as what ends because we are stopping has no answer yet.
                biased;
                () = context.cancel.cancelled() => {
                    stop.abort();
                    return;
                }
                ended = work => ended,
            };
            let mut changes = ended.unwrap_or_else(|why| {
                error!(%why, "a command failed inside us");
                let text = HostText::CommandBroke;
                let view = cards::say(&context.name, origin.lang, Tone::Failed, &text);
                vec![origin.reply(view)]
            });
            changes.push(Change::Done(place));
            context.commit(changes).await;
            drop(seat);
        };
        self.context.tasks.spawn(settle.instrument(Span::current()));
    }
}
