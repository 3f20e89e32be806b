//! `phonework service`: lets systemd run the host of a folder, from now on and after each start of the machine.
//! `--remove` takes that back. Everywhere else a host is started by hand or by whatever starts programs there.
//!
//! A person's own service without root, one of the machine with it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::host_files::FileError;

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// No systemd that would do it.
    #[error(
        "systemd does not run services here ({0}); nothing was changed. Start the host with: phonework host"
    )]
    NoSystemd(String),
    /// A step failed.
    #[error("`{0}` failed: {1}")]
    Step(String, String),
    /// Where things are.
    #[error("finding {0}: {1}")]
    Where(&'static str, io::Error),
    /// A path that a unit file cannot hold.
    #[error("{0:?} has a line break in its name, which a service cannot have")]
    Path(PathBuf),
    /// No configuration to run with.
    #[error(
        "{0}: there is no such file; run this in the folder of a host, or name its file with --config"
    )]
    NoConfig(PathBuf),
    /// The unit file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What is to run.
#[derive(Debug)]
pub(crate) struct Service {
    node: String,
    program: PathBuf,
    config: PathBuf,
    /// Where the agent is found.
    path: String,
    systemd: Systemd,
}

/// The service manager: of the machine, or of a person.
#[derive(Debug)]
struct Systemd {
    units: PathBuf,
    own: bool,
}

impl Systemd {
    fn of(home: Option<&Path>, config_home: Option<&Path>, root: bool) -> Option<Self> {
        if root {
            return Some(Self {
                units: PathBuf::from("/etc/systemd/system"),
                own: false,
            });
        }
        let config = config_home
            .map(Path::to_owned)
            .or_else(|| Some(home?.join(".config")))?;
        Some(Self {
            units: config.join("systemd/user"),
            own: true,
        })
    }

    fn call(&self, args: &[&str]) -> Result<(), ServiceError> {
        let mut words = vec!["systemctl"];
        if self.own {
            words.push("--user");
        }
        words.extend(args);
        call(&words)
    }
}

fn call(words: &[&str]) -> Result<(), ServiceError> {
    let failed = |why: String| ServiceError::Step(words.join(" "), why);
    let (program, args) = words.split_first().ok_or_else(|| failed(String::new()))?;
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|why| failed(why.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(said.lines().next().unwrap_or_default().to_owned()))
}

impl Service {
    /// The service of the host `node` with this configuration.
    ///
    /// # Errors
    /// When that file is not there, or this program cannot find itself.
    pub(crate) fn of(node: &str, config: &Path) -> Result<Self, ServiceError> {
        let config = config
            .canonicalize()
            .map_err(|_| ServiceError::NoConfig(config.to_owned()))?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let config_home = std::env::var_os("XDG_CONFIG_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        let root = rustix::process::geteuid().is_root();
        let systemd = Systemd::of(home.as_deref(), config_home.as_deref(), root)
            .ok_or_else(|| ServiceError::NoSystemd("HOME is not set".into()))?;
        Ok(Self {
            node: node.to_owned(),
            program: std::env::current_exe()
                .map_err(|why| ServiceError::Where("this program", why))?,
            config,
            path: std::env::var("PATH").unwrap_or_default(),
            systemd,
        })
    }

    /// Writes the unit and starts it. A second time it starts what was changed meanwhile.
    ///
    /// # Errors
    /// [`ServiceError`]; without systemd nothing was changed.
    pub(crate) fn install(&self) -> Result<String, ServiceError> {
        let unit = self.unit()?;
        // Asked before anything is written.
        self.systemd
            .call(&["daemon-reload"])
            .map_err(|why| ServiceError::NoSystemd(why.to_string()))?;
        let (name, file) = (self.name(), self.file());
        let written =
            std::fs::create_dir_all(&self.systemd.units).and_then(|()| std::fs::write(&file, unit));
        written.map_err(|source| FileError::Write {
            path: file.clone(),
            source,
        })?;
        self.systemd.call(&["daemon-reload"])?;
        self.systemd.call(&["enable", &name])?;
        self.systemd.call(&["restart", &name])?;
        let user = if self.systemd.own { "--user " } else { "" };
        let mut text = format!(
            "The host {} runs as a service now, also after a restart of the machine: {}\n  \
             its state: systemctl {user}status {name}\n  its log:   journalctl {user}-u {name}\n  \
             to end it: phonework service --remove\n",
            self.node,
            file.display(),
        );
        // Or it would end when its person logs out.
        if self.systemd.own && call(&["loginctl", "enable-linger"]).is_err() {
            let _ = writeln!(
                text,
                "Mind: it ends when you log out, until an administrator runs: loginctl enable-linger $USER"
            );
        }
        Ok(text)
    }

    /// Ends it and removes the unit.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(crate) fn remove(&self) -> Result<String, ServiceError> {
        let (name, file) = (self.name(), self.file());
        if !file.exists() {
            return Ok(format!(
                "The host {} is no service; nothing was changed.\n",
                self.node
            ));
        }
        self.systemd
            .call(&["disable", "--now", &name])
            .map_err(|why| ServiceError::NoSystemd(why.to_string()))?;
        std::fs::remove_file(&file).map_err(|source| FileError::Write { path: file, source })?;
        self.systemd.call(&["daemon-reload"])?;
        Ok(format!("The host {} is no service any more.\n", self.node))
    }

    fn name(&self) -> String {
        format!("phonework-{}.service", self.node)
    }

    fn file(&self) -> PathBuf {
        self.systemd.units.join(self.name())
    }

    fn unit(&self) -> Result<String, ServiceError> {
        // Only a command's words may hold variables.
        let word = |path| Ok::<_, ServiceError>(quoted(path)?.replace('$', "$$"));
        let (program, config) = (word(&self.program)?, word(&self.config)?);
        let path = quoted(Path::new(&format!("PATH={}", self.path)))?;
        let target = if self.systemd.own {
            "default.target"
        } else {
            "multi-user.target"
        };
        Ok(format!(
            "# Written by `phonework service`; `phonework service --remove` takes it away.\n\
             [Unit]\n\
             Description=PhoneWork host {node}\n\
             Wants=network-online.target\n\
             After=network-online.target\n\
             # However long the hub is away.\n\
             StartLimitIntervalSec=0\n\
             \n\
             [Service]\n\
             ExecStart={program} host --config {config}\n\
             # Where claude and its tools were found when this was written.\n\
             Environment={path}\n\
             Restart=always\n\
             RestartSec=5\n\
             # The host ends within 10 s, and its agents with it.\n\
             KillMode=mixed\n\
             TimeoutStopSec=20\n\
             \n\
             [Install]\n\
             WantedBy={target}\n",
            node = self.node,
        ))
    }
}

/// A word of a unit file. `%` means something there, `\` and `"` as well.
fn quoted(path: &Path) -> Result<String, ServiceError> {
    let text = path
        .to_str()
        .filter(|text| !text.contains(['\n', '\r']))
        .ok_or_else(|| ServiceError::Path(path.to_owned()))?;
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%");
    Ok(format!("\"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(root: bool) -> Service {
        Service {
            node: "lab-1".into(),
            program: "/opt/phone work/phonework".into(),
            config: "/home/a/100%/host_config.yaml".into(),
            path: "/usr/local/bin:/usr/bin".into(),
            systemd: Systemd::of(Some(Path::new("/home/a")), None, root).unwrap(),
        }
    }

    #[test]
    fn a_persons_own_unit() {
        let own = service(false);
        assert_eq!(
            own.file(),
            Path::new("/home/a/.config/systemd/user/phonework-lab-1.service")
        );
        insta::assert_snapshot!(own.unit().unwrap(), @r#"
        # Written by `phonework service`; `phonework service --remove` takes it away.
        [Unit]
        Description=PhoneWork host lab-1
        Wants=network-online.target
        After=network-online.target
        # However long the hub is away.
        StartLimitIntervalSec=0

        [Service]
        ExecStart="/opt/phone work/phonework" host --config "/home/a/100%%/host_config.yaml"
        # Where claude and its tools were found when this was written.
        Environment="PATH=/usr/local/bin:/usr/bin"
        Restart=always
        RestartSec=5
        # The host ends within 10 s, and its agents with it.
        KillMode=mixed
        TimeoutStopSec=20

        [Install]
        WantedBy=default.target
        "#);
    }

    #[test]
    fn a_unit_of_the_machine() {
        let whole = service(true);
        assert_eq!(
            whole.file(),
            Path::new("/etc/systemd/system/phonework-lab-1.service")
        );
        assert!(whole.unit().unwrap().contains("WantedBy=multi-user.target"));
    }

    #[test]
    fn a_path_of_two_lines_is_refused() {
        assert!(matches!(
            quoted(Path::new("/a\nExecStartPre=/b")),
            Err(ServiceError::Path(_))
        ));
    }
}
