//! The key set of an issuer: fetched, shown, and watched.

pub(crate) mod json;
pub(crate) mod page;
mod watch;

pub(crate) use watch::KeyWatch;

use portcullis_audit::KeySetResponse;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::inspect::{Inspection, Inspector};
use portcullis_resource_server::KeySettings;
use std::time::Duration;
use url::Url;

/// The key set of an issuer at one moment.
#[derive(Debug)]
pub(crate) struct KeySetView {
    pub(crate) issuer: Issuer,
    pub(crate) at: NumericDate,
    /// The response, or the reason why a server would not even send the request.
    pub(crate) set: Result<KeySetResponse, String>,
    /// What to do about a server that did not answer.
    pub(crate) cure: Option<&'static str>,
}

impl KeySetView {
    /// Fetches the key set as a server does.
    pub(crate) async fn fetch(inspector: &Inspector) -> Self {
        let mut cure = None;
        Self {
            issuer: inspector.issuer().clone(),
            at: inspector.clock().now(),
            set: fetch_keys(inspector, &mut cure).await,
            cure,
        }
    }

    /// Whether a server could verify tokens with it.
    pub(crate) fn is_usable(&self) -> bool {
        self.fault().is_none()
    }

    /// The reason why a server could not use it.
    pub(crate) fn fault(&self) -> Option<String> {
        match &self.set {
            Ok(set) => match &set.jwks {
                Ok(_) => None,
                Err(reason) => Some(format!("{}: {reason}", set.inspection.url)),
            },
            Err(reason) => Some(reason.clone()),
        }
    }

    /// A header field of the response, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let set = self.set.as_ref().ok()?;
        set.answer()?.headers.get(name)?.to_str().ok()
    }

    /// `max-age` of the key set.
    pub(crate) fn max_age(&self) -> Option<Duration> {
        self.set.as_ref().ok()?.answer()?.max_age()
    }

    /// How long a server waits before it fetches again.
    pub(crate) fn next_fetch(&self) -> Duration {
        let settings = KeySettings::default();
        if self.is_usable() {
            settings.refresh_after(self.max_age())
        } else {
            // The longest pause between two attempts: a watch is in no hurry.
            settings.retry.1
        }
    }
}

async fn fetch_keys(
    inspector: &Inspector,
    cure: &mut Option<&'static str>,
) -> Result<KeySetResponse, String> {
    let url = match inspector.keys_url() {
        // The address is configured, so no metadata is needed.
        Some(_) => None,
        None => {
            let documents = inspector.metadata().await;
            *cure = documents.first().and_then(|document| document.cure);
            Some(keys_url(&documents, inspector)?)
        }
    };
    match inspector.keys(url).await {
        Some(response) => {
            *cure = response.cure;
            Ok(KeySetResponse::read(response, inspector.limits()))
        }
        None => Err("neither the settings nor the metadata name a key set".to_owned()),
    }
}

/// The address of the key set in the first metadata of this issuer, or what is wrong with each
/// document.
fn keys_url(documents: &[Inspection], inspector: &Inspector) -> Result<Url, String> {
    let mut reasons = Vec::new();
    for document in documents {
        let status = match &document.answer {
            Ok(response) => response.status,
            // Without a response the search ends below, as with a status of 500.
            Err(_) => 0,
        };
        let metadata = match &document.answer {
            Ok(response) if status == 200 => inspector.read(&response.body),
            Ok(_) => Err(format!("expected status 200, found {status}")),
            Err(reason) => Err(reason.clone()),
        };
        match metadata {
            Ok(metadata) => return Ok(metadata.jwks_uri),
            // The words of the network name the host, and a path does not matter to it.
            Err(reason) if document.cure.is_some() => reasons.push(reason),
            Err(reason) => reasons.push(format!("{}: {reason}", document.url)),
        }
        // As a server does: a provider that is down is not asked at another address.
        if status != 200 && !(400..500).contains(&status) {
            break;
        }
    }
    let (issuer, reasons) = (inspector.issuer(), reasons.join("; "));
    Err(format!("no metadata of `{issuer}`: {reasons}"))
}
