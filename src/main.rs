//! Placeholder.
mod broker_child;
mod commands;
fn main() {}
