//! From the broker to a surface: reads what is to be shown, each person's in order, and hands it to
//! the surface until it is shown.
//!
//! How something looks and how a repeat is recognised is the surface's ([`Show`]). Of several
//! gateways one shows at a time, or a card's older revision could come after a newer one; which one
//! that is, is `lib`'s to know.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, Lead, Outcome, consume};
use common::broker::lease::{Lease, Place};
use common::ids::{NodeId, Surface};
use common::message::decode;
use common::message::outbound::{Outbound, OutboundBody, Preview};
use common::subject::Sender;
use common::{stream, subject};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::preview::Previewed;
use crate::served::{Served, Word};

/// Held at once, over all people, as many as the server gives out; some KB each as a rule. What is
/// held waits for its person's earlier ones, so this is also how many may wait for one slow chat
/// before it holds up others. While the platform is down they fill and no more are fetched; the rest
/// waits in the stream.
const IN_FLIGHT: usize = 1024;
/// What is being shown when we stop may still be finished.
const DRAIN: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A node that the broker lets in and the hub's list does not have: the list is being written.
const LISTED_IN: Duration = Duration::from_secs(30);

/// Why something is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// The platform, or our memory of what was shown, cannot be reached now. Repeating is safe.
    #[error("{0}")]
    Later(String),
    /// It can never be shown.
    #[error("{0}")]
    Never(String),
}

/// A surface that shows things.
pub trait Show: Send + Sync + 'static {
    /// Which one.
    const SURFACE: Surface;
    /// The shortest time between two previews of one card.
    const PREVIEW_EVERY: Duration;

    /// Shows it, or recognises that it was shown already: called again and again, also by another
    /// process after a crash, it must not become visible twice.
    fn show(&self, outbound: &Outbound) -> impl Future<Output = Result<(), ShowError>> + Send;

    /// We lead now in place of one that ended without a word: what it had sent may still arrive.
    fn seized(&self) {}

    /// Edits a shown card in passing. Never after a newer revision of that card.
    fn preview(&self, preview: &Preview) -> impl Future<Output = Previewed> + Send;
}

/// Delivers as long as we lead.
pub(crate) async fn run<S: Show>(show: Arc<S>, broker: Broker, served: Served, lease: Lease) {
    let cancel = lease.over().clone();
    let consumer = S::SURFACE.as_str();
    let floor = Place {
        bucket: stream::kv_gate(S::SURFACE),
        key: "floor".into(),
    };
    let options = ConsumeOptions {
        stream: stream::OUT,
        consumer,
        in_flight: IN_FLIGHT,
        drain: DRAIN,
        dead: Some(NodeId::GATEWAY),
        lead: Some(Lead {
            lease: &lease,
            floor: &floor,
        }),
    };
    let key = |subject: &str| {
        subject::parse_out(subject).map_or_else(|| subject.to_owned(), |(_, user)| user.to_string())
    };
    let stopping = cancel.clone();
    let handle = move |delivery: Delivery| {
        let (show, served) = (Arc::clone(&show), served.clone());
        let cancel = stopping.clone();
        async move { one(&*show, &served, &delivery, &cancel).await }
    };
    consume(&broker, options, cancel, key, handle).await;
}

async fn one<S: Show>(
    show: &S,
    served: &Served,
    delivery: &Delivery,
    cancel: &CancellationToken,
) -> Outcome {
    let (sender, outbound) = match read(delivery) {
        Ok(read) => read,
        Err(why) => return Outcome::Dead(why),
    };
    common::crash_point!("gateway.shown.read");
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        let why = match may(served, &sender, &outbound, began).await {
            Err(ended) => return ended,
            Ok(Some(why)) => why,
            Ok(None) => match show.show(&outbound).await {
                Ok(()) => {
                    common::crash_point!("gateway.shown.kept");
                    return Outcome::Done;
                }
                Err(ShowError::Never(why)) => return Outcome::Dead(why),
                Err(ShowError::Later(why)) => why,
            },
        };
        warn!(id = %outbound.meta.id, user = %outbound.user, %why, ?pause, "not shown yet; trying again");
        // Waiting here and not in the stream keeps this person's order.
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(rand::random_range(0.8..1.2))) => {}
            () = cancel.cancelled() => return Outcome::Again(Duration::ZERO),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether it may be shown at all; a reason to ask again, or what else becomes of it.
async fn may(
    served: &Served,
    sender: &Sender,
    outbound: &Outbound,
    began: Instant,
) -> Result<Option<String>, Outcome> {
    let Sender::Node(node) = sender else {
        return Ok(None);
    };
    match served.lets_in(node, &outbound.user).await {
        Ok(Word::Yes) => Ok(None),
        Ok(Word::No) => {
            served.refuse(node, &outbound.user, "reply");
            Err(Outcome::Done)
        }
        Ok(Word::Unknown) if began.elapsed() < LISTED_IN => {
            Ok(Some(format!("the hub's list does not have {node} yet")))
        }
        Ok(Word::Unknown) => Err(Outcome::Dead(format!(
            "the hub's list does not have {node}"
        ))),
        Err(why) => Ok(Some(format!("whom {node} serves cannot be read: {why}"))),
    }
}

/// The message, if it is for whom its subject says: the subject is what the broker has checked.
fn read(delivery: &Delivery) -> Result<(Sender, Outbound), String> {
    let (sender, user) = subject::parse_out(&delivery.subject)
        .ok_or_else(|| format!("`{}` is not a subject of this kind", delivery.subject))?;
    let outbound: Outbound =
        decode("outbound", &delivery.payload).map_err(|error| error.to_string())?;
    if outbound.user != user {
        return Err(format!(
            "its subject is of {user}, but it says it is for {}",
            outbound.user
        ));
    }
    let claimed = match &outbound.body {
        OutboundBody::File { node, .. } | OutboundBody::Fetch { node, .. } => Some(node),
        OutboundBody::Card { .. } | OutboundBody::Notice { .. } => None,
    };
    if let Some(claimed) = claimed
        && sender != Sender::Node(claimed.clone())
    {
        return Err(format!(
            "it speaks of files of {claimed}, which did not send it"
        ));
    }
    Ok((sender, outbound))
}
