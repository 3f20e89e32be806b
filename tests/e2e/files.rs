//! Files: looking at them, searching, sending them to the chat, receiving them from it, giving them to
//! Claude. Each once, whoever dies, and nobody else's.

use kit::browser::Browser;
use kit::feishu::{BotMessage, Class, Fault, SayOptions};
use serde_json::json;

use crate::separate::{NODE, Part, Separate};
use crate::world::{LONG, World, until};

/// A picture of eight by eight.
const PNG: &[u8] =
    b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x08\x00\x00\
    \x00\x08\x08\x02\x00\x00\x00\x4b\x6d\x29\xdc\x00\x00\x00\x11\x49\x44\x41\x54\x78\xda\x63\
    \x50\x68\xf8\x80\x15\x31\x0c\x2d\x09\x00\xdf\x02\x64\x01\xab\xfd\xe1\xb1\x00\x00\x00\x00\
    \x49\x45\x4e\x44\xae\x42\x60\x82";

/// What a message shows: name and bytes of its file, or of its picture.
fn shown(world: &World, message: &BotMessage) -> Option<(String, Vec<u8>)> {
    let key = message.content["file_key"]
        .as_str()
        .or_else(|| message.content["image_key"].as_str())?;
    let (name, bytes) = world.feishu.media(key)?;
    Some((name, bytes.to_vec()))
}

/// The answer that holds `part`; not a card that quotes the message while it waits.
async fn answered(world: &World, part: &str) -> BotMessage {
    let fits = |m: &BotMessage| m.text().contains(part) && m.buttons().is_empty();
    world.sees_that(fits).await
}

fn of_kind(world: &World, kind: &str) -> Vec<BotMessage> {
    let messages = world.anna().messages().into_iter();
    messages.filter(|m| m.msg_type == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_searching_and_sending() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    let demo = world.work().join("demo");
    std::fs::write(demo.join("main.rs"), "fn main() {\n    needle();\n}\n").unwrap();
    // "第一行" and "针在这里", as Windows writes them.
    let gbk = b"\xb5\xda\xd2\xbb\xd0\xd0\n\xd5\xeb\xd4\xda\xd5\xe2\xc0\xef\n";
    std::fs::write(demo.join("gbk.txt"), gbk).unwrap();
    std::fs::write(demo.join("picture.png"), PNG).unwrap();
    std::fs::write(demo.join("empty"), "").unwrap();
    let big = std::fs::File::create(demo.join("big.bin")).unwrap();
    big.set_len(31_000_000).unwrap();

    anna.say("/ls");
    let list = world.sees("5 entries").await.text();
    for part in ["main.rs", "gbk.txt", "31 MB", "demo"] {
        assert!(list.contains(part), "{list}");
    }
    anna.say("/cat main.rs 2-2");
    let text = world.sees("lines 2–2 of 3").await.text();
    assert!(
        text.contains("2      needle();") && !text.contains("fn main"),
        "{text}"
    );
    anna.say("/cat gbk.txt");
    let text = world.sees("针在这里").await.text();
    assert!(text.contains("GBK") && text.contains("第一行"), "{text}");
    anna.say("/cat picture.png");
    world.sees("is no text: image/png").await;
    anna.say("/grep needle");
    let text = world.sees("1 hit").await.text();
    assert!(
        text.contains("demo/main.rs") && text.contains("2:     needle();"),
        "{text}"
    );
    anna.say("/grep 针");
    world.sees("demo/gbk.txt").await;
    anna.say("/grep (");
    world.sees("The pattern cannot be read").await;
    anna.say("/cat");
    world.sees("/cat <path> [from[-to]]").await;

    anna.say("/send main.rs");
    let file = world.sees_that(|m| m.msg_type == "file").await;
    let bytes = std::fs::read(demo.join("main.rs")).unwrap();
    assert_eq!(shown(&world, &file), Some(("main.rs".into(), bytes)));
    anna.say("/send picture.png");
    let picture = world.sees_that(|m| m.msg_type == "image").await;
    assert_eq!(shown(&world, &picture).unwrap().1, PNG);
    anna.say("/send big.bin");
    world.sees("chats take at most 30 MB").await;
    anna.say("/send empty");
    world.sees("chats take no empty files").await;
    for outside in [
        "/cat /etc/hostname",
        "/send ../../keyring.yaml",
        "/ls ../..",
    ] {
        let before = anna.messages().len();
        anna.say(outside);
        until(LONG, outside, || anna.messages().len() > before).await;
        let said = anna.messages().pop().unwrap().text();
        assert!(
            said.contains("leads out of the working directory"),
            "{outside}: {said}"
        );
    }
    // Nobody else's, in a group as well.
    let ben = world.feishu.user("ou_ben");
    let group = world.feishu.group(&["ou_anna", "ou_ben"]);
    let in_group = || SayOptions {
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    for text in [
        "/ls demo",
        "/cat demo/main.rs",
        "/send demo/main.rs",
        "/grep needle demo",
    ] {
        let before = group.messages().len();
        ben.say_with(text, in_group());
        until(LONG, text, || group.messages().len() > before).await;
        let said = group.messages().pop().unwrap().text();
        assert!(said.contains("There is no demo"), "{text}: {said}");
    }
    ben.say_with("/grep needle", in_group());
    until(LONG, "ben's search", || {
        group
            .messages()
            .iter()
            .any(|m| m.text().contains("Nothing found"))
    })
    .await;
    // Where she asks, she is answered.
    anna.say_with("/send main.rs", in_group());
    until(LONG, "the file in the group", || {
        group.messages().iter().any(|m| m.msg_type == "file")
    })
    .await;
    assert_eq!(
        (
            of_kind(&world, "file").len(),
            of_kind(&world, "image").len()
        ),
        (1, 1)
    );
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_lands_and_goes_to_claude() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    // Without a session there is a folder for each person.
    anna.send_file("../notes.txt", &b"early"[..]);
    world.sees("inbox/feishu-ou_anna/notes.txt (5 B)").await;
    anna.say("/new demo");
    world.sees("is ready").await;
    anna.send_image(PNG);
    world
        .sees_that(|m| {
            let text = m.text();
            text.contains("demo/image-") && text.contains("with your next message")
        })
        .await;
    let data = vec![7_u8; 3_000_000];
    anna.send_file("data.bin", data.clone());
    world.sees("demo/data.bin (3.0 MB)").await;
    anna.send_file("data.bin", &b"another"[..]);
    world.sees("demo/data (2).bin (7 B)").await;
    let demo = world.work().join("demo");
    assert_eq!(std::fs::read(demo.join("data.bin")).unwrap(), data);
    assert_eq!(
        std::fs::read(demo.join("data (2).bin")).unwrap(),
        b"another"
    );

    // What waits, waits over a restart, and goes with the next message; once.
    phonework.kill();
    let _again = world.standalone().await;
    anna.say("fake: text {images} picture seen-first");
    let card = answered(&world, "picture seen-first").await;
    assert!(
        card.text().contains("1 picture seen-first"),
        "{}",
        card.text()
    );
    let asked = world
        .model
        .requests()
        .into_iter()
        .map(|request| request.body.to_string())
        .find(|body| body.contains("seen-first"))
        .unwrap();
    for part in [
        "- image-",
        "- data.bin",
        "- data (2).bin",
        "- ../inbox/feishu-ou_anna/notes.txt",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    anna.say("fake: text {images} picture seen-second");
    let card = answered(&world, "picture seen-second").await;
    assert!(
        card.text().contains("0 picture seen-second"),
        "{}",
        card.text()
    );

    // With words it goes at once.
    let message_id = "om_with_words".to_owned();
    anna.attach(&message_id, "img_words", "image", "", PNG.into());
    let content = json!({"title": "", "content": [
        [{"tag": "img", "image_key": "img_words"}],
        [{"tag": "text", "text": "fake: text {images} picture at-once"}],
    ]});
    anna.say_with(
        "",
        SayOptions {
            message_id: Some(message_id),
            msg_type: Some("post".into()),
            content: Some(content),
            ..SayOptions::default()
        },
    );
    let card = answered(&world, "picture at-once").await;
    assert!(card.text().contains("1 picture at-once"), "{}", card.text());
    // What is taken back before it was fetched is told.
    world.feishu.fault(
        Class::Resource,
        Fault::Code {
            http: 400,
            code: 234_003,
        },
    );
    anna.send_file("gone.txt", &b"x"[..]);
    world.sees("gone.txt did not arrive").await;
    assert_eq!(world.feishu.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_or_host_killed_in_mid_transfer_brings_each_file_once() {
    let mut parts = Separate::start().await;
    let anna = parts.world.anna();
    anna.say("/new demo");
    parts.world.sees("is ready").await;
    let demo = parts.work().join("demo");
    let calls = |parts: &Separate, class: Class| {
        let calls = parts.world.feishu.calls();
        calls.iter().filter(|call| call.class == class).count()
    };

    // To the machine.
    parts.world.feishu.fault(Class::Resource, Fault::Hang);
    anna.send_file("in.txt", &b"from the chat"[..]);
    until(LONG, "the download", || calls(&parts, Class::Resource) == 1).await;
    parts.kill(Part::Gateway);
    parts.kill(Part::Host);
    parts.restart(Part::Host).await;
    parts.restart(Part::Gateway).await;
    parts.world.sees("demo/in.txt (13 B)").await;
    assert_eq!(
        std::fs::read(demo.join("in.txt")).unwrap(),
        b"from the chat"
    );

    // And from it.
    std::fs::write(demo.join("out.txt"), "to the chat").unwrap();
    parts.world.feishu.fault(Class::UploadFile, Fault::Hang);
    anna.say("/send out.txt");
    until(LONG, "the upload", || calls(&parts, Class::UploadFile) == 1).await;
    parts.kill(Part::Gateway);
    parts.restart(Part::Gateway).await;
    let file = parts.world.sees_that(|m| m.msg_type == "file").await;
    assert_eq!(shown(&parts.world, &file).unwrap().1, b"to the chat");
    // The answer to the message that was sent is lost; it is there, and stays alone.
    parts.world.feishu.fault(Class::Send, Fault::DropAfterWork);
    std::fs::write(demo.join("last.txt"), "last").unwrap();
    anna.say("/send last.txt");
    until(LONG, "the last file", || {
        of_kind(&parts.world, "file").len() == 2
    })
    .await;
    anna.say("fake: text the-end");
    parts.world.sees("the-end").await;
    assert_eq!(of_kind(&parts.world, "file").len(), 2);
    let names: Vec<_> = std::fs::read_dir(&demo)
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("in.txt") || name.starts_with(".phonework"))
        .collect();
    assert_eq!(names, ["in.txt"], "{NODE}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_page_files_go_both_ways() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let browser = Browser::start().await;
    browser.open(&phonework.link()).await;
    let shows = async |part: &str| {
        let part = part.replace('"', "");
        let look = format!("document.body && document.body.innerText.includes(\"{part}\")");
        browser.wait_for(&look, LONG).await;
    };
    let say = async |text: &str| {
        browser
            .wait_for("document.body.innerText.includes('Connected')", LONG)
            .await;
        browser.fill("#text", text).await;
        browser.press("Enter").await;
    };
    say("/new demo").await;
    shows("is ready").await;
    browser
        .eval(
            "(() => { const all = new DataTransfer(); all.items.add(new File(['from the page'], 'page.txt')); \
             const input = document.getElementById('file'); input.files = all.files; \
             input.dispatchEvent(new Event('change')); return true; })()",
        )
        .await;
    shows("demo/page.txt (13 B)").await;
    let demo = world.work().join("demo");
    assert_eq!(
        std::fs::read(demo.join("page.txt")).unwrap(),
        b"from the page"
    );
    say("fake: text it-has-the-file").await;
    until(LONG, "the file's name in the prompt", || {
        let requests = world.model.requests();
        let mut bodies = requests.iter().map(|request| request.body.to_string());
        bodies.any(|body| body.contains("it-has-the-file") && body.contains("- page.txt"))
    })
    .await;

    std::fs::write(demo.join("picture.png"), PNG).unwrap();
    std::fs::write(demo.join("page.html"), "<script>alert(1)</script>").unwrap();
    say("/send picture.png").await;
    let wide = "document.querySelector('a.file img')?.naturalWidth === 8";
    browser.wait_for(wide, LONG).await;
    say("/send page.html").await;
    // The card says its name before the file itself is there.
    let there = "[...document.querySelectorAll('a.file')].some(a => a.href.includes('page.html'))";
    browser.wait_for(there, LONG).await;
    // It is downloaded, never run.
    let kind = browser
        .eval(
            "(async () => { const link = [...document.querySelectorAll('a.file')].find(a => a.href.includes('page.html')); \
             const answer = await fetch(link.href); \
             return [answer.headers.get('content-type'), answer.headers.get('content-disposition'), await answer.text()].join('|'); })()",
        )
        .await;
    assert_eq!(
        kind.as_str().unwrap(),
        "application/octet-stream|attachment; filename*=UTF-8''page.html|<script>alert(1)</script>"
    );
    assert_eq!(browser.errors(), Vec::<String>::new());
}
