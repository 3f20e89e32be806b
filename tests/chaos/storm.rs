//! Carries out the plan of faults. Several may be under way at once; what is dealt with already is
//! dealt with in turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tokio::task::JoinSet;

use crate::field::Field;
use crate::plan::{Due, Fault, Options, Who};
use crate::tally::Tally;

/// A fault waits this long, at most, for the people to have come as far as it is in the plan, so
/// that a long run does not have its whole storm in the first minutes.
const WAIT_FOR_PEOPLE: Duration = Duration::from_secs(3);
/// How long an agent to be killed is waited for.
const WAIT_FOR_AGENT: Duration = Duration::from_secs(20);

/// Carries out all of it; at its end everything runs and all lines are whole.
pub(crate) async fn blow(plan: Vec<Due>, options: Options, field: Arc<Field>, tally: Arc<Tally>) {
    let mut plan = VecDeque::from(plan);
    let planned = plan.len();
    let mut under_way = JoinSet::new();
    while let Some(Due { after, fault }) = plan.pop_front() {
        let struck = planned - plan.len() - 1;
        tokio::time::sleep(after).await;
        let due = options.messages * struck * 9 / (planned * 10);
        let patience = Instant::now() + WAIT_FOR_PEOPLE;
        while tally.said_so_far() < due && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if tally.given_up.is_cancelled() {
            break;
        }
        under_way.spawn(strike(fault, Arc::clone(&field), Arc::clone(&tally)));
        while let Some(done) = under_way.try_join_next() {
            done.expect("a fault");
        }
    }
    while let Some(done) = under_way.join_next().await {
        done.expect("a fault");
    }
    tally.happened("the storm is over".into());
    tally.calm_down();
}

async fn strike(fault: Fault, field: Arc<Field>, tally: Arc<Tally>) {
    tally.fault();
    match fault {
        Fault::Kill(all) => {
            let mut together = JoinSet::new();
            for (who, away) in all {
                let (field, tally) = (Arc::clone(&field), Arc::clone(&tally));
                together.spawn(async move {
                    let service = field.service(who);
                    let mut service = service.lock().await;
                    if service.kill() {
                        tally.killed(killed(who));
                    }
                    tally.happened(format!("kill -9 {who:?}, back after {away:?}"));
                    tokio::time::sleep(away).await;
                    service.spawn();
                    tally.happened(format!("{who:?} is started"));
                });
            }
            while let Some(done) = together.join_next().await {
                done.expect("a kill");
            }
        }
        Fault::KillAgent { host, place } => kill_agent(host, place, &field, &tally).await,
        Fault::Cut {
            wire,
            half_open,
            lasts,
        } => {
            let proxy = field.wire(wire).lock().await;
            if half_open {
                proxy.freeze().await;
            } else {
                proxy.cut().await;
            }
            let how = if half_open { "half-open" } else { "cut" };
            tally.happened(format!("{wire:?} is {how} for {lasts:?}"));
            tally.count(if half_open {
                "lines half-open"
            } else {
                "lines cut"
            });
            tokio::time::sleep(lasts).await;
            proxy.heal().await;
            tally.happened(format!("{wire:?} is whole"));
        }
        Fault::Pause { who, lasts } => {
            let service = field.service(who);
            let service = service.lock().await;
            service.signal(Signal::STOP);
            tally.happened(format!("SIGSTOP {who:?} for {lasts:?}"));
            tally.count("processes frozen");
            tokio::time::sleep(lasts).await;
            service.signal(Signal::CONT);
            tally.happened(format!("SIGCONT {who:?}"));
        }
    }
}

fn killed(who: Who) -> &'static str {
    match who {
        Who::Broker => "kills of the broker",
        Who::Router => "kills of the router",
        Who::Gateway => "kills of the gateway",
        Who::Host(_) => "kills of a host",
    }
}

/// Waits for an agent of the host to be there, which takes a while after a kill.
async fn kill_agent(host: usize, place: usize, field: &Field, tally: &Tally) {
    let deadline = Instant::now() + WAIT_FOR_AGENT;
    while Instant::now() < deadline {
        let service = field.service(Who::Host(host));
        let held = service.lock().await;
        let agents = held.pid().map(Field::agents_of).unwrap_or_default();
        if !agents.is_empty() {
            let agent = &agents[place % agents.len()];
            let pid = i32::try_from(agent.pid).ok().and_then(Pid::from_raw);
            let killed = rustix::process::kill_process(pid.unwrap(), Signal::KILL).is_ok();
            if killed {
                tally.killed("kills of an agent");
                tally.happened(format!("kill -9 agent {} of host {host}", agent.pid));
                return;
            }
        }
        drop(held);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tally.happened(format!("no agent of host {host} to be killed"));
    tally.count("kills without an agent to kill");
}
