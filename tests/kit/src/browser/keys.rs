//! Names of keys, turned into the events a keyboard makes.

use serde_json::{Value, json};

/// Key-down and key-up of `key`, modifiers in front: `Enter`, `a`, `Shift+Enter`.
///
/// # Panics
/// On a name that is not known.
pub(super) fn events(key: &str) -> [Value; 2] {
    let mut name = key;
    let mut modifiers = 0;
    while let Some((modifier, rest)) = name.split_once('+').filter(|(_, rest)| !rest.is_empty()) {
        modifiers |= match modifier {
            "Alt" => 1,
            "Control" => 2,
            "Meta" => 4,
            "Shift" => 8,
            _ => panic!("`{modifier}` in `{key}` is no modifier"),
        };
        name = rest;
    }
    // Which number a key has, and what it writes.
    let (number, text) = match name {
        "Enter" => (13, Some("\r".to_owned())),
        "Tab" => (9, None),
        "Escape" => (27, None),
        "Backspace" => (8, None),
        "Delete" => (46, None),
        "PageUp" => (33, None),
        "PageDown" => (34, None),
        "End" => (35, None),
        "Home" => (36, None),
        "ArrowLeft" => (37, None),
        "ArrowUp" => (38, None),
        "ArrowRight" => (39, None),
        "ArrowDown" => (40, None),
        _ => {
            let mut chars = name.chars();
            let (Some(char), None) = (chars.next(), chars.next()) else {
                panic!("`{name}` is no key");
            };
            (u32::from(char.to_ascii_uppercase()), Some(name.to_owned()))
        }
    };
    let code = match name {
        " " => "Space".to_owned(),
        _ if name.len() == 1 && name.as_bytes()[0].is_ascii_alphabetic() => {
            format!("Key{}", name.to_uppercase())
        }
        _ => name.to_owned(),
    };
    // With Control, Alt or Meta held a key writes nothing.
    let only_shift = [0, 8].contains(&modifiers);
    let text = text.filter(|_| only_shift);
    let event = |kind: &str, text: Option<&str>| {
        let mut event = json!({"type": kind, "key": name, "code": code, "modifiers": modifiers,
            "windowsVirtualKeyCode": number, "nativeVirtualKeyCode": number});
        if let Some(text) = text {
            event["text"] = text.into();
        }
        event
    };
    let down = if text.is_some() {
        "keyDown"
    } else {
        "rawKeyDown"
    };
    [event(down, text.as_deref()), event("keyUp", None)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_write_unless_a_modifier_is_held() {
        let [down, up] = events("a");
        assert_eq!(
            (&down["text"], &down["code"], &up["type"]),
            (&json!("a"), &json!("KeyA"), &json!("keyUp"))
        );
        let [down, _] = events("Control+Shift+a");
        assert_eq!((&down["modifiers"], down.get("text")), (&json!(10), None));
        assert_eq!(events("Shift+Enter")[0]["text"], "\r");
        assert_eq!(events("+")[0]["text"], "+");
    }
}
