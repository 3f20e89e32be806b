//! Asking a chat model behind an OpenAI-compatible API. Vendors differ in the places where strict
//! types break, so ours are tolerant: what is asked is in `types`, what comes back is read by
//! `read` and put together by `gather`, the vendors' own switches are in `vendor`, why there is no
//! answer is in `fault`, and `client` does the talking. What to ask, and what to do with an
//! answer, is left to the callers.

mod client;
mod fault;
mod gather;
mod read;
mod types;
mod vendor;

pub use client::{Limits, Llm, SetupFault};
pub use fault::{LlmFault, Stage};
pub use types::{
    Answer, Ask, Call, Choice, Finish, Heard, Message, Reasoning, Said, Tool, Usage, estimate,
};
