//! Plain texts without the tags that the platform obeys in them: `<at user_id="all">` rings everybody in a chat,
//! whoever wrote it, and none of what we send in a plain text is meant to. Pure.

/// What the platform reads in plain texts, in small letters.
const OBEYED: [&str; 6] = ["at", "b", "i", "u", "s", "a"];

/// The text with each of these tags spelt so that it is shown and does nothing.
pub(super) fn without(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, behind) = rest.split_at(at);
        shown.push_str(before);
        let behind = behind.strip_prefix('<').unwrap_or(behind);
        shown.push(if is_obeyed(behind) { '＜' } else { '<' });
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Whether such a tag stands behind this `<`.
fn is_obeyed(behind: &str) -> bool {
    let name = behind.strip_prefix('/').unwrap_or(behind);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric());
    let (name, next) = name.split_at(end.unwrap_or(name.len()));
    let closes =
        next.is_empty() || next.starts_with(|c: char| c.is_whitespace() || ">/=".contains(c));
    closes && OBEYED.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_rung_by_what_somebody_wrote() {
        for (text, shown) in [
            (
                r#"⏰ <at user_id="all">all</at>"#,
                r#"⏰ ＜at user_id="all">all＜/at>"#,
            ),
            ("<AT user_id='ou_1'></At >", "＜AT user_id='ou_1'>＜/At >"),
            ("<b>x</b><<at>", "＜b>x＜/b><＜at>"),
            (
                "a < b > c, x<y and Vec<String>, 1<<2",
                "a < b > c, x<y and Vec<String>, 1<<2",
            ),
            ("<", "<"),
            ("<at", "＜at"),
            ("", ""),
        ] {
            assert_eq!(without(text), shown);
        }
    }
}
