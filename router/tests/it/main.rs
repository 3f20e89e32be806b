//! The router against a real broker, with its real accounts and permissions.

mod choosing;
mod dispatching;
mod limits;
mod presence;
mod provisioning;
mod running;
mod world;
