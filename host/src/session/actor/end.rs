//! Closing the agent, the session, or everything.

use std::time::Duration;

use common::text::host::HostText;
use tokio::time::Instant;

use super::{Actor, Live};
use crate::journal::Change;
use crate::record::TurnRecord;
use crate::record::TurnState;
use crate::session::Ending;
use crate::session::Msg;
use crate::session::turn::Stopping;

/// Time for a running turn to stop when the host stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Time for the agent's process to end after that, before it is ended by force.
const EXIT_WITHIN: Duration = Duration::from_secs(2);
/// Time for the force.
const KILL_WITHIN: Duration = Duration::from_millis(1500);

impl Actor {
    pub(super) async fn close_agent(&mut self) {
        let Some(mut live) = self.live.take() else {
            return;
        };
        let handle = live.agent.handle.clone();
        let closing = tokio::spawn(async move { handle.close().await });
        // It may still have something to say, and waits until it is heard.
        while live.agent.events.recv().await.is_some() {}
        let _ = closing.await;
        // Background work may have had questions of its own.
        for request in self.prompts.keys().cloned().collect::<Vec<_>>() {
            self.withdraw(&request).await;
        }
        self.record.process = None;
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
    }

    /// `/close`: everything of this session goes, its directory stays. The answer to the command
    /// comes with the end, in the same step.
    pub(super) async fn close_for_good(&mut self, ending: Ending) {
        let Ending { changes, done } = ending;
        self.leaving = true;
        self.inbox.close();
        self.end_orphan().await;
        if self.given() {
            self.interrupt(Stopping::Person).await;
            self.drain(STOP_WITHIN).await;
        }
        let cut_off = self.given();
        self.close_agent().await;
        common::crash_point!("host.close.ended");
        let mut all = Vec::new();
        if let Some(current) = self.current.take() {
            let why = if cut_off {
                HostText::Stopped
            } else {
                HostText::Cancelled
            };
            for turn in current.turns() {
                all.extend(self.let_go(turn, &why));
            }
        }
        for turn in std::mem::take(&mut self.queue) {
            all.extend(self.let_go(turn, &HostText::Cancelled));
        }
        let rest = std::mem::take(&mut self.interrupted).into_iter();
        for turn in rest.chain(std::mem::take(&mut self.folded)) {
            let why = match turn.state {
                TurnState::Queued => HostText::Cancelled,
                TurnState::Started { .. } if !turn.given => HostText::Cancelled,
                TurnState::Started { .. } | TurnState::Folded => HostText::Stopped,
                TurnState::Watched | TurnState::Interrupted => HostText::Discarded,
            };
            all.extend(self.let_go(turn, &why));
        }
        // What the desk had handed over, and nobody looked at.
        while let Ok(msg) = self.inbox.try_recv() {
            all.extend(self.never_looked_at(msg));
        }
        all.push(Change::DropSession(self.record.id));
        all.extend(changes);
        self.commit(all).await;
        common::crash_point!("host.close.kept");
        self.ended = true;
        let _ = done.send(());
    }

    fn never_looked_at(&self, msg: Msg) -> Vec<Change> {
        match msg {
            Msg::Turn { place, turn } => {
                let mut changes = self.let_go(*turn, &HostText::Cancelled);
                changes.push(Change::Done(place));
                changes
            }
            // The session's end took it; its own card says how.
            Msg::TakeBack { place, late, .. } => vec![*late, Change::Done(place)],
            Msg::Answer { place, .. }
            | Msg::Stop { place, .. }
            | Msg::Recover { place, .. }
            | Msg::Queued { place, .. } => vec![Change::Done(place)],
        }
    }

    /// The host stops: a running turn is interrupted and offered again; no process is left behind,
    /// and no card says that something works.
    pub(super) async fn shut_down(&mut self) {
        self.leaving = true;
        if self.given() {
            self.interrupt(Stopping::Shutdown).await;
            self.drain(STOP_WITHIN).await;
        }
        if let Some(live) = self.live.take() {
            // One that did not heed has had its time.
            let patience = if self.given() {
                Duration::ZERO
            } else {
                EXIT_WITHIN
            };
            if ends(live, patience).await {
                self.record.process = None;
            }
        }
        match self.current.take() {
            Some(current) if current.given => {
                self.settle_by_transcript(current.turns()).await;
            }
            // One that the agent never got runs at the next start.
            Some(current) => self.put_back(current.turn).await,
            None => {}
        }
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
    }

    /// Lets a turn that nothing was done for wait again, in front.
    pub(super) async fn put_back(&mut self, mut turn: TurnRecord) {
        turn.given = false;
        self.put_first(turn, Vec::new()).await;
    }

    fn given(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.given)
    }

    /// Goes on listening to the agent until the current turn is over, or `within`.
    pub(super) async fn drain(&mut self, within: Duration) {
        let until = Instant::now() + within;
        while self.current.is_some() {
            let Some(live) = &mut self.live else { return };
            match tokio::time::timeout_at(until, live.agent.events.recv()).await {
                Ok(Some(event)) => Box::pin(self.on_event(event)).await,
                Ok(None) => Box::pin(self.on_exited(None)).await,
                Err(_) => return,
            }
        }
    }
}

/// Ends an agent, after `patience` by force; false when even that did not help in time.
async fn ends(live: Live, patience: Duration) -> bool {
    let Live { agent, slot, .. } = live;
    let crate::agent::Agent { handle, mut events } = agent;
    let closing = async {
        if patience > Duration::ZERO && tokio::time::timeout(patience, handle.close()).await.is_ok()
        {
            return true;
        }
        let killing = tokio::time::timeout(KILL_WITHIN, handle.kill());
        killing.await.is_ok()
    };
    // It may still have something to say, and waits until it is heard.
    let listening = async {
        while events.recv().await.is_some() {}
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = closing => ended,
        () = listening => false,
    };
    drop(slot);
    ended
}
