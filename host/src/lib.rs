//! What runs on each machine: takes the work of its node, keeps sessions with agents, writes
//! everything down first. Listens on no port and trusts nothing but its own subjects.
//!
//! A message's way through: `intake` (journal, then acknowledgement) → `desk` (whose is it, what
//! is it) → `session` (turns, questions, the agent) → `outbox` (to the gateway, until confirmed).

pub mod agent;
mod audit;
mod beat;
mod cards;
mod claim;
mod command;
mod confirm;
pub mod context;
mod desk;
pub mod enter;
mod files;
mod grounds;
mod intake;
pub mod journal;
mod mailboy;
mod outbox;
pub mod record;
pub mod remind;
mod report;
mod session;
pub mod shell;
mod task;
mod web;
pub mod workdir;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use common::audit::{Audit, AuditOptions};
use common::broker::Broker;
use common::config::{LlmSettings, MetasoSettings};
use common::health::Health;
use common::ids::{NodeId, UserId};
use common::llm::{Limits, Llm};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::claim::Claim;
pub use crate::claim::Rival;
use crate::confirm::Confirms;
use crate::context::{AgentOptions, Context};
use crate::desk::door::Door;
use crate::files::Files;
use crate::journal::{Journal, JournalError};
use crate::mailboy::Mailboy;
use crate::session::slots::Slots;
pub use crate::task::ShellOptions;
use crate::task::Tasks;
use crate::workdir::WorkDir;

/// Acts between intake and desk; above that the intake waits, and the broker keeps the rest.
const DESK: usize = 64;
/// Time for sessions to end their turns and processes when the host stops.
const SESSIONS_END_WITHIN: Duration = Duration::from_secs(7);
/// Time for the last answers to reach the broker after that.
const OUTBOX_END_WITHIN: Duration = Duration::from_millis(1500);
/// Time for the last lines of the audit to reach the disk.
const AUDIT_ENDS_WITHIN: Duration = Duration::from_millis(500);

/// What a host needs to know.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Which node this is.
    pub node: NodeId,
    /// What people call the machine.
    pub name: String,
    /// What the machine is for, a line; may be empty.
    pub description: String,
    /// Users whom the machine's owner lets in; empty: all that the hub grants.
    pub serves: Vec<UserId>,
    /// Sessions are under this directory and nowhere else.
    pub working_dir: PathBuf,
    /// Where the journal is.
    pub data_dir: PathBuf,
    /// How agents are started.
    pub agents: AgentOptions,
    /// The chat model of smart mode; none: rules.
    pub model: Option<LlmSettings>,
    /// The web search; none: off.
    pub metaso: Option<MetasoSettings>,
    /// Folders outside `working_dir` that commands may read.
    pub shell_read: Vec<PathBuf>,
    /// How commands of people run.
    pub shell: ShellOptions,
    /// Days that the audit log is kept.
    pub audit_days: u32,
    /// For times of day on cards.
    pub timezone: Tz,
}

/// Why a host cannot run.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The working directory.
    #[error("the working directory {path} cannot be used: {why}; set WORKING_DIR to one that can")]
    WorkingDir {
        /// Which.
        path: String,
        /// Why.
        why: std::io::Error,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The client of the web.
    #[error(transparent)]
    Http(#[from] common::http::HttpError),
    /// Another process serves this node.
    #[error(
        "node `{node}` already runs on machine {rival}. Stop that one, or enrol this machine under an id of its own: phonework enroll <id> on the hub"
    )]
    Claimed {
        /// This node.
        node: NodeId,
        /// Who does.
        rival: Rival,
    },
}

/// Runs a host until `cancel`, then ends in good order: no new work, turns interrupted and offered
/// again, processes ended, last answers sent.
///
/// # Errors
/// When it cannot start; nothing was acknowledged then. Later when, after a cut, another start of
/// this node turns out to work; this one has ended in good order then.
pub async fn run(
    options: HostOptions,
    broker: Broker,
    health: Health,
    cancel: CancellationToken,
) -> Result<(), HostError> {
    let workdir = WorkDir::open(&options.working_dir).map_err(|why| HostError::WorkingDir {
        path: options.working_dir.display().to_string(),
        why,
    })?;
    let (journal, mut snapshot) = Journal::open(&options.data_dir)?;
    let sessions_end = CancellationToken::new();
    let (confirms, asked) = Confirms::new();
    let (door, knocks) = Door::new();
    let llm = options.model.and_then(model);
    let (mailboy, letters) = llm.clone().map(Mailboy::new).unzip();
    // A hub in the same folder, and our settings, are nobody's either.
    let mut closed = options.shell.secluded.clone();
    closed.push(options.data_dir.clone());
    let files = Files::open(
        &workdir,
        &closed,
        options.node.clone(),
        broker.clone(),
        sessions_end.clone(),
    )
    .map_err(|why| HostError::WorkingDir {
        path: options.working_dir.display().to_string(),
        why,
    })?;
    let context = Arc::new(Context {
        files,
        node: options.node.clone(),
        name: options.name,
        description: options.description,
        journal: journal.clone(),
        broker: broker.clone(),
        workdir,
        family: family(&options.node, &options.data_dir),
        slots: Slots::new(options.agents.max_live),
        confirms,
        door: door.clone(),
        web: web::Web::new(options.metaso.as_ref())?,
        audit: Audit::start(AuditOptions {
            dir: options.data_dir.join("audit"),
            by: options.node.to_string(),
            days: options.audit_days,
            secrets: options.agents.secrets.clone(),
            health: (health.clone(), "host_audit"),
        }),
        shell: Tasks::new(options.shell, options.data_dir, options.shell_read),
        mailboy,
        reminders: remind::Reminders::new(broker.clone(), options.node.clone()),
        agents: options.agents,
        timezone: options.timezone,
        health: health.clone(),
        tasks: TaskTracker::new(),
        cancel: sessions_end.clone(),
    });
    // Beside each other, as both mostly wait.
    let claim = async {
        tokio::select! {
            claim = Claim::take(&broker, &context.node) => claim.map(Some),
            () = cancel.cancelled() => Ok(None),
        }
    };
    let agent = async {
        report_agent(&context).await;
        Ok(())
    };
    let (Some(claim), ()) = tokio::try_join!(claim, agent)? else {
        return Ok(());
    };
    // Ours until the very end, so that nobody begins while we still finish.
    let (cancel, claim_ends) = (cancel.child_token(), CancellationToken::new());
    let _claim_ends = claim_ends.clone().drop_guard();
    let claim = tokio::spawn(hold(claim, claim_ends.clone(), cancel.clone()));
    context.tasks.spawn(report_journal(Arc::clone(&context)));
    health.set(
        "host",
        true,
        json!({ "node": context.node, "working_dir": context.workdir.root() }),
    );
    info!(node = %context.node, working_dir = %context.workdir.root().display(),
        sessions = snapshot.sessions.len(), "host is up");

    context
        .tasks
        .spawn(confirm::run(Arc::clone(&context), asked));
    if let (Some(llm), Some(letters)) = (llm, letters) {
        let run = mailboy::run(Arc::clone(&context), llm, door, letters);
        context.tasks.spawn(run);
    }
    let outbox_end = CancellationToken::new();
    let outbox = tokio::spawn(outbox::run(
        context.node.clone(),
        journal,
        broker.clone(),
        outbox_end.clone(),
    ));
    let (load_tx, load) = watch::channel(beat::Load::default());
    let (to_desk, from_intake) = mpsc::channel(DESK);
    let waiting = std::mem::take(&mut snapshot.inbox);
    let left = session::recover::leftovers(&context, &snapshot.sessions).await;
    context.shell.recover(&context).await;
    let desk = desk::Desk::new(Arc::clone(&context), snapshot, left, load_tx, knocks);
    context.tasks.spawn(desk.run(waiting, from_intake));
    let beat = tokio::spawn(beat::run(
        Arc::clone(&context),
        options.serves,
        load,
        cancel.clone(),
    ));
    intake::run(Arc::clone(&context), to_desk, cancel.clone()).await;

    // The intake has ended, so `cancel` was given: now the sessions, then the last answers.
    sessions_end.cancel();
    context.tasks.close();
    if tokio::time::timeout(SESSIONS_END_WITHIN, context.tasks.wait())
        .await
        .is_err()
    {
        warn!("sessions did not end in time; they are taken up again at the next start");
    }
    let flush = wait_until_sent(&context.journal);
    let _ = tokio::time::timeout(OUTBOX_END_WITHIN, flush).await;
    outbox_end.cancel();
    let _ = tokio::join!(outbox, beat);
    let _ = tokio::time::timeout(AUDIT_ENDS_WITHIN, context.audit.flush()).await;
    claim_ends.cancel();
    let claim = claim.await;
    info!(node = %context.node, "host has stopped");
    // A panic there is in the log; the host has ended in order all the same.
    claim.unwrap_or(Ok(()))
}

/// The chat model, if it can be asked at all.
fn model(settings: LlmSettings) -> Option<Llm> {
    Llm::new(settings, Limits::default())
        .inspect_err(|why| warn!(%why, "there is no chat model: text goes to the active session"))
        .ok()
}

/// Keeps the claim on the node until `ends`; when it is lost, `host` is told to end.
async fn hold(
    claim: Claim,
    ends: CancellationToken,
    host: CancellationToken,
) -> Result<(), HostError> {
    let kept = claim.keep(ends).await;
    if kept.is_err() {
        host.cancel();
    }
    kept
}

/// A name for all processes of this host that another host, on the same machine or looking at the
/// same processes from another container, does not have. The journal in the folder is open in one
/// process only, so whatever else bears the name is left over.
fn family(node: &NodeId, data_dir: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let path = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let place = std::fs::metadata(&path).map_or((0, 0), |data| (data.dev(), data.ino()));
    let name = format!("{node} {} {place:?}", path.display());
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

async fn wait_until_sent(journal: &Journal) {
    while journal
        .outbox(0, 1)
        .await
        .is_ok_and(|waiting| !waiting.is_empty())
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Shows whether things can be written down.
async fn report_journal(context: Arc<Context>) {
    let mut trouble = context.journal.trouble();
    loop {
        let why = trouble.borrow_and_update().clone();
        context.health.set("journal", why.is_none(), json!(why));
        tokio::select! {
            changed = trouble.changed() => if changed.is_err() { return },
            () = context.cancel.cancelled() => return,
        }
    }
}

/// Says once, at the start, whether the agent is there and new enough. Not there is no reason not
/// to run: everything else works, and `/new` tells how to install it.
async fn report_agent(context: &Context) {
    let env = agent::ChildEnv::inherited(&context.agents.secrets);
    let program = match agent::claude::locate(context.agents.program.as_deref(), env.get("PATH")) {
        Ok(program) => program,
        Err(why) => {
            warn!(%why, "sessions cannot run until claude is installed on this machine");
            context.health.set("agent", true, json!(why.to_string()));
            return;
        }
    };
    match agent::claude::probe(&program).await {
        Ok(version) => {
            info!(%version, program = %program.display(), "claude found");
            context
                .health
                .set("agent", true, json!(format!("claude {version}")));
        }
        Err(why) => {
            warn!(%why, program = %program.display(), "claude may not work");
            context.health.set("agent", true, json!(why.to_string()));
        }
    }
}
