//! What the audit hears of a parcel.

use common::message::inbound::{Chat, ChatKind};

use super::*;

#[test]
fn each_file_has_one_line_in_the_audit_with_what_became_of_it() {
    let origin = Origin {
        user: "feishu/ou_a".parse().unwrap(),
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Group,
            message: None,
        },
        cause: CauseId::new(common::ids::Surface::Feishu, "om_1"),
        lang: Lang::Zh,
        traceparent: String::new(),
    };
    let file = |name: &str, size| FileRef {
        name: name.into(),
        kind: FileKind::File,
        size: Some(size),
        message: "om_1".into(),
        key: name.into(),
        seal: String::new(),
    };
    let files = vec![
        file("large.zip", MAX_RECEIVED + 1),
        file("a.txt", 5),
        file("gone.txt", 5),
    ];
    let mut parcel = Parcel::new(origin, "demo".into(), files);
    let told = |step: Change| {
        let Change::Put(Shelf::File, key, record) = step else {
            panic!("another step");
        };
        let told = lines(&key, &record).into_iter();
        let told = told.map(|line| {
            let line = line.record();
            format!(
                "{} {} {} {}",
                line.user.as_deref().unwrap_or_default(),
                line.chat.as_deref().unwrap_or_default(),
                line.what.as_deref().unwrap_or_default(),
                line.outcome.as_deref().unwrap_or_default()
            )
        });
        (record, told.collect::<Vec<_>>())
    };
    let (_, first) = told(parcel.keep());
    assert_eq!(
        first,
        ["feishu/ou_a oc_1 large.zip not received: it is larger than 100 MB."]
    );
    // Asked once more, nothing is settled; about to be named neither.
    assert_eq!(told(parcel.keep()).1, Vec::<String>::new());
    let path = "demo/a.txt".to_owned();
    let naming = ItemState::Naming {
        path: path.clone(),
        size: 5,
    };
    assert_eq!(told(parcel.settle(1, naming)).1, Vec::<String>::new());
    let (record, here) = told(parcel.settle(1, ItemState::Here { path, size: 5 }));
    assert_eq!(here, ["feishu/ou_a oc_1 demo/a.txt received, 5 bytes"]);
    // Taken up after a crash, it is not told again.
    let mut parcel = Parcel::read(&record).unwrap();
    let (_, gone) = told(parcel.settle(2, failed_for(NotHere::Gone)));
    assert_eq!(
        gone,
        ["feishu/ou_a oc_1 gone.txt not received: it is not there any more. Send it again."]
    );
    assert!(parcel.is_over());
    assert_eq!(told(parcel.keep()).1, Vec::<String>::new());
}
