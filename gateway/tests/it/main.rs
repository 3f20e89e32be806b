//! Integration tests of the gateway, in one binary.

mod feishu_wire;
