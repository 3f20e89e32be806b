//! Tools about reminders. The router keeps them.

use super::args::Args;
use super::{Field, Outcome, needed};
use crate::context::{Context, Origin};

pub(super) const SET: (&str, &[Field]) = (
    "Sets a reminder: the person gets a message then, whatever becomes of this machine. Returns what was understood.",
    &[
        needed(
            "when",
            "string",
            "when, as the person would say it: `10m`, `tomorrow 9am`, `every mon-fri 9:00`, `每周一 9:00`, `cron \"0 9 * * 1-5\"`",
        ),
        needed("text", "string", "what about"),
    ],
);
pub(super) const LIST: (&str, &[Field]) = ("Lists the person's reminders with their numbers.", &[]);
pub(super) const CANCEL: (&str, &[Field]) = (
    "Takes back a reminder.",
    &[needed("number", "integer", "its number in the list")],
);

pub(super) async fn set(context: &Context, origin: &Origin, args: &Args) -> Outcome {
    let (when, text) = (args.text("when")?, args.text("text")?);
    context.reminders.set(origin, "tool", &when, &text).await
}

pub(super) async fn list(context: &Context, origin: &Origin) -> Outcome {
    context.reminders.list(origin).await
}

pub(super) async fn cancel(context: &Context, origin: &Origin, args: &Args) -> Outcome {
    let number = args
        .number("number")?
        .ok_or("the argument `number` is missing")?;
    let number = u32::try_from(number).map_err(|_| "there is no such number")?;
    context.reminders.cancel(origin, "tool", number).await
}
