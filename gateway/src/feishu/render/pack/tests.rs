//! Tests of filling pages, through the public forms.

use common::message::view::{Action, Button, ButtonStyle, Tone};
use proptest::prelude::*;

use super::*;
use crate::feishu::api::Message;
use crate::feishu::render::Form;

fn action() -> Action {
    Action::UseNode {
        node: "home-pc".parse().unwrap(),
        pending: Some(7),
    }
}

fn button(label: &str, style: ButtonStyle) -> Button {
    Button {
        label: label.into(),
        style,
        action: action(),
    }
}

fn full_view() -> View {
    View {
        title: "home-pc · project".into(),
        tone: Tone::Asking,
        blocks: vec![
            Block::Markdown {
                text: "May I **run** <this>?".into(),
            },
            Block::Code {
                lang: "sh".into(),
                text: "ls -l\n".into(),
            },
            Block::Steps {
                steps: vec![
                    Step {
                        text: "Read a.rs".into(),
                        state: StepState::Done,
                    },
                    Step {
                        text: "Run tests\nmore".into(),
                        state: StepState::Running,
                    },
                ],
                folded: true,
            },
            Block::Fields {
                rows: vec![("cost".into(), "$1 & <2".into())],
            },
            Block::Plain {
                text: "*as it is* <b>".into(),
            },
        ],
        buttons: vec![
            button("Allow once", ButtonStyle::Primary),
            button("Deny", ButtonStyle::Danger),
        ],
        footer: Some("model · 3 s".into()),
    }
}

#[test]
fn a_card_with_everything() {
    let pages = pages(&full_view(), Lang::En);
    assert_eq!(pages.len(), 1);
    let Message::Card(card) = pages[0].message(Form::Card) else {
        panic!("not a card");
    };
    insta::assert_json_snapshot!(card, @r##"
    {
      "body": {
        "elements": [
          {
            "content": "May I **run** &lt;this>?",
            "tag": "markdown"
          },
          {
            "content": "```sh\nls -l\n```",
            "tag": "markdown"
          },
          {
            "elements": [
              {
                "tag": "div",
                "text": {
                  "content": "✓ Read a.rs\n… Run tests",
                  "tag": "plain_text"
                }
              }
            ],
            "expanded": false,
            "header": {
              "title": {
                "content": "2 steps",
                "tag": "plain_text"
              }
            },
            "tag": "collapsible_panel"
          },
          {
            "tag": "div",
            "text": {
              "content": "cost: $1 & <2",
              "tag": "plain_text"
            }
          },
          {
            "tag": "div",
            "text": {
              "content": "*as it is* <b>",
              "tag": "plain_text"
            }
          },
          {
            "columns": [
              {
                "elements": [
                  {
                    "behaviors": [
                      {
                        "type": "callback",
                        "value": {
                          "do": "use_node",
                          "node": "home-pc",
                          "pending": 7
                        }
                      }
                    ],
                    "tag": "button",
                    "text": {
                      "content": "Allow once",
                      "tag": "plain_text"
                    },
                    "type": "primary"
                  }
                ],
                "tag": "column",
                "width": "auto"
              },
              {
                "elements": [
                  {
                    "behaviors": [
                      {
                        "type": "callback",
                        "value": {
                          "do": "use_node",
                          "node": "home-pc",
                          "pending": 7
                        }
                      }
                    ],
                    "tag": "button",
                    "text": {
                      "content": "Deny",
                      "tag": "plain_text"
                    },
                    "type": "danger"
                  }
                ],
                "tag": "column",
                "width": "auto"
              }
            ],
            "flex_mode": "flow",
            "tag": "column_set"
          },
          {
            "tag": "div",
            "text": {
              "content": "model · 3 s",
              "tag": "plain_text",
              "text_color": "grey",
              "text_size": "notation"
            }
          }
        ]
      },
      "config": {
        "summary": {
          "content": "home-pc · project"
        },
        "update_multi": true
      },
      "header": {
        "template": "orange",
        "title": {
          "content": "home-pc · project",
          "tag": "plain_text"
        }
      },
      "schema": "2.0"
    }
    "##);
}

#[test]
fn simpler_forms() {
    let page = &pages(&full_view(), Lang::Zh)[0];
    let Message::Card(plain) = page.message(Form::PlainCard) else {
        panic!("not a card");
    };
    let plain = plain.to_string();
    assert!(
        !plain.contains("markdown") && !plain.contains("collapsible"),
        "{plain}"
    );
    assert!(
        plain.contains("use_node") && plain.contains("**run** <this>"),
        "{plain}"
    );
    insta::assert_snapshot!(page.message(Form::Post).content(), @r##"{"zh_cn":{"content":[[{"tag":"md","text":"May I **run** &lt;this>?"}],[{"tag":"md","text":"```sh\nls -l\n```"}],[{"tag":"text","text":"✓ Read a.rs\n… Run tests"}],[{"tag":"text","text":"cost: $1 & <2"}],[{"tag":"text","text":"*as it is* <b>"}],[{"tag":"text","text":"model · 3 s"}]],"title":"home-pc · project"}}"##);
    insta::assert_snapshot!(page.text(), @r##"
    home-pc · project
    May I **run** <this>?
    ls -l

    ✓ Read a.rs
    … Run tests
    cost: $1 & <2
    *as it is* <b>
    model · 3 s
    "##);
    assert_eq!(Form::Text.simpler(), None);
}

#[test]
fn empty_views_are_not_empty_cards() {
    let page = &pages(&View::default(), Lang::En)[0];
    assert_eq!(page.pieces, [Piece::Plain("…".into())]);
    let blank = View {
        title: "Title".into(),
        blocks: vec![Block::Markdown { text: " \n".into() }],
        ..View::default()
    };
    assert_eq!(pages(&blank, Lang::En)[0].pieces.len(), 1);
}

#[test]
fn many_buttons_and_blocks_go_onto_more_cards() {
    let view = View {
        title: "Sessions".into(),
        blocks: vec![Block::Plain { text: "x".into() }; 150],
        buttons: vec![button(&"字".repeat(80), ButtonStyle::Normal); 100],
        ..View::default()
    };
    let pages = pages(&view, Lang::En);
    assert!(pages.len() > 1);
    let mut labels = 0;
    for page in &pages {
        let Message::Card(card) = page.message(Form::Card) else {
            panic!("not a card");
        };
        assert!(element::count(&card) <= CARD_ELEMENTS);
        assert!(wire(&card) <= CARD_BYTES);
        labels += card.to_string().matches("use_node").count();
    }
    assert_eq!(labels, 100);
}

#[test]
fn earlier_pages_stay_while_text_grows() {
    let view = |lines: usize| View {
        blocks: vec![Block::Markdown {
            text: (0..lines).fold(String::new(), |text, n| {
                text + &format!("line {n} of the answer\n\n")
            }),
        }],
        ..View::default()
    };
    let body = |page: &Page| page.pieces.first().cloned();
    let (short, long) = (pages(&view(3000), Lang::En), pages(&view(3500), Lang::En));
    assert!(short.len() > 2 && long.len() >= short.len());
    for (before, after) in short.iter().zip(&long).take(short.len() - 1) {
        assert_eq!(body(before), body(after));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_text_fits_and_stays_exact(
        chunk in "[a-z字<&\"\\n |`-]{1,80}",
        times in 1_usize..1500,
        kind in 0_u8..3,
    ) {
        let text = chunk.repeat(times);
        let block = match kind {
            0 => Block::Markdown { text: text.clone() },
            1 => Block::Plain { text: text.clone() },
            _ => Block::Code { lang: "rust".into(), text: text.clone() },
        };
        let view = View { title: "T".into(), blocks: vec![block], footer: Some("f".into()), ..View::default() };
        let pages = pages(&view, Lang::En);
        let mut joined = String::new();
        for page in &pages {
            for form in [Form::Card, Form::PlainCard, Form::Post] {
                let bytes = wire_len(&page.message(form).content());
                prop_assert!(bytes <= CARD_BYTES, "{form:?} has {bytes} bytes");
            }
            for piece in &page.pieces {
                match piece {
                    Piece::Plain(text) | Piece::Code { text, .. } => joined.push_str(text),
                    Piece::Markdown(_) | Piece::Folded { .. } | Piece::Buttons(_) | Piece::Small(_) => {}
                }
            }
        }
        // Markdown may have reopened fences; its exactness is the splitter's test.
        if kind > 0 && !text.trim().is_empty() {
            prop_assert_eq!(joined, text);
        }
    }
}
