//! Files on the page: whoever is logged in has them, and nobody else; a node gets those that it was given.

use common::ids::{MessageId, NodeId};
use common::message::decode;
use common::message::inbound::{FileKind, FileRef, InboundBody};
use common::message::outbound::{DownFailure, DownHead, Outbound, OutboundBody};
use common::{stream, subject};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Stage, direct, meta, until};
use crate::visitor::{Visitor, owner, start};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

async fn upload(visitor: &Visitor, id: &str, bytes: &[u8]) -> Response {
    let url = format!("{}/api/files/{id}", visitor.origin);
    let request = visitor.request(Method::POST, &url);
    let request = request.header("origin", &visitor.origin);
    request.body(bytes.to_vec()).send().await.unwrap()
}

async fn download(visitor: &Visitor, id: &str, name: &str) -> Response {
    let url = format!("{}/api/files/{id}", visitor.origin);
    let request = visitor.request(Method::GET, &url).query(&[("name", name)]);
    request.send().await.unwrap()
}

async fn error(answer: Response) -> String {
    let said: Value = answer.json().await.unwrap();
    said["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_logged_in_gives_and_gets_nothing() {
    let (_stage, dir, mut gateway) = start().await;
    let owner = Visitor::logged_in(&mut gateway).await;
    let (_other_stage, _other_dir, mut other) = start().await;
    // Somebody of another installation, and somebody of none.
    let foreign = Visitor::logged_in(&mut other).await;
    let foreign = Visitor {
        http: foreign.http,
        origin: owner.origin.clone(),
        link: String::new(),
        cookie: foreign.cookie,
    };
    let nobody = Visitor {
        http: kit::http::client(),
        origin: owner.origin.clone(),
        link: String::new(),
        cookie: None,
    };
    let id = Uuid::new_v4().simple().to_string();
    for stranger in [&foreign, &nobody] {
        let refused = upload(stranger, &id, b"theirs").await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(error(refused).await.contains("login link"));
    }
    assert!(!dir.path().join("web-files").exists());

    let taken = upload(&owner, &id, b"the owner's").await;
    assert_eq!(taken.status(), StatusCode::CREATED);
    for stranger in [&foreign, &nobody] {
        for id in [id.as_str(), "none", &Uuid::new_v4().to_string()] {
            let refused = download(stranger, id, "a").await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{id}");
        }
        // Neither is it replaced.
        let refused = upload(stranger, &id, b"theirs").await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
    let answer = download(&owner, &id, "a.txt").await;
    assert_eq!(answer.text().await.unwrap(), "the owner's");
    // Sent again, as after a lost answer, it is there once.
    upload(&owner, &id, b"the owner's, again").await;
    let answer = download(&owner, &id, "a.txt").await;
    assert_eq!(answer.text().await.unwrap(), "the owner's, again");
    let kept: Vec<_> = std::fs::read_dir(dir.path().join("web-files"))
        .unwrap()
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    // A page of somebody else's cannot make the owner's browser do it.
    let url = format!("{}/api/files/{id}", owner.origin);
    let crossed = owner
        .request(Method::POST, &url)
        .header("origin", "http://evil.example");
    let crossed = crossed.body("evil").send().await.unwrap();
    assert_eq!(crossed.status(), StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_given_out_can_run() {
    let (_stage, _dir, mut gateway) = start().await;
    let owner = Visitor::logged_in(&mut gateway).await;
    let headers = |answer: &Response| {
        let text = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        (text("content-type"), text("content-disposition"))
    };
    for (bytes, kind, disposition) in [
        (
            &b"<script>alert(1)</script>"[..],
            "application/octet-stream",
            None,
        ),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
            "application/octet-stream",
            None,
        ),
        (b"%PDF-1.7", "application/octet-stream", None),
        (PNG, "image/png", Some("inline")),
    ] {
        let id = Uuid::new_v4().to_string();
        upload(&owner, &id, bytes).await;
        let name = "报告\r\nX: y\"; a.html";
        let answer = download(&owner, &id, name).await;
        let attachment =
            "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A%0D%0AX%3A%20y%22%3B%20a.html";
        assert_eq!(
            headers(&answer),
            (
                kind.to_owned(),
                disposition.unwrap_or(attachment).to_owned()
            )
        );
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(
            answer.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
    // What is none, empty, or not there any more is told.
    for (status, answer) in [
        (413, upload(&owner, &Uuid::new_v4().to_string(), b"").await),
        (400, upload(&owner, "no-id", b"x").await),
        (410, download(&owner, "no-id", "a").await),
        (
            410,
            download(&owner, &Uuid::new_v4().to_string(), "a").await,
        ),
    ] {
        assert_eq!(answer.status(), status);
        assert!(!error(answer).await.is_empty());
    }
    let too_large = format!("{}/api/files/{}", owner.origin, Uuid::new_v4());
    let too_large = owner
        .request(Method::POST, &too_large)
        .header("origin", &owner.origin);
    let too_large = too_large.body(vec![0; 100_000_001]).send().await;
    // The connection may close on who still sends; an answer, if any, says why.
    if let Ok(answer) = too_large {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

/// How a node's wish for a file ends.
async fn asked(stage: &Stage, file: FileRef) -> DownHead {
    let (node, xfer): (NodeId, _) = ("home-pc".parse().unwrap(), MessageId::new());
    let ask = Outbound {
        meta: meta(),
        user: owner(),
        chat: direct("page"),
        body: OutboundBody::Fetch {
            node: node.clone(),
            xfer,
            file,
        },
    };
    stage.show(&ask).await;
    until("the file's head", async || {
        let subject = subject::down_head(&node, xfer);
        let head = stage.router.newest(stream::DOWN, &subject).await.ok()??;
        let head: DownHead = decode("head", &head).unwrap();
        (!matches!(head, DownHead::Working { .. })).then_some(head)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_gets_what_it_was_given_and_nothing_else() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let id = Uuid::new_v4();
    upload(&visitor, &id.to_string(), b"attached").await;
    let long = "x".repeat(1_000);
    let said = json!({"id": Uuid::new_v4(), "text": "look", "files": [{"id": id, "name": long, "bytes": 8}]});
    let answer = visitor.post("/api/messages", &said).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let InboundBody::Files { files, text } = stage.wait_said(1).await.remove(0).body else {
        panic!("no files");
    };
    let mine = files[0].clone();
    assert_eq!(
        (text.as_str(), mine.name.len(), mine.kind),
        ("look", 255, FileKind::File)
    );
    let shown = visitor.follow("", 0).await.entries;
    assert_eq!(
        shown[0]["item"]["files"][0]["name"].as_str().unwrap().len(),
        255
    );
    let DownHead::Here(of) = asked(&stage, mine.clone()).await else {
        panic!("it is there");
    };
    assert_eq!((of.bytes, of.chunks), (8, 1));
    for key in [
        "",
        "..",
        "../web.key",
        "in-x",
        "no-id",
        &Uuid::new_v4().to_string(),
    ] {
        let other = FileRef {
            key: key.to_owned(),
            ..mine.clone()
        };
        let gone = DownHead::Failed {
            why: DownFailure::Gone,
        };
        assert_eq!(asked(&stage, other).await, gone, "{key:?}");
    }
    // More files than one message takes are refused, and nothing of it is said to a node.
    let file = json!({"id": id, "name": "a", "bytes": 8});
    let many = json!({"id": Uuid::new_v4(), "files": vec![file; 21]});
    let refused = visitor.post("/api/messages", &many).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(stage.said().await.len(), 1);
}
