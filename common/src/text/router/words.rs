//! Words that the router's texts are put together from: ages, and kinds of messages.

/// A unit of age.
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

/// The largest unit that still says enough: 90 s are seconds, 90 min are minutes.
pub(super) fn age(seconds: u64) -> (u64, Unit) {
    match seconds {
        0..=119 => (seconds, Unit::Second),
        120..=7_199 => (seconds / 60, Unit::Minute),
        7_200..=172_799 => (seconds / 3_600, Unit::Hour),
        _ => (seconds / 86_400, Unit::Day),
    }
}

/// The platform's word in the person's; a word that we do not know is shown as it is.
pub(super) fn kind_zh(what: &str) -> String {
    match what {
        "image" => "图片".into(),
        "audio" => "语音".into(),
        "media" | "video" => "视频".into(),
        "file" | "folder" => "文件".into(),
        "sticker" | "emotion" => "表情".into(),
        "location" => "位置".into(),
        "share_chat" | "share_user" => "名片".into(),
        "merge_forward" => "合并转发的消息".into(),
        "interactive" => "卡片".into(),
        "post" => "图文消息".into(),
        other => format!("这类消息（{other}）"),
    }
}

pub(super) fn kind_en(what: &str) -> String {
    match what {
        "image" => "pictures".into(),
        "audio" => "voice messages".into(),
        "media" | "video" => "videos".into(),
        "file" | "folder" => "files".into(),
        "sticker" | "emotion" => "stickers".into(),
        "location" => "locations".into(),
        "share_chat" | "share_user" => "contact cards".into(),
        "merge_forward" => "forwarded conversations".into(),
        "interactive" => "cards".into(),
        "post" => "rich text".into(),
        other => format!("this kind of message ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::RouterText;
    use crate::text::Say as _;

    #[test]
    fn ages_take_the_unit_that_fits() {
        let say = |seconds| {
            let text = RouterText::Ago { seconds };
            format!("{} / {}", text.en(), text.zh())
        };
        let all = [0, 119, 120, 7_199, 7_200, 172_800, 900_000]
            .map(say)
            .join("\n");
        insta::assert_snapshot!(all, @r"
    0 s ago / 0 秒前
    119 s ago / 119 秒前
    2 min ago / 2 分钟前
    119 min ago / 119 分钟前
    2 h ago / 2 小时前
    2 days ago / 2 天前
    10 days ago / 10 天前
    ");
    }

    #[test]
    fn unknown_kinds_are_named_as_they_are() {
        let text = RouterText::Unsupported {
            what: "hologram".into(),
        };
        assert_eq!(
            text.en(),
            "Cannot handle this kind of message (hologram) yet"
        );
        assert_eq!(text.zh(), "暂时还不能处理这类消息（hologram）");
    }
}
