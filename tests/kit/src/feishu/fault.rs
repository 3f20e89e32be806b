//! Faults a test orders in advance, and the kinds of request they apply to.
//!
//! Exists so that a test can say "the next send loses its answer" without knowing how. Acting on a
//! fault is left to `rest` (requests) and `delivery` (the websocket).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// One kind of request, or the websocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// `POST /open-apis/auth/v3/tenant_access_token/internal`.
    Token,
    /// `POST /callback/ws/endpoint`.
    Endpoint,
    /// The websocket's opening request. `Fault::Code {http, code}` gives the refusal's status and
    /// its auth error code.
    Handshake,
    /// One event or callback on the websocket: see [`Fault`] for what each means there.
    Delivery,
    /// A new message.
    Send,
    /// A reply.
    Reply,
    /// A card replaced by `PATCH`.
    Patch,
    /// A text or post edited by `PUT`.
    Edit,
    /// A message recalled.
    Delete,
    /// A message read.
    Get,
    /// A reaction added.
    React,
    /// A reaction removed.
    Unreact,
    /// `GET /open-apis/bot/v3/info`.
    BotInfo,
    /// An image uploaded.
    UploadImage,
    /// A file uploaded.
    UploadFile,
    /// A message's image or file read.
    Resource,
    /// `POST /open-apis/interactive/v1/card/update`.
    CardUpdate,
    /// A card entity created.
    CardCreate,
    /// An element's text streamed.
    CardContent,
    /// A card entity's settings.
    CardSettings,
    /// A card entity replaced.
    CardReplace,
    /// One or several elements of a card entity added, changed or removed.
    CardElements,
    /// Anything the platform does not know; answered 404.
    Unknown,
}

/// One thing that goes wrong.
///
/// On [`Class::Delivery`] they mean: `DropBeforeWork` the frames are never sent; `DropAfterWork` the
/// frames are sent and the ack is overlooked; `Delay` they are sent later; `Disconnect` the
/// connection is cut instead; `HalfOpen` the connection falls silent instead. The other ones do
/// not apply there and panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This HTTP status with a body that is no JSON.
    Status(u16),
    /// This code in a regular error body; nothing is done.
    Code {
        /// The HTTP status around it.
        http: u16,
        /// The platform's code.
        code: i64,
    },
    /// 429 with code 99991400 and the headers that say how long to wait.
    RateLimited {
        /// Seconds to wait.
        reset_s: u64,
    },
    /// The connection ends before the request has any effect.
    DropBeforeWork,
    /// The request has its effect, then the connection ends without an answer.
    DropAfterWork,
    /// Work and answer come this much later.
    Delay(Duration),
    /// No effect and no answer; the connection stays open.
    Hang,
    /// No answer, and the effect comes this much later, whoever has given up by then: a line that
    /// was dead and lives again.
    Late(Duration),
    /// All tokens become invalid just before this request, which is then judged as usual.
    ExpireToken,
    /// The connection is cut.
    Disconnect,
    /// The connection stays open and never answers again.
    HalfOpen,
}

/// The ordered faults, first come first served within a class.
#[derive(Default)]
pub(crate) struct Faults(HashMap<Class, VecDeque<Fault>>);

impl Faults {
    pub(crate) fn push(&mut self, class: Class, fault: Fault) {
        self.0.entry(class).or_default().push_back(fault);
    }

    pub(crate) fn take(&mut self, class: Class) -> Option<Fault> {
        self.0.get_mut(&class)?.pop_front()
    }

    pub(crate) fn left(&self, class: Class) -> usize {
        self.0.get(&class).map_or(0, VecDeque::len)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
