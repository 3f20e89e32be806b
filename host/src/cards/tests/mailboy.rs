//! Cards and texts of the assistant.

use common::text::Say as _;
use common::text::host::mailboy::MailText;

use super::*;
use crate::mailboy::{interrupted, queued};

fn mail(lang: Lang) -> Frame<'static> {
    Frame {
        node: "Home",
        dir: match lang {
            Lang::Zh => "助手",
            Lang::En => "assistant",
        },
        lang,
    }
}

fn each(card: impl Fn(Frame<'_>) -> View) -> String {
    format!(
        "{}\n\n{}",
        show(&card(mail(Lang::Zh))),
        show(&card(mail(Lang::En)))
    )
}

#[test]
fn a_text_that_waits() {
    let card = |frame: Frame<'_>| queued(frame, "and then?", 2, &node(), turn());
    insta::assert_snapshot!(each(card), @"");
}

#[test]
fn a_text_that_was_cut_off() {
    let done = vec![
        "✓ new_session: demo".to_owned(),
        "… run_shell: make".to_owned(),
    ];
    let card = |frame: Frame<'_>| interrupted(frame, "build\nit", done.clone(), &node(), turn());
    insta::assert_snapshot!(each(card), @"");
    let card = |frame: Frame<'_>| interrupted(frame, "hello", Vec::new(), &node(), turn());
    insta::assert_snapshot!(each(card), @"");
}

#[test]
fn an_answer_and_a_failure() {
    let footer = ["glm-4.7".to_owned(), time(Duration::from_millis(3_210))];
    let mut log = Progress::default();
    log.tool("1".into(), "list_dir: src", "");
    log.tool_done("1", false);
    let cards = finished(mail(Lang::En), &log, "Two files.", &footer);
    insta::assert_snapshot!(all(&cards), @"");
    let card = |frame: Frame<'_>| {
        let choices = recovery(frame, &HostText::TryAgain, &node(), turn());
        let why = MailText::Broken { status: 503 };
        broken(
            frame,
            &log,
            Tone::Warning,
            &why,
            choices,
            Some("model-broken"),
        )
    };
    insta::assert_snapshot!(each(card), @"");
}

/// Every text once; a new one without a row does not compile.
#[test]
fn the_texts() {
    let texts = [
        MailText::Name,
        MailText::ModeSmart {
            model: "glm-4.7".into(),
        },
        MailText::SmartOn {
            model: Some("glm-4.7".into()),
        },
        MailText::SmartOn { model: None },
        MailText::Forgotten,
        MailText::TooMany { max: 20 },
        MailText::TakenBack,
        MailText::Stopped,
        MailText::Rounds { max: 12 },
        MailText::GoesOn,
        MailText::Discarded,
        MailText::Cut,
        MailText::Broke,
        MailText::Unreachable,
        MailText::Slow,
        MailText::BadKey { status: 401 },
        MailText::Unpaid,
        MailText::Busy { after: Some(30) },
        MailText::Busy { after: None },
        MailText::TooLong,
        MailText::Refused {
            status: 404,
            said: String::new(),
        },
        MailText::Refused {
            status: 200,
            said: "no such model".into(),
        },
        MailText::NoAnswer,
        MailText::Filtered,
    ];
    for text in &texts {
        match text {
            // On cards, above.
            MailText::Queued { .. } | MailText::Interrupted { .. } | MailText::Broken { .. } => {
                unreachable!("these have cards of their own")
            }
            MailText::Name
            | MailText::ModeSmart { .. }
            | MailText::SmartOn { .. }
            | MailText::Forgotten
            | MailText::TooMany { .. }
            | MailText::TakenBack
            | MailText::Stopped
            | MailText::Rounds { .. }
            | MailText::GoesOn
            | MailText::Discarded
            | MailText::Cut
            | MailText::Broke
            | MailText::Unreachable
            | MailText::Slow
            | MailText::BadKey { .. }
            | MailText::Unpaid
            | MailText::Busy { .. }
            | MailText::TooLong
            | MailText::Refused { .. }
            | MailText::NoAnswer
            | MailText::Filtered => {}
        }
    }
    // What is said behind each failure stands once.
    let meanwhile = |text: String| {
        let cut = text
            .find("Commands such as")
            .or_else(|| text.find("期间 /status"));
        cut.map_or(text.clone(), |at| format!("{}(…)", &text[..at]))
    };
    let lines: Vec<String> = texts
        .iter()
        .flat_map(|text| [meanwhile(text.zh()), meanwhile(text.en())])
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"");
    insta::assert_snapshot!(format!("{}\n{}", MailText::Slow.zh(), MailText::Slow.en()), @"");
}
