//! What a machine that knocks is answered: by its one-time code, or by `ROUTER_SECRET` and the word of a person.
//! Everything that a stranger says is checked here before it touches anything.

use std::sync::Arc;
use std::time::Instant;

use async_nats::Message;
use bytes::Bytes;
use chrono::Utc;
use common::identity::{
    EnrollOptions, IdentityError, RedeemError, check_node_id, check_secret_proof, is_user_key,
};
use common::ids::NodeId;
use common::message::enrol::{Answer, Knock, Proof, Refused, Reply};
use common::message::{decode, encode};
use tracing::{debug, error, info, warn};

use super::Task;
use super::requests::{self, Fate, Request};

impl Task {
    /// Answers one knock.
    pub(super) async fn hear(&mut self, message: Message) {
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
                        // Not logged: a line for each would fill the log.
                        Err(why @ Refused::Slow { .. }) => Answer::Refused { why },
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
        if !is_user_key(&knock.key) {
            return Err(Refused::BadKey);
        }
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

    pub(super) async fn mint(
        &self,
        node: &NodeId,
        key: &str,
        name: &str,
    ) -> Result<String, Refused> {
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
        | IdentityError::Certificate { .. }
        | IdentityError::PlainConf { .. }
        | IdentityError::Site { .. }
        | IdentityError::Url { .. } => {
            error!(%node, %why, "a machine cannot be enrolled");
            Refused::Trouble {
                what: "see the router's log".into(),
            }
        }
    }
}
