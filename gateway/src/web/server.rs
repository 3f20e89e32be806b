//! The HTTP side: routes, what each does with a request, and listening.
//!
//! Which requests get this far is `guard`'s, who is logged in `login`'s, what is shown `timeline`'s.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Json, Path, Query, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use common::health::Health;
use common::ids::{CardId, CauseId, Surface};
use common::lang::Lang;
use common::message::inbound::{
    Chat, ChatKind, FileKind, FileRef, InboundBody, MAX_FILES, MAX_RECEIVED,
};
use common::message::view::Action;
use common::metrics;
use common::text::Say as _;
use common::text::gateway::GatewayText;
use common::text::host::files::size;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::files::{FileError, Folder, Way, picture};
use super::guard::{self, Guard};
use super::login::Login;
use super::timeline::{PageFile, Timeline};
use super::{page, push};
use crate::intake::{self, Act, Intake, Taken};

/// Ports tried from the wished one on.
const PORTS: u16 = 10;
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
/// The longest name of a file that the page tells.
const LONGEST_NAME: usize = 255;
/// Of a text too long to be taken, this many characters are shown.
const SHOWN_OF_TOO_LONG: usize = 500;

/// What every request may use.
pub(super) struct Site {
    pub(super) timeline: Timeline,
    pub(super) folder: Folder,
    pub(super) login: Login,
    pub(super) intake: Intake,
    pub(super) user: common::ids::UserId,
    pub(super) lang: Lang,
    pub(super) cancel: CancellationToken,
    pages: Arc<Semaphore>,
}

impl Site {
    pub(super) fn new(
        (timeline, folder): (Timeline, Folder),
        login: Login,
        intake: Intake,
        user: common::ids::UserId,
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

/// Listens on `port`, or on one of the next ones if it is taken. 0 takes any.
pub(crate) async fn listen(bind: IpAddr, port: u16) -> std::io::Result<TcpListener> {
    for offset in 0..PORTS {
        let Some(next) = port.checked_add(offset) else {
            break;
        };
        match TcpListener::bind((bind, next)).await {
            Err(why) if why.kind() == std::io::ErrorKind::AddrInUse && offset + 1 < PORTS => {
                warn!(port = next, "the port is taken; trying the next one");
            }
            Ok(listener) => {
                if offset > 0 {
                    info!(wished = port, port = next, "listening on another port");
                }
                return Ok(listener);
            }
            other => return other,
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}

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
        .route("/api/messages", post(message))
        .route("/api/taps", post(tap))
        .route("/api/files/{id}", get(file).post(attach));
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

/// Serves until `cancel`; open pages are let go then.
pub(crate) async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned());
    if let Err(why) = served.await {
        warn!(%why, "the web server ended");
    }
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

/// What the page sends; `id` is its own and stays the same over all its tries.
#[derive(Deserialize)]
struct Said {
    id: Uuid,
    #[serde(default)]
    text: String,
    #[serde(default)]
    files: Vec<SaidFile>,
    lang: Option<Lang>,
}

/// A file that was attached before.
#[derive(Deserialize)]
struct SaidFile {
    id: Uuid,
    name: String,
    bytes: u64,
    #[serde(default)]
    image: bool,
}

impl SaidFile {
    fn shown(&self) -> PageFile {
        PageFile {
            url: format!("{FILES}{}", self.id.simple()),
            name: self.name.clone(),
            bytes: self.bytes,
            image: self.image,
        }
    }

    fn reference(self, message: &str) -> FileRef {
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

async fn message(
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

/// Takes a file that the person attached. It is kept until it is sent with a message, and after that
/// for as long as there is room.
async fn attach(
    State(site): Shared,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    request: Request,
) -> Response {
    let lang = page::lang_of(&headers, site.lang);
    if !site.login.admits(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, &GatewayText::LoginNeeded, lang);
    }
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
struct Named {
    #[serde(default)]
    name: String,
}

/// Gives a file out: a picture to be looked at, anything else to be kept.
async fn file(
    State(site): Shared,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Query(named): Query<Named>,
) -> Response {
    let lang = page::lang_of(&headers, site.lang);
    if !site.login.admits(&headers) {
        return refuse(StatusCode::UNAUTHORIZED, &GatewayText::LoginNeeded, lang);
    }
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

#[derive(Deserialize)]
struct Tapped {
    id: Uuid,
    card: CardId,
    action: Action,
    lang: Option<Lang>,
}

async fn tap(
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

fn refuse(status: StatusCode, text: &GatewayText, lang: Lang) -> Response {
    (status, Json(json!({"error": text.say(lang)}))).into_response()
}
