//! What all parts of PhoneWork share: ids, messages, subjects, streams, the broker connection,
//! configuration, identities, texts, telemetry. Spawns no processes, serves no HTTP, and knows
//! neither Feishu nor Claude.

pub mod audit;
pub mod broker;
pub mod command;
pub mod config;
pub mod crash_point;
pub mod disk;
pub mod fault;
pub mod health;
pub mod http;
pub mod identity;
pub mod ids;
pub mod keyed;
pub mod lang;
pub mod llm;
pub mod message;
pub mod metrics;
pub mod stream;
pub mod subject;
pub mod telemetry;
pub mod text;
