//! The host dies with a file on its way from the chat: it lands once.

use kit::feishu::BotMessage;

use crate::world::{LONG, World};

pub(super) const SENT: [&str; 1] = ["host.parcel.kept"];

#[tokio::test(flavor = "multi_thread")]
async fn with_a_file_that_was_sent() {
    for at in SENT {
        let world = World::start().await;
        let mut dying = world.standalone_dying(at);
        world.connected().await;
        let anna = world.anna();
        anna.send_file("notes.txt", &b"early"[..]);
        dying.ended(LONG).await;
        let inbox = world.work().join("inbox/feishu-ou_anna");
        assert!(!inbox.join("notes.txt").exists(), "{at}");
        let _again = world.standalone().await;
        world.sees("inbox/feishu-ou_anna/notes.txt (5 B)").await;
        // It goes with the next message, once; behind that nothing is on its way.
        anna.say("/new demo fake: text given-1");
        world
            .sees_that(|m| m.text().contains("given-1") && m.buttons().is_empty())
            .await;
        let requests = world.model.requests();
        let named = requests.iter().filter(|request| {
            let opening = request.opening.as_deref().unwrap_or_default();
            request.kind.is_turn() && opening.contains("given-1") && opening.contains("notes.txt")
        });
        assert_eq!(named.count(), 1, "{at}");
        let names: Vec<_> = std::fs::read_dir(&inbox)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["notes.txt"], "{at}");
        assert_eq!(std::fs::read(inbox.join("notes.txt")).unwrap(), b"early");
        let told = |m: &BotMessage| m.text().contains("notes.txt (5 B)");
        let told = anna.messages().into_iter().filter(told).count();
        assert_eq!(told, 1, "{at}: {}", world.feishu.story());
        assert_eq!(world.count("did not arrive"), 0, "{at}");
    }
}
