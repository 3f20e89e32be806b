//! The text inside a received message.
//!
//! Plain text and rich text become one string, files and pictures keep their keys; everything else
//! keeps only its kind, so that the person can be told.

use std::fmt::Write as _;

use common::message::inbound::FileKind;
use serde_json::Value;

use super::OwnId;

const IMAGE: &str = "[image]";
const VIDEO: &str = "[video]";

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text or Markdown; mentions of the bot are gone, others read `@name`.
    Text(String),
    /// Files or pictures, with or without words.
    Files {
        /// In order.
        files: Vec<Attached>,
        /// As in [`Content::Text`]; may be empty.
        text: String,
    },
    /// Something without text, or of a kind that we do not know.
    Unsupported {
        /// The platform's word for it, such as `image`.
        kind: String,
    },
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// What it is.
    pub kind: FileKind,
    /// The platform's key of it.
    pub key: String,
    /// Its name; empty if the platform gives none.
    pub name: String,
}

impl Attached {
    /// From an object that names the key under `key`.
    fn read(kind: FileKind, object: &Value, key: &str) -> Option<Self> {
        let word = |name: &str| object.get(name).and_then(Value::as_str);
        Some(Self {
            kind,
            key: word(key).filter(|key| !key.is_empty())?.to_owned(),
            name: word("file_name").unwrap_or_default().to_owned(),
        })
    }
}

impl Content {
    /// Reads the JSON inside the string `raw`.
    pub(super) fn read(kind: &str, raw: &str, mentions: &Mentions) -> Self {
        let parsed: Value = serde_json::from_str(raw).unwrap_or(Value::Null);
        let alone = match kind {
            "image" => Attached::read(FileKind::Image, &parsed, "image_key"),
            "file" => Attached::read(FileKind::File, &parsed, "file_key"),
            "audio" => Attached::read(FileKind::Audio, &parsed, "file_key"),
            "media" => Attached::read(FileKind::Video, &parsed, "file_key"),
            _ => None,
        };
        if let Some(file) = alone {
            return Self::Files {
                files: vec![file],
                text: String::new(),
            };
        }
        let mut files = Vec::new();
        let text = match kind {
            "text" => parsed
                .get("text")
                .and_then(Value::as_str)
                .map(str::to_owned),
            "post" => post(&parsed, mentions, &mut files),
            _ => None,
        };
        let unsupported = |kind: &str| Self::Unsupported {
            kind: kind.to_owned(),
        };
        match text {
            Some(text) => {
                let text = mentions.replace_in(&text).trim().to_owned();
                // A picture sent with a mention and no words arrives as a post.
                let words = text.replace(IMAGE, "").replace(VIDEO, "");
                if words.trim().is_empty() && words.len() < text.len() {
                    return unsupported(if text.contains(IMAGE) {
                        "image"
                    } else {
                        "media"
                    });
                }
                if files.is_empty() {
                    Self::Text(text)
                } else {
                    Self::Files { files, text }
                }
            }
            None => unsupported(kind),
        }
    }
}

/// Who is mentioned in a message, under which placeholder.
#[derive(Debug)]
pub(super) struct Mentions {
    /// Longest placeholder first, so that `@_user_10` is not read as `@_user_1`.
    list: Vec<Mention>,
}

#[derive(Debug)]
struct Mention {
    key: String,
    name: String,
    is_bot: bool,
    /// Neither everybody nor marked as a person's or a bot's.
    is_unclear: bool,
}

impl Mentions {
    /// Reads the list; entries without a placeholder are left out.
    pub(super) fn read(list: Option<&Value>, bot: &OwnId) -> Self {
        let mut list: Vec<Mention> = list
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let word = |path: &str| entry.pointer(path).and_then(Value::as_str);
                let key = word("/key").filter(|key| !key.is_empty())?;
                let mark = word("/mentioned_type").unwrap_or_default();
                Some(Mention {
                    key: key.to_owned(),
                    name: word("/name").unwrap_or_default().to_owned(),
                    is_bot: match bot {
                        OwnId::Known(bot) => word("/id/open_id") == Some(bot),
                        OwnId::Awaited | OwnId::Withheld => matches!(mark, "bot" | "app"),
                    },
                    is_unclear: mark.is_empty() && key != "@_all",
                })
            })
            .collect();
        if *bot == OwnId::Withheld
            && !list.iter().any(|mention| mention.is_bot)
            && let Some(first) = list.iter_mut().find(|mention| mention.is_unclear)
        {
            first.is_bot = true;
        }
        list.sort_by_key(|mention| std::cmp::Reverse(mention.key.len()));
        Self { list }
    }

    /// Whether the bot is among them.
    pub(super) fn bot(&self) -> bool {
        self.list.iter().any(|mention| mention.is_bot)
    }

    /// Whether somebody is mentioned of whom it is not said who.
    pub(super) fn unclear(&self) -> bool {
        self.list.iter().any(|mention| mention.is_unclear)
    }

    /// Takes the bot's placeholder out, with one blank behind it, and puts names
    /// in for the others.
    fn replace_in(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let hit = self.list.iter().find_map(|mention| {
                let after = from.strip_prefix(mention.key.as_str())?;
                Some((mention, after))
            });
            rest = match hit {
                Some((mention, after)) if mention.is_bot => {
                    after.strip_prefix(' ').unwrap_or(after)
                }
                Some((mention, after)) if mention.name.is_empty() => {
                    out.push_str(&mention.key);
                    after
                }
                Some((mention, after)) => {
                    out.push('@');
                    out.push_str(&mention.name);
                    after
                }
                None => {
                    out.push('@');
                    from.strip_prefix('@').unwrap_or_default()
                }
            };
        }
        out.push_str(rest);
        out
    }
}

/// Rich text as Markdown. Received posts have no locale level; one is looked
/// through all the same.
fn post(parsed: &Value, mentions: &Mentions, files: &mut Vec<Attached>) -> Option<String> {
    let inner = if parsed.get("content").is_some_and(Value::is_array) {
        parsed
    } else {
        parsed
            .as_object()?
            .values()
            .find(|value| value.get("content").is_some_and(Value::is_array))?
    };
    let mut lines = Vec::new();
    if let Some(title) = inner.get("title").and_then(Value::as_str)
        && !title.is_empty()
    {
        lines.push(title.to_owned());
    }
    for paragraph in inner.get("content")?.as_array()? {
        let mut line = String::new();
        for node in paragraph.as_array().into_iter().flatten() {
            inline(node, mentions, &mut line, files);
        }
        lines.push(line);
    }
    Some(lines.join("\n"))
}

fn inline(node: &Value, mentions: &Mentions, line: &mut String, files: &mut Vec<Attached>) {
    let word = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default();
    match word("tag") {
        "a" => {
            let (text, href) = (word("text"), word("href"));
            if text.is_empty() || text == href {
                line.push_str(href);
            } else {
                let _ = write!(line, "[{text}]({href})");
            }
        }
        "at" => {
            let id = word("user_id");
            // Usually a placeholder that the list of mentions explains.
            if mentions.list.iter().any(|mention| mention.key == id) {
                line.push_str(id);
            } else {
                let name = Some(word("user_name")).filter(|name| !name.is_empty());
                let _ = write!(line, "@{}", name.unwrap_or(id.trim_start_matches('@')));
            }
        }
        "img" => match Attached::read(FileKind::Image, node, "image_key") {
            Some(file) => files.push(file),
            None => line.push_str(IMAGE),
        },
        "media" => match Attached::read(FileKind::Video, node, "file_key") {
            Some(file) => files.push(file),
            None => line.push_str(VIDEO),
        },
        "emotion" => {
            let _ = write!(line, ":{}:", word("emoji_type"));
        }
        "hr" => line.push_str("---"),
        "code_block" => {
            let code = word("text").trim_end_matches('\n');
            let fence = "`".repeat(longest_run(code, '`').max(2) + 1);
            if !line.is_empty() {
                line.push('\n');
            }
            let language = word("language").to_ascii_lowercase();
            let _ = write!(line, "{fence}{language}\n{code}\n{fence}");
        }
        _ => line.push_str(word("text")),
    }
}

/// The length of the longest run of `c`.
fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c)
        .map(str::len)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, content: &Value) -> Content {
        let list = json!([
            {"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Helper"},
            {"key": "@_user_2", "id": {"open_id": "ou_tom"}, "name": "Tom"},
        ]);
        let mentions = Mentions::read(Some(&list), &OwnId::Known("ou_bot".into()));
        Content::read(kind, &content.to_string(), &mentions)
    }

    #[test]
    fn rich_text_becomes_markdown() {
        let content = json!({"title": "Plan", "content": [
            [{"tag": "at", "user_id": "@_user_1"}, {"tag": "text", "text": " see "},
             {"tag": "a", "text": "docs", "href": "https://example.org"}, {"tag": "at", "user_id": "@_user_2"}],
            [{"tag": "code_block", "language": "RUST", "text": "let a = \"```\";\n"}],
            [{"tag": "img", "image_key": "img_1"}, {"tag": "hologram", "text": "new"}],
        ]});
        let Content::Files { files, text } = read("post", &content) else {
            panic!("no files");
        };
        let picture = Attached {
            kind: FileKind::Image,
            key: "img_1".into(),
            name: String::new(),
        };
        assert_eq!(files, [picture]);
        insta::assert_snapshot!(text, @r#"
        Plan
        see [docs](https://example.org)@Tom
        ````rust
        let a = "```";
        ````
        new
        "#);
    }

    #[test]
    fn other_kinds_keep_their_name() {
        for kind in ["image", "audio", "file", "sticker", "text", "hologram"] {
            let content = read(kind, &json!({"duration": 2000}));
            assert_eq!(content, Content::Unsupported { kind: kind.into() });
        }
    }

    #[test]
    fn files_keep_their_keys_and_names() {
        for (kind, content, key, name) in [
            ("image", json!({"image_key": "img_1"}), "img_1", ""),
            (
                "file",
                json!({"file_key": "file_1", "file_name": "a.pdf"}),
                "file_1",
                "a.pdf",
            ),
            (
                "audio",
                json!({"file_key": "file_2", "duration": 1}),
                "file_2",
                "",
            ),
            (
                "media",
                json!({"file_key": "file_3", "image_key": "img_2", "file_name": "b.mp4"}),
                "file_3",
                "b.mp4",
            ),
        ] {
            let Content::Files { files, text } = read(kind, &content) else {
                panic!("{kind} is no file");
            };
            assert_eq!((files[0].key.as_str(), files[0].name.as_str()), (key, name));
            assert_eq!(text, "");
        }
    }

    #[test]
    fn a_picture_without_words_is_a_picture() {
        let content =
            json!({"content": [[{"tag": "at", "user_id": "@_user_1"}], [{"tag": "img"}]]});
        let kind = "image".to_owned();
        assert_eq!(read("post", &content), Content::Unsupported { kind });
    }

    #[test]
    fn an_at_sign_alone_stays() {
        let text = read("text", &json!({"text": "a@b.c @_user_3 @@_user_2 @"}));
        assert_eq!(text, Content::Text("a@b.c @_user_3 @@Tom @".into()));
    }
}
