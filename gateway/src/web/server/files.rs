//! Files on the page: taken from the person, given out to their browser.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Json, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use common::message::inbound::{FileKind, FileRef, MAX_RECEIVED};
use common::text::gateway::GatewayText;
use common::text::host::files::size;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tracing::warn;
use uuid::Uuid;

use super::{FILES, Site, refuse};
use crate::web::files::{FileError, Way, picture};
use crate::web::page;
use crate::web::timeline::PageFile;

/// The longest name of a file that the page tells.
const LONGEST_NAME: usize = 255;

type Shared = State<Arc<Site>>;

/// A file that was attached before.
#[derive(Deserialize)]
pub(super) struct SaidFile {
    id: Uuid,
    name: String,
    bytes: u64,
    #[serde(default)]
    image: bool,
}

impl SaidFile {
    pub(super) fn shown(&self) -> PageFile {
        PageFile {
            url: format!("{FILES}{}", self.id.simple()),
            name: self.name.chars().take(LONGEST_NAME).collect(),
            bytes: self.bytes,
            image: self.image,
        }
    }

    pub(super) fn reference(self, message: &str) -> FileRef {
        FileRef {
            name: self.name.chars().take(LONGEST_NAME).collect(),
            kind: if self.image {
                FileKind::Image
            } else {
                FileKind::File
            },
            size: Some(self.bytes),
            message: message.to_owned(),
            key: self.id.simple().to_string(),
            // The key says it: nobody else knows it.
            seal: String::new(),
        }
    }
}

/// Takes a file that the person attached. It is kept until it is sent with a message, and after that
/// for as long as there is room.
pub(super) async fn attach(
    State(site): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let lang = page::lang_of(&headers, site.lang);
    if !site.login.admits(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, &GatewayText::LoginNeeded, lang);
    }
    let Ok(id) = id.parse::<Uuid>() else {
        return refuse(StatusCode::BAD_REQUEST, &GatewayText::BadRequest, lang);
    };
    let bytes = request.into_body().into_data_stream();
    match site.folder.keep(Way::In, id, bytes).await {
        Ok(bytes) => (StatusCode::CREATED, Json(json!({"bytes": bytes}))).into_response(),
        Err(FileError::Size) => {
            let max = size(MAX_RECEIVED);
            let text = GatewayText::FileTooLarge { max };
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &text, lang)
        }
        Err(why) => {
            warn!(%why, "a file from the page was not taken");
            refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                &GatewayText::FileNoRoom,
                lang,
            )
        }
    }
}

/// How a file is asked for: the name is for the browser's own folder.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

/// Gives a file out: a picture to be looked at, anything else to be kept.
pub(super) async fn file(
    State(site): Shared,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(named): Query<Named>,
) -> Response {
    let lang = page::lang_of(&headers, site.lang);
    if !site.login.admits(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, &GatewayText::LoginNeeded, lang);
    }
    let Ok(id) = id.parse::<Uuid>() else {
        return refuse(StatusCode::GONE, &GatewayText::FileDropped, lang);
    };
    let mut found = site.folder.open(Way::Out, id).await;
    if matches!(found, Ok(None)) {
        found = site.folder.open(Way::In, id).await;
    }
    let Ok(Some((bytes, mut source))) = found else {
        return refuse(StatusCode::GONE, &GatewayText::FileDropped, lang);
    };
    let first = source.next().await;
    let head = match &first {
        Some(Ok(head)) => picture(head),
        Some(Err(_)) | None => None,
    };
    let disposition = match head {
        Some(_) => "inline".to_owned(),
        None => format!("attachment; filename*=UTF-8''{}", percent(&named.name)),
    };
    let rest = futures_util::stream::iter(first).chain(source);
    let body = Body::from_stream(rest.map(|part| part.map_err(std::io::Error::other)));
    let headers = [
        (
            header::CONTENT_TYPE,
            head.unwrap_or("application/octet-stream").to_owned(),
        ),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_LENGTH, bytes.to_string()),
    ];
    (headers, body).into_response()
}

/// A name as it may stand in a header.
fn percent(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in name.chars().take(LONGEST_NAME).collect::<String>().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
