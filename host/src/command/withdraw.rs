//! [Cancel] on a message that waited for us while we were off: the router took it out of our line
//! and cannot tell whether an earlier life of ours had it already. It ends the router's card.
//!
//! What never came is marked as seen, so that it is not taken if it still comes. What waits for a
//! running turn is taken back. What runs, or ran, is left, and the card says so.

use common::ids::CauseId;
use common::message::view::Tone;
use common::message::work::{WAITING_LAST_REV, waiting_card};
use common::text::host::HostText;

use crate::cards;
use crate::context::Origin;
use crate::desk::{Desk, Went};
use crate::journal::Change;
use crate::report;
use crate::session::Msg;

pub(crate) async fn run(desk: &Desk, place: u64, origin: &Origin, cause: &CauseId) -> Went {
    let context = &desk.context;
    // It is about the message and not about the tap.
    let about = Origin {
        cause: cause.clone(),
        ..origin.clone()
    };
    let end = |tone, text: &HostText| {
        let view = cards::say(&context.name, origin.lang, tone, text);
        about.card(waiting_card(cause), WAITING_LAST_REV, view)
    };
    let back = end(Tone::Plain, &HostText::Cancelled);
    let late = end(Tone::Warning, &HostText::AlreadyTaken);
    let changes = vec![back.clone(), Change::Done(place)];
    // Marked; or we are stopping, and it stays in the inbox.
    if context.withdraw(cause, changes).await != Some(false) {
        return Went::On;
    }
    let turn = report::turn_of(cause);
    let known = context.turn(turn).await;
    let mine = desk.mine(&origin.user);
    // What was handed to a session a moment ago may not be written down yet; it is in the mailbox
    // before us.
    let session = match known {
        Some(known) => Some(known.session),
        None => desk.active(&origin.user).map(|one| one.record.id),
    };
    let session = session.filter(|id| mine.iter().any(|one| one.record.id == *id));
    let Some(session) = session else {
        context.commit(vec![late, Change::Done(place)]).await;
        return Went::On;
    };
    let msg = Msg::TakeBack {
        place,
        turn,
        back: Box::new(back),
        late: Box::new(late),
    };
    desk.pass(place, origin, session, msg).await
}
