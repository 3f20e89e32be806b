//! `/fetch <url>`: a page of the web as text.

use common::message::view::Tone;
use common::text::host::HostText;

use crate::context::Origin;
use crate::desk::Desk;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, _args: &str) {
    let text = HostText::UnknownCommand {
        name: "/fetch".into(),
    };
    desk.say(place, origin, Tone::Warning, &text).await;
}
