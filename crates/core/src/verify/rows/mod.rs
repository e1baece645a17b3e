//! The functions of the rows: each looks at one thing, and says what it expected and what it found.

pub(super) mod binding;
pub(super) mod claims;
pub(super) mod kind;
pub(super) mod time;
