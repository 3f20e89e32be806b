//! Commands in a shell: whether one may run (`guard`), what it can reach (`sandbox`), and running it
//! (`run`). What runs by itself, and what people are shown of it, is `task`'s.

pub(crate) mod guard;
pub(crate) mod output;
pub(crate) mod run;
pub mod sandbox;
