//! Turns.
use super::*;
