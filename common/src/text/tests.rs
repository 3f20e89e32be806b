//! Every text in both languages, an enum each. Each table names every variant once in a `match`
//! without a catch-all, so that a new variant without an example does not compile.

use super::Say;

mod files;
mod gateway;
mod router;
mod web;

/// Rows of variant and examples. Gives `rows()` and `row_of()`, exhaustive by construction.
macro_rules! table {
    ($enum:ident; $($name:ident: [$($example:expr),+ $(,)?]),+ $(,)?) => {
        fn rows() -> Vec<(&'static str, Vec<$enum>)> {
            vec![$((stringify!($name), vec![$($example),+])),+]
        }

        fn row_of(text: &$enum) -> &'static str {
            match text {
                $($enum::$name { .. } => stringify!($name)),+
            }
        }
    };
}
pub(crate) use table;

/// One line for each example, in the order of the table. Chinese must be Chinese, English must not.
fn said<T: Say>(
    rows: Vec<(&'static str, Vec<T>)>,
    row_of: impl Fn(&T) -> &'static str,
    say: impl Fn(&T) -> String,
) -> String {
    let mut lines = Vec::new();
    for (row, examples) in rows {
        for example in examples {
            assert_eq!(row_of(&example), row, "an example in the wrong row");
            assert!(
                !example.zh().is_empty() && !example.en().is_empty(),
                "{row} is silent"
            );
            let han = |text: &str| text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
            assert!(!han(&example.en()), "{row} speaks Chinese in English");
            lines.push(format!("{row}: {}", say(&example)));
        }
    }
    lines.join("\n")
}

fn s(text: &str) -> String {
    text.to_owned()
}
