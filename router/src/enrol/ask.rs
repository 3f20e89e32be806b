//! Asks administrators about a machine, and shows them what became of it. Behind the owner's back: a slow broker must
//! not keep machines waiting. Every id is derived, so nothing is shown twice.

use common::ids::{CauseId, MessageId, UserId};
use common::message::outbound::OutboundBody;
use tracing::warn;

use super::requests::{Fate, Request};
use super::{Parts, Task};
use crate::cards;
use crate::reply::{Replies, To, their_own};
use crate::users::{Stopped, Users};

impl Task {
    /// Shows a request to everybody who may answer it, but not to who just did: their tap is answered already.
    pub(super) fn show(&self, request: &Request, but: Option<&UserId>) {
        let Parts {
            replies,
            users,
            lang,
            ..
        } = &self.parts;
        for admin in &self.options.admins {
            if but == Some(admin) {
                continue;
            }
            let (admin, request) = (admin.clone(), request.clone());
            let (replies, users, lang) = (replies.clone(), users.clone(), *lang);
            self.tasks.spawn(async move {
                if show(&replies, &users, lang, &admin, &request).await.is_err() {
                    warn!(%admin, node = %request.node, "an administrator was not asked; the machine asks again");
                }
            });
        }
    }
}

async fn show(
    replies: &Replies,
    users: &Users,
    lang: Option<common::lang::Lang>,
    admin: &UserId,
    request: &Request,
) -> Result<(), Stopped> {
    let lang = users
        .get(admin)
        .await?
        .language()
        .or(lang)
        .unwrap_or_default();
    let card = request.card(admin);
    let cause = CauseId::new(admin.surface(), &format!("enrol-{card}"));
    // Nothing was said in any chat: the person's own with us is meant.
    let chat = their_own();
    let to = To {
        user: admin,
        chat: &chat,
        cause: &cause,
        traceparent: "",
    };
    let (rev, view) = match request.fate {
        Fate::Open => (1, cards::enrol::question(lang, request)),
        Fate::Approved { .. } | Fate::Denied { .. } => {
            (2, cards::enrol::settled(lang, request, false))
        }
    };
    let id = MessageId::derived(&[cause.as_str(), &rev.to_string()]);
    replies
        .put(id, &to, OutboundBody::Card { card, rev, view })
        .await?;
    if rev == 1 {
        // Cards do not ring, and a machine waits.
        let text = cards::enrol::ring(lang, request);
        let id = MessageId::derived(&[cause.as_str(), "ring"]);
        replies.put(id, &to, OutboundBody::Notice { text }).await?;
    }
    Ok(())
}
