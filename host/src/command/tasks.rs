//! `/tasks [n]`: commands that run by themselves.

use common::message::view::Tone;
use common::text::host::HostText;

use crate::context::Origin;
use crate::desk::Desk;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, _args: &str) {
    let text = HostText::UnknownCommand {
        name: "/tasks".into(),
    };
    desk.say(place, origin, Tone::Warning, &text).await;
}
