//! A stand-in for the agent: speaks just enough of the CLI's protocol for a plain turn, answers at
//! once with the words it was given, and notes when it was spoken to and when it had answered.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use uuid::Uuid;

/// Makes this program the stand-in.
pub(crate) const FLAG: &str = "--stand-in-agent";
/// Where it notes, one line for each turn: `<words>\t<heard>\t<answered>`, in ns since 1970.
pub(crate) const NOTES: &str = "BENCH_NOTES";

pub(crate) fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_nanos()
}

pub(crate) fn run(args: &[String]) {
    if args.iter().any(|arg| arg == "--version") {
        println!("{} (Claude Code)", kit::claude::VERSION);
        return;
    }
    let session = args
        .iter()
        .position(|arg| arg == "--session-id" || arg == "--resume")
        .map_or_else(|| Uuid::new_v4().to_string(), |at| args[at + 1].clone());
    let mut notes = std::fs::File::options()
        .append(true)
        .create(true)
        .open(std::env::var(NOTES).expect("where to note"))
        .expect("the notes");
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let heard = now();
        let value: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let lines = match value["type"].as_str() {
            Some("control_request") => vec![json!({"type": "control_response", "response": {
                "subtype": "success", "request_id": value["request_id"], "response": {}}})],
            Some("user") => turn(&session, &value),
            _ => continue,
        };
        for line in lines {
            writeln!(out, "{line}").expect("a reader");
        }
        out.flush().expect("a reader");
        if value["type"] == "user" {
            let answered = now();
            let words = value["message"]["content"].as_str().unwrap_or_default();
            notes
                .write_all(format!("{words}\t{heard}\t{answered}\n").as_bytes())
                .expect("note");
        }
    }
}

fn turn(session: &str, asked: &Value) -> Vec<Value> {
    let (uuid, words) = (&asked["uuid"], &asked["message"]["content"]);
    let usage = json!({"input_tokens": 100, "output_tokens": 5});
    let mut lines = vec![
        json!({"type": "command_lifecycle", "command_uuid": uuid, "state": "started"}),
        json!({"type": "system", "subtype": "session_state_changed", "state": "running"}),
        json!({"type": "system", "subtype": "init", "model": "stand-in",
            "permissionMode": "default", "claude_code_version": kit::claude::VERSION}),
        json!({"type": "user", "message": asked["message"], "uuid": uuid, "isReplay": true}),
        json!({"type": "assistant", "message": {"id": "msg_1", "role": "assistant",
            "model": "stand-in", "content": [{"type": "text", "text": words}], "usage": usage}}),
        json!({"type": "result", "subtype": "success", "is_error": false, "result": words,
            "duration_ms": 1, "num_turns": 1, "total_cost_usd": 0.0, "usage": usage}),
        json!({"type": "command_lifecycle", "command_uuid": uuid, "state": "completed"}),
        json!({"type": "system", "subtype": "session_state_changed", "state": "idle"}),
    ];
    for line in &mut lines {
        line["session_id"] = session.into();
    }
    lines
}

/// What a stand-in noted of each turn.
pub(crate) fn read(notes: &Path) -> Vec<(String, u128, u128)> {
    let text = std::fs::read_to_string(notes).unwrap_or_default();
    text.lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut field = || fields.next().expect("a field").to_owned();
            let (words, heard, answered) = (field(), field(), field());
            let time = |text: String| text.parse().expect("a time");
            (words, time(heard), time(answered))
        })
        .collect()
}
