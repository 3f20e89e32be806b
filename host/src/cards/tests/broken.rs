//! Turns that did not end well: the cards, and the words of every failure of the agent.

use super::*;
use crate::agent::AgentFault;

#[test]
fn a_turn_that_did_not_end_well() {
    let why = HostText::TimedOut { after: 60 };
    let card = |frame: Frame<'_>| {
        let choices = recovery(frame, &HostText::Continue, &node(), turn());
        let mut card = broken(
            frame,
            &progress(),
            Tone::Warning,
            &why,
            choices,
            Some("turn-timeout"),
        );
        settle(&mut card);
        card
    };
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Warning)
    steps (folded)
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      ✗ Edit: src/main.rs
    md| Two files **cha
    超过 60 秒，已停止。可以继续，或用 /new … --timeout 给会话更长的时间。
    [继续 → Continue, Primary]
    [放弃 → Discard, Normal]
    -- turn-timeout

    # Home · demo (Warning)
    steps (folded)
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      ✗ Edit: src/main.rs
    md| Two files **cha
    Stopped after 60 seconds. You can let it go on, or give a session more time with /new … --timeout.
    [Continue → Continue, Primary]
    [Discard → Discard, Normal]
    -- turn-timeout
    ");
    let card = |frame: Frame<'_>| {
        let why = HostText::AgentContextFull;
        let code = Some("agent-context-full");
        broken(
            frame,
            &Progress::default(),
            Tone::Failed,
            &why,
            Vec::new(),
            code,
        )
    };
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Failed)
    对话太长，模型放不下了。请发送 /compact 压缩，或用 /new 开始新会话。
    -- agent-context-full

    # Home · demo (Failed)
    The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.
    -- agent-context-full
    ");
}

#[test]
fn a_turn_that_a_restart_cut_off() {
    for alive in [false, true] {
        let prompt = "fix the build".to_owned();
        let why = if alive {
            HostText::InterruptedAlive { prompt }
        } else {
            HostText::Interrupted { prompt }
        };
        let card = |frame: Frame<'_>| {
            let choices = recovery(frame, &HostText::Continue, &node(), turn());
            let nothing = Progress::default();
            broken(frame, &nothing, Tone::Warning, &why, choices, None)
        };
        if alive {
            insta::assert_snapshot!(both(card), @"
            # Home · demo (Warning)
            PhoneWork 重启了，这一轮的进程还在运行：
            “fix the build”
            如果它自己完成，答案会出现在这里。也可以现在就接手。
            [继续 → Continue, Primary]
            [放弃 → Discard, Normal]

            # Home · demo (Warning)
            PhoneWork restarted; the process of this turn still runs:
            “fix the build”
            If it finishes by itself, the answer appears here. Or take over now.
            [Continue → Continue, Primary]
            [Discard → Discard, Normal]
            ");
        } else {
            insta::assert_snapshot!(both(card), @"
            # Home · demo (Warning)
            PhoneWork 重启时中断了这一轮：
            “fix the build”
            已经做过的不会重做。要继续吗？
            [继续 → Continue, Primary]
            [放弃 → Discard, Normal]

            # Home · demo (Warning)
            PhoneWork restarted in the middle of this turn:
            “fix the build”
            What was done is not done again. Go on?
            [Continue → Continue, Primary]
            [Discard → Discard, Normal]
            ");
        }
    }
}

#[test]
fn every_failure_has_words_a_code_and_a_verdict() {
    let s = str::to_owned;
    let faults = [
        AgentFault::NotInstalled,
        AgentFault::NotLoggedIn,
        AgentFault::BadKey { message: s("m") },
        AgentFault::NoCredit,
        AgentFault::Overloaded,
        AgentFault::ServiceFailed { status: 500 },
        AgentFault::RateLimited {
            resets_at: Some(1_700_000_000),
        },
        AgentFault::RateLimited { resets_at: None },
        AgentFault::ContextFull,
        AgentFault::Refused {
            status: 404,
            message: s("no such model"),
        },
        AgentFault::Network { message: s("m") },
        AgentFault::NoSuchSession,
        AgentFault::SessionInUse,
        AgentFault::BadArguments {
            message: s("unknown option --x"),
        },
        AgentFault::Crashed {
            code: Some(1),
            signal: None,
            stderr: s("line one\nline two"),
        },
        AgentFault::Other { message: s("m") },
    ];
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| {
            let (text, code, again) = failure(fault, |at| format!("at {at}"));
            format!(
                "{code} {}| {}",
                if again { "again " } else { "" },
                text.say(Lang::En)
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    agent-missing again | There is no claude on this machine. Install it with: npm install -g @anthropic-ai/claude-code, or say in the configuration where it is (CLAUDE_BIN), and send the message again.
    agent-not-logged-in again | Claude Code is not logged in, or the login has run out. In a terminal on this machine, start claude and type /login, then try again.
    agent-bad-key again | The service refused the key. Check ANTHROPIC_API_KEY on this machine, or log in again by starting claude in a terminal, then try again.
    agent-no-credit again | The account's credit is used up. Top it up, then try again.
    agent-overloaded again | The service is overloaded; several attempts failed. Try again in a few minutes.
    agent-service-failed again | The service failed (500). Try again in a while.
    agent-rate-limited again | The usage limit is reached; it ends at at 1700000000. Try again then.
    agent-rate-limited again | Too many requests, or the usage limit is reached. Try again in a while.
    agent-context-full | The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.
    agent-refused | The service refused the request (404): no such model
    agent-network again | This machine cannot reach the model's service. Check its network or proxy, then try again.
    agent-no-session again | The old conversation is not on this machine any more; a new one was begun in the same directory. Send the message again.
    agent-in-use again | Another program, a terminal perhaps, has this conversation open. Leave it there first, then try again.
    agent-arguments | claude refuses what CLAUDE_ARGS says: unknown option --x. Change the configuration and restart.
    agent-crashed again | The process of Claude Code ended unexpectedly: line one line two
    agent-other again | Claude Code reports an error: m
    ");
}
