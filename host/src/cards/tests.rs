//! Every card of a host in both languages, as people read it.

mod broken;
mod lists;
mod mailboy;
mod question;
mod texts;
mod web;

use super::*;

/// A card in plain text: `# title (tone)`, the blocks, `[button → action]`, `-- footer`.
pub(crate) fn show(view: &View) -> String {
    let mut lines = vec![format!("# {} ({:?})", view.title, view.tone)];
    for block in &view.blocks {
        match block {
            Block::Markdown { text } => lines.push(format!("md| {}", clip(text))),
            Block::Plain { text } => lines.push(clip(text)),
            Block::Code { lang, text } => lines.push(format!("{lang}| {}", clip(text))),
            Block::Fields { rows } => {
                lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
            }
            Block::Steps { steps, folded } => {
                lines.push(format!("steps{}", if *folded { " (folded)" } else { "" }));
                lines.extend(steps.iter().map(|step| {
                    let sign = match step.state {
                        StepState::Running => '…',
                        StepState::Done => '✓',
                        StepState::Failed => '✗',
                        StepState::Said => '“',
                    };
                    format!("  {sign} {}", step.text)
                }));
            }
        }
    }
    for button in &view.buttons {
        let what = match &button.action {
            Action::Answer { answer, .. } => format!("{answer:?}"),
            Action::Stop { .. } => "Stop".to_owned(),
            Action::Recover { choice, .. } => format!("{choice:?}"),
            Action::Queued { choice, .. } => format!("{choice:?}"),
            Action::Switch { session, .. } => format!("Switch {}", session.uuid().as_u128()),
            Action::UseNode { .. } => "UseNode".to_owned(),
            Action::Waiting { choice, .. } => format!("{choice:?}"),
            Action::Dead { choice, .. } => format!("{choice:?}"),
            Action::Enrol { choice, .. } => format!("{choice:?}"),
            Action::OtherNode { pending } => format!("other than for {pending}"),
            Action::Remind { choice, .. } => format!("{choice:?}"),
        };
        assert_eq!(
            button.action.node(),
            Some(&node()),
            "buttons name the machine"
        );
        lines.push(format!("[{} → {what}, {:?}]", button.label, button.style));
    }
    lines.extend(view.footer.iter().map(|text| format!("-- {text}")));
    lines.join("\n")
}

/// Long texts by their ends and their length.
fn clip(text: &str) -> String {
    if text.chars().count() <= 200 {
        return text.to_owned();
    }
    let head: String = text.chars().take(12).collect();
    let tail: String = text.chars().skip(text.chars().count() - 12).collect();
    format!("{head} ⟨{} bytes⟩ {tail}", text.len())
}

fn node() -> NodeId {
    "home".parse().unwrap()
}

fn turn() -> TurnId {
    TurnId::derived(&["turn"])
}

fn frame(lang: Lang) -> Frame<'static> {
    Frame {
        node: "Home",
        dir: "demo",
        lang,
    }
}

fn both(card: impl Fn(Frame<'_>) -> View) -> String {
    format!(
        "{}\n\n{}",
        show(&card(frame(Lang::Zh))),
        show(&card(frame(Lang::En)))
    )
}

fn all(cards: &[View]) -> String {
    cards.iter().map(show).collect::<Vec<_>>().join("\n\n")
}

/// Words, a tool that ended, one that failed, one that runs, and words in the making.
fn progress() -> Progress {
    let mut progress = ended();
    progress.tool("c".into(), "Edit", "src/main.rs");
    progress.delta(2, "Two files **cha");
    progress
}

/// Words, a tool that ended, one that failed.
fn ended() -> Progress {
    let mut progress = Progress::default();
    progress.text(1, "Let me look.".into());
    progress.tool("a".into(), "Read", "src/main.rs");
    progress.tool_done("a", false);
    progress.tool("b".into(), "Bash", "cargo test\n--all");
    progress.tool_done("b", true);
    progress
}

#[test]
fn a_turn_that_runs() {
    let card = |frame: Frame<'_>| working(frame, &progress(), &HostText::Working, &node(), turn());
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Working)
    steps
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      … Edit: src/main.rs
    md| Two files **cha
    [停止 → Stop, Normal]
    -- 进行中

    # Home · demo (Working)
    steps
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      … Edit: src/main.rs
    md| Two files **cha
    [Stop → Stop, Normal]
    -- Working
    ");
    let fresh = Progress::default();
    let card = |frame: Frame<'_>| working(frame, &fresh, &HostText::Thinking, &node(), turn());
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Working)
    [停止 → Stop, Normal]
    -- 思考中

    # Home · demo (Working)
    [Stop → Stop, Normal]
    -- Thinking
    ");
}

#[test]
fn a_preview_shows_the_last_steps_and_the_end_of_the_text() {
    let mut progress = Progress::default();
    for n in 0..PREVIEW_STEPS + 3 {
        progress.tool(n.to_string(), "Read", &format!("{n}.rs"));
        progress.tool_done(&n.to_string(), false);
    }
    progress.delta(1, &"词".repeat(PREVIEW_BYTES));
    progress.delta(1, " and the end");
    let card = working(
        frame(Lang::En),
        &progress,
        &HostText::Working,
        &node(),
        turn(),
    );
    insta::assert_snapshot!(show(&card), @"
    # Home · demo (Working)
    3 more before
    steps
      ✓ Read: 3.rs
      ✓ Read: 4.rs
      ✓ Read: 5.rs
      ✓ Read: 6.rs
      ✓ Read: 7.rs
      ✓ Read: 8.rs
    md| 词词词词词词词词词词词词 ⟨7998 bytes⟩  and the end
    [Stop → Stop, Normal]
    -- Working
    ");
}

#[test]
fn a_turn_that_ended_well() {
    let footer = || vec!["a-model".to_owned(), "3.2 s".to_owned()];
    let one = finished(frame(Lang::En), &ended(), "All **done**.", &footer());
    insta::assert_snapshot!(all(&one), @"
    # Home · demo (Done)
    steps (folded)
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
    md| All **done**.
    -- a-model · 3.2 s
    ");
    let none = |lang| finished(frame(lang), &Progress::default(), "", &footer());
    insta::assert_snapshot!(all(&[none(Lang::Zh), none(Lang::En)].concat()), @"
    # Home · demo (Done)
    完成（没有文字回复）
    -- a-model · 3.2 s

    # Home · demo (Done)
    Done (no words)
    -- a-model · 3.2 s
    ");
}

#[test]
fn a_long_answer_comes_in_parts_and_in_full() {
    let line = "一行 of a long answer\n";
    let text = line.repeat(2 * MAX_PART / line.len() + 100);
    for lang in [Lang::Zh, Lang::En] {
        let cards = finished(frame(lang), &ended(), &text, &["1.0 s".into()]);
        let whole: String = cards
            .iter()
            .flat_map(|card| &card.blocks)
            .filter_map(|block| match block {
                Block::Markdown { text } => Some(text.as_str()),
                Block::Plain { .. }
                | Block::Code { .. }
                | Block::Steps { .. }
                | Block::Fields { .. } => None,
            })
            .collect();
        assert!(whole == text, "the parts are the text");
        match lang {
            Lang::Zh => insta::assert_snapshot!(all(&cards), @"
            # Home · demo (Done)
            steps (folded)
              “ Let me look.
              ✓ Read: src/main.rs
              ✗ Bash: cargo test --all
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- 第 1/3 部分 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- 第 2/3 部分 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨2400 bytes⟩ long answer

            -- 第 3/3 部分 · 1.0 s
            "),
            Lang::En => insta::assert_snapshot!(all(&cards), @"
            # Home · demo (Done)
            steps (folded)
              “ Let me look.
              ✓ Read: src/main.rs
              ✗ Bash: cargo test --all
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- Part 1 of 3 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- Part 2 of 3 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨2400 bytes⟩ long answer

            -- Part 3 of 3 · 1.0 s
            "),
        }
    }
}

#[test]
fn a_message_that_waits() {
    let card = |can_send| {
        move |frame: Frame<'_>| queued(frame, "and then the docs", 2, &node(), turn(), can_send)
    };
    insta::assert_snapshot!(both(card(true)), @"
    # Home · demo (Plain)
    “and then the docs”
    排队中，第 2 位。当前一轮结束后执行。
    [立即发送 → SendNow, Normal]
    [取消 → Cancel, Normal]

    # Home · demo (Plain)
    “and then the docs”
    Waiting, place 2. It runs when the turn before it ends.
    [Send now → SendNow, Normal]
    [Cancel → Cancel, Normal]
    ");
    insta::assert_snapshot!(show(&card(false)(frame(Lang::En))), @"
    # Home · demo (Plain)
    “and then the docs”
    Waiting, place 2. It runs when the turn before it ends.
    [Cancel → Cancel, Normal]
    ");
}

#[test]
fn the_small_print() {
    let mut result = TurnResult {
        outcome: crate::agent::TurnOutcome::Success,
        text: String::new(),
        session_id: None,
        duration: Duration::ZERO,
        cost_usd: 0.123,
        model: Some("a-model".into()),
        context_used: Some(82_000),
        context_window: Some(200_000),
        user_messages: Vec::new(),
        denied_tools: Vec::new(),
    };
    let line = |result: &TurnResult, secs, lang| {
        let took = Duration::from_secs_f64(secs);
        small_print(result, took, lang).join(" · ")
    };
    insta::assert_snapshot!(line(&result, 3.21, Lang::En), @"a-model · 3.2 s · $0.12 · context 41%");
    insta::assert_snapshot!(line(&result, 125.0, Lang::Zh), @"a-model · 用时 2 分 5 秒 · $0.12 · 上下文 41%");
    result.cost_usd = 0.0;
    result.context_window = Some(0);
    result.model = None;
    insta::assert_snapshot!(line(&result, 60.0, Lang::En), @"1 min 0 s");
}
