//! Images and files: the bot's uploads, and the attachments of people's messages.
//!
//! Exists because media have limits and keys of their own. Which message shows a key is left to
//! `content`.

use axum::extract::Multipart;
use bytes::Bytes;
use serde_json::json;

use super::Feishu;
use super::answer::{Answer, Outcome};
use super::world::{Media, World, id};

/// Counted in powers of ten: the narrower reading of the platform's "MB".
const IMAGE_MAX: usize = 10_000_000;
const FILE_MAX: usize = 30_000_000;
const DOWNLOAD_MAX: usize = 100_000_000;

const FILE_TYPES: [&str; 7] = ["opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"];

/// An upload's form.
#[derive(Default)]
pub(crate) struct Upload {
    kind: Option<String>,
    name: Option<String>,
    bytes: Option<Bytes>,
}

/// Reads a multipart form; nothing when it is malformed.
pub(crate) async fn read_form(mut form: Multipart) -> Option<Upload> {
    let mut upload = Upload::default();
    while let Some(field) = form.next_field().await.ok()? {
        match field.name().unwrap_or_default() {
            "image_type" | "file_type" => upload.kind = Some(field.text().await.ok()?),
            "file_name" => upload.name = Some(field.text().await.ok()?),
            "image" | "file" => upload.bytes = Some(field.bytes().await.ok()?),
            _ => {}
        }
    }
    Some(upload)
}

/// `POST images`.
pub(crate) fn image(world: &mut World, upload: Option<&Upload>) -> Outcome {
    let (upload, bytes) = filled(upload)?;
    if !matches!(upload.kind.as_deref(), Some("message" | "avatar")) {
        return Err(Answer::refuse(
            234_001,
            "Invalid request param: image_type is message or avatar",
        ));
    }
    if bytes.len() > IMAGE_MAX {
        return Err(Answer::refuse(234_006, "The image is over 10 MB."));
    }
    if !is_image(&bytes) {
        return Err(Answer::refuse(234_011, "Can't recognize image format."));
    }
    let key = keep(world, "img_v3", "image", upload, bytes);
    Ok(Answer::data(&json!({"image_key": key})))
}

/// `POST files`.
pub(crate) fn file(world: &mut World, upload: Option<&Upload>) -> Outcome {
    let (upload, bytes) = filled(upload)?;
    let kind = upload.kind.as_deref().filter(|k| FILE_TYPES.contains(k));
    let kind = kind.ok_or_else(|| Answer::refuse(234_001, "Invalid request param: file_type"))?;
    if upload.name.as_deref().unwrap_or_default().is_empty() {
        return Err(Answer::refuse(234_001, "Invalid request param: file_name"));
    }
    if bytes.len() > FILE_MAX {
        return Err(Answer::refuse(234_006, "The file is over 30 MB."));
    }
    let key = keep(world, "file_v3", kind, upload, bytes);
    Ok(Answer::data(&json!({"file_key": key})))
}

fn filled(upload: Option<&Upload>) -> Result<(&Upload, Bytes), Answer> {
    let upload = upload.ok_or_else(|| Answer::refuse(234_001, "Invalid request param: no form"))?;
    let bytes = upload.bytes.clone();
    let bytes = bytes.ok_or_else(|| Answer::refuse(234_001, "Invalid request param: no bytes"))?;
    if bytes.is_empty() {
        return Err(Answer::refuse(234_010, "The file is empty."));
    }
    Ok((upload, bytes))
}

fn keep(world: &mut World, prefix: &str, kind: &str, upload: &Upload, bytes: Bytes) -> String {
    let (key, name) = (id(prefix), upload.name.clone().unwrap_or_default());
    world.media.insert(
        key.clone(),
        Media {
            kind: kind.to_owned(),
            name,
            bytes,
            message_id: None,
        },
    );
    key
}

fn is_image(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 8] = [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF8",
        b"BM",
        b"\x00\x00\x01\x00",
        b"II*\x00",
        b"MM\x00*",
        b"RIFF",
    ];
    marks.iter().any(|m| bytes.starts_with(m)) || bytes.get(4..8) == Some(b"ftyp")
}

/// `GET messages/:id/resources/:key?type=…`.
pub(crate) fn resource(world: &World, message_id: &str, key: &str, kind: Option<&str>) -> Outcome {
    let Some(kind @ ("image" | "file")) = kind else {
        return Err(Answer::refuse(
            234_001,
            "Invalid request param: type is image or file",
        ));
    };
    let message = world.messages.get(message_id);
    let message = message.ok_or_else(|| Answer::refuse(234_003, "File not in msg."))?;
    if matches!(
        message.msg_type.as_str(),
        "interactive" | "sticker" | "merge_forward"
    ) {
        return Err(Answer::refuse(234_043, "Unsupported message type."));
    }
    if message.recalled {
        return Err(Answer::refuse(230_011, "The message was recalled."));
    }
    let shown = message.content.to_string().contains(key);
    let media = world
        .media
        .get(key)
        .filter(|m| shown && m.kind_of_resource() == kind);
    let media = media.ok_or_else(|| Answer::refuse(234_003, "File not in msg."))?;
    if media.bytes.len() > DOWNLOAD_MAX {
        return Err(Answer::refuse(234_037, "The file is over 100 MB."));
    }
    Ok(Answer::bytes(media.bytes.clone(), &media.name))
}

impl Media {
    fn kind_of_resource(&self) -> &'static str {
        if self.kind == "image" {
            "image"
        } else {
            "file"
        }
    }
}

impl Feishu {
    /// The name and bytes behind a key, uploaded or attached.
    pub fn media(&self, key: &str) -> Option<(String, Bytes)> {
        self.core
            .look(|w| w.media.get(key).map(|m| (m.name.clone(), m.bytes.clone())))
    }
}
