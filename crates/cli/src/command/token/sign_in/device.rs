//! The device grant (RFC 8628): a code to type in, in any browser.

use super::super::request::TokenQuery;
use super::{scope, unless_stopped};
use crate::client::convert_error;
use crate::exit::CommandError;
use portcullis_client::{Client, Error, ServerMetadata, TokenResponse};
use std::time::Duration;

/// Shows the code, and polls until the person has signed in.
pub(in super::super) async fn sign_in(
    query: &TokenQuery,
    client: &Client,
    metadata: &ServerMetadata,
) -> Result<TokenResponse, CommandError> {
    let convert = |error: Error| convert_error(&error, &query.client);
    let mut extra = Vec::new();
    let sign_in = query.sign_in.members();
    for (name, value) in &sign_in {
        extra.push((*name, value.as_str()));
    }
    let parameters = query.parameters(&scope(query, metadata));
    let flow = client.device_with(&parameters, &extra).await;
    let flow = flow.map_err(convert)?;
    let reporter = query.reporter;
    reporter.instruct("To sign in, open this page on any device:");
    reporter.show(flow.verification_uri().as_str());
    reporter.instruct("and enter this code:");
    // Shown even with a complete address, for comparison (RFC 8628, section 3.3.1).
    reporter.show(flow.user_code());
    if let Some(page) = flow.verification_uri_complete() {
        reporter.note(&format!("This page has the code filled in: {page}"));
    }
    let spinner = reporter.spinner("Waiting for you to sign in ...");
    let finished = flow.finish(|progress| {
        let left = whole_seconds(progress.time_left());
        spinner.set_message(match progress.outage() {
            None => {
                format!("Waiting for you to sign in; the code expires in {left}. Ctrl-C cancels.")
            }
            Some(_) => format!("The provider does not respond; retrying for another {left}."),
        });
    });
    // Ctrl-C is handled here: the default would leave the spinner on the terminal.
    let finished = unless_stopped(finished).await;
    spinner.finish_and_clear();
    finished?.map_err(convert)
}

/// Fractions of a second would only flicker.
fn whole_seconds(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(duration.as_secs()))
}
