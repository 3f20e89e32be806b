//! The documents say what is there: every library and command is listed, every file, test and link
//! that is named exists, and no text points into somebody's own folders.
//!
//! What the keys of the configuration are is compared where they are defined.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::command::Command;
use common::lang::Lang;

/// Everything that people read, from the root of the project.
const TEXTS: [&str; 8] = [
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/configuration.md",
    "docs/dependencies.md",
    "docs/scale.md",
    "nats/README.md",
];
/// Endings of the files that `ARCHITECTURE.md` names.
const ENDINGS: [&str; 8] = [
    ".rs", ".md", ".toml", ".yaml", ".js", ".mjs", ".py", ".example",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    let text = std::fs::read_to_string(&path);
    assert!(text.is_ok(), "{}: {text:?}", path.display());
    text.unwrap_or_default()
}

/// What stands between single backticks, outside of fenced blocks; a span may go over a line's end.
fn quoted(text: &str) -> Vec<String> {
    let mut fenced = false;
    let prose: Vec<&str> = text
        .lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fence && !fenced
        })
        .collect();
    prose
        .join("\n")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Names in the first column of all tables of a document.
fn listed(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once("` |")?.0.to_owned()))
        .collect()
}

#[test]
fn every_library_is_listed_and_no_other() {
    let manifest = read("Cargo.toml");
    let wanted: BTreeSet<String> = manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.contains("path = "))
        .filter_map(|line| Some(line.split_once(" = ")?.0.trim().to_owned()))
        .filter(|name| !name.starts_with('#'))
        .collect();
    assert!(wanted.contains("tokio"), "{wanted:?}");
    let text = read("docs/dependencies.md");
    let (libraries, _) = text.split_once("## Programs").unwrap();
    assert_eq!(listed(libraries), wanted);
}

#[test]
fn every_command_is_in_both_readmes() {
    // What is no command of ours, and stands at the end of the table.
    let (en, zh) = (
        "| `/x …` | Any other: goes to Claude Code in the active session |\n\
         | `//x …` | `/x …` for Claude Code, also where `/x` stands above |\n",
        "| `/x …` | 其他任何命令：交给当前会话里的 Claude Code |\n\
         | `//x …` | 把 `/x …` 交给 Claude Code，即使 `/x` 是上面的命令 |\n",
    );
    for (path, lang, head, more) in [
        ("README.md", Lang::En, "| command | what it does |", en),
        ("README.zh-CN.md", Lang::Zh, "| 命令 | 作用 |", zh),
    ] {
        let cell = |text: &str| text.replace('|', "\\|");
        let rows = Command::ALL.map(|command| {
            let help = cell(command.help(lang)).replace('<', "\\<");
            format!("| `{}` | {help} |\n", cell(command.usage()))
        });
        let wanted = format!("{head}\n| --- | --- |\n{}{more}", rows.concat());
        let text = read(path);
        let (before, rest) = text.split_once("<!-- commands: begin -->\n").unwrap();
        let (table, after) = rest.split_once("<!-- commands: end -->").unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let text =
                format!("{before}<!-- commands: begin -->\n{wanted}<!-- commands: end -->{after}");
            std::fs::write(root().join(path), text).unwrap();
            continue;
        }
        assert_eq!(
            table, wanted,
            "{path} is out of step; see the comment above its table"
        );
    }
}

#[test]
fn every_file_and_test_named_in_the_architecture_exists() {
    let (mut files, mut tests) = (0, 0);
    for token in quoted(&read("ARCHITECTURE.md")) {
        let (path, test) = match token.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (token.as_str(), None),
        };
        let named = path.contains('/')
            && !path.contains([' ', '<', '{', '='])
            && (path.ends_with('/') || ENDINGS.iter().any(|ending| path.ends_with(ending)));
        if !named {
            assert!(
                test.is_none(),
                "`{token}` looks like a test, without the folder of its file"
            );
            continue;
        }
        files += 1;
        assert!(root().join(path).exists(), "`{path}` is not there");
        if let Some(test) = test {
            tests += 1;
            let found = read(path).contains(&format!("fn {test}("));
            assert!(found, "`{path}` has no test `{test}`");
        }
    }
    // Should the form of the document change, this must not pass for want of anything to look at.
    assert!(files > 100 && tests > 30, "{files} files, {tests} tests");
}

#[test]
fn every_link_leads_somewhere() {
    for path in TEXTS {
        let folder = root().join(path).parent().map(PathBuf::from).unwrap();
        let text = read(path);
        for target in text.split("](").skip(1) {
            let target = target.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(
                folder.join(target).exists(),
                "{path} links to {target}, which is not there"
            );
        }
    }
}

#[test]
fn no_text_points_into_somebodys_own_folders() {
    let mut private = ["/root/", "/home/", "/Users/", "/tmp/"]
        .map(str::to_owned)
        .to_vec();
    // A folder right under `/` has a name too common to look for.
    if root().components().count() > 2 {
        private.push(format!("{}/", root().display()));
    }
    for path in TEXTS {
        let text = read(path);
        for folder in &private {
            assert!(!text.contains(folder), "{path} names {folder}");
        }
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let heading = format!("## [{}] - ", env!("CARGO_PKG_VERSION"));
    assert!(read("CHANGELOG.md").contains(&heading), "no `{heading}`");
}
