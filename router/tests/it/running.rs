//! The router as a process sees it: its health page, its registration, its end.

use std::time::Duration;

use common::health::Health;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use crate::world::{World, connect, until};

#[tokio::test]
async fn health_is_served_on_the_next_free_port() {
    let world = World::hub(&["home"]).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = taken.local_addr().unwrap();
    let options = router::RouterOptions {
        http: Some(wanted),
        ..world.options()
    };
    let broker = connect(&world.nats, &world.nats.creds("router")).await;
    let (health, cancel) = (Health::default(), CancellationToken::new());
    let run = tokio::spawn(router::run(options, broker, health.clone(), cancel.clone()));
    let address = until("the router says where", || async {
        health.report().1["parts"]["router"]["detail"]["http"]
            .as_str()
            .map(str::to_owned)
    })
    .await;
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    assert!(
        (wanted.port() + 1..=wanted.port() + 9).contains(&port),
        "{address}"
    );
    let _home = Node::start(&world, "home").await;
    let report = until("the node is counted", || async {
        let answer = reqwest::get(format!("http://{address}/health"))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let report: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (report["parts"]["router"]["detail"]["on"] == 1).then_some(report)
    })
    .await;
    assert_eq!(report["parts"]["broker"]["ok"], true);
    assert_eq!(report["parts"]["router"]["detail"]["off"], 0);
    cancel.cancel();
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_is_a_micro_service_and_ends_soon() {
    let mut world = World::start(&["home"]).await;
    let inside = world.inside.clone();
    let ping = || {
        inside
            .client()
            .request("$SRV.PING.phonework-router", "".into())
    };
    let answer: Value = serde_json::from_slice(&ping().await.unwrap().payload).unwrap();
    assert_eq!(answer["name"], "phonework-router");
    let info = inside
        .client()
        .request("$SRV.INFO.phonework-router", "".into());
    let info: Value = serde_json::from_slice(&info.await.unwrap().payload).unwrap();
    assert_eq!(info["metadata"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    let told = info["description"].as_str().unwrap();
    assert!(told.starts_with("PhoneWork router: "), "{told}");
    let took = world.stop_router().await;
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(world.part("router")["ok"], false);
    assert!(ping().await.is_err(), "nobody answers any more");
    assert_eq!(inside.refusals(), 0);
}
