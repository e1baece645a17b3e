//! The requests that the command sends by itself: to an API, and to a development provider.

use crate::exit::{CommandError, Exit};
use portcullis_provider::fetch::NetworkFault;
use reqwest::Url;

/// A request that got no response, in words, with what to do about it.
pub(crate) fn no_response(url: &Url, error: &reqwest::Error) -> CommandError {
    let fault = NetworkFault::read(url, error, None);
    tracing::debug!("{url}: {}", fault.chain());
    CommandError::new(Exit::Outage, fault.to_string()).help(fault.cause().cure())
}
