//! Commands from the phone: run, judged, shut in, going on by themselves, stopped, cut off.

mod ends;

use std::time::Duration;

use kit::feishu::BotMessage;

use crate::world::{LONG, World, processes, until};

/// The card of a command that has ended.
async fn ended(world: &World, part: &str) -> BotMessage {
    world
        .sees_that(|m| {
            m.text().contains(part) && m.text().contains("exit ") && m.buttons().is_empty()
        })
        .await
}

/// The sandbox is the kernel's: on one without Landlock these tests cannot tell anything.
fn has_landlock() -> bool {
    let there = host::shell::sandbox::is_there();
    assert!(
        there || std::env::var_os("PHONEWORK_LANDLOCK").is_some_and(|off| off == "off"),
        "this kernel has no Landlock, so the sandbox cannot be tested here; PHONEWORK_LANDLOCK=off leaves these tests out"
    );
    if !there {
        eprintln!("LEFT OUT: this kernel has no Landlock, the sandbox was not tested");
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_and_cd_stays() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    std::fs::create_dir_all(world.work().join("demo/sub")).unwrap();
    let anna = world.anna();
    anna.say("/shell echo out-1; echo err-1 >&2; exit 3");
    let card = ended(&world, "out-1").await;
    let text = card.text();
    assert!(text.contains("err-1") && text.contains("exit 3"), "{text}");
    anna.say("/shell cd demo/sub && pwd");
    ended(&world, "work/demo/sub").await;
    anna.say("/shell echo at-$(basename \"$PWD\")");
    ended(&world, "at-sub").await;
    anna.say("/shell cd /; echo left-1");
    let card = ended(&world, "left-1").await;
    assert!(card.text().contains("cannot be entered"), "{}", card.text());
    anna.say("/shell echo again-$(basename \"$PWD\"); read x; echo got-[$x]");
    let card = ended(&world, "again-sub").await;
    assert!(card.text().contains("got-[]"), "{}", card.text());
    anna.say("/shell");
    world.sees("/shell [--bg]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_destroys_is_refused_and_what_is_unclear_is_asked() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    std::fs::create_dir_all(world.work().join("demo/build")).unwrap();
    std::fs::write(world.home.root().join("precious"), "x").unwrap();
    let anna = world.anna();
    anna.say("/shell rm -rf ../precious ..");
    world.sees("Not run: it would delete").await;
    assert!(world.home.root().join("precious").exists());

    let risky = "/shell /usr/bin/python3 -c \"import shutil; shutil.rmtree('demo/build')\"";
    anna.say(risky);
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    assert!(
        question.text().contains("rmtree") && question.text().contains("deletes files"),
        "{}",
        question.text()
    );
    anna.tap(&question.message_id, "Deny").await.unwrap();
    world.sees("you did not allow it").await;
    assert!(world.work().join("demo/build").exists());
    anna.say(risky);
    let question = world
        .sees_that(|m| m.has_button("Allow once") && m.message_id != question.message_id)
        .await;
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    ended(&world, "rmtree").await;
    assert!(!world.work().join("demo/build").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_output_is_cut_in_the_middle() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    world
        .anna()
        .say("/shell for i in $(seq 1 20000); do echo line-$i; done; exit 5");
    let card = ended(&world, "line-20000").await;
    let text = card.text();
    assert!(
        text.contains("line-1\n") && text.contains("left out") && text.contains("is in the file"),
        "{text}"
    );
    assert!(
        text.contains("exit 5") && !text.contains("line-10000\n"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_stops_what_the_guard_cannot_see() {
    if !has_landlock() {
        return;
    }
    let mut world = World::start().await;
    world.extra =
        "OPENAI_API_KEY: sk-very-secret-1\nOPENAI_BASE_URL: http://127.0.0.1:9\nOPENAI_MODEL: m\n"
            .into();
    let _phonework = world.standalone().await;
    let root = world.home.root().to_owned();
    std::fs::write(root.join("precious"), "precious-content").unwrap();
    std::fs::create_dir_all(root.join("precious.d/x")).unwrap();
    let home = world
        .home
        .env(&world.model)
        .into_iter()
        .find(|(name, _)| name == "HOME");
    let home = std::path::PathBuf::from(home.expect("a home").1);
    std::fs::create_dir_all(home.join(".ssh")).unwrap();
    std::fs::write(home.join(".ssh/id"), "private-key-content").unwrap();
    let work = world.work();
    let outside = root.display();
    // Scripts are what the guard does not look into.
    std::fs::write(
        work.join("a.py"),
        format!(
            "import os,shutil\np=''.join(map(chr,{:?}))\nfor f in (lambda: os.remove(p+'/precious'), lambda: shutil.rmtree(p+'/precious.d'), lambda: open(p+'/precious','w'), lambda: os.rename(p+'/precious','moved'), lambda: os.truncate(p+'/precious',0), lambda: open(p+'/new','w')):\n  try: f(); print('DONE')\n  except Exception as e: print(type(e).__name__)\n",
            root.to_str().unwrap().bytes().collect::<Vec<_>>()
        ),
    )
    .unwrap();
    std::fs::write(work.join("b.pl"), format!("unlink('{outside}/precious') or print \"kept-1\\n\"; rmdir('{outside}/precious.d/x') or print \"kept-2\\n\";")).unwrap();
    std::fs::write(work.join("c.sh"), format!(
        "rm -rf {outside}/precious {outside}/precious.d && echo DONE\ncat {outside}/precious\nls {0}; cat {0}/.ssh/id; ls {1}; cat {1}/*; cat {outside}/keyring.yaml; cat /etc/shadow; tr '\\0' '\\n' < /proc/$(pgrep -o phonework)/environ; kill -0 $(pgrep -o phonework) || echo kept-3\n",
        home.display(),
        world.data().display(),
    )).unwrap();
    let anna = world.anna();
    anna.say("/shell /usr/bin/python3 a.py; echo end-1");
    let card = ended(&world, "end-1").await;
    assert!(
        card.text().contains("PermissionError") && !card.text().contains("DONE"),
        "{}",
        card.text()
    );
    anna.say("/shell perl b.pl; echo end-2");
    let card = ended(&world, "end-2").await;
    assert!(
        card.text().contains("kept-1") && card.text().contains("kept-2"),
        "{}",
        card.text()
    );
    anna.say("/shell bash c.sh; echo end-3");
    let card = ended(&world, "end-3").await;
    let text = card.text();
    for secret in [
        "DONE",
        "precious-content",
        "private-key-content",
        "sk-very-secret-1",
        "FEISHU_APP_SECRET",
        "root:",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(
        text.contains("Permission denied") && text.contains("kept-3"),
        "{text}"
    );
    assert_eq!(
        std::fs::read_to_string(root.join("precious")).unwrap(),
        "precious-content"
    );
    assert!(root.join("precious.d/x").exists() && !root.join("new").exists());
    anna.say("/shell env; echo x > inside && cat inside; echo y > $TMPDIR/t && cat $TMPDIR/t; git --version; echo end-4");
    let card = ended(&world, "end-4").await;
    let text = card.text();
    assert!(
        !text.contains("PHONEWORK_")
            && !text.contains("sk-very-secret-1")
            && !text.contains("sk-ant-test"),
        "{text}"
    );
    assert!(
        text.contains("\nx\n") && text.contains("\ny\n") && text.contains("git version"),
        "{text}"
    );
    assert!(!text.contains("no sandbox"), "{text}");
    // Builders find room for what they fetch, a home being closed.
    anna.say("/shell for d in \"$CARGO_HOME\" \"$GOMODCACHE\" \"$npm_config_cache\" \"$XDG_CACHE_HOME\"; do mkdir -p \"$d/x\" && echo room; done | sort | uniq -c; echo end-5");
    let card = ended(&world, "end-5").await;
    assert!(card.text().contains("4 room"), "{}", card.text());
}

/// The number of a running task, as its card tells it.
async fn goes_on(world: &World, part: &str) -> BotMessage {
    world
        .sees_that(|m| {
            m.text().contains(part)
                && m.text().contains("in the background")
                && m.has_button("Stop")
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_tells_its_number_how_far_it_is_and_once_that_it_ended() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/shell --bg for i in 1 2 3; do echo step-$i; done; while [ ! -e go ]; do sleep 0.1; done; echo built");
    let card = goes_on(&world, "\nstep-3").await;
    assert!(card.text().contains("task 1"), "{}", card.text());
    anna.say("/tasks");
    let list = world
        .sees_that(|m| m.text().contains("Tasks") && m.has_button("Stop 1"))
        .await;
    assert!(list.text().contains("running"), "{}", list.text());
    anna.say("/tasks 1");
    world
        .sees_that(|m| {
            m.message_id != card.message_id && m.text().contains("step-3") && m.has_button("Stop")
        })
        .await;
    // Somebody else sees nothing of it, and stops nothing.
    let ben = world.feishu.user("ou_ben");
    ben.say("/tasks");
    ben.wait_text("No tasks", LONG).await.unwrap();
    ben.say("/tasks 1");
    ben.wait_text("no task 1", LONG).await.unwrap();
    let _ = ben.tap(&card.message_id, "Stop").await;
    std::fs::write(world.work().join("go"), "").unwrap();
    world
        .sees_that(|m| {
            m.message_id == card.message_id
                && m.text().contains("built")
                && m.text().contains("exit 0")
        })
        .await;
    world.sees("Task 1 has ended (exit 0)").await;
    assert_eq!(world.count("Task 1 has ended"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_it_and_all_it_began() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/shell --bg setsid sleep 98761 & sleep 98762 & echo began; sleep 98763");
    let card = world
        .sees_that(|m| m.text().contains("98763") && m.has_button("Stop"))
        .await;
    until(LONG, "the processes", || {
        !processes(&["sleep 98761"]).is_empty() && !processes(&["sleep 98763"]).is_empty()
    })
    .await;
    anna.tap(&card.message_id, "Stop").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("stopped"))
        .await;
    until(Duration::from_secs(10), "their end", || {
        processes(&["sleep 9876"]).is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_tells_that_it_was_cut_off_and_leaves_nothing_running() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/shell echo begun-1; touch begun; setsid sleep 98751 & sleep 98752");
    until(LONG, "its begin", || world.work().join("begun").exists()).await;
    phonework.kill();
    let _again = world.standalone().await;
    let card = world
        .sees_that(|m| m.text().contains("98752") && m.text().contains("interrupted"))
        .await;
    assert!(
        card.text().contains("begun-1") && card.buttons().is_empty(),
        "{}",
        card.text()
    );
    until(Duration::from_secs(10), "their end", || {
        processes(&["sleep 9875"]).is_empty()
    })
    .await;
    anna.say("/tasks");
    world
        .sees_that(|m| m.text().contains("Tasks") && m.text().contains("interrupted"))
        .await;
}
