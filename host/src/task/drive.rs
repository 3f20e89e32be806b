//! One command on its way: previews, its time, being stopped, and its end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::message::encode;
use common::message::outbound::Preview;
use common::subject;
use common::text::Say as _;
use common::text::host::shell::ShellText;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::record::TaskRecord;
use super::{Live, Outcome, Tasks, cards, place};
use crate::context::Context;
use crate::grounds::Grounds;
use crate::journal::Change;
use crate::shell::output::{KEPT, Output, Shown};
use crate::shell::run::{How, Running, Spec};

/// Least time between two previews.
const PREVIEW_EVERY: Duration = Duration::from_millis(400);
/// Time between two previews of a command that writes nothing: its clock.
const TICK: Duration = Duration::from_secs(10);

pub(super) struct Drive {
    pub(super) tasks: Tasks,
    pub(super) context: Arc<Context>,
    pub(super) spec: Spec,
    pub(super) log: PathBuf,
    pub(super) grounds: Grounds,
    pub(super) at: place::At,
    pub(super) record: TaskRecord,
    pub(super) told: watch::Sender<Live>,
    pub(super) stop: CancellationToken,
}

impl Drive {
    pub(super) async fn run(mut self) {
        let since = Instant::now();
        if let Some(dir) = self.log.parent() {
            let _ = std::fs::create_dir_all(dir);
        }
        let output = Arc::new(Mutex::new(Output::new(&self.log)));
        let (fresh, heard) = mpsc::channel(1);
        match Running::start(&self.spec, Arc::clone(&output), fresh) {
            Ok(mut running) => {
                let how = self.watch(&mut running, &output, heard, since).await;
                let took = since.elapsed();
                let cwd = running.finish().await;
                common::crash_point!("host.task.over");
                let shown = shown(&output);
                self.settle(how, took, &shown, cwd).await;
            }
            Err(why) => {
                let mut shown = shown(&output);
                let why = why.to_string();
                shown.head = ShellText::Failed { why }.say(self.record.origin.lang) + "\n";
                self.settle(
                    How::Exit(crate::shell::sandbox::CANNOT_START),
                    since.elapsed(),
                    &shown,
                    None,
                )
                .await;
            }
        }
    }

    /// Until it ends, or is to be ended.
    async fn watch(
        &mut self,
        running: &mut Running,
        output: &Arc<Mutex<Output>>,
        mut fresh: mpsc::Receiver<()>,
        since: Instant,
    ) -> How {
        let due = since + Duration::from_secs(self.record.timeout_s);
        let aside = since + self.tasks.0.options.background_after;
        let (mut dirty, mut last, mut n) = (false, since, 0);
        loop {
            let next = last + if dirty { PREVIEW_EVERY } else { TICK };
            tokio::select! {
                how = running.ended() => return how,
                () = self.stop.cancelled() => {
                    // What ends together with us was not stopped by anybody.
                    let ends = self.context.cancel.is_cancelled();
                    return if ends { How::Interrupted } else { How::Stopped };
                }
                () = self.context.cancel.cancelled() => return How::Interrupted,
                () = tokio::time::sleep_until(due) => return How::TimedOut,
                () = tokio::time::sleep_until(aside), if !self.record.background => {
                    self.goes_on(&shown(output)).await;
                    (n, last, dirty) = (0, Instant::now(), false);
                }
                Some(()) = fresh.recv() => dirty = true,
                () = tokio::time::sleep_until(next) => {
                    (n, last, dirty) = (n + 1, Instant::now(), false);
                    self.preview(n, &shown(output), since.elapsed()).await;
                }
            }
        }
    }

    /// It takes long: from here on it goes by itself.
    async fn goes_on(&mut self, shown: &Shown) {
        self.record.background = true;
        self.record.rev += 1;
        let mut changes = vec![self.record.put()];
        changes.extend(cards::change(&self.context, &self.record, shown, &[]));
        self.context.commit(changes).await;
        let (record, shown) = (self.record.clone(), shown.clone());
        self.told.send_modify(|live| {
            live.record = record;
            live.shown = shown;
        });
    }

    async fn preview(&mut self, n: u32, shown: &Shown, ran: Duration) {
        self.told.send_modify(|live| live.shown.clone_from(shown));
        let Some(card) = self.record.card else {
            return;
        };
        let user = &self.record.origin.user;
        let preview = Preview {
            card,
            rev: self.record.rev,
            n,
            user: user.clone(),
            view: cards::view(
                &self.context.name,
                &self.context.node,
                &self.record,
                shown,
                Some(ran),
                &[],
            ),
        };
        let subject = subject::delta(&self.context.node, user, self.record.id);
        // Droppable, and never in the way: the next one says it all again.
        let client = self.context.broker.client();
        let send = client.publish(subject, encode(&preview).into());
        let _ = tokio::time::timeout(Duration::from_millis(50), send).await;
    }

    /// All that it wrote, as a file, where its card leaves something out. One that is too large for
    /// the chat is not sent; the card says how much it leaves out.
    async fn whole(&self, how: How, shown: &Shown) -> Vec<Change> {
        if shown.left_out == 0 || how == How::Interrupted || self.record.card.is_none() {
            return Vec::new();
        }
        let name = format!("output-{}.txt", self.record.n);
        let files = &self.context.files;
        let sent = files.deliver(&self.record.origin, &name, &self.log, "output");
        sent.await.unwrap_or_else(|why| {
            tracing::warn!(why = why.en(), "an output is not sent");
            Vec::new()
        })
    }

    /// It is over: the record, the card, the directory, and the word that rings, in one step.
    async fn settle(mut self, how: How, took: Duration, shown: &Shown, cwd: Option<PathBuf>) {
        let mut notes = Vec::new();
        let mut at = self.at.clone();
        let mut changes = Vec::new();
        if let Some(cwd) = cwd.filter(|cwd| *cwd != self.at.path) {
            match place::entered(&self.grounds, &cwd) {
                Some(entered) => {
                    changes.push(place::keep(&self.grounds.user, &entered, &self.grounds.dir));
                    at = entered;
                }
                None => notes.push(ShellText::StaysIn {
                    dir: at.dir.clone(),
                }),
            }
        }
        if shown.total > KEPT {
            notes.push(ShellText::NotKept { max: KEPT >> 20 });
        }
        match how {
            How::Interrupted => notes.push(ShellText::RunAgain),
            How::TimedOut => notes.push(ShellText::Longer),
            How::Exit(_) | How::Signal(_) | How::Stopped => {}
        }
        let file = self.whole(how, shown).await;
        if !file.is_empty() {
            let bytes = shown.total.min(KEPT);
            notes.push(ShellText::FullInFile { bytes });
        }
        self.record.rev += 1;
        self.record.end(how, took, shown);
        changes.push(self.record.put());
        changes.extend(cards::change(&self.context, &self.record, shown, &notes));
        changes.extend(file);
        if self.record.background || how == How::Interrupted {
            changes.push(cards::ring(&self.record));
        }
        self.context.commit(changes).await;
        let (record, user) = (self.record.clone(), self.record.origin.user.clone());
        self.told.send_modify(|live| {
            live.shown.clone_from(shown);
            live.outcome = Some(Outcome {
                how,
                took,
                dir: at.dir,
                output: shown.clone(),
            });
            live.record = record;
        });
        self.tasks
            .forget(&self.context, self.record.id, &user)
            .await;
    }
}

fn shown(output: &Arc<Mutex<Output>>) -> Shown {
    output
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .shown()
}
