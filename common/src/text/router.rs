//! What the router says.
