//! The page: a surface of our own, for people without a chat platform and beside one.
//!
//! `server` takes requests, `timeline` keeps what is shown, `push` tells open pages. The page has
//! one user, `web/owner`: whoever holds the link printed at start.

mod files;
mod guard;
mod login;
mod page;
mod push;
pub(crate) mod server;
pub mod timeline;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::broker::pieces::{PieceError, Pieces};
use common::health::Health;
use common::ids::{IdError, MessageId, NodeId, Surface, UserId};
use common::lang::Lang;
use common::message::outbound::{DownFailure, Outbound, OutboundBody, Preview};
use common::text::Say as _;
use common::text::gateway::GatewayText;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;
use uuid::Uuid;

use self::files::{Folder, Way};
pub use self::login::KeyError;
use self::login::Login;
use self::server::Site;
use self::timeline::{Fit, PageFile, Timeline, TimelineError};
use crate::deliver::{Show, ShowError};
use crate::files::{NotComing, Transfers};
use crate::intake::Intake;
use crate::preview::Previewed;

/// The page's settings.
#[derive(Debug)]
pub struct WebOptions {
    /// Address to listen on.
    pub bind: IpAddr,
    /// Port; if it is taken, one of the next nine. 0 takes any.
    pub port: u16,
    /// Where the timeline and the key are kept.
    pub data_dir: PathBuf,
    /// Told once when the page can be opened.
    pub on_ready: oneshot::Sender<WebReady>,
}

/// The page can be opened.
#[derive(Debug)]
pub struct WebReady {
    /// Where it listens.
    pub address: SocketAddr,
    /// The link that logs a browser in, once. For the owner's eyes only.
    pub link: SecretString,
}

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// No port.
    #[error("cannot listen on {bind} port {port} or the nine after it: {source}; set BIND or PORT")]
    Listen {
        /// Wished address.
        bind: IpAddr,
        /// Wished port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The timeline.
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    /// The key behind the cookies.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Never: the id of the page's user is fixed.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The page as a surface.
#[derive(Debug)]
pub struct Web {
    timeline: Timeline,
    folder: Folder,
    transfers: Transfers,
}

/// Opens everything, starts serving on `tracker` and tells that the page is ready.
pub(crate) async fn start(
    options: WebOptions,
    intake: Intake,
    transfers: Transfers,
    health: &Health,
    lang: Lang,
    tracker: &TaskTracker,
    cancel: &CancellationToken,
) -> Result<Arc<Web>, WebError> {
    let timeline = Timeline::open(&options.data_dir.join("web.redb"))?;
    tracker.spawn(report(timeline.trouble(), health.clone(), cancel.clone()));
    let (login, token) = Login::open(&options.data_dir)?;
    let user = UserId::new(Surface::Web, "owner")?;
    let listen_error = |source| WebError::Listen {
        bind: options.bind,
        port: options.port,
        source,
    };
    let listener = server::listen(options.bind, options.port)
        .await
        .map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let folder = Folder::new(&options.data_dir);
    let pages = (timeline.clone(), folder.clone());
    let site = Site::new(pages, login, intake, user, lang, cancel.clone());
    let router = server::routes(Arc::new(site), health.clone(), address);
    tracker.spawn(server::serve(listener, router, cancel.clone()));
    info!(%address, "the page is served");
    health.set("web", true, json!({"address": address.to_string()}));
    let link = format!(
        "http://{}/login?token={}",
        reachable(address),
        token.expose_secret()
    );
    // Nobody waiting for it is no reason not to serve.
    let _ = options.on_ready.send(WebReady {
        address,
        link: SecretString::from(link),
    });
    Ok(Arc::new(Web {
        timeline,
        folder,
        transfers,
    }))
}

/// Shows whether what comes can be written down.
async fn report(
    mut trouble: watch::Receiver<Option<String>>,
    health: Health,
    cancel: CancellationToken,
) {
    loop {
        let why = trouble.borrow_and_update().clone();
        health.set("timeline", why.is_none(), json!(why));
        tokio::select! {
            changed = trouble.changed() => if changed.is_err() { return },
            () = cancel.cancelled() => return,
        }
    }
}

impl Web {
    /// Lets go of the timeline's file.
    pub(crate) async fn close(&self) {
        self.timeline.close().await;
    }
}

impl Web {
    /// Shows a file, once it is in the page's folder.
    async fn file(
        &self,
        id: MessageId,
        (node, xfer): (&NodeId, MessageId),
        name: &str,
        of: &Pieces,
        lang: Lang,
    ) -> Result<(), ShowError> {
        let later = |why: &dyn std::fmt::Display| ShowError::Later(why.to_string());
        let bytes = match self.transfers.whole(node, xfer, of).await {
            Ok(bytes) => bytes,
            Err(PieceError::Later(why)) => return Err(ShowError::Later(why)),
            // Shown before, or too late.
            Err(PieceError::Gone(_) | PieceError::Damaged) => {
                let name = name.to_owned();
                let text = GatewayText::FileGone { name }.say(lang);
                let told = self.timeline.notice(id, text).await;
                return told.map_err(|why| later(&why));
            }
        };
        let image = files::picture(&bytes).is_some();
        let whole = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
        let kept = self.folder.keep(Way::Out, id.uuid(), whole).await;
        let size = kept.map_err(|why| later(&why))?;
        let file = PageFile {
            url: format!("/api/files/{}", id.uuid().simple()),
            name: name.to_owned(),
            bytes: size,
            image,
        };
        let shown = self.timeline.file(id, file).await;
        shown.map_err(|why| later(&why))
    }

    /// Brings what the person attached to the node that asks. Its key is a secret of the page, the
    /// person and the nodes that were given it.
    fn fetch(&self, node: &NodeId, xfer: MessageId, key: &str) {
        let id = key.parse::<Uuid>().ok();
        let folder = self.folder.clone();
        self.transfers.bring(node.clone(), xfer, move || {
            let folder = folder.clone();
            async move {
                let gone = || NotComing::Never(DownFailure::Gone);
                let found = folder.open(Way::In, id.ok_or_else(gone)?).await;
                let found = found.map_err(|why| NotComing::Later(why.to_string()))?;
                Ok(found.ok_or_else(gone)?.1)
            }
        });
    }
}

/// The address that a browser on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Show for Web {
    const SURFACE: Surface = Surface::Web;
    const PREVIEW_EVERY: Duration = Duration::from_millis(100);

    /// Shown means on disk: open pages follow the disk, and the others read it when they come.
    async fn show(&self, outbound: &Outbound) -> Result<(), ShowError> {
        let shown = match &outbound.body {
            OutboundBody::Card { card, rev, view } => {
                self.timeline.card(*card, *rev, view.clone()).await
            }
            OutboundBody::Notice { text } => {
                self.timeline.notice(outbound.meta.id, text.clone()).await
            }
            OutboundBody::File {
                node,
                xfer,
                name,
                of,
                image: _,
                lang,
            } => {
                return self
                    .file(outbound.meta.id, (node, *xfer), name, of, *lang)
                    .await;
            }
            OutboundBody::Fetch { node, xfer, file } => {
                self.fetch(node, *xfer, &file.key);
                Ok(())
            }
        };
        shown.map_err(|why| ShowError::Later(why.to_string()))
    }

    async fn preview(&self, preview: &Preview) -> Previewed {
        match self.timeline.preview(preview.clone()).await {
            Ok(Fit::Told) => Previewed::Shown,
            Ok(Fit::Stale) => Previewed::Stale,
            Ok(Fit::Early) => Previewed::Early,
            Err(why) => Previewed::Failed(why.to_string()),
        }
    }
}
