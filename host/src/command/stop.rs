//! `/stop`: interrupts what the assistant or the active session is doing. Its card tells how that ended.

use common::message::view::Tone;
use common::text::host::HostText;

use crate::context::Origin;
use crate::desk::{Desk, Went};
use crate::session::Msg;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin) -> Went {
    // What plain text began is what is stopped first.
    if let Some(mailboy) = &desk.context.mailboy
        && mailboy.stop(place, origin, None).await
    {
        return Went::On;
    }
    let Some(session) = desk.active(&origin.user) else {
        desk.say(place, origin, Tone::Plain, &HostText::NothingRuns)
            .await;
        return Went::On;
    };
    let msg = Msg::Stop {
        place,
        origin: Box::new(origin.clone()),
        turn: None,
    };
    desk.pass(place, origin, session.record.id, msg).await
}
