//! Turns our cards into the platform's, and into simpler forms where it refuses them.
//!
//! A view of any length becomes pages that each fit into one message. A page can
//! be shown as a card, as a card of plain text only, as a post, and as text.
//! Sending, editing and choosing the form is the caller's.

mod element;
mod markup;
mod pack;

use common::message::view::{Button, Tone};
use serde_json::{Value, json};

use self::markup::{ALL_TABLES, fenced, platform_markdown};
use super::api::Message;

pub use self::pack::pages;

/// Longest title of a post, in characters.
const TITLE: usize = 200;

/// A form in which a page can be shown, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A card with everything.
    Card,
    /// A card with its buttons but nothing that needs interpreting.
    PlainCard,
    /// Rich text without buttons.
    Post,
    /// Text only.
    Text,
}

impl Form {
    /// The next simpler form, to be tried when the platform refuses this one.
    pub fn simpler(self) -> Option<Self> {
        match self {
            Self::Card => Some(Self::PlainCard),
            Self::PlainCard => Some(Self::Post),
            Self::Post => Some(Self::Text),
            Self::Text => None,
        }
    }
}

/// What fits into one message of the platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    title: String,
    tone: Tone,
    summary: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Markdown(String),
    Plain(String),
    Code { lang: String, text: String },
    Folded { title: String, text: String },
    Buttons(Vec<Button>),
    Small(String),
}

impl Page {
    /// The page in this form, within the platform's limits.
    pub fn message(&self, form: Form) -> Message {
        match form {
            Form::Card => Message::Card(self.card(false)),
            Form::PlainCard => Message::Card(self.card(true)),
            Form::Post => Message::Post(self.post()),
            Form::Text => Message::Text(self.text()),
        }
    }

    fn card(&self, plain: bool) -> Value {
        let mut tables = ALL_TABLES;
        let elements: Vec<Value> = self
            .pieces
            .iter()
            .map(|piece| piece.element(plain, &mut tables))
            .collect();
        element::card(&self.title, self.tone, &self.summary, &elements)
    }

    fn post(&self) -> Value {
        let mut tables = ALL_TABLES;
        let mut paragraphs = Vec::new();
        for piece in &self.pieces {
            let node = match piece {
                Piece::Markdown(_) | Piece::Code { .. } => {
                    json!({"tag": "md", "text": piece.markdown(&mut tables)})
                }
                Piece::Plain(text) | Piece::Folded { text, .. } | Piece::Small(text) => {
                    json!({"tag": "text", "text": text})
                }
                // Cannot be pressed here.
                Piece::Buttons(_) => continue,
            };
            paragraphs.push(vec![node]);
        }
        let title = element::short(&self.title, TITLE);
        json!({"zh_cn": {"title": title, "content": paragraphs}})
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        if !self.title.is_empty() {
            lines.push(self.title.clone());
        }
        for piece in &self.pieces {
            match piece {
                Piece::Markdown(text)
                | Piece::Plain(text)
                | Piece::Code { text, .. }
                | Piece::Folded { text, .. }
                | Piece::Small(text) => lines.push(text.clone()),
                Piece::Buttons(_) => {}
            }
        }
        lines.join("\n")
    }
}

impl Piece {
    fn element(&self, plain: bool, tables: &mut usize) -> Value {
        match self {
            Self::Markdown(text) | Self::Code { text, .. } if plain => element::plain(text),
            Self::Markdown(_) | Self::Code { .. } => element::markdown(&self.markdown(tables)),
            Self::Plain(text) => element::plain(text),
            Self::Folded { text, .. } if plain => element::plain(text),
            Self::Folded { title, text } => element::folded(title, text),
            Self::Buttons(buttons) => element::row(buttons),
            Self::Small(text) if plain => element::plain(text),
            Self::Small(text) => element::small(text),
        }
    }

    fn markdown(&self, tables: &mut usize) -> String {
        match self {
            Self::Markdown(text) => platform_markdown(text, tables),
            Self::Code { lang, text } => {
                let mut out = String::new();
                fenced(lang, text, &mut out);
                out
            }
            Self::Plain(text) | Self::Folded { text, .. } | Self::Small(text) => text.clone(),
            Self::Buttons(_) => String::new(),
        }
    }
}
