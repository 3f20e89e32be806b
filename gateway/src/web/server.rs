//! The HTTP side: routes, and the page itself. What a person does on it is `acts`, files are `files`,
//! listening is `listen`.
//!
//! Which requests get this far is `guard`'s, who is logged in `login`'s, what is shown `timeline`'s.

mod acts;
mod files;
mod listen;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Json, Query, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use common::health::Health;
use common::ids::UserId;
use common::lang::Lang;
use common::message::inbound::MAX_RECEIVED;
use common::metrics;
use common::text::Say as _;
use common::text::gateway::GatewayText;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::info;

pub(crate) use self::listen::{listen, serve};
use super::files::Folder;
use super::guard::{self, Guard};
use super::login::Login;
use super::timeline::Timeline;
use super::{page, push};
use crate::intake::Intake;

/// The largest request body, in bytes. Texts over the limit for people are answered by the router;
/// over this they are not even kept.
const MOST_BODY: usize = 4 * 1024 * 1024;
/// Up to so many bytes, and for so long, what is too large is read and thrown away: who still sends
/// when the connection closes never sees the answer.
const MOST_THROWN_AWAY: u64 = 64 * 1024 * 1024;
const THROWS_AWAY_FOR: Duration = Duration::from_secs(10);
/// Open pages at once; one more is told to come back later.
const PAGES: usize = 32;
/// Where files are.
const FILES: &str = "/api/files/";

/// What every request may use.
pub(super) struct Site {
    pub(super) timeline: Timeline,
    pub(super) folder: Folder,
    pub(super) login: Login,
    pub(super) intake: Intake,
    pub(super) user: UserId,
    pub(super) lang: Lang,
    pub(super) cancel: CancellationToken,
    pages: Arc<Semaphore>,
}

impl Site {
    pub(super) fn new(
        (timeline, folder): (Timeline, Folder),
        login: Login,
        intake: Intake,
        user: UserId,
        lang: Lang,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            timeline,
            folder,
            login,
            intake,
            user,
            lang,
            cancel,
            pages: Arc::new(Semaphore::new(PAGES)),
        }
    }
}

type Shared = State<Arc<Site>>;

/// `/health` and `/metrics` alone, for a gateway without the page.
pub(crate) fn health_only(health: Health, address: SocketAddr, lang: Lang) -> Router {
    let guard = Guard::new(address.ip(), address.port(), lang);
    health_route(health).layer(middleware::from_fn_with_state(
        Arc::new(guard),
        guard::layer,
    ))
}

/// All routes.
pub(super) fn routes(site: Arc<Site>, health: Health, address: SocketAddr) -> Router {
    let lang = site.lang;
    let guard = Guard::new(address.ip(), address.port(), lang);
    let mut router = Router::new()
        .route("/", get(index))
        .route("/login", get(login))
        .route("/api/follow", get(follow))
        .route("/api/messages", post(acts::message))
        .route("/api/taps", post(acts::tap))
        .route("/api/files/{id}", get(files::file).post(files::attach));
    for (path, kind, text) in page::FILES {
        let answer = move || async move { ([(header::CONTENT_TYPE, kind)], text) };
        router = router.route(path, get(answer));
    }
    router
        .with_state(site)
        .merge(health_route(health))
        // A file is bounded where it is read, piece by piece.
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn_with_state(lang, too_large))
        .layer(middleware::from_fn_with_state(
            Arc::new(guard),
            guard::layer,
        ))
}

/// Answers what is too large, once it is there.
async fn too_large(State(lang): State<Lang>, request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let most = if request.uri().path().starts_with(FILES) {
        MAX_RECEIVED
    } else {
        MOST_BODY as u64
    };
    let Some(length) = length.filter(|length| *length > most) else {
        return next.run(request).await;
    };
    if length <= MOST_THROWN_AWAY {
        let mut rest = request.into_body().into_data_stream();
        let thrown_away = async { while let Some(Ok(_)) = rest.next().await {} };
        let _ = tokio::time::timeout(THROWS_AWAY_FOR, thrown_away).await;
    }
    refuse(StatusCode::PAYLOAD_TOO_LARGE, &GatewayText::TooLarge, lang)
}

fn health_route(health: Health) -> Router {
    let numbers = health.metrics().clone();
    let numbers = move || async move {
        let kind = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
        (kind, numbers.text())
    };
    let answer = move || async move {
        let (ok, report) = health.report();
        let status = if ok {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, Json(report))
    };
    Router::new()
        .route("/health", get(answer))
        .route("/metrics", get(numbers))
}

async fn index(State(site): Shared, headers: HeaderMap) -> Response {
    if site.login.admits(&headers) {
        // A new cookie each time, so that whoever uses the page stays in.
        (site.login.pass(), page::index()).into_response()
    } else {
        page::login_needed(page::lang_of(&headers, site.lang))
    }
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

async fn login(State(site): Shared, headers: HeaderMap, Query(link): Query<Link>) -> Response {
    let lang = page::lang_of(&headers, site.lang);
    if site.login.redeem(&link.token) {
        info!("somebody logged in on the page with the printed link");
        (site.login.pass(), page::logged_in(lang)).into_response()
    } else if site.login.admits(&headers) {
        // A browser may load a link ahead of the person; they are in already.
        page::logged_in(lang).into_response()
    } else {
        page::link_used(lang)
    }
}

async fn follow(
    State(site): Shared,
    headers: HeaderMap,
    Query(from): Query<push::From>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !site.login.admits(&headers) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            &GatewayText::LoginNeeded,
            site.lang,
        );
    }
    let Ok(permit) = Arc::clone(&site.pages).try_acquire_owned() else {
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            &GatewayText::NotTaken,
            site.lang,
        );
    };
    upgrade
        .max_message_size(4096)
        .on_upgrade(move |socket| async move {
            let _permit = permit;
            push::follow(socket, site.timeline.clone(), from, site.cancel.clone()).await;
        })
}

fn refuse(status: StatusCode, text: &GatewayText, lang: Lang) -> Response {
    (status, Json(json!({"error": text.say(lang)}))).into_response()
}
