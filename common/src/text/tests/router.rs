//! The router's texts, a file for each enum.

mod dead;
mod enrol;
mod fan;
mod node;
mod plain;
mod remind;
mod route;
mod waiting;
