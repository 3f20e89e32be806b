//! Files that go with a prompt: pictures as pictures, all of them by their names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::text::Say as _;
use common::text::host::files::FilesText;

use crate::agent::{Image, UserMessage};
use crate::context::Context;
use crate::files::from_dir;
use crate::journal::{Change, Shelf};
use crate::record::TurnRecord;

/// The most pictures in one prompt; any other is named like a file.
const MOST_PICTURES: usize = 10;
/// The most bytes of pictures in one prompt: the service takes 32 MB in all.
const MOST_BYTES: usize = 15_000_000;

/// The steps that take the files off the shelf, with the turn that has them now.
pub(super) fn taken(turn: &TurnRecord) -> impl Iterator<Item = Change> {
    turn.attachments
        .iter()
        .map(|file| Change::Take(Shelf::File, file.key.clone()))
}

/// The prompt as the agent gets it, in a session in `dir`.
pub(super) async fn message(context: &Context, dir: &str, turn: &TurnRecord) -> UserMessage {
    let mut message = UserMessage::text(turn.key, turn.text.clone());
    if turn.attachments.is_empty() {
        return message;
    }
    message.text.push_str("\n\n");
    message.text.push_str(&FilesText::WithPrompt.say(turn.lang));
    let mut room = MOST_BYTES;
    for file in &turn.attachments {
        let mut line = from_dir(dir, &file.path);
        if !context.files.is_there(file).await {
            line = FilesText::LostWithPrompt { path: line }.say(turn.lang);
        } else if message.images.len() < MOST_PICTURES
            && let Some((media_type, bytes)) = context.files.picture(file).await
            && bytes.len() <= room
        {
            room -= bytes.len();
            message.images.push(Image {
                media_type: media_type.to_owned(),
                base64: STANDARD.encode(bytes),
            });
        }
        message.text.push_str("\n- ");
        message.text.push_str(&line);
    }
    message
}
