//! The guard against two lists: what must never run, and what must run unasked. And against whatever
//! comes to a generator's mind.

mod asked;
mod harmless;
mod machine;
mod never;
mod stranger;
mod through;

use std::path::PathBuf;

use proptest::prelude::*;

use super::{Judgement, Place, judge};

/// In a project of the working directory.
fn project() -> Place {
    Place {
        root: PathBuf::from("/home/user/projects"),
        dir: PathBuf::from("/home/user/projects/demo"),
        home: Some(PathBuf::from("/home/user")),
        temp: PathBuf::from("/home/user/.local/share/phonework/temp/1"),
        others: vec![PathBuf::from("/home/user/projects/theirs")],
    }
}

/// In the working directory itself.
fn top() -> Place {
    Place {
        dir: PathBuf::from("/home/user/projects"),
        ..project()
    }
}

fn lines(list: &'static str) -> impl Iterator<Item = String> {
    list.split("\n%%\n")
        .map(|one| one.trim_matches('\n').to_owned())
        .flat_map(|one| {
            // Lists have a command a line; what has several lines stands between marks.
            if let Some(rest) = one.strip_prefix("|||\n") {
                vec![rest.to_owned()]
            } else {
                one.lines()
                    .filter(|line| !line.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
        })
}

#[test]
fn nothing_destructive_is_let_through() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let lists = [
        never::REFUSED,
        machine::REFUSED,
        through::REFUSED,
        stranger::REFUSED,
    ];
    for command in lists.into_iter().flat_map(lines) {
        count += 1;
        let judged = judge(&command, &project());
        if !matches!(judged, Judgement::Refuse { .. }) {
            wrong.push(format!("{command:?}: {judged:?}"));
        }
    }
    for command in lines(never::REFUSED_AT_THE_TOP) {
        count += 1;
        let judged = judge(&command, &top());
        if !matches!(judged, Judgement::Refuse { .. }) {
            wrong.push(format!("at the top: {command:?}: {judged:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} let through:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 500, "{count}");
}

#[test]
fn what_cannot_be_decided_is_asked() {
    let mut wrong = Vec::new();
    for command in lines(asked::ASKED) {
        let judged = judge(&command, &project());
        if !matches!(judged, Judgement::Ask { .. }) {
            wrong.push(format!("{command:?}: {judged:?}"));
        }
    }
    for command in lines(through::NEVER_UNASKED).chain(lines(stranger::NEVER_UNASKED)) {
        let judged = judge(&command, &project());
        if judged == Judgement::Run {
            wrong.push(format!("{command:?}: {judged:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} not asked:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_everyday_runs_unasked() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for place in [project(), top()] {
        for command in lines(harmless::RUN)
            .chain(lines(through::RUN))
            .chain(lines(stranger::RUN))
        {
            count += 1;
            let judged = judge(&command, &place);
            if judged != Judgement::Run {
                wrong.push(format!(
                    "in {}: {command:?}: {judged:?}",
                    place.dir.display()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} stopped:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 2 * 400, "{count}");
}

fn core() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "rm -rf /",
        "rm -fr ~",
        "rm -r -f $HOME",
        "rm -rf /etc",
        "rm -rf ../../..",
        "mkfs.ext4 /dev/sda1",
        "dd if=/dev/zero of=/dev/sda",
        "shutdown now",
        "find / -delete",
        "chmod -R 777 /",
        "kill -9 -1",
        "mv / x",
        "sudo rm x",
        "wipefs -a /dev/sda",
        "rm -rf '/usr'",
        "r\\m -rf \"/\"",
        "crontab -r",
    ])
    .prop_map(str::to_owned)
}

fn wrapped() -> impl Strategy<Value = String> {
    core().prop_recursive(4, 16, 1, |inner| {
        (inner, 0..22_usize).prop_map(|(inner, how)| {
            let quoted = format!("'{}'", inner.replace('\'', "'\\''"));
            match how {
                0 => format!("env A=b nice -n 5 sh -c {quoted}"),
                1 => format!("bash -c {quoted}"),
                2 => format!("eval {quoted}"),
                3 => format!("true && {inner}"),
                4 => format!("false || {inner}"),
                5 => format!("( {inner} )"),
                6 => format!("{{ {inner}; }}"),
                7 => format!("echo $( {inner} )"),
                8 => format!("if true; then {inner}; fi"),
                9 => format!("for i in 1 2; do {inner}; done"),
                10 => format!("f() {{ {inner}; }}; f"),
                11 => format!("x={quoted}; eval \"$x\""),
                12 => format!("echo {quoted} | sh"),
                13 => format!("sh <<< {quoted}"),
                14 => format!("timeout 5 bash -c {quoted} > out.log 2>&1 &"),
                15 => format!("trap {quoted} EXIT"),
                16 => format!("ls | xargs -I@ sh -c {quoted}"),
                17 => format!("find . -name x -exec sh -c {quoted} \\;"),
                18 => format!("case x in *) {inner};; esac"),
                19 => format!("while read -r l; do {inner}; done < list"),
                20 => format!("printf '%s' {quoted} > s.sh; bash s.sh"),
                _ => format!("cat <<'MARK' | bash\n{inner}\nMARK\n"),
            }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_destructive_core_never_runs_however_wrapped(command in wrapped()) {
        for place in [project(), top()] {
            let judged = judge(&command, &place);
            prop_assert!(judged != Judgement::Run, "{command:?}");
        }
    }

    #[test]
    fn nothing_makes_it_fail(command in "\\PC{0,60}") {
        judge(&command, &project());
    }

    #[test]
    fn nor_does_what_looks_like_a_shell(
        command in "(\\$|\\{|\\}|\\(|\\)|<|>|<<|EOF|\n|\\||&|;|\"|'|`|\\\\|rm|-rf|/|~|\\*|\\[|\\]|if|fi|do|done|for|in|x=| |!|#|:|é){0,40}",
    ) {
        judge(&command, &project());
    }
}

#[test]
fn other_letters_are_letters() {
    for c in ['é', '中', '\u{3000}', '\u{1F600}', '\u{EFFFF}'] {
        for command in [
            "echo {@",
            "echo {1..@}",
            "echo {1@",
            "echo @ a@b \"@\" '@' # @",
            "cat <<@\nx\n@",
        ] {
            judge(&command.replace('@', &c.to_string()), &project());
        }
        let run = format!("rm -rf {c}build; echo {c} {{{c},a}}; mkdir -p {c}/{c}");
        assert_eq!(judge(&run, &project()), Judgement::Run, "{run}");
        let bad = format!("echo {c}; rm -rf {c}/../../..");
        assert!(
            matches!(judge(&bad, &project()), Judgement::Refuse { .. }),
            "{bad}"
        );
    }
}

#[test]
fn what_misleads_the_eye_is_asked() {
    for command in [
        "rm\u{200B} -rf x",
        "rm\u{A0}-rf x",
        "\u{433}m -rf x",
        "rm -rf \u{FF0F}",
        "rm -rf a\u{2044}b",
        "echo \u{202E}x fr- mr",
    ] {
        let judged = judge(command, &project());
        assert!(
            matches!(judged, Judgement::Ask { .. }),
            "{command:?}: {judged:?}"
        );
    }
}

#[test]
fn depth_is_no_way_around() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("{ ", ";}"),
        ("`", "`"),
        ("if ", ""),
        ("${x:-", "}"),
    ] {
        let command = format!("{}rm -rf /{}", open.repeat(3000), close.repeat(3000));
        assert_ne!(judge(&command, &project()), Judgement::Run, "{open}");
    }
    let long = format!("echo {}; rm -rf /", "x ".repeat(40_000));
    assert_ne!(judge(&long, &project()), Judgement::Run);
}
