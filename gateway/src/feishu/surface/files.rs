//! Files on Feishu: a node's file as a message of its own, once; a person's file for the node that
//! asks for it.
//!
//! An upload may be repeated, since a key that nobody uses does no harm; the message that shows the key
//! is sent once, like every notice.

use bytes::Bytes;
use common::broker::pieces::{PieceError, Pieces};
use common::identity::check_seal;
use common::ids::{MessageId, NodeId};
use common::lang::Lang;
use common::message::inbound::{ChatKind, FileKind, FileRef, MAX_RECEIVED};
use common::message::outbound::{DownFailure, Outbound};
use common::text::Say as _;
use common::text::gateway::GatewayText;
use futures_util::StreamExt as _;
use secrecy::SecretString;
use tracing::warn;

use super::super::api::{Api, Message};
use super::super::error::{ApiError, ErrorKind, plain};
use super::show::{Feishu, Place};
use crate::deliver::ShowError;
use crate::files::{NotComing, Source, Transfers};
use crate::ledger::NoticeEntry;

/// What files need here.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) transfers: Transfers,
    /// What a person's files are sealed with.
    pub(super) seals: SecretString,
}

/// A file that a node sends.
pub(super) struct SentFile<'a> {
    pub(super) name: &'a str,
    pub(super) of: &'a Pieces,
    pub(super) image: bool,
    pub(super) lang: Lang,
}

impl Feishu {
    /// Shows a file, or says why it cannot be shown.
    pub(super) async fn file(
        &self,
        outbound: &Outbound,
        node: &NodeId,
        xfer: MessageId,
        file: &SentFile<'_>,
    ) -> Result<(), ShowError> {
        let id = outbound.meta.id;
        if self.ledger.notice(id).await?.is_some() {
            return Ok(());
        }
        let (form, message) = match self.files.transfers.whole(node, xfer, file.of).await {
            Ok(bytes) => self.upload(file, bytes).await?,
            Err(PieceError::Later(why)) => return Err(ShowError::Later(why)),
            Err(why @ (PieceError::Gone(_) | PieceError::Damaged)) => {
                warn!(%node, %xfer, %why, "a file cannot be shown");
                let name = file.name.to_owned();
                let text = GatewayText::FileGone { name }.say(file.lang);
                ("gone", Message::Text(text))
            }
        };
        let place = Place {
            chat: &outbound.chat,
            user: &outbound.user,
        };
        // Not the key of the file, which each upload has another one of.
        let uuid = MessageId::derived(&[&id.to_string(), form]).to_string();
        let index = usize::from(outbound.chat.kind == ChatKind::Direct);
        let sent = self.send(place, index, &message, &uuid).await?;
        let entry = NoticeEntry {
            id: sent.message_id.unwrap_or_default(),
        };
        self.ledger.set_notice(id, entry).await?;
        Ok(())
    }

    /// The message that shows it: as a picture where it is one, else as a file; in words when the
    /// platform takes neither.
    async fn upload(
        &self,
        file: &SentFile<'_>,
        bytes: Bytes,
    ) -> Result<(&'static str, Message), ShowError> {
        if file.image {
            match self.api.upload_image(bytes.clone()).await {
                Ok(key) => return Ok(("image", Message::Image(key))),
                Err(error) if passes(&error) => return Err(error.into()),
                Err(error) => warn!(%error, "not taken as a picture; sending it as a file"),
            }
        }
        match self.api.upload_file(file.name, bytes).await {
            Ok(key) => Ok(("file", Message::File(key))),
            Err(error) if passes(&error) => Err(error.into()),
            Err(error) => {
                warn!(%error, "the platform does not take a file");
                let text = GatewayText::FileRefused {
                    name: file.name.to_owned(),
                    why: why(&error),
                };
                Ok(("refused", Message::Text(text.say(file.lang))))
            }
        }
    }

    /// Brings a person's file to the node that asks, if it is one that this person sent.
    pub(super) fn fetch(
        &self,
        outbound: &Outbound,
        node: &NodeId,
        xfer: MessageId,
        file: &FileRef,
    ) {
        let user = outbound.user.to_string();
        let holds = check_seal(
            &self.files.seals,
            &user,
            &file.message,
            &file.key,
            &file.seal,
        );
        if !holds {
            warn!(%node, %user, "a node asks for a file that it was not given; refused");
        }
        let (api, file) = (self.api.clone(), file.clone());
        self.files.transfers.bring(node.clone(), xfer, move || {
            let (api, file) = (api.clone(), file.clone());
            async move {
                if !holds {
                    return Err(NotComing::Never(DownFailure::Gone));
                }
                open(&api, &file).await
            }
        });
    }
}

async fn open(api: &Api, file: &FileRef) -> Result<Source, NotComing> {
    let kind = match file.kind {
        FileKind::Image => "image",
        FileKind::File | FileKind::Audio | FileKind::Video => "file",
    };
    let response = api.resource(&file.message, &file.key, kind).await;
    let response = response.map_err(|error| {
        if passes(&error) {
            return NotComing::Later(error.to_string());
        }
        NotComing::Never(match (&error.kind, error.code) {
            (ErrorKind::Permission { .. }, _) => DownFailure::NotAllowed {
                detail: why(&error),
            },
            (_, Some(234_037)) => DownFailure::TooLarge,
            (ErrorKind::Gone, _) | (_, Some(234_003)) => DownFailure::Gone,
            _ => DownFailure::Other {
                detail: why(&error),
            },
        })
    })?;
    if response
        .content_length()
        .is_some_and(|length| length > MAX_RECEIVED)
    {
        return Err(NotComing::Never(DownFailure::TooLarge));
    }
    let bytes = response.bytes_stream();
    Ok(bytes.map(|part| part.map_err(plain)).boxed())
}

/// Whether time, or the owner of the app, mends it. A missing right does not pass: a file must not hold up
/// everything that its person is told, so that is said instead.
fn passes(error: &ApiError) -> bool {
    let refused = matches!(error.kind, ErrorKind::TokenRefused | ErrorKind::Credentials);
    error.is_retryable() || refused
}

/// What the person is told of an error.
fn why(error: &ApiError) -> String {
    match &error.kind {
        ErrorKind::Permission { scopes } if !scopes.is_empty() => scopes.join(" / "),
        _ => error.message.clone(),
    }
}
