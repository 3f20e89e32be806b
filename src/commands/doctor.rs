//! `phonework doctor`: every setting with where it comes from (secrets masked), and what is there
//! of the programs that we need, and whether the hub lets this machine in. Changes nothing.

mod link;
mod services;

use std::fmt::Write as _;

use common::config::{Settings, Source};
use host::agent::{ChildEnv, claude};

/// The report.
pub(crate) async fn doctor(settings: &Settings) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match &settings.file {
        Some(file) => writeln!(text, "Configuration: {}", file.display()),
        None => writeln!(text, "Configuration: no file"),
    };
    for (key, origin) in &settings.sources {
        let source = match &origin.source {
            Source::File { line, .. } => format!("line {line}"),
            Source::Env => "environment".to_owned(),
            Source::Flag => "flag".to_owned(),
            Source::Default => "default".to_owned(),
        };
        let _ = writeln!(text, "  {:<20} {:<12} {}", key.name(), source, origin.shown);
    }
    let _ = writeln!(text, "Programs:");
    let env = ChildEnv::inherited(&[]);
    let found = claude::locate(settings.claude.bin.as_deref(), env.get("PATH"));
    let state = match found {
        Ok(program) => match claude::probe(&program).await {
            Ok(version) => format!("{version} ({})", program.display()),
            Err(why) => why.to_string(),
        },
        Err(why) => why.to_string(),
    };
    let _ = writeln!(text, "  claude: {state}");
    let _ = match crate::broker_child::server(settings.nats.server.as_deref(), &settings.data_dir)
        .await
    {
        Ok(program) => writeln!(text, "  nats-server: {}", program.display()),
        Err(why) => writeln!(text, "  nats-server: {why}"),
    };
    let _ = writeln!(text, "Services:");
    for line in services::look(settings).await {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "Hub:");
    for line in link::look(settings).await {
        let _ = writeln!(text, "  {line}");
    }
    text
}
