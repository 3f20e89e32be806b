//! Finding a `nats-server` that can be used. Running it is the parent module's business.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::BrokerError;

/// Oldest server with everything we use: schedules with periods and time zones.
const MINIMUM: (u32, u32) = (2, 14);
/// `--version` answers within milliseconds; a program that does not is not a nats-server.
const PATIENCE: Duration = Duration::from_secs(5);

/// The configured binary, else the first recent enough in `path`, else the one in `DATA_DIR/bin`.
pub(super) async fn find(
    configured: Option<&Path>,
    path: Option<&std::ffi::OsStr>,
    data_dir: &Path,
) -> Result<PathBuf, BrokerError> {
    if let Some(binary) = configured {
        return match version(binary).await {
            Ok(version) if recent(&version) => Ok(binary.to_owned()),
            Ok(version) => Err(BrokerError::NoServer(format!(
                "NATS_SERVER names {}, which is version {version}",
                binary.display()
            ))),
            Err(why) => Err(BrokerError::NoServer(format!(
                "NATS_SERVER names {}, which cannot be used: {why}",
                binary.display()
            ))),
        };
    }
    let in_path = path.into_iter().flat_map(std::env::split_paths);
    let mut seen = Vec::new();
    for folder in in_path.chain([data_dir.join("bin")]) {
        let binary = folder.join("nats-server");
        if !binary.is_file() {
            continue;
        }
        match version(&binary).await {
            Ok(version) if recent(&version) => return Ok(binary),
            Ok(version) => seen.push(format!("{} is version {version}", binary.display())),
            Err(why) => seen.push(format!("{}: {why}", binary.display())),
        }
    }
    Err(BrokerError::NoServer(if seen.is_empty() {
        format!(
            "there is none in PATH and none in {}",
            data_dir.join("bin").display()
        )
    } else {
        seen.join("; ")
    }))
}

/// What `nats-server --version` says, as in `2.15.1`.
async fn version(binary: &Path) -> Result<String, String> {
    let run = Command::new(binary)
        .arg("--version")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, run)
        .await
        .map_err(|_| "it does not answer --version".to_owned())?
        .map_err(|error| error.to_string())?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .strip_prefix("nats-server: v")
        .map(str::to_owned)
        .ok_or_else(|| "it is not a nats-server".to_owned())
}

fn recent(version: &str) -> bool {
    let mut numbers = version
        .split('.')
        .map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= MINIMUM
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn fake(dir: &Path, text: &str) -> PathBuf {
        std::fs::create_dir_all(dir).unwrap();
        let path = dir.join("nats-server");
        std::fs::write(&path, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn versions_compare_as_numbers() {
        for (version, fits) in [
            ("2.14.0", true),
            ("2.15.1", true),
            ("3.0", true),
            ("2.9.10", false),
            ("x", false),
        ] {
            assert_eq!(recent(version), fits, "{version}");
        }
    }

    #[tokio::test]
    async fn an_old_one_in_path_is_passed_over_and_named_when_it_is_all_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("old");
        fake(&old, "nats-server: v2.9.10");
        let path = std::env::join_paths([&old]).unwrap();
        let error = find(None, Some(&path), dir.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("old/nats-server is version 2.9.10") && error.contains("2.14"),
            "{error}"
        );

        let ours = fake(&dir.path().join("bin"), "nats-server: v2.15.1");
        assert_eq!(find(None, Some(&path), dir.path()).await.unwrap(), ours);

        let error = find(Some(&old.join("nats-server")), None, dir.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("NATS_SERVER") && error.contains("2.9.10"),
            "{error}"
        );
        let error = find(Some(&dir.path().join("none")), None, dir.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("NATS_SERVER") && error.contains("No such file"),
            "{error}"
        );
        let other = fake(&dir.path().join("other"), "hello");
        let error = find(Some(&other), None, dir.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("not a nats-server"), "{error}");
    }

    #[tokio::test]
    async fn the_real_one_fits() {
        let binary = kit::nats::server_binary();
        assert_eq!(
            find(Some(&binary), None, Path::new("/")).await.unwrap(),
            binary
        );
    }
}
