//! What a command finds around it: its folders, its environment, its cage.

use std::path::{Path, PathBuf};

use common::ids::{TurnId, UserId};

use super::{RunOrder, Tasks, place};
use crate::agent::ChildEnv;
use crate::context::Context;
use crate::grounds::Grounds;
use crate::shell::run::Spec;
use crate::shell::{guard, keeper, sandbox};

/// Where builders and their like keep what they have fetched, and the folder that it is here: in a home
/// they may not write. Those that are not named follow the first one.
const CACHES: &[(&str, &str)] = &[
    ("XDG_CACHE_HOME", ""),
    ("npm_config_cache", "npm"),
    ("npm_config_store_dir", "pnpm"),
    ("YARN_CACHE_FOLDER", "yarn"),
    ("YARN_GLOBAL_FOLDER", "yarn-berry"),
    ("BUN_INSTALL_CACHE_DIR", "bun"),
    ("GOMODCACHE", "gomod"),
    ("CARGO_HOME", "cargo"),
    ("GRADLE_USER_HOME", "gradle"),
    ("NUGET_PACKAGES", "nuget"),
    ("DOTNET_CLI_HOME", "dotnet"),
    ("COMPOSER_HOME", "composer"),
    ("PUB_CACHE", "pub"),
    ("MIX_HOME", "mix"),
    ("HEX_HOME", "hex"),
];

/// What `cargo` was told for all projects stays in force: mirrors, linkers.
fn settings_of_cargo(home: &Path, cache: &Path) {
    let (theirs, ours) = (
        home.join(".cargo/config.toml"),
        cache.join("cargo/config.toml"),
    );
    if theirs.exists() && !ours.exists() {
        let _ = std::fs::create_dir_all(cache.join("cargo"));
        let _ = std::fs::remove_file(&ours);
        let _ = std::os::unix::fs::symlink(theirs, ours);
    }
}

impl Tasks {
    pub(super) fn log(&self, id: TurnId) -> PathBuf {
        self.0.data_dir.join("tasks").join(format!("{id}.log"))
    }

    pub(super) fn temp(&self, id: TurnId) -> PathBuf {
        self.0.data_dir.join("temp").join(id.to_string())
    }

    pub(super) fn cache(&self, user: &UserId) -> PathBuf {
        let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, user.to_string().as_bytes());
        self.0.data_dir.join("cache").join(name.to_string())
    }

    pub(super) fn place(&self, grounds: &Grounds, at: &place::At, id: TurnId) -> guard::Place {
        guard::Place {
            root: grounds.root.clone(),
            dir: at.path.clone(),
            home: self.0.home.clone(),
            temp: self.temp(id),
            others: theirs(grounds).collect(),
        }
    }

    pub(super) fn spec(&self, context: &Context, order: &RunOrder, at: &place::At) -> Spec {
        let (temp, cache) = (self.temp(order.id), self.cache(&order.origin.user));
        let mut env: Vec<_> = ChildEnv::inherited(&context.agents.secrets)
            .vars()
            .filter(|(name, _)| !matches!(name.to_str(), Some("PW_TASK" | "PW_CWD" | "OLDPWD")))
            .filter(|(name, _)| !holds_a_secret(&name.to_string_lossy()))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut set = |name: &str, value: std::ffi::OsString| env.push((name.into(), value));
        // There is no terminal, and nobody to answer.
        for (name, value) in [
            ("TERM", "dumb"),
            ("PAGER", "cat"),
            ("GIT_PAGER", "cat"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("SYSTEMD_PAGER", "cat"),
        ] {
            set(name, value.into());
        }
        set("TMPDIR", temp.clone().into());
        set("PWD", at.path.clone().into());
        let mut cage = None;
        if self.0.caged {
            // For each person.
            for (name, folder) in CACHES {
                set(name, cache.join(folder).into());
            }
            let _ = std::fs::create_dir_all(&cache);
            let _ = std::fs::create_dir_all(&temp);
            if let Some(home) = &self.0.home {
                settings_of_cargo(home, &cache);
            }
            let mut secluded = self.0.options.secluded.clone();
            secluded.push(self.0.data_dir.clone());
            secluded.extend(theirs(&order.grounds));
            let home = self.0.home.as_deref();
            cage = Some(sandbox::Cage::new(
                &order.grounds.root,
                &secluded,
                &[temp.clone(), cache],
                &self.0.read,
                home,
            ));
        }
        Spec {
            command: order.command.clone(),
            dir: at.path.clone(),
            env,
            mark: format!("{}:task:{}", context.family, order.id),
            temp,
            keeper: self
                .0
                .options
                .program
                .clone()
                .filter(|_| keeper::is_there()),
            cage,
        }
    }
}

/// What belongs to others, in whole paths.
fn theirs(grounds: &Grounds) -> impl Iterator<Item = PathBuf> + '_ {
    let others = grounds.others().into_iter();
    others.map(|other| grounds.root.join(other))
}

/// Whether a variable of this name is somebody's key or password, as agents, vendors and tools call them.
fn holds_a_secret(name: &str) -> bool {
    const WORDS: [&str; 11] = [
        "KEY",
        "KEYS",
        "APIKEY",
        "TOKEN",
        "TOKENS",
        "SECRET",
        "SECRETS",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIALS",
    ];
    let name = name.to_uppercase();
    name.split('_').any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_behind() {
        for name in [
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "npm_token",
            "DB_PASSWORD",
        ] {
            assert!(holds_a_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "LANG",
            "KEYBOARD",
            "CARGO_HOME",
            "GIT_ASKPASS",
            "SSH_AUTH_SOCK",
        ] {
            assert!(!holds_a_secret(name), "{name}");
        }
    }
}
