//! Reminders that the chat model on a node sets, lists and takes back for a person: requests, answered in the
//! person's language. A node asks for those whom it serves, in its own name, and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use common::broker::Broker;
use common::ids::{MessageId, NodeId};
use common::message::remind::{RemindAnswer, RemindAsk, RemindWish};
use common::message::{decode, encode};
use common::subject;
use common::text::Say as _;
use common::text::router::remind::RemindText as Text;
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::when;
use super::{Refused, Wish};
use crate::act::Desk;
use crate::cards::remind as show;
use crate::users::Stopped;

/// Requests answered at once; more wait in line, and who waits too long asks again.
const AT_ONCE: usize = 16;

/// Begins to listen. Answers until `stop`.
///
/// # Errors
/// When the broker does not let us listen.
pub(crate) async fn start(
    desk: Arc<Desk>,
    broker: Broker,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), async_nats::Error> {
    let mut asked = broker.client().subscribe(subject::REMIND_ALL).await?;
    let (tasks_of_each, stop) = (tasks.clone(), stop.clone());
    tasks.spawn(async move {
        let free = Arc::new(Semaphore::new(AT_ONCE));
        let answering = async {
            while let Some(message) = asked.next().await {
                let Ok(turn) = Arc::clone(&free).acquire_owned().await else {
                    return;
                };
                let (desk, broker) = (Arc::clone(&desk), broker.clone());
                tasks_of_each.spawn(async move {
                    let _turn = turn;
                    hear(&desk, &broker, message).await;
                });
            }
        };
        let _: Option<()> = stop.run_until_cancelled(answering).await;
    });
    Ok(())
}

async fn hear(desk: &Desk, broker: &Broker, message: async_nats::Message) {
    let Some(reply) = message.reply.clone() else {
        return;
    };
    // The broker lets a node publish below its own name only, so the subject is the truth.
    let node = subject::parse_remind(&message.subject);
    let ask = decode::<RemindAsk>("request about reminders", &message.payload);
    let (node, ask) = match (node, ask) {
        (Some(node), Ok(ask)) if ask.node == node => (node, ask),
        (node, ask) => {
            let why = ask.err().map(|why| why.to_string());
            warn!(
                ?node,
                ?why,
                "a request about reminders that is not its sender's, or cannot be read"
            );
            return;
        }
    };
    // Where we do not lead any more, whoever leads next is asked again.
    let Ok(answer) = answer(desk, &node, &ask).await else {
        return;
    };
    let payload = Bytes::from(encode(&answer));
    if let Err(why) = broker.client().publish(reply, payload).await {
        debug!(%why, "an answer about reminders was not sent");
    }
}

async fn answer(desk: &Desk, node: &NodeId, ask: &RemindAsk) -> Result<RemindAnswer, Stopped> {
    let (reminders, user) = (&desk.reminders, &ask.user);
    let person = desk.users.peek(user).await?;
    let lang = person.language().or(desk.lang).unwrap_or_default();
    let no = |text: String| RemindAnswer { done: false, text };
    let yes = |text: String| RemindAnswer { done: true, text };
    let theirs = desk.candidates(user).await;
    if !theirs.iter().any(|one| one.node == *node) {
        warn!(code = "not-served", %node, %user, "a request about reminders of somebody whom the node does not serve; refused");
        return Ok(no(Text::NotServed.say(lang)));
    }
    let zone = person.zone().unwrap_or(reminders.zone);
    let cause = &ask.meta.cause;
    Ok(match &ask.wish {
        RemindWish::Set { when, text } => {
            let wish = Wish {
                id: MessageId::derived(&["reminder", &user.to_string(), cause.as_str(), &ask.key]),
                user,
                chat: &ask.chat,
                cause,
                traceparent: &ask.meta.traceparent,
                now: chrono::Utc::now(),
                zone,
            };
            let read = when::read(when.trim(), wish.now, zone, reminders.bounds());
            let set = match read {
                Ok((when, rest)) if rest.trim().is_empty() => {
                    reminders.set(wish, when, text).await?
                }
                Ok(_) => Err(Refused::When(when::Why::Unclear)),
                Err(why) => Err(Refused::When(why)),
            };
            match set {
                Ok(one) => yes(show::plain(&show::set(lang, &one))),
                Err(why) => no(show::plain(&show::refused(
                    lang,
                    &why,
                    zone,
                    reminders.bounds(),
                ))),
            }
        }
        RemindWish::List => yes(show::plain(&show::list(
            lang,
            &reminders.waiting(user),
            zone,
        ))),
        RemindWish::Cancel { number } => {
            // An act of the node's own: the person's next one may take back another.
            let by = common::ids::CauseId::new(user.surface(), &format!("{cause}/{}", ask.key));
            match reminders.cancel_number(user, *number, &by).await? {
                Some(one) => yes(show::plain(&show::cancelled(lang, &one))),
                None => no(show::plain(&show::no_number(lang, *number))),
            }
        }
    })
}
