//! From one text to one typed value, per kind of key. Pure; each answers with
//! the reason when it refuses. Which key needs what is left to `resolve`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use chrono_tz::{TZ_VARIANTS, Tz};

use super::problem::Why;
use crate::ids::{IdError, NodeId, UserId};

/// `true`, `yes`, `on`, `1` and their opposites, in any case.
pub(super) fn boolean(text: &str) -> Result<bool, Why> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "y" => Ok(true),
        "false" | "no" | "off" | "0" | "n" => Ok(false),
        _ => Err(Why::Kind),
    }
}

/// A whole number within bounds, both included.
pub(super) fn number(text: &str, min: u32, max: u32) -> Result<u32, Why> {
    text.parse()
        .ok()
        .filter(|n| (min..=max).contains(n))
        .ok_or(Why::Kind)
}

/// A web address without a slash at its end.
pub(super) fn http_url(text: &str) -> Result<String, Why> {
    no_password(text)?;
    let url = reqwest::Url::parse(text).map_err(|_| Why::Kind)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Why::Kind);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The broker's address.
pub(super) fn nats_url(text: &str) -> Result<String, Why> {
    no_password(text)?;
    let url = reqwest::Url::parse(text).map_err(|_| Why::Kind)?;
    let hosted = url.host_str().is_some_and(|host| !host.is_empty());
    if !matches!(url.scheme(), "nats" | "tls" | "wss") || !hosted || !matches!(url.path(), "" | "/")
    {
        return Err(Why::Kind);
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Whether what is sent to this address can be read on the way: it is not encrypted, and not on this machine.
pub(super) fn is_open(text: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(text) else {
        return false;
    };
    let near = url.host_str().is_some_and(|host| {
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    });
    matches!(url.scheme(), "nats" | "ws") && !near
}

/// Anything with an @ is taken to hold a password and so is never quoted back.
fn no_password(text: &str) -> Result<(), Why> {
    if text.contains('@') {
        Err(Why::PasswordInUrl)
    } else {
        Ok(())
    }
}

/// The host of an address of any scheme, for a suggestion.
pub(super) fn url_host(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text.trim()).ok()?;
    url.host_str()
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
}

/// An IP address.
pub(super) fn address(text: &str) -> Result<IpAddr, Why> {
    text.parse().map_err(|_| Why::Kind)
}

/// An IANA zone; suggests the nearest name for one that is not.
pub(super) fn zone(text: &str) -> Result<Tz, Why> {
    text.parse().map_err(|_| {
        let wanted = text.to_ascii_lowercase();
        let nearest = TZ_VARIANTS
            .iter()
            .map(|zone| {
                let name = zone.name();
                // People also write the city alone.
                let city = name.rsplit('/').next().unwrap_or(name);
                let score = [name, city]
                    .map(|n| strsim::jaro_winkler(&wanted, &n.to_ascii_lowercase()))
                    .into_iter()
                    .fold(0.0, f64::max);
                (name, score)
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        Why::Zone(
            nearest
                .filter(|(_, score)| *score >= 0.9)
                .map(|(name, _)| name),
        )
    })
}

/// A node's id.
pub(super) fn node_id(text: &str) -> Result<NodeId, Why> {
    text.parse().map_err(|_| {
        if text == NodeId::ROUTER {
            Why::ReservedNode
        } else {
            Why::Kind
        }
    })
}

/// A node id made from a machine's name; `local` if nothing is left of it.
pub(super) fn node_id_from_host(host: &str) -> Option<NodeId> {
    let first = host
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let clean: String = first
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .trim_matches('-')
        .chars()
        .take(32)
        .collect();
    match clean.trim_end_matches('-') {
        "" | "localhost" | NodeId::ROUTER => "local",
        name => name,
    }
    .parse()
    .ok()
}

/// `ou_…` or `<surface>/<id>`.
pub(super) fn user(text: &str) -> Result<UserId, Why> {
    UserId::typed(text).map_err(|error| match error {
        IdError::Surface(_) => Why::Surface,
        IdError::User(_) | IdError::Node(_) => Why::Kind,
    })
}

/// A log filter `tracing` understands.
pub(super) fn filter(text: &str) -> Result<String, Why> {
    // `LOG: ture` would pass as the name of a target: a lone word must be a level.
    let lone = text.bytes().all(|b| b.is_ascii_alphanumeric());
    let level = matches!(
        text.to_ascii_lowercase().as_str(),
        "error" | "warn" | "info" | "debug" | "trace" | "off"
    );
    if lone && !level {
        return Err(Why::Kind);
    }
    tracing_subscriber::EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|_| Why::Kind)
}

/// A path as written: `~/` becomes the home folder, a relative one starts at `base`.
pub(super) fn path(text: &str, base: &Path, home: Option<&Path>) -> Result<PathBuf, Why> {
    let mut first = text.chars();
    let drive = first.next().is_some_and(|c| c.is_ascii_alphabetic()) && first.next() == Some(':');
    if drive && !cfg!(windows) {
        return Err(Why::WindowsPath);
    }
    if text.is_empty() {
        return Err(Why::Kind);
    }
    match (text.strip_prefix('~'), home) {
        (Some(""), Some(home)) => Ok(home.to_owned()),
        (Some(rest), Some(home)) if rest.starts_with('/') => {
            Ok(home.join(rest.trim_start_matches('/')))
        }
        // `~other` and a `~` without a home folder: we cannot tell where that is.
        (Some(_), _) => Err(Why::Kind),
        (None, _) => Ok(base.join(text)),
    }
}

/// A program: a bare name stays one (to be looked up in `PATH`), else a path.
pub(super) fn program(text: &str, base: &Path, home: Option<&Path>) -> Result<PathBuf, Why> {
    let bare = !text.is_empty() && !text.contains(['/', '\\']) && !text.starts_with('~');
    if bare {
        Ok(PathBuf::from(text))
    } else {
        path(text, base, home)
    }
}

/// Whether this is what an example has in the place of a real value.
pub(super) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("xxxxxxxx")
        || (lower.starts_with('<') && lower.ends_with('>'))
        || lower.starts_with("your-")
        || lower.starts_with("your_")
        || matches!(
            lower.as_str(),
            "changeme" | "c:/users/yourname/projects" | "c:/users/me/projects" | "ou_abc123def456"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_names_become_node_ids() {
        for (host, id) in [
            ("Home-PC", "home-pc"),
            ("lab_1.example.org", "lab-1"),
            ("--", "local"),
            ("localhost", "local"),
            ("router", "local"),
            ("我的电脑", "local"),
            ("", "local"),
            (
                "a-very-long-machine-name-of-31c-x-and-more",
                "a-very-long-machine-name-of-31c",
            ),
        ] {
            assert_eq!(node_id_from_host(host).unwrap().as_str(), id, "{host}");
        }
    }

    #[test]
    fn paths_start_at_the_file_or_at_home() {
        let (base, home) = (Path::new("/etc/pw"), Some(Path::new("/home/ann")));
        for (text, path_is, program_is) in [
            ("a/b", "/etc/pw/a/b", "/etc/pw/a/b"),
            ("/x", "/x", "/x"),
            ("~", "/home/ann", "/home/ann"),
            ("~/p", "/home/ann/p", "/home/ann/p"),
            ("claude", "/etc/pw/claude", "claude"),
        ] {
            assert_eq!(
                path(text, base, home).unwrap(),
                Path::new(path_is),
                "{text}"
            );
            assert_eq!(
                program(text, base, home).unwrap(),
                Path::new(program_is),
                "{text}"
            );
        }
        assert_eq!(path("~bob/p", base, home), Err(Why::Kind));
        assert_eq!(path("~/p", base, None), Err(Why::Kind));
        assert_eq!(path("C:/p", base, home), Err(Why::WindowsPath));
    }

    #[test]
    fn users_are_tokens_of_a_known_surface() {
        assert_eq!(user("ou_a1").unwrap().to_string(), "feishu/ou_a1");
        assert_eq!(user("web/anna").unwrap().to_string(), "web/anna");
        for bad in [
            "", "anna", "web/", "web/a.b", "web/a>", "web/a b", "web/a/b", "ou_*",
        ] {
            assert_eq!(user(bad), Err(Why::Kind), "{bad}");
        }
        assert_eq!(user("feishi/ou_a"), Err(Why::Surface));
    }

    #[test]
    fn addresses() {
        assert_eq!(nats_url("nats://h:4222/").unwrap(), "nats://h:4222");
        assert_eq!(nats_url("tls://[::1]").unwrap(), "tls://[::1]");
        for bad in [
            "h:4222",
            "localhost:4222",
            "ws://h",
            "nats://",
            "nats:///x",
            "nats://h/x",
            "",
        ] {
            assert_eq!(nats_url(bad), Err(Why::Kind), "{bad}");
        }
        assert_eq!(nats_url("nats://u:p@h"), Err(Why::PasswordInUrl));
        assert_eq!(nats_url("wss://h").unwrap(), "wss://h");
        for (url, open) in [
            ("nats://h:4222", true),
            ("nats://10.0.0.7", true),
            ("nats://localhost.example", true),
            ("nats://127.0.0.2:4222", false),
            ("nats://localhost", false),
            ("nats://[::1]:4222", false),
            ("nats://[fd00::1]:4222", true),
            ("tls://h:4222", false),
            ("wss://h", false),
        ] {
            assert_eq!(is_open(url), open, "{url}");
        }
        assert_eq!(http_url("https://h/v4/").unwrap(), "https://h/v4");
        assert_eq!(http_url("h/v4"), Err(Why::Kind));
    }
}
