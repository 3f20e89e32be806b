//! The language in which a prompt tells the stand-in what to answer: one [`Step`] for each model
//! call, in a short form made to be typed into a chat and a JSON form that can say everything.
//! Which step is due is decided in `choice`, how it looks on the wire in `reply`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One scripted answer. Every field may be left out; an empty step answers "ok".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Text of the answer; placeholders such as `{tool_result}` are filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A thinking block in front of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<String>,
    /// Name of one tool to call, with `input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The input of `tool`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Several calls in one answer: pairs of name and input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<(String, Value)>>,
    /// Text in front of a tool call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// Into how many pieces a text is cut when streamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<usize>,
    /// Milliseconds between two pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Refuse with this HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u16>,
    /// Message of the refusal, in place of the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds in the refusal's `retry-after` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Give this step so often, then the one behind it; without it, each step is given once and
    /// stays as long as the conversation does not move on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// An `error` event of this type in the middle of the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sse_error: Option<String>,
    /// Close the connection in the middle of the stream.
    #[serde(skip_serializing_if = "is_false")]
    pub drop: bool,
    /// Seconds of silence in the middle of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_s: Option<f64>,
    /// Silence in the middle of the answer until this name is released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// That many bytes of numbered lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long: Option<usize>,
    /// Stop reason, where the usual one is not wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Further response headers, such as rate limits.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Token counts to report in place of the computed ones.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub usage: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Step {
    /// A step that answers `text`.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }
}

/// Reads a whole short script: steps separated by ` ;; `.
pub fn parse(script: &str) -> Result<Vec<Step>> {
    script
        .trim()
        .split(" ;; ")
        .map(str::trim)
        .filter(|step| !step.is_empty())
        .map(parse_step)
        .collect()
}

/// The newest directive in one text, if it has one: a `<fake>[…]</fake>` list goes before a
/// `fake:` line, a later one before an earlier one. A broken directive answers with what is wrong.
pub(crate) fn directive_in(text: &str) -> Option<Vec<Step>> {
    let read = if let Some((_, tail)) = text.rsplit_once("<fake>")
        && let Some((list, _)) = tail.split_once("</fake>")
    {
        serde_json::from_str(list).with_context(|| format!("bad directive {list}"))
    } else {
        let line = text.lines().rev().find_map(|line| {
            let (_, script) = line.split_once("fake:")?;
            (!script.trim().is_empty()).then_some(script)
        })?;
        parse(line).with_context(|| format!("bad directive {line}"))
    };
    Some(read.unwrap_or_else(|wrong| vec![Step::text(format!("{wrong:#}"))]))
}

fn parse_step(step: &str) -> Result<Step> {
    let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
    let rest = rest.trim();
    Ok(match word {
        "text" => Step::text(rest),
        "slow" => {
            let (count, tail) = first_word(rest);
            let (pause, words) = first_word(tail);
            let chunks = number(count)?;
            let text = if words.is_empty() {
                "slow text ".repeat(chunks)
            } else {
                words.to_owned()
            };
            Step {
                text: Some(text),
                chunks: Some(chunks),
                delay_ms: Some(number(pause)?),
                ..Step::default()
            }
        }
        "think" => Step {
            thinking: Some(rest.to_owned()),
            text: Some("thought about it".to_owned()),
            ..Step::default()
        },
        "tool" => {
            let (name, input) = first_word(rest);
            let input = if input.is_empty() { "{}" } else { input };
            Step {
                tool: Some(name.to_owned()),
                input: Some(serde_json::from_str(input).context("input of the tool")?),
                ..Step::default()
            }
        }
        "tools" => Step {
            tools: Some(serde_json::from_str(rest).context("list of [name, input] pairs")?),
            ..Step::default()
        },
        "error" => {
            let (status, times) = first_word(rest);
            Step {
                error: Some(number(status)?),
                times: optional(times)?,
                ..Step::default()
            }
        }
        "sse_error" => {
            let mut step = Step {
                sse_error: Some("overloaded_error".to_owned()),
                ..Step::default()
            };
            for part in rest.split_whitespace() {
                match part.parse() {
                    Ok(times) => step.times = Some(times),
                    Err(_) => step.sse_error = Some(part.to_owned()),
                }
            }
            step
        }
        "drop" => Step {
            drop: true,
            times: optional(rest)?,
            ..Step::default()
        },
        "stall" => {
            let (seconds, words) = first_word(rest);
            Step {
                stall_s: Some(number(seconds)?),
                text: Some(or(words, "before the stall and after it")),
                ..Step::default()
            }
        }
        "hold" => {
            let (name, words) = first_word(rest);
            if name.is_empty() {
                bail!("`hold` wants a name");
            }
            Step {
                hold: Some(name.to_owned()),
                text: Some(or(words, "before the hold and after it")),
                ..Step::default()
            }
        }
        "long" => Step {
            long: Some(number(rest)?),
            ..Step::default()
        },
        "stop" => {
            let (reason, words) = first_word(rest);
            Step {
                stop_reason: Some(reason.to_owned()),
                text: Some(or(words, "stopped")),
                ..Step::default()
            }
        }
        _ => Step::text(step),
    })
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim())
}

fn or(words: &str, otherwise: &str) -> String {
    let chosen = if words.is_empty() { otherwise } else { words };
    chosen.to_owned()
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T> {
    match word.parse() {
        Ok(number) => Ok(number),
        Err(_) => bail!("`{word}` is not a fitting number"),
    }
}

fn optional<T: std::str::FromStr>(word: &str) -> Result<Option<T>> {
    if word.is_empty() {
        return Ok(None);
    }
    number(word).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_form_says_the_same_as_json() {
        let cases = [
            ("text two words", json!({"text": "two words"})),
            ("just words", json!({"text": "just words"})),
            (
                "slow 3 10 abc d",
                json!({"text": "abc d", "chunks": 3, "delay_ms": 10}),
            ),
            (
                "slow 2 10",
                json!({"text": "slow text slow text ", "chunks": 2, "delay_ms": 10}),
            ),
            (
                "think hm",
                json!({"thinking": "hm", "text": "thought about it"}),
            ),
            (
                r#"tool Bash {"command":"ls ;x"}"#,
                json!({"tool": "Bash", "input": {"command": "ls ;x"}}),
            ),
            ("tool Ls", json!({"tool": "Ls", "input": {}})),
            (
                r#"tools [["A",{}],["B",{"x":1}]]"#,
                json!({"tools": [["A", {}], ["B", {"x": 1}]]}),
            ),
            ("error 529", json!({"error": 529})),
            ("error 529 2", json!({"error": 529, "times": 2})),
            ("sse_error", json!({"sse_error": "overloaded_error"})),
            (
                "sse_error api_error 3",
                json!({"sse_error": "api_error", "times": 3}),
            ),
            ("drop", json!({"drop": true})),
            ("drop 1", json!({"drop": true, "times": 1})),
            ("stall 0.5 a b", json!({"stall_s": 0.5, "text": "a b"})),
            (
                "hold h",
                json!({"hold": "h", "text": "before the hold and after it"}),
            ),
            ("long 5000", json!({"long": 5000})),
            (
                "stop max_tokens cut",
                json!({"stop_reason": "max_tokens", "text": "cut"}),
            ),
        ];
        for (short, long) in cases {
            let parsed = parse(short).unwrap();
            assert_eq!(
                serde_json::to_value(&parsed).unwrap(),
                json!([long]),
                "{short}"
            );
            assert_eq!(
                serde_json::from_value::<Vec<Step>>(json!([long])).unwrap(),
                parsed,
                "{short}"
            );
        }
    }

    #[test]
    fn steps_are_separated_by_two_semicolons_between_blanks() {
        assert_eq!(
            parse("text a;;b ;; text c").unwrap(),
            [Step::text("a;;b"), Step::text("c")]
        );
    }

    #[test]
    fn the_newest_directive_counts() {
        let said = |text: &str| directive_in(text).map(|steps| steps[0].text.clone().unwrap());
        assert_eq!(said("no directive"), None);
        assert_eq!(
            said("x fake: text one\nfake: text two\nmore"),
            Some("two".into())
        );
        assert_eq!(
            said("fake: text one <fake>[{\"text\":\n\"two\"}]</fake>"),
            Some("two".into())
        );
        assert!(
            said("fake: error lots")
                .unwrap()
                .contains("`lots` is not a fitting number")
        );
        assert!(
            said("<fake>[{\"txt\":1}]</fake>")
                .unwrap()
                .contains("unknown field `txt`")
        );
    }
}
