//! Secrets that a line could hold though they are none of ours: what people type into commands and addresses. Found by
//! how they are written, so that one that looks like an ordinary word stays. Pure.

use std::ops::Range;

/// What stands where a secret stood.
pub(super) const MASK: &str = "•••";
/// A value shorter than this is none: `token=x`, `-p 80`.
const SHORTEST: usize = 3;

/// Endings of names whose value is a secret, in small letters and without `_` and `-`.
const NAMES: [&str; 18] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "credential",
    "credentials",
    "signature",
    "sig",
    "密码",
    "口令",
    "密钥",
];

/// How keys of well-known makers begin, and how long the rest is at least.
const BEGINNINGS: [(&str, usize); 12] = [
    ("sk-", 12),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 12),
    ("xoxb-", 12),
    ("xoxp-", 12),
    ("AKIA", 16),
    ("AIza", 30),
    ("npm_", 20),
    ("eyJ", 30),
];

/// `text` with a mask in place of each secret.
pub(super) fn masked(text: &str) -> String {
    let mut found = Vec::new();
    keys(text, &mut found);
    addresses(text, &mut found);
    named(text, &mut found);
    headers(text, &mut found);
    logins(text, &mut found);
    known(text, &mut found);
    found.sort_by_key(|range| range.start);
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for range in found {
        if range.end <= at {
            continue;
        }
        if range.start >= at {
            shown.push_str(text.get(at..range.start).unwrap_or_default());
            shown.push_str(MASK);
        }
        at = range.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// Where a value ends that begins at `from`: at its closing quote, or where a word does.
fn value(text: &str, from: usize) -> Range<usize> {
    let rest = text.get(from..).unwrap_or_default();
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = from + 1;
        let end = text.get(inner..).and_then(|rest| rest.find(quote));
        return inner..end.map_or(text.len(), |end| inner + end);
    }
    let ends = |c: char| c.is_whitespace() || "\"'&;,|)}`，。；、）".contains(c);
    let end = rest.find(ends);
    from..end.map_or(text.len(), |end| from + end)
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let value = text.get(range.clone()).unwrap_or_default();
    // A variable names a secret and is none.
    let variable = value.starts_with('$') || value.starts_with("%(") || value == MASK;
    if value.chars().count() >= SHORTEST && !variable {
        found.push(range);
    }
}

/// A private key, whole.
fn keys(text: &str, found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("-----BEGIN ")) {
        let begin = from + at;
        let rest = text.get(begin..).unwrap_or_default();
        let head = rest.lines().next().unwrap_or_default();
        let end = rest.find("-----END ").map_or(text.len(), |end| begin + end);
        if head.contains("PRIVATE KEY") {
            found.push(begin..end);
        }
        from = end.max(begin + 1);
        while !text.is_char_boundary(from) {
            from += 1;
        }
    }
}

/// The password of `scheme://user:password@host`.
fn addresses(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let from = at + 3;
        let whole = value(text, from);
        let whole = text.get(whole).unwrap_or_default();
        let place = whole.split(['/', '?', '#']).next().unwrap_or_default();
        let Some(behind) = place.rfind('@') else {
            continue;
        };
        let login = place.get(..behind).unwrap_or_default();
        match login.split_once(':') {
            Some((user, password)) if !password.is_empty() => {
                let begin = from + user.len() + 1;
                push(text, begin..from + behind, found);
            }
            // A token alone.
            None if login.len() >= 16 => push(text, from..from + behind, found),
            Some(_) | None => {}
        }
    }
}

/// `password=…`, `--token …`, `"api_key": "…"`.
fn named(text: &str, found: &mut Vec<Range<usize>>) {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut words = text.char_indices().peekable();
    while let Some((begin, first)) = words.next() {
        if !part(first) {
            continue;
        }
        let mut end = begin + first.len_utf8();
        while let Some((at, c)) = words.next_if(|(_, c)| part(*c)) {
            end = at + c.len_utf8();
        }
        let name = text.get(begin..end).unwrap_or_default();
        if !is_secret(name) {
            continue;
        }
        let rest = text.get(end..).unwrap_or_default();
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        let spaced = rest.trim_start_matches(' ');
        let marked = spaced.strip_prefix(['=', ':', '：']);
        let behind = match marked {
            Some(behind) => behind.trim_start_matches(' '),
            // "--password hunter2", and not "the password is".
            None if name.starts_with("--") && rest.starts_with(' ') => spaced,
            None => continue,
        };
        push(text, value(text, text.len() - behind.len()), found);
    }
}

fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    let short = matches!(plain.as_str(), "key" | "auth" | "pass" | "code");
    NAMES.iter().any(|ending| plain.ends_with(ending)) || short && name.starts_with("--")
}

/// `Authorization: Bearer …`, `Cookie: …`, wherever they stand.
fn headers(text: &str, found: &mut Vec<Range<usize>>) {
    let small = text.to_ascii_lowercase();
    for word in ["bearer ", "basic "] {
        for (at, _) in small.match_indices(word) {
            let alone = small
                .get(..at)
                .and_then(|before| before.chars().next_back())
                .is_none_or(|c| !c.is_alphanumeric());
            let range = value(text, at + word.len());
            let token = text.get(range.clone()).unwrap_or_default();
            // "a basic question"
            let looks = token.len() >= 16 || token.bytes().any(|b| b.is_ascii_digit());
            if alone && looks {
                push(text, range, found);
            }
        }
    }
    for word in ["authorization:", "cookie:", "x-api-key:"] {
        for (at, _) in small.match_indices(word) {
            let from = at + word.len();
            let line = text.get(from..).unwrap_or_default();
            let end = line.find(['\n', '"', '\'']).unwrap_or(line.len());
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if blanks < end {
                push(text, from + blanks..from + end, found);
            }
        }
    }
}

/// `-u user:password`, `sshpass -p password`.
fn logins(text: &str, found: &mut Vec<Range<usize>>) {
    for (word, whole) in [(" -u ", false), (" --user ", false), ("sshpass -p ", true)] {
        for (at, _) in text.match_indices(word) {
            let range = value(text, at + word.len());
            let login = text.get(range.clone()).unwrap_or_default();
            match login.find(':') {
                Some(colon) if !whole => push(text, range.start + colon + 1..range.end, found),
                None if whole => push(text, range, found),
                Some(_) | None => {}
            }
        }
    }
}

/// Keys that are known by how they begin.
fn known(text: &str, found: &mut Vec<Range<usize>>) {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (beginning, least) in BEGINNINGS {
        for (at, _) in text.match_indices(beginning) {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let from = at + beginning.len();
            let rest = text.get(from..).unwrap_or_default();
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            if before.is_none_or(|c| !c.is_ascii_alphanumeric()) && end >= least {
                found.push(at..from + end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----";
        let texts = [
            "git clone https://anna:hunter2@example.org/x.git",
            "git clone https://ghp_abcdefghijklmnopqrstuvwxyz0123@github.com/x",
            "curl 'https://example.org/a?user=anna&token=abc123&page=2'",
            "curl -H 'Authorization: Bearer abc.def-ghi' https://example.org",
            "curl -H \"X-Api-Key: 12345678\" x",
            "curl -u anna --password hunter2 x",
            "curl -u anna:hunter2 x; sshpass -p hunter2 ssh x",
            "mysql --password=hunter2 -e 'select 1'",
            "export OPENAI_API_KEY=sk-abcdefghijklmnop && run",
            "AWS_SECRET_ACCESS_KEY=abc/def+ghi aws s3 ls",
            r#"{"db_password": "a b c", "user": "anna"}"#,
            "我的密码：hunter2，请记住",
            "use AKIAABCDEFGHIJKLMNOP and eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.abc",
            "wget https://s3.example/x?X-Amz-Signature=0a1b2c&X-Amz-Date=1",
            key,
        ];
        insta::assert_snapshot!(texts.map(masked).join("\n"), @r#"
        git clone https://anna:•••@example.org/x.git
        git clone https://•••@github.com/x
        curl 'https://example.org/a?user=anna&token=•••&page=2'
        curl -H 'Authorization: •••' https://example.org
        curl -H "X-Api-Key: •••" x
        curl -u anna --password ••• x
        curl -u anna:••• x; sshpass -p ••• ssh x
        mysql --password=••• -e 'select 1'
        export OPENAI_API_KEY=••• && run
        AWS_SECRET_ACCESS_KEY=••• aws s3 ls
        {"db_password": "•••", "user": "anna"}
        我的密码：•••，请记住
        use ••• and •••
        wget https://s3.example/x?X-Amz-Signature=•••&X-Amz-Date=1
        •••-----END OPENSSH PRIVATE KEY-----
        "#);
    }

    #[test]
    fn what_is_none_stays() {
        for text in [
            "",
            "what is the password of the printer?",
            "explain basic access authentication",
            "grep -rn token src",
            "the token is in $TOKEN",
            "curl -H \"Authorization: $AUTH\"",
            "ls --sort=size",
            "https://example.org:8443/a?page=2&key=name",
            "mail anna@example.org",
            "task sk-1 is done",
            "print(secret)",
            "/remind 10m change password",
            "openssl x509 -----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_it_is_read(text in ".{0,200}|[a-z:/@=?&\"' -]{0,120}") {
            let once = masked(&text);
            prop_assert!(once.len() <= text.len() * 4 + MASK.len());
        }
    }
}
