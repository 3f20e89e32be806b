//! Turns the layers into [`Settings`]: which key needs which, and the defaults.
//! Reading one key is left to `layers`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use secrecy::SecretString;

use super::keys::{FileKind, Key};
use super::layers::Layers;
use super::problem::{At, ConfigError, Problem, What, Why};
use super::settings::{
    AllowList, ClaudeSettings, FeishuSettings, LlmSettings, MetasoSettings, NatsSettings,
    NodeSettings, Settings, WebSettings,
};
use super::{Request, check};
use crate::lang::Lang;
use crate::message::control::MAX_DESCRIPTION;

/// Shortest ROUTER_SECRET without a warning, in characters.
const GOOD_SECRET: usize = 16;
/// Longest DISPLAY_NAME, in characters.
const MAX_NAME: usize = 64;

/// `file` is path and text.
pub(super) fn resolve(
    request: &Request,
    file: Option<(&Path, &str)>,
) -> Result<Settings, ConfigError> {
    let mut layers = Layers::new(request, file);
    let lang = layers.lang();
    let settings = layers.settings(file.map(|(path, _)| path.to_owned()));
    match settings {
        Some(mut settings) if layers.problems.is_empty() => {
            layers.warnings.sort_by_key(order);
            settings.warnings = layers.warnings;
            settings.sources = layers.sources;
            Ok(settings)
        }
        _ => {
            // A file that could not be read as YAML leaves everything missing;
            // only its own fault helps then.
            if layers.broken {
                layers.problems.retain(|problem| !is_absence(problem));
            }
            layers.problems.sort_by_key(order);
            Err(ConfigError {
                problems: layers.problems,
                lang,
            })
        }
    }
}

/// The file from top to bottom, then environment, flags and what is missing.
fn order(problem: &Problem) -> (u8, usize, usize) {
    match &problem.at {
        _ if is_absence(problem) => (5, 0, 0),
        At::WholeFile(_) => (0, 0, 0),
        At::File { line, column, .. } => (1, *line, *column),
        At::Env(_) => (2, 0, 0),
        At::Flag(_) => (3, 0, 0),
        At::Nowhere => (4, 0, 0),
    }
}

/// Whether this is about a key that is not there and that no other asks for.
fn is_absence(problem: &Problem) -> bool {
    matches!(
        problem.what,
        What::Missing { because: None, .. } | What::NoHome(_)
    )
}

impl Layers<'_> {
    /// `None` only with a problem noted.
    fn settings(&mut self, file: Option<PathBuf>) -> Option<Settings> {
        let feishu = self.feishu();
        let llm = self.llm();
        let metaso = self.metaso();
        let web = self.web();
        let allowed = AllowList {
            users: self.users(Key::AllowedOpenIds),
        };
        let admins = self.users(Key::AdminOpenIds);
        let router_mode = self.flag(Key::RouterMode, false);
        let router_secret = self.router_secret();
        let auto_approve_hosts = self.flag(Key::AutoApproveHosts, false);
        let nats = self.nats();
        let node = self.node();
        let working_dir = self.folder(Key::WorkingDir, |home, _| home.join("phonework"));
        let data_dir = self.folder(Key::DataDir, |home, xdg| {
            xdg.unwrap_or_else(|| home.join(".local/share"))
                .join("phonework")
        });
        let claude = ClaudeSettings {
            bin: self.program(Key::ClaudeBin),
            args: self.list(Key::ClaudeArgs).unwrap_or_default(),
            live: usize::try_from(self.number(Key::ClaudeLive, 6)).unwrap_or(6),
            trust_projects: self.paths(Key::TrustProjects),
        };
        let shell_read = self.paths(Key::ShellRead);
        let audit_days = self.number(Key::AuditDays, 90);
        let locale = self.parse(Key::Locale, |text| Lang::parse(text).ok_or(Why::Kind));
        let timezone = self.timezone();
        let log = self
            .parse(Key::Log, check::filter)
            .unwrap_or_else(|| "info".to_owned());
        self.complete_sources();
        Some(Settings {
            kind: self.request.kind,
            file,
            feishu,
            llm,
            metaso,
            web,
            allowed,
            admins,
            router_mode,
            router_secret,
            auto_approve_hosts,
            nats,
            node: node?,
            working_dir: working_dir?,
            data_dir: data_dir?,
            claude,
            shell_read,
            audit_days,
            locale,
            timezone,
            log,
            warnings: Vec::new(),
            sources: BTreeMap::new(),
        })
    }

    fn feishu(&mut self) -> Option<FeishuSettings> {
        let base_url = self.parse(Key::FeishuBaseUrl, check::http_url);
        let app_id = self.text(Key::FeishuAppId);
        let app_secret = self.secret(Key::FeishuAppSecret);
        match (app_id, app_secret) {
            (Some(app_id), Some(app_secret)) => Some(FeishuSettings {
                app_id,
                app_secret,
                base_url: base_url.unwrap_or_else(|| Key::FeishuBaseUrl.spec().default.to_owned()),
            }),
            (Some(_), None) => self.missing(Key::FeishuAppSecret, Key::FeishuAppId),
            (None, Some(_)) => self.missing(Key::FeishuAppId, Key::FeishuAppSecret),
            (None, None) => None,
        }
    }

    fn llm(&mut self) -> Option<LlmSettings> {
        let base_url = self.parse(Key::OpenaiBaseUrl, check::http_url);
        let model = self.text(Key::OpenaiModel);
        let extra = self.map(Key::OpenaiExtra);
        let api_key = self.secret(Key::OpenaiApiKey)?;
        let Some(model) = model else {
            return self.missing(Key::OpenaiModel, Key::OpenaiApiKey);
        };
        Some(LlmSettings {
            base_url: base_url.unwrap_or_else(|| Key::OpenaiBaseUrl.spec().default.to_owned()),
            api_key,
            model,
            extra,
        })
    }

    fn metaso(&mut self) -> Option<MetasoSettings> {
        let mut base_url = self
            .parse(Key::MetasoBaseUrl, check::http_url)
            .unwrap_or_else(|| Key::MetasoBaseUrl.spec().default.to_owned());
        if let Some(length) = base_url.strip_suffix("/api/v1").map(str::len) {
            base_url.truncate(length);
            let at = self.place(Key::MetasoBaseUrl);
            self.warnings.push(Problem {
                at,
                what: What::ApiSuffix,
            });
        }
        Some(MetasoSettings {
            base_url,
            api_key: self.secret(Key::MetasoApiKey)?,
        })
    }

    fn web(&mut self) -> WebSettings {
        WebSettings {
            enabled: self.flag(Key::Web, true),
            bind: self
                .parse(Key::Bind, check::address)
                .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            // The key's own bounds keep it a u16.
            port: u16::try_from(self.number(Key::Port, 8000)).unwrap_or(8000),
        }
    }

    fn router_secret(&mut self) -> Option<SecretString> {
        let key = Key::RouterSecret;
        let text = self.text(key)?;
        if text.chars().count() < GOOD_SECRET {
            let at = self.place(key);
            self.warnings.push(Problem {
                at,
                what: What::ShortSecret(key),
            });
        }
        Some(SecretString::from(text))
    }

    fn nats(&mut self) -> NatsSettings {
        let url = self.parse(Key::NatsUrl, check::nats_url);
        if url.is_none() && self.request.kind == FileKind::Host && !self.is_told(Key::NatsUrl) {
            let what = What::Missing {
                key: Key::NatsUrl,
                because: None,
            };
            self.problems.push(Problem {
                at: self.whole.clone(),
                what,
            });
        }
        let plaintext = self.flag(Key::NatsPlaintext, false);
        if let Some(problem) = url.as_deref().and_then(Problem::plaintext)
            && !plaintext
        {
            let at = self.place(Key::NatsUrl);
            self.problems.push(Problem { at, ..problem });
        }
        let certificate = match (self.path(Key::NatsTlsCert), self.path(Key::NatsTlsKey)) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => self.missing(Key::NatsTlsKey, Key::NatsTlsCert),
            (None, Some(_)) => self.missing(Key::NatsTlsCert, Key::NatsTlsKey),
            (None, None) => None,
        };
        // The keys' own bounds keep them a u16; 0 closes.
        let mut port = |key, usual| {
            let port = u16::try_from(self.number(key, usual)).unwrap_or(0);
            (port != 0).then_some(port)
        };
        NatsSettings {
            websocket_port: port(Key::NatsWebsocketPort, 443),
            leaf_port: port(Key::NatsLeafPort, 7422),
            url,
            creds: self.path(Key::NatsCreds),
            ca: self.path(Key::NatsCa),
            certificate,
            plaintext,
            server: self.program(Key::NatsServer),
        }
    }

    fn node(&mut self) -> Option<NodeSettings> {
        let host = self.request.machine.hostname.as_deref().unwrap_or_default();
        let made = check::node_id_from_host(host);
        let id = self.parse(Key::NodeId, check::node_id).or(made);
        let display_name = self.parse(Key::DisplayName, |text| {
            if text.chars().count() > MAX_NAME {
                Err(Why::TooLong(MAX_NAME))
            } else {
                Ok(text.to_owned())
            }
        });
        let description = self.parse(Key::Description, |text| {
            if text.chars().count() > MAX_DESCRIPTION {
                Err(Why::TooLong(MAX_DESCRIPTION))
            } else {
                Ok(text.to_owned())
            }
        });
        let serves_users = self.users(Key::ServesUsers);
        let Some(id) = id else {
            self.problems.push(Problem {
                at: self.whole.clone(),
                what: What::Missing {
                    key: Key::NodeId,
                    because: None,
                },
            });
            return None;
        };
        self.default_is(Key::NodeId, id.as_str());
        let display_name = display_name.unwrap_or_else(|| id.as_str().to_owned());
        self.default_is(Key::DisplayName, &display_name);
        Some(NodeSettings {
            id,
            display_name,
            description: description.unwrap_or_default(),
            serves_users,
        })
    }

    fn timezone(&mut self) -> Tz {
        let machine = self
            .request
            .machine
            .timezone
            .as_deref()
            .and_then(|zone| zone.parse().ok());
        let zone = self
            .parse(Key::Timezone, check::zone)
            .or(machine)
            .unwrap_or(Tz::UTC);
        self.default_is(Key::Timezone, zone.name());
        zone
    }

    /// A folder whose default is made from the home folder and XDG_DATA_HOME.
    fn folder(
        &mut self,
        key: Key,
        default: impl Fn(&Path, Option<PathBuf>) -> PathBuf,
    ) -> Option<PathBuf> {
        let before = self.problems.len();
        let set = self.path(key);
        if set.is_some() || self.problems.len() > before {
            return set;
        }
        let xdg = self.request.env.absolute("XDG_DATA_HOME");
        let made = match (&self.home, xdg) {
            (Some(home), xdg) => Some(default(home, xdg)),
            // DATA_DIR needs no home folder when XDG says where.
            (None, Some(xdg)) if key == Key::DataDir => Some(default(Path::new("/"), Some(xdg))),
            (None, _) => None,
        };
        match &made {
            Some(path) => self.default_is(key, &path.display().to_string()),
            None => self.problems.push(Problem {
                at: self.whole.clone(),
                what: What::NoHome(key),
            }),
        }
        made
    }

    fn missing<T>(&mut self, key: Key, because: Key) -> Option<T> {
        if !self.is_told(key) {
            let at = self
                .found
                .get(&because)
                .map_or(At::Nowhere, |found| found.key_at.clone());
            self.problems.push(Problem {
                at,
                what: What::Missing {
                    key,
                    because: Some(because),
                },
            });
        }
        None
    }
}
