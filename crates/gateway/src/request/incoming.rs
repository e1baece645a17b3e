//! A request as its door has read it: what every later stage works with.

use crate::request::caller::Caller;
use crate::request::target::Target;
use crate::request::trace::Trace;
use http::{HeaderMap, Method};
use portcullis_core::proof::Thumbprint;

/// A request with exactly one reading.
///
/// The proxy reads it from its own connection; forward-auth and ext_authz read it from what another
/// proxy says about a request that it holds.
pub(crate) struct IncomingRequest<'r> {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: HeaderMap,
    /// Whether a body comes. `false` where another proxy holds it: only the head is known then.
    pub(crate) has_body: bool,
    pub(crate) caller: Caller,
    /// The client certificate, whoever signed it.
    pub(crate) certificate: Option<Thumbprint>,
    /// The name of the request in the log, the audit record and the response.
    pub(crate) id: &'r str,
    pub(crate) trace: Option<&'r Trace>,
}
