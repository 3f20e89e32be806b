//! Integration tests of `common`, against real parts.

mod dead;
mod identity;
mod lease;
mod llm;
