//! Nothing that a command began outlives it, whatever it did to get away; and what was allowed is judged
//! by what is true once it was.

use super::ended;
use crate::world::{LONG, World, processes, until};

/// Clears its environment, leaves session and group, listens to no one, and says that it is there.
fn runaway(n: u32) -> String {
    format!(
        "env -i PATH=\"$PATH\" setsid sh -c 'trap \"\" TERM HUP INT; echo > up-{n}; while :; do sleep {n}; done' > /dev/null 2>&1 & \
         env -i PATH=\"$PATH\" setsid setsid sleep {n} & while [ ! -e up-{n} ]; do sleep 0.05; done"
    )
}

async fn gone(n: u32) {
    until(LONG, "its end", || {
        processes(&[&format!("sleep {n}")]).is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outlives_its_command() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    let up = async |n: u32| {
        until(LONG, "its begin", || {
            world.work().join(format!("up-{n}")).exists()
        })
        .await;
        assert!(processes(&[&format!("sleep {n}")]).len() > 1);
    };

    // Its end.
    anna.say(&format!("/shell {}; echo left-1; exit 3", runaway(98_731)));
    let card = ended(&world, "left-1").await;
    assert!(card.text().contains("exit 3"), "{}", card.text());
    gone(98_731).await;

    // [Stop].
    anna.say(&format!(
        "/shell --bg {}; echo left-2; sleep 98730",
        runaway(98_732)
    ));
    let card = world
        .sees_that(|m| m.text().contains("\nleft-2") && m.has_button("Stop"))
        .await;
    up(98_732).await;
    anna.tap(&card.message_id, "Stop").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("stopped"))
        .await;
    gone(98_732).await;

    // Its time.
    anna.say(&format!(
        "/shell --timeout 3 {}; sleep 98730",
        runaway(98_733)
    ));
    world
        .sees_that(|m| m.text().contains("98733") && m.text().contains("out of time"))
        .await;
    gone(98_733).await;

    // The death of the host, which nobody starts again.
    anna.say(&format!(
        "/shell {}; echo left-4; sleep 98730",
        runaway(98_734)
    ));
    up(98_734).await;
    phonework.kill();
    gone(98_734).await;
    gone(98_730).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_told_through_the_keeper() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/shell echo before-1; kill -SEGV $$");
    world
        .sees_that(|m| m.text().contains("\nbefore-1") && m.text().contains("signal 11"))
        .await;
    // Its own group, and no more.
    anna.say("/shell trap 'echo heard-1; exit 4' TERM; kill -TERM 0; sleep 98735");
    let card = ended(&world, "heard-1").await;
    assert!(card.text().contains("exit 4"), "{}", card.text());
    gone(98_735).await;
    // A keeper that somebody kills takes the command along.
    anna.say("/shell --bg echo begun-1; sleep 98736");
    world.sees("\nbegun-1").await;
    let keeper = processes(&["sandbox keep", "sleep 98736"]);
    assert_eq!(keeper.len(), 1);
    let keeper = format!("{}", keeper[0]);
    let killed = std::process::Command::new("kill")
        .args(["-9", &keeper])
        .status();
    assert!(killed.unwrap().success());
    world.sees("Task 3 has ended (ended by signal 9)").await;
    gone(98_736).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_is_judged_by_what_is_true_then() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    std::fs::create_dir_all(world.work().join("later/build")).unwrap();
    std::fs::create_dir_all(world.work().join("mine")).unwrap();
    let (anna, ben) = (world.anna(), world.feishu.user("ou_ben"));
    let asked = async |command: &str, mark: &str| {
        anna.say(command);
        world
            .sees_that(|m| m.text().contains(mark) && m.has_button("Allow once"))
            .await
    };
    let code = "/shell python3 -c \"import shutil; shutil.rmtree('./later/build')\"";
    let question = asked(code, "rmtree").await;
    // Meanwhile it has become somebody else's.
    ben.say("/new later");
    ben.wait_text("later", LONG).await.unwrap();
    until(LONG, "ben's session", || {
        world.work().join("later").exists()
    })
    .await;
    ben.say("/status");
    ben.wait_text("later", LONG).await.unwrap();
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    world.sees("Not run: the code in it for python").await;
    assert!(world.work().join("later/build").exists());

    // The folder that the card named is gone.
    anna.say("/shell cd mine && echo now-$(basename \"$PWD\")");
    ended(&world, "\nnow-mine").await;
    let question = asked("/shell $CC x-1.c", "x-1.c").await;
    std::fs::remove_dir(world.work().join("mine")).unwrap();
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    world.sees("Not run: the directory mine is gone").await;
    anna.say("/shell echo still-1");
    ended(&world, "\nstill-1").await;

    // What is closed to her is left out of a folder with more in it than a command line can name.
    for n in 0..3000 {
        let name = format!("a-folder-with-a-name-as-long-as-they-are-in-a-real-life-{n}");
        std::fs::create_dir(world.work().join(name)).unwrap();
    }
    std::fs::write(world.work().join("later/secret"), "of-ben").unwrap();
    anna.say("/shell cat later/secret || echo fits-$((1 + 1))");
    let card = ended(&world, "\nfits-2").await;
    assert!(!card.text().contains("of-ben"), "{}", card.text());
}
