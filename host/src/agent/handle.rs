//! What can be said to an agent, and the handle that says it. The handle only queues orders: the
//! backend's driver, which owns the process, carries them out.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::Exit;

/// Longest wait for the agent's answer to an order that has one. Answers come within milliseconds,
/// but only while somebody reads the events.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A message of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    /// Key of the message: the agent never runs the same one twice in one conversation, not even
    /// after a restart. Also what withdraws it.
    pub uuid: Uuid,
    /// The words. Beginning with a slash they are one of the agent's commands.
    pub text: String,
    /// Pictures. Checked by the caller: the service refuses what is no picture.
    pub images: Vec<Image>,
}

impl UserMessage {
    /// Words only.
    pub fn text(uuid: Uuid, text: impl Into<String>) -> Self {
        Self {
            uuid,
            text: text.into(),
            images: Vec::new(),
        }
    }
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Such as `image/png`.
    pub media_type: String,
    /// The bytes in Base64.
    pub base64: String,
}

/// The person's answer to a [`PermissionRequest`](super::PermissionRequest).
#[derive(Debug, Clone, PartialEq)]
pub enum PermissionAnswer {
    /// Yes.
    Allow {
        /// How far the yes goes.
        scope: Allow,
        /// Run with this input instead; `None` as asked. Answers to questions travel so.
        input: Option<Value>,
    },
    /// No.
    Deny {
        /// What the model is told: the reason, or what to do instead. Empty is made into a plain
        /// refusal.
        message: String,
        /// End the turn, too. The model then hears a fixed text instead of `message`.
        interrupt: bool,
    },
}

impl PermissionAnswer {
    /// Yes, this once.
    pub const ONCE: Self = Self::Allow {
        scope: Allow::Once,
        input: None,
    };
    /// Yes, and do not ask for the like of it again while this process lives.
    pub const SESSION: Self = Self::Allow {
        scope: Allow::Session,
        input: None,
    };

    /// No, with words for the model.
    pub fn deny(message: impl Into<String>) -> Self {
        Self::Deny {
            message: message.into(),
            interrupt: false,
        }
    }
}

/// How far a yes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// This call.
    Once,
    /// What [`PermissionRequest::session_scope`](super::PermissionRequest::session_scope) lists,
    /// until the process ends.
    Session,
    /// This call, and from now on every edit inside the project: the mode
    /// [`PermissionMode::AcceptEdits`]. Meant for accepted plans.
    AcceptEdits,
}

/// When the agent asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PermissionMode {
    /// Before writing, running commands, and leaving the directory.
    #[default]
    Ask,
    /// Edits inside the project run unasked, deletions inside it too.
    AcceptEdits,
    /// The model plans first. An instruction to the model, not a sandbox.
    Plan,
    /// Never: what would be asked is refused.
    DontAsk,
    /// Never: everything runs. Only for agents that were started with it, and not as root.
    Bypass,
}

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// The process is gone, or going.
    #[error("the agent's process has ended")]
    Gone,
    /// It does not read what it is sent.
    #[error("the agent does not take any more input")]
    Stuck,
    /// It did not answer in time.
    #[error("the agent did not answer within {} seconds", ANSWER_WITHIN.as_secs())]
    NoAnswer,
    /// It answered with an error.
    #[error("the agent refused: {0}")]
    Refused(String),
    /// The question is not open: never asked, answered, or withdrawn.
    #[error("this question is not open any more")]
    NotOpen,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, HandleError>>;

/// What a driver is asked to do.
#[derive(Debug)]
pub(crate) enum Order {
    Send(UserMessage, Reply<()>),
    Answer(String, PermissionAnswer, Reply<()>),
    Interrupt(Reply<()>),
    Withdraw(Uuid, Reply<bool>),
    SetModel(Option<String>, Reply<()>),
    SetMode(PermissionMode, Reply<()>),
    Close,
    Detach,
    Kill,
}

/// Talks to a running agent; cheap to clone.
#[derive(Debug, Clone)]
pub struct AgentHandle {
    pid: u32,
    started: Option<String>,
    mark: String,
    orders: mpsc::Sender<Order>,
    exit: watch::Receiver<Option<Exit>>,
}

impl AgentHandle {
    pub(crate) fn new(
        pid: u32,
        started: Option<String>,
        mark: String,
        orders: mpsc::Sender<Order>,
        exit: watch::Receiver<Option<Exit>>,
    ) -> Self {
        Self {
            pid,
            started,
            mark,
            orders,
            exit,
        }
    }

    /// The process id, which is also its group's.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// When the process started, in the form that [`orphan`](super::orphan) compares; to be stored
    /// beside the pid. `None` where the system does not tell.
    pub fn started(&self) -> Option<&str> {
        self.started.as_deref()
    }

    /// What the process and all that it starts bear in their environment; to be stored beside the
    /// pid.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Hands over a message. While a turn runs the agent queues it, or folds it into the turn.
    /// Returns when it is on its way; [`AgentEvent::Consumed`](super::AgentEvent::Consumed) tells
    /// when it was taken.
    ///
    /// # Errors
    /// [`HandleError::Gone`], [`HandleError::Stuck`].
    pub async fn send(&self, message: UserMessage) -> Result<(), HandleError> {
        self.order(|reply| Order::Send(message, reply)).await
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`HandleError::NotOpen`] when it does not wait any more; else as [`Self::send`].
    pub async fn answer(
        &self,
        request_id: impl Into<String>,
        answer: PermissionAnswer,
    ) -> Result<(), HandleError> {
        let request_id = request_id.into();
        self.order(|reply| Order::Answer(request_id, answer, reply))
            .await
    }

    /// Stops the running turn and takes back what the agent has queued. No effect when idle.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn interrupt(&self) -> Result<(), HandleError> {
        self.order(Order::Interrupt).await
    }

    /// Takes a message back; false if it was consumed already.
    ///
    /// # Errors
    /// As [`Self::send`], and [`HandleError::NoAnswer`], [`HandleError::Refused`].
    pub async fn withdraw(&self, uuid: Uuid) -> Result<bool, HandleError> {
        self.order(|reply| Order::Withdraw(uuid, reply)).await
    }

    /// Changes the model from the next call on; `None` for the default one. Names are not checked
    /// by every version of the agent.
    ///
    /// # Errors
    /// As [`Self::withdraw`].
    pub async fn set_model(&self, model: Option<String>) -> Result<(), HandleError> {
        self.order(|reply| Order::SetModel(model, reply)).await
    }

    /// Changes when the agent asks.
    ///
    /// # Errors
    /// As [`Self::withdraw`].
    pub async fn set_permission_mode(&self, mode: PermissionMode) -> Result<(), HandleError> {
        self.order(|reply| Order::SetMode(mode, reply)).await
    }

    /// Ends the agent in good order: stops a running turn, closes its input, and after a time ends
    /// it by force. Takes up to 20 seconds, usually a fraction of one. Further calls wait, too.
    pub async fn close(&self) -> Exit {
        let _ = self.orders.send(Order::Close).await;
        self.exited().await
    }

    /// Ends the agent and what its tools have running, at once and by force.
    pub async fn kill(&self) -> Exit {
        let _ = self.orders.send(Order::Kill).await;
        self.exited().await
    }

    /// Lets go of the process: closes its input and looks away. It ends the running turn by
    /// itself, saves it and exits; open questions fail. For a host that stops but does not want to
    /// lose the turn. Events end without [`AgentEvent::Exited`](super::AgentEvent::Exited).
    pub async fn detach(&self) {
        let _ = self.orders.send(Order::Detach).await;
        self.orders.closed().await;
    }

    /// Waits for the end of the process. After [`Self::detach`] nothing is known of it.
    pub async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        let known = exit.wait_for(Option::is_some).await;
        known
            .ok()
            .and_then(|exit| exit.clone())
            .unwrap_or_else(|| Exit {
                code: None,
                signal: None,
                requested: true,
                mid_turn: false,
                stderr_tail: String::new(),
                left_behind: Vec::new(),
            })
    }

    async fn order<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, HandleError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.orders.send(order(reply));
        let answered = async {
            sent.await.map_err(|_| HandleError::Gone)?;
            answer.await.map_err(|_| HandleError::Gone)?
        };
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(result) => result,
            Err(_) => Err(HandleError::NoAnswer),
        }
    }
}
