use super::*;

#[test]
fn sizes_are_short() {
    let sizes = [
        0,
        999,
        1_000,
        1_550,
        99_999,
        100_000,
        30_000_000,
        1_234_567_890,
    ];
    let sizes: Vec<String> = sizes.into_iter().map(size).collect();
    assert_eq!(
        sizes,
        [
            "0 B", "999 B", "1.0 KB", "1.5 KB", "99 KB", "100 KB", "30 MB", "1.2 GB"
        ]
    );
}
