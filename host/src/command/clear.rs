//! `/clear`: in smart mode what was said to the model is forgotten; else it is the agent's own command.

use crate::context::Origin;
use crate::desk::{Desk, Went};

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) -> Went {
    if let Some(mailboy) = desk.assistant(&origin.user) {
        mailboy.forget(place, origin).await;
        return Went::On;
    }
    let text = format!("/clear {args}");
    desk.give_active(place, origin, text.trim().to_owned())
        .await
}
