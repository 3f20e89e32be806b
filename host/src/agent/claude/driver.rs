//! The one owner of a running CLI: carries out orders, reads lines, hands on events, and ends the
//! process in steps when asked to. What lines mean is left to `conversation`, pipes and signals to
//! `process`.

mod ending;

use std::collections::{HashMap, VecDeque};
use std::process::ExitStatus;
use std::time::Duration;

use serde_json::Value;
use tokio::process::ChildStdout;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;
use uuid::Uuid;

use super::conversation::{Conversation, Effect};
use super::incoming::{menus, parse};
use super::lines::{Lines, Piece};
use super::outgoing::{self, Request};
use super::process::Complaints;
use crate::agent::handle::{Order, Reply};
use crate::agent::{AgentEvent, Exit, HandleError};
use ending::LAST_WORDS;

/// Events that wait for their reader before lines are no longer read.
const MAX_PENDING: usize = 256;
/// Requests of ours that wait for an answer; with more the CLI is taken to be stuck.
const MAX_REQUESTS: usize = 1024;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Interrupting,
    InputClosed,
    Terminating,
    Killed,
    GivenUp,
}

/// Who waits for an answer of the CLI.
enum Waiting {
    Greeting,
    Nobody,
    Withdrawal(Uuid, Option<Reply<bool>>),
    Plain(Reply<()>),
}

/// What woke the driver.
enum Woken {
    Room,
    Deaf,
    Order(Option<Order>),
    Output(std::io::Result<Option<Piece>>),
    Ended(Option<ExitStatus>),
    Deadline,
}

/// Everything the driver is handed at the start.
pub(super) struct Parts {
    pub(super) pid: u32,
    pub(super) mark: String,
    pub(super) stdout: ChildStdout,
    pub(super) writer: mpsc::Sender<String>,
    pub(super) complaints: Complaints,
    pub(super) conversation: Conversation,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) events: mpsc::Sender<AgentEvent>,
    pub(super) exit: watch::Sender<Option<Exit>>,
    pub(super) ended: oneshot::Receiver<std::io::Result<ExitStatus>>,
    pub(super) let_go: oneshot::Sender<()>,
    /// Stops the collecting of complaints when the driver is gone.
    pub(super) stop: DropGuard,
}

pub(super) struct Driver {
    pid: u32,
    mark: String,
    lines: Lines<ChildStdout>,
    output_open: bool,
    writer: Option<mpsc::Sender<String>>,
    complaints: Complaints,
    conversation: Conversation,
    orders: mpsc::Receiver<Order>,
    orders_open: bool,
    events: mpsc::Sender<AgentEvent>,
    deaf: bool,
    pending: VecDeque<AgentEvent>,
    exit: watch::Sender<Option<Exit>>,
    ended: oneshot::Receiver<std::io::Result<ExitStatus>>,
    has_ended: bool,
    status: Option<ExitStatus>,
    let_go: Option<oneshot::Sender<()>>,
    requests: HashMap<String, Waiting>,
    next_request: u64,
    phase: Phase,
    deadline: Option<Instant>,
    _stop: DropGuard,
}

impl Driver {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            pid: parts.pid,
            mark: parts.mark,
            lines: Lines::new(parts.stdout),
            output_open: true,
            writer: Some(parts.writer),
            complaints: parts.complaints,
            conversation: parts.conversation,
            orders: parts.orders,
            orders_open: true,
            events: parts.events,
            deaf: false,
            pending: VecDeque::new(),
            exit: parts.exit,
            ended: parts.ended,
            has_ended: false,
            status: None,
            let_go: Some(parts.let_go),
            requests: HashMap::new(),
            next_request: 0,
            phase: Phase::Open,
            deadline: None,
            _stop: parts.stop,
        }
    }

    /// Runs until the process is gone, or let go.
    pub(super) async fn run(mut self) {
        self.ask_for(Waiting::Greeting, &Request::Initialize);
        loop {
            match self.wake().await {
                Woken::Room => {}
                Woken::Deaf => {
                    self.deaf = true;
                    self.pending.clear();
                    self.begin_close();
                }
                Woken::Order(Some(Order::Detach)) => {
                    self.detach();
                    return;
                }
                Woken::Order(Some(order)) => self.on_order(order),
                Woken::Order(None) => {
                    self.orders_open = false;
                    self.begin_close();
                }
                Woken::Output(piece) => self.on_output(piece),
                Woken::Ended(status) => {
                    self.has_ended = true;
                    self.status = status;
                    self.deadline = Some(Instant::now() + LAST_WORDS);
                }
                Woken::Deadline => self.next_phase(),
            }
            let no_more_words = !self.output_open || self.deadline.is_none();
            if (self.has_ended && no_more_words) || self.phase == Phase::GivenUp {
                break;
            }
        }
        self.finish().await;
    }

    /// Waits for the first thing to happen; losing the race costs nothing.
    async fn wake(&mut self) -> Woken {
        // Once it is being ended, or has ended, what it still says is read at once: it could not
        // end otherwise, and a pipe holds no more than the queue has room for.
        let ending = self.phase != Phase::Open || self.has_ended;
        let listening = ending || self.pending.len() < MAX_PENDING;
        let far = Instant::now() + Duration::from_secs(3600);
        tokio::select! {
            room = self.events.reserve(), if !self.pending.is_empty() => match room {
                Ok(room) => {
                    if let Some(event) = self.pending.pop_front() {
                        room.send(event);
                    }
                    Woken::Room
                }
                Err(_) => Woken::Deaf,
            },
            () = self.events.closed(), if !self.deaf => Woken::Deaf,
            order = self.orders.recv(), if self.orders_open => Woken::Order(order),
            piece = self.lines.next(), if self.output_open && listening => Woken::Output(piece),
            status = &mut self.ended, if !self.has_ended => {
                Woken::Ended(status.ok().and_then(Result::ok))
            }
            () = tokio::time::sleep_until(self.deadline.unwrap_or(far)), if self.deadline.is_some() => {
                Woken::Deadline
            }
        }
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Send(_, reply) if self.phase != Phase::Open => {
                let _ = reply.send(Err(HandleError::Gone));
            }
            Order::Send(message, reply) => {
                let sent = self.write(outgoing::user(&message));
                if sent.is_ok() {
                    self.conversation.sent(message.uuid);
                }
                let _ = reply.send(sent);
            }
            Order::Answer(request_id, answer, reply) => {
                let line = self.conversation.answer(&request_id, &answer);
                let sent = line.and_then(|line| self.write(line));
                let _ = reply.send(sent);
            }
            Order::Interrupt(reply) => {
                let _ = reply.send(self.interrupt());
            }
            Order::Withdraw(uuid, reply) => {
                let waiting = Waiting::Withdrawal(uuid, Some(reply));
                self.ask_for(waiting, &Request::Withdraw(uuid));
            }
            Order::SetModel(model, reply) => {
                self.ask_for(Waiting::Plain(reply), &Request::SetModel(model));
            }
            Order::SetMode(mode, reply) => {
                self.ask_for(Waiting::Plain(reply), &Request::SetMode(mode));
            }
            Order::Close => self.begin_close(),
            Order::Kill => self.enter(Phase::Killed),
            // Handled by the caller, who has to leave.
            Order::Detach => {}
        }
    }

    /// Stops the turn. What the CLI has queued would run next, so it is taken back first, one by
    /// one for versions that cannot do it with the interrupt.
    fn interrupt(&mut self) -> Result<(), HandleError> {
        let queued: Vec<Uuid> = self.conversation.outstanding().collect();
        for uuid in queued {
            let id = self.ask(&Request::Withdraw(uuid))?;
            self.requests.insert(id, Waiting::Withdrawal(uuid, None));
        }
        let id = self.ask(&Request::Interrupt)?;
        self.requests.insert(id, Waiting::Nobody);
        Ok(())
    }

    /// Sends a request; who waits for its answer is to be noted under the id.
    fn ask(&mut self, request: &Request) -> Result<String, HandleError> {
        if self.requests.len() >= MAX_REQUESTS {
            return Err(HandleError::Stuck);
        }
        self.next_request = self.next_request.wrapping_add(1);
        let id = format!("host-{}", self.next_request);
        self.write(outgoing::request(&id, request))?;
        Ok(id)
    }

    /// Sends a request; whoever waits hears of a failure, too.
    fn ask_for(&mut self, waiting: Waiting, request: &Request) {
        match self.ask(request) {
            Ok(id) => {
                self.requests.insert(id, waiting);
            }
            Err(error) => tell(waiting, Err(error)),
        }
    }

    fn write(&self, line: String) -> Result<(), HandleError> {
        let Some(writer) = &self.writer else {
            return Err(HandleError::Gone);
        };
        writer.try_send(line).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => HandleError::Stuck,
            mpsc::error::TrySendError::Closed(_) => HandleError::Gone,
        })
    }

    fn on_output(&mut self, piece: std::io::Result<Option<Piece>>) {
        match piece {
            Ok(Some(Piece::Line(line))) => {
                let effects = self.conversation.on_line(parse(&line));
                self.apply(effects);
            }
            Ok(Some(Piece::TooLong(bytes))) => {
                tracing::warn!(pid = self.pid, bytes, "a line was too long and is lost");
                self.tell(AgentEvent::LineDropped { bytes });
            }
            Ok(None) => self.output_open = false,
            Err(error) => {
                tracing::debug!(pid = self.pid, %error, "the agent's output cannot be read");
                self.output_open = false;
            }
        }
        if self.phase == Phase::Interrupting && !self.conversation.is_busy() {
            self.enter(Phase::InputClosed);
        }
    }

    fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Event(event) => self.tell(event),
                Effect::Write(line) => {
                    if let Err(error) = self.write(line) {
                        tracing::warn!(pid = self.pid, %error, "a request stays unanswered");
                    }
                }
                Effect::Answered { id, answer } => self.on_answer(&id, answer),
            }
        }
    }

    /// Unknown ids are the echo of answers of ours.
    fn on_answer(&mut self, id: &str, answer: Result<Value, String>) {
        let Some(waiting) = self.requests.remove(id) else {
            return;
        };
        if let Err(error) = &answer {
            tracing::debug!(pid = self.pid, error, "a request was refused");
        }
        match (&waiting, &answer) {
            (Waiting::Greeting, Ok(answer)) => {
                self.conversation.greeted(answer);
                let (commands, models) = menus(answer);
                self.tell(AgentEvent::Ready { commands, models });
            }
            (Waiting::Withdrawal(uuid, _), Ok(answer)) if cancelled(answer) => {
                let effects = self.conversation.withdrawn(*uuid);
                self.apply(effects);
            }
            (
                Waiting::Greeting | Waiting::Nobody | Waiting::Plain(_) | Waiting::Withdrawal(..),
                _,
            ) => {}
        }
        tell(waiting, answer.map_err(HandleError::Refused));
    }

    /// Queues an event. While the process is being ended its output is read whatever the reader of
    /// events does, so previews, which may be missed, are not queued without bound.
    fn tell(&mut self, event: AgentEvent) {
        let preview = matches!(event, AgentEvent::TextDelta { .. } | AgentEvent::Thinking);
        let crowded = self.pending.len() >= MAX_PENDING;
        if self.deaf || (crowded && preview) || self.pending.len() >= MAX_PENDING * 4 {
            return;
        }
        self.pending.push_back(event);
    }
}

fn tell(waiting: Waiting, answer: Result<Value, HandleError>) {
    match waiting {
        Waiting::Greeting | Waiting::Nobody | Waiting::Withdrawal(_, None) => {}
        Waiting::Withdrawal(_, Some(reply)) => {
            let _ = reply.send(answer.map(|answer| cancelled(&answer)));
        }
        Waiting::Plain(reply) => {
            let _ = reply.send(answer.map(|_| ()));
        }
    }
}

fn cancelled(answer: &Value) -> bool {
    answer.get("cancelled") == Some(&Value::Bool(true))
}
