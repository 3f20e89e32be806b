//! Telling a running broker that an account has changed, so that a machine is cut off within a moment and not at the
//! broker's next start. What changed is the hub's business.

use std::path::Path;
use std::time::Duration;

use super::{Creds, Hub, IdentityError};

/// How long the broker may take to answer; a hub on the same machine needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

impl Hub {
    /// Sends the changed accounts to the broker at `url`. Connections of revoked machines are closed by the time this
    /// returns. Without it the broker learns of them when it starts next.
    ///
    /// # Errors
    /// [`IdentityError::Broker`] when it cannot be reached, or refuses.
    pub async fn tell_broker(&self, url: &str, ca: Option<&Path>) -> Result<(), IdentityError> {
        let failed = |why: String| IdentityError::Broker {
            url: url.to_owned(),
            why,
        };
        crate::http::install_tls();
        let mut options = Creds::read(&self.creds_path("sys"))?.connect_options()?;
        if let Some(ca) = ca {
            options = options.add_root_certificates(ca.to_owned());
        }
        let attempt = async {
            let client = Box::pin(options.connect(url))
                .await
                .map_err(|error| error.to_string())?;
            for account in self.changed_accounts().map_err(|error| error.to_string())? {
                let answer = client
                    .request("$SYS.REQ.CLAIMS.UPDATE", account.into())
                    .await
                    .map_err(|error| error.to_string())?;
                let answer: serde_json::Value =
                    serde_json::from_slice(&answer.payload).map_err(|error| error.to_string())?;
                if answer
                    .pointer("/data/code")
                    .and_then(serde_json::Value::as_i64)
                    != Some(200)
                {
                    return Err(format!("it did not take the change: {answer}"));
                }
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, attempt)
            .await
            .unwrap_or_else(|_| Err("no answer within 5 s".into()))
            .map_err(failed)
    }
}
