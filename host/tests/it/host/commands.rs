//! Commands that take long: they go on by themselves, under their number, until their time is over.

use super::*;

impl World {
    async fn host_with_short_times(&self) -> Host {
        let mut options = self.options("a");
        options.shell.background_after = Duration::from_secs(1);
        self.host_with(options).await
    }

    async fn notices(&self) -> Vec<String> {
        let all = self.shown().await.into_iter();
        all.filter_map(|outbound| match outbound.body {
            OutboundBody::Notice { text } => Some(text),
            OutboundBody::Card { .. } | OutboundBody::File { .. } | OutboundBody::Fetch { .. } => {
                None
            }
        })
        .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_long_goes_on_by_itself_and_rings_once_when_it_ends() {
    let world = World::start(&["a"]).await;
    let _host = world.host_with_short_times().await;
    let command = "/shell echo begun; while [ ! -e go ]; do sleep 0.1; done; echo built";
    world.say("a", "om_1", command).await;
    let card = world.sees("om_1", "it goes on as task 1").await;
    assert!(words(&card).contains("begun"), "{card:#?}");
    assert!(matches!(button(&card, "Stop"), Action::Stop { .. }));
    // Others run beside it.
    world.say("a", "om_2", "/shell touch go; echo quick").await;
    let quick = world
        .card("om_2", "an end", |view| view.buttons.is_empty())
        .await;
    assert!(words(&quick).contains("exit 0"), "{quick:#?}");
    let card = world
        .card("om_1", "an end", |view| view.buttons.is_empty())
        .await;
    assert!(
        words(&card).contains("built") && words(&card).contains("exit 0"),
        "{card:#?}"
    );
    let notices = world.notices().await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains("Task 1 has ended (exit 0)"),
        "{notices:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn its_time_is_over() {
    let world = World::start(&["a"]).await;
    let _host = world.host_with_short_times().await;
    world
        .say(
            "a",
            "om_1",
            "/shell --timeout 4 trap '' TERM; echo begun; sleep 600",
        )
        .await;
    // In the background, too.
    world.sees("om_1", "it goes on as task 1").await;
    let card = world
        .card("om_1", "an end", |view| view.buttons.is_empty())
        .await;
    assert!(words(&card).contains("ended after 4.0 s"), "{card:#?}");
    world.say("a", "om_2", "/tasks 1").await;
    let again = world.sees("om_2", "ended after").await;
    assert!(words(&again).contains("begun"), "{again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_of_the_host_tells_that_a_command_was_cut_off() {
    let world = World::start(&["a"]).await;
    let host = world.host_with_short_times().await;
    world
        .say("a", "om_1", "/shell --bg echo begun; sleep 600")
        .await;
    world.sees("om_1", "it goes on as task 1").await;
    host.stop().await;
    let card = world
        .card("om_1", "an end", |view| view.buttons.is_empty())
        .await;
    assert!(words(&card).contains("interrupted"), "{card:#?}");
    let _host = world.host_with_short_times().await;
    world.say("a", "om_2", "/tasks").await;
    world.sees("om_2", "interrupted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_after_a_restart_runs_where_its_card_said() {
    let world = World::start(&["a"]).await;
    let host = world.host("a").await;
    let ended = async |cause: &str| {
        world
            .card(cause, "an end", |view| words(view).contains("exit 0"))
            .await
    };
    world
        .say("a", "om_1", "/shell mkdir one two && cd one")
        .await;
    ended("om_1").await;
    // What an unset variable stands for is not known beforehand.
    world.say("a", "om_2", "/shell $NOBODY_SET_THIS pwd").await;
    let question = world
        .card("om_2", "a question", |view| !view.buttons.is_empty())
        .await;
    assert!(words(&question).contains("Home · one"), "{question:#?}");
    world.say("a", "om_3", "/shell cd ../two && pwd").await;
    ended("om_3").await;
    host.stop().await;

    let _host = world.host("a").await;
    let yes = button(&question, "Allow once").clone();
    world.tap("a", "tap_1", yes).await;
    let ran = ended("om_2").await;
    assert!(words(&ran).contains("/one\n"), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_nothing_or_a_number_says_so_and_changes_nothing() {
    let world = World::start(&["a"]).await;
    let _host = world.host("a").await;
    world.say("a", "om_1", "/direct please").await;
    world.sees("om_1", "Usage: /direct").await;
    world.say("a", "om_2", "/status").await;
    world.sees("om_2", "smart").await;
    world.say("a", "om_3", "/shell —fast ls").await;
    world.sees("om_3", "Usage: /shell").await;
    world
        .say("a", "om_4", "／ｓｈｅｌｌ　echo wide-$((1+1))")
        .await;
    world.sees("om_4", "wide-2").await;
    world.say("a", "om_5", "/tasks　１。").await;
    world.sees("om_5", "wide-2").await;
}
