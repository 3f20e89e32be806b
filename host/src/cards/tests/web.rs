//! Results, answers, pages.

use super::*;
use crate::cards::web::{answer, page, search};
use crate::web::{Found, Hit, Page, Scope, WebAnswer};

fn both(card: impl Fn(Lang) -> View) -> String {
    all(&[card(Lang::Zh), card(Lang::En)])
}

fn hit(n: u32) -> Hit {
    Hit {
        title: format!("Result [{n}] *of* many"),
        link: format!("https://example.org/a_(b)/{n}"),
        snippet: "Words <b>around</b>\nwhat was found".into(),
        summary: String::new(),
        date: "2026-10-01".into(),
        authors: vec!["A. One".into(), "B. Two".into()],
    }
}

#[test]
fn results() {
    let bad = Hit {
        title: "Leads nowhere".into(),
        link: "javascript:alert(1)".into(),
        ..Hit::default()
    };
    let found = Found {
        hits: vec![hit(1), bad],
        credits: Some(97),
    };
    let card = |lang| search("Home", lang, "rust async", Scope::Paper, &found);
    insta::assert_snapshot!(both(card), @r"
    # 搜索：rust async (Done)
    md| 1. [Result \[1\] \*of\* many](https://example.org/a_%28b%29/1)
       Words \<b\>around\</b\> what was found (A. One, B. Two, 2026-10-01)
    2. Leads nowhere
    -- Home · 2 条结果 · 学术论文 · 剩余额度 97

    # Search: rust async (Done)
    md| 1. [Result \[1\] \*of\* many](https://example.org/a_%28b%29/1)
       Words \<b\>around\</b\> what was found (A. One, B. Two, 2026-10-01)
    2. Leads nowhere
    -- Home · 2 results · papers · 97 credits left
    ");
    let none = Found::default();
    let card = |lang| search("Home", lang, "rust async", Scope::Webpage, &none);
    insta::assert_snapshot!(both(card), @"
    # 搜索：rust async (Plain)
    没有找到与“rust async”有关的结果。换个说法，或用 --in 换一个范围再试。
    -- Home

    # Search: rust async (Plain)
    Nothing was found for “rust async”. Try other words, or another place with --in.
    -- Home
    ");
}

#[test]
fn an_answer_with_sources() {
    let said = WebAnswer {
        text: "**Because** it is.".into(),
        sources: vec![
            hit(1),
            Hit {
                link: "https://example.org/2".into(),
                ..Hit::default()
            },
        ],
        credits: Some(95),
    };
    insta::assert_snapshot!(both(|lang| answer("Home", lang, "why is it so", &said)), @r"
    # 问答：why is it so (Done)
    md| **Because** it is.
    md| **来源**
    1. [Result \[1\] \*of\* many](https://example.org/a_%28b%29/1)
    2. [https://example.org/2](https://example.org/2)
    -- Home · 剩余额度 95

    # Answer: why is it so (Done)
    md| **Because** it is.
    md| **Sources**
    1. [Result \[1\] \*of\* many](https://example.org/a_%28b%29/1)
    2. [https://example.org/2](https://example.org/2)
    -- Home · 95 credits left
    ");
}

#[test]
fn a_page() {
    let read = Page {
        url: "https://example.org/a".into(),
        title: "The title".into(),
        text: "## Part\n\nWords.".into(),
        cut: false,
        plain: false,
        by_reader: false,
    };
    insta::assert_snapshot!(both(|lang| page("Home", lang, &read)), @"
    # The title (Done)
    https://example.org/a
    md| ## Part

    Words.
    -- Home

    # The title (Done)
    https://example.org/a
    md| ## Part

    Words.
    -- Home
    ");
    let long = Page {
        title: String::new(),
        text: "界".repeat(20_000),
        by_reader: true,
        ..read
    };
    let card = page("Home", Lang::En, &long);
    let [_, Block::Markdown { text }, Block::Plain { text: note }] = card.blocks.as_slice() else {
        panic!("{:?}", card.blocks);
    };
    assert_eq!(text.len(), 30_000);
    insta::assert_snapshot!(note, @"(This is long; only its first 30 KB are shown.)");
    assert_eq!(card.title, "https://example.org/a");
    assert_eq!(
        card.footer.as_deref(),
        Some("Home · read by Metaso's reader")
    );
}

#[test]
fn a_page_that_is_no_markdown_is_shown_as_it_is() {
    let read = Page {
        url: "https://example.org/a.py".into(),
        text: "# no heading\nx = a * b * c\n".into(),
        plain: true,
        ..Page::default()
    };
    insta::assert_snapshot!(both(|lang| page("Home", lang, &read)), @"
    # https://example.org/a.py (Done)
    https://example.org/a.py
    | # no heading
    x = a * b * c

    -- Home

    # https://example.org/a.py (Done)
    https://example.org/a.py
    | # no heading
    x = a * b * c

    -- Home
    ");
}
