//! What a host says.
