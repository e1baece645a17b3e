//! What serde reads from our values, and what it is refused.

use super::*;

#[test]
fn placeholder() {}
