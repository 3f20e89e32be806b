//! A message that ends its process each time, among others that have done nothing.

use super::*;

/// What the handlers of all lives have done.
#[derive(Default)]
struct Deeds {
    done: Vec<String>,
    killed: usize,
}

/// One life of a reader, in a runtime of its own that goes with all its tasks, until `over`. True:
/// it was ended by the killer.
fn life(
    url: String,
    creds: common::identity::Creds,
    deeds: &Arc<Mutex<Deeds>>,
    over: &CancellationToken,
) -> bool {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (deeds, over) = (Arc::clone(deeds), over.clone());
    let killed = runtime.block_on(async move {
        let broker = connect(url, &creds).await;
        let (dying, mut dies) = tokio::sync::mpsc::channel::<()>(1);
        let handle = |delivery: Delivery| {
            let (deeds, dying) = (Arc::clone(&deeds), dying.clone());
            async move {
                if text(&delivery) == "killer" {
                    deeds.lock().unwrap().killed += 1;
                    dying.send(()).await.unwrap();
                    return std::future::pending().await;
                }
                // Slower than the killer, so that none is done beside it.
                tokio::time::sleep(Duration::from_millis(100)).await;
                deeds.lock().unwrap().done.push(text(&delivery));
                Outcome::Done
            }
        };
        let never = CancellationToken::new();
        let options = options(stream::OUT, "feishu", NodeId::GATEWAY);
        tokio::select! {
            () = consume(&broker, options, never, str::to_owned, handle) => panic!("nobody stops it"),
            _ = dies.recv() => true,
            () = over.cancelled() => false,
        }
    });
    runtime.shutdown_background();
    killed
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_the_process_each_time_is_the_only_one_given_up() {
    let world = World::start().await;
    world
        .consumer(stream::OUT, stream::out_surface(Surface::Feishu))
        .await;
    let texts = ["one", "two", "killer", "four", "five", "six"];
    for (n, text) in texts.into_iter().enumerate() {
        world.publish(&out_of(&format!("ou_{n}")), text).await;
    }
    let deeds = Arc::new(Mutex::new(Deeds::default()));
    let mut lives = 1;
    loop {
        let (url, creds) = (world.nats.url(), world.nats.creds("gateway"));
        let shared = Arc::clone(&deeds);
        let over = CancellationToken::new();
        let until = over.clone();
        let mut life = tokio::task::spawn_blocking(move || life(url, creds, &shared, &until));
        tokio::select! {
            killed = &mut life => assert!(killed.unwrap(), "nobody stopped it"),
            // Also the acknowledgements and the letter are there.
            () = world.empty(stream::OUT) => {
                over.cancel();
                life.await.unwrap();
                break;
            }
        }
        lives += 1;
        assert!(lives < 40, "it never ends");
    }
    let letters = world.letters().await;
    let given_up: Vec<_> = letters
        .iter()
        .map(|(_, letter)| String::from_utf8_lossy(&letter.payload).into_owned())
        .collect();
    assert_eq!(given_up, ["killer"]);
    assert_eq!(letters[0].1.why, DeadWhy::TooOften);
    let deeds = deeds.lock().unwrap();
    let mut done = deeds.done.clone();
    done.sort();
    done.dedup();
    assert_eq!(done, ["five", "four", "one", "six", "two"]);
    let most = usize::try_from(MAX_ATTEMPTS).unwrap();
    assert!(deeds.killed <= most, "it ran {} times", deeds.killed);
}
