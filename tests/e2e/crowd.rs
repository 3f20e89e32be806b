//! Several people at once, more of them than may have a live process: each gets their own answers,
//! in their own order, and nobody waits for ever.

use crate::world::{LONG, World};

#[tokio::test(flavor = "multi_thread")]
async fn people_do_not_get_in_each_others_way() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let people: Vec<_> = (0..8)
        .map(|n| world.feishu.user(&format!("ou_person_{n}")))
        .collect();
    for (n, person) in people.iter().enumerate() {
        person.say(&format!("/new dir-{n}"));
        person.say(&format!("fake: text first-{n}-end"));
        person.say(&format!("fake: text second-{n}-end"));
    }
    for (n, person) in people.iter().enumerate() {
        for answer in ["first", "second"] {
            let marker = format!("{answer}-{n}-end");
            let finished = |m: &kit::feishu::BotMessage| {
                m.text().contains(&marker) && m.text().contains("context")
            };
            if let Err(why) = person.wait_message(finished, LONG * 2).await {
                panic!("{why:#}\n{}", world.logs());
            }
            assert_eq!(world.model.turns_containing(&marker), 1, "{marker}");
        }
        let texts: Vec<String> = person
            .messages()
            .iter()
            .map(kit::feishu::BotMessage::text)
            .collect();
        let place = |marker: &str| texts.iter().position(|text| text.contains(marker));
        assert!(place("first-") < place("second-"), "{texts:?}");
        let others = (0..8).filter(|other| *other != n);
        for other in others {
            let foreign = format!("-{other}-end");
            assert!(
                texts.iter().all(|text| !text.contains(&foreign)),
                "{texts:?}"
            );
        }
    }
}
