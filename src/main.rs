//! The one binary: reads arguments and configuration, then hands over to `run`, which assembles
//! the parts, or to one of the `commands`. Holds no logic of its own.

mod arguments;
mod broker_child;
mod commands;
mod credentials;
mod hub;
mod run;
mod shutdown;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use common::config::{self, ConfigError, FileKind, Request, Settings};
use common::identity::EnrollOptions;
use common::ids::UserId;
use common::lang::Lang;

use crate::arguments::{Look, Parsed, Role, Wish};

/// Exit code of a bad configuration or bad arguments, as in sysexits.
const EX_USAGE: u8 = 64;

fn main() -> ExitCode {
    // A command of a person that is to be kept and shut in: this process stays with it, or becomes it.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|first| first == "sandbox") {
        let words: Vec<_> = words.collect();
        return ExitCode::from(u8::try_from(host::shell::begin(&words)).unwrap_or(127));
    }
    common::http::install_tls();
    let parsed = match arguments::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(EX_USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let outcome = runtime.block_on(begin(parsed));
    // What still runs after an orderly end is only waiting; it is not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let mut stderr = std::io::stderr();
    if let Some(config) = error.downcast_ref::<ConfigError>() {
        let _ = writeln!(stderr, "{config}");
        return ExitCode::from(config.exit_code());
    }
    let _ = writeln!(stderr, "phonework: {error:#}");
    ExitCode::FAILURE
}

async fn begin(parsed: Parsed) -> anyhow::Result<()> {
    // This machine has no configuration yet; it is about to get one.
    if let Role::Join { token, out, then } = &parsed.role {
        let _ = common::telemetry::init("warn", false);
        let said = commands::join::Surroundings::of(&parsed.flags, &config::Env::of_process());
        let joined = commands::join::join(token, out, said).await?;
        say(&joined.text)?;
        return say(&commands::then::then(*then, &joined.node, &joined.config)?);
    }
    let kind = match parsed.role {
        Role::Host | Role::Service { .. } => FileKind::Host,
        Role::Standalone
        | Role::Router
        | Role::Gateway
        | Role::Init
        | Role::Enroll(_)
        | Role::EnrollSite(_)
        | Role::Join { .. }
        | Role::Revoke { .. }
        | Role::Nodes { .. } => FileKind::Keyring,
        Role::Doctor { host: true } | Role::Audit(Look { host: true, .. }) => FileKind::Host,
        Role::Doctor { host: false } | Role::Audit(Look { host: false, .. }) => FileKind::Keyring,
    };
    let request = Request::of_process(kind, parsed.config, parsed.flags);
    let lang = request.env.lang();
    let settings = config::load(&request)?;
    // A second subscriber, as in tests, is no reason not to run.
    // What these have to say, they say; the connection's own words would stand in between.
    let log = if matches!(
        parsed.role,
        Role::Nodes { .. } | Role::Revoke { .. } | Role::Audit(_)
    ) {
        "error"
    } else {
        &settings.log
    };
    let _ = common::telemetry::init(log, false);
    warn_of(&settings, lang);
    let ca = credentials::ca_of(&settings);
    match parsed.role {
        Role::Standalone => run::standalone(settings).await,
        Role::Router => run::router(settings).await,
        Role::Gateway => run::gateway(settings).await,
        Role::Host => run::host(settings).await,
        Role::Init => say(&commands::init::init(
            &settings.data_dir,
            &hub::hub_options(&settings)?,
        )?),
        Role::Join { .. } => Ok(()),
        Role::Service { remove } => {
            let file = settings.file.as_deref();
            let file = file.unwrap_or_else(|| Path::new("host_config.yaml"));
            let service = commands::service::Service::of(settings.node.id.as_str(), file)?;
            say(&if remove {
                service.remove()?
            } else {
                service.install()?
            })
        }
        Role::Enroll(wish)
            if wish
                .serves
                .iter()
                .any(|user| user.parse::<UserId>().is_err()) =>
        {
            let wrong = wish
                .serves
                .iter()
                .find(|user| user.parse::<UserId>().is_err());
            anyhow::bail!(
                "--serves {:?}: not a user; write ou_… (Feishu) or <surface>/<id>, as in web/owner",
                wrong.map(String::as_str).unwrap_or_default()
            )
        }
        Role::Enroll(Wish {
            node,
            serves,
            name,
            out: None,
            replace,
        }) => {
            let request = commands::invite::InviteRequest {
                data_dir: &settings.data_dir,
                nats_url: settings.nats.url.as_deref(),
                nats_ca: ca.as_deref(),
                node: &node,
                options: EnrollOptions {
                    serves,
                    name,
                    replace,
                },
            };
            let made = commands::invite::invite(&request)?;
            say(&made.line)?;
            // Whoever has closed it needs no notes.
            let _ = std::io::stderr().write_all(made.notes.as_bytes());
            Ok(())
        }
        Role::Enroll(Wish {
            node,
            serves,
            name,
            out: Some(out),
            replace,
        }) => {
            let request = commands::enroll::EnrollRequest {
                data_dir: &settings.data_dir,
                nats_url: hub::hub_url(&settings),
                nats_ca: ca.as_deref(),
                node: &node,
                serves: &serves,
                name: &name,
                out: &out,
                replace,
            };
            say(&commands::enroll::enroll(&request).await?)
        }
        Role::EnrollSite(wish) => say(&commands::site::site(&settings, &wish).await?),
        Role::Revoke { node } => {
            let request = commands::revoke::RevokeRequest {
                data_dir: &settings.data_dir,
                nats_url: settings.nats.url.as_deref(),
                nats_ca: ca.as_deref(),
                node: &node,
            };
            say(&commands::revoke::revoke(request).await?)
        }
        Role::Nodes { json } => {
            let list = commands::nodes::nodes(&settings).await?;
            say(&if json { list.json() } else { list.table() })
        }
        Role::Audit(look) => {
            let mut stdout = std::io::stdout().lock();
            let notes = commands::audit::audit(&settings, &look, &mut stdout)
                .context("writing to standard output")?;
            let _ = std::io::stderr().write_all(notes.as_bytes());
            Ok(())
        }
        Role::Doctor { .. } => say(&commands::doctor::doctor(&settings).await),
    }
}

fn warn_of(settings: &Settings, lang: Lang) {
    let lang = settings.locale.unwrap_or(lang);
    for warning in &settings.warnings {
        tracing::warn!("{}", warning.text(lang));
    }
}

/// What a person at the terminal asked for goes to standard output; everything else to the log.
fn say(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("writing to standard output")
}
