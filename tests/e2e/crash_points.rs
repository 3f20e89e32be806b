//! Every crash point, one after the other: the process dies exactly there, by SIGKILL, is started
//! again, and what the person asked for is done once, answered once, and nothing is left open.
//!
//! The points are listed in `common/src/crash_point.rs`; `ARCHITECTURE.md` says of each what is on
//! disk there and why nothing is lost or doubled.

mod dead;
mod fan;
mod gateway;
mod host;
mod job;
mod listed;
mod mail;
mod page;
mod parcel;
mod person;
mod remind;
mod route;
mod router;
mod shell;
mod stage;
mod waiting;
