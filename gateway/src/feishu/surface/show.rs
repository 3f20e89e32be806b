//! Shows cards and notices on Feishu, each once, and edits them afterwards.
//!
//! The steps are: read the ledger, call the platform, write the ledger. A crash between any two of
//! them repeats the call, which does no harm: an edit repeated shows the same, and a new message
//! carries an idempotency key made of the outbound, the part and the form, so the platform
//! recognises the repeat (for an hour; a gateway that crashes in that gap and stays away longer may
//! show a message twice rather than not at all). A note in the ledger before each first call would
//! cost a write for every card and not help: it could only say that the message may be there, and
//! the platform cannot be asked for a message by its key. How a view looks is `render`'s.

use std::time::Duration;

use common::ids::{CardId, MessageId, Surface, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind};
use common::message::outbound::{Outbound, OutboundBody, Preview};
use common::message::view::{Block, Tone, View};
use common::text::Say as _;
use common::text::gateway::GatewayText;
use tokio::sync::Mutex;
use tracing::warn;

use super::super::api::{Api, Message, Receiver, Sent};
use super::super::error::{ApiError, ErrorKind};
use super::super::render::{Form, Page, pages};
use super::files::{Files, SentFile};
use super::late::Late;
use super::refused::{cannot_be_edited, is_about_the_reply};
use crate::deliver::{Show, ShowError};
use crate::ledger::{CardEntry, Ledger, LedgerError, NoticeEntry, Part};
use crate::preview::Previewed;

/// Cards are locked by groups, so that the table has one size for ever.
const LOCKS: usize = 256;
/// A preview gives up after this: something newer is on its way.
const PREVIEW_TIME: Duration = Duration::from_secs(5);

/// The showing side. One card at a time: delivery and preview of it take the same lock.
#[derive(Debug)]
pub struct Feishu {
    pub(super) api: Api,
    pub(super) ledger: Ledger,
    pub(super) files: Files,
    lang: Lang,
    locks: Vec<Mutex<()>>,
    late: Late,
}

impl From<LedgerError> for ShowError {
    fn from(why: LedgerError) -> Self {
        Self::Later(why.to_string())
    }
}

impl From<ApiError> for ShowError {
    fn from(error: ApiError) -> Self {
        match error.kind {
            // Time or the owner of the app mends these; until then everything waits, in order.
            ErrorKind::RateLimited { .. }
            | ErrorKind::Unreached
            | ErrorKind::Unsure
            | ErrorKind::TokenRefused
            | ErrorKind::Credentials
            | ErrorKind::Permission { .. } => Self::Later(error.to_string()),
            ErrorKind::Gone
            | ErrorKind::TooLong
            | ErrorKind::CardRefused { .. }
            | ErrorKind::BadContent
            | ErrorKind::NoSuchReader
            | ErrorKind::Permanent => Self::Never(error.to_string()),
        }
    }
}

/// Where something goes.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) chat: &'a Chat,
    pub(super) user: &'a UserId,
}

impl Feishu {
    pub(super) fn new(api: Api, ledger: Ledger, files: Files, lang: Lang) -> Self {
        Self {
            api,
            ledger,
            files,
            lang,
            locks: (0..LOCKS).map(|_| Mutex::new(())).collect(),
            late: Late::default(),
        }
    }

    async fn lock(&self, card: CardId) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        // The low bits of our ids are random.
        let index = usize::try_from(card.uuid().as_u128() % LOCKS as u128).unwrap_or(0);
        match self.locks.get(index) {
            Some(lock) => Some(lock.lock().await),
            None => None,
        }
    }

    /// Shows a revision: edits the messages that the card has, adds those that it lacks.
    async fn card(
        &self,
        outbound: &Outbound,
        card: CardId,
        rev: u32,
        view: &View,
    ) -> Result<(), ShowError> {
        let _lock = self.lock(card).await;
        let mut entry = self.ledger.card(card).await?;
        if entry.rev.is_some_and(|shown| rev <= shown) {
            return Ok(());
        }
        let place = Place {
            chat: &outbound.chat,
            user: &outbound.user,
        };
        let pages = pages(view, self.lang);
        let edited = entry.parts.len();
        self.late.begins(card, rev);
        for (index, page) in pages.iter().enumerate() {
            let key = |form: &str| {
                let part = index.to_string();
                MessageId::derived(&[&outbound.meta.id.to_string(), &part, form]).to_string()
            };
            if let Some(part) = entry.parts.get_mut(index) {
                let before = part.clone();
                if !self.edit(page, &before).await? {
                    if view.tone == Tone::Working {
                        // Each step would be a message of its own; the outcome will be one.
                        continue;
                    }
                    let anew = |form: &str| key(&format!("anew-{form}"));
                    *part = self.create(place, index, page, anew).await?;
                }
                common::crash_point!("gateway.shown.edited");
                // An edit needs no record of its own; another message does.
                if *part != before {
                    self.ledger.set_card(card, entry.clone()).await?;
                }
            } else {
                let part = self.create(place, index, page, key).await?;
                common::crash_point!("gateway.shown.created");
                entry.parts.push(part);
                if index + 1 < pages.len() {
                    self.ledger.set_card(card, entry.clone()).await?;
                    common::crash_point!("gateway.shown.part");
                }
            }
        }
        for part in entry.parts.iter().skip(pages.len()) {
            self.empty(part).await?;
        }
        // While it works, something newer follows anyway.
        if view.tone != Tone::Working {
            let shown = pages.iter().zip(entry.parts.iter().take(edited));
            self.look_again(shown).await?;
        }
        entry.rev = Some(rev);
        self.ledger.set_card(card, entry).await?;
        Ok(())
    }

    /// Edits once more what has to stay, where an older edit may come after ours (see `late`). Only
    /// then the revision counts as shown, so a crash in between repeats this.
    async fn look_again(
        &self,
        shown: impl Iterator<Item = (&Page, &Part)>,
    ) -> Result<(), ShowError> {
        let late = |part: &Part| self.late.since(&self.api, &part.id);
        let again: Vec<_> = shown
            .filter(|(_, part)| part.is_editable())
            .filter_map(|(page, part)| Some((page, part, late(part)?)))
            .collect();
        let Some(oldest) = again.iter().map(|(_, _, since)| *since).min() else {
            return Ok(());
        };
        Late::over(oldest).await;
        for (page, part, _) in again {
            if self.edit(page, part).await? {
                self.api.made_up_for(&part.id);
            }
        }
        Ok(())
    }

    /// A part in a message of its own, in the best form that the platform takes.
    async fn create(
        &self,
        place: Place<'_>,
        index: usize,
        page: &Page,
        key: impl Fn(&str) -> String,
    ) -> Result<Part, ShowError> {
        let mut form = Form::Card;
        let mut uuid = key(form_name(form));
        loop {
            let message = page.message(form);
            match self.send(place, index, &message, &uuid).await {
                Ok(sent) => {
                    self.late.heard();
                    return Ok(Part {
                        id: sent.message_id.unwrap_or_default(),
                        card: matches!(message, Message::Card(_)),
                    });
                }
                Err(error) => match form.simpler().filter(|_| error.wants_simpler()) {
                    Some(simpler) => {
                        warn!(%error, ?form, ?simpler, "the platform refused this form");
                        form = simpler;
                        // Where the message may be there all the same, only the same key keeps it
                        // from being there twice.
                        if !error.may_be_repeat() {
                            uuid = key(form_name(form));
                        }
                    }
                    None if error.may_be_repeat() => {
                        warn!(%error, "taking it that the message is there");
                        return Ok(Part {
                            id: String::new(),
                            card: true,
                        });
                    }
                    None => return Err(error.into()),
                },
            }
        }
    }

    /// Edits the message of a part; false if that is not possible.
    async fn edit(&self, page: &Page, part: &Part) -> Result<bool, ShowError> {
        if !part.is_editable() {
            return Ok(false);
        }
        for form in [Form::Card, Form::PlainCard] {
            let Message::Card(card) = page.message(form) else {
                continue;
            };
            match self.api.patch(&part.id, &card).await {
                Ok(()) => {
                    self.late.heard();
                    return Ok(true);
                }
                Err(error) if error.wants_simpler() => {
                    warn!(%error, ?form, "the platform refused this form");
                }
                Err(error) if cannot_be_edited(&error) => {
                    warn!(%error, "a card cannot be edited any more");
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// A part that the card no longer has. Messages cannot be taken back silently, so it says so.
    async fn empty(&self, part: &Part) -> Result<(), ShowError> {
        if !part.is_editable() {
            return Ok(());
        }
        let text = GatewayText::PartEmpty.say(self.lang);
        let view = View {
            blocks: vec![Block::Plain { text }],
            ..View::default()
        };
        let page = pages(&view, self.lang).into_iter().next();
        let Some(Message::Card(card)) = page.map(|page| page.message(Form::PlainCard)) else {
            return Ok(());
        };
        match self.api.patch(&part.id, &card).await {
            Err(error) if error.is_retryable() => Err(error.into()),
            Err(error) => {
                warn!(%error, "a part that is no longer needed stays as it is");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Sends a new message: in reply to what the person wrote where that helps to see what belongs
    /// together, else into the chat, else to the person.
    pub(super) async fn send(
        &self,
        place: Place<'_>,
        index: usize,
        message: &Message,
        uuid: &str,
    ) -> Result<Sent, ApiError> {
        let chat = place.chat;
        let in_thread = chat.kind == ChatKind::Thread;
        let to = chat.message.as_deref().filter(|_| index == 0 || in_thread);
        if let Some(to) = to {
            let reply = self.api.reply(&chat.id, to, message, in_thread, Some(uuid));
            match reply.await {
                // What was replied to was taken back, or is not known; the answer still matters.
                Err(error) if error.kind == ErrorKind::Gone => {}
                Err(error) if !error.maybe_done && is_about_the_reply(&error, message) => {
                    warn!(%error, "a reply is not possible; sending it into the chat");
                }
                done => return done,
            }
        }
        let receiver = if chat.id.is_empty() {
            Receiver::Person(place.user.native().to_owned())
        } else {
            Receiver::Chat(chat.id.clone())
        };
        self.api.send(&receiver, message, Some(uuid)).await
    }

    async fn notice(&self, outbound: &Outbound, text: &str) -> Result<(), ShowError> {
        let id = outbound.meta.id;
        if self.ledger.notice(id).await?.is_some() {
            return Ok(());
        }
        let place = Place {
            chat: &outbound.chat,
            user: &outbound.user,
        };
        let uuid = MessageId::derived(&[&id.to_string(), "notice"]).to_string();
        // Beside a conversation of two a reply would only quote; among many it says who is meant.
        let index = usize::from(outbound.chat.kind == ChatKind::Direct);
        let message = Message::Text(text.to_owned());
        let sent = self.send(place, index, &message, &uuid).await?;
        common::crash_point!("gateway.shown.rung");
        let entry = NoticeEntry {
            id: sent.message_id.unwrap_or_default(),
        };
        self.ledger.set_notice(id, entry).await?;
        Ok(())
    }

    async fn edit_in_passing(&self, preview: &Preview) -> Previewed {
        let _lock = self.lock(preview.card).await;
        let entry = match self.ledger.recall(preview.card).await {
            Ok(entry) => entry,
            Err(why) => return Previewed::Failed(why.to_string()),
        };
        let CardEntry {
            rev: Some(shown),
            parts,
        } = entry
        else {
            return Previewed::Early;
        };
        if self.late.is_past(preview.card, preview.rev) {
            return Previewed::Stale;
        }
        if preview.rev > shown {
            return Previewed::Early;
        }
        let part = parts.first().filter(|part| part.is_editable());
        let (true, Some(part)) = (preview.rev == shown, part) else {
            return Previewed::Stale;
        };
        let Some(page) = pages(&preview.view, self.lang).into_iter().next() else {
            return Previewed::Stale;
        };
        let Message::Card(card) = page.message(Form::Card) else {
            return Previewed::Stale;
        };
        match self.api.patch(&part.id, &card).await {
            Ok(()) => Previewed::Shown,
            Err(error) => Previewed::Failed(error.to_string()),
        }
    }
}

impl Show for Feishu {
    const SURFACE: Surface = Surface::Feishu;
    const PREVIEW_EVERY: Duration = Duration::from_secs(1);

    async fn show(&self, outbound: &Outbound) -> Result<(), ShowError> {
        match &outbound.body {
            OutboundBody::Card { card, rev, view } => self.card(outbound, *card, *rev, view).await,
            OutboundBody::Notice { text } => self.notice(outbound, text).await,
            OutboundBody::File {
                node,
                xfer,
                name,
                of,
                image,
                lang,
            } => {
                let sent = SentFile {
                    name,
                    of,
                    image: *image,
                    lang: *lang,
                };
                self.file(outbound, node, *xfer, &sent).await
            }
            OutboundBody::Fetch { node, xfer, file } => {
                self.fetch(outbound, node, *xfer, file);
                Ok(())
            }
        }
    }

    fn seized(&self) {
        self.late.seized();
    }

    async fn preview(&self, preview: &Preview) -> Previewed {
        // Cut off, the edit may still arrive: see `late`.
        let edit = self.edit_in_passing(preview);
        match tokio::time::timeout(PREVIEW_TIME, edit).await {
            Ok(result) => result,
            Err(_) => Previewed::Failed("no answer in time".into()),
        }
    }
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Card => "card",
        Form::PlainCard => "plain-card",
        Form::Post => "post",
        Form::Text => "text",
    }
}
