//! What became of a turn that we lost sight of, and how an agent is started anew: the transcript
//! on the disk is the witness, and a process left over from before is looked after.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::text::Say as _;
use common::text::host::HostText;
use tracing::{info, warn};
use uuid::Uuid;

use super::actor::Actor;
use super::{Remains, turn};
use crate::agent::claude::{self, Leftover, TranscriptOutcome};
use crate::agent::orphan;
use crate::agent::{AgentFault, AgentSpec, ChildEnv, PermissionMode, SessionStart};
use crate::context::Context;
use crate::record::{PromptRecord, PromptState, SessionRecord, TurnRecord, TurnState};

/// Time for a left-over process to end after each push.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the transcript says of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It knows nothing of it. As it is written late, that proves nothing once a process had it.
    NotFound,
    /// The agent had it, and did not come to an end.
    Unfinished,
    /// It came to an end.
    Finished(Found),
}

/// An answer in the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    /// It is the answer of another turn, which took the message in.
    pub(super) folded: bool,
}

/// A process of an earlier life of ours.
#[derive(Debug)]
pub(crate) struct Orphan {
    process: orphan::Orphan,
    mark: String,
}

impl From<Leftover> for Orphan {
    fn from(left: Leftover) -> Self {
        Self {
            process: left.process,
            mark: left.mark,
        }
    }
}

impl Orphan {
    /// Resolves when it has ended.
    pub(super) async fn gone(&self) {
        while !self.process.wait(Duration::from_secs(3600)).await {}
    }

    /// Ends it: first politely, which saves its turn and stops its tools.
    pub(crate) async fn end(&self) {
        for push in 0..3 {
            let told = match push {
                0 => self.process.interrupt().await,
                1 => self.process.terminate().await,
                _ => self.process.kill().await,
            };
            if !told || self.process.wait(PATIENCE).await {
                self.clear(push > 0).await;
                return;
            }
        }
        warn!(pid = self.process.pid(), "a left-over process does not end");
    }

    /// Once it has gone: ends the rest of its group, and what its tools left running if its turn
    /// was cut off.
    pub(super) async fn clear(&self, cut_off: bool) {
        claude::end_group(self.process.pid()).await;
        if cut_off {
            claude::end_tools(&self.mark).await;
        }
    }
}

/// Processes of ours that still run, whether or not the journal knows of them: a host may die
/// between starting one and writing that down.
pub(crate) async fn leftovers(context: &Context, sessions: &[SessionRecord]) -> Vec<Leftover> {
    let config = config_dir(context, &env(context));
    let conversations: Vec<Uuid> = sessions.iter().map(|one| one.agent_session).collect();
    claude::leftovers(&context.family, &conversations, config).await
}

/// Whether a process that was found belongs to this session.
pub(crate) fn is_of(left: &Leftover, session: &SessionRecord) -> bool {
    let marked = left.mark.split(':').nth(1) == Some(&session.id.to_string());
    marked || left.conversation == Some(session.agent_session)
}

fn env(context: &Context) -> ChildEnv {
    ChildEnv::inherited(&context.agents.secrets)
}

/// Where the agent keeps its things, in the environment that we start it in.
fn config_dir(context: &Context, env: &ChildEnv) -> Option<PathBuf> {
    claude::config_dir(|name| {
        let ours = context.agents.env.iter().rev().find(|(key, _)| key == name);
        match ours {
            Some((_, value)) => Some(value.into()),
            None => env.get(name).map(Into::into),
        }
    })
}

/// How to start the agent of a session: anew, or where it was.
pub(super) async fn spec(
    context: &Arc<Context>,
    record: &SessionRecord,
) -> Result<AgentSpec, AgentFault> {
    // Through the handle once more: the directory may have become a link that leads out.
    let dir = context
        .workdir
        .enter(&record.dir)
        .map_err(|why| AgentFault::Other { message: why.en() })?;
    if dir.name != record.dir {
        // Or to a folder that is somebody else's.
        let why = HostText::DirFailed {
            dir: record.dir.clone(),
            why: "it is a link to another folder now; open a session there with /new".into(),
        };
        return Err(AgentFault::Other { message: why.en() });
    }
    let env = env(context);
    let program =
        claude::locate(context.agents.program.as_deref(), env.get("PATH")).map_err(|why| {
            warn!(%why, "no agent");
            AgentFault::NotInstalled
        })?;
    let config = config_dir(context, &env);
    let known = config
        .as_deref()
        .and_then(|config| claude::transcript_path(config, &dir.path, record.agent_session))
        .is_some();
    let session = if known {
        SessionStart::Resume(record.agent_session)
    } else {
        SessionStart::New(record.agent_session)
    };
    if known
        && let Some(config) = &config
        && let Some(owner) = claude::live_owner(config, record.agent_session).await
    {
        info!(
            pid = owner.process.pid(),
            "another program has this conversation open"
        );
        return Err(AgentFault::SessionInUse);
    }
    let trust_project = context
        .agents
        .trust
        .iter()
        .any(|trusted| dir.path.starts_with(trusted));
    Ok(AgentSpec {
        program,
        extra_args: context.agents.args.clone(),
        cwd: dir.path,
        session,
        model: None,
        permission_mode: PermissionMode::Ask,
        trust_project,
        env,
        extra_env: context.agents.env.clone(),
        family: format!("{}:{}", context.family, record.id),
    })
}

/// What became of the turn whose message has this key.
pub(super) async fn outcome(context: &Arc<Context>, record: &SessionRecord, key: Uuid) -> Outcome {
    let env = env(context);
    let cwd = context.workdir.root().join(&record.dir);
    let path = config_dir(context, &env)
        .and_then(|config| claude::transcript_path(&config, &cwd, record.agent_session));
    let Some(path) = path else {
        return Outcome::NotFound;
    };
    let ending = match claude::ending_of(path.clone(), key).await {
        Ok(ending) => ending,
        Err(why) => {
            // Not to be read is not the same as not there; nor is that proof of anything.
            warn!(%why, path = %path.display(), "the transcript cannot be read");
            return Outcome::NotFound;
        }
    };
    match ending.outcome {
        TranscriptOutcome::NotFound => Outcome::NotFound,
        TranscriptOutcome::Unfinished
        | TranscriptOutcome::Interrupted
        | TranscriptOutcome::Failed(_) => Outcome::Unfinished,
        TranscriptOutcome::Finished { text } => Outcome::Finished(Found {
            text,
            folded: ending.folded,
        }),
    }
}

/// Puts the session back to where the journal has it. Gives the process that still works on it,
/// if one does, and the turns that were running.
pub(super) async fn take_up(
    actor: &mut Actor,
    remains: Remains,
) -> (Option<Orphan>, Vec<TurnRecord>) {
    let mut orphan = processes(actor.record(), remains.processes).await;
    // The agent that asked is gone, or its input is closed: nobody waits for these answers.
    let open: Vec<PromptRecord> = remains
        .prompts
        .into_iter()
        .filter(|prompt| prompt.state == PromptState::Open)
        .collect();
    actor.cut_off_all(open).await;
    common::crash_point!("host.found.asked");
    let mut started = Vec::new();
    for turn in remains.turns {
        actor.remember(turn::origin(&turn));
        match turn.state {
            TurnState::Queued | TurnState::Interrupted => actor.restore(turn),
            // One that was handed in may wait in the agent still, and run when nobody looks.
            TurnState::Started { .. } | TurnState::Watched | TurnState::Folded => {
                started.push(turn);
            }
        }
    }
    if started.is_empty()
        && let Some(idle) = orphan.take()
    {
        // It has nothing of ours to do: its input is closed, so it is about to end.
        idle.end().await;
    }
    (orphan, started)
}

/// Looks after the processes of a session: ends those that its record does not know, as nothing was
/// ever given to them, and gives the one that it does, if that still runs.
pub(super) async fn processes(record: &SessionRecord, found: Vec<Leftover>) -> Option<Orphan> {
    let known = record.process.as_ref().map(|process| Orphan {
        process: orphan::Orphan::new(process.pid, process.started.clone()),
        mark: process.mark.clone(),
    });
    let alive = match &known {
        Some(known) => known.process.is_alive().await,
        None => false,
    };
    if let (Some(known), false) = (&known, alive) {
        claude::end_group_of(known.process.pid(), &known.mark).await;
    }
    for left in found {
        // The known one, or a part of it: it may have been started through a script.
        let part = alive
            && known
                .as_ref()
                .is_some_and(|known| left.group == known.process.pid());
        if !part {
            warn!(pid = left.process.pid(), session = %record.id, "ending a process that nothing was known of");
            Orphan::from(left).end().await;
        }
    }
    let known = known.filter(|_| alive)?;
    info!(
        pid = known.process.pid(),
        "a process from before still runs"
    );
    Some(known)
}
