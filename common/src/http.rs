//! The one place that makes HTTP clients: TLS provider, time limits, private
//! authority and proxies are set here. What is asked of whom is left to the
//! callers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy};

use crate::config::Env;

/// Chooses the TLS implementation for the whole process. The first line of
/// every `main`; harmless when repeated.
pub fn install_tls() {
    // Err means that it is installed already, which is all we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// How a client shall behave.
#[derive(Clone, Copy, Debug)]
pub struct HttpOptions<'a> {
    /// Longest time for a whole request; `None` for streams without an end.
    pub timeout: Option<Duration>,
    /// Longest silence while an answer is read; `None` = only `timeout` counts.
    pub read_timeout: Option<Duration>,
    /// Longest time to connect.
    pub connect_timeout: Duration,
    /// PEM file with authorities to trust besides the system's.
    pub ca: Option<&'a Path>,
    /// How the client names itself.
    pub user_agent: &'a str,
}

impl Default for HttpOptions<'_> {
    /// 30 s for a request, 10 s of them to connect.
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(30)),
            read_timeout: None,
            connect_timeout: Duration::from_secs(10),
            ca: None,
            user_agent: concat!("phonework/", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The file with the authority cannot be read.
    #[error("cannot read the certificate authority {path}: {source}; check NATS_CA")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error(
        "{path} holds no PEM certificate; NATS_CA must name a file with -----BEGIN CERTIFICATE-----"
    )]
    CaContent {
        /// The file.
        path: PathBuf,
    },
    /// A proxy variable of the environment is no address.
    #[error(
        "the environment variable {name} is not the address of a proxy; write for example http://proxy:3128"
    )]
    Proxy {
        /// The variable.
        name: &'static str,
    },
    /// The client could not be put together.
    #[error("cannot make an HTTP client: {0}")]
    Build(#[from] reqwest::Error),
}

/// A client. It keeps connections: make one and clone it.
///
/// # Errors
/// See [`HttpError`].
pub fn client(options: HttpOptions<'_>) -> Result<Client, HttpError> {
    Ok(builder(options)?.build()?)
}

/// The same before it is built, for callers with a resolver or redirect rules
/// of their own.
///
/// # Errors
/// See [`HttpError`].
pub fn builder(options: HttpOptions<'_>) -> Result<ClientBuilder, HttpError> {
    install_tls();
    let mut builder = Client::builder()
        .connect_timeout(options.connect_timeout)
        .user_agent(options.user_agent)
        // Files and streams come as they are; who reads pages asks for it.
        .no_gzip()
        .no_brotli()
        .no_deflate();
    if let Some(limit) = options.timeout {
        builder = builder.timeout(limit);
    }
    if let Some(limit) = options.read_timeout {
        builder = builder.read_timeout(limit);
    }
    if let Some(path) = options.ca {
        let pem = std::fs::read(path).map_err(|source| HttpError::CaFile {
            path: path.to_owned(),
            source,
        })?;
        let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(HttpError::CaContent {
                path: path.to_owned(),
            });
        }
        builder = builder.tls_certs_merge(certificates);
    }
    // Not the library's own reading of the environment: that would send
    // requests for this very machine through the proxy too.
    builder = builder.no_proxy();
    for proxy in proxies(&Env::of_process())? {
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

/// Makes a proxy for one scheme from its address.
type Make = fn(&str) -> reqwest::Result<Proxy>;

/// The proxies the environment names, none of them for loopback hosts.
fn proxies(env: &Env) -> Result<Vec<Proxy>, HttpError> {
    let either = |upper: &'static str, lower: &'static str| {
        [upper, lower]
            .into_iter()
            .find_map(|name| env.get(name).map(|value| (name, value)))
    };
    let mut direct = "localhost,127.0.0.0/8,::1".to_owned();
    if let Some((_, more)) = either("NO_PROXY", "no_proxy") {
        direct.push(',');
        direct.push_str(more);
    }
    let kinds: [(&'static str, &'static str, Make); 3] = [
        ("HTTPS_PROXY", "https_proxy", |at| Proxy::https(at)),
        ("HTTP_PROXY", "http_proxy", |at| Proxy::http(at)),
        ("ALL_PROXY", "all_proxy", |at| Proxy::all(at)),
    ];
    let mut proxies = Vec::new();
    for (upper, lower, make) in kinds {
        let Some((name, address)) = either(upper, lower) else {
            continue;
        };
        let proxy = make(address).map_err(|_| HttpError::Proxy { name })?;
        proxies.push(proxy.no_proxy(NoProxy::from_string(&direct)));
    }
    Ok(proxies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Answers each request with `say` and the first line it was asked.
    async fn server(say: &'static str) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 1024];
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                let first = String::from_utf8_lossy(&buffer[..read])
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let body = format!("{say}: {first}");
                let reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(reply.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn loopback_is_asked_directly_and_others_through_the_proxy() {
        let (target, proxy) = (server("target").await, server("proxy").await);
        let env: Env = [("http_proxy", format!("http://{proxy}"))]
            .into_iter()
            .collect();
        let mut builder = builder(HttpOptions::default()).unwrap().no_proxy();
        for proxy in proxies(&env).unwrap() {
            builder = builder.proxy(proxy);
        }
        let client = builder.build().unwrap();
        let get = async |url: String| client.get(url).send().await.unwrap().text().await.unwrap();
        assert_eq!(
            get(format!("http://{target}/a")).await,
            "target: GET /a HTTP/1.1"
        );
        assert_eq!(
            get(format!("http://localhost:{}/b", target.port())).await,
            "target: GET /b HTTP/1.1"
        );
        assert_eq!(
            get("http://elsewhere.invalid/c".to_owned()).await,
            "proxy: GET http://elsewhere.invalid/c HTTP/1.1"
        );
    }

    #[test]
    fn a_proxy_that_is_none_is_named() {
        let env: Env = [("HTTPS_PROXY", "http://")].into_iter().collect();
        let error = proxies(&env).unwrap_err().to_string();
        insta::assert_snapshot!(error, @"the environment variable HTTPS_PROXY is not the address of a proxy; write for example http://proxy:3128");
    }

    #[test]
    fn tls_can_be_installed_twice() {
        install_tls();
        install_tls();
        client(HttpOptions::default()).unwrap();
    }

    #[test]
    fn a_bad_authority_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let ask = || {
            client(HttpOptions {
                ca: Some(&path),
                ..HttpOptions::default()
            })
            .unwrap_err()
        };
        assert!(matches!(ask(), HttpError::CaFile { .. }));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(ask(), HttpError::CaContent { .. }));
    }
}
