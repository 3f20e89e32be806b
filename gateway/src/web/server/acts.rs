//! What a person does on the page: messages and taps, taken in once they are safe.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use common::ids::{CardId, CauseId, Surface};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind, InboundBody, MAX_FILES};
use common::message::view::Action;
use common::text::Say as _;
use common::text::gateway::GatewayText;
use serde::Deserialize;
use serde_json::json;
use tracing::warn;
use uuid::Uuid;

use super::files::SaidFile;
use super::{Site, refuse};
use crate::intake::{self, Act, Taken};
use crate::web::timeline::PageFile;

/// Of a text too long to be taken, this many characters are shown.
const SHOWN_OF_TOO_LONG: usize = 500;

type Shared = State<Arc<Site>>;

/// What the page sends; `id` is its own and stays the same over all its tries.
#[derive(Deserialize)]
pub(super) struct Said {
    id: Uuid,
    #[serde(default)]
    text: String,
    #[serde(default)]
    files: Vec<SaidFile>,
    lang: Option<Lang>,
}

pub(super) async fn message(
    State(site): Shared,
    headers: HeaderMap,
    said: Result<Json<Said>, JsonRejection>,
) -> Response {
    let said = match admitted(&site, &headers, said) {
        Ok(said) => said,
        Err(refusal) => return *refusal,
    };
    let lang = said.lang.unwrap_or(site.lang);
    let mut shown = said.text.trim().to_owned();
    let id = said.id.simple().to_string();
    if said.files.len() > MAX_FILES {
        return refuse(StatusCode::BAD_REQUEST, &GatewayText::BadRequest, lang);
    }
    let files: Vec<PageFile> = said.files.iter().map(SaidFile::shown).collect();
    let body = if said.files.is_empty() {
        intake::read_text(said.text)
    } else {
        let references = said.files.into_iter().map(|file| file.reference(&id));
        Some(intake::read_files(references.collect(), said.text))
    };
    let Some(body) = body else {
        return refuse(StatusCode::BAD_REQUEST, &GatewayText::BadRequest, lang);
    };
    if let InboundBody::TooLong { .. } = body {
        shown = shown.chars().take(SHOWN_OF_TOO_LONG).chain(['…']).collect();
    }
    let place = site.intake.line_up(&site.user);
    if let Err(why) = site
        .intake
        .put(&place, act(&site, &id, said.lang, body))
        .await
    {
        warn!(%why, "a message from the page was not taken; the page sends it again");
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            &GatewayText::NotTaken,
            lang,
        );
    }
    common::crash_point!("gateway.page.act.stored");
    // Only now it is safe. If we die before the next line, the page sends it again, the stream
    // recognises it, and it is written then.
    match site.timeline.mine(id, shown, files).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(why) => {
            warn!(%why, "a message from the page is safe but not on the timeline");
            refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                &GatewayText::NotTaken,
                lang,
            )
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Tapped {
    id: Uuid,
    card: CardId,
    action: Action,
    lang: Option<Lang>,
}

pub(super) async fn tap(
    State(site): Shared,
    headers: HeaderMap,
    tapped: Result<Json<Tapped>, JsonRejection>,
) -> Response {
    let tapped = match admitted(&site, &headers, tapped) {
        Ok(tapped) => tapped,
        Err(refusal) => return *refusal,
    };
    let lang = tapped.lang.unwrap_or(site.lang);
    match site
        .timeline
        .offers(tapped.card, tapped.action.clone())
        .await
    {
        Ok(true) => {}
        Ok(false) => return refuse(StatusCode::CONFLICT, &GatewayText::TapGone, lang),
        Err(why) => {
            warn!(%why, "a tap on the page could not be looked up");
            return refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                &GatewayText::TapFailed,
                lang,
            );
        }
    }
    let id = tapped.id.simple().to_string();
    let place = site.intake.line_up(&site.user);
    let act = act(&site, &id, tapped.lang, intake::tapped(tapped.action));
    match site.intake.put_or_keep(&place, act).await {
        Ok(Taken::Stored) => StatusCode::ACCEPTED.into_response(),
        Ok(Taken::Kept) => {
            let kept = json!({"kept": GatewayText::TapKept.say(lang)});
            (StatusCode::ACCEPTED, Json(kept)).into_response()
        }
        Err(why) => {
            warn!(%why, "a tap on the page was not taken");
            refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                &GatewayText::TapFailed,
                lang,
            )
        }
    }
}

fn act(site: &Site, id: &str, lang: Option<Lang>, body: InboundBody) -> Act {
    Act {
        cause: CauseId::new(Surface::Web, id),
        user: site.user.clone(),
        chat: Chat {
            id: "page".into(),
            kind: ChatKind::Direct,
            message: Some(id.to_owned()),
        },
        lang,
        body,
    }
}

/// The body, if its sender is logged in and it can be read.
fn admitted<T>(
    site: &Site,
    headers: &HeaderMap,
    body: Result<Json<T>, JsonRejection>,
) -> Result<T, Box<Response>> {
    if !site.login.admits(headers) {
        let text = GatewayText::LoginNeeded;
        return Err(Box::new(refuse(StatusCode::UNAUTHORIZED, &text, site.lang)));
    }
    body.map(|Json(body)| body).map_err(|why| {
        let text = if why.status() == StatusCode::PAYLOAD_TOO_LARGE {
            GatewayText::TooLarge
        } else {
            GatewayText::BadRequest
        };
        Box::new(refuse(why.status(), &text, site.lang))
    })
}
