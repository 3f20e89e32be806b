//! What the bytes of a file are: text in which encoding, or something else, and what.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// Of a file this many bytes from its beginning decide.
pub(super) const HEAD: usize = 1024 * 1024;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// UTF-8; with `bom` its first three bytes are no text.
    Utf8 { bom: bool },
    /// GB18030, and so GBK and GB2312.
    Gb18030,
    /// UTF-16, told by its first two bytes.
    Utf16 { big: bool },
    /// Text of an encoding that we do not know: what is not ASCII is shown as `�`.
    Unknown,
    /// No text; the kind by its first bytes.
    Binary(&'static str),
}

impl Sort {
    /// By the beginning of a file; `whole` if that is all of it.
    pub(super) fn of(head: &[u8], whole: bool) -> Self {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => return Self::Utf8 { bom: true },
            [0xFF, 0xFE, ..] => return Self::Utf16 { big: false },
            [0xFE, 0xFF, ..] => return Self::Utf16 { big: true },
            _ => {}
        }
        let known = infer::get(head).filter(|kind| kind.matcher_type() != infer::MatcherType::Text);
        let kind = known.map_or("application/octet-stream", |kind| kind.mime_type());
        if head.contains(&0) {
            return Self::Binary(kind);
        }
        let controls = head
            .iter()
            .filter(|byte| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B))
            .count();
        let many = controls * 20 > head.len();
        // Some marks are two letters, which a text may begin with too; some kinds are text in part.
        let written = matches!(kind, "application/pdf" | "application/postscript");
        if is_utf8(head, whole) && !written && (known.is_none() || !many) {
            Self::Utf8 { bom: false }
        } else if known.is_some() || many {
            Self::Binary(kind)
        } else if is_gb18030(head, whole) {
            Self::Gb18030
        } else {
            Self::Unknown
        }
    }

    /// As it is told; empty for plain UTF-8.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utf8 { bom: false } => "",
            Self::Utf8 { bom: true } => "UTF-8 (BOM)",
            Self::Gb18030 => "GBK",
            Self::Utf16 { big: false } => "UTF-16LE",
            Self::Utf16 { big: true } => "UTF-16BE",
            Self::Unknown => "?",
            Self::Binary(kind) => kind,
        }
    }

    /// Bytes of it as text. For UTF-16 these are all of it; for the others whole lines are enough.
    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        let by = |encoding: &'static Encoding| encoding.decode_without_bom_handling(bytes).0;
        match self {
            Self::Utf8 { .. } | Self::Unknown | Self::Binary(_) => by(UTF_8),
            Self::Gb18030 => by(GB18030),
            Self::Utf16 { big: false } => by(UTF_16LE),
            Self::Utf16 { big: true } => by(UTF_16BE),
        }
    }

    /// A text as its bytes; `begins` if they are the first of a file, which may need a mark.
    pub(super) fn encode(self, text: &str, begins: bool) -> Cow<'_, [u8]> {
        let utf16 = |bytes: fn(u16) -> [u8; 2]| {
            let mark = begins.then_some(0xFEFF);
            let units = mark.into_iter().chain(text.encode_utf16());
            units.flat_map(bytes).collect::<Vec<u8>>().into()
        };
        match self {
            Self::Utf8 { bom: true } if begins => format!("\u{FEFF}{text}").into_bytes().into(),
            Self::Utf8 { .. } | Self::Unknown | Self::Binary(_) => text.as_bytes().into(),
            Self::Gb18030 => GB18030.encode(text).0,
            Self::Utf16 { big: false } => utf16(u16::to_le_bytes),
            Self::Utf16 { big: true } => utf16(u16::to_be_bytes),
        }
    }

    /// How many bytes at the beginning are no text.
    pub(super) fn mark(self) -> usize {
        match self {
            Self::Utf8 { bom: true } => 3,
            Self::Utf16 { .. } => 2,
            Self::Utf8 { bom: false } | Self::Gb18030 | Self::Unknown | Self::Binary(_) => 0,
        }
    }
}

/// Whether it is UTF-8; a character may be cut off at the end of what is not the whole.
fn is_utf8(bytes: &[u8], whole: bool) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(why) => !whole && why.error_len().is_none(),
    }
}

fn is_gb18030(bytes: &[u8], whole: bool) -> bool {
    let most = if whole { 0 } else { 3.min(bytes.len()) };
    (0..=most).any(|cut| {
        let (part, _) = bytes.split_at(bytes.len() - cut);
        GB18030
            .decode_without_bom_handling_and_without_replacement(part)
            .is_some()
    })
}

/// The type of a picture that a model takes, by its first bytes.
pub(crate) fn picture(head: &[u8]) -> Option<&'static str> {
    let kind = infer::get(head)?.mime_type();
    ["image/png", "image/jpeg", "image/gif", "image/webp"]
        .into_iter()
        .find(|known| *known == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        let gbk = GB18030.encode("你好，世界\n第二行").0.into_owned();
        let utf16: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("你好\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for (bytes, sort) in [
            (&b"plain"[..], Sort::Utf8 { bom: false }),
            ("你好".as_bytes(), Sort::Utf8 { bom: false }),
            ("\u{FEFF}你好".as_bytes(), Sort::Utf8 { bom: true }),
            (&gbk, Sort::Gb18030),
            (&utf16, Sort::Utf16 { big: false }),
            (b"caf\xE9 \xFF\xFF", Sort::Unknown),
            (b"\x89PNG\r\n\x1a\n....", Sort::Binary("image/png")),
            (b"a\0b", Sort::Binary("application/octet-stream")),
            (b"#!/bin/sh\necho", Sort::Utf8 { bom: false }),
            (b"", Sort::Utf8 { bom: false }),
            // Texts that begin with the marks of other things.
            (b"BMW, Audi\n", Sort::Utf8 { bom: false }),
            (b"MZ is a mark\n", Sort::Utf8 { bom: false }),
            (b"ID3 tags\n", Sort::Utf8 { bom: false }),
            (b"BM\x01\x02\x03\x04", Sort::Binary("image/bmp")),
            (b"%PDF-1.4\n1 0 obj\n", Sort::Binary("application/pdf")),
        ] {
            assert_eq!(Sort::of(bytes, true), sort, "{bytes:?}");
        }
        assert_eq!(Sort::Gb18030.decode(&gbk), "你好，世界\n第二行");
        let text = Sort::Utf16 { big: false };
        assert_eq!(text.decode(&utf16[text.mark()..]), "你好\n");
        for (sort, text) in [
            (Sort::Gb18030, "第一行"),
            (Sort::Utf16 { big: true }, "第一行"),
            (Sort::Utf16 { big: false }, "a𝄞"),
            (Sort::Utf8 { bom: true }, "a"),
        ] {
            let bytes = sort.encode(text, true);
            assert_eq!(sort.decode(&bytes[sort.mark()..]), text);
            assert_eq!(sort.decode(&sort.encode(text, false)), text);
        }
        // Cut within a character.
        assert_eq!(
            Sort::of(&"你好".as_bytes()[..4], false),
            Sort::Utf8 { bom: false }
        );
        assert_eq!(Sort::of(&gbk[..gbk.len() - 1], false), Sort::Gb18030);
    }
}
