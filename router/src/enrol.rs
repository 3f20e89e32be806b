//! Letting machines in: answers `pw.enrol` where the hub's keys are, by a one-time code, or by `ROUTER_SECRET` and the
//! word of an administrator.
//!
//! One task owns it; [`Enrol`] is the handle for taps. Minting is `common::identity`'s, how often somebody may try
//! `limit`'s, who waits for a person `requests`', what people see `cards::enrol`'s.

mod ask;
mod limit;
mod requests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use async_nats::Message;
use bytes::Bytes;
use chrono::Utc;
use common::broker::Broker;
use common::identity::{
    EnrollOptions, Hub, IdentityError, RedeemError, check_node_id, check_secret_proof,
};
use common::ids::{NodeId, UserId};
use common::lang::Lang;
use common::message::enrol::{Answer, Knock, Proof, Refused, Reply};
use common::message::inbound::Inbound;
use common::message::view::EnrolChoice;
use common::message::{decode, encode};
use common::subject;
use futures_util::StreamExt as _;
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

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

    /// Answers one knock.
    async fn hear(&mut self, message: Message) {
        let Some(to) = message.reply else { return };
        // So that strangers cannot keep us busy. Beyond it nothing is read, signed or written.
        let reply = if let Some(seconds) = self.limits.any(Instant::now()) {
            let key = decode::<Knock>("knock", &message.payload).map(|knock| knock.key);
            let why = Refused::Slow { seconds };
            Reply::new(&key.unwrap_or_default(), Answer::Refused { why })
        } else {
            match decode::<Knock>("knock", &message.payload) {
                Ok(knock) => {
                    let answer = match self.answer(&knock).await {
                        Ok(answer) => answer,
                        Err(why) => {
                            let node: String = knock.node.chars().take(64).collect();
                            info!(?node, %why, "a machine was not let in");
                            Answer::Refused { why }
                        }
                    };
                    Reply::new(&knock.key, answer)
                }
                Err(why) => {
                    debug!(%why, "a knock that cannot be read");
                    let key = serde_json::from_slice::<serde_json::Value>(&message.payload)
                        .ok()
                        .and_then(|value| value.get("key")?.as_str().map(str::to_owned));
                    let why = Refused::Unreadable;
                    Reply::new(&key.unwrap_or_default(), Answer::Refused { why })
                }
            }
        };
        let sent = self.parts.broker.client();
        // Lost, the machine asks again.
        if let Err(why) = sent.publish(to, Bytes::from(encode(&reply))).await {
            debug!(%why, "an answer to a machine was not sent");
        }
    }

    async fn answer(&mut self, knock: &Knock) -> Result<Answer, Refused> {
        match &knock.proof {
            Proof::Look => Ok(Answer::Here),
            Proof::Code { code } => {
                let node = self.checked(knock)?;
                let (hub, key, code) = (Arc::clone(&self.hub), knock.key.clone(), code.clone());
                let id = node.to_string();
                let redeemed = blocking(move || hub.redeem(&id, &code, &key)).await?;
                let redeemed = redeemed.map_err(|why| self.why_not(&node, why))?;
                info!(%node, "let in by its one-time code");
                self.parts.registry.look();
                if redeemed.cut_off {
                    self.tell_broker();
                }
                Ok(Answer::Welcome {
                    token: redeemed.token,
                })
            }
            Proof::Secret { mac } => {
                let node = self.checked(knock)?;
                let Some(secret) = &self.options.secret else {
                    return Err(Refused::NoSecret {
                        id: node.to_string(),
                    });
                };
                if !check_secret_proof(secret, node.as_str(), &knock.key, mac) {
                    self.limits.wrong(node.as_str(), Instant::now());
                    return Err(Refused::WrongSecret);
                }
                self.by_secret(node, knock).await
            }
        }
    }

    /// The id, if it may be one and has not failed too often.
    fn checked(&mut self, knock: &Knock) -> Result<NodeId, Refused> {
        let bad = |why: String| Refused::BadId {
            id: knock.node.chars().take(64).collect(),
            why,
        };
        if let Err(IdentityError::NodeId { why, .. }) = check_node_id(&knock.node) {
            return Err(bad(why));
        }
        let node: NodeId = knock
            .node
            .parse()
            .map_err(|_| bad("it is one of our own".into()))?;
        match self.limits.failed(node.as_str(), Instant::now()) {
            Some(seconds) => Err(Refused::Slow { seconds }),
            None => Ok(node),
        }
    }

    fn why_not(&mut self, node: &NodeId, why: RedeemError) -> Refused {
        let id = node.to_string();
        match why {
            RedeemError::Wrong => {
                self.limits.wrong(node.as_str(), Instant::now());
                Refused::WrongCode { id }
            }
            RedeemError::Used => Refused::UsedCode { id },
            RedeemError::Expired => Refused::ExpiredCode { id },
            RedeemError::Identity(why) => refused(node, &why),
        }
    }

    /// Somebody who knows the secret.
    async fn by_secret(&mut self, node: NodeId, knock: &Knock) -> Result<Answer, Refused> {
        let (hub, id) = (Arc::clone(&self.hub), node.to_string());
        let record = blocking(move || hub.node(&id)).await?;
        let record = record.map_err(|why| refused(&node, &why))?;
        let known = match record {
            None => false,
            Some(record) if record.revoked_at.is_some() => {
                return Err(Refused::Removed {
                    id: node.to_string(),
                });
            }
            Some(record) if record.public_key != knock.key => {
                return Err(Refused::Taken {
                    id: node.to_string(),
                });
            }
            Some(_) => true,
        };
        if known || self.options.auto_approve {
            let token = self.mint(&node, &knock.key, &knock.name).await?;
            if !known {
                info!(%node, "let in by ROUTER_SECRET alone (AUTO_APPROVE_HOSTS)");
            }
            return Ok(Answer::Welcome { token });
        }
        match self.requests.find(&node, &knock.key, Utc::now()) {
            Some(Request {
                fate: Fate::Denied { .. },
                ..
            }) => Err(Refused::Denied {
                id: node.to_string(),
            }),
            Some(Request {
                fate: Fate::Open, ..
            }) => Ok(self.waits()),
            // Approved, and its record is gone: somebody has removed the file.
            Some(Request {
                fate: Fate::Approved { .. },
                ..
            })
            | None => {
                let request = Request::new(&node, knock, Utc::now());
                if !self.requests.add(request.clone()) {
                    return Err(Refused::Full);
                }
                info!(%node, admins = self.options.admins.len(), "a machine asks to be let in");
                if self.options.admins.is_empty() {
                    warn!(
                        %node,
                        "nobody can be asked whether to let it in: set ADMIN_OPEN_IDS, or run `phonework enroll {node}` here and \
                         `phonework join` there"
                    );
                }
                self.show(&request, None);
                Ok(self.waits())
            }
        }
    }

    fn waits(&self) -> Answer {
        Answer::Waits {
            asked: self.options.admins.len(),
        }
    }

    async fn mint(&self, node: &NodeId, key: &str, name: &str) -> Result<String, Refused> {
        let (hub, id, key) = (Arc::clone(&self.hub), node.to_string(), key.to_owned());
        let known = {
            let (hub, id) = (Arc::clone(&hub), id.clone());
            blocking(move || hub.node(&id)).await?
        };
        let known = known.map_err(|why| refused(node, &why))?;
        // Signed again for a machine that is in already, nothing else changes.
        let options = EnrollOptions {
            name: known
                .as_ref()
                .map_or_else(|| requests::clean(name), |record| record.name.clone()),
            serves: known.map(|record| record.serves).unwrap_or_default(),
            replace: false,
        };
        let minted = blocking(move || hub.mint_node(&id, &key, &options)).await?;
        let token = minted.map_err(|why| refused(node, &why))?;
        self.parts.registry.look();
        Ok(token)
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

    /// A running broker learns of a key that was cut off.
    fn tell_broker(&self) {
        let (hub, options) = (Arc::clone(&self.hub), self.options.clone());
        self.tasks.spawn(async move {
            if let Err(why) = hub.tell_broker(&options.url, options.ca.as_deref()).await {
                error!(%why, "an earlier key is cut off, but not yet at the broker");
            }
        });
    }
}

/// Runs what touches the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|why| Refused::Trouble {
            what: why.to_string(),
        })
}

/// What a refusal of the hub means for a machine. Paths of the hub are for its own log.
fn refused(node: &NodeId, why: &IdentityError) -> Refused {
    match why {
        IdentityError::Taken { id } => Refused::Taken { id: id.clone() },
        IdentityError::NodeId { id, why } => Refused::BadId {
            id: id.clone(),
            why: why.clone(),
        },
        IdentityError::Key(text) if text.contains("cut off") => Refused::Removed {
            id: node.to_string(),
        },
        IdentityError::Key(_) => Refused::BadKey,
        IdentityError::Io { .. }
        | IdentityError::KeyFile { .. }
        | IdentityError::NoHub(_)
        | IdentityError::Newer(_)
        | IdentityError::UnknownNode(_)
        | IdentityError::Creds { .. }
        | IdentityError::Record { .. }
        | IdentityError::Broker { .. }
        | IdentityError::Url { .. } => {
            error!(%node, %why, "a machine cannot be enrolled");
            Refused::Trouble {
                what: "see the router's log".into(),
            }
        }
    }
}
