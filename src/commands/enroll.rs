//! `phonework enroll <node> --out DIR`: mints credentials on the hub and writes the two files a machine needs, to be
//! carried over by hand. Works with router and broker down. The way without carrying files is `invite`'s and `join`'s.

use std::fmt::Write as _;
use std::path::Path;

use common::config::Problem;
use common::identity::{EnrollOptions, Hub, IdentityError};

use super::host_files::{CA_NOTE, CaError, FileError, HostConfig, make_dir, read_ca, write_new};

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct EnrollRequest<'a> {
    /// Folder of the hub.
    pub(crate) data_dir: &'a Path,
    /// Address the machine shall connect to.
    pub(crate) nats_url: &'a str,
    /// Authority that signed the broker's certificate, when it is a private one.
    pub(crate) nats_ca: Option<&'a Path>,
    /// Node id.
    pub(crate) node: &'a str,
    /// Users it serves; empty means whoever is admitted.
    pub(crate) serves: &'a [String],
    /// What people call it; the id when empty.
    pub(crate) name: &'a str,
    /// Where the two files go; made when it is not there.
    pub(crate) out: &'a Path,
    /// Bind a taken id to a new key; the old one is cut off.
    pub(crate) replace: bool,
}

/// Why nothing was enrolled, or the files are not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrollError {
    /// The hub refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A file of ours.
    #[error(transparent)]
    File(#[from] FileError),
    /// The authority's file.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// One host of a site.
    #[error("{node}: {why}")]
    Node {
        /// Which.
        node: String,
        /// What happened.
        why: Box<Self>,
    },
    /// The hub listens for no site.
    #[error("{0}")]
    NoWay(&'static str),
    /// Not an address of a site's server.
    #[error(
        "--at {0:?}: write a name or an address, with a port if it is not 4222, as in 10.0.0.2 or 10.0.0.2:4222"
    )]
    At(String),
}

/// Enrols the machine and writes `host_config.yaml` and `<node>.creds` (0600) into the folder. Returns what to tell.
///
/// # Errors
/// [`EnrollError`]; a file that exists is found before anything is minted.
pub(crate) async fn enroll(request: &EnrollRequest<'_>) -> Result<String, EnrollError> {
    common::identity::check_node_id(request.node)?;
    let hub = Hub::open(request.data_dir)?;
    let creds_path = request.out.join(format!("{}.creds", request.node));
    let config_path = request.out.join("host_config.yaml");
    for path in [&config_path, &creds_path] {
        if path.exists() {
            return Err(FileError::Exists(path.clone()).into());
        }
    }
    make_dir(request.out)?;
    // One that was removed has no key any more that could be cut off.
    let removed = hub
        .node(request.node)?
        .is_some_and(|record| record.revoked_at.is_some());
    let options = EnrollOptions {
        serves: request.serves.to_vec(),
        name: request.name.to_owned(),
        replace: request.replace || removed,
    };
    // The configuration first: should the disk be full, no id is bound to a key that nobody got.
    let ca = request.nats_ca.map(read_ca).transpose()?;
    let ca_path = request.out.join("ca.pem");
    if let Some(pem) = &ca
        && std::fs::read_to_string(&ca_path).ok().as_ref() != Some(pem)
    {
        write_new(&ca_path, pem)?;
    }
    let config = HostConfig {
        node: request.node,
        name: request.name,
        url: request.nats_url,
        plaintext: Problem::plaintext(request.nats_url).is_some(),
        ca: ca.as_ref().map(|_| "ca.pem"),
        ca_note: ca.as_ref().map(|_| CA_NOTE),
        serves: request.serves,
    };
    write_new(&config_path, &config.text())?;
    let enrolled = match hub.enroll(request.node, &options) {
        Ok(enrolled) => enrolled,
        Err(error) => {
            let _ = std::fs::remove_file(&config_path);
            return Err(error.into());
        }
    };
    enrolled.creds.write(&creds_path)?;

    let (files, third) = match &ca {
        Some(_) => ("these files", format!("  {}\n", ca_path.display())),
        None => ("both files", String::new()),
    };
    let mut text = format!(
        "Enrolled {}. Carry {files} to that machine, into one folder, and run `phonework host` there:\n  {}\n  {}\n{third}\
         The creds file is that machine's key: hand it over privately and delete it here afterwards.\n",
        request.node,
        config_path.display(),
        creds_path.display()
    );
    if request.replace {
        // Writing to a String cannot fail.
        let _ = match hub.tell_broker(request.nats_url, request.nats_ca).await {
            Ok(()) => writeln!(text, "An earlier key of this id is cut off."),
            Err(why) => writeln!(text, "An earlier key of this id is cut off, but {why}."),
        };
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use common::identity::{Creds, HubOptions};

    use super::*;

    fn request<'a>(data_dir: &'a Path, out: &'a Path) -> EnrollRequest<'a> {
        EnrollRequest {
            data_dir,
            nats_url: "nats://127.0.0.1:1",
            nats_ca: None,
            node: "home-pc",
            serves: &[],
            name: "",
            out,
            replace: false,
        }
    }

    #[tokio::test]
    async fn both_files_are_written_and_never_over_others() {
        let dir = tempfile::tempdir().unwrap();
        let (data, out) = (dir.path().join("data"), dir.path().join("out"));
        Hub::init(&data, &HubOptions::default()).unwrap();
        let serves = ["feishu/ou_1".to_owned()];
        let request = EnrollRequest {
            serves: &serves,
            name: "At \"home\": yes",
            ..request(&data, &out)
        };
        let text = enroll(&request).await.unwrap();
        assert!(text.contains("home-pc.creds"), "{text}");
        let creds = Creds::read(&out.join("home-pc.creds")).unwrap();
        assert_eq!(creds.name(), "home-pc");
        let mode = std::fs::metadata(out.join("home-pc.creds"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let config = std::fs::read_to_string(out.join("host_config.yaml")).unwrap();
        let config: serde_json::Value = serde_yaml::from_str(&config).unwrap();
        assert_eq!(
            config,
            serde_json::json!({
                "NODE_ID": "home-pc", "DISPLAY_NAME": "At \"home\": yes", "NATS_URL": "nats://127.0.0.1:1",
                "NATS_CREDS": "home-pc.creds", "SERVES_USERS": ["feishu/ou_1"],
            })
        );

        let again = EnrollRequest {
            replace: true,
            ..request.clone()
        };
        let error = enroll(&again).await.unwrap_err();
        assert!(
            matches!(error, EnrollError::File(FileError::Exists(_))),
            "{error}"
        );
        let hub = Hub::open(&data).unwrap();
        assert_eq!(
            hub.node("home-pc").unwrap().unwrap().public_key,
            creds.public_key(),
            "nothing was minted"
        );
    }

    #[tokio::test]
    async fn a_taken_id_leaves_no_files() {
        let dir = tempfile::tempdir().unwrap();
        let (data, out) = (dir.path().join("data"), dir.path().join("out"));
        let hub = Hub::init(&data, &HubOptions::default()).unwrap();
        hub.enroll("home-pc", &EnrollOptions::default()).unwrap();
        let error = enroll(&request(&data, &out)).await.unwrap_err().to_string();
        assert!(error.contains("--replace"), "{error}");
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
        let bad = EnrollRequest {
            node: "../x",
            ..request(&data, &out)
        };
        assert!(
            enroll(&bad)
                .await
                .unwrap_err()
                .to_string()
                .contains("cannot be a node id")
        );
    }

    #[tokio::test]
    async fn replacing_cuts_the_old_key_off_a_running_broker_and_says_so_when_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut broker = kit::nats::Broker::start().await;
        let old = broker.enroll("home-pc");
        let url = broker.url();
        let (data, first) = (broker.data_dir().to_owned(), dir.path().join("1"));
        let replace = EnrollRequest {
            replace: true,
            nats_url: &url,
            ..request(&data, &first)
        };
        let text = enroll(&replace).await.unwrap();
        assert!(text.ends_with("is cut off.\n"), "{text}");
        let refused = old
            .connect_options()
            .unwrap()
            .connect(&url)
            .await
            .unwrap_err();
        assert_eq!(
            refused.kind(),
            async_nats::ConnectErrorKind::AuthorizationViolation
        );
        broker
            .connect(&Creds::read(&first.join("home-pc.creds")).unwrap())
            .await;

        broker.stop().await;
        let second = dir.path().join("2");
        let text = enroll(&EnrollRequest {
            out: &second,
            ..replace
        })
        .await
        .unwrap();
        assert!(text.contains("next start"), "{text}");
    }
}
