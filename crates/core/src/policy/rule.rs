//! Demands beyond our own words, answered by another policy engine.
//!
//! A rule stands in a [`Requirement`](super::Requirement) like any other demand, also within `all`,
//! `any` and `not`. It is as pure as they are: it does not wait. A rule without an answer is not
//! met, and neither is its opposite.

use crate::outage::Outage;
use crate::token::AccessToken;
use std::any::Any;
use std::fmt;

/// A demand on a valid access token, answered by a policy engine or by the application.
///
/// Its `Display` names the demand in the log, and must not show anything of a token. A rule that
/// depends on the request is made for that request; it may be asked about one token more than once.
///
/// ```
/// use portcullis_core::policy::{Rule, Ruling};
/// use portcullis_core::token::AccessToken;
/// use std::fmt;
///
/// /// The order is the caller's own.
/// #[derive(Debug)]
/// struct Own { buyer: String }
///
/// impl fmt::Display for Own {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("the buyer of the order")
///     }
/// }
///
/// impl Rule for Own {
///     fn ruling(&self, token: &AccessToken) -> Ruling {
///         if token.user_id() == Some(self.buyer.as_str()) { Ruling::Met } else { Ruling::Unmet }
///     }
/// }
/// ```
pub trait Rule: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// Whether the token meets it.
    fn ruling(&self, token: &AccessToken) -> Ruling;
}

/// What a [`Rule`] says about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ruling {
    /// The token meets it.
    Met,
    /// The token does not meet it.
    Unmet,
    /// The answer depends on groups that did not fit into the token. They are looked up if the
    /// issuer's settings say how, and the rule is asked again.
    GroupsUnknown,
    /// The rule failed, and that is our fault: the answer to the request is 503, unless the other
    /// demands decide it.
    Failed(Outage),
}

/// Two rules are equal only if they are the same object.
impl PartialEq for dyn Rule {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self, other)
    }
}
