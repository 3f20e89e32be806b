//! What the router makes on the broker, and what it says when it cannot.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::stream::Config;
use common::health::Health;
use common::stream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use router::{ProvisionError, RouterError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::world::{World, connect, id, until};

/// Every stream and consumer, as the server describes them.
async fn all(world: &World) -> BTreeMap<String, Value> {
    let inside = world.inside.clone();
    let mut streams = inside.jetstream().streams();
    let mut all = BTreeMap::new();
    while let Some(info) = streams.try_next().await.unwrap() {
        let name = info.config.name.clone();
        all.insert(name.clone(), serde_json::to_value(&info.config).unwrap());
        let handle = inside.jetstream().get_stream(&name).await.unwrap();
        let mut consumers = handle.consumers();
        while let Some(consumer) = consumers.try_next().await.unwrap() {
            // Watches of buckets come and go with their readers.
            if consumer.config.durable_name.is_some() {
                let config = serde_json::to_value(&consumer.config).unwrap();
                all.insert(format!("{name}/{}", consumer.name), config);
            }
        }
    }
    all
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    let mut world = World::start(&["home"]).await;
    let first = all(&world).await;
    let names: Vec<_> = first.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "KV_PW_FANOUT",
            "KV_PW_GATE_feishu",
            "KV_PW_GATE_web",
            "KV_PW_NODES",
            "KV_PW_NOTICES",
            "KV_PW_PRESENCE",
            "KV_PW_REMIND",
            "KV_PW_ROUTER",
            "KV_PW_USERS",
            "KV_PW_WAITING",
            "PW_DLQ",
            "PW_DLQ/router",
            "PW_DOWN",
            "PW_IN",
            "PW_IN/router",
            "PW_OUT",
            "PW_OUT/feishu",
            "PW_OUT/web",
            "PW_SCHED",
            "PW_SCHED/router",
            "PW_TURN",
            "PW_TURN/router",
            "PW_UP",
            "PW_WORK",
            "PW_WORK/home",
        ]
    );
    // For whoever looks at the hub with the broker's own tools.
    for (name, config) in &first {
        let told = config["description"].as_str().unwrap_or_default();
        assert!(told.len() > 10, "{name} does not say what it is: {told:?}");
    }
    assert_eq!(first["PW_WORK/home"]["max_ack_pending"], 1);
    assert_eq!(first["KV_PW_GATE_web"]["allow_direct"], true);
    world.stop_router().await;
    world.start_router().await;
    assert_eq!(all(&world).await, first);
}

/// Many nodes are a list of many and not as many questions; those that are not as they should be, and
/// those that are missing, are made.
#[tokio::test]
async fn a_second_start_asks_for_all_consumers_of_nodes_at_once() {
    let names: Vec<String> = (0..40).map(|node| format!("node-{node}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::start(&names).await;
    let inside = world.inside.clone();
    let work = inside.jetstream().get_stream(stream::WORK).await.unwrap();
    let made = async || {
        let mut work = work.clone();
        work.info().await.unwrap().state.consumer_count
    };
    until("each has its consumer", || async {
        (made().await == names.len()).then_some(())
    })
    .await;
    world.stop_router().await;
    work.delete_consumer("node-3").await.unwrap();
    let other = async_nats::jetstream::consumer::pull::Config {
        max_ack_pending: 5,
        ..stream::work_node(&id("node-7"))
    };
    work.create_consumer(other).await.unwrap();
    let mut asked = inside
        .client()
        .subscribe("$JS.API.CONSUMER.>")
        .await
        .unwrap();
    inside.client().flush().await.unwrap();

    world.start_router().await;
    let as_it_should_be = async |node: &str| {
        let info = work.consumer_info(node).await;
        info.is_ok_and(|info| info.config.max_ack_pending == 1)
    };
    until("both are mended", || async {
        (as_it_should_be("node-3").await && as_it_should_be("node-7").await).then_some(())
    })
    .await;
    let mut requests = Vec::new();
    // In order on one connection: with our own last question all before it have come.
    let ours = "$JS.API.CONSUMER.INFO.PW_WORK.node-0";
    work.consumer_info("node-0").await.unwrap();
    while let Some(request) = asked.next().await {
        if request.subject.as_str() == ours {
            break;
        }
        if request.subject.contains(".PW_WORK") {
            requests.push(request.subject.to_string());
        }
    }
    let of = |kind: &str| {
        let kind = format!("$JS.API.CONSUMER.{kind}.");
        requests.iter().filter(|one| one.starts_with(&kind)).count()
    };
    assert_eq!((of("LIST"), of("CREATE")), (1, 2), "{requests:?}");
}

#[tokio::test]
async fn what_an_earlier_version_made_is_brought_up_to_date() {
    let mut world = World::hub(&[]).await;
    let wanted = stream::streams().remove(0);
    let old = Config {
        description: None,
        max_bytes: 1024 * 1024,
        ..wanted.clone()
    };
    let inside = world.inside.clone();
    inside.jetstream().create_stream(old).await.unwrap();
    world.start_router().await;
    let now = inside.jetstream().get_stream(stream::IN).await.unwrap();
    assert_eq!(now.cached_info().config.max_bytes, wanted.max_bytes);
    assert_eq!(now.cached_info().config.description, wanted.description);
}

async fn refused(world: &World, who: &str) -> ProvisionError {
    let broker = connect(&world.nats, &world.nats.creds(who)).await;
    let health = Health::default();
    let run = router::run(
        world.options(),
        broker,
        health.clone(),
        CancellationToken::new(),
    );
    let error = tokio::time::timeout(Duration::from_secs(20), run)
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        !health.report().0,
        "the router's line on the board must say so"
    );
    match error {
        RouterError::Provision(error) => error,
        other => panic!("{other}"),
    }
}

fn edit(world: &World, from: &str, to: &str) {
    let path = world.nats.hub().conf_path();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} in\n{text}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

#[tokio::test]
async fn wrong_credentials_are_named() {
    let world = World::hub(&[]).await;
    let error = refused(&world, "gateway").await;
    assert!(
        matches!(error, ProvisionError::Forbidden { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("creds/router.creds"), "{error}");
}

#[tokio::test]
async fn no_room_is_named() {
    let mut world = World::hub(&[]).await;
    edit(
        &world,
        "max_file_store: 8589934592",
        "max_file_store: 300000000",
    );
    world.nats.restart().await;
    let error = refused(&world, "router").await;
    assert!(matches!(error, ProvisionError::NoSpace { .. }), "{error:?}");
    assert!(error.to_string().contains("max_file_store"), "{error}");
}

#[tokio::test]
async fn an_account_without_jetstream_is_named() {
    let world = World::hub(&[]).await;
    let error = refused(&world, "sys").await;
    assert!(matches!(error, ProvisionError::Off { .. }), "{error:?}");
    assert!(error.to_string().contains("hub.conf"), "{error}");
}
