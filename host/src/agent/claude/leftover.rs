//! Processes of the CLI that an earlier life of this host left behind, known or not: found by what
//! we put into their environment, by the conversation on their command line, and by the CLI's own
//! list of the living. What becomes of one is left to the sessions.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Signal, test_kill_process_group};
use uuid::Uuid;

use super::process::{self, mark_of, signal_group};
use crate::agent::orphan::{Orphan, to_pid};
use crate::agent::table::{self, Row};

/// Time for the rest of a group to end, once asked and once forced.
const GROUP_GRACE: Duration = Duration::from_secs(1);
/// How we appear in the CLI's list.
const ENTRYPOINT: &str = "phonework";

/// A process of the CLI that we do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The process.
    pub process: Orphan,
    /// Its process group.
    pub group: u32,
    /// What it bears in its environment; empty where that cannot be read.
    pub mark: String,
    /// The conversation that it was started with, or has open.
    pub conversation: Option<Uuid>,
}

/// All that were started by us: with a mark that begins with `family`, or on one of these
/// `conversations`. A person's own `claude` in a terminal is none of them.
pub async fn leftovers(
    family: &str,
    conversations: &[Uuid],
    config_dir: Option<PathBuf>,
) -> Vec<Leftover> {
    let (family, known) = (family.to_owned(), conversations.to_vec());
    let seen = tokio::task::spawn_blocking(move || by_table(&family, &known)).await;
    let mut found = Vec::new();
    for (row, mark, conversation) in seen.unwrap_or_default() {
        if let Some(process) = Orphan::of(row.pid).await {
            found.push(Leftover {
                process,
                group: row.group,
                mark,
                conversation,
            });
        }
    }
    if let Some(config_dir) = config_dir {
        // After `/clear` the command line names a conversation that is not open any more.
        for live in super::live_sessions(&config_dir).await {
            let ours = live.entrypoint.as_deref() == Some(ENTRYPOINT)
                && conversations.contains(&live.session_id);
            let known = found.iter().any(|other| other.process == live.process);
            if ours && !known {
                found.push(Leftover {
                    group: live.process.pid(),
                    process: live.process,
                    mark: String::new(),
                    conversation: Some(live.session_id),
                });
            }
        }
    }
    found
}

fn by_table(family: &str, conversations: &[Uuid]) -> Vec<(Row, String, Option<Uuid>)> {
    table::rows()
        .into_iter()
        .filter(is_driven)
        .filter_map(|row| {
            let mark = mark_of(row.pid).unwrap_or_default();
            let conversation = row
                .value_of(&["--session-id", "--resume"])
                .and_then(|id| Uuid::parse_str(id).ok());
            let ours = mark.starts_with(family)
                || conversation.is_some_and(|id| conversations.contains(&id));
            ours.then_some((row, mark, conversation))
        })
        .collect()
}

/// Started to be spoken to by a program, as we start it. Its own tools are not.
fn is_driven(row: &Row) -> bool {
    row.value_of(&["--input-format"]) == Some("stream-json")
        && row.value_of(&["--permission-prompt-tool"]) == Some("stdio")
}

/// Ends what is left of a process's own group: servers and hooks of its, also after an orderly end,
/// as they served nobody but it. For a process that was just seen to end: the system gives its
/// number to no other as long as the group has members.
pub async fn end_group(pid: u32) {
    for signal in [Signal::TERM, Signal::KILL] {
        if !group_lives(pid).await {
            return;
        }
        tracing::info!(pid, ?signal, "ending the rest of a group");
        signal_group(pid, signal);
        let gone = async {
            while group_lives(pid).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let _ = tokio::time::timeout(GROUP_GRACE, gone).await;
    }
}

/// The same for a process that ended when nobody looked: its number may be another's by now, so
/// only what bears its mark is meant. Known on Linux only.
pub async fn end_group_of(pid: u32, mark: &str) {
    if mark.is_empty() {
        return;
    }
    let wanted = mark.to_owned();
    let members = tokio::task::spawn_blocking(move || {
        let mut rows = table::rows();
        rows.retain(|row| row.group == pid && row.pid != pid);
        rows.retain(|row| mark_of(row.pid).as_deref() == Some(&wanted));
        rows
    });
    let mut orphans = Vec::new();
    for row in members.await.unwrap_or_default() {
        orphans.extend(Orphan::of(row.pid).await);
    }
    if !orphans.is_empty() {
        tracing::info!(pid, count = orphans.len(), "ending the rest of a group");
        process::end(orphans).await;
    }
}

/// Whether anything runs in a group; what has ended and waits to be collected does not.
async fn group_lives(pid: u32) -> bool {
    if to_pid(pid).is_none_or(|pid| test_kill_process_group(pid).is_err()) {
        return false;
    }
    let rows = tokio::task::spawn_blocking(table::rows).await;
    for row in rows.unwrap_or_default() {
        if row.group == pid && Orphan::of(row.pid).await.is_some() {
            return true;
        }
    }
    false
}

/// Ends what the tools of a process left running, wherever it is. For turns that were cut off; what
/// a finished turn left running was meant to stay. Known on Linux only.
pub async fn end_tools(mark: &str) {
    if mark.is_empty() {
        return;
    }
    let left = process::survivors(mark.to_owned()).await;
    if !left.is_empty() {
        tracing::info!(count = left.len(), "ending what a lost turn left running");
        process::end(left).await;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use super::super::command::MARK;
    use super::*;

    fn shell(args: &[&str], mark: &str) -> Child {
        // The script ignores its arguments; they are there to be seen.
        Command::new("sh")
            .args(["-c", "sleep 600 & wait", "sh"])
            .args(args)
            .env(MARK, mark)
            .process_group(0)
            .spawn()
            .unwrap()
    }

    fn driven(session: Uuid) -> Vec<String> {
        let words = "-p --input-format stream-json --permission-prompt-tool stdio --resume";
        let words = words.split(' ').map(str::to_owned);
        words.chain([session.to_string()]).collect()
    }

    #[tokio::test]
    async fn ours_are_told_from_those_of_others() {
        let family = Uuid::new_v4().to_string();
        let (known, other, typed) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        let start = |session: Uuid, mark: &str| {
            let args = driven(session);
            shell(&args.iter().map(String::as_str).collect::<Vec<_>>(), mark)
        };
        let mine = start(other, &format!("{family}:a:b"));
        let by_conversation = start(known, "");
        let foreign = start(Uuid::new_v4(), "another-family:a:b");
        // A person's own, in a terminal, on a conversation of ours.
        let in_terminal = shell(&["--resume", &typed.to_string()], "");
        let found = leftovers(&family, &[known, typed], None).await;
        let mut pids: Vec<u32> = found.iter().map(|one| one.process.pid()).collect();
        pids.sort_unstable();
        let mut expected = vec![by_conversation.id()];
        if cfg!(target_os = "linux") {
            expected.push(mine.id());
            let of_mine = found.iter().find(|one| one.process.pid() == mine.id());
            assert_eq!(of_mine.unwrap().conversation, Some(other));
            assert_eq!(of_mine.unwrap().mark, format!("{family}:a:b"));
        }
        expected.sort_unstable();
        assert_eq!(pids, expected);
        for mut child in [mine, by_conversation, foreign, in_terminal] {
            signal_group(child.id(), Signal::KILL);
            child.wait().unwrap();
        }
    }

    #[tokio::test]
    async fn the_rest_of_a_group_does_not_outlive_its_leader() {
        let mark = Uuid::new_v4().to_string();
        let mut leader = shell(&[], &mark);
        let group = leader.id();
        let member = async || {
            loop {
                let rows = table::rows();
                let found = rows
                    .iter()
                    .find(|row| row.group == group && row.pid != group);
                if let Some(row) = found {
                    return Orphan::of(row.pid).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        };
        let member = tokio::time::timeout(Duration::from_secs(20), member());
        let member = member.await.unwrap();
        leader.kill().unwrap();
        leader.wait().unwrap();
        assert!(member.is_alive().await, "it was to be left over");
        end_group_of(group, "somebody else").await;
        assert!(member.is_alive().await, "not the group that was meant");
        if cfg!(target_os = "linux") {
            end_group_of(group, &mark).await;
        } else {
            end_group(group).await;
        }
        assert!(!member.is_alive().await);
    }

    #[tokio::test]
    async fn a_group_that_does_not_listen_is_ended_by_force() {
        let mut leader = Command::new("sh")
            .args([
                "-c",
                "(trap '' TERM; echo ready; while :; do sleep 0.05; done) & wait",
            ])
            .process_group(0)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(leader.stdout.as_mut().unwrap(), &mut ready).unwrap();
        leader.kill().unwrap();
        leader.wait().unwrap();
        assert!(group_lives(leader.id()).await);
        end_group(leader.id()).await;
        assert!(!group_lives(leader.id()).await);
    }
}
