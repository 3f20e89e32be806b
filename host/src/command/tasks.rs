//! `/tasks [n]`: commands that run, or ran, and what they wrote.

use common::command::Command;
use common::command::typed::number;
use common::message::view::Tone;
use common::text::host::HostText;
use common::text::host::shell::ShellText;

use crate::context::Origin;
use crate::desk::Desk;
use crate::session::progress::one_line;
use crate::task::cards;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let context = std::sync::Arc::clone(&desk.context);
    let args = args.trim();
    if args.is_empty() {
        let all = context.shell.list(&context, &origin.user).await;
        let view = cards::list(&context.name, &context.node, origin.lang, &all);
        return desk.show(place, origin, view).await;
    }
    let Some(n) = number::<u64>(args) else {
        let wrong = HostText::NotANumber {
            got: one_line(args, 40),
        };
        return desk
            .usage(place, origin, Command::Tasks, Some(&wrong))
            .await;
    };
    let Some(live) = context.shell.show(&context, &origin.user, n).await else {
        let text = ShellText::NoSuchTask { n: n.to_string() };
        return desk.say(place, origin, Tone::Warning, &text).await;
    };
    let mut record = live.record;
    record.origin.lang = origin.lang;
    let ran = chrono::Utc::now()
        .signed_duration_since(record.started_at)
        .to_std()
        .ok();
    let view = cards::view(&context.name, &context.node, &record, &live.shown, ran, &[]);
    desk.show(place, origin, view).await;
}
