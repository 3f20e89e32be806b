//! `/smart`: text is understood by a model first; kept across restarts.

use common::message::view::Tone;
use common::text::host::mailboy::MailText;

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;
use crate::journal::Change;
use crate::record::Mode;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin) {
    let mut user = desk.user(&origin.user);
    user.mode = Mode::Smart;
    let mailboy = desk.context.mailboy.as_ref();
    let text = MailText::SmartOn {
        model: mailboy.map(|mailboy| mailboy.model().to_owned()),
    };
    let view = cards::say(&desk.context.name, origin.lang, Tone::Done, &text);
    desk.keep(user, vec![origin.reply(view), Change::Done(place)])
        .await;
}
