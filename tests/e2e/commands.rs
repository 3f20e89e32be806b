//! The READMEs' table of commands, each one tried as a new user would, in both languages: it answers,
//! in the person's language, and wrong use is answered with how it is written.

use std::time::{Duration, Instant};

use common::command::Command;
use common::lang::Lang;
use kit::feishu::BotMessage;
use kit::metaso::{KEY, Metaso};

use crate::world::{LONG, World};

/// What is typed, and what its answer holds in any language.
struct Try {
    typed: &'static str,
    holds: &'static [&'static str],
}

fn one(typed: &'static str, holds: &'static [&'static str]) -> Try {
    Try { typed, holds }
}

/// Good use of a command, in this order.
fn good(command: Command) -> Vec<Try> {
    match command {
        Command::New => vec![one("/new demo", &["demo"]), one("/new other", &["other"])],
        Command::Status => vec![one("/status", &["demo", "other"])],
        Command::Switch => vec![one("/switch 1", &["demo"])],
        Command::Close => vec![one("/close 2", &["other"]), one("/close", &["demo"])],
        Command::Stop => vec![one("/stop", &[])],
        Command::Direct => vec![one("/direct", &[])],
        Command::Smart => vec![one("/smart", &[])],
        Command::Clear => vec![one("/clear", &[])],
        Command::Shell => vec![
            one("/shell echo said-$((40+2))", &["said-42"]),
            one("/shell rm -rf /", &[]),
        ],
        Command::Tasks => vec![one("/tasks", &[])],
        Command::Ls => vec![one("/ls", &["notes.txt"])],
        Command::Cat => vec![one("/cat notes.txt", &["first line"])],
        Command::Grep => vec![one("/grep second", &["notes.txt", "second line"])],
        Command::Send => vec![one("/send notes.txt", &["notes.txt"])],
        Command::Search => vec![
            one("/search rust", &["webpage 1 about rust", "97"]),
            one("/search --in paper rust", &["scholar 2 about rust"]),
        ],
        Command::Ask => vec![one("/ask why", &["The answer to why.", "Another"])],
        Command::Fetch => vec![
            one("/fetch http://127.0.0.1:1/", &["127.0.0.1"]),
            one("/fetch http://169.254.169.254/latest", &["169.254.169.254"]),
            one("/fetch http://[::1]/", &["[::1]"]),
        ],
        Command::Remind => vec![
            one("/remind 10m tea", &["tea"]),
            one("/remind list", &["tea"]),
        ],
        Command::Lang => vec![one("/lang", &[])],
        Command::Nodes => vec![one("/nodes", &[])],
        Command::Node => vec![one("/node nowhere", &["nowhere"])],
        Command::All => vec![one("/all @nobody hello", &[])],
        Command::Help => vec![one("/help", &["/new <dir>", "/fetch <url>"])],
    }
}

/// Wrong use; none where everything is right.
fn wrong(command: Command) -> Option<&'static str> {
    match command {
        Command::New => Some("/new"),
        Command::Switch => Some("/switch"),
        Command::Close => Some("/close one"),
        Command::Shell => Some("/shell"),
        Command::Tasks => Some("/tasks one"),
        Command::Cat => Some("/cat"),
        Command::Grep => Some("/grep"),
        Command::Send => Some("/send"),
        Command::Search => Some("/search --in moon rust"),
        Command::Ask => Some("/ask"),
        Command::Fetch => Some("/fetch two words"),
        Command::Remind => Some("/remind cancel one"),
        Command::Lang => Some("/lang fr"),
        Command::Nodes => Some("/nodes now"),
        Command::Node => Some("/node"),
        Command::All => Some("/all"),
        Command::Status
        | Command::Stop
        | Command::Direct
        | Command::Smart
        | Command::Clear
        | Command::Ls
        | Command::Help => None,
    }
}

/// The commands of a README's table, in its order.
fn table(path: &str) -> Vec<Command> {
    let text = std::fs::read_to_string(kit::workspace().join(path)).unwrap();
    let (_, rest) = text.split_once("<!-- commands: begin -->").unwrap();
    let (table, _) = rest.split_once("<!-- commands: end -->").unwrap();
    let rows = table.lines().filter_map(|row| {
        let (usage, _) = row.strip_prefix("| `")?.split_once("` |")?;
        Some(usage.replace("\\|", "|"))
    });
    rows.filter(|usage| !usage.contains('…'))
        .map(|usage| {
            let found = Command::ALL.into_iter().find(|one| one.usage() == usage);
            found.unwrap_or_else(|| panic!("{path}: `{usage}` is no command"))
        })
        .collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// Whether a text is in a language; names and examples are Latin in both.
fn speaks(lang: Lang, text: &str) -> bool {
    text.chars().any(is_han) == (lang == Lang::Zh)
}

/// Says it, and waits until the answers to it hold all of `holds`.
async fn answered(world: &World, typed: &str, lang: Lang, holds: &[&str]) -> String {
    let said = world.anna().say(typed);
    let deadline = Instant::now() + LONG;
    loop {
        let replies = world.feishu.replies(&said);
        let text: Vec<String> = replies.iter().map(BotMessage::text).collect();
        let text = text.join("\n");
        if !text.is_empty() && holds.iter().all(|part| text.contains(part)) {
            assert!(
                speaks(lang, &text),
                "{typed} is not answered in {lang:?}:\n{text}"
            );
            for ours in [
                "is not a command",
                "不是命令",
                "went wrong inside",
                "内部出错",
            ] {
                assert!(!text.contains(ours), "{typed} is answered with:\n{text}");
            }
            return text;
        }
        assert!(
            Instant::now() < deadline,
            "{typed} ({lang:?}) lacks one of {holds:?}:\n{text}\n{}",
            world.logs()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn each_command(lang: Lang, readme: &str) {
    let metaso = Metaso::start().await;
    let mut world = World::start().await;
    world.extra = format!("METASO_API_KEY: {KEY}\nMETASO_BASE_URL: {}\n", metaso.url());
    // The other one, so that what is said comes from `/lang`.
    world.locale = match lang {
        Lang::En => "zh",
        Lang::Zh => "en",
    };
    std::fs::create_dir_all(world.work()).unwrap();
    std::fs::write(world.work().join("notes.txt"), "first line\nsecond line\n").unwrap();
    let _phonework = world.standalone().await;
    answered(&world, &format!("/lang {}", lang.code()), lang, &[]).await;
    let commands = table(readme);
    assert_eq!(commands, Command::ALL);
    for command in commands {
        for step in good(command) {
            answered(&world, step.typed, lang, step.holds).await;
        }
        if let Some(typed) = wrong(command) {
            let usage = match lang {
                Lang::En => "Usage",
                Lang::Zh => "用法",
            };
            answered(&world, typed, lang, &[usage, command.usage()]).await;
        }
    }
    // What is refused has not run.
    assert!(world.work().join("notes.txt").exists());
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_the_readme_answers_in_english() {
    each_command(Lang::En, "README.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_command_of_the_readme_answers_in_chinese() {
    each_command(Lang::Zh, "README.zh-CN.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_searching_says_what_to_set_and_pages_are_still_judged() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    for typed in ["/search rust", "/ask why"] {
        answered(&world, typed, Lang::En, &["METASO_API_KEY"]).await;
    }
    answered(
        &world,
        "/fetch http://10.0.0.1/",
        Lang::En,
        &["public internet"],
    )
    .await;
}
