//! The one list of configuration keys: name, type, files, default, meaning.
//! Reading, checking, flags, the documentation's table and `doctor` all follow
//! it. What a value becomes is left to `check` and `resolve`.

/// Which of the two configuration files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `keyring.yaml`: standalone, router and gateway.
    Keyring,
    /// `host_config.yaml`: a host.
    Host,
}

impl FileKind {
    /// The file's usual name.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring.yaml",
            Self::Host => "host_config.yaml",
        }
    }

    /// The name of the example to copy.
    pub const fn example_name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring.example.yaml",
            Self::Host => "host_config.example.yaml",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Keyring => Self::Host,
            Self::Host => Self::Keyring,
        }
    }
}

/// The files a key may stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// `keyring.yaml` only.
    Keyring,
    /// `host_config.yaml` only.
    Host,
    /// Either.
    Both,
}

impl Files {
    /// Whether a key of these files may stand in `file`.
    pub const fn contain(self, file: FileKind) -> bool {
        matches!(
            (self, file),
            (Self::Both, _) | (Self::Keyring, FileKind::Keyring) | (Self::Host, FileKind::Host)
        )
    }
}

/// What a key's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text on one line.
    Text,
    /// A text that is never shown or logged.
    Secret,
    /// `true` or `false` (also yes/no, on/off, 1/0).
    Bool,
    /// A whole number, both ends included.
    Number {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// A file or folder; `~/` is the home folder.
    Path,
    /// Several of those.
    Paths,
    /// A program: a bare name is looked up in `PATH`, else a path.
    Program,
    /// Arguments: a list, or one text split on blanks.
    Words,
    /// User ids: `ou_…` or `<surface>/<id>`.
    Users,
    /// Names and values, merged into a request.
    Map,
    /// `http://` or `https://`.
    HttpUrl,
    /// `tls://`, `wss://` or `nats://`.
    NatsUrl,
    /// An IP address.
    Address,
    /// `zh` or `en`.
    Locale,
    /// An IANA time zone.
    Zone,
    /// A node's id.
    NodeId,
    /// Directives for the log.
    Filter,
}

/// How a kind is written in YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar,
    List,
    Map,
}

impl Kind {
    pub(super) const fn shape(self) -> Shape {
        match self {
            Self::Paths | Self::Words | Self::Users => Shape::List,
            Self::Map => Shape::Map,
            Self::Text
            | Self::Secret
            | Self::Bool
            | Self::Number { .. }
            | Self::Path
            | Self::Program
            | Self::HttpUrl
            | Self::NatsUrl
            | Self::Address
            | Self::Locale
            | Self::Zone
            | Self::NodeId
            | Self::Filter => Shape::Scalar,
        }
    }
}

/// Everything that is known about one key.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// As written in the file.
    pub name: &'static str,
    /// Type of the value.
    pub kind: Kind,
    /// Where it may stand.
    pub files: Files,
    /// Its default in words or as written; empty = not set.
    pub default: &'static str,
    /// A good value, as one would write it in the environment.
    pub example: &'static str,
    /// Meaning, one sentence.
    pub doc: &'static str,
}

macro_rules! keys {
    ($( $variant:ident $name:literal $files:ident, $kind:expr, $default:literal, $example:literal, $doc:literal; )+) => {
        /// Every configuration key.
        #[allow(rustdoc::bare_urls, reason = "the same words are shown on the command line")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key { $( #[doc = $doc] $variant, )+ }

        impl Key {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// What is known about this key.
            pub const fn spec(self) -> &'static KeySpec {
                match self { $( Self::$variant => &KeySpec {
                    name: $name,
                    kind: $kind,
                    files: Files::$files,
                    default: $default,
                    example: $example,
                    doc: $doc,
                }, )+ }
            }
        }
    };
}

keys! {
    FeishuAppId "FEISHU_APP_ID" Keyring, Kind::Text, "", "cli_a1b2c3d4e5f6", "App ID of the Feishu app; without it and the secret the Feishu gateway is off.";
    FeishuAppSecret "FEISHU_APP_SECRET" Keyring, Kind::Secret, "", "the secret of the app", "App Secret of the Feishu app.";
    FeishuBaseUrl "FEISHU_BASE_URL" Keyring, Kind::HttpUrl, "https://open.feishu.cn", "https://open.feishu.cn", "Address of the open platform; for Lark https://open.larksuite.com.";
    OpenaiBaseUrl "OPENAI_BASE_URL" Both, Kind::HttpUrl, "https://api.openai.com/v1", "https://open.bigmodel.cn/api/paas/v4", "Address of an OpenAI-compatible chat API, up to and including its version.";
    OpenaiApiKey "OPENAI_API_KEY" Both, Kind::Secret, "", "the key of the API", "Key of that API; without it smart mode falls back to rules.";
    OpenaiModel "OPENAI_MODEL" Both, Kind::Text, "", "glm-4.7", "Name of the model; needed once there is a key.";
    OpenaiExtra "OPENAI_EXTRA" Both, Kind::Map, "", "{\"temperature\": 0.3}", "Further fields for each request to the model (in the environment: as JSON).";
    MetasoApiKey "METASO_API_KEY" Both, Kind::Secret, "", "the key of the search", "Key of the Metaso web search; without it searching is off.";
    MetasoBaseUrl "METASO_BASE_URL" Both, Kind::HttpUrl, "https://metaso.cn", "https://metaso.cn", "Address of the search, without /api/v1.";
    AllowedOpenIds "ALLOWED_OPEN_IDS" Keyring, Kind::Users, "", "ou_abc123", "Who may use the bot: `ou_…` (Feishu) or `<surface>/<id>`; empty lets everybody in who can reach the app.";
    AdminOpenIds "ADMIN_OPEN_IDS" Keyring, Kind::Users, "", "ou_abc123", "Who approves new hosts and may answer for others in groups.";
    Web "WEB" Keyring, Kind::Bool, "true", "true", "Whether the web page is served.";
    Bind "BIND" Keyring, Kind::Address, "127.0.0.1", "127.0.0.1", "Address the web page and /health listen on; 0.0.0.0 for all.";
    Port "PORT" Keyring, Kind::Number { min: 0, max: 65535 }, "8000", "8000", "Port the web page and /health listen on; 0 takes any free one.";
    RouterMode "ROUTER_MODE" Keyring, Kind::Bool, "false", "true", "Router and gateways only; hosts join from elsewhere.";
    RouterSecret "ROUTER_SECRET" Both, Kind::Secret, "", "32 random characters", "Shared by hub and hosts; lets a host ask to be enrolled by itself and opens nothing else.";
    AutoApproveHosts "AUTO_APPROVE_HOSTS" Keyring, Kind::Bool, "false", "true", "Enrol a host that knows ROUTER_SECRET at once, without asking an admin.";
    NatsUrl "NATS_URL" Both, Kind::NatsUrl, "", "tls://hub.example.org:4222", "Where the broker is: tls://, or wss:// where only the web's port is open; nats:// (not encrypted) on this machine only. Needed by a host. Standalone's own broker listens there; unset, on a free port of this machine.";
    NatsCreds "NATS_CREDS" Both, Kind::Path, "", "host.creds", "Credentials file for the broker; unset, the ones kept in DATA_DIR.";
    NatsCa "NATS_CA" Both, Kind::Path, "", "ca.pem", "Certificate authority (PEM) of the broker, in place of the system's; unset, the hub's own where DATA_DIR has it.";
    NatsTlsCert "NATS_TLS_CERT" Keyring, Kind::Path, "", "/etc/letsencrypt/live/hub.example.org/fullchain.pem", "Certificate (PEM, with those between) that the broker shows; unset, `init` makes one and an authority of the hub's own.";
    NatsTlsKey "NATS_TLS_KEY" Keyring, Kind::Path, "", "/etc/letsencrypt/live/hub.example.org/privkey.pem", "Key of that certificate.";
    NatsWebsocketPort "NATS_WEBSOCKET_PORT" Keyring, Kind::Number { min: 0, max: 65535 }, "443", "8443", "Port of the broker for hosts with wss://, when NATS_URL is tls://; 0 closes it.";
    NatsLeafPort "NATS_LEAF_PORT" Keyring, Kind::Number { min: 0, max: 65535 }, "7422", "7422", "Port of the broker for sites with a server of their own (`enroll --leaf`); 0 closes it.";
    NatsPlaintext "NATS_PLAINTEXT" Both, Kind::Bool, "false", "true", "Allow nats:// beyond this machine: what people and machines say, files and answers can then be read and changed on the way.";
    NatsServer "NATS_SERVER" Keyring, Kind::Program, "nats-server", "/usr/local/bin/nats-server", "The nats-server program standalone runs.";
    NodeId "NODE_ID" Host, Kind::NodeId, "from the machine's name", "home-pc", "Name of this host: 1 to 32 of a-z, 0-9 and -.";
    DisplayName "DISPLAY_NAME" Host, Kind::Text, "NODE_ID", "Home PC", "Name people see.";
    Description "DESCRIPTION" Host, Kind::Text, "", "Builds and tests; has the GPU", "What this host is for, one line: shown in /nodes, and told to the model that chooses a machine.";
    ServesUsers "SERVES_USERS" Host, Kind::Users, "", "ou_abc123", "Whom this host serves; empty leaves it to the hub.";
    WorkingDir "WORKING_DIR" Both, Kind::Path, "~/phonework", "/home/me/projects", "Folder of all projects; sessions, shell and files stay inside it.";
    DataDir "DATA_DIR" Both, Kind::Path, "$XDG_DATA_HOME/phonework or ~/.local/share/phonework", "/var/lib/phonework", "Folder for identities, journal and audit.";
    ClaudeBin "CLAUDE_BIN" Both, Kind::Program, "claude", "claude", "The Claude Code program.";
    ClaudeArgs "CLAUDE_ARGS" Both, Kind::Words, "", "--effort high", "Further arguments for it: a list, or one text split on blanks.";
    ClaudeLive "CLAUDE_LIVE" Both, Kind::Number { min: 1, max: 1000 }, "6", "6", "Claude processes that may live at once; each takes 150 to 200 MB. Over it the one that was idle longest makes room.";
    TrustProjects "TRUST_PROJECTS" Both, Kind::Paths, "", "/home/me/projects/mine", "Projects whose own Claude settings are obeyed.";
    ShellRead "SHELL_READ" Both, Kind::Paths, "", "/opt/sdk", "Folders outside WORKING_DIR that sandboxed commands may read.";
    AuditDays "AUDIT_DAYS" Both, Kind::Number { min: 1, max: 3650 }, "90", "90", "Days the audit log is kept.";
    Locale "LOCALE" Both, Kind::Locale, "each person's own", "en", "Language: zh or en.";
    Timezone "TIMEZONE" Both, Kind::Zone, "the machine's", "Asia/Shanghai", "Time zone for reminders, an IANA name.";
    Log "LOG" Both, Kind::Filter, "info", "info,host=debug", "Log level or filter.";
}

impl Key {
    /// As written in the file: `NATS_URL`.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// Its environment variable: `PHONEWORK_NATS_URL`.
    pub fn env_name(self) -> String {
        format!("{ENV_PREFIX}{}", self.name())
    }

    /// Its flag without the dashes: `nats-url`.
    pub fn flag(self) -> String {
        self.name().to_ascii_lowercase().replace('_', "-")
    }

    /// Whether its value must never be shown.
    pub const fn is_secret(self) -> bool {
        matches!(self.spec().kind, Kind::Secret)
    }

    /// The key of exactly this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// The key of `file` somebody who wrote `name` most likely meant.
    pub(super) fn guess(name: &str, file: FileKind) -> Option<Self> {
        let name = name.trim().to_ascii_uppercase().replace(['-', ' '], "_");
        let candidates = || {
            Self::ALL
                .iter()
                .copied()
                .filter(|key| key.spec().files.contain(file))
        };
        let best = candidates()
            .map(|key| (key, strsim::jaro_winkler(&name, key.name())))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((key, score)) if score >= 0.88 => Some(key),
            Some(_) | None => {
                let mut ending = candidates().filter(|key| {
                    key.name()
                        .strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.ends_with('_'))
                });
                ending.next().filter(|_| ending.next().is_none())
            }
        }
    }
}

/// What the environment variables begin with.
pub const ENV_PREFIX: &str = "PHONEWORK_";

/// The table of keys for the documentation, in Markdown.
pub fn markdown_table() -> String {
    use std::fmt::Write as _;
    let mut table = String::from(
        "| key | file | type | default | meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for spec in Key::ALL.iter().map(|key| key.spec()) {
        let files = match spec.files {
            Files::Keyring => "keyring",
            Files::Host => "host_config",
            Files::Both => "both",
        };
        let kind = match spec.kind {
            Kind::Text => "text".to_owned(),
            Kind::Secret => "secret text".to_owned(),
            Kind::Bool => "true or false".to_owned(),
            Kind::Number { min, max } => format!("number {min} to {max}"),
            Kind::Path => "path".to_owned(),
            Kind::Paths => "list of paths".to_owned(),
            Kind::Program => "program".to_owned(),
            Kind::Words => "list of words".to_owned(),
            Kind::Users => "list of user ids".to_owned(),
            Kind::Map => "map".to_owned(),
            Kind::HttpUrl => "http(s) address".to_owned(),
            Kind::NatsUrl => "tls://, wss:// or nats:// address".to_owned(),
            Kind::Address => "IP address".to_owned(),
            Kind::Locale => "zh or en".to_owned(),
            Kind::Zone => "IANA time zone".to_owned(),
            Kind::NodeId => "node id".to_owned(),
            Kind::Filter => "log filter".to_owned(),
        };
        let default = if spec.default.is_empty() {
            "–".to_owned()
        } else {
            format!("`{}`", spec.default)
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {files} | {kind} | {default} | {} |",
            spec.name, spec.doc
        );
    }
    table
}
