//! Fills pages with a view: cuts long texts, keeps within bytes and elements.
//!
//! Greedy and in order, so that a text that grows changes only its last page. How
//! a page looks is `render`'s.

use common::lang::Lang;
use common::message::view::{Block, Step, StepState, View};
use common::text::Say as _;
use common::text::gateway::GatewayText;
use serde_json::Value;

use super::markup::markdown_cost;
use super::{Page, Piece, element};
use crate::feishu::limits::{CARD_BYTES, CARD_ELEMENTS, nested_json_cost, wire_len};
use crate::feishu::split::{Measure, split};

/// Bytes of a card kept free for what is only known at the end: the part's
/// number, and fences around tables too many.
const SLACK: usize = 1500;
/// Elements kept free for the same.
const SLACK_ELEMENTS: usize = 6;
/// A block is begun on a page only if it has this much room there, or fits whole.
const WORTHWHILE: usize = 4000;
/// Bytes of an element around its text.
const AROUND: usize = 200;
/// Longest step and longest small print, in characters.
const STEP: usize = 200;

/// Cuts a view into pages, at least one. Pages but the last change only where the
/// view's beginning changes (and in the number of parts that each names).
pub fn pages(view: &View, lang: Lang) -> Vec<Page> {
    let mut packer = Packer::new(view);
    for block in &view.blocks {
        match block {
            Block::Markdown { text } => packer.long(text, &Kind::Markdown),
            Block::Plain { text } => packer.long(text, &Kind::Plain),
            Block::Code { lang, text } => packer.long(text, &Kind::Code(lang)),
            Block::Steps { steps, folded } => {
                let kind = if *folded {
                    let title = GatewayText::Steps { count: steps.len() };
                    Kind::Folded(title.say(lang))
                } else {
                    Kind::Plain
                };
                let lines: Vec<String> = steps.iter().map(step).collect();
                packer.long(&lines.join("\n"), &kind);
            }
            Block::Fields { rows } => {
                let lines = rows.iter().map(|(name, value)| format!("{name}: {value}"));
                let lines: Vec<String> = lines.collect();
                packer.long(&lines.join("\n"), &Kind::Plain);
            }
        }
    }
    for row in view.buttons.chunks(element::ROW) {
        packer.add(Piece::Buttons(row.to_vec()));
    }
    if let Some(footer) = view
        .footer
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    {
        packer.add(Piece::Small(element::short(footer, STEP)));
    }
    packer.finish(lang)
}

fn step(step: &Step) -> String {
    let mark = match step.state {
        StepState::Running => "…",
        StepState::Done => "✓",
        StepState::Failed => "✗",
        StepState::Said => "·",
    };
    format!("{mark} {}", element::short(&step.text, STEP))
}

/// A block's nature while it is cut.
enum Kind<'a> {
    Markdown,
    Plain,
    Code(&'a str),
    Folded(String),
}

impl Kind<'_> {
    fn measure(&self) -> Measure {
        match self {
            Self::Markdown => Measure {
                cost: markdown_cost,
                fences: true,
            },
            Self::Plain | Self::Code(_) | Self::Folded(_) => Measure {
                cost: nested_json_cost,
                fences: false,
            },
        }
    }

    fn piece(&self, text: String) -> Piece {
        match self {
            Self::Markdown => Piece::Markdown(text),
            Self::Plain => Piece::Plain(text),
            Self::Code(lang) => Piece::Code {
                lang: (*lang).to_owned(),
                text,
            },
            Self::Folded(title) => Piece::Folded {
                title: title.clone(),
                text,
            },
        }
    }

    /// Bytes around the text: the element, and fences that may have to outgrow
    /// those inside (at most a quarter of the page; longer runs fall back).
    fn around(&self, text: &str) -> usize {
        match self {
            Self::Markdown | Self::Plain => AROUND,
            Self::Folded(title) => AROUND * 2 + title.len(),
            Self::Code(_) => {
                let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                AROUND + 2 * longest.min(CARD_BYTES / 8)
            }
        }
    }
}

/// Fills pages in order.
struct Packer<'a> {
    view: &'a View,
    summary: String,
    /// Bytes and elements of a page without pieces.
    base: (usize, usize),
    pages: Vec<Vec<Piece>>,
    bytes: usize,
    elements: usize,
}

impl<'a> Packer<'a> {
    fn new(view: &'a View) -> Self {
        let summary = if view.title.trim().is_empty() {
            first_words(view)
        } else {
            view.title.clone()
        };
        let empty = element::card(&view.title, view.tone, &summary, &[]);
        let base = (wire(&empty), element::count(&empty));
        Self {
            view,
            summary,
            base,
            pages: vec![Vec::new()],
            bytes: base.0,
            elements: base.1,
        }
    }

    fn room(&self) -> usize {
        (CARD_BYTES - SLACK).saturating_sub(self.bytes)
    }

    /// Adds a text of any length.
    fn long(&mut self, text: &str, kind: &Kind<'_>) {
        if text.trim().is_empty() {
            return;
        }
        let measure = kind.measure();
        let around = kind.around(text);
        let whole: usize = text.chars().map(measure.cost).sum();
        let page = (CARD_BYTES - SLACK).saturating_sub(self.base.0 + around);
        let room = self.room().saturating_sub(around);
        let first = if room >= whole || room >= WORTHWHILE {
            room
        } else {
            page
        };
        for piece in split(text, first, page, measure) {
            self.add(kind.piece(piece.whole()));
        }
    }

    /// Adds a piece that fits on a page, on a new one if need be.
    fn add(&mut self, piece: Piece) {
        let mut tables = usize::MAX;
        let element = piece.element(false, &mut tables);
        let bytes = wire(&element) + 1;
        let elements = element::count(&element);
        let full = bytes > self.room() || self.elements + elements > CARD_ELEMENTS - SLACK_ELEMENTS;
        if full && self.pages.last().is_some_and(|page| !page.is_empty()) {
            self.pages.push(Vec::new());
            (self.bytes, self.elements) = self.base;
        }
        self.bytes += bytes;
        self.elements += elements;
        if let Some(page) = self.pages.last_mut() {
            page.push(piece);
        }
    }

    fn finish(self, lang: Lang) -> Vec<Page> {
        let of = self.pages.len();
        let page = |(index, mut pieces): (usize, Vec<Piece>)| {
            if of > 1 {
                let text = GatewayText::Part { n: index + 1, of };
                pieces.push(Piece::Small(text.say(lang)));
            } else if pieces.is_empty() {
                // A card with nothing in its body is refused.
                pieces.push(Piece::Plain("…".to_owned()));
            }
            Page {
                title: self.view.title.clone(),
                tone: self.view.tone,
                summary: self.summary.clone(),
                pieces,
            }
        };
        self.pages.into_iter().enumerate().map(page).collect()
    }
}

/// What the chat list shows of a view without a title.
fn first_words(view: &View) -> String {
    let text = view.blocks.iter().find_map(|block| match block {
        Block::Markdown { text } | Block::Plain { text } | Block::Code { text, .. } => {
            Some(text.as_str())
        }
        Block::Steps { .. } | Block::Fields { .. } => None,
    });
    text.unwrap_or_default().to_owned()
}

/// What a part of a card costs on the wire.
fn wire(value: &Value) -> usize {
    wire_len(&value.to_string())
}

#[cfg(test)]
mod tests;
