//! What a request must look like before anybody reads it: meant for us, and, where it changes
//! something, sent by our own page. Also the headers that every answer carries.
//!
//! Who is logged in is `login`'s.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::lang::Lang;
use common::text::Say as _;
use common::text::gateway::GatewayText;

/// Nothing but our own files; no inline script or style, no frames, no forms.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // The login link must not travel on.
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Where we listen, as far as it decides about requests.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// The names under which a browser may reach us; none: any.
    hosts: Option<Vec<String>>,
    lang: Lang,
}

impl Guard {
    /// For a server on `ip` and `port`.
    pub(super) fn new(ip: IpAddr, port: u16, lang: Lang) -> Self {
        // On the loopback any other name is a foreign page's trick (DNS rebinding). On other
        // addresses we cannot know our names; there the cookie protects, as browsers keep it per
        // name, and the origin must equal the name in any case.
        let hosts = ip.is_loopback().then(|| {
            let mut names = vec!["127.0.0.1".to_owned(), "localhost".into(), "[::1]".into()];
            let own = match ip {
                IpAddr::V4(ip) => ip.to_string(),
                IpAddr::V6(ip) => format!("[{ip}]"),
            };
            if !names.contains(&own) {
                names.push(own);
            }
            let with_port = names.iter().map(|name| format!("{name}:{port}")).collect();
            if port == 80 { names } else { with_port }
        });
        Self { hosts, lang }
    }

    /// Whether to let a request through.
    fn passes(&self, method: &Method, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(host) = text(header::HOST).map(str::to_ascii_lowercase) else {
            return false;
        };
        if self
            .hosts
            .as_ref()
            .is_some_and(|hosts| !hosts.contains(&host))
        {
            return false;
        }
        // Browsers name the origin with everything that is not a plain read, and always when a
        // websocket is opened.
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        if !changes && !headers.contains_key(header::UPGRADE) {
            return true;
        }
        text(header::ORIGIN)
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(scheme, name)| {
                matches!(scheme, "http" | "https") && name.eq_ignore_ascii_case(&host)
            })
    }
}

/// The layer around all routes.
pub(super) async fn layer(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if guard.passes(request.method(), request.headers()) {
        next.run(request).await
    } else {
        (
            StatusCode::FORBIDDEN,
            GatewayText::OtherOrigin.say(guard.lang),
        )
            .into_response()
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn only_our_names_and_our_own_page() {
        let guard = Guard::new([127, 0, 0, 1].into(), 8000, Lang::En);
        let get = |host: &str| guard.passes(&Method::GET, &headers(&[(header::HOST, host)]));
        assert!(get("127.0.0.1:8000") && get("LOCALHOST:8000") && get("[::1]:8000"));
        assert!(!get("127.0.0.1:8001") && !get("evil.example:8000") && !get("127.0.0.1"));
        let post = |origin: &[(HeaderName, &str)]| {
            let mut all = headers(origin);
            all.insert(header::HOST, "localhost:8000".parse().unwrap());
            guard.passes(&Method::POST, &all)
        };
        assert!(post(&[(header::ORIGIN, "http://localhost:8000")]));
        for bad in [
            "http://evil.example",
            "http://localhost:8001",
            "null",
            "http://127.0.0.1:8000",
        ] {
            assert!(!post(&[(header::ORIGIN, bad)]), "{bad}");
        }
        assert!(!post(&[]));
        let socket = headers(&[
            (header::HOST, "localhost:8000"),
            (header::UPGRADE, "websocket"),
            (header::ORIGIN, "http://evil.example"),
        ]);
        assert!(!guard.passes(&Method::GET, &socket));
    }

    #[test]
    fn on_other_addresses_the_origin_must_equal_the_name() {
        let guard = Guard::new([0, 0, 0, 0].into(), 8000, Lang::En);
        let post = |origin: &str| {
            let all = headers(&[(header::HOST, "pc.lan:8000"), (header::ORIGIN, origin)]);
            guard.passes(&Method::POST, &all)
        };
        assert!(post("http://pc.lan:8000") && post("https://pc.lan:8000"));
        assert!(!post("http://other.lan:8000"));
    }
}
