//! What an agent's failure means to the person.

use common::text::host::HostText;

use crate::agent::AgentFault;

/// An agent's failure: what the person reads, the code that joins it to the log, and whether
/// trying again can help.
pub(crate) fn failure(
    fault: &AgentFault,
    clock: impl Fn(i64) -> String,
) -> (HostText, &'static str, bool) {
    match fault {
        AgentFault::NotInstalled => (HostText::AgentMissing, "agent-missing", true),
        AgentFault::NotLoggedIn => (HostText::AgentNotLoggedIn, "agent-not-logged-in", true),
        AgentFault::BadKey { .. } => (HostText::AgentBadKey, "agent-bad-key", true),
        AgentFault::NoCredit => (HostText::AgentNoCredit, "agent-no-credit", true),
        AgentFault::Overloaded => (HostText::AgentOverloaded, "agent-overloaded", true),
        AgentFault::ServiceFailed { status } => (
            HostText::AgentServiceFailed { status: *status },
            "agent-service-failed",
            true,
        ),
        AgentFault::RateLimited { resets_at } => (
            HostText::AgentRateLimited {
                until: resets_at.map(clock),
            },
            "agent-rate-limited",
            true,
        ),
        AgentFault::ContextFull => (HostText::AgentContextFull, "agent-context-full", false),
        AgentFault::Refused { status, message } => (
            HostText::AgentRefused {
                status: *status,
                message: message.clone(),
            },
            "agent-refused",
            false,
        ),
        AgentFault::Network { .. } => (HostText::AgentNetwork, "agent-network", true),
        AgentFault::NoSuchSession => (HostText::AgentNoSuchSession, "agent-no-session", true),
        AgentFault::SessionInUse => (HostText::AgentInUse, "agent-in-use", true),
        AgentFault::BadArguments { message } => (
            HostText::AgentArguments {
                message: message.clone(),
            },
            "agent-arguments",
            false,
        ),
        AgentFault::Crashed { stderr, .. } => (
            HostText::AgentCrashed {
                detail: crate::session::progress::one_line(stderr, 300),
            },
            "agent-crashed",
            true,
        ),
        AgentFault::Other { message } => (
            HostText::AgentOther {
                message: message.clone(),
            },
            "agent-other",
            true,
        ),
    }
}
