use super::*;

#[test]
fn sizes_are_short() {
    let sizes = [
        0,
        999,
        1_000,
        1_550,
        99_999,
        100_000,
        30_000_000,
        1_234_567_890,
    ];
    let sizes: Vec<String> = sizes.into_iter().map(size).collect();
    assert_eq!(
        sizes,
        [
            "0 B", "999 B", "1.0 KB", "1.5 KB", "99 KB", "100 KB", "30 MB", "1.2 GB"
        ]
    );
}

fn s(text: &str) -> String {
    text.to_owned()
}

/// Rows of variant and examples: a new variant without a row does not compile.
macro_rules! table {
    ($($name:ident: [$($example:expr),+ $(,)?]),+ $(,)?) => {
        fn rows() -> Vec<(&'static str, Vec<FilesText>)> {
            vec![$((stringify!($name), vec![$($example),+])),+]
        }

        fn row_of(text: &FilesText) -> &'static str {
            match text {
                $(FilesText::$name { .. } => stringify!($name)),+
            }
        }
    };
}

table! {
    NotFound: [FilesText::NotFound { path: s("a.rs") }],
    Outside: [FilesText::Outside { path: s("../x") }],
    Strange: [FilesText::Strange { path: s("a\u{FFFD}b") }],
    Secret: [FilesText::Secret { path: s(".ssh/id") }],
    ManyNames: [FilesText::ManyNames { path: s("a.rs") }],
    IsDir: [FilesText::IsDir { path: s("src") }],
    NotDir: [FilesText::NotDir { path: s("a.rs") }],
    NotAFile: [FilesText::NotAFile { path: s("pipe") }],
    Denied: [FilesText::Denied { path: s("a.rs") }],
    Failed: [FilesText::Failed { path: s("a.rs"), why: s("No space left on device") }],
    Binary: [FilesText::Binary { path: s("a.png"), size: s("12 KB"), kind: s("image/png") }],
    BadRange: [FilesText::BadRange { got: s("9-3") }],
    NoSuchLine: [FilesText::NoSuchLine { from: 90, have: 12 }],
    BadPattern: [FilesText::BadPattern { why: s("unclosed group") }],
    TooMuchText: [FilesText::TooMuchText { max: s("10 MB") }],
    TooLargeToSend: [FilesText::TooLargeToSend { path: s("a.zip"), size: s("31 MB"), max: s("30 MB") }],
    EmptyToSend: [FilesText::EmptyToSend { path: s("a.txt") }],
    NoRoom: [FilesText::NoRoom],
    NoBroker: [FilesText::NoBroker],
    Head: [FilesText::Head { path: s("demo"), what: s("3 entries") }],
    Entries: [FilesText::Entries { n: 1 }, FilesText::Entries { n: 3 }],
    EmptyDir: [FilesText::EmptyDir],
    EmptyFile: [FilesText::EmptyFile],
    Ignored: [FilesText::Ignored { n: 2 }],
    MoreEntries: [FilesText::MoreEntries { n: 100 }],
    Lines: [
        FilesText::Lines { from: 1, to: 9, of: Some(20) },
        FilesText::Lines { from: 1, to: 9, of: None },
    ],
    GoOn: [FilesText::GoOn { command: s("/cat a.rs 401-") }],
    CutLines: [FilesText::CutLines { n: 2, max: 1000 }],
    Encoding: [FilesText::Encoding { name: s("GBK") }, FilesText::Encoding { name: s("?") }],
    Hits: [
        FilesText::Hits { n: 1, files: 1 },
        FilesText::Hits { n: 4, files: 1 },
        FilesText::Hits { n: 4, files: 2 },
    ],
    NoHits: [FilesText::NoHits { files: 1 }, FilesText::NoHits { files: 7 }],
    MoreHits: [FilesText::MoreHits],
    SearchCut: [FilesText::SearchCut { seconds: 10 }],
    PassedOver: [
        FilesText::PassedOver { binary: 1, ignored: 2, closed: 3 },
        FilesText::PassedOver { binary: 0, ignored: 2, closed: 0 },
    ],
    Sending: [FilesText::Sending { path: s("a.zip"), size: s("12 MB") }],
    Receiving: [FilesText::Receiving { n: 1 }, FilesText::Receiving { n: 3 }],
    Received: [FilesText::Received { path: s("demo/a.pdf"), size: s("1.2 MB") }],
    GoesWithNext: [FilesText::GoesWithNext],
    GoesNow: [FilesText::GoesNow],
    NotReceived: [FilesText::NotReceived { name: s("a.pdf"), why: s("…") }],
    TooLarge: [FilesText::TooLarge { max: s("100 MB") }],
    GoneAtPlatform: [FilesText::GoneAtPlatform],
    MayNotFetch: [FilesText::MayNotFetch { detail: s("im:message") }],
    NoAnswer: [FilesText::NoAnswer],
    Damaged: [FilesText::Damaged],
    TooManyFiles: [FilesText::TooManyFiles { max: 20 }],
    Picture: [FilesText::Picture],
    WithPrompt: [FilesText::WithPrompt],
    LostWithPrompt: [FilesText::LostWithPrompt { path: s("a.pdf") }],
}

fn all(say: impl Fn(&FilesText) -> String) -> String {
    let mut lines = Vec::new();
    for (name, examples) in rows() {
        for text in examples {
            assert_eq!(row_of(&text), name);
            lines.push(format!("{name}: {}", say(&text)));
        }
    }
    lines.join("\n")
}

#[test]
fn every_text_is_there_in_both_languages() {
    let han = |text: &str| text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
    assert!(!han(&all(FilesText::en)));
    for line in all(FilesText::zh).lines().chain(all(FilesText::en).lines()) {
        assert!(!line.ends_with(": "), "{line} is silent");
    }
}
