//! The demands on callers, one name each: a handler's signature reads like the rule.

use portcullis::requirement;

requirement!(
    /// May see orders: their own.
    pub Reader = scope("orders:read")
);

requirement!(
    /// May make and change orders: their own.
    pub Writer = scope("orders:write")
);

requirement!(
    /// May delete any order.
    pub Admin = role("Admin")
);
