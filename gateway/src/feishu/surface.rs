//! Feishu as a surface: from the platform's events to the broker, and its connection's line in
//! `/health`.
//!
//! The wire is in the modules beside this one; what has arrived waits in `arrived`, showing what comes
//! back is in `show`.

mod arrived;
mod files;
mod late;
mod refused;
mod show;

use std::sync::Arc;
use std::time::Duration;

use common::health::Health;
use common::http::{HttpError, HttpOptions};
use common::identity::seal;
use common::ids::{CauseId, MessageId, Surface, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind, FileRef, InboundBody};
use common::message::view::Action;
use common::text::Say as _;
use common::text::gateway::GatewayText;
use moka::sync::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::FeishuOptions;
use super::api::{Api, Message, Patience};
use super::connection::{self, AckAnswer, Delivery, Handler, Status, Tuning};
use super::error::ErrorKind;
use super::event::{Content, FeishuMessage, FeishuTap, OwnId};
use crate::admission::{Admission, Verdict};
use crate::files::Transfers;
use crate::intake::{self, Act, Intake, Taken};
use crate::ledger::Ledger;

use arrived::{Arrivals, Caused, Stand};
use files::Files;
pub use show::Feishu;

/// The reaction that says "received", seconds before anything else can be seen.
const RECEIVED: &str = "OnIt";
/// Reactions and refusals under way at once. They are a courtesy: over this they are left out.
const COURTESIES: usize = 32;
/// Chats whose kind is remembered, for taps that do not tell it.
const CHATS: u64 = 10_000;

/// The receiving side.
struct Ears {
    api: Api,
    intake: Intake,
    admission: Admission,
    /// None: as they write.
    lang: Option<Lang>,
    arrivals: Arrivals,
    /// What we seal with that a person sent a file; every gateway of the app has it.
    seals: SecretString,
    chats: Cache<String, ChatKind>,
    courtesies: Arc<Semaphore>,
    tracker: TaskTracker,
}

/// What the surface works with.
pub(crate) struct Parts {
    pub(crate) intake: Intake,
    pub(crate) admission: Admission,
    pub(crate) ledger: Ledger,
    pub(crate) transfers: Transfers,
    pub(crate) lang: Option<Lang>,
}

/// Starts receiving on `tracker`, and gives what shows. A platform that cannot be reached, or
/// refuses the app, is no error here: it is tried again, and `/health` says why.
pub(crate) fn start(
    options: &FeishuOptions,
    parts: Parts,
    health: &Health,
    tracker: &TaskTracker,
    cancel: &CancellationToken,
) -> Result<Arc<Feishu>, HttpError> {
    let http = common::http::client(HttpOptions::default())?;
    let api = Api::new(options.clone(), http.clone(), Patience::default());
    let ears = Arc::new(Ears {
        api: api.clone(),
        arrivals: Arrivals::new(parts.intake.clone()),
        seals: options.app_secret.clone(),
        intake: parts.intake,
        admission: parts.admission,
        lang: parts.lang,
        chats: Cache::new(CHATS),
        courtesies: Arc::new(Semaphore::new(COURTESIES)),
        tracker: tracker.clone(),
    });
    tracker.spawn(learn_own_id(Arc::clone(&ears), cancel.clone()));
    let status = connection::start(
        options.clone(),
        http,
        Tuning::default(),
        ears,
        tracker,
        cancel.clone(),
    );
    tracker.spawn(show_status(status, health.clone()));
    let files = Files {
        transfers: parts.transfers,
        seals: options.app_secret.clone(),
    };
    Ok(Arc::new(Feishu::new(
        api,
        parts.ledger,
        files,
        parts.lang.unwrap_or_default(),
    )))
}

/// Keeps the board in step with the connection; ends with it.
async fn show_status(mut status: watch::Receiver<Status>, health: Health) {
    loop {
        let now = status.borrow_and_update().clone();
        let ok = match now {
            Status::Connected { .. } => true,
            Status::Connecting
            | Status::Retrying { .. }
            | Status::Refused { .. }
            | Status::Stopped => false,
        };
        let detail = serde_json::to_value(&now).unwrap_or(Value::Null);
        health.set("feishu", ok, detail);
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// Asks who we are, so that a mention of us is told from a mention of somebody else. What happens to
/// mentions until it is known, or if it never is, stands at [`event::parse`].
async fn learn_own_id(ears: Arc<Ears>, cancel: CancellationToken) {
    let mut pause = Duration::from_secs(1);
    loop {
        let asked = tokio::select! {
            asked = ears.api.bot_info() => asked,
            () = cancel.cancelled() => return,
        };
        match asked {
            Ok(bot) => {
                info!(
                    name = bot.name,
                    open_id = bot.open_id,
                    "the Feishu bot is known"
                );
                ears.arrivals.know(OwnId::Known(bot.open_id));
                return;
            }
            Err(why) => {
                warn!(%why, ?pause, "cannot learn the bot's own id; trying again");
                if matches!(
                    why.kind,
                    ErrorKind::Permission { .. } | ErrorKind::Permanent
                ) {
                    ears.arrivals.know(OwnId::Withheld);
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return,
        }
        pause = (pause * 2).min(Duration::from_secs(300));
    }
}

impl Handler for Ears {
    /// Reads the event and takes the person's place in line.
    fn arrived(&self, delivery: &Delivery) {
        self.arrivals.put(delivery);
    }

    async fn handle(&self, delivery: Delivery) -> AckAnswer {
        match self.arrivals.take(&delivery) {
            Caused::Message(message, stand) => self.message(*message, stand).await,
            Caused::Tap(tap, stand) => self.tap(*tap, stand).await,
            // The platform never repeats a tap, so the person has to.
            Caused::TooMany { tap: true } => toast("error", &GatewayText::TapFailed, self.lang),
            Caused::TooMany { tap: false } | Caused::Unclear => AckAnswer::Failed,
            Caused::Nothing => AckAnswer::Done,
        }
    }
}

impl Ears {
    async fn message(&self, message: FeishuMessage, stand: Stand) -> AckAnswer {
        let user = stand.user.clone();
        let kind = match (&message.thread_id, message.chat_type.as_str()) {
            (Some(_), _) => ChatKind::Thread,
            (None, "p2p") => ChatKind::Direct,
            (None, _) => ChatKind::Group,
        };
        match self.admission.judge(&user) {
            Verdict::Admitted => {}
            Verdict::Refused => {
                info!(%user, "somebody who is not on the allowlist was refused");
                self.say_not_allowed(&message, &user);
                return AckAnswer::Done;
            }
            Verdict::RefusedAgain => return AckAnswer::Done,
        }
        let body = match message.content {
            Content::Text(text) => match intake::read_text(text) {
                Some(body) => body,
                None => return AckAnswer::Done,
            },
            Content::Files { files, text } => {
                let user = user.to_string();
                let files = files.into_iter().map(|file| FileRef {
                    seal: seal(&self.seals, &user, &message.message_id, &file.key),
                    name: file.name,
                    kind: file.kind,
                    size: None,
                    message: message.message_id.clone(),
                    key: file.key,
                });
                intake::read_files(files.collect(), text)
            }
            Content::Unsupported { kind } => InboundBody::Unsupported { what: kind },
        };
        self.chats.insert(message.chat_id.clone(), kind);
        let act = Act {
            cause: CauseId::new(Surface::Feishu, &message.message_id),
            user,
            chat: Chat {
                id: message.chat_id,
                kind,
                message: Some(message.message_id.clone()),
            },
            lang: None,
            body,
        };
        match self.intake.put(&stand.place, act).await {
            Ok(known) => {
                if !known {
                    self.react(message.message_id);
                }
                AckAnswer::Done
            }
            Err(why) => {
                warn!(message_id = message.message_id, %why,
                    "a message is not safe yet; the platform will deliver it again");
                AckAnswer::Failed
            }
        }
    }

    async fn tap(&self, tap: FeishuTap, stand: Stand) -> AckAnswer {
        let user = stand.user.clone();
        match self.admission.judge(&user) {
            Verdict::Admitted => {}
            Verdict::Refused | Verdict::RefusedAgain => {
                let id = user.native().to_owned();
                return toast("warning", &GatewayText::NotAllowed { id }, self.lang);
            }
        }
        let action: Action = match serde_json::from_value(tap.value) {
            Ok(action) => action,
            Err(why) => {
                warn!(%why, event_id = tap.event_id, "a button of another version was pressed");
                return toast("warning", &GatewayText::TapGone, self.lang);
            }
        };
        let kind = self.chats.get(&tap.chat_id).unwrap_or(ChatKind::Direct);
        let cause = if tap.event_id.is_empty() {
            // The token is of this press alone; it is a secret, hence not itself.
            MessageId::derived(&["tap", tap.token.expose_secret(), &tap.message_id]).to_string()
        } else {
            tap.event_id.clone()
        };
        let act = Act {
            cause: CauseId::new(Surface::Feishu, &cause),
            user,
            chat: Chat {
                id: tap.chat_id,
                kind,
                message: Some(tap.message_id).filter(|id| !id.is_empty()),
            },
            lang: None,
            body: intake::tapped(action),
        };
        match self.intake.put_or_keep(&stand.place, act).await {
            Ok(Taken::Stored) => toast("success", &GatewayText::TapTaken, self.lang),
            Ok(Taken::Kept) => toast("info", &GatewayText::TapKept, self.lang),
            Err(why) => {
                warn!(event_id = tap.event_id, %why, "a tap was not taken");
                toast("error", &GatewayText::TapFailed, self.lang)
            }
        }
    }

    /// Says "received" under the message. Only a courtesy: nobody waits for it.
    fn react(&self, message_id: String) {
        let api = self.api.clone();
        self.courtesy(async move {
            if let Err(why) = api.react(&message_id, RECEIVED).await {
                debug!(message_id, %why, "no reaction");
            }
        });
    }

    fn say_not_allowed(&self, message: &FeishuMessage, user: &UserId) {
        let id = user.native().to_owned();
        let written = match &message.content {
            Content::Text(text) | Content::Files { text, .. } => Lang::written(text),
            Content::Unsupported { .. } => None,
        };
        let lang = self.lang.or(written).unwrap_or_default();
        let text = Message::Text(GatewayText::NotAllowed { id }.say(lang));
        let (api, chat, to) = (
            self.api.clone(),
            message.chat_id.clone(),
            message.message_id.clone(),
        );
        let in_thread = message.thread_id.is_some();
        self.courtesy(async move {
            let uuid = MessageId::derived(&["not-allowed", &to]).to_string();
            if let Err(why) = api.reply(&chat, &to, &text, in_thread, Some(&uuid)).await {
                debug!(message_id = to, %why, "the refusal was not told");
            }
        });
    }

    fn courtesy(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(permit) = Arc::clone(&self.courtesies).try_acquire_owned() {
            self.tracker.spawn(async move {
                work.await;
                drop(permit);
            });
        }
    }
}

/// The answer to a press: a short notice over the chat, in the language of the app that shows it.
fn toast(kind: &str, text: &GatewayText, lang: Option<Lang>) -> AckAnswer {
    AckAnswer::Answer(json!({"toast": {
        "type": kind,
        "content": text.say(lang.unwrap_or_default()),
        "i18n": { "zh_cn": text.zh(), "en_us": text.en() },
    }}))
}
