//! Names and paths as people type them: which are none at all, which nobody may open, and how they
//! are shown. Pure; what is really there is for those who walk.

use std::path::{Component, Path};

/// Folders and files that hold keys and passwords of other programs, wherever they are.
const SECRET_NAMES: [&str; 12] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".azure",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".credentials.json",
    ".claude.json",
    "keyring.yaml",
    "host_config.yaml",
];
/// The same, by how they end.
const SECRET_ENDS: [&str; 2] = [".creds", ".nk"];

/// The parts of a path: names and `..`.
pub(in crate::files) fn parts(path: &Path) -> Option<Vec<Option<String>>> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(Some(name.to_str()?.to_owned())),
            Component::ParentDir => parts.push(None),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

/// Whether a character is there to look like another one, or to turn the order of what is read.
pub(in crate::files) fn is_deceiving(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            // Letters without a shape, and marks for machines.
            | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{E0000}'..='\u{E007F}'
            // Slashes that are none.
            | '\u{2044}' | '\u{2215}' | '\u{2571}' | '\u{29F5}' | '\u{29F8}' | '\u{FE68}'
            | '\u{FF0F}' | '\u{FF3C}')
}

/// A name of nothing but dots of some kind, which is neither `.` nor `..`.
pub(in crate::files) fn is_dots(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| {
            matches!(
                c,
                '.' | '\u{2024}'
                    | '\u{2025}'
                    | '\u{2026}'
                    | '\u{22EF}'
                    | '\u{3002}'
                    | '\u{FE52}'
                    | '\u{FF0E}'
                    | '\u{FF61}'
            )
        })
        && !matches!(name, "." | "..")
}

/// Whether a path means somebody's home, as a shell would read it: `~`, `~/x`, `~anna/x`.
pub(in crate::files) fn is_home(typed: &str) -> bool {
    typed.strip_prefix('~').is_some_and(|rest| {
        let whose = rest.split('/').next().unwrap_or_default();
        let mut signs = whose.chars();
        signs
            .next()
            .is_none_or(|c| c.is_ascii_alphabetic() || c == '_')
            && signs.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    })
}

pub(in crate::files) fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// A typed path as it may be shown: short, and nothing in it that deceives.
pub(in crate::files) fn shown(typed: &str) -> String {
    let mut text: String = clean(typed).take(200).collect();
    if typed.chars().count() > 200 {
        text.push('…');
    }
    text
}

/// A text with what deceives made visible.
pub(in crate::files) fn clean(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .map(|c| if is_deceiving(c) { '\u{FFFD}' } else { c })
}

pub(in crate::files) fn join(dir: &str, name: &str) -> String {
    if dir == "." {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

pub(in crate::files) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path as it is from a directory; both from the working directory. `.` for that directory itself.
pub(crate) fn from_dir(dir: &str, path: &str) -> String {
    let names = |path| str::split(path, '/').filter(|name| *name != ".");
    let (dir, path): (Vec<&str>, Vec<&str>) = (names(dir).collect(), names(path).collect());
    let same = dir.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", dir.len() - same);
    let way: Vec<&str> = up.chain(path.into_iter().skip(same)).collect();
    if way.is_empty() {
        return ".".to_owned();
    }
    way.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_where_one_is() {
        for (dir, path, way) in [
            (".", "a/b", "a/b"),
            ("demo", "demo/a", "a"),
            ("demo", "demo", "."),
            ("demo/x", "demo/y/z", "../y/z"),
            ("demo", "inbox/feishu-ou_a/n", "../inbox/feishu-ou_a/n"),
            ("demo", "demonstration", "../demonstration"),
            ("demo", ".", ".."),
        ] {
            assert_eq!(from_dir(dir, path), way, "{dir} {path}");
        }
    }

    #[test]
    fn homes_are_told_from_names_that_begin_like_one() {
        for home in ["~", "~/x", "~root", "~root/.ssh/id", "~anna_b-c/x"] {
            assert!(is_home(home), "{home}");
        }
        for name in ["~$report.docx", "~backup.txt", "./~root", "a~b", "", "~1"] {
            assert!(!is_home(name), "{name}");
        }
    }
}
