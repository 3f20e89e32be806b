//! The child with a real `nats-server`: comes up, comes back, goes away, and says clearly when it cannot.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::identity::{Creds, Hub, HubOptions};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::*;

mod disk;

const SOON: Duration = Duration::from_secs(20);

fn hub() -> (TempDir, Hub) {
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::init(
        &dir.path().join("data"),
        &HubOptions {
            port: -1,
            ..HubOptions::default()
        },
    )
    .unwrap();
    (dir, hub)
}

fn options(hub: &Hub) -> BrokerOptions {
    BrokerOptions {
        data_dir: hub.data_dir().to_owned(),
        server: Some(kit::nats::server_binary()),
        port: None,
    }
}

async fn start(hub: &Hub) -> BrokerChild {
    BrokerChild::start(options(hub), CancellationToken::new())
        .await
        .unwrap()
}

async fn router(hub: &Hub, url: &str) -> async_nats::Client {
    let creds = Creds::read(&hub.creds_path("router")).unwrap();
    let client = creds.connect_options().unwrap().connect(url).await.unwrap();
    client.request("$JS.API.INFO", "".into()).await.unwrap();
    client
}

fn pid(raw: u32) -> Pid {
    Pid::from_raw(raw.cast_signed()).unwrap()
}

fn alive(raw: u32) -> bool {
    test_kill_process(pid(raw)).is_ok()
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn it_serves_and_stops_and_lets_go_of_the_folder() {
    let (_dir, hub) = hub();
    let child = start(&hub).await;
    router(&hub, child.url()).await;
    let first = child.pid().unwrap();
    child.stop().await;
    assert!(!alive(first));
    let again = start(&hub).await;
    router(&hub, again.url()).await;
    again.stop().await;
}

#[tokio::test]
async fn a_killed_server_comes_back_on_its_port_with_what_was_stored() {
    let (_dir, hub) = hub();
    let child = start(&hub).await;
    let client = router(&hub, child.url()).await;
    let js = async_nats::jetstream::new(client.clone());
    let config = async_nats::jetstream::stream::Config {
        name: "S".into(),
        subjects: vec!["s".into()],
        ..Default::default()
    };
    js.create_stream(config).await.unwrap();
    js.publish("s", "kept".into()).await.unwrap().await.unwrap();
    let first = child.pid().unwrap();
    kill_process(pid(first), Signal::KILL).unwrap();
    until("another process", || {
        child.pid().is_some_and(|now| now != first)
    })
    .await;
    // A new client at the old address: the port is the same.
    let js = async_nats::jetstream::new(router(&hub, child.url()).await);
    let stored = js
        .get_stream("S")
        .await
        .unwrap()
        .get_info()
        .await
        .unwrap()
        .state
        .messages;
    assert_eq!(stored, 1);
    child.stop().await;
}

#[tokio::test]
async fn cancelling_and_dropping_stop_it_too() {
    let (_dir, hub) = hub();
    let cancel = CancellationToken::new();
    let child = BrokerChild::start(options(&hub), cancel.clone())
        .await
        .unwrap();
    let first = child.pid().unwrap();
    cancel.cancel();
    until("the server's end", || !alive(first)).await;
    timeout(SOON, child.stop()).await.unwrap();

    let child = start(&hub).await;
    let second = child.pid().unwrap();
    drop(child);
    until("the server's end", || !alive(second)).await;
}

#[tokio::test]
async fn a_server_that_does_not_stop_in_order_is_killed() {
    let (_dir, hub) = hub();
    let child = start(&hub).await;
    let first = child.pid().unwrap();
    kill_process(pid(first), Signal::STOP).unwrap();
    timeout(SOON, child.stop()).await.unwrap();
    assert!(!alive(first));
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_is_told_which() {
    let (_dir, hub) = hub();
    let child = start(&hub).await;
    let error = BrokerChild::start(options(&hub), CancellationToken::new())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, BrokerError::InUse(_)));
    let text = error.to_string();
    assert!(
        text.contains(&*hub.data_dir().to_string_lossy()) && text.contains("DATA_DIR"),
        "{text}"
    );
    router(&hub, child.url()).await;
    child.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let (_dir, hub) = hub();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = BrokerOptions {
        port: Some(port),
        ..options(&hub)
    };
    let error = BrokerChild::start(options, CancellationToken::new())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, BrokerError::PortTaken(_)), "{error}");
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
}

#[tokio::test]
async fn a_bad_configuration_shows_what_the_server_said() {
    let (_dir, hub) = hub();
    let mut conf = OpenOptions::new()
        .append(true)
        .open(hub.conf_path())
        .unwrap();
    conf.write_all(b"no_such_setting: 1\n").unwrap();
    let error = BrokerChild::start(options(&hub), CancellationToken::new())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("no_such_setting") && error.contains("nats.log"),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_hub_it_says_what_to_run() {
    let dir = tempfile::tempdir().unwrap();
    let options = BrokerOptions {
        data_dir: dir.path().to_owned(),
        server: None,
        port: None,
    };
    let error = BrokerChild::start(options, CancellationToken::new())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("phonework init"), "{error}");
}

#[tokio::test]
async fn a_server_left_behind_is_ended_first_and_a_stranger_is_not() {
    let (_dir, hub) = hub();
    let mut orphan = orphan(&hub);
    let pid_file = hub.run_dir().join("nats.pid");
    until("the orphan's pid file", || {
        std::fs::read_to_string(&pid_file).is_ok_and(|text| text.trim() == orphan.id().to_string())
    })
    .await;
    let child = start(&hub).await;
    router(&hub, child.url()).await;
    until("the orphan's end", || orphan.try_wait().unwrap().is_some()).await;
    child.stop().await;

    // A number that now belongs to somebody else.
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    std::fs::write(&pid_file, stranger.id().to_string()).unwrap();
    start(&hub).await.stop().await;
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

fn orphan(hub: &Hub) -> std::process::Child {
    Command::new(kit::nats::server_binary())
        .arg("-c")
        .arg(hub.conf_path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Set in the copy of this test binary that the next test starts.
const HELPER: &str = "PHONEWORK_TEST_CHILD_OF";

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_dies_with_a_process_that_is_killed() {
    if let Some(data_dir) = std::env::var_os(HELPER) {
        let hub = Hub::open(Path::new(&data_dir)).unwrap();
        let _child = start(&hub).await;
        std::future::pending::<()>().await;
    }
    let (_dir, hub) = hub();
    let mut helper = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "broker_child::tests::the_server_dies_with_a_process_that_is_killed",
            "--nocapture",
        ])
        .env(HELPER, hub.data_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut server = None;
    until("the helper's server", || {
        server = std::fs::read_to_string(hub.run_dir().join("nats.pid"))
            .ok()
            .and_then(|text| text.trim().parse().ok());
        server.is_some_and(alive)
    })
    .await;
    // The pid file comes early; the lock of the folder is the helper's for as long as it lives.
    helper.kill().unwrap();
    helper.wait().unwrap();
    let conf = hub.conf_path();
    until("the server's end", || {
        !process::is_ours(pid(server.unwrap()), &conf)
    })
    .await;
}
