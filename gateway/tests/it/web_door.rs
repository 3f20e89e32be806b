//! Who gets in to the page, and from where.

use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use uuid::Uuid;

use crate::stage::{Stage, until};
use crate::visitor::{Visitor, cookie_of, set_up, start};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_printed_link_lets_in_and_only_once() {
    let (stage, dir, mut gateway) = start().await;
    let mut visitor = Visitor::new(&mut gateway).await;
    let refused = visitor.page().await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let csp = refused.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(
        csp.starts_with("default-src 'none'") && !csp.contains("unsafe"),
        "{csp}"
    );
    assert!(refused.text().await.unwrap().contains("login link"));
    let hi = json!({"id": Uuid::new_v4(), "text": "hi"});
    let said = visitor.post("/api/messages", &hi).await;
    assert_eq!(said.status(), StatusCode::UNAUTHORIZED);

    let wrong = format!("{}/login?token=AAAA", visitor.origin);
    assert_eq!(visitor.get(&wrong).await.status(), StatusCode::UNAUTHORIZED);
    let answer = visitor.get(&visitor.link).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = cookie_of(&answer);
    let used = visitor.get(&visitor.link).await;
    assert_eq!(used.status(), StatusCode::UNAUTHORIZED);
    assert!(used.text().await.unwrap().contains("has been used"));
    visitor.cookie = Some(cookie.clone());
    assert_eq!(visitor.page().await.status(), StatusCode::OK);

    // A restart logs nobody out, and the old link stays used.
    let old = visitor.link.split("/login").nth(1).unwrap().to_owned();
    gateway.stop().await;
    let mut gateway = stage.gateway(set_up(&dir));
    let mut visitor = Visitor::new(&mut gateway).await;
    assert!(!visitor.link.ends_with(&old));
    let old = format!("{}/login{old}", visitor.origin);
    assert_eq!(visitor.get(&old).await.status(), StatusCode::UNAUTHORIZED);
    visitor.cookie = Some(cookie);
    assert_eq!(visitor.page().await.status(), StatusCode::OK);
    // A cookie that we did not sign.
    visitor.cookie = visitor
        .cookie
        .map(|cookie| cookie.replace("owner.", "owner.9"));
    assert_eq!(visitor.page().await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_and_names_are_refused_and_health_is_public() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let url = format!("{}/api/messages", visitor.origin);
    let body = json!({"id": Uuid::new_v4(), "text": "do it"});
    for origin in [Some("http://evil.example"), Some("null"), None] {
        let mut request = visitor.request(Method::POST, &url).json(&body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin:?}");
    }
    let rebound = visitor.request(Method::GET, &format!("{}/", visitor.origin));
    let rebound = rebound.header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);

    let address = visitor.origin.trim_start_matches("http://");
    for (origin, cookie, status) in [
        ("http://evil.example", visitor.cookie.clone(), 403),
        (visitor.origin.as_str(), None, 401),
    ] {
        let mut request = format!("ws://{address}/api/follow")
            .into_client_request()
            .unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        if let Some(cookie) = cookie {
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), status),
            other => panic!("{other:?}"),
        }
    }
    let health = async || {
        let url = format!("{}/health", visitor.origin);
        let answer = visitor.http.get(url).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (_, report) = until("a good board", async || {
        let (status, report) = health().await;
        (status == StatusCode::OK).then_some((status, report))
    })
    .await;
    assert_eq!(report["parts"]["web"]["ok"], true);
    assert_eq!(report["parts"]["gateway"]["detail"]["refusals"], 0);
    assert!(stage.said().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_passed_over() {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut options = set_up(&dir);
    options.port = port;
    let mut gateway = stage.gateway(options);
    let ready = gateway.ready().await;
    assert!(ready.address.port() > port && ready.address.port() < port + 10);
    assert!(
        ready
            .link
            .expose_secret()
            .contains(&ready.address.to_string())
    );
}
