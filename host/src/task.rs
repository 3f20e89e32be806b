//! Commands of people, from their judgement to what they are told at the end. Each is written down
//! before its process starts; those that take long go on by themselves and ring when they end.
//!
//! One task owns each command that runs (`task/drive.rs`); this is the directory of those, and the way
//! in. What has ended is in the journal only.

pub(crate) mod cards;
mod drive;
mod order;
mod place;
pub(crate) mod record;
mod surroundings;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use common::ids::{TurnId, UserId};
use common::text::Say as _;
use common::text::host::shell::{Danger, ShellText};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::confirm::Verdict;
use crate::context::Context;
use crate::journal::{Change, Shelf};
use crate::record::Ask;
use crate::report;
use crate::shell::guard::{self, Judgement};
use crate::shell::keeper;
use crate::shell::output::Shown;
use crate::shell::run::How;
use crate::shell::sandbox;
use order::wait;
pub(crate) use order::{Live, Outcome, Ran, RunOrder};
pub(crate) use record::{TaskRecord, TaskState, line};

/// Commands of one person that run at once.
const AT_ONCE: usize = 8;
/// Ended commands of one person that are kept, and for how long.
const KEPT: usize = 50;
const KEPT_FOR: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// How commands run on this node.
#[derive(Debug, Clone)]
pub struct ShellOptions {
    /// This program, which keeps commands and shuts them in: see [`crate::shell::begin`]. None: they run
    /// without either.
    pub program: Option<PathBuf>,
    /// Files and folders that no command reaches, wherever they are, besides the data folder.
    pub secluded: Vec<PathBuf>,
    /// After this long a command goes on by itself.
    pub background_after: Duration,
    /// What a command may take; less, if it says so.
    pub longest: Duration,
}

impl Default for ShellOptions {
    fn default() -> Self {
        Self {
            program: None,
            secluded: Vec::new(),
            background_after: Duration::from_secs(60),
            longest: Duration::from_secs(24 * 3600),
        }
    }
}

#[derive(Debug)]
struct Entry {
    user: UserId,
    stop: CancellationToken,
    live: watch::Receiver<Live>,
}

/// A handle on the commands. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: ShellOptions,
    data_dir: PathBuf,
    read: Vec<PathBuf>,
    home: Option<PathBuf>,
    /// There is a sandbox.
    caged: bool,
    /// Those that run: at most [`AT_ONCE`] of each person.
    running: Mutex<BTreeMap<TurnId, Entry>>,
    /// One at a time gets its number.
    numbering: tokio::sync::Mutex<()>,
}

impl Tasks {
    pub(crate) fn new(options: ShellOptions, data_dir: PathBuf, read: Vec<PathBuf>) -> Self {
        let caged = options.program.is_some() && keeper::is_there() && sandbox::is_there();
        if !caged {
            tracing::warn!("this kernel has no Landlock: commands run without a sandbox");
        }
        Self(Arc::new(Inner {
            home: std::env::var_os("HOME").map(PathBuf::from),
            caged,
            data_dir: data_dir.canonicalize().unwrap_or(data_dir),
            options,
            read,
            running: Mutex::default(),
            numbering: tokio::sync::Mutex::default(),
        }))
    }

    /// Judges a command, asks where it must, runs it, and waits until it has ended or goes on by itself.
    /// The same order again, as after a restart, does not run again what was begun.
    pub(crate) async fn run(
        &self,
        context: &Arc<Context>,
        mut order: RunOrder,
    ) -> Result<Ran, ShellText> {
        if let Some(mut live) = self.live(order.id) {
            return Ok(wait(&mut live).await);
        }
        if let Some(record) = record::load(context, order.id).await {
            return Ok(Ran::Ended(record.outcome()));
        }
        let mut at = place::find(context, &order.grounds).await;
        match self.judge(&order, &at).await {
            Judgement::Run => {}
            Judgement::Refuse { why } => return Err(ShellText::Refused { why }),
            Judgement::Ask { why } => {
                let lang = order.origin.lang;
                let ask = Ask {
                    tool: ShellText::Tool.say(lang),
                    about: None,
                    lang: "bash".into(),
                    body: order.command.clone(),
                    reason: Some(why.say(lang)),
                };
                let key = key(order.id);
                let asking = context.confirms.ask(&order.origin, &key, &at.dir, ask);
                let given = tokio::select! {
                    biased;
                    () = order.stop.cancelled() => {
                        context.confirms.withdraw(&order.origin, &key).await;
                        return Err(ShellText::Unanswered);
                    }
                    given = asking => given,
                };
                match given.verdict {
                    Verdict::Allowed => {}
                    Verdict::Denied => return Err(ShellText::Denied),
                    Verdict::Expired | Verdict::Stopped => return Err(ShellText::Unanswered),
                }
                // It runs where the card said, and in the world as it is now: somebody else may have
                // begun something there meanwhile.
                let now = context.door.grounds(&order.origin).await;
                let now = now.ok_or(ShellText::Unanswered)?;
                order.grounds = order.grounds.renewed(now);
                at = place::again(&order.grounds, &given.dir)
                    .ok_or(ShellText::Gone { dir: given.dir })?;
                if let Judgement::Refuse { why } = self.judge(&order, &at).await {
                    return Err(ShellText::Refused { why });
                }
            }
        }
        if order.stop.is_cancelled() {
            return Err(ShellText::Unanswered);
        }
        let mut live = self.begin(context, &order, at).await?;
        Ok(wait(&mut live).await)
    }

    async fn judge(&self, order: &RunOrder, at: &place::At) -> Judgement {
        let command = order.command.clone();
        let place = self.place(&order.grounds, at, order.id);
        let judged = tokio::task::spawn_blocking(move || guard::judge(&command, &place)).await;
        judged.unwrap_or(Judgement::Ask {
            why: Danger::Unreadable,
        })
    }

    /// Writes it down and starts it.
    async fn begin(
        &self,
        context: &Arc<Context>,
        order: &RunOrder,
        at: place::At,
    ) -> Result<watch::Receiver<Live>, ShellText> {
        let numbering = self.0.numbering.lock().await;
        let user = &order.origin.user;
        let mine = self
            .table()
            .values()
            .filter(|entry| entry.user == *user)
            .count();
        if mine >= AT_ONCE {
            return Err(ShellText::TooMany { max: AT_ONCE });
        }
        let all = record::of(context, user).await;
        let n = all.iter().map(|task| task.n).max().unwrap_or(0) + 1;
        // Without a word it is not ended: what takes long goes on in the background.
        let longest = self.0.options.longest;
        let timeout = order.timeout.unwrap_or(longest).min(longest);
        let record = TaskRecord {
            id: order.id,
            n,
            origin: order.origin.clone(),
            command: order.command.clone(),
            dir: at.dir.clone(),
            card: order.place.map(|_| report::card_of(order.id)),
            rev: 1,
            started_at: Utc::now(),
            timeout_s: timeout.as_secs().max(1),
            background: order.background,
            mark: format!("{}:task:{}", context.family, order.id),
            state: TaskState::Running,
            caged: self.0.caged,
        };
        let live = Live {
            record: record.clone(),
            shown: Shown::default(),
            outcome: None,
        };
        let (told, heard) = watch::channel(live);
        let stop = order.stop.clone();
        let entry = Entry {
            user: user.clone(),
            stop: stop.clone(),
            live: heard.clone(),
        };
        self.table().insert(order.id, entry);
        let mut changes = vec![record.put()];
        changes.extend(cards::change(context, &record, &Shown::default(), &[]));
        changes.extend(order.place.map(Change::Done));
        let written = context.commit(changes).await;
        drop(numbering);
        if !written {
            self.table().remove(&order.id);
            return Err(ShellText::Interrupted);
        }
        common::crash_point!("host.task.kept");
        let drive = drive::Drive {
            tasks: self.clone(),
            context: Arc::clone(context),
            spec: self.spec(context, order, &at),
            log: self.log(order.id),
            grounds: order.grounds.clone(),
            at,
            record,
            told,
            stop,
        };
        context.tasks.spawn(drive.run());
        Ok(heard)
    }

    /// A person's commands, the newest first.
    pub(crate) async fn list(&self, context: &Context, user: &UserId) -> Vec<TaskRecord> {
        let mut all = record::of(context, user).await;
        for task in &mut all {
            if let Some(live) = self.live(task.id) {
                task.clone_from(&live.borrow().record);
            }
        }
        all.sort_by_key(|task| std::cmp::Reverse(task.n));
        all
    }

    /// One of them, with what it wrote.
    pub(crate) async fn show(&self, context: &Context, user: &UserId, n: u64) -> Option<Live> {
        let record = record::of(context, user)
            .await
            .into_iter()
            .find(|task| task.n == n)?;
        if let Some(live) = self.live(record.id) {
            return Some(live.borrow().clone());
        }
        let outcome = record.outcome();
        Some(Live {
            shown: outcome.output.clone(),
            outcome: Some(outcome),
            record,
        })
    }

    /// Whose a running command is.
    pub(crate) fn owner(&self, id: TurnId) -> Option<UserId> {
        self.table().get(&id).map(|entry| entry.user.clone())
    }

    /// Stops a running command of this person's; false if there is none.
    pub(crate) fn stop(&self, user: &UserId, id: TurnId) -> bool {
        let table = self.table();
        let mine = table.get(&id).filter(|entry| entry.user == *user);
        if let Some(entry) = mine {
            entry.stop.cancel();
        }
        mine.is_some()
    }

    /// Settles what an earlier life of this program left: its processes are ended, its people told.
    pub(crate) async fn recover(&self, context: &Arc<Context>) {
        for mut task in record::all(context).await {
            if task.state != TaskState::Running {
                continue;
            }
            crate::agent::claude::end_tools(&task.mark).await;
            let _ = std::fs::remove_dir_all(self.temp(task.id));
            let took = Utc::now().signed_duration_since(task.started_at);
            let shown = record::tail_of(&self.log(task.id));
            task.rev += 1;
            task.end(How::Interrupted, took.to_std().unwrap_or_default(), &shown);
            let mut changes = vec![task.put()];
            changes.extend(cards::change(
                context,
                &task,
                &shown,
                &[ShellText::RunAgain],
            ));
            changes.push(cards::ring(&task));
            context.commit(changes).await;
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, BTreeMap<TurnId, Entry>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self, id: TurnId) -> Option<watch::Receiver<Live>> {
        self.table().get(&id).map(|entry| entry.live.clone())
    }

    /// It has ended; and of a person's older ones, those that are too many go.
    async fn forget(&self, context: &Arc<Context>, id: TurnId, user: &UserId) {
        self.table().remove(&id);
        let mut all = record::of(context, user).await;
        all.retain(|task| task.state != TaskState::Running);
        all.sort_by_key(|task| std::cmp::Reverse(task.started_at));
        let oldest = Utc::now() - KEPT_FOR;
        let gone = all
            .iter()
            .enumerate()
            .filter(|(at, task)| *at >= KEPT || task.started_at < oldest);
        let mut changes = Vec::new();
        for (_, task) in gone {
            let _ = std::fs::remove_file(self.log(task.id));
            changes.push(Change::Take(Shelf::Task, task.id.to_string()));
        }
        if !changes.is_empty() {
            context.commit(changes).await;
        }
    }
}

/// The key of the question about a command.
pub(crate) fn key(id: TurnId) -> String {
    format!("shell {id}")
}
