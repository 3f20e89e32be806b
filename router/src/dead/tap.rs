//! A tap on [Retry] or [Discard]: carried out once, by whoever is asked first, for the person whose
//! letter it is.

use std::time::Duration;

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{DeleteMessageErrorKind, RawMessageErrorKind};
use common::broker::PublishError;
use common::broker::dead::Letter;
use common::ids::MessageId;
use common::lang::Lang;
use common::message::inbound::Inbound;
use common::message::view::DeadChoice;
use common::stream;
use tracing::{debug, info, warn};

use super::{card_of, read};
use crate::act::Desk;
use crate::cards::dead as show;
use crate::users::{Settled, Stopped, User};

const PAUSE: Duration = Duration::from_millis(300);

/// Carries out a tap about the letter at `sequence`. The first one counts; dying on the way, the
/// same tap comes again and ends the same way.
pub(crate) async fn tapped(
    desk: &Desk,
    inbound: &Inbound,
    mut user: User,
    sequence: u64,
    choice: DeadChoice,
    lang: Lang,
) -> Result<(), Stopped> {
    let replies = &desk.dispatch.replies;
    let found = own(desk, inbound, sequence).await?;
    let before = user.settled(sequence).copied();
    // A stream that was made anew counts from the start: that is another letter.
    let before = before.filter(|one| {
        found
            .as_ref()
            .is_none_or(|letter| card_of(letter) == one.card)
    });
    let settled = match (&found, before) {
        (_, Some(before)) => before,
        (None, None) => return replies.show(inbound, "answer", show::gone(lang)).await,
        (Some(letter), None) => {
            if choice == DeadChoice::Retry {
                if let Some(bytes) = letter.cut_from {
                    let view = show::cut(lang, bytes);
                    return replies.show(inbound, "answer", view).await;
                }
                if !hand_in(desk, letter).await? {
                    // The question keeps its buttons.
                    return replies.show(inbound, "answer", show::no_room(lang)).await;
                }
            }
            common::crash_point!("router.dead.handed");
            let settled = Settled {
                sequence,
                card: card_of(letter),
                choice,
            };
            // Only now, so that dying before it repeats the whole tap: the same id is stored once.
            user.settle(settled);
            desk.users.put(&inbound.user, &user).await?;
            common::crash_point!("router.dead.settled");
            info!(user = %inbound.user, sequence, ?choice, from = %letter.subject, "a dead letter is settled");
            settled
        }
    };
    match settled.choice {
        // Also when it was settled before: we may have died right after writing that down.
        DeadChoice::Discard if found.is_some() => remove(desk, sequence).await?,
        DeadChoice::Discard | DeadChoice::Retry => {}
    }
    let late = settled.choice != choice;
    let view = show::settled(lang, settled.choice, late);
    let rev = if late { 3 } else { 2 };
    replies
        .card(inbound, "answer", settled.card, rev, view)
        .await
}

/// The letter at that place, if it is there and this person's own. Waits for the broker where it
/// must.
async fn own(desk: &Desk, inbound: &Inbound, sequence: u64) -> Result<Option<Letter>, Stopped> {
    let Some(raw) = fetch(desk, sequence).await? else {
        return Ok(None);
    };
    match read(&raw.subject, &raw.headers, &raw.payload) {
        Ok((user, letter, _)) if user == inbound.user => Ok(Some(letter)),
        Ok(_) => {
            warn!(user = %inbound.user, sequence, "a tap names a dead letter of somebody else; refused");
            Ok(None)
        }
        Err(why) => {
            warn!(user = %inbound.user, sequence, %why, "a tap names something that is no dead letter; refused");
            Ok(None)
        }
    }
}

async fn fetch(desk: &Desk, sequence: u64) -> Result<Option<StreamMessage>, Stopped> {
    loop {
        let letters = desk
            .dispatch
            .broker
            .jetstream()
            .get_stream_no_info(stream::DLQ);
        let why = match letters.await {
            Err(why) => why.to_string(),
            Ok(letters) => match letters.get_raw_message(sequence).await {
                Ok(raw) => return Ok(Some(raw)),
                Err(why) => match why.kind() {
                    RawMessageErrorKind::NoMessageFound => return Ok(None),
                    // No such place; a tap may name anything.
                    RawMessageErrorKind::JetStream(api) if api.code() < 500 => return Ok(None),
                    RawMessageErrorKind::JetStream(_)
                    | RawMessageErrorKind::InvalidSubject
                    | RawMessageErrorKind::Other => why.to_string(),
                },
            },
        };
        debug!(sequence, %why, "a dead letter cannot be read; again");
        pause(desk).await?;
    }
}

/// Publishes it where it was, under an id of its own: the stream still knows the first one. However
/// often the same letter is handed in, it is stored once. False: there is no room.
async fn hand_in(desk: &Desk, letter: &Letter) -> Result<bool, Stopped> {
    let id = MessageId::derived(&["retry", &letter.id]).to_string();
    let dispatch = &desk.dispatch;
    let sent = dispatch.broker.publish_until(
        &letter.subject,
        &id,
        &letter.traceparent,
        letter.payload.clone(),
        &dispatch.cancel,
    );
    match sent.await {
        Ok(_) => {
            dispatch.waiting.look_again();
            Ok(true)
        }
        Err(PublishError::Unsure(_)) => Err(Stopped),
        Err(PublishError::Full(why)) => {
            warn!(code = "no-room", to = %letter.subject, %why, "a dead letter cannot be handed in again");
            Ok(false)
        }
    }
}

async fn remove(desk: &Desk, sequence: u64) -> Result<(), Stopped> {
    loop {
        let letters = desk
            .dispatch
            .broker
            .jetstream()
            .get_stream_no_info(stream::DLQ);
        let why = match letters.await {
            Err(why) => why.to_string(),
            Ok(letters) => match letters.delete_message(sequence).await {
                Ok(_) => return Ok(()),
                Err(why) => match why.kind() {
                    // It has gone meanwhile, or goes with its time: it is settled in any case.
                    DeleteMessageErrorKind::JetStream(_) => {
                        warn!(sequence, %why, "a discarded letter cannot be removed");
                        return Ok(());
                    }
                    DeleteMessageErrorKind::Request | DeleteMessageErrorKind::TimedOut => {
                        why.to_string()
                    }
                },
            },
        };
        debug!(sequence, %why, "a dead letter cannot be removed; again");
        pause(desk).await?;
    }
}

async fn pause(desk: &Desk) -> Result<(), Stopped> {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => Ok(()),
        () = desk.dispatch.cancel.cancelled() => Err(Stopped),
    }
}
