//! Failures as the CLI was seen to tell them, and the fault that each is taken for.

use super::*;

fn turn(status: Option<u16>, kind: &str, text: &str) -> AgentFault {
    AgentFault::of_turn(&Evidence {
        status,
        kind: (!kind.is_empty()).then(|| kind.to_owned()),
        terminal_reason: None,
        text: text.to_owned(),
        resets_at: None,
    })
}

/// Statuses, words and texts as the CLI was seen to say them.
#[test]
fn turns() {
    let message = |text: &str| text.to_owned();
    let table = [
        (
            turn(
                Some(401),
                "authentication_failed",
                "Invalid API key · Fix external API key",
            ),
            AgentFault::BadKey {
                message: message("Invalid API key · Fix external API key"),
            },
        ),
        (
            turn(
                None,
                "authentication_failed",
                "Not logged in · Please run /login",
            ),
            AgentFault::NotLoggedIn,
        ),
        (
            turn(
                Some(401),
                "authentication_failed",
                "OAuth token has expired · Please run /login",
            ),
            AgentFault::NotLoggedIn,
        ),
        (
            turn(
                Some(529),
                "server_error",
                "API Error: 529 Overloaded. This is a server-side issue",
            ),
            AgentFault::Overloaded,
        ),
        (
            turn(None, "", "API Error: Repeated 529 Overloaded errors"),
            AgentFault::Overloaded,
        ),
        (
            turn(
                Some(500),
                "server_error",
                "API Error: 500 Internal server error",
            ),
            AgentFault::ServiceFailed { status: 500 },
        ),
        (
            turn(Some(400), "unknown", "API Error: 400 Bad request"),
            AgentFault::Refused {
                status: 400,
                message: message("API Error: 400 Bad request"),
            },
        ),
        (
            turn(
                Some(404),
                "model_not_found",
                "There's an issue with the selected model (x).",
            ),
            AgentFault::Refused {
                status: 404,
                message: message("There's an issue with the selected model (x)."),
            },
        ),
        (
            turn(Some(429), "rate_limit", "API Error: Request rejected (429)"),
            AgentFault::RateLimited { resets_at: None },
        ),
        (
            turn(None, "", "Claude AI usage limit reached|1795393245"),
            AgentFault::RateLimited {
                resets_at: Some(1_795_393_245),
            },
        ),
        (
            turn(
                Some(403),
                "authentication_failed",
                "Failed to authenticate.",
            ),
            AgentFault::BadKey {
                message: message("Failed to authenticate."),
            },
        ),
        (
            turn(
                Some(413),
                "invalid_request",
                "Request too large (max 32MB).",
            ),
            AgentFault::ContextFull,
        ),
        (
            turn(
                Some(400),
                "invalid_request",
                "Prompt is too long · automatic compaction failed: API Error: Request rejected (429)",
            ),
            AgentFault::ContextFull,
        ),
        (
            turn(Some(400), "billing_error", "Credit balance is too low"),
            AgentFault::NoCredit,
        ),
        (
            turn(
                None,
                "server_error",
                "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
            ),
            AgentFault::Network {
                message: message(
                    "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
                ),
            },
        ),
        (
            turn(None, "", "\u{1b}[31modd\u{1b}[0m\n[ede_diagnostic] x=y"),
            AgentFault::Other {
                message: message("odd"),
            },
        ),
        (
            turn(None, "", ""),
            AgentFault::Other {
                message: String::new(),
            },
        ),
    ];
    for (got, expected) in table {
        assert_eq!(got, expected);
    }
}

#[test]
fn a_window_heard_of_before_counts() {
    let seen = Evidence {
        status: Some(429),
        resets_at: Some(7),
        ..Evidence::default()
    };
    let expected = AgentFault::RateLimited { resets_at: Some(7) };
    assert_eq!(AgentFault::of_turn(&seen), expected);
}

fn exit(code: Option<i32>, signal: Option<i32>, stderr: &str) -> Exit {
    Exit {
        code,
        signal,
        requested: false,
        mid_turn: false,
        stderr_tail: stderr.to_owned(),
        left_behind: Vec::new(),
    }
}

#[test]
fn exits() {
    let crashed = |code, signal, stderr: &str| AgentFault::Crashed {
        code,
        signal,
        stderr: stderr.to_owned(),
    };
    let table = [
        (
            exit(Some(1), None, "No conversation found with session ID: 1"),
            Some(AgentFault::NoSuchSession),
        ),
        (
            exit(Some(1), None, "Error: Session ID 1 is already in use."),
            Some(AgentFault::SessionInUse),
        ),
        (
            exit(Some(1), None, "error: unknown option '--nonsense'"),
            Some(AgentFault::BadArguments {
                message: "unknown option '--nonsense'".to_owned(),
            }),
        ),
        (exit(None, Some(9), ""), Some(crashed(None, Some(9), ""))),
        (
            exit(Some(143), None, "x"),
            Some(crashed(Some(143), None, "x")),
        ),
        (exit(Some(0), None, "a warning"), None),
        (
            Exit {
                mid_turn: true,
                ..exit(Some(0), None, "")
            },
            Some(crashed(Some(0), None, "")),
        ),
        (
            Exit {
                requested: true,
                ..exit(None, Some(9), "")
            },
            None,
        ),
    ];
    for (exit, expected) in table {
        assert_eq!(exit.fault(), expected, "{exit:?}");
    }
    assert_eq!(
        crashed(None, Some(9), "").to_string(),
        "the agent's process ended unexpectedly (signal 9)"
    );
}
