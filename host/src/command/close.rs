//! `/close [n]`: ends a session. Its directory stays as it is. How it ends is `desk::closing`'s.

use common::command::Command;
use common::message::view::Tone;
use common::text::host::HostText;

use super::pick;
use crate::context::Origin;
use crate::desk::Desk;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let mine = desk.mine(&origin.user);
    let session = if args.is_empty() {
        desk.active(&origin.user)
            .ok_or_else(|| desk.none_active(&origin.user))
    } else {
        pick(&mine, args)
    };
    let session = match session {
        Ok(session) => session,
        Err(text @ HostText::NotANumber { .. }) => {
            desk.usage(place, origin, Command::Close, Some(&text)).await;
            return;
        }
        Err(text) => {
            desk.say(place, origin, Tone::Warning, &text).await;
            return;
        }
    };
    desk.close(place, origin, &session).await;
}
