//! Taps: each finds what it is about, if that is the tapper's own.

use common::message::view::{Action, WaitingChoice};
use common::text::Say as _;
use common::text::host::HostText;

use super::{Desk, Went};
use crate::command as commands;
use crate::context::Origin;
use crate::journal::Change;
use crate::session::Msg;

impl Desk {
    /// A tap is for the session of its question or turn, if that is the tapper's own.
    pub(super) async fn tap(&mut self, place: u64, origin: Origin, action: Action) -> Went {
        if let Action::Waiting {
            cause,
            choice: WaitingChoice::Cancel,
            ..
        } = &action
        {
            return commands::withdraw::run(self, place, &origin, cause).await;
        }
        if let Action::Stop { turn, .. } = &action
            && let Some(owner) = self.context.shell.owner(*turn)
        {
            let mut changes = vec![Change::Done(place)];
            if owner == origin.user {
                self.context.shell.stop(&owner, *turn);
            } else {
                let text = HostText::NotYours.say(origin.lang);
                changes.push(origin.notice("not yours", text));
            }
            self.context.commit(changes).await;
            return Went::On;
        }
        let prompt = match &action {
            Action::Answer { prompt, .. } => self.context.prompt(*prompt).await,
            Action::Stop { .. }
            | Action::Recover { .. }
            | Action::Queued { .. }
            | Action::Switch { .. }
            | Action::UseNode { .. }
            | Action::Waiting { .. }
            | Action::Dead { .. }
            | Action::Enrol { .. }
            | Action::OtherNode { .. }
            | Action::Remind { .. } => None,
        };
        let turn = match &action {
            Action::Stop { turn, .. }
            | Action::Recover { turn, .. }
            | Action::Queued { turn, .. } => self.context.turn(*turn).await,
            Action::Answer { .. }
            | Action::Switch { .. }
            | Action::UseNode { .. }
            | Action::Waiting { .. }
            | Action::Dead { .. }
            | Action::Enrol { .. }
            | Action::OtherNode { .. }
            | Action::Remind { .. } => None,
        };
        let about = prompt
            .as_ref()
            .map(|prompt| (&prompt.user, prompt.session))
            .or_else(|| turn.as_ref().map(|turn| (&turn.user, turn.session)));
        if let Some((owner, _)) = about
            && *owner != origin.user
        {
            let text = HostText::NotYours.say(origin.lang);
            self.context
                .commit(vec![origin.notice("not yours", text), Change::Done(place)])
                .await;
            return Went::On;
        }
        if let (Action::Answer { prompt, answer, .. }, None) = (&action, about)
            && self
                .context
                .confirms
                .tap(place, &origin, *prompt, *answer)
                .await
        {
            return Went::On;
        }
        if about.is_none() && self.tap_elsewhere(place, &origin, &action).await {
            return Went::On;
        }
        let session = about.map(|(_, session)| session);
        let is_there = session.is_some_and(|session| self.sessions.contains_key(&session));
        if let Action::Answer { .. } = &action
            && !is_there
            && !self.context.cancel.is_cancelled()
        {
            // Of a session that is closed, or forgotten. While we are stopping it may only not have
            // been read.
            let text = HostText::NobodyAsks.say(origin.lang);
            self.context
                .commit(vec![origin.notice("late", text), Change::Done(place)])
                .await;
            return Went::On;
        }
        let from = origin.clone();
        let origin = Box::new(origin);
        let msg = match action {
            Action::Answer { answer, .. } => prompt.map(|prompt| Msg::Answer {
                place,
                origin,
                prompt: Box::new(prompt),
                answer,
            }),
            Action::Stop { turn, .. } => Some(Msg::Stop {
                place,
                origin,
                turn: Some(turn),
            }),
            Action::Recover { turn, choice, .. } => Some(Msg::Recover {
                place,
                turn,
                choice,
            }),
            Action::Queued { turn, choice, .. } => Some(Msg::Queued {
                place,
                turn,
                choice,
            }),
            Action::Switch { session, .. } => {
                let mine = self.mine(&origin.user);
                if let Some(found) = mine.into_iter().find(|one| one.record.id == session) {
                    self.make_active(place, &origin, &found).await;
                    return Went::On;
                }
                None
            }
            // The router's own; of those about what waits, only taking back is asked of us.
            Action::UseNode { .. }
            | Action::Waiting { .. }
            | Action::Dead { .. }
            | Action::Enrol { .. }
            | Action::OtherNode { .. }
            | Action::Remind { .. } => None,
        };
        if let (Some(session), Some(msg)) = (session, msg) {
            return self.pass(place, &from, session, msg).await;
        }
        // Of a turn that is over, a session that is closed: nothing to do any more. If we are
        // stopping it may not have been read: it stays in the inbox.
        if !self.context.cancel.is_cancelled() {
            self.done(place).await;
        }
        Went::On
    }

    /// A tap on something that no session has: the assistant's, if it knows it.
    async fn tap_elsewhere(&self, place: u64, origin: &Origin, action: &Action) -> bool {
        let Some(mailboy) = &self.context.mailboy else {
            return false;
        };
        match action {
            Action::Stop { turn, .. } => mailboy.stop(place, origin, Some(*turn)).await,
            Action::Recover { turn, choice, .. } => {
                let letter = self.letter(place, origin, String::new());
                mailboy.recover(letter, *turn, *choice).await
            }
            Action::Answer { .. }
            | Action::Queued { .. }
            | Action::Switch { .. }
            | Action::UseNode { .. }
            | Action::Waiting { .. }
            | Action::Dead { .. }
            | Action::Enrol { .. }
            | Action::OtherNode { .. }
            | Action::Remind { .. } => false,
        }
    }
}
