//! Letting machines in: answers `pw.enrol` where the hub's keys are, by a one-time code, or by `ROUTER_SECRET` and the
//! word of an administrator.
//!
//! One task owns it; [`Enrol`] is the handle for taps. Minting is `common::identity`'s, how often somebody may try
//! `limit`'s, who waits for a person `requests`', what people see `cards::enrol`'s.

mod answer;
mod ask;
mod limit;
mod requests;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::Utc;
use common::broker::Broker;
use common::identity::Hub;
use common::ids::{NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::Inbound;
use common::message::view::EnrolChoice;
use common::subject;
use futures_util::StreamExt as _;
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::cards;
use crate::registry::Registry;
use crate::reply::Replies;
use crate::users::{Stopped, Users};
use limit::Limits;
use requests::Requests;
pub(crate) use requests::{Fate, Request};

/// How machines are let in.
#[derive(Debug, Clone, Default)]
pub struct EnrolOptions {
    /// `ROUTER_SECRET`: who knows it may ask. None: nobody may without a code.
    pub secret: Option<SecretString>,
    /// `ADMIN_OPEN_IDS`: who is asked.
    pub admins: Vec<UserId>,
    /// `AUTO_APPROVE_HOSTS`: nobody is asked.
    pub auto_approve: bool,
    /// Where the broker is, to tell it that a key was cut off.
    pub url: String,
    /// The authority that signed its certificate.
    pub ca: Option<PathBuf>,
}

/// A tap of an administrator, and where to say what came of it.
struct Decision {
    node: NodeId,
    key: String,
    choice: EnrolChoice,
    by: UserId,
    tell: oneshot::Sender<Outcome>,
}

/// What a tap came to.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// How the request stands now; `late`: another tap was first.
    Settled { request: Request, late: bool },
    /// It could not be carried out.
    Failed(String),
}

/// Handle for taps. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Enrol {
    admins: Arc<Vec<UserId>>,
    /// None where the hub's keys are not.
    decide: Option<mpsc::Sender<Decision>>,
}

/// What the task needs.
pub(crate) struct Parts {
    pub(crate) broker: Broker,
    pub(crate) replies: Replies,
    pub(crate) users: Users,
    pub(crate) registry: Registry,
    pub(crate) lang: Option<Lang>,
}

/// Begins to answer, if the hub's keys are in `data_dir`.
///
/// # Errors
/// When the broker does not let us listen.
pub(crate) async fn start(
    options: &EnrolOptions,
    data_dir: Option<&PathBuf>,
    parts: Parts,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Enrol, async_nats::Error> {
    let admins = Arc::new(options.admins.clone());
    let hub = match data_dir.map(|dir| Hub::open(dir)) {
        Some(Ok(hub)) => hub,
        Some(Err(why)) => {
            warn!(%why, "no machine can be enrolled through this router: run it where the hub's DATA_DIR is");
            return Ok(Enrol {
                admins,
                decide: None,
            });
        }
        None => {
            return Ok(Enrol {
                admins,
                decide: None,
            });
        }
    };
    let requests = Requests::open(hub.data_dir());
    let knocks = parts.broker.client().subscribe(subject::ENROL).await?;
    // A tap waits for its turn; machines knock on another way.
    let (decide, decisions) = mpsc::channel(16);
    let task = Task {
        hub: Arc::new(hub),
        options: options.clone(),
        parts,
        limits: Limits::default(),
        requests,
        tasks: tasks.clone(),
    };
    tasks.spawn(task.run(knocks, decisions, stop.clone()));
    Ok(Enrol {
        admins,
        decide: Some(decide),
    })
}

impl Enrol {
    /// Carries out a tap on [Approve] or [Deny]. Returns when its card says what came of it.
    pub(crate) async fn tap(
        &self,
        replies: &Replies,
        inbound: &Inbound,
        node: &NodeId,
        key: &str,
        choice: EnrolChoice,
        lang: Lang,
    ) -> Result<(), Stopped> {
        if !self.admins.contains(&inbound.user) {
            warn!(user = %inbound.user, %node, "a tap of somebody who may not let machines in; refused");
            let view = cards::enrol::not_admin(lang);
            return replies.show(inbound, "answer", view).await;
        }
        let Some(decide) = &self.decide else {
            let view =
                cards::enrol::failed(lang, "the router does not run where the hub's keys are");
            return replies.show(inbound, "answer", view).await;
        };
        let (tell, told) = oneshot::channel();
        let decision = Decision {
            node: node.clone(),
            key: key.to_owned(),
            choice,
            by: inbound.user.clone(),
            tell,
        };
        decide.send(decision).await.map_err(|_| Stopped)?;
        match told.await.map_err(|_| Stopped)? {
            Outcome::Settled { request, late } => {
                let (card, view) = (
                    request.card(&inbound.user),
                    cards::enrol::settled(lang, &request, late),
                );
                let rev = if late { 3 } else { 2 };
                replies.card(inbound, "answer", card, rev, view).await
            }
            Outcome::Failed(why) => {
                let view = cards::enrol::failed(lang, &why);
                replies.show(inbound, "answer", view).await
            }
        }
    }
}

struct Task {
    hub: Arc<Hub>,
    options: EnrolOptions,
    parts: Parts,
    limits: Limits,
    requests: Requests,
    tasks: TaskTracker,
}

impl Task {
    async fn run(
        mut self,
        mut knocks: async_nats::Subscriber,
        mut decisions: mpsc::Receiver<Decision>,
        stop: CancellationToken,
    ) {
        // An earlier router may have died before everybody was asked.
        for request in self.requests.open_ones(Utc::now()) {
            self.show(&request, None);
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                decision = decisions.recv() => match decision {
                    Some(decision) => self.decide(decision).await,
                    None => return,
                },
                knock = knocks.next() => match knock {
                    Some(knock) => self.hear(knock).await,
                    None => return,
                },
            }
        }
    }

    /// Carries out a tap. The first one counts.
    async fn decide(&mut self, decision: Decision) {
        let Decision {
            node,
            key,
            choice,
            by,
            tell,
        } = decision;
        let found = self.requests.find(&node, &key, Utc::now());
        let request = match found {
            Some(request) if matches!(request.fate, Fate::Open) => request,
            Some(request) => {
                // This very tap again, after a crash, is not late.
                let late = !request.fate.is(choice, &by);
                let _ = tell.send(Outcome::Settled { request, late });
                return;
            }
            None => {
                let why = "it does not ask any more; if it does again, a new card comes".to_owned();
                let _ = tell.send(Outcome::Failed(why));
                return;
            }
        };
        let fate = match choice {
            EnrolChoice::Approve => {
                if let Err(why) = self.mint(&node, &key, &request.name).await {
                    warn!(%node, %why, "approved, and not let in");
                    let _ = tell.send(Outcome::Failed(why.to_string()));
                    return;
                }
                Fate::Approved { by: by.clone() }
            }
            EnrolChoice::Deny => Fate::Denied { by: by.clone() },
        };
        info!(%node, %by, ?choice, "an administrator has decided");
        let request = Request { fate, ..request };
        self.requests.settle(request.clone());
        self.show(&request, Some(&by));
        let late = false;
        let _ = tell.send(Outcome::Settled { request, late });
    }
}
