use std::path::Path;

use super::read::{Tally, Wanted, folders, read};
use super::*;
use crate::ids::{CauseId, Surface, UserId};
use crate::message::inbound::{Chat, ChatKind};

fn start(dir: &Path, by: &str) -> Audit {
    Audit::start(AuditOptions {
        dir: dir.to_owned(),
        by: by.to_owned(),
        days: 90,
        secrets: vec![
            "sk-very-secret".into(),
            "no".into(),
            "a\"b\\c-secret".into(),
        ],
        health: (Health::default(), "audit"),
    })
}

fn entry(user: &str) -> Entry {
    let user = UserId::new(Surface::Feishu, user).unwrap();
    let chat = Chat {
        id: "oc_1".into(),
        kind: ChatKind::Direct,
        message: None,
    };
    let cause = CauseId::new(Surface::Feishu, "om_1");
    Entry::new(Kind::Command).act(&user, &chat, &cause)
}

fn all(dirs: &[std::path::PathBuf], wanted: &Wanted) -> (Vec<Record>, Tally) {
    let mut records = Vec::new();
    let tally = read(dirs, wanted, |record| {
        records.push(record.clone());
        Ok::<_, std::convert::Infallible>(())
    });
    (records, tally.unwrap())
}

#[tokio::test]
async fn lines_are_whole_bounded_and_without_secrets() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().join("audit");
    let audit = start(&dir, "home");
    audit.note(
        entry("ou_anna")
            .what("curl -H sk-very-secret\nand no more")
            .outcome("exit 0"),
    );
    audit.note(entry("ou_anna").what(r#"say a"b\c-secret"#));
    audit.note(entry("ou_anna").what("界".repeat(3_000)));
    audit.flush().await;
    let files: Vec<_> = std::fs::read_dir(&dir).unwrap().collect();
    assert_eq!(files.len(), 1);
    let path = files[0].as_ref().unwrap().path();
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(
        !text.contains("very-secret") && !text.contains("c-secret"),
        "{text}"
    );
    let (records, tally) = all(&folders(data.path()), &Wanted::default());
    assert_eq!((tally.given, tally.bad), (3, 0));
    let first = &records[0];
    assert_eq!(first.what.as_deref(), Some("curl -H •••\nand no more"));
    assert_eq!((first.by.as_str(), first.kind), ("home", Kind::Command));
    assert_eq!(records[1].what.as_deref(), Some("say •••"));
    let cut = records[2].what.as_deref().unwrap();
    assert!(
        cut.len() < MAX_TEXT + 40 && cut.ends_with("… (9000 bytes)"),
        "{cut}"
    );
    assert_eq!(audit.lost(), 0);
}

#[tokio::test]
async fn folders_are_read_together_in_time_and_bad_lines_counted() {
    let data = tempfile::tempdir().unwrap();
    let (router, host) = (
        data.path().join("audit"),
        data.path().join("host/lab/audit"),
    );
    for dir in [&router, &host] {
        std::fs::create_dir_all(dir).unwrap();
    }
    let line = |at: &str, by: &str, user: &str| {
        format!(r#"{{"at":"{at}","by":"{by}","kind":"message","user":"feishu/{user}"}}"#)
    };
    let day = |dir: &Path, name: &str, lines: &[String]| {
        std::fs::write(dir.join(name), lines.join("\n")).unwrap();
    };
    day(
        &router,
        "2026-11-01.jsonl",
        &[
            line("2026-11-01T10:00:00.000Z", "router", "ou_a"),
            "not json".into(),
            line("2026-11-01T10:00:02.000Z", "router", "ou_b"),
        ],
    );
    day(
        &router,
        "2026-11-02.jsonl",
        &[line("2026-11-02T01:00:00.000Z", "router", "ou_a")],
    );
    day(
        &host,
        "2026-11-01.jsonl",
        &[
            line("2026-11-01T10:00:01.000Z", "lab", "ou_a"),
            r#"{"at":"x","by":"lab","kind":"tap"}"#.into(),
            r#"{"at":"2026-11-01T10:00:03Z","by":"lab","kind":"dance","new":1}"#.into(),
        ],
    );
    let (records, tally) = all(&folders(data.path()), &Wanted::default());
    let order: Vec<_> = records
        .iter()
        .map(|one| (one.by.as_str(), one.at.as_str()))
        .collect();
    assert_eq!(
        order,
        [
            ("router", "2026-11-01T10:00:00.000Z"),
            ("lab", "2026-11-01T10:00:01.000Z"),
            ("router", "2026-11-01T10:00:02.000Z"),
            ("lab", "2026-11-01T10:00:03Z"),
            ("router", "2026-11-02T01:00:00.000Z"),
        ]
    );
    assert_eq!(tally, Tally { given: 5, bad: 2 });
    assert_eq!(records[3].kind, Kind::Other);
    let wanted = Wanted {
        user: Some("feishu/ou_a".into()),
        since: Some("2026-11-01T10:00:01Z".parse().unwrap()),
    };
    assert_eq!(all(&folders(data.path()), &wanted).1.given, 2);
    assert!(folders(&data.path().join("none")).is_empty());
}

#[tokio::test]
async fn a_handle_without_a_folder_writes_nothing() {
    let audit = Audit::default();
    audit.note(entry("ou_anna"));
    audit.flush().await;
    assert_eq!(audit.lost(), 0);
}

#[test]
fn kinds_are_called_as_they_are_written() {
    for kind in [
        Kind::Message,
        Kind::Tap,
        Kind::Decision,
        Kind::Command,
        Kind::Answer,
        Kind::Prompt,
        Kind::TurnBegan,
        Kind::TurnEnded,
        Kind::Asked,
        Kind::Answered,
        Kind::Tool,
        Kind::Shell,
        Kind::FileIn,
        Kind::FileOut,
        Kind::Web,
        Kind::Reminder,
        Kind::Lost,
        Kind::Other,
    ] {
        assert_eq!(serde_json::json!(kind), kind.as_str());
    }
}
