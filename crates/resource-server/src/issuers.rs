//! The trusted issuers: exact lookup by the whole identifier; nothing in a token can add one.

mod tenants;
mod trusted_issuer;

pub(crate) use trusted_issuer::TrustedIssuer;

use crate::introspection::{IntrospectionStatus, Introspector};
use crate::settings::{IssuerSettings, Tenants};
use portcullis_core::Limits;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::{Issuer, OpaqueToken};
use portcullis_core::verify::Verifier;
use portcullis_provider::clock::Clock;
use portcullis_provider::egress::Egress;
use portcullis_provider::fetch::Fetch;
use portcullis_provider::keys::{KeyCache, KeyStatus};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tenants::TenantIssuers;
use trusted_issuer::IssuerEntry;

/// All configured issuers, each with its own keys: a `kid` is never looked up across them.
pub(crate) struct TrustedIssuers {
    /// Under every spelling that an issuer has.
    exact: HashMap<Box<str>, Arc<TrustedIssuer>>,
    /// Those that can be asked about opaque tokens, the longest prefix first.
    asked: Vec<Arc<TrustedIssuer>>,
    /// Entries for many tenants of one provider.
    templates: Vec<TenantIssuers>,
}

impl TrustedIssuers {
    pub(crate) fn new(
        settings: Vec<IssuerSettings>,
        limits: Limits,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let egress = Egress {
            fetch: Fetch::new(limits.document_bytes),
            limits,
            clock: Arc::clone(clock),
        };
        let mut issuers = Self {
            exact: HashMap::new(),
            asked: Vec::new(),
            templates: Vec::new(),
        };
        for settings in settings {
            warn_of_danger(&settings);
            let entry = IssuerEntry::new(settings.clone(), &egress);
            if matches!(settings.tenants, Tenants::One) {
                issuers.add(&entry, &settings.verifier);
            } else {
                issuers
                    .templates
                    .push(TenantIssuers::new(settings, entry));
            }
        }
        // The longest first, so that `ab_` is not taken for `a`; an unknown prefix comes last.
        issuers
            .asked
            .sort_by_key(|issuer| Reverse(issuer.prefix().map(str::len)));
        issuers
    }

    fn add(&mut self, entry: &IssuerEntry, verifier: &Verifier) {
        let keys = entry.keys_of(verifier.issuer());
        let issuer = Arc::new(entry.issuer(verifier.clone(), keys));
        if issuer.introspector.is_some() {
            self.asked.push(Arc::clone(&issuer));
        }
        for alias in verifier.aliases() {
            self.exact
                .insert(alias.as_str().into(), Arc::clone(&issuer));
        }
        self.exact
            .insert(verifier.issuer().as_str().into(), issuer);
    }

    /// The introspector for a token, if that is opaque and there is an issuer to ask about it.
    ///
    /// # Errors
    ///
    /// A text that is not fit to be asked about.
    pub(crate) fn find_introspector<'t>(
        &self,
        token: &'t str,
        limits: &Limits,
    ) -> Result<Option<(OpaqueToken<'t>, &Introspector)>, Rejection> {
        if self.asked.is_empty() {
            return Ok(None);
        }
        let Some(opaque) = OpaqueToken::read(token, limits)? else {
            return Ok(None);
        };
        // One issuer at most is asked: a token must not be shown to the others.
        for issuer in &self.asked {
            // Every text begins with the empty one: an unknown prefix fits all tokens.
            if let Some(introspector) = &issuer.introspector
                && token.starts_with(introspector.prefix().unwrap_or_default())
            {
                return Ok(Some((opaque, introspector)));
            }
        }
        Ok(None)
    }

    /// The configured issuer that a token names, compared byte for byte, or the tenant of a
    /// configured template.
    ///
    /// # Errors
    ///
    /// An issuer that is not trusted, or none at all.
    pub(crate) fn find(&self, issuer: Option<&str>) -> Result<Arc<TrustedIssuer>, Rejection> {
        let Some(name) = issuer else {
            return Err(Rejection::of_issuer(None));
        };
        // First, so that a template never takes the place of an issuer with an entry of its own.
        if let Some(exact) = self.exact.get(name) {
            return Ok(Arc::clone(exact));
        }
        for template in &self.templates {
            if let Some(tenant) = template.find(name) {
                return tenant;
            }
        }
        Err(Rejection::of_issuer(issuer))
    }

    /// Begins to fetch the keys that are known to be needed; those of single tenants begin with
    /// their first token.
    pub(crate) fn start(&self) {
        for keys in self.key_caches() {
            keys.start();
        }
    }

    /// The keys of every issuer, and those that tenants share.
    pub(crate) fn key_caches(&self) -> impl Iterator<Item = &Arc<KeyCache>> {
        let shared = self
            .templates
            .iter()
            .filter_map(TenantIssuers::shared_keys);
        let own = self.single_issuers().map(|issuer| &issuer.keys);
        own.chain(shared)
    }

    /// The issuers that are not templates, each once whatever its spellings.
    fn single_issuers(&self) -> impl Iterator<Item = &Arc<TrustedIssuer>> {
        let issuers = self.exact.iter();
        issuers.filter_map(|(name, issuer)| {
            (**name == *issuer.verifier.issuer().as_str()).then_some(issuer)
        })
    }

    fn lasting_key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        let status = |keys: &Arc<KeyCache>| (keys.issuer().clone(), keys.status());
        self.key_caches().map(status).collect()
    }

    /// The state of each issuer's keys, those of remembered tenants included.
    pub(crate) fn key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        let mut status = self.lasting_key_status();
        for template in &self.templates {
            status.extend(template.key_status());
        }
        status
    }

    /// The issuers that have to be asked about tokens and, as far as their metadata is known, do
    /// not say where.
    pub(crate) fn without_introspection_endpoint(&self) -> impl Iterator<Item = &Issuer> {
        let lacking = self.introspectors().filter(|it| it.lacks_endpoint());
        lacking.map(|introspector| introspector.verifier().issuer())
    }

    /// The state of the requests to each issuer that is asked about tokens.
    pub(crate) fn introspection_status(&self) -> Vec<(Issuer, IntrospectionStatus)> {
        let mut status = Vec::new();
        for introspector in self.introspectors() {
            let issuer = introspector.verifier().issuer().clone();
            status.push((issuer, introspector.status()));
        }
        status
    }

    fn introspectors(&self) -> impl Iterator<Item = &Introspector> {
        let asked = self.asked.iter();
        asked.filter_map(|issuer| issuer.introspector.as_ref())
    }

    /// The state of the keys of each entry of the settings. Where tenants have keys of their own,
    /// it is that of the tenant whose keys are the oldest.
    pub(crate) fn status_by_entry(&self) -> Vec<(Issuer, KeyStatus)> {
        let mut status = self.lasting_key_status();
        for template in &self.templates {
            // One figure for all: with one for each tenant, tokens would choose the labels.
            let tenants = template.key_status().into_iter();
            let age = |(_, status): &(Issuer, KeyStatus)| status.age.unwrap_or(Duration::MAX);
            if let Some((_, oldest)) = tenants.max_by_key(age) {
                status.push((template.verifier().issuer().clone(), oldest));
            }
        }
        status
    }

    /// The checks of each entry's tokens: for explaining.
    pub(crate) fn verifiers(&self) -> impl Iterator<Item = &Verifier> {
        let single = self.single_issuers().map(|issuer| &issuer.verifier);
        single.chain(self.templates.iter().map(TenantIssuers::verifier))
    }
}

fn warn_of_danger(settings: &IssuerSettings) {
    let (profile, issuer) = (settings.verifier.profile(), settings.verifier.issuer());
    if profile.danger_answers_without_audience {
        tracing::warn!(
            %issuer,
            "danger_answers_without_audience: answers are accepted that name no audience"
        );
    }
    if profile.danger_answers_without_type {
        tracing::warn!(
            %issuer,
            "danger_answers_without_type: answers are accepted that name neither an audience nor a \
                type: if this endpoint knows refresh tokens, each of them opens this API"
        );
    }
    if settings.trust.allows_plain_http() {
        tracing::warn!(
            %issuer,
            "danger_plain_http: whoever controls the network to this issuer can choose its keys"
        );
    }
}

impl fmt::Debug for TrustedIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let template = |tenants: &TenantIssuers| tenants.verifier().issuer().to_string();
        f.debug_list()
            .entries(self.exact.keys())
            .entries(self.templates.iter().map(template))
            .finish()
    }
}
