//! Assembles the parts: each role alone at an external broker, or all of them around a broker of
//! our own. They talk over real connections in every case, so there is one path, not two.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use common::broker::{Broker, BrokerOptions};
use common::config::Settings;
use common::health::Health;
use common::identity::{Creds, Hub, Tls};
use common::ids::NodeId;
use gateway::GatewayOptions;
use gateway::feishu::FeishuOptions;
use gateway::web::{WebOptions, WebReady};
use host::context::AgentOptions;
use host::enter::EnterError;
use host::{HostOptions, ShellOptions};
use router::{EnrolOptions, RouterOptions};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::broker_child::{self, BrokerChild};
use crate::credentials::{ca_of, creds_of, local_creds, other_node, own_creds};
use crate::hub::{hub_options, hub_url};
use crate::{hub, shutdown};

/// The whole end, from the signal to the last line.
const END_WITHIN: Duration = Duration::from_millis(9_500);
/// The end of a part that is not let in any more.
const REFUSED_END: Duration = Duration::from_secs(5);
/// `phonework router`.
pub(crate) async fn router(settings: Settings) -> anyhow::Result<()> {
    let cancel = shutdown::on_signal()?;
    let health = Health::default();
    let creds = creds_of(&settings, "router")?;
    let broker = connect(&settings, hub_url(&settings), creds, true, &cancel).await?;
    let options = router_options(&settings, hub_url(&settings), Some(address(&settings)));
    hub::watch_certificate(&settings);
    let end = cancel.child_token();
    let work = Box::pin(router::run(options, broker.clone(), health, end.clone()));
    let outcome = while_let_in(&broker, &end, async { Ok(work.await?) }).await;
    broker.close().await;
    outcome
}

/// `phonework gateway`.
pub(crate) async fn gateway(settings: Settings) -> anyhow::Result<()> {
    let cancel = shutdown::on_signal()?;
    let creds = creds_of(&settings, "gateway")?;
    let broker = connect(&settings, hub_url(&settings), creds, false, &cancel).await?;
    let (options, ready) = gateway_options(&settings);
    if options.web.is_some() {
        writable(&settings.data_dir)?;
    }
    tokio::spawn(announce(ready));
    let end = cancel.child_token();
    let work = Box::pin(gateway::run(
        options,
        broker.clone(),
        Health::default(),
        end.clone(),
    ));
    let outcome = while_let_in(&broker, &end, async { Ok(work.await?) }).await;
    broker.close().await;
    outcome
}

/// `phonework host`.
pub(crate) async fn host(settings: Settings) -> anyhow::Result<()> {
    let cancel = shutdown::on_signal()?;
    let node = settings.node.id.clone();
    let url = settings
        .nats
        .url
        .clone()
        .context("NATS_URL is not set: write where the hub's broker is")?;
    let creds = match own_creds(&settings, &url, &cancel).await {
        Err(why)
            if matches!(
                why.downcast_ref::<EnterError>(),
                Some(EnterError::Cancelled)
            ) =>
        {
            return Ok(());
        }
        creds => creds?,
    };
    if creds.name() != node.as_str() {
        bail!(other_node(node.as_str(), creds.name()));
    }
    let broker = connect(&settings, &url, creds, false, &cancel).await?;
    let options = host_options(&settings, node);
    let end = cancel.child_token();
    let work = Box::pin(host::run(
        options,
        broker.clone(),
        Health::default(),
        end.clone(),
    ));
    let outcome = while_let_in(&broker, &end, async { Ok(work.await?) }).await;
    broker.close().await;
    outcome
}

/// Runs a part until it ends, or until the broker refuses its credentials for good: then it ends in order, with why.
async fn while_let_in(
    broker: &Broker,
    end: &CancellationToken,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::pin!(work);
    let why = tokio::select! {
        outcome = &mut work => return outcome,
        why = broker.refused() => why,
    };
    error!("{why}");
    end.cancel();
    if tokio::time::timeout(REFUSED_END, work).await.is_err() {
        warn!("not everything ended in time; it is taken up at the next start");
    }
    Err(why.into())
}

/// `phonework`: broker, router, gateway and, unless `ROUTER_MODE` is set, a host.
pub(crate) async fn standalone(settings: Settings) -> anyhow::Result<()> {
    let cancel = shutdown::on_signal()?;
    let mut options = hub_options(&settings)?;
    if settings.nats.url.is_none() {
        options.port = -1;
    }
    writable(&settings.data_dir)?;
    let hub = Hub::init(&settings.data_dir, &options)?;
    // The broker must outlive everything that drains into it: it is stopped last, by hand.
    let child = BrokerChild::start(
        broker_child::BrokerOptions {
            data_dir: settings.data_dir.clone(),
            server: settings.nats.server.clone(),
            port: None,
        },
        CancellationToken::new(),
    )
    .await?;
    warn_if_elsewhere(&settings, &hub, child.url());
    hub::watch_certificate(&settings);
    // A certificate of somebody else's is not for the short way.
    let url = match (&options.tls, settings.nats.url.as_deref()) {
        (Some(Tls::Given { .. }), Some(url)) => url,
        (Some(Tls::Own { .. } | Tls::Given { .. }) | None, _) => child.url(),
    };
    let outcome = assemble(&settings, &hub, &child, url.to_owned(), &cancel).await;
    child.stop().await;
    outcome
}

/// Refuses a data folder that takes nothing, before anything is begun in it: what is there already
/// would start, and fail at the first message.
fn writable(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        // Made by whoever needs it.
        return Ok(());
    }
    common::disk::has_room(folder).map_err(|why| {
        let said = common::disk::say(folder, &why);
        anyhow::anyhow!("the data folder cannot be used: {said}, then start again")
    })
}

/// `hub.conf` is written once and is its owner's from then on, so a later NATS_URL does not move
/// the broker.
fn warn_if_elsewhere(settings: &Settings, hub: &Hub, url: &str) {
    let port = |url: &str| url.rsplit_once(':').map(|(_, port)| port.to_owned());
    if let Some(wanted) = &settings.nats.url
        && port(wanted) != port(url)
    {
        warn!(
            "NATS_URL says {wanted}, but {} has the broker listen at {url}: change host and port there to move it",
            hub.conf_path().display()
        );
    }
}

async fn assemble(
    settings: &Settings,
    hub: &Hub,
    child: &BrokerChild,
    url: String,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let health = Health::default();
    tokio::spawn(report_store(child.trouble(), health.clone()));
    // A part that fails ends the others.
    let cancel = cancel.child_token();
    let read = |who: &str| Creds::read(&hub.creds_path(who));

    let mut host = None;
    if !settings.router_mode {
        let node = settings.node.id.clone();
        let creds = local_creds(hub, &node, &settings.node.display_name)?;
        if let Some(creds) = creds {
            let broker = connect(settings, &url, creds, false, &cancel).await?;
            let options = host_options(settings, node);
            let (health, whole) = (health.clone(), cancel.clone());
            host = Some(part("host", &cancel, async move {
                let end = whole.child_token();
                let work = Box::pin(host::run(options, broker.clone(), health, end.clone()));
                let outcome = while_let_in(&broker, &end, async { Ok(work.await?) }).await;
                broker.close().await;
                if outcome.is_err() && end.is_cancelled() && !whole.is_cancelled() {
                    // It was removed, and says so in the log; the others go on.
                    whole.cancelled().await;
                    return Ok(());
                }
                outcome
            }));
        }
    }
    // Router and gateway go on until the host has said its last words.
    let rest = CancellationToken::new();
    let broker = connect(settings, &url, read("router")?, true, &cancel).await?;
    let options = router_options(settings, &url, None);
    let (health_r, end) = (health.clone(), rest.clone());
    let router = part("router", &cancel, async move {
        router::run(options, broker.clone(), health_r, end).await?;
        broker.close().await;
        Ok(())
    });
    let broker = connect(settings, &url, read("gateway")?, false, &cancel).await?;
    let (options, ready) = gateway_options(settings);
    let (health_g, end) = (health.clone(), rest.clone());
    let gateway = part("gateway", &cancel, async move {
        gateway::run(options, broker.clone(), health_g, end).await?;
        broker.close().await;
        Ok(())
    });
    tokio::spawn(announce(ready));

    cancel.cancelled().await;
    let ended = tokio::time::timeout(END_WITHIN, async {
        let host = match host {
            Some(host) => host.await?,
            None => Ok(()),
        };
        rest.cancel();
        let (router, gateway) = tokio::try_join!(router, gateway)?;
        host.and(router).and(gateway)
    })
    .await;
    ended.unwrap_or_else(|_| {
        warn!("not everything ended in time; it is taken up at the next start");
        Ok(())
    })
}

/// Shows whether our broker can store. Ends with the broker.
async fn report_store(mut trouble: watch::Receiver<Option<String>>, health: Health) {
    loop {
        let why = trouble.borrow_and_update().clone();
        health.set("broker_store", why.is_none(), serde_json::json!(why));
        if trouble.changed().await.is_err() {
            return;
        }
    }
}

/// Runs a part; when it fails, the whole ends.
fn part(
    name: &'static str,
    whole: &CancellationToken,
    work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) -> JoinHandle<anyhow::Result<()>> {
    let whole = whole.clone();
    tokio::spawn(async move {
        let outcome = work.await;
        if let Err(why) = &outcome {
            error!(part = name, "{why:#}");
        }
        whole.cancel();
        outcome.with_context(|| format!("the {name} stopped"))
    })
}

async fn connect(
    settings: &Settings,
    url: &str,
    creds: Creds,
    owner: bool,
    cancel: &CancellationToken,
) -> anyhow::Result<Broker> {
    let options = BrokerOptions {
        url: url.to_owned(),
        creds,
        ca: ca_of(settings),
        owner,
    };
    Ok(Broker::connect(&options, cancel).await?)
}

fn address(settings: &Settings) -> SocketAddr {
    SocketAddr::new(settings.web.bind, settings.web.port)
}

fn router_options(settings: &Settings, url: &str, http: Option<SocketAddr>) -> RouterOptions {
    RouterOptions {
        lang: settings.locale,
        data_dir: Some(settings.data_dir.clone()),
        http,
        model: settings.llm.clone(),
        timezone: settings.timezone,
        audit_days: settings.audit_days,
        secrets: secrets(settings),
        enrol: EnrolOptions {
            secret: settings.router_secret.clone(),
            admins: settings.admins.clone(),
            auto_approve: settings.auto_approve_hosts,
            url: url.to_owned(),
            ca: ca_of(settings),
        },
        ..RouterOptions::default()
    }
}

fn gateway_options(settings: &Settings) -> (GatewayOptions, oneshot::Receiver<WebReady>) {
    let (on_ready, ready) = oneshot::channel();
    let feishu = settings.feishu.as_ref().map(|feishu| FeishuOptions {
        app_id: feishu.app_id.clone(),
        app_secret: feishu.app_secret.clone(),
        base_url: feishu.base_url.clone(),
    });
    if feishu.is_none() {
        info!("no Feishu app is set up (FEISHU_APP_ID, FEISHU_APP_SECRET): that surface is off");
    }
    let web = settings.web.enabled.then(|| WebOptions {
        bind: settings.web.bind,
        port: settings.web.port,
        data_dir: settings.data_dir.clone(),
        on_ready,
    });
    let options = GatewayOptions {
        feishu,
        health_http: web.is_none().then(|| address(settings)),
        web,
        allowed: settings.allowed.users.clone(),
        lang: settings.locale,
        data_dir: settings.data_dir.join("gateway"),
    };
    (options, ready)
}

fn host_options(settings: &Settings, node: NodeId) -> HostOptions {
    HostOptions {
        node,
        name: settings.node.display_name.clone(),
        description: settings.node.description.clone(),
        serves: settings.node.serves_users.clone(),
        working_dir: settings.working_dir.clone(),
        data_dir: host_data(settings),
        agents: AgentOptions {
            program: settings.claude.bin.clone(),
            args: settings.claude.args.clone(),
            trust: settings.claude.trust_projects.clone(),
            secrets: secrets(settings),
            env: Vec::new(),
            max_live: settings.claude.live,
            question_waits: host::context::QUESTION_WAITS,
        },
        model: settings.llm.clone(),
        metaso: settings.metaso.clone(),
        shell_read: settings.shell_read.clone(),
        shell: ShellOptions {
            program: std::env::current_exe().ok(),
            secluded: secluded(settings),
            ..ShellOptions::default()
        },
        audit_days: settings.audit_days,
        timezone: settings.timezone,
    }
}

/// What no command of a person reaches, wherever it is: our settings, and all that a hub keeps.
fn secluded(settings: &Settings) -> Vec<PathBuf> {
    let mut all = vec![settings.data_dir.clone()];
    all.extend(settings.file.clone());
    all.into_iter()
        .map(|path| path.canonicalize().unwrap_or(path))
        .collect()
}

/// A host keeps its things apart from a hub in the same folder.
fn host_data(settings: &Settings) -> PathBuf {
    settings
        .data_dir
        .join("host")
        .join(settings.node.id.as_str())
}

/// Every secret we hold, so that no child process gets one under whatever name.
fn secrets(settings: &Settings) -> Vec<SecretString> {
    let feishu = settings.feishu.as_ref().map(|feishu| &feishu.app_secret);
    let llm = settings.llm.as_ref().map(|llm| &llm.api_key);
    let metaso = settings.metaso.as_ref().map(|metaso| &metaso.api_key);
    [feishu, llm, metaso, settings.router_secret.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

/// Prints the login link on standard output: the one place it is shown.
async fn announce(ready: oneshot::Receiver<WebReady>) {
    if let Ok(ready) = ready.await {
        let mut stdout = std::io::stdout();
        let _ = writeln!(
            stdout,
            "\n  PhoneWork is ready. Open this link (it works once):\n\n    {}\n",
            ready.link.expose_secret()
        );
        let _ = stdout.flush();
    }
}
