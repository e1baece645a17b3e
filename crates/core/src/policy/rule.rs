//! Demands beyond our own words, which an engine of somebody else answers.
//!
//! A rule stands in a [`Requirement`](super::Requirement) like any other demand and joins `all`,
//! `any` and `not`. It is as pure as they are: it waits for nobody. What it cannot tell is never
//! met, and neither is its opposite.

use crate::outage::Outage;
use crate::token::AccessToken;
use std::any::Any;
use std::fmt;

/// A demand on a valid access token that is answered elsewhere: by a policy engine, or by an
/// application.
///
/// Its `Display` says for the log what it demands, as the words of a requirement do: nothing of a
/// token belongs there. A rule that depends on the request, as policies do, is made for that
/// request; one token may be put to it more than once.
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
pub enum Ruling {
    /// The token meets it.
    Met,
    /// The token does not meet it.
    Unmet,
    /// That hangs on groups which did not fit into the token. They are looked up where the issuer's
    /// settings say how, and the rule is asked again.
    GroupsUnknown,
    /// Nobody can tell, and that is our fault: the answer to the request is 503, unless it is clear
    /// without this rule.
    Failed(Outage),
}

/// Rules are the same only if they are one.
impl PartialEq for dyn Rule {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(self, other)
    }
}
