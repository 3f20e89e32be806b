//! Integration tests of `common`, against real parts.

mod identity;
