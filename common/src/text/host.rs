//! What a host says: commands, sessions, turns, questions, failures of the agent.

mod en;
pub mod files;
pub mod mailboy;
pub mod remind;
pub mod shell;
pub mod web;
mod zh;

use super::Say;

/// A text of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostText {
    // Turns
    /// Small print while a turn runs.
    Working,
    /// Small print: how long a turn has run.
    RunsFor {
        /// Seconds.
        seconds: u64,
    },
    /// Small print while the model thinks.
    Thinking,
    /// Small print while the conversation is being shortened.
    Compacting,
    /// Small print while the person is asked.
    WaitsForYou,
    /// Button.
    Stop,
    /// A turn that the person stopped.
    Stopped,
    /// A turn that took longer than its session allows.
    TimedOut {
        /// Seconds.
        after: u64,
    },
    /// A turn that ended without words.
    NoWords,
    /// The service failed and is asked again.
    Retrying {
        /// From 1.
        attempt: u32,
        /// At most.
        max: u32,
    },
    /// Title of words that nobody asked for: a background task ended.
    Background,
    /// Small print on a further part of a long answer.
    Part {
        /// From 1.
        n: usize,
        /// How many.
        of: usize,
    },
    /// Short message that rings when a long turn ended.
    LongTurnDone {
        /// Directory.
        dir: String,
    },
    /// Count of folded steps is the gateway's; this names steps that were left out.
    MoreSteps {
        /// How many.
        n: usize,
    },
    /// Small print: how full the conversation is, in per cent.
    Context {
        /// Per cent.
        percent: u64,
    },

    // Queue
    /// A message that waits for the running turn.
    Queued {
        /// Place, from 1.
        place: usize,
    },
    /// Button.
    SendNow,
    /// Button.
    Cancel,
    /// The message was taken back.
    Cancelled,
    /// The message was to be taken back, and runs or ran.
    AlreadyTaken,
    /// The message was handed to the running turn.
    Folded,
    /// The turn that the message was handed to has its answer, too.
    AnsweredTogether,
    /// No more messages are taken for this session; said once, whatever follows.
    QueueFull {
        /// How many wait.
        waiting: usize,
    },
    /// Messages are taken again; the end of what began with [`HostText::QueueFull`].
    QueueFreed {
        /// How many were not taken.
        refused: usize,
    },
    /// Too many acts of one person wait for a session that is held up; said once.
    LaneFull {
        /// How many wait.
        waiting: usize,
    },

    // Questions
    /// Title.
    Asks {
        /// The tool.
        tool: String,
    },
    /// Row name: what it is about.
    About,
    /// Row name: why it is asked.
    Why,
    /// Row name: where it runs.
    Where,
    /// Button.
    AllowOnce,
    /// Button.
    AllowSession,
    /// Button.
    Deny,
    /// The answer, with the time of day.
    AllowedOnce {
        /// `14:02`.
        at: String,
    },
    /// The answer, with the time of day.
    AllowedSession {
        /// `14:02`.
        at: String,
    },
    /// The answer, with the time of day.
    Denied {
        /// `14:02`.
        at: String,
    },
    /// Nobody waits for an answer any more.
    Withdrawn,
    /// The same, as the host died before it had one.
    AskCutOff,
    /// How a question was settled: nobody answered.
    Expired {
        /// Time of day.
        at: String,
    },
    /// Told to somebody who taps on another person's card.
    NotYours,
    /// Told on a tap that came after the first.
    AnsweredBefore {
        /// How it was answered.
        how: String,
    },
    /// Told on a tap on a question that nobody asks any more.
    NobodyAsks,
    /// What the model hears on a refusal.
    DenyWords,
    /// What the agent is told when nobody answered its question.
    NobodyAnswered,
    /// Short message that rings when a question waits.
    Rings {
        /// Directory.
        dir: String,
        /// The tool.
        tool: String,
    },

    // Recovery
    /// A turn that a restart cut off.
    Interrupted {
        /// First line of the prompt.
        prompt: String,
    },
    /// The same, while its process still works on it.
    InterruptedAlive {
        /// First line of the prompt.
        prompt: String,
    },
    /// Button.
    Continue,
    /// Button.
    Discard,
    /// Button.
    TryAgain,
    /// The person left the turn.
    Discarded,
    /// What the agent is sent on "continue". Others may have run since, so it is told what with.
    ContinueWords {
        /// What the person wrote.
        request: String,
    },
    /// The same, where it is not known whether the agent ever had the request, or how far it came.
    ContinueUnsure {
        /// What the person wrote.
        request: String,
    },
    /// Small print on an answer that was found after a restart.
    Recovered,

    // Commands
    /// A new session.
    SessionReady {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
        /// It was made just now.
        made: bool,
        /// Plain text goes to the assistant, not to it.
        smart: bool,
    },
    /// No session to send to.
    NoSession,
    /// There are sessions, and none of them is the active one.
    NoneActive,
    /// Wrong use of a command.
    Usage {
        /// What is wrong; empty: nothing more to say than the usage.
        wrong: String,
        /// How it is written.
        usage: String,
    },
    /// A number that no session has.
    NoSuchSession {
        /// As typed.
        n: String,
        /// How many there are.
        have: usize,
    },
    /// A number was expected.
    NotANumber {
        /// As typed.
        got: String,
    },
    /// A number out of bounds.
    OutOfBounds {
        /// Option.
        option: String,
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// Another session is the active one now.
    Switched {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
    },
    /// A session was closed.
    Closed {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
    },
    /// A session is being closed; what it does is stopped first.
    Closing {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
    },
    /// A session's own task has failed; nothing can be given to it.
    SessionFailed {
        /// Directory.
        dir: String,
    },
    /// Direct mode is on.
    DirectOn,
    /// As many commands of a person run beside each other as may.
    TooMuchAtOnce {
        /// The bound.
        max: usize,
    },
    /// A command of a person failed inside us.
    CommandBroke,
    /// A folder that is somebody else's.
    DirOthers {
        /// As typed.
        dir: String,
    },
    /// Nothing runs.
    NothingRuns,
    /// The running turn is being stopped.
    Stopping,
    /// Title of `/status`.
    StatusTitle {
        /// Machine.
        node: String,
    },
    /// `/status` without sessions.
    NoSessions,
    /// A line of `/status`: how a session stands.
    Line {
        /// It is the active one.
        active: bool,
        /// Directory.
        dir: String,
        /// A turn runs.
        running: bool,
        /// A question waits.
        waiting: bool,
        /// Messages that wait.
        queued: usize,
        /// Its process lives.
        live: bool,
        /// Age of the last use, such as `5m`.
        age: String,
    },
    /// Row name: mode.
    ModeRow,
    /// Mode.
    ModeDirect,
    /// Mode, without a model that it could use.
    ModeSmart,
    /// Button: make this session the active one.
    SwitchTo {
        /// Its number.
        n: usize,
    },
    /// Title of `/help`.
    HelpTitle,
    /// The last line of `/help`.
    HelpMore,
    /// A slash command that is none of ours, without a session that could take it.
    UnknownCommand {
        /// As typed.
        name: String,
    },
    /// Too many sessions.
    TooManySessions {
        /// The bound.
        max: usize,
    },

    // Directories
    /// Outside the working directory.
    DirOutside {
        /// As typed.
        dir: String,
        /// The working directory.
        root: String,
    },
    /// Not a directory.
    DirIsFile {
        /// As typed.
        dir: String,
    },
    /// Cannot be made or opened.
    DirFailed {
        /// As typed.
        dir: String,
        /// What the system says.
        why: String,
    },

    // Failures of the agent
    /// The program is missing.
    AgentMissing,
    /// Never logged in.
    AgentNotLoggedIn,
    /// Key refused.
    AgentBadKey,
    /// No money left.
    AgentNoCredit,
    /// Service overloaded.
    AgentOverloaded,
    /// Service failed.
    AgentServiceFailed {
        /// HTTP status.
        status: u16,
    },
    /// Rate limit.
    AgentRateLimited {
        /// When it ends, if known: `14:02`.
        until: Option<String>,
    },
    /// Conversation full.
    AgentContextFull,
    /// Request refused.
    AgentRefused {
        /// HTTP status.
        status: u16,
        /// The service's words.
        message: String,
    },
    /// Service out of reach.
    AgentNetwork,
    /// The conversation is not on this machine any more; a new one was begun.
    AgentNoSuchSession,
    /// Another program has the conversation open.
    AgentInUse,
    /// The owner's extra arguments were refused.
    AgentArguments {
        /// The agent's words.
        message: String,
    },
    /// The process died.
    AgentCrashed {
        /// How, in the agent's words; may be empty.
        detail: String,
    },
    /// Anything else.
    AgentOther {
        /// The agent's words; may be empty.
        message: String,
    },
    /// As many steps, or as much money, as a turn may take.
    AgentLimit,
}

impl Say for HostText {
    fn zh(&self) -> String {
        zh::say(self)
    }

    fn en(&self) -> String {
        en::say(self)
    }
}
