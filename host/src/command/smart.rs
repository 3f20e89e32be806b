//! `/smart`: text is understood by a model first; kept across restarts.

use common::message::view::Tone;
use common::text::host::HostText;

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;
use crate::journal::Change;
use crate::record::Mode;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin) {
    let mut user = desk.user(&origin.user);
    user.mode = Mode::Smart;
    let view = cards::say(
        &desk.context.name,
        origin.lang,
        Tone::Done,
        &HostText::SmartOn,
    );
    desk.keep(user, vec![origin.reply(view), Change::Done(place)])
        .await;
}
