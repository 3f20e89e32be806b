//! An HTTP answer in the platform's form.
//!
//! Exists so that all handlers speak of codes, and one place knows the JSON around them. What code
//! to give is left to the handlers.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// A handler's result.
pub(crate) type Outcome = Result<Answer, Answer>;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<i64>,
    body: Bytes,
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
}

type Bytes = bytes::Bytes;

impl Answer {
    /// Success with this `data`.
    pub(crate) fn data(data: &Value) -> Self {
        Self::json(200, 0, &json!({"code": 0, "msg": "success", "data": data}))
    }

    /// Success with fields at the top level.
    pub(crate) fn top(mut fields: Value) -> Self {
        fields["code"] = json!(0);
        fields["msg"] = json!("ok");
        Self::json(200, 0, &fields)
    }

    /// A refusal over HTTP 400.
    pub(crate) fn refuse(code: i64, msg: impl AsRef<str>) -> Self {
        Self::code(400, code, msg)
    }

    /// A code over any HTTP status.
    pub(crate) fn code(status: u16, code: i64, msg: impl AsRef<str>) -> Self {
        let log_id = uuid::Uuid::new_v4().simple().to_string();
        Self::json(
            status,
            code,
            &json!({"code": code, "msg": msg.as_ref(), "error": {"log_id": log_id}}),
        )
    }

    /// A missing or malformed field.
    pub(crate) fn field(field: &str, description: &str) -> Self {
        let body = json!({"code": 99_992_402, "msg": "field validation failed", "error": {
            "log_id": uuid::Uuid::new_v4().simple().to_string(),
            "field_violations": [{"field": field, "description": description}]}});
        Self::json(400, 99_992_402, &body)
    }

    /// The rate limit's answer.
    pub(crate) fn limited(reset_s: u64, limit: u32) -> Self {
        let mut answer = Self::code(429, 99_991_400, "request trigger frequency limit");
        answer
            .headers
            .push(("x-ogw-ratelimit-limit", limit.to_string()));
        answer
            .headers
            .push(("x-ogw-ratelimit-reset", reset_s.to_string()));
        answer
    }

    /// A bare status with a body that is no JSON, as a proxy in between would give it.
    pub(crate) fn status(status: u16) -> Self {
        let body = format!("<html><body>{status}</body></html>");
        Self {
            status,
            code: None,
            body: body.into(),
            content_type: "text/html",
            headers: Vec::new(),
        }
    }

    /// Raw bytes.
    pub(crate) fn bytes(body: Bytes, file_name: &str) -> Self {
        let disposition = format!("attachment; filename=\"{file_name}\"");
        Self {
            status: 200,
            code: None,
            body,
            content_type: "application/octet-stream",
            headers: vec![("content-disposition", disposition)],
        }
    }

    fn json(status: u16, code: i64, body: &Value) -> Self {
        Self {
            status,
            code: Some(code),
            body: body.to_string().into(),
            content_type: "application/json; charset=utf-8",
            headers: Vec::new(),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type),
        );
        for (name, value) in self.headers {
            // A file name beyond ASCII cannot stand in a header; the bytes matter, the name does not.
            let value =
                HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"));
            headers.insert(name, value);
        }
        let log_id = uuid::Uuid::new_v4().simple().to_string();
        if let Ok(value) = HeaderValue::from_str(&log_id) {
            headers.insert("x-tt-logid", value);
        }
        response
    }
}
