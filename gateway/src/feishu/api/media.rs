//! Pictures and files: uploading ours, reading what came with people's messages.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::multipart::{Form, Part};

use super::call::{Call, Repeat, Turn};
use super::{Api, message_path, segment, text};
use crate::feishu::error::{ApiError, ErrorKind};

/// For one try of an upload: 30 MB over a slow line.
pub(super) const UPLOAD: Duration = Duration::from_secs(180);

/// For one try of a download: 100 MB over a slow line.
pub(super) const DOWNLOAD: Duration = Duration::from_secs(600);

/// What is uploaded. A form is made of it for each try.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    kind: (&'static str, &'static str),
    name: Option<String>,
    field: &'static str,
    bytes: Bytes,
}

impl Upload {
    pub(super) fn form(&self) -> Form {
        let (field, kind) = self.kind;
        let name = self.name.clone().unwrap_or_else(|| "picture".into());
        let size = self.bytes.len() as u64;
        let part = Part::stream_with_length(self.bytes.clone(), size).file_name(name.clone());
        let form = Form::new().text(field, kind);
        let form = match &self.name {
            Some(name) => form.text("file_name", name.clone()),
            None => form,
        };
        form.part(self.field, part)
    }
}

/// The kind of a file as the platform sorts them, by its name.
fn file_type(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    match end.to_ascii_lowercase().as_str() {
        "pdf" => "pdf",
        "doc" | "docx" => "doc",
        "xls" | "xlsx" => "xls",
        "ppt" | "pptx" => "ppt",
        // Films and sounds would have to be sent as such, with their length.
        _ => "stream",
    }
}

impl Api {
    /// Uploads a picture of at most 10 MB; returns its key. Repeating it makes another key.
    pub async fn upload_image(&self, bytes: Bytes) -> Result<String, ApiError> {
        let upload = Upload {
            kind: ("image_type", "message"),
            name: None,
            field: "image",
            bytes,
        };
        self.upload("upload image", "images", "image_key", upload)
            .await
    }

    /// Uploads a file of at most 30 MB, not empty; returns its key. As [`Api::upload_image`].
    pub async fn upload_file(&self, name: &str, bytes: Bytes) -> Result<String, ApiError> {
        let upload = Upload {
            kind: ("file_type", file_type(name)),
            name: Some(name.to_owned()),
            field: "file",
            bytes,
        };
        self.upload("upload file", "files", "file_key", upload)
            .await
    }

    async fn upload(
        &self,
        name: &'static str,
        path: &str,
        key: &str,
        upload: Upload,
    ) -> Result<String, ApiError> {
        let data = self
            .caller
            .call(Call {
                name,
                method: Method::POST,
                path: format!("/open-apis/im/v1/{path}"),
                query: &[],
                body: None,
                upload: Some(upload),
                // Twice is a second key that nobody uses.
                repeat: Repeat::Safe,
                turn: Turn::None,
            })
            .await?;
        text(&data, key).ok_or_else(|| {
            let message = format!("the answer holds no {key}");
            ApiError::local(name, ErrorKind::Permanent, message)
        })
    }

    /// The bytes of a picture (`image`) or of anything else (`file`) that came with a message, as
    /// they come.
    pub async fn resource(
        &self,
        message_id: &str,
        key: &str,
        kind: &str,
    ) -> Result<reqwest::Response, ApiError> {
        let name = "resource";
        let path = format!(
            "{}/resources/{}",
            message_path(name, message_id)?,
            segment(name, key)?
        );
        self.caller.download(name, &path, &[("type", kind)]).await
    }
}
