//! What the only reader had in hand when it died comes to the next one at once.

use super::*;

/// Nothing comes back by itself within the test's time.
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn what_the_only_reader_left_open_comes_to_the_next_one_at_once_and_first() {
    let world = World::start().await;
    let config = pull::Config {
        ack_wait: NEVER,
        ..stream::work_node(&home())
    };
    let js = world.inside.jetstream();
    js.create_consumer_on_stream(config, stream::WORK)
        .await
        .unwrap();
    let mine = work_of("ou_1");
    for text in ["one", "two", "three"] {
        world.publish(&mine, text).await;
    }
    // It takes one and is never heard of again.
    let consumer: PullConsumer = world
        .node
        .jetstream()
        .get_consumer_from_stream("home", stream::WORK)
        .await
        .unwrap();
    let mut taken = consumer
        .batch()
        .max_messages(1)
        .expires(PATIENCE)
        .messages()
        .await
        .unwrap();
    let open = taken.next().await.unwrap().unwrap();
    assert_eq!(open.payload.as_ref(), b"one");

    let reader = Reader::start(&world.node, node_options());
    world.empty(stream::WORK).await;
    assert_eq!(reader.texts(), ["one", "two", "three"]);
    let counts: Vec<i64> = reader
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|one| one.attempt)
        .collect();
    assert_eq!(counts, [2, 1, 1]);
    reader.stop().await;
}
