//! What one request to the Messages API says: its newest words, tool results and directive, and
//! whether it is a turn at all or one of the requests the CLI makes on its own account.

use serde_json::Value;

use super::script::{Step, directive_in};

const FOLDED_IN: &str = "The user sent a new message while you were working:\n";

/// The parts of a request body that answers depend on.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    /// The whole body.
    pub(crate) body: Value,
    /// Newest text of the person, without the CLI's reminders.
    pub(crate) user_text: String,
    /// Newest tool result, as text.
    pub(crate) tool_result: String,
    /// Number of images in the message that holds `user_text`.
    pub(crate) images: usize,
}

/// A request the CLI makes for itself rather than for a turn, and what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chore {
    /// A value of a JSON schema is wanted.
    Structured,
    /// One token, to see whether the key works.
    Probe,
    /// A summary of the conversation.
    Compact,
    /// A title for the session.
    Title,
}

impl Conversation {
    pub(crate) fn new(body: Value) -> Self {
        let mut user_text = String::new();
        let mut tool_result = None;
        let mut images = 0;
        for message in blocks(&body["messages"]).iter().rev() {
            let content = &message["content"];
            match role(message) {
                // This is how the CLI hands over words that came while a tool ran.
                "system" if user_text.is_empty() => {
                    user_text = folded_in(&texts(content).join("\n")).unwrap_or_default();
                }
                "user" => {
                    if tool_result.is_none() {
                        let mut blocks = blocks(content).iter().rev();
                        let newest = blocks.find(|block| block["type"] == "tool_result");
                        tool_result = newest.map(|block| flatten(&block["content"]));
                    }
                    if user_text.is_empty() {
                        user_text = said(message);
                        let pictures = blocks(content).iter().filter(|b| b["type"] == "image");
                        images = if user_text.is_empty() {
                            0
                        } else {
                            pictures.count()
                        };
                    }
                }
                _ => {}
            }
        }
        Self {
            body,
            user_text,
            tool_result: tool_result.unwrap_or_default(),
            images,
        }
    }

    pub(crate) fn messages(&self) -> &[Value] {
        blocks(&self.body["messages"])
    }

    pub(crate) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("fake-model")
    }

    pub(crate) fn streams(&self) -> bool {
        self.body["stream"] == true
    }

    /// The words of the last message of the person, where that message is not a tool result:
    /// what a model call that begins a turn has, and one in the middle of a turn has not.
    pub(crate) fn opening_words(&self) -> Option<String> {
        let mut newest_first = self.messages().iter().rev();
        let last = newest_first.find(|message| role(message) == "user")?;
        (!has_tool_result(last)).then(|| said(last))
    }

    /// The newest directive, with the number of answers given since.
    pub(crate) fn directive(&self) -> Option<(Vec<Step>, usize)> {
        let mut answers = 0;
        for message in self.messages().iter().rev() {
            match role(message) {
                "assistant" => answers += 1,
                "user" | "system" => {
                    let texts = texts(&message["content"]);
                    if let Some(steps) = texts.iter().rev().find_map(|text| directive_in(text)) {
                        return Some((steps, answers));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Number of answers given since the last prompt.
    pub(crate) fn answers_since_prompt(&self) -> usize {
        let messages = self.messages();
        let since = messages.iter().rev();
        since
            .take_while(|m| role(m) != "user" || has_tool_result(m))
            .filter(|m| role(m) == "assistant")
            .count()
    }

    /// The same for all retries and tool rounds of one prompt, another for each prompt.
    pub(crate) fn key(&self) -> String {
        let messages = self.messages();
        let prompts = messages
            .iter()
            .filter(|m| role(m) == "user" && !has_tool_result(m));
        let prompts: Vec<String> = prompts.map(said).collect();
        format!("{} {prompts:?}", self.body["metadata"]["user_id"])
    }

    /// Tells the CLI's own requests from turns; there is nothing to go by but their prompts.
    pub(crate) fn chore(&self) -> Option<Chore> {
        let messages = self.messages();
        let last = messages.last().map(|m| texts(&m["content"]).join("\n"));
        let last = last.unwrap_or_default();
        let no_tools = self.body["tools"].as_array().is_none_or(Vec::is_empty);
        if self.schema().is_some() {
            Some(Chore::Structured)
        } else if self.body["max_tokens"] == 1 && no_tools {
            Some(Chore::Probe)
        } else if last.contains("create a detailed summary of the conversation")
            || last.contains("create a detailed summary of this conversation")
        {
            Some(Chore::Compact)
        } else if no_tools && last.starts_with("<session>") {
            Some(Chore::Title)
        } else {
            None
        }
    }

    /// The JSON schema an answer must fit, if one is asked for.
    pub(crate) fn schema(&self) -> Option<&Value> {
        [
            &self.body["output_config"]["format"],
            &self.body["output_format"],
        ]
        .into_iter()
        .find(|format| format["type"] == "json_schema")
        .map(|format| &format["schema"])
    }

    /// Puts the facts of this request into a scripted text.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{tool_result}", &self.tool_result)
            .replace("{user}", &self.user_text)
            .replace("{n}", &self.messages().len().to_string())
            .replace("{images}", &self.images.to_string())
            .replace("{model}", self.model())
    }
}

/// A value that fits `schema`, as far as the CLI's own schemas go.
pub(crate) fn sample(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(fields) = schema["properties"].as_object() {
        let value = |(name, field): (&String, &Value)| {
            let value = if name == "title" {
                Value::from("Fake session title")
            } else {
                sample(field)
            };
            (name.clone(), value)
        };
        return Value::Object(fields.iter().map(value).collect());
    }
    match schema["type"].as_str() {
        Some("object") => Value::Object(serde_json::Map::new()),
        Some("array") => Value::Array(Vec::new()),
        Some("integer" | "number") => Value::from(1),
        Some("boolean") => Value::from(false),
        _ => Value::from("fake"),
    }
}

fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

fn blocks(content: &Value) -> &[Value] {
    content.as_array().map_or(&[], Vec::as_slice)
}

fn texts(content: &Value) -> Vec<&str> {
    if let Some(text) = content.as_str() {
        return vec![text];
    }
    let texts = blocks(content)
        .iter()
        .filter(|block| block["type"] == "text");
    texts.filter_map(|block| block["text"].as_str()).collect()
}

fn has_tool_result(message: &Value) -> bool {
    blocks(&message["content"])
        .iter()
        .any(|block| block["type"] == "tool_result")
}

/// The words of one message, without what the CLI adds for the model's eyes.
fn said(message: &Value) -> String {
    let mut text = texts(&message["content"]).join("\n");
    while let Some((before, tail)) = text.split_once("<system-reminder>") {
        let Some((_, after)) = tail.split_once("</system-reminder>") else {
            break;
        };
        text = format!("{before}{after}");
    }
    text.trim().to_owned()
}

fn folded_in(note: &str) -> Option<String> {
    let (_, words) = note.split_once(FOLDED_IN)?;
    let words = words.split("\n\n").next().unwrap_or(words);
    Some(words.trim().to_owned())
}

fn flatten(content: &Value) -> String {
    if let Some(text) = content.as_str() {
        return text.to_owned();
    }
    let parts = blocks(content)
        .iter()
        .map(|block| match block["type"].as_str() {
            Some("text") => block["text"].as_str().unwrap_or_default().to_owned(),
            other => format!("[{}]", other.unwrap_or("?")),
        });
    parts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(messages: &Value) -> Conversation {
        Conversation::new(json!({"model": "m", "messages": messages}))
    }

    #[test]
    fn reads_the_newest_words_and_results() {
        let seen = of(&json!([
            {"role": "user", "content": [
                {"type": "text", "text": "<system-reminder>date</system-reminder>\nlook"}, {"type": "image"}]},
            {"role": "assistant", "content": [{"type": "tool_use"}]},
            {"role": "user", "content": [{"type": "tool_result", "content": [
                {"type": "text", "text": "A"}, {"type": "image"}]}]},
        ]));
        assert_eq!((seen.user_text.as_str(), seen.images), ("look", 1));
        assert_eq!(seen.tool_result, "A\n[image]");
        assert_eq!(seen.fill("{user} {n} {model} {images}"), "look 3 m 1");
        assert_eq!(seen.answers_since_prompt(), 1);
        assert_eq!(seen.opening_words(), None);
    }

    #[test]
    fn words_sent_during_a_turn_are_the_newest() {
        let seen = of(&json!([
            {"role": "user", "content": "fake: text a ;; text b"},
            {"role": "assistant", "content": "a"},
            {"role": "user", "content": [{"type": "tool_result", "content": "A"}]},
            {"role": "system", "content": format!("{FOLDED_IN}also this\n\nHint.")},
        ]));
        assert_eq!(seen.user_text, "also this");
        assert_eq!(seen.directive().unwrap().1, 1);
    }

    #[test]
    fn tells_chores_from_turns() {
        let chore = |body: Value| Conversation::new(body).chore();
        let text = |text: &str| json!([{"role": "user", "content": text}]);
        let title = json!({"messages": text("<session>\nfix it"), "output_config": {"format": {
            "type": "json_schema", "schema": {"type": "object"}}}});
        assert_eq!(chore(title), Some(Chore::Structured));
        assert_eq!(
            chore(json!({"messages": text("<session>\nx")})),
            Some(Chore::Title)
        );
        assert_eq!(
            chore(json!({"messages": text("quota"), "max_tokens": 1})),
            Some(Chore::Probe)
        );
        let summary = "Your task is to create a detailed summary of the conversation so far";
        assert_eq!(
            chore(json!({"messages": text(summary), "tools": [{}]})),
            Some(Chore::Compact)
        );
        assert_eq!(
            chore(json!({"messages": text("hello"), "tools": [{}]})),
            None
        );
    }

    #[test]
    fn samples_fit_their_schema() {
        let schema = json!({"type": "object", "properties": {"title": {"type": "string"},
            "n": {"type": "integer"}, "kind": {"enum": ["a", "b"]}, "list": {"type": "array"}}});
        let sample = sample(&schema);
        assert_eq!(
            sample,
            json!({"title": "Fake session title", "n": 1, "kind": "a", "list": []})
        );
    }
}
