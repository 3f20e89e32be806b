//! Files between a node and the fake platform: shown once, told when they are gone, and given to a node
//! only if its person sent them.

use common::broker::pieces::Sending;
use common::identity::seal;
use common::ids::{MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::decode;
use common::message::inbound::{Chat, FileKind, FileRef, InboundBody};
use common::message::outbound::{DownFailure, DownHead, Outbound, OutboundBody};
use common::{stream, subject};
use kit::feishu::{BotMessage, Class, Fault, Feishu};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::deliver::start;
use crate::stage::{Stage, app, direct, meta, until};

/// A picture of eight by eight.
const PNG: &[u8] =
    b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x08\x00\x00\
    \x00\x08\x08\x02\x00\x00\x00\x4b\x6d\x29\xdc\x00\x00\x00\x11\x49\x44\x41\x54\x78\xda\x63\
    \x50\x68\xf8\x80\x15\x31\x0c\x2d\x09\x00\xdf\x02\x64\x01\xab\xfd\xe1\xb1\x00\x00\x00\x00\
    \x49\x45\x4e\x44\xae\x42\x60\x82";

fn node() -> NodeId {
    "home-pc".parse().unwrap()
}

/// A file in the stream, and what shows it.
async fn sent(stage: &Stage, user: &UserId, chat: &Chat, name: &str, bytes: &[u8]) -> Outbound {
    let (xfer, cancel) = (MessageId::new(), CancellationToken::new());
    let place = |n| subject::up(&node(), xfer, n);
    let mut sending = Sending::new(&stage.router, place, &cancel);
    sending.write(bytes).await.unwrap();
    let of = sending.finish().await.unwrap();
    Outbound {
        meta: meta(),
        user: user.clone(),
        chat: chat.clone(),
        body: OutboundBody::File {
            node: node(),
            xfer,
            name: name.into(),
            of,
            image: name.contains(".png"),
            lang: Lang::En,
        },
    }
}

fn bytes_of(feishu: &Feishu, message: &BotMessage) -> Option<Vec<u8>> {
    let content = &message.content;
    let key = content["file_key"]
        .as_str()
        .or(content["image_key"].as_str())?;
    Some(feishu.media(key)?.1.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_one_message_whatever_fails() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    // More than one piece, and the last one not full.
    let large: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    feishu.fault(Class::UploadFile, Fault::Status(502));
    feishu.fault(Class::Send, Fault::DropAfterWork);
    let first = sent(&stage, &user, &chat, "a.bin", &large).await;
    stage.show(&first).await;
    stage.show(&first).await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    assert_eq!(shown.len(), 1, "{}", feishu.story());
    assert_eq!(bytes_of(&feishu, &shown[0]).unwrap(), large);

    // What is no picture to the platform goes as a file, and what it does not take at all is said.
    let broken = sent(&stage, &user, &chat, "b.png", b"no picture").await;
    stage.show(&broken).await;
    stage
        .show(&sent(&stage, &user, &chat, "c.png", PNG).await)
        .await;
    // The next trouble is for the next file.
    stage.wait_all_shown().await;
    feishu.fault(
        Class::UploadFile,
        Fault::Code {
            http: 400,
            code: 234_001,
        },
    );
    stage
        .show(&sent(&stage, &user, &chat, "d.txt", b"d").await)
        .await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    let kinds: Vec<&str> = shown.iter().map(|one| one.msg_type.as_str()).collect();
    assert_eq!(kinds, ["file", "file", "image", "text"]);
    assert_eq!(bytes_of(&feishu, &shown[2]).unwrap(), PNG);
    assert!(
        shown[3].text().contains("did not take d.txt"),
        "{}",
        shown[3].text()
    );

    // Pieces that are gone, or that were announced otherwise.
    let mut gone = sent(&stage, &user, &chat, "e.txt", b"e").await;
    let up = stage
        .router
        .jetstream()
        .get_stream(stream::UP)
        .await
        .unwrap();
    up.purge().await.unwrap();
    stage.show(&gone).await;
    gone = sent(&stage, &user, &chat, "f.txt", b"f").await;
    if let OutboundBody::File { of, .. } = &mut gone.body {
        of.sha256 = "0".repeat(64);
    }
    stage.show(&gone).await;
    stage.wait_all_shown().await;
    let told: Vec<String> = me.messages()[4..].iter().map(BotMessage::text).collect();
    assert_eq!(told.len(), 2);
    assert!(
        told.iter()
            .all(|text| text.contains("Send it again: /send")),
        "{told:?}"
    );
    assert_eq!(stage.dead().await, 0);

    // A node speaks of its own files only.
    let mut foreign = sent(&stage, &user, &chat, "g.txt", b"g").await;
    if let OutboundBody::File { node, .. } = &mut foreign.body {
        *node = "other".parse().unwrap();
    }
    stage.show(&foreign).await;
    stage.wait_all_shown().await;
    assert_eq!((me.messages().len(), stage.dead().await), (6, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_given_what_its_person_sent_and_nothing_else() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    let secret = SecretString::from(feishu.app_secret());
    let bytes = vec![9_u8; 600_000];
    let message = me.send_file("a.bin", bytes.clone());
    let InboundBody::Files { files, .. } = stage.wait_said(1).await.remove(0).body else {
        panic!("no files");
    };
    let mine = files[0].clone();
    assert_eq!(
        (mine.kind, mine.message.as_str()),
        (FileKind::File, message.as_str())
    );
    let head = async |file: &FileRef| {
        let xfer = MessageId::new();
        let body = OutboundBody::Fetch {
            node: node(),
            xfer,
            file: file.clone(),
        };
        let ask = Outbound {
            meta: meta(),
            user: user.clone(),
            chat: chat.clone(),
            body,
        };
        stage.show(&ask).await;
        let last = until("the file's head", async || {
            let subject = subject::down_head(&node(), xfer);
            let head = stage.router.newest(stream::DOWN, &subject).await.ok()??;
            let head: DownHead = decode("head", &head).unwrap();
            (!matches!(head, DownHead::Working { .. })).then_some(head)
        })
        .await;
        (xfer, last)
    };
    let (xfer, here) = head(&mine).await;
    let DownHead::Here(of) = here else {
        panic!("{here:?}");
    };
    let mut whole = Vec::new();
    let place = |n| subject::down(&node(), xfer, n);
    let sink = |piece: &[u8]| {
        whole.extend_from_slice(piece);
        Ok(())
    };
    stage
        .router
        .collect(stream::DOWN, place, &of, sink)
        .await
        .unwrap();
    assert_eq!(whole, bytes);

    let asked = || {
        let calls = feishu.calls();
        calls
            .iter()
            .filter(|call| call.class == Class::Resource)
            .count()
    };
    assert_eq!(asked(), 1);
    // Another person's file, under one's own seal and under theirs; one's own under another key.
    let theirs = feishu.user("ou_you").send_file("b.bin", bytes);
    let theirs = FileRef {
        message: theirs,
        ..mine.clone()
    };
    let their_seal = seal(&secret, "feishu/ou_you", &theirs.message, &theirs.key);
    let with_their_seal = FileRef {
        seal: their_seal,
        ..theirs.clone()
    };
    let other_key = FileRef {
        key: "file_v3_other".into(),
        ..mine.clone()
    };
    for file in [theirs, with_their_seal, other_key] {
        let failed = DownHead::Failed {
            why: DownFailure::Gone,
        };
        assert_eq!(head(&file).await.1, failed, "{file:?}");
    }
    assert_eq!(asked(), 1, "nothing of them was read");
    feishu.fault(
        Class::Resource,
        Fault::Code {
            http: 400,
            code: 234_037,
        },
    );
    let (_, failed) = head(&mine).await;
    assert_eq!(
        failed,
        DownHead::Failed {
            why: DownFailure::TooLarge
        }
    );
}
