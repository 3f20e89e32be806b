//! Every spelling of an address that only this machine or its network may reach.

use super::*;

#[test]
fn private_addresses_in_every_spelling_are_refused() {
    let policy = Policy::public();
    for url in [
        "http://127.0.0.1",
        "http://127.0.0.1:8000/x",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://0x7f.0.0.1",
        "http://0177.0.0.1",
        "http://017700000001",
        "http://127.0.0.1.",
        "http://１２７.0.0.1",
        "http://127。0。0。1",
        "http://0",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::1]",
        "http://[0:0:0:0:0:0:0:1]:80",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7f00:1]",
        "http://[::127.0.0.1]",
        "http://[64:ff9b::127.0.0.1]",
        "http://[64:ff9b::a9fe:a9fe]",
        "http://[64:ff9b:1::1]",
        "http://[2002:7f00:1::]",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "http://[fe80::1]",
        "http://[fec0::1]",
        "http://[fc00::1]",
        "http://[fd00:ec2::254]",
        "http://[ff02::1]",
        "http://[2001:db8::1]",
        "http://[100::1]",
        "http://[2400:cb00::5efe:10.0.0.1]",
        "http://[2400:cb00::200:5efe:7f00:1]",
        "http://[64:ff9b:1:7f00::1]",
        "http://[::ffff:0:127.0.0.1]",
        "http://[::ffff:0a00:0001]",
        "http://[2001:db8::127.0.0.1]",
        "http:127.0.0.1",
        "http:///127.0.0.1",
        "http:\\\\127.0.0.1",
        "//127.0.0.1/",
        "HTTP://LocalHost/",
        "http://loc%61lhost/",
        "http://ⓛocalhost/",
        "http://127.0.0.1:80\\@example.org/",
        "http://①②⑦.0.0.1",
        "http://0300.0250.1.1",
        "http://0xa9fea9fe",
        "http://169.254.43518",
        "http://017700000001.",
        "http://192.168.257",
        "http://10.1.2.3",
        "http://172.16.0.1",
        "http://172.31.255.255",
        "http://192.168.1.1",
        "http://100.64.0.1",
        "http://100.100.100.200",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166",
        "http://168.63.129.16",
        "http://192.0.0.1",
        "http://198.18.0.1",
        "http://203.0.113.9",
        "http://224.0.0.1",
        "http://255.255.255.255",
        "http://240.0.0.1",
        "http://localhost",
        "http://LOCALHOST:8000",
        "http://localhost.",
        "http://a.localhost",
        "localhost:8000",
        "127.0.0.1:4222/x",
    ] {
        let refused = policy.read(url);
        assert!(
            matches!(refused, Err(Refused::Private(_))),
            "{url}: {refused:?}"
        );
    }
}

#[test]
fn what_is_no_web_address_is_refused() {
    let policy = Policy::public();
    for (url, why) in [
        ("file:///etc/passwd", Refused::Scheme("file".into())),
        ("file:/etc/passwd", Refused::Scheme("file".into())),
        ("ftp://example.org/x", Refused::Scheme("ftp".into())),
        ("data:text/html,x", Refused::Scheme("data".into())),
        ("javascript:alert(1)", Refused::Scheme("javascript".into())),
        ("gopher://example.org", Refused::Scheme("gopher".into())),
        ("http://me:secret@example.org", Refused::Credentials),
        ("http://me@example.org", Refused::Credentials),
        ("me@example.org", Refused::Credentials),
        ("", Refused::Unreadable),
        ("http://", Refused::Unreadable),
        ("ws://example.org/", Refused::Scheme("ws".into())),
        ("dict://example.org:11211/", Refused::Scheme("dict".into())),
        (
            "view-source:http://example.org",
            Refused::Scheme("view-source".into()),
        ),
        ("http://[fe80::1%25lo]/", Refused::Unreadable),
        ("http://[::1%lo]/", Refused::Unreadable),
        ("http://:secret@example.org", Refused::Credentials),
        ("http://a b.example/", Refused::Unreadable),
        ("http://example.org:99999/", Refused::Unreadable),
        ("http://...", Refused::Unreadable),
        ("http://[::1", Refused::Unreadable),
        ("two words", Refused::Unreadable),
        ("http://256.256.256.256", Refused::Unreadable),
    ] {
        assert_eq!(policy.read(url), Err(why), "{url}");
    }
    let long = format!("http://example.org/{}", "x".repeat(MAX_URL));
    assert_eq!(policy.read(&long), Err(Refused::Unreadable));
}

#[test]
fn the_public_internet_is_open() {
    let policy = Policy::public();
    for (typed, url) in [
        ("https://example.org/a?b#c", "https://example.org/a?b#c"),
        ("example.org/x", "https://example.org/x"),
        ("example.org:8080/x", "https://example.org:8080/x"),
        ("http://93.184.216.34", "http://93.184.216.34/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        (
            "http://[::ffff:93.184.216.34]/",
            "http://[::ffff:5db8:d822]/",
        ),
        (
            "http://[64:ff9b::5db8:d822]/",
            "http://[64:ff9b::5db8:d822]/",
        ),
        ("http://172.32.0.1", "http://172.32.0.1/"),
        (" 例子.中国/页 ", "https://xn--fsqu00a.xn--fiqs8s/%E9%A1%B5"),
    ] {
        let read = policy.read(typed).map(String::from);
        assert_eq!(read, Ok(url.to_owned()), "{typed}");
    }
}

#[tokio::test]
async fn of_a_name_only_public_addresses_are_left() {
    let policy = Policy::with(
        &[
            ("mixed.test", &["10.0.0.1", "93.184.216.34", "::1"]),
            ("inside.test", &["169.254.169.254", "fd00::1"]),
            ("nothing.test", &[]),
        ],
        &[],
    );
    let mixed = policy.addresses("mixed.test").await.unwrap();
    assert_eq!(mixed, ["93.184.216.34:0".parse().unwrap()]);
    let inside = policy.addresses("inside.test").await.unwrap_err();
    assert_eq!(
        inside.downcast_ref(),
        Some(&Refused::Private("inside.test".to_owned()))
    );
    for name in ["nothing.test", "unknown.test"] {
        let none = policy.addresses(name).await.unwrap_err();
        assert_eq!(none.downcast_ref(), Some(&Refused::NoName(name.to_owned())));
    }
}

proptest::proptest! {
    #[test]
    fn nothing_typed_gets_past_the_check_without_being_judged(typed in "[a-z0-9.:/@\\[\\]%x]{0,40}") {
        if let Ok(url) = Policy::public().read(&typed) {
            let host = url.host_str().unwrap_or_default();
            let bare = host.trim_matches(['[', ']']);
            if let Ok(address) = bare.parse::<IpAddr>() {
                proptest::prop_assert!(is_public(address));
            }
        }
    }
}
