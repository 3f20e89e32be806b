//! Searching, asking and the reader, at a stand-in for the service.

use std::time::Duration;

use common::config::MetasoSettings;
use common::text::host::web::WebText;
use kit::metaso::{KEY, Metaso, Mood};
use serde_json::json;

use super::site::{Reply, Site};
use crate::web::fetch::Bounds;
use crate::web::policy::Policy;
use crate::web::{Scope, Web};

fn web_with(service: &Metaso, key: &str, policy: Policy) -> Web {
    let settings = MetasoSettings {
        base_url: service.url().to_owned(),
        api_key: key.into(),
    };
    let bounds = Bounds {
        time: Duration::from_secs(2),
        ..Bounds::PRODUCT
    };
    Web::within(Some(&settings), policy, bounds).unwrap()
}

fn web(service: &Metaso) -> Web {
    web_with(service, KEY, Policy::public())
}

#[tokio::test]
async fn each_scope_is_searched_and_remembered() {
    let service = Metaso::start().await;
    let web = web(&service);
    for (scope, wire) in [
        (Scope::Webpage, "webpage"),
        (Scope::Paper, "scholar"),
        (Scope::Document, "document"),
        (Scope::Video, "video"),
        (Scope::Podcast, "podcast"),
    ] {
        for _ in 0..2 {
            let found = web.search(" Rust ", scope).await.unwrap();
            assert_eq!(found.hits.len(), 3);
            assert_eq!(found.hits[0].title, format!("{wire} 1 about Rust"));
            assert_eq!(found.credits, Some(97));
        }
    }
    // Another spelling of the same search costs nothing either.
    web.search("rust", Scope::Webpage).await.unwrap();
    let asked = service.asked();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[1].1["scope"], "scholar");
    assert!(asked.iter().all(|(_, ask)| ask.get("size").is_none()));
    assert!(
        web.search("nothing", Scope::Webpage)
            .await
            .unwrap()
            .hits
            .is_empty()
    );
}

#[tokio::test]
async fn a_question_is_answered_with_sources() {
    let service = Metaso::start().await;
    let web = web(&service);
    let answer = web.ask("why", Scope::Webpage).await.unwrap();
    assert_eq!(answer.text, "The answer to why.");
    assert_eq!(answer.sources.len(), 2);
    assert_eq!(answer.credits, Some(95));
    assert_eq!(service.asked()[0].1["format"], "simple");
}

#[tokio::test]
async fn every_failure_has_its_words() {
    let service = Metaso::start().await;
    let web = web(&service);
    for (mood, why) in [
        (Mood::Inside(2005, "key"), WebText::BadKey),
        (Mood::Inside(3003, "limit"), WebText::Exhausted),
        (Mood::Status(429, json!({})), WebText::TooFast),
        (
            Mood::Status(502, json!("bad")),
            WebText::ServiceFailed { status: 502 },
        ),
        (Mood::Garbage, WebText::ServiceUnclear),
    ] {
        service.mood(mood);
        assert_eq!(web.search("x", Scope::Webpage).await, Err(why.clone()));
        assert_eq!(web.ask("x", Scope::Webpage).await.unwrap_err(), why);
    }
    // A failure is not remembered.
    service.mood(Mood::Well);
    assert!(web.search("x", Scope::Webpage).await.is_ok());
    let wrong = web_with(&service, "mk-other", Policy::public());
    assert_eq!(
        wrong.search("y", Scope::Webpage).await,
        Err(WebText::BadKey)
    );
    let long = "x".repeat(3_000);
    let too_long = web.search(&long, Scope::Webpage).await;
    assert_eq!(too_long, Err(WebText::QueryTooLong { max: 2_000 }));
    let gone = MetasoSettings {
        base_url: "http://127.0.0.1:9".into(),
        api_key: KEY.into(),
    };
    let away = Web::new(Some(&gone)).unwrap();
    assert_eq!(
        away.search("x", Scope::Webpage).await,
        Err(WebText::ServiceAway)
    );
    let without = Web::new(None).unwrap();
    assert_eq!(
        without.search("x", Scope::Webpage).await,
        Err(WebText::NoKey)
    );
    assert_eq!(without.ask("x", Scope::Webpage).await, Err(WebText::NoKey));
}

#[tokio::test]
async fn the_reader_helps_with_public_pages_only() {
    let service = Metaso::start().await;
    let site = Site::start(|path| match path {
        "/closed" => Reply::Status(403),
        "/gone" => Reply::Status(404),
        _ => Reply::To("http://169.254.169.254/".into()),
    })
    .await;
    let web = web_with(&service, KEY, Policy::with(&[], &[site.at]));
    let page = web.read(&site.url("/closed")).await.unwrap();
    assert!(
        page.by_reader && page.text.contains("The words of"),
        "{page:?}"
    );
    assert_eq!(
        web.read(&site.url("/gone")).await,
        Err(WebText::Status { status: 404 })
    );
    assert!(matches!(
        web.read(&site.url("/in")).await,
        Err(WebText::Private { .. })
    ));
    for url in [
        "http://10.0.0.1/",
        "http://localhost/",
        "http://intranet.test/",
    ] {
        assert!(web.read(url).await.is_err());
    }
    assert_eq!(service.asked().len(), 1);
    // Its own failure leaves ours as it is.
    service.mood(Mood::Inside(3003, "limit"));
    assert_eq!(
        web.read(&site.url("/closed")).await,
        Err(WebText::Status { status: 403 })
    );
}
