//! Which call a request is.
//!
//! Exists to have the platform's address space in one closed list. Doing the call is left to
//! `rest` and the modules behind it.

use super::fault::Class;

/// A known call with the ids out of its path.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Token,
    Endpoint,
    Send,
    Reply(String),
    Patch(String),
    Edit(String),
    Delete(String),
    Get(String),
    React(String),
    Unreact(String, String),
    BotInfo,
    UploadImage,
    UploadFile,
    Resource(String, String),
    CardUpdate,
    CardCreate,
    CardContent(String, String),
    CardSettings(String),
    CardReplace(String),
    ElementsAdd(String),
    ElementPut(String, String),
    ElementPatch(String, String),
    ElementDelete(String, String),
    Unknown,
}

impl Route {
    pub(crate) fn of(method: &str, path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let own = |s: &str| s.to_owned();
        match (method, parts.as_slice()) {
            ("POST", ["open-apis", "auth", "v3", "tenant_access_token", "internal"]) => Self::Token,
            ("POST", ["callback", "ws", "endpoint"]) => Self::Endpoint,
            ("GET", ["open-apis", "bot", "v3", "info"]) => Self::BotInfo,
            ("POST", ["open-apis", "interactive", "v1", "card", "update"]) => Self::CardUpdate,
            (_, ["open-apis", "im", "v1", rest @ ..]) => Self::im(method, rest),
            (_, ["open-apis", "cardkit", "v1", "cards", rest @ ..]) => match (method, rest) {
                ("POST", []) => Self::CardCreate,
                ("PUT", [card]) => Self::CardReplace(own(card)),
                ("PATCH", [card, "settings"]) => Self::CardSettings(own(card)),
                ("POST", [card, "elements"]) => Self::ElementsAdd(own(card)),
                ("PUT", [card, "elements", e, "content"]) => Self::CardContent(own(card), own(e)),
                ("PUT", [card, "elements", e]) => Self::ElementPut(own(card), own(e)),
                ("PATCH", [card, "elements", e]) => Self::ElementPatch(own(card), own(e)),
                ("DELETE", [card, "elements", e]) => Self::ElementDelete(own(card), own(e)),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    fn im(method: &str, rest: &[&str]) -> Self {
        let own = |s: &str| s.to_owned();
        match (method, rest) {
            ("POST", ["images"]) => Self::UploadImage,
            ("POST", ["files"]) => Self::UploadFile,
            ("POST", ["messages"]) => Self::Send,
            ("POST", ["messages", m, "reply"]) => Self::Reply(own(m)),
            ("PATCH", ["messages", m]) => Self::Patch(own(m)),
            ("PUT", ["messages", m]) => Self::Edit(own(m)),
            ("DELETE", ["messages", m]) => Self::Delete(own(m)),
            ("GET", ["messages", m]) => Self::Get(own(m)),
            ("POST", ["messages", m, "reactions"]) => Self::React(own(m)),
            ("DELETE", ["messages", m, "reactions", r]) => Self::Unreact(own(m), own(r)),
            ("GET", ["messages", m, "resources", k]) => Self::Resource(own(m), own(k)),
            _ => Self::Unknown,
        }
    }

    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Token => Class::Token,
            Self::Endpoint => Class::Endpoint,
            Self::Send => Class::Send,
            Self::Reply(_) => Class::Reply,
            Self::Patch(_) => Class::Patch,
            Self::Edit(_) => Class::Edit,
            Self::Delete(_) => Class::Delete,
            Self::Get(_) => Class::Get,
            Self::React(_) => Class::React,
            Self::Unreact(..) => Class::Unreact,
            Self::BotInfo => Class::BotInfo,
            Self::UploadImage => Class::UploadImage,
            Self::UploadFile => Class::UploadFile,
            Self::Resource(..) => Class::Resource,
            Self::CardUpdate => Class::CardUpdate,
            Self::CardCreate => Class::CardCreate,
            Self::CardContent(..) => Class::CardContent,
            Self::CardSettings(_) => Class::CardSettings,
            Self::CardReplace(_) => Class::CardReplace,
            Self::ElementsAdd(_)
            | Self::ElementPut(..)
            | Self::ElementPatch(..)
            | Self::ElementDelete(..) => Class::CardElements,
            Self::Unknown => Class::Unknown,
        }
    }
}
