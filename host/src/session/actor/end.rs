//! Closing the agent, the session, or everything.

use std::time::Duration;

use common::message::view::Tone;
use common::text::host::HostText;
use tokio::time::Instant;

use super::{Actor, frame};
use crate::cards;
use crate::journal::Change;
use crate::session::turn::Stopping;
use crate::session::turn::origin;

/// Time for a running turn to stop when the host stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Time for the agent's process to end after that, before it is ended by force.
const EXIT_WITHIN: Duration = Duration::from_secs(3);

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

    /// `/close`: everything of this session goes, its directory stays. The answer to the command is
    /// in `further`, in the same step: repeated after a crash, its number would be another session's.
    pub(super) async fn close_for_good(&mut self, further: Vec<Change>) {
        if let Some(orphan) = self.orphan.take() {
            orphan.end().await;
        }
        if self.given() {
            self.interrupt(Stopping::Person).await;
            self.drain(STOP_WITHIN).await;
        }
        self.close_agent().await;
        let mut changes = Vec::new();
        let frame_dir = self.record.dir.clone();
        let current = self.current.take().map(|current| current.turn);
        for mut turn in self.queue.drain(..).chain(current) {
            turn.rev += 1;
            let frame = frame(&self.context, &frame_dir, turn.lang);
            let view = cards::note(frame, Tone::Plain, &HostText::Cancelled);
            changes.push(origin(&turn).card(turn.card, turn.rev, view));
            changes.push(Change::DropTurn(turn.id));
        }
        for turn in self.interrupted.drain(..).chain(self.folded.drain(..)) {
            changes.push(Change::DropTurn(turn.id));
        }
        changes.push(Change::DropSession(self.record.id));
        changes.extend(further);
        self.commit(changes).await;
        self.ended = true;
    }

    /// The host stops: a running turn is interrupted and offered again; no process is left behind.
    pub(super) async fn shut_down(&mut self) {
        // One that the agent never got runs at the next start.
        if self.given() {
            self.interrupt(Stopping::Shutdown).await;
            self.drain(STOP_WITHIN).await;
        }
        let Some(live) = self.live.take() else { return };
        let handle = live.agent.handle.clone();
        let closing = async {
            let close = handle.close();
            let mut events = live.agent.events;
            tokio::pin!(close);
            loop {
                tokio::select! {
                    _ = &mut close => break,
                    event = events.recv() => if event.is_none() { let _ = (&mut close).await; break },
                }
            }
        };
        if tokio::time::timeout(EXIT_WITHIN, closing).await.is_err() {
            let _ = tokio::time::timeout(Duration::from_secs(1), handle.kill()).await;
        }
        self.record.process = None;
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
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
                Ok(None) => self.live = None,
                Err(_) => return,
            }
        }
    }
}
