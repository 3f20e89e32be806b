//! `/close [n]`: ends a session. Its directory stays as it is.

use common::command::Command;
use common::message::view::Tone;
use common::text::host::HostText;

use super::pick;
use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;
use crate::journal::Change;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let mine = desk.mine(&origin.user);
    let session = if args.is_empty() {
        desk.active(&origin.user).ok_or(HostText::NoSession)
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
    let mut user = desk.user(&origin.user);
    if user.active == Some(session.record.id) {
        user.active = None;
    }
    let text = HostText::Closed {
        n: session.n,
        dir: session.record.dir,
    };
    let view = cards::say(&desk.context.name, origin.lang, Tone::Done, &text);
    let changes = vec![
        origin.reply(view),
        Change::User(user.clone()),
        Change::Done(place),
    ];
    if session.handle.close(changes.clone()).await {
        desk.forget(session.record.id, user);
    } else if !desk.context.cancel.is_cancelled() {
        // Its task has failed; what is left of it is in the journal.
        let drop = Change::DropSession(session.record.id);
        desk.context.commit([vec![drop], changes].concat()).await;
        desk.forget(session.record.id, user);
    }
}
