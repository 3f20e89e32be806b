//! Giving turns to the agent, one at a time; starting the agent when it must be.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::message::view::View;
use common::text::host::HostText;
use tokio::time::Instant;
use tracing::info;
use tracing::warn;

use super::{Actor, Live, Undelivered, attach, frame};
use crate::agent;
use crate::agent::AgentFault;
use crate::agent::AgentHandle;
use crate::cards;
use crate::journal::Change;
use crate::record::ProcessRecord;
use crate::record::TurnRecord;
use crate::record::TurnState;
use crate::session::progress::Progress;
use crate::session::progress::one_line;
use crate::session::recover;
use crate::session::turn::Current;
use crate::session::turn::Stopping;
use crate::session::turn::origin;

/// Time for the agent to heed an interruption before it is ended by force.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

impl Actor {
    /// Whether a new turn has to wait.
    pub(super) fn busy(&self) -> bool {
        !self.nothing_runs() || !self.queue.is_empty()
    }

    pub(super) fn queued_view(&self, turn: &TurnRecord, place: usize) -> View {
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        cards::queued(
            frame,
            &one_line(turn.request(), 80),
            place,
            &self.context.node,
            turn.id,
            self.current.is_some(),
        )
    }

    /// Starts the next turn that waits, if nothing is in its way; one that fails at once makes way
    /// for the one behind it.
    pub(super) async fn go_on(&mut self) {
        if self.leaving {
            return;
        }
        if self.wants_slot {
            self.give_current().await;
        }
        while self.nothing_runs() {
            let Some(turn) = self.queue.pop_front() else {
                return;
            };
            self.begin(turn, None).await;
        }
    }

    /// Runs a turn now, or lets it wait behind what runs.
    pub(super) async fn run_or_queue(&mut self, mut turn: TurnRecord, place: u64) {
        if !self.busy() {
            self.begin(turn, Some(place)).await;
            return;
        }
        turn.state = TurnState::Queued;
        turn.rev += 1;
        let view = self.queued_view(&turn, self.queue.len() + 1);
        let mut changes = vec![
            Change::Turn(Box::new(turn.clone())),
            origin(&turn).card(turn.card, turn.rev, view),
            Change::Done(place),
        ];
        changes.extend(attach::taken(&turn));
        self.commit(changes).await;
        common::crash_point!("host.queue.kept");
        self.queue.push_back(turn);
    }

    /// Runs a turn that is taken up again: it came before all that waits.
    pub(super) async fn run_first(&mut self, turn: TurnRecord, place: u64) {
        if self.nothing_runs() {
            self.begin(turn, Some(place)).await;
        } else {
            self.put_first(turn, vec![Change::Done(place)]).await;
        }
    }

    /// Lets a turn wait in front.
    pub(super) async fn put_first(&mut self, mut turn: TurnRecord, with: Vec<Change>) {
        turn.state = TurnState::Queued;
        turn.rev += 1;
        let view = self.queued_view(&turn, 1);
        let mut changes = vec![
            Change::Turn(Box::new(turn.clone())),
            origin(&turn).card(turn.card, turn.rev, view),
        ];
        changes.extend(with);
        self.commit(changes).await;
        self.queue.push_front(turn);
    }

    /// Whether a turn may begin.
    fn nothing_runs(&self) -> bool {
        self.current.is_none() && self.orphan.is_none() && self.folded.is_empty()
    }

    /// Starts a turn and gives it to the agent.
    pub(super) async fn begin(&mut self, turn: TurnRecord, place: Option<u64>) {
        if self.start(turn, place).await {
            self.give_current().await;
        }
    }

    /// Writes a turn down as started, with its card, and makes it the current one. False when it
    /// could not be written down, which only happens at the end of us.
    pub(super) async fn start(&mut self, mut turn: TurnRecord, place: Option<u64>) -> bool {
        let now = Utc::now();
        turn.state = TurnState::Started { at: now };
        // To a process that lives it is given as soon as this is written down.
        turn.given |= self.live.is_some();
        turn.rev += 1;
        self.record.used_at = now;
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let node = &self.context.node;
        let view = cards::working(
            frame,
            &Progress::default(),
            &HostText::Working,
            node,
            turn.id,
        );
        let from = origin(&turn);
        let mut changes = vec![
            Change::Turn(Box::new(turn.clone())),
            Change::Session(Box::new(self.record.clone())),
            from.card(turn.card, turn.rev, view),
        ];
        changes.extend(place.map(Change::Done));
        changes.extend(attach::taken(&turn));
        self.last = Some(from);
        let written = self.commit(changes).await;
        if written {
            common::crash_point!("host.turn.started");
            let timeout = Duration::from_secs(self.record.timeout_s);
            self.current = Some(Current::new(turn, timeout));
        }
        written
    }

    /// Gives the current turn to the agent, which is started when it must be.
    pub(super) async fn give_current(&mut self) {
        if self.live.is_none()
            && let Err(fault) = self.open_agent().await
        {
            match fault {
                Some(fault) => self.fail_current(&fault).await,
                None => self.wants_slot = true,
            }
            return;
        }
        self.wants_slot = false;
        if let Some(live) = &mut self.live {
            live.idle = false;
            live.slot.set_idle(false);
        }
        let Some(current) = &mut self.current else {
            return;
        };
        current.given = true;
        // What it waited for a process is not its own time.
        current.deadline = Instant::now() + Duration::from_secs(self.record.timeout_s);
        let turn = current.turn.clone();
        self.give(&turn);
    }

    pub(super) fn give(&self, turn: &TurnRecord) {
        let Some(live) = &self.live else { return };
        let (handle, fail) = (live.agent.handle.clone(), self.fail.clone());
        let (context, dir) = (Arc::clone(&self.context), self.record.dir.clone());
        let turn = turn.clone();
        // Beside this task, which must go on reading what the agent says meanwhile.
        self.context.tasks.spawn(async move {
            let message = attach::message(&context, &dir, &turn).await;
            let key = message.uuid;
            if let Err(why) = handle.send(message).await {
                warn!(%why, "the agent did not take a message");
                let _ = fail.send(Undelivered::Message(key)).await;
            }
        });
    }

    /// `Err(None)`: no slot is free.
    pub(super) async fn open_agent(&mut self) -> Result<(), Option<AgentFault>> {
        let Some(slot) = self.context.slots.take(self.record.id) else {
            return Err(None);
        };
        let spec = recover::spec(&self.context, &self.record)
            .await
            .map_err(Some)?;
        let agent =
            agent::start(agent::Backend::Claude, spec, &self.context.tasks).map_err(|why| {
                warn!(%why, "the agent cannot be started");
                Some(AgentFault::from(&why))
            })?;
        common::crash_point!("host.agent.spawned");
        info!(session = %self.record.id, pid = agent.handle.pid(), dir = %self.record.dir, "agent started");
        self.record.process = agent.handle.started().map(|started| ProcessRecord {
            pid: agent.handle.pid(),
            started: started.to_owned(),
            mark: agent.handle.mark().to_owned(),
        });
        self.live = Some(Live {
            agent,
            slot,
            idle: false,
        });
        let mut changes = vec![Change::Session(Box::new(self.record.clone()))];
        if let Some(current) = &mut self.current {
            // From here on it may have been read: nothing runs it again by itself.
            current.turn.given = true;
            changes.push(Change::Turn(Box::new(current.turn.clone())));
        }
        if !self.commit(changes).await {
            // The end of us; nothing was given, and nothing will be.
            if let Some(current) = &mut self.current {
                current.turn.given = false;
            }
            return Err(None);
        }
        common::crash_point!("host.agent.kept");
        Ok(())
    }

    pub(super) fn handle(&self) -> Option<AgentHandle> {
        self.live.as_ref().map(|live| live.agent.handle.clone())
    }

    /// A question is settled; once none is open the turn's time runs again.
    pub(super) fn asked_no_more(&mut self) {
        if let Some(current) = &mut self.current
            && self.prompts.is_empty()
        {
            current.go_on();
            current.touch(HostText::Working);
        }
    }

    /// Ends an agent that does not heed an interruption; its exit settles the turn.
    pub(super) fn force(&mut self) {
        if let Some(current) = &mut self.current {
            current.force_at = None;
        }
        if let Some(handle) = self.handle() {
            warn!(session = %self.record.id, "the agent does not stop; it is ended by force");
            self.context.tasks.spawn(async move {
                handle.kill().await;
            });
        }
    }

    /// Interrupts the running turn; the agent's word ends it. One that still waits for a process
    /// ends right here, or nobody would.
    pub(super) async fn interrupt(&mut self, why: Stopping) {
        let Some(current) = &mut self.current else {
            return;
        };
        if current.stopping.is_some() {
            return;
        }
        current.stopping = Some(why);
        current.force_at = Some(Instant::now() + STOP_PATIENCE);
        current.touch(HostText::Stopping);
        if !current.given {
            self.wants_slot = false;
            if let Some(current) = self.current.take() {
                self.stopped(current).await;
            }
            self.go_on().await;
        } else if let Some(handle) = self.handle() {
            self.context.tasks.spawn(async move {
                if let Err(why) = handle.interrupt().await {
                    warn!(%why, "the agent did not take the interruption");
                }
            });
        }
    }

    pub(super) fn note(&mut self, note: HostText) {
        if let Some(current) = &mut self.current {
            current.touch(note);
        }
    }
}
