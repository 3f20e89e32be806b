//! A disk that takes nothing more: `/health` says so, messages are refused where they come from
//! rather than lost, and once there is room everything goes on without anybody's hand.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kit::disk::{Frozen, SmallDisk};
use kit::feishu::{BotMessage, User};
use serde_json::Value;

use crate::processes::Hub;
use crate::world::{LONG, Phonework, World};

const MB: u64 = 1024 * 1024;
/// How the answer ends that the model holds back.
const HELD: &str = "and after it";

/// A world whose platform delivers again for as long as a slow machine may take.
async fn patient_world() -> World {
    World::with(|settings| settings.redelivery = vec![Duration::from_secs(2); 60]).await
}

/// The board at `origin`.
async fn health(origin: &str) -> Value {
    let answer = kit::http::client()
        .get(format!("{origin}/health"))
        .send()
        .await
        .expect("/health answers");
    answer.json().await.expect("/health is JSON")
}

/// Waits until the board fits.
async fn board(origin: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + LONG;
    loop {
        let board = health(origin).await;
        if fits(&board) {
            return board;
        }
        assert!(Instant::now() < deadline, "never came: {what}\n{board:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Where the page is, and with it `/health`.
fn page(phonework: &Phonework) -> String {
    let link = phonework.link();
    link.split("/login").next().unwrap().to_owned()
}

/// The finished answers that hold `marker`; a card that quotes a message is none.
fn answers(person: &User, marker: &str) -> usize {
    let finished = |m: &&BotMessage| m.text().contains(marker) && m.text().contains("context");
    person.messages().iter().filter(finished).count()
}

async fn answered(world: &World, person: &User, marker: &str) {
    let finished = |m: &BotMessage| m.text().contains(marker) && m.text().contains("context");
    if let Err(why) = person.wait_message(finished, LONG * 2).await {
        panic!("{why:#}\n{}", world.logs());
    }
}

/// Every message was answered once, and the model was asked once for each.
async fn all_once(world: &World, said: &[(User, String)]) {
    for (person, marker) in said {
        answered(world, person, marker).await;
    }
    for (person, marker) in said {
        assert_eq!(answers(person, marker), 1, "answers to {marker}");
        let asked = if marker == HELD { "hold turn" } else { marker };
        assert_eq!(world.model.turns_containing(asked), 1, "runs of {marker}");
    }
    for message in said.iter().flat_map(|(person, _)| person.messages()) {
        assert_eq!(message.repeats, 0, "sent twice: {}", message.text());
    }
    assert_eq!(world.feishu.violations(), Vec::<String>::new());
}

/// Two people at work, one of them with a turn that runs until `hold` is released.
async fn at_work(world: &World) -> Vec<(User, String)> {
    let people = [world.anna(), world.feishu.user("ou_bert")];
    let mut said = Vec::new();
    for (n, person) in people.into_iter().enumerate() {
        person.say(&format!("/new dir-{n}"));
        let marker = format!("before-{n}-end");
        person.say(&format!("fake: text {marker}"));
        answered(world, &person, &marker).await;
        said.push((person, marker));
    }
    let anna = world.anna();
    anna.say("fake: hold turn");
    world.model.waiting("turn").await;
    said.push((anna, HELD.to_owned()));
    said
}

fn says(said: &mut Vec<(User, String)>, person: User, marker: String) {
    person.say(&format!("fake: text {marker}"));
    said.push((person, marker));
}

/// Messages while the disk takes nothing, the end of the turn that ran among them.
fn messages(world: &World, said: &mut Vec<(User, String)>) {
    for n in 0..3 {
        says(said, world.anna(), format!("full-a{n}-end"));
        says(said, world.feishu.user("ou_bert"), format!("full-b{n}-end"));
    }
    world.model.release("turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_got_over_without_hands() {
    let world = patient_world().await;
    let disk = SmallDisk::at(&world.data(), 64 * MB);
    let phonework = world.standalone().await;
    let origin = page(&phonework);
    board(&origin, "a good beginning", |board| board["status"] == "ok").await;
    let mut said = at_work(&world).await;

    disk.fill();
    messages(&world, &mut said);
    let degraded = board(&origin, "the reason", |board| {
        let store = &board["parts"]["broker_store"];
        store["ok"] == false && store["detail"].to_string().contains("free some space")
    })
    .await;
    assert_eq!(degraded["status"], "degraded");
    let refused: usize = said.iter().map(|(who, marker)| answers(who, marker)).sum();
    assert!(refused < said.len(), "nothing was held up by the full disk");

    disk.clear();
    all_once(&world, &said).await;
    board(&origin, "a good end", |board| board["status"] == "ok").await;
    let (status, _) = phonework.stop().await;
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_takes_nothing_any_more_is_the_same() {
    let world = patient_world().await;
    let phonework = world.standalone().await;
    let origin = page(&phonework);
    let mut said = at_work(&world).await;

    let frozen = Frozen::freeze(&world.data());
    messages(&world, &mut said);
    board(&origin, "the reasons", |board| {
        let bad = |part: &str| {
            let part = &board["parts"][part];
            part["ok"] == false && part["detail"].to_string().contains("not permitted")
        };
        board["status"] == "degraded" && bad("broker_store") && bad("journal")
    })
    .await;

    drop(frozen);
    all_once(&world, &said).await;
    board(&origin, "a good end", |board| board["status"] == "ok").await;
    let (status, _) = phonework.stop().await;
    assert!(status.success());
}

/// The page of a role that has logged its address.
fn router_page(router: &Phonework) -> String {
    let log = router.log();
    let (_, origin) = log.split_once("health at ").expect("the router's page");
    origin.split("/health").next().unwrap().to_owned()
}

/// Enrols machine `a`; its host is started by the test.
fn machine(world: &World) -> PathBuf {
    let dir = world.home.root().join("machine-a");
    let out = dir.display().to_string();
    let (status, told) = world.command(&["enroll", "a", "--name", "Machine A", "--out", &out]);
    assert!(status.success(), "{told}");
    let config = dir.join("host_config.yaml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text += &format!("\nWORKING_DIR: {out}/work\nDATA_DIR: {out}/data\nLOG: debug\n");
    std::fs::write(&config, text).unwrap();
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_its_own_on_a_full_disk_is_told_and_goes_on_once_it_is_started_again() {
    let mut world = patient_world().await;
    // Gateways keep their things in the same folder here; a disk of its own is the broker's only.
    let disk = SmallDisk::at(&world.data().join("nats/jetstream"), 64 * MB);
    let mut hub = Hub::start(&mut world).await;
    let router = world.role("router");
    let gateway = world.role("gateway");
    let dir = machine(&world);
    let host = world.host("a", &dir);
    world.connected().await;
    router.says("node is on node=a").await;
    gateway.says("PhoneWork is ready").await;
    // Whoever sends finds out; the router may have nothing to say for a while.
    let origin = page(&gateway);
    let mut said = at_work(&world).await;

    disk.fill();
    messages(&world, &mut said);
    board(&origin, "the reason", |board| {
        let part = &board["parts"]["gateway"];
        let trouble = part["detail"]["trouble"].to_string();
        part["ok"] == false && trouble.contains("no room") && trouble.contains("PW_IN")
    })
    .await;
    disk.clear();
    hub.restart(&world);
    all_once(&world, &said).await;
    for origin in [origin, router_page(&router)] {
        board(&origin, "a good end", |board| board["status"] == "ok").await;
    }
    for part in [host, gateway, router] {
        let (status, _) = part.stop().await;
        assert!(status.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_on_a_full_disk_tells_the_hub_and_takes_its_work_later() {
    let mut world = patient_world().await;
    let _hub = Hub::start(&mut world).await;
    let router = world.role("router");
    let gateway = world.role("gateway");
    let dir = machine(&world);
    let disk = SmallDisk::at(&dir.join("data"), 16 * MB);
    let host = world.host("a", &dir);
    world.connected().await;
    router.says("node is on node=a").await;
    let origin = router_page(&router);

    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    let mut said = Vec::new();
    says(&mut said, anna, "before-end".into());
    answered(&world, &world.anna(), "before-end").await;
    disk.fill();
    for n in 0..3 {
        // Too large for what room the journal has left inside.
        let marker = format!("full-{n}-end");
        let text = format!("fake: text {marker}\n{}", "x".repeat(90_000));
        world.anna().say(&text);
        said.push((world.anna(), marker));
    }
    board(&origin, "the node in trouble", |board| {
        let trouble = board["parts"]["router"]["detail"]["trouble"]["a"].to_string();
        trouble.contains("free some space")
    })
    .await;

    disk.clear();
    all_once(&world, &said).await;
    let order: Vec<String> = world
        .anna()
        .messages()
        .iter()
        .map(BotMessage::text)
        .collect();
    let place = |marker: &str| order.iter().position(|text| text.contains(marker));
    assert!(place("full-0-end") < place("full-1-end") && place("full-1-end") < place("full-2-end"));
    board(&origin, "no trouble any more", |board| {
        board["parts"]["router"]["detail"]["trouble"]["a"].is_null()
    })
    .await;
    for part in [host, gateway, router] {
        let (status, _) = part.stop().await;
        assert!(status.success());
    }
}

/// Runs it and gives how it ended and what it said; it has to end by itself.
async fn refused(world: &World, args: &[&str], config: &Path) -> (Option<i32>, String) {
    let log = world.home.root().join("refused.txt");
    let file = std::fs::File::create(&log).unwrap();
    let mut child = world
        .prepare(args, Some(config))
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), std::fs::read_to_string(&log).unwrap());
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("still runs:\n{}", std::fs::read_to_string(&log).unwrap());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_cannot_be_written_is_refused_at_the_start() {
    let world = patient_world().await;
    let disk = SmallDisk::at(&world.data(), 8 * MB);
    // Never used before, and used before: what is there already must not hide it.
    for used in [false, true] {
        if used {
            let phonework = world.standalone().await;
            let (status, _) = phonework.stop().await;
            assert!(status.success());
        }
        disk.read_only().unwrap();
        let (code, said) = refused(&world, &[], &world.keyring()).await;
        assert_eq!(code, Some(1), "{said}");
        let last = said.lines().last().unwrap();
        assert!(last.contains(&world.data().display().to_string()), "{said}");
        assert!(
            last.contains("read-only") && last.contains("make it writable"),
            "{said}"
        );
        disk.writable().unwrap();

        disk.fill();
        let (code, said) = refused(&world, &[], &world.keyring()).await;
        assert_eq!(code, Some(1), "{said}");
        let last = said.lines().last().unwrap();
        assert!(
            last.contains("no room") && last.contains("free some space"),
            "{said}"
        );
        disk.clear();
    }
}
