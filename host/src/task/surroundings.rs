//! What a command finds around it: its folders, its environment, its cage.

use std::path::PathBuf;

use common::ids::{TurnId, UserId};

use super::{RunOrder, Tasks, place};
use crate::agent::ChildEnv;
use crate::context::Context;
use crate::grounds::Grounds;
use crate::shell::run::Spec;
use crate::shell::{guard, sandbox};

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
        if let (true, Some(program)) = (self.0.caged, &self.0.options.program) {
            // A home cannot be written to: what tools keep for later is kept here, for each person.
            set("XDG_CACHE_HOME", cache.clone().into());
            set("npm_config_cache", cache.join("npm").into());
            set("GOMODCACHE", cache.join("gomod").into());
            let _ = std::fs::create_dir_all(&cache);
            let _ = std::fs::create_dir_all(&temp);
            let mut secluded = self.0.options.secluded.clone();
            secluded.push(self.0.data_dir.clone());
            secluded.extend(theirs(&order.grounds));
            let home = self.0.home.as_deref();
            let made = sandbox::Cage::new(
                &order.grounds.root,
                &secluded,
                &[temp.clone(), cache],
                &self.0.read,
                home,
            );
            cage = Some((program.clone(), made));
        }
        Spec {
            command: order.command.clone(),
            dir: at.path.clone(),
            env,
            mark: format!("{}:task:{}", context.family, order.id),
            temp,
            cage,
        }
    }
}

/// What belongs to others, in whole paths.
fn theirs(grounds: &Grounds) -> impl Iterator<Item = PathBuf> + '_ {
    let others = grounds.others().into_iter();
    others.map(|other| grounds.root.join(other))
}
