//! Plain text: to the assistant in smart mode, with what the person has here; else to the active session.

use common::ids::UserId;
use common::message::view::Tone;
use common::text::host::mailboy::MailText;

use super::{Desk, Went};
use crate::context::Origin;
use crate::mailboy::{Letter, Mailboy, Scene};
use crate::record::Mode;

impl Desk {
    /// Plain text: to the assistant in smart mode, else to the active session.
    pub(crate) async fn say_to(&mut self, place: u64, origin: &Origin, text: String) -> Went {
        let Some(mailboy) = self.assistant(&origin.user) else {
            let user = &origin.user;
            if self.user(user).mode == Mode::Smart && self.mine(user).is_empty() {
                self.say(place, origin, Tone::Plain, &MailText::NoModel)
                    .await;
                return Went::On;
            }
            return self.give_active(place, origin, text).await;
        };
        let letter = self.letter(place, origin, self.with_files(origin, text));
        mailboy.hand(letter).await;
        Went::On
    }

    /// The assistant, if this person's text goes there.
    pub(crate) fn assistant(&self, user: &UserId) -> Option<Mailboy> {
        let smart = self.user(user).mode == Mode::Smart;
        self.context.mailboy.clone().filter(|_| smart)
    }

    pub(super) fn letter(&self, place: u64, origin: &Origin, text: String) -> Letter {
        let grounds = self.grounds(&origin.user);
        // In full, as relative ones start in the session's folder.
        let files = self.attached(&origin.user, "");
        let files = files.iter().map(|file| grounds.root.join(&file.path));
        let files = files.map(|path| path.display().to_string()).collect();
        Letter {
            place,
            origin: origin.clone(),
            grounds,
            scene: Scene {
                sessions: self.session_lines(origin),
                files,
            },
            text,
        }
    }
}
