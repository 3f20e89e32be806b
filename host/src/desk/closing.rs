//! Closing a session, beside the desk: what the session does has to be stopped first, which may
//! take seconds, and nobody else waits for that.
//!
//! Two steps of the journal. The first keeps that the session is on its way out, with all that its
//! owner is told in the end, and is done with the act. The second, the session's own, lets all of
//! it go. Dying between the two, the next start finds the first and goes on with the second; the
//! act itself is not read again, as the number in it might be another session's by then.

use std::sync::Arc;

use common::ids::{CardId, SessionId, UserId};
use common::message::view::Tone;
use common::text::host::HostText;
use tokio::sync::oneshot;

use super::Desk;
use super::door::{NO_PLACE, Told};
use crate::cards;
use crate::context::{Context, Origin};
use crate::grounds::Grounds;
use crate::journal::Change;
use crate::record::{Closing, UserRecord};
use crate::session::SessionHandle;

impl Desk {
    /// Begins to close a session of this person; a card tells them.
    pub(crate) async fn close(&mut self, place: u64, origin: &Origin, session: &super::Numbered) {
        self.begin_to_close(place, origin, session, false, None)
            .await;
    }

    /// The same for a tool, which is told when it has ended. What made it tells the person.
    pub(super) async fn close_for(
        &mut self,
        origin: &Origin,
        session: &super::Numbered,
        told: Option<oneshot::Sender<Told>>,
    ) {
        self.begin_to_close(NO_PLACE, origin, session, true, told)
            .await;
    }

    async fn begin_to_close(
        &mut self,
        place: u64,
        origin: &Origin,
        session: &super::Numbered,
        quiet: bool,
        told: Option<oneshot::Sender<Told>>,
    ) {
        let id = session.record.id;
        // Said at once only where the end may take a while.
        let busy = session.handle.brief().running && !quiet;
        let closing = Closing {
            session: id,
            n: session.n,
            dir: session.record.dir.clone(),
            chat: origin.chat.clone(),
            lang: origin.lang,
            cause: origin.cause.clone(),
            traceparent: origin.traceparent.clone(),
            rev: if busy { 2 } else { 1 },
            quiet,
        };
        let mut user = self.user(&origin.user);
        if user.active == Some(id) {
            user.active = None;
        }
        user.closing.push(closing.clone());
        let mut changes = vec![Change::Done(place)];
        if busy {
            let text = HostText::Closing {
                n: session.n,
                dir: session.record.dir.clone(),
            };
            changes.push(said(
                &self.context,
                &user.user,
                &closing,
                1,
                Tone::Plain,
                &text,
            ));
        }
        self.keep(user, changes).await;
        common::crash_point!("host.close.begun");
        if let Some(handle) = self.sessions.remove(&id) {
            let told = told.map(|told| (told, self.grounds(&origin.user)));
            self.end(origin.user.clone(), closing, handle, told);
        }
    }

    /// Ends a session in a task of its own, and tells the desk, and `told`, when it has ended.
    pub(super) fn end(
        &self,
        owner: UserId,
        closing: Closing,
        handle: SessionHandle,
        told: Option<(oneshot::Sender<Told>, Grounds)>,
    ) {
        let context = Arc::clone(&self.context);
        let closed = self.closed_in.clone();
        self.context.tasks.spawn(async move {
            let text = HostText::Closed {
                n: closing.n,
                dir: closing.dir.clone(),
            };
            let card = said(&context, &owner, &closing, closing.rev, Tone::Done, &text);
            let mut last = Vec::from_iter((!closing.quiet).then_some(card));
            if !handle.close(last.clone()).await {
                if context.cancel.is_cancelled() {
                    return;
                }
                // Its task has failed; what is left of its turns is let go at the next start.
                last.push(Change::DropSession(closing.session));
                context.commit(last).await;
            }
            if let Some((told, grounds)) = told {
                let Closing { n, dir, .. } = &closing;
                let outcome = Ok(format!(
                    "Session {n} ({dir}) is closed; its folder stays as it is."
                ));
                let _ = told.send(Told { outcome, grounds });
            }
            let _ = closed.send((owner, closing.session)).await;
        });
    }

    /// A session has ended: nothing is left to remember of it.
    pub(super) async fn ended(&mut self, owner: &UserId, session: SessionId) {
        let mut user = self.user(owner);
        user.closing.retain(|closing| closing.session != session);
        self.keep(user, Vec::new()).await;
    }

    /// How many sessions of a person are still on their way out.
    pub(crate) fn closing(&self, user: &UserId) -> usize {
        self.users.get(user).map_or(0, |user| user.closing.len())
    }
}

/// The state of the card that answers the act.
fn said(
    context: &Context,
    owner: &UserId,
    closing: &Closing,
    rev: u32,
    tone: Tone,
    text: &HostText,
) -> Change {
    let origin = Origin {
        user: owner.clone(),
        chat: closing.chat.clone(),
        cause: closing.cause.clone(),
        lang: closing.lang,
        traceparent: closing.traceparent.clone(),
    };
    let card = CardId::derived(&[closing.cause.as_str(), "reply"]);
    let view = cards::say(&context.name, closing.lang, tone, text);
    origin.card(card, rev, view)
}

/// Forgets what was being closed and is gone already; true when something was.
pub(super) fn forget_gone(user: &mut UserRecord, is_there: impl Fn(SessionId) -> bool) -> bool {
    let before = user.closing.len();
    user.closing.retain(|closing| is_there(closing.session));
    user.closing.len() < before
}
