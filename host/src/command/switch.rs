//! `/switch <n>`: another session becomes the active one.

use common::command::Command;
use common::message::view::Tone;

use super::pick;
use crate::context::Origin;
use crate::desk::Desk;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    if args.is_empty() {
        desk.usage(place, origin, Command::Switch, None).await;
        return;
    }
    match pick(&desk.mine(&origin.user), args) {
        Ok(session) => desk.make_active(place, origin, &session).await,
        Err(text @ common::text::host::HostText::NotANumber { .. }) => {
            desk.usage(place, origin, Command::Switch, Some(&text))
                .await;
        }
        Err(text) => desk.say(place, origin, Tone::Warning, &text).await,
    }
}
