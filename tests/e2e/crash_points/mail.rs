//! The host dies while the assistant works on a text: nothing is run again by itself, the person
//! decides; an answer that was written down is shown once.

use crate::mailboy;
use crate::world::LONG;

pub(super) const MAIL: [&str; 3] = ["host.mail.begun", "host.mail.tool", "host.mail.kept"];

#[tokio::test(flavor = "multi_thread")]
async fn with_a_text_for_the_assistant() {
    for at in MAIL {
        let (world, llm) = mailboy::world().await;
        let mut dying = world.standalone_dying(at);
        world.connected().await;
        let anna = world.anna();
        anna.say("make it llm: tool new_session {\"dir\":\"made\"} ;; text all-made");
        dying.ended(LONG).await;
        let asked = llm.requests().len();
        let _again = world.standalone().await;
        let (requests, said) = match at {
            "host.mail.begun" => (0, "Nothing had been done yet"),
            "host.mail.tool" => (1, "… new_session: made"),
            _ => (2, "all-made"),
        };
        assert_eq!(asked, requests, "{at}");
        let card = world
            .sees_that(|m| m.text().contains(said) && !m.has_button("Stop"))
            .await;
        if at == "host.mail.kept" {
            assert!(card.buttons().is_empty(), "{at}: {}", card.text());
        } else {
            llm.queue("text went-on");
            anna.tap(&card.message_id, "Continue").await.unwrap();
            world
                .sees_that(|m| m.text().contains("went-on") && m.buttons().is_empty())
                .await;
        }
        anna.say("/status");
        world.sees("Sessions on").await;
        let more = usize::from(at != "host.mail.kept");
        assert_eq!(llm.requests().len(), requests + more, "{at}");
        assert_eq!(world.count("all-made"), 1 - more, "{at}");
        assert_eq!(
            world.work().join("made").exists(),
            at == "host.mail.kept",
            "{at}"
        );
    }
}
