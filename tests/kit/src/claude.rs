//! Where the real `claude` CLI is, and a home of its own for it, so that a test touches no login,
//! setting or session of the person who runs it. Driving the CLI is left to the host and the tests.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::model::Model;

/// The version that `make test-deps` installs and the tests are written against.
pub const VERSION: &str = "2.1.330";

/// The CLI: `CLAUDE_BIN`, else the one that `make test-deps` put into `.deps`.
///
/// # Panics
/// If there is none, with what to do.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CLAUDE_BIN").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        assert!(
            path.is_file(),
            "CLAUDE_BIN is {}, which is no file",
            path.display()
        );
        return path;
    }
    let modules = crate::workspace().join(".deps/claude/node_modules");
    installed(&modules).unwrap_or_else(|| {
        panic!(
            "no claude under {}: run `make test-deps`, or set CLAUDE_BIN to the CLI's path",
            modules.display()
        )
    })
}

/// The platform package holds the program itself; what npm links as `claude` is only that when the
/// package's install script was allowed to run.
fn installed(modules: &Path) -> Option<PathBuf> {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    let package = format!("claude-code-{os}-{arch}");
    let scope = modules.join("@anthropic-ai");
    [
        scope.join(&package).join("claude"),
        scope.join(package + "-musl").join("claude"),
        modules.join(".bin/claude"),
    ]
    .into_iter()
    .find(|path| path.is_file())
}

/// A home, a configuration folder and a project for the CLI, gone when dropped.
pub struct ClaudeHome {
    root: TempDir,
    path: PathBuf,
}

impl ClaudeHome {
    /// Makes empty folders in a new temporary place.
    pub fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("claude-")
            .tempdir()
            .expect("temporary folder");
        // The CLI names its folders after the real path, which on macOS is another one.
        let path = root
            .path()
            .canonicalize()
            .expect("real path of the temporary folder");
        let home = Self { root, path };
        for folder in [home.config_dir(), home.project(), home.tmp()] {
            std::fs::create_dir_all(folder).expect("make the CLI's folders");
        }
        home
    }

    /// The folder that holds the others.
    pub fn root(&self) -> &Path {
        &self.path
    }

    /// What `HOME` says.
    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    /// What `CLAUDE_CONFIG_DIR` says: settings and transcripts.
    pub fn config_dir(&self) -> PathBuf {
        self.path.join("home/.claude")
    }

    /// A folder to work in.
    pub fn project(&self) -> PathBuf {
        self.path.join("project")
    }

    /// Where the CLI puts what it needs for a while.
    pub fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// The environment that ties the CLI to this home and to `model`, and keeps it quiet.
    pub fn env(&self, model: &Model) -> Vec<(String, String)> {
        self.env_at(model.url())
    }

    /// The same with the API elsewhere, behind a [`Proxy`](crate::proxy::Proxy) for instance.
    pub fn env_at(&self, url: &str) -> Vec<(String, String)> {
        let home = self.home().display().to_string();
        let config = self.config_dir().display().to_string();
        let tmp = self.tmp().display().to_string();
        [
            ("HOME", home.as_str()),
            ("CLAUDE_CONFIG_DIR", config.as_str()),
            ("CLAUDE_CODE_TMPDIR", tmp.as_str()),
            ("ANTHROPIC_API_KEY", "sk-ant-test"),
            ("ANTHROPIC_BASE_URL", url),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("DISABLE_TELEMETRY", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            // Some machines have a proxy set, which would be asked for the stand-in too.
            ("NO_PROXY", "127.0.0.1,localhost"),
            ("no_proxy", "127.0.0.1,localhost"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Keeps the folders for looking at, and tells where.
    pub fn keep(self) -> PathBuf {
        let Self { root, path } = self;
        let _ = root.keep();
        path
    }
}

impl Default for ClaudeHome {
    fn default() -> Self {
        Self::new()
    }
}
