//! Integration tests of the host, against real parts.

mod agent;
