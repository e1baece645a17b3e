//! The trusted issuers: exact lookup by the whole identifier; nothing in a token can add one.

use crate::events::IntrospectionMeters;
use crate::groups::GroupsResolver;
use crate::introspection::{IntrospectionStatus, Introspector};
use crate::path_watch::PathWatch;
use crate::settings::{IssuerSettings, Tenants};
use crate::tenants::TenantIssuers;
use portcullis_core::Limits;
use portcullis_core::rejection::Rejection;
use portcullis_core::token::{Issuer, OpaqueToken};
use portcullis_core::verify::Verifier;
use portcullis_provider::client_auth::ClientAuth;
use portcullis_provider::clock::Clock;
use portcullis_provider::fetch::Fetch;
use portcullis_provider::keys::meters::KeyMeters;
use portcullis_provider::keys::{KeyCache, KeySettings, KeyStatus};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A configured issuer: what its tokens must be like, where its keys are, and what else it can be
/// asked.
pub(crate) struct TrustedIssuer {
    pub(crate) verifier: Verifier,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) introspector: Option<Introspector>,
    pub(crate) groups: Option<GroupsResolver>,
    pub(crate) paths: PathWatch,
}

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
        let fetch = Fetch::new(limits.document_bytes);
        let (mut exact, mut asked, mut templates) = (HashMap::new(), Vec::new(), Vec::new());
        for settings in settings {
            warn_of_danger(&settings);
            let entry = Entry {
                settings: settings.clone(),
                limits,
                fetch: fetch.with_trust(&settings.trust),
                clock: Arc::clone(clock),
                meters: KeyMeters::new(settings.verifier.issuer().as_str()),
                introspections: IntrospectionMeters::new(settings.verifier.issuer().as_str()),
            };
            if !matches!(settings.tenants, Tenants::One) {
                templates.push(TenantIssuers::new(settings, entry));
                continue;
            }
            let IssuerSettings { verifier, .. } = settings;
            let issuer = Arc::new(entry.issuer(verifier.clone(), entry.keys_of(verifier.issuer())));
            asked.extend(issuer.introspector.is_some().then(|| Arc::clone(&issuer)));
            let spellings = verifier
                .aliases()
                .iter()
                .map(String::as_str)
                .chain([verifier.issuer().as_str()]);
            exact.extend(spellings.map(|spelling| (spelling.into(), Arc::clone(&issuer))));
        }
        let prefix = |issuer: &Arc<TrustedIssuer>| issuer.prefix().map(str::len);
        asked.sort_by_key(|issuer| std::cmp::Reverse(prefix(issuer)));
        Self {
            exact,
            asked,
            templates,
        }
    }

    /// The issuer to ask about a text, if that is an opaque token and there is such an issuer.
    pub(crate) fn asked_about<'t>(
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
        let mut fitting = self.asked.iter().filter(|issuer| {
            issuer
                .prefix()
                .is_none_or(|prefix| token.starts_with(prefix))
        });
        Ok(fitting.find_map(|issuer| Some((opaque, issuer.introspector.as_ref()?))))
    }

    /// The configured issuer that a token names, compared byte for byte, or the tenant of a
    /// configured template.
    pub(crate) fn trusted(&self, issuer: Option<&str>) -> Result<Arc<TrustedIssuer>, Rejection> {
        let named = issuer.ok_or_else(|| Rejection::of_issuer(None))?;
        if let Some(exact) = self.exact.get(named) {
            return Ok(Arc::clone(exact));
        }
        let tenant = self
            .templates
            .iter()
            .find_map(|template| template.trusted(named));
        tenant.unwrap_or_else(|| Err(Rejection::of_issuer(issuer)))
    }

    /// Begins to fetch the keys that are known to be needed; those of single tenants begin with
    /// their first token.
    pub(crate) fn start(&self) {
        self.key_caches().for_each(|keys| keys.start());
    }

    /// The keys of every issuer, and those that tenants share.
    pub(crate) fn key_caches(&self) -> impl Iterator<Item = &Arc<KeyCache>> {
        let shared = self.templates.iter().filter_map(TenantIssuers::shared_keys);
        self.exactly_named()
            .map(|issuer| &issuer.keys)
            .chain(shared)
    }

    /// The issuers that are not templates, each once whatever its spellings.
    fn exactly_named(&self) -> impl Iterator<Item = &Arc<TrustedIssuer>> {
        let entries = self.exact.iter();
        entries
            .filter(|(name, issuer)| ***name == *issuer.verifier.issuer().as_str())
            .map(|(_, issuer)| issuer)
    }

    /// How the keys are, those of remembered tenants included.
    pub(crate) fn key_status(&self) -> Vec<(Issuer, KeyStatus)> {
        let known = self
            .key_caches()
            .map(|keys| (keys.issuer().clone(), keys.status()));
        known
            .chain(self.templates.iter().flat_map(TenantIssuers::key_status))
            .collect()
    }

    /// Whether every issuer that has to be asked about tokens says where, as far as its metadata is
    /// known.
    pub(crate) fn know_where_to_ask(&self) -> bool {
        let introspectors = self
            .asked
            .iter()
            .filter_map(|issuer| issuer.introspector.as_ref());
        introspectors
            .into_iter()
            .all(|introspector| !introspector.lacks_endpoint())
    }

    /// How asking the issuers goes.
    pub(crate) fn introspection_status(&self) -> Vec<(Issuer, IntrospectionStatus)> {
        let status = |issuer: &Arc<TrustedIssuer>| {
            Some((
                issuer.verifier.issuer().clone(),
                issuer.introspector.as_ref()?.status(),
            ))
        };
        self.asked.iter().filter_map(status).collect()
    }

    /// How the keys of each entry of the settings are. Where tenants have keys of their own it is
    /// the status of the one whose keys are the oldest: who the tenants are would be for tokens to
    /// say.
    pub(crate) fn status_by_entry(&self) -> Vec<(Issuer, KeyStatus)> {
        let known = self
            .key_caches()
            .map(|keys| (keys.issuer().clone(), keys.status()));
        let tenants = self.templates.iter().filter_map(|template| {
            let statuses = template.key_status().into_iter().map(|(_, status)| status);
            let oldest = statuses.max_by_key(|status| status.age.unwrap_or(Duration::MAX))?;
            Some((template.verifier().issuer().clone(), oldest))
        });
        known.chain(tenants).collect()
    }

    /// What is expected of each entry's tokens: for explaining.
    pub(crate) fn verifiers(&self) -> impl Iterator<Item = &Verifier> {
        let exact = self.exactly_named().map(|issuer| &issuer.verifier);
        exact.chain(self.templates.iter().map(TenantIssuers::verifier))
    }
}

impl TrustedIssuer {
    /// How the issuer's opaque tokens begin, where that is known.
    fn prefix(&self) -> Option<&str> {
        self.introspector.as_ref()?.prefix()
    }
}

fn warn_of_danger(settings: &IssuerSettings) {
    if settings.verifier.profile().danger_answers_without_audience {
        let issuer = settings.verifier.issuer();
        tracing::warn!(%issuer, "danger_answers_without_audience: answers count that name no \
            audience");
    }
    if settings.verifier.profile().danger_answers_without_type {
        let issuer = settings.verifier.issuer();
        tracing::warn!(
            %issuer,
            "danger_answers_without_type: answers count that name neither an audience nor a type: \
                if this endpoint knows \
             refresh tokens, each of them opens this API"
        );
    }
    if settings.trust.allows_plain_http() {
        let issuer = settings.verifier.issuer();
        tracing::warn!(%issuer, "danger_plain_http: whoever is on the way to this issuer can \
            choose its keys");
    }
}

/// What it takes to make the issuers of one entry of the settings.
pub(crate) struct Entry {
    settings: IssuerSettings,
    limits: Limits,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    meters: KeyMeters,
    introspections: IntrospectionMeters,
}

impl Entry {
    /// An issuer with these keys.
    pub(crate) fn issuer(&self, verifier: Verifier, keys: Arc<KeyCache>) -> TrustedIssuer {
        let Self {
            settings,
            limits,
            fetch,
            clock,
            ..
        } = self;
        let asking = |client: &ClientAuth| {
            fetch.for_endpoints(&settings.trust.for_endpoints(client.certificate()))
        };
        let introspector = settings.introspection.as_ref().map(|introspection| {
            let (verifier, fetch) = (verifier.clone(), asking(&introspection.client));
            Introspector::new(
                introspection,
                verifier,
                fetch,
                Arc::clone(&keys),
                *limits,
                Arc::clone(clock),
                self.introspections.clone(),
            )
        });
        let groups = settings.groups.as_ref().map(|groups| {
            let (tenant, fetch) = (verifier.tenant(), asking(&groups.client));
            GroupsResolver::new(
                groups,
                tenant,
                fetch,
                Arc::clone(&keys),
                *limits,
                Arc::clone(clock),
            )
        });
        TrustedIssuer {
            verifier,
            keys,
            introspector,
            groups,
            paths: PathWatch::default(),
        }
    }

    /// The keys of an issuer, empty at first.
    pub(crate) fn keys_of(&self, issuer: &Issuer) -> Arc<KeyCache> {
        let snapshot = self.settings.snapshot.clone();
        let needed = self.settings.needed_metadata();
        let settings = KeySettings {
            needed,
            snapshot,
            limits: self.limits,
            ..KeySettings::default()
        };
        KeyCache::new(
            issuer.clone(),
            self.settings.source.clone(),
            settings,
            self.fetch.clone(),
            Arc::clone(&self.clock),
            self.meters.clone(),
        )
    }
}

impl fmt::Debug for TrustedIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.exact.keys())
            .entries(
                self.templates
                    .iter()
                    .map(|template| template.verifier().issuer().as_str()),
            )
            .finish()
    }
}
