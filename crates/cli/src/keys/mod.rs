//! The keys of an issuer: looked at, shown, and watched.

pub(crate) mod page;
pub(crate) mod table;
mod watch;

pub(crate) use watch::Watch;

use portcullis_audit::KeySetResponse;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_provider::inspect::{Inspection, Inspector};
use portcullis_resource_server::KeySettings;
use std::time::Duration;
use url::Url;

/// One look at the key set of an issuer.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) issuer: Issuer,
    pub(crate) at: NumericDate,
    /// The key set, or why a server would not even ask for it.
    pub(crate) set: Result<KeySetResponse, String>,
}

impl Look {
    /// Looks as a server does: the first metadata that is this issuer's names the key set.
    pub(crate) async fn at(inspector: &Inspector) -> Self {
        let named = match inspector.keys_url() {
            Some(_) => Ok(None),
            None => named(&inspector.metadata().await, inspector).map(Some),
        };
        let set = match named {
            Ok(named) => match inspector.keys(named).await {
                Some(looked) => Ok(KeySetResponse::read(looked, inspector.limits())),
                None => Err("nothing says where the keys are".to_owned()),
            },
            Err(reason) => Err(reason),
        };
        Self {
            issuer: inspector.issuer().clone(),
            at: inspector.clock().now(),
            set,
        }
    }

    /// Whether a server could verify tokens with it.
    pub(crate) fn is_usable(&self) -> bool {
        self.fault().is_none()
    }

    /// Why a server could not take it into use.
    pub(crate) fn fault(&self) -> Option<String> {
        match &self.set {
            Ok(set) => set
                .jwks
                .as_ref()
                .err()
                .map(|reason| format!("{}: {reason}", set.inspection.url)),
            Err(reason) => Some(reason.clone()),
        }
    }

    /// `max-age` of the key set.
    pub(crate) fn max_age(&self) -> Option<Duration> {
        self.set.as_ref().ok()?.answer()?.max_age()
    }

    /// After how long a server would ask again.
    pub(crate) fn next_fetch(&self) -> Duration {
        let settings = KeySettings::default();
        if self.is_usable() {
            settings.refresh_after(self.max_age())
        } else {
            settings.retry.1
        }
    }
}

/// The key set that the first good metadata names; else what was wrong with each.
fn named(forms: &[Inspection], inspector: &Inspector) -> Result<Url, String> {
    let mut reasons = Vec::new();
    for looked in forms {
        let read = match &looked.answer {
            Ok(answer) if answer.status == 200 => inspector.read(&answer.body),
            Ok(answer) => Err(format!("the answer was {}", answer.status)),
            Err(reason) => Err(reason.clone()),
        };
        match read {
            Ok(metadata) => return Ok(metadata.jwks_uri),
            Err(reason) => reasons.push(format!("{}: {reason}", looked.url)),
        }
        // Like a server: one that is down is not asked again under another path.
        if !looked
            .answer
            .as_ref()
            .is_ok_and(|answer| answer.status == 200 || (400..500).contains(&answer.status))
        {
            break;
        }
    }
    Err(format!(
        "no metadata of `{}`: {}",
        inspector.issuer(),
        reasons.join("; ")
    ))
}
