//! What a person is asked before a tool writes: all that goes is told, and nobody is asked about what cannot
//! be done.

use kit::feishu::BotMessage;

fn asks(message: &BotMessage) -> bool {
    message.has_button("Allow once")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_refused_before_anybody_is_asked() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    for (n, path) in ["../x.txt", "/etc/x", ".ssh/id", "a\u{202E}b"]
        .into_iter()
        .enumerate()
    {
        for tool in ["write_file", "append_file"] {
            anna.say(&format!(
                "{n} llm: tool {tool} {{\"path\":\"{path}\",\"text\":\"no\"}} ;; text refused-{n}-{tool} {{tool_result}}"
            ));
            world.sees(&format!("refused-{n}-{tool} Error")).await;
        }
    }
    assert!(!anna.messages().iter().any(asks));
    // It is told in the person's own words what is wrong.
    let last = llm.requests().pop().unwrap();
    let told = last.said_by("tool").join("\n");
    assert!(told.contains("characters that look like others"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_is_told_and_the_encoding_stays() {
    let (world, _llm, _phonework) = super::started().await;
    let anna = world.anna();
    let work = world.work();
    std::fs::create_dir_all(&work).unwrap();
    // Longer than is shown at once.
    std::fs::write(work.join("long.txt"), "a line\n".repeat(1_000)).unwrap();
    // "第一行", as Windows writes it.
    std::fs::write(work.join("gbk.txt"), b"\xb5\xda\xd2\xbb\xd0\xd0\n").unwrap();
    anna.say("a llm: tool write_file {\"path\":\"long.txt\",\"text\":\"short\\n\"} ;; text wrote {tool_result}");
    let question = world.sees_that(asks).await;
    let text = question.text();
    assert!(
        text.contains("(7000 bytes) is not shown here and will be replaced")
            && text.contains("+short"),
        "{text}"
    );
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    world.sees("wrote long.txt is changed").await;
    assert_eq!(std::fs::read(work.join("long.txt")).unwrap(), b"short\n");
    anna.say("b llm: tool append_file {\"path\":\"gbk.txt\",\"text\":\"第二行\\n\"} ;; text added {tool_result}");
    let second = world
        .sees_that(|m| asks(m) && m.message_id != question.message_id)
        .await;
    anna.tap(&second.message_id, "Allow once").await.unwrap();
    world.sees("added gbk.txt is changed").await;
    assert_eq!(
        std::fs::read(work.join("gbk.txt")).unwrap(),
        b"\xb5\xda\xd2\xbb\xd0\xd0\n\xb5\xda\xb6\xfe\xd0\xd0\n"
    );
}
