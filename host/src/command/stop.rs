//! `/stop`: interrupts what the active session is doing. Its card tells how that ended.

use common::message::view::Tone;
use common::text::host::HostText;

use crate::context::Origin;
use crate::desk::Desk;
use crate::session::Msg;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin) {
    let Some(session) = desk.active(&origin.user) else {
        desk.say(place, origin, Tone::Plain, &HostText::NothingRuns)
            .await;
        return;
    };
    let origin = Box::new(origin.clone());
    let msg = Msg::Stop {
        place,
        origin,
        turn: None,
    };
    desk.pass(place, session.record.id, msg).await;
}
