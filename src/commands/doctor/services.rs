//! What the machine works with besides programs: the chat model, the search, the working directory.

use std::path::Path;
use std::time::Duration;

use common::config::{LlmSettings, Settings};
use common::http::HttpOptions;
use rustix::fs::{Access, access};
use secrecy::ExposeSecret as _;

/// The model may be far away; whoever waits for the report waits for this.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A line for each.
pub(super) async fn look(settings: &Settings) -> Vec<String> {
    let model = match &settings.llm {
        Some(llm) => format!("{} at {}: {}", llm.model, llm.base_url, model(llm).await),
        None => "not set up (OPENAI_API_KEY, OPENAI_MODEL); smart mode goes by rules".to_owned(),
    };
    let search = match &settings.metaso {
        Some(metaso) => format!("METASO_API_KEY is set, for {}", metaso.base_url),
        None => "not set up (METASO_API_KEY); /search and /ask say so, all else works".to_owned(),
    };
    let mut lines = vec![format!("model: {model}"), format!("search: {search}")];
    if !settings.router_mode {
        let dir = &settings.working_dir;
        lines.push(format!(
            "working directory: {}: {}",
            dir.display(),
            folder(dir)
        ));
    }
    lines
}

/// Asks for the list of models, which costs nothing. Not every service has one; that it answers at all
/// is what counts.
async fn model(llm: &LlmSettings) -> String {
    let client = match common::http::client(HttpOptions {
        timeout: Some(ANSWERS_WITHIN),
        connect_timeout: ANSWERS_WITHIN,
        ..HttpOptions::default()
    }) {
        Ok(client) => client,
        Err(why) => return why.to_string(),
    };
    let asked = client
        .get(format!("{}/models", llm.base_url))
        .bearer_auth(llm.api_key.expose_secret())
        .send()
        .await;
    match asked.map(|answer| answer.status().as_u16()) {
        Ok(401 | 403) => "refuses the key; check OPENAI_API_KEY".to_owned(),
        Ok(status @ 500..) => format!("answers with an error ({status}); try again later"),
        Ok(_) => "answers".to_owned(),
        Err(_) => "cannot be reached; check OPENAI_BASE_URL, the network and the proxy".to_owned(),
    }
}

fn folder(dir: &Path) -> &'static str {
    if !dir.exists() {
        "not there yet; it is made at the first start"
    } else if !dir.is_dir() {
        "not a folder; name another one with WORKING_DIR"
    } else if access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        "may not be written by this user; name another one with WORKING_DIR"
    } else {
        "can be written"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_model_that_is_not_there_is_told() {
        let llm = LlmSettings {
            base_url: "http://127.0.0.1:9/v1".into(),
            api_key: "sk-x".into(),
            model: "m".into(),
            extra: serde_json::Map::new(),
        };
        assert!(model(&llm).await.contains("cannot be reached"));
    }

    #[test]
    fn folders_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(folder(dir.path()), "can be written");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(folder(&file).starts_with("not a folder"));
        assert!(folder(&dir.path().join("none")).starts_with("not there yet"));
    }
}
