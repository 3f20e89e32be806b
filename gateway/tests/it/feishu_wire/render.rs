//! Rendered views, as the platform judges them.

use common::ids::NodeId;
use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, Step, StepState, Tone, View};
use gateway::feishu::api::{Message, Receiver};
use gateway::feishu::error::ErrorKind;
use gateway::feishu::render::{Form, Page, pages};
use kit::feishu::{Class, Fault, Feishu};

use super::api;

/// Everything a view can hold, with text that is hostile to the platform.
fn hostile(lines: usize) -> View {
    let node: NodeId = "home-pc".parse().expect("a node id");
    let table = "| a | b |\n|---|---|\n| <at id=all></at> | `x` |\n\n";
    let text = format!(
        "# Title\n\n![img](https://x.example/a.png) <font color='red'>&amp; \"quoted\" \\ {table}{table}{table}{table}\
         ```rust\n{}```\n\n- item <b>\n",
        "let s = \"a\\n\\\"b\\\"\"; // 字 <T> & more\n".repeat(lines),
    );
    View {
        title: "home-pc · <project>".into(),
        tone: Tone::Done,
        blocks: vec![
            Block::Steps {
                steps: vec![
                    Step {
                        text: "Read <a.rs>".into(),
                        state: StepState::Done
                    };
                    1 + lines / 4
                ],
                folded: true,
            },
            Block::Markdown { text },
            Block::Code {
                lang: "sh".into(),
                text: "echo \"```\" | sh\n".repeat(1 + lines),
            },
            Block::Plain {
                text: "plain <at id=all></at>\n".repeat(1 + lines),
            },
            Block::Fields {
                rows: vec![("cost".into(), "$0.10 & <1".into())],
            },
        ],
        buttons: (0..9)
            .map(|n| Button {
                label: format!("Button {n}"),
                style: ButtonStyle::Primary,
                action: Action::UseNode {
                    node: node.clone(),
                    pending: Some(n),
                },
            })
            .collect(),
        footer: Some("model · 3 s · <x>".into()),
    }
}

#[tokio::test]
async fn all_forms_of_all_pages_are_taken() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    for lines in [0, 40, 900] {
        let view = hostile(lines);
        let pages = pages(&view, Lang::En);
        assert_eq!(pages.len() > 1, lines == 900);
        for form in [Form::Card, Form::PlainCard, Form::Post, Form::Text] {
            // A chat of its own each, so that nothing waits for the chat's rate.
            for (n, page) in pages.iter().enumerate() {
                let user = feishu.user(&format!("ou_{lines}{form:?}{n}"));
                let to = Receiver::Chat(user.chat_id());
                let sent = api.send(&to, &page.message(form), None).await;
                assert!(sent.is_ok(), "{form:?} {n}: {:?}", sent.err());
                let card = matches!(form, Form::Card | Form::PlainCard);
                let last = n + 1 == pages.len();
                let buttons = user.messages()[0].buttons();
                assert!(buttons.len() == 9 || !(card && last && pages.len() == 1));
                for button in buttons {
                    assert!(serde_json::from_value::<Action>(button.value).is_ok());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_refused_card_falls_back_until_it_is_taken() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    let user = feishu.user("ou_a");
    let to = Receiver::Chat(user.chat_id());
    let page: Page = pages(&hostile(1), Lang::En).remove(0);
    feishu.fault_times(
        Class::Send,
        3,
        &Fault::Code {
            http: 400,
            code: 230_099,
        },
    );
    let mut form = Form::Card;
    let mut tried = Vec::new();
    let shown: Message = loop {
        let message = page.message(form);
        tried.push(form);
        match api.send(&to, &message, None).await {
            Ok(_) => break message,
            Err(error) => {
                assert!(matches!(error.kind, ErrorKind::CardRefused { .. }));
                assert!(error.wants_simpler());
                form = form.simpler().expect("text is always taken");
            }
        }
    };
    assert_eq!(tried, [Form::Card, Form::PlainCard, Form::Post, Form::Text]);
    assert!(matches!(shown, Message::Text(_)));
    // Shown, and nobody is rung.
    assert!(user.messages()[0].text().contains("＜at id=all>＜/at>"));
}
