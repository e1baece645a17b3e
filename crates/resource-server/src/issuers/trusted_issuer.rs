//! One trusted issuer, and how it is made from its entry in the settings.

use crate::client_endpoint::IssuerAccess;
use crate::events::IntrospectionMeters;
use crate::groups::GroupsResolver;
use crate::introspection::Introspector;
use crate::path_watch::PathWatch;
use crate::receiver::LogoutSettings;
use crate::settings::IssuerSettings;
use portcullis_core::token::Issuer;
use portcullis_core::verify::Verifier;
use portcullis_provider::client_auth::ClientAuth;
use portcullis_provider::egress::Egress;
use portcullis_provider::keys::meters::KeyMeters;
use portcullis_provider::keys::{KeyCache, KeySettings};
use std::sync::Arc;

/// A configured issuer: the checks of its tokens, its keys, and what else it can be asked.
pub(crate) struct TrustedIssuer {
    pub(crate) verifier: Verifier,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) introspector: Option<Introspector>,
    pub(crate) groups: Option<GroupsResolver>,
    pub(crate) paths: PathWatch,
    pub(crate) logout: Option<LogoutSettings>,
}

impl TrustedIssuer {
    /// How the issuer's opaque tokens begin, where that is known.
    pub(super) fn prefix(&self) -> Option<&str> {
        self.introspector.as_ref()?.prefix()
    }
}

/// An entry of the settings, with what it takes to make its issuers: one, or one for each tenant.
pub(crate) struct IssuerEntry {
    settings: IssuerSettings,
    egress: Egress,
    meters: KeyMeters,
    introspections: IntrospectionMeters,
}

impl IssuerEntry {
    /// An entry whose documents are fetched through `egress`, with the entry's own certificates.
    pub(super) fn new(settings: IssuerSettings, egress: &Egress) -> Self {
        let issuer = settings.verifier.issuer().as_str();
        Self {
            meters: KeyMeters::new(issuer),
            introspections: IntrospectionMeters::new(issuer),
            egress: Egress {
                fetch: egress.fetch.with_trust(&settings.trust),
                ..egress.clone()
            },
            settings,
        }
    }

    /// An issuer with these keys.
    pub(super) fn issuer(&self, verifier: Verifier, keys: Arc<KeyCache>) -> TrustedIssuer {
        let mut introspector = None;
        if let Some(settings) = &self.settings.introspection {
            let access = self.access(&settings.client, &keys);
            let (verifier, meters) = (verifier.clone(), self.introspections.clone());
            introspector = Some(Introspector::new(settings, verifier, access, meters));
        }
        let mut groups = None;
        if let Some(settings) = &self.settings.groups {
            let access = self.access(&settings.client, &keys);
            groups = Some(GroupsResolver::new(settings, verifier.tenant(), access));
        }
        TrustedIssuer {
            verifier,
            keys,
            introspector,
            groups,
            paths: PathWatch::default(),
            logout: self.settings.logout.clone(),
        }
    }

    /// What it takes to ask the issuer in this client's name.
    fn access(&self, client: &ClientAuth, keys: &Arc<KeyCache>) -> IssuerAccess {
        // Each purpose has its own concurrency limit: a directory that hangs must not keep tokens
        // from being asked about.
        let trust = self.settings.trust.for_endpoints(client.certificate());
        IssuerAccess {
            egress: self.egress.for_endpoints(&trust),
            keys: Arc::clone(keys),
        }
    }

    /// The keys of an issuer, empty at first.
    pub(super) fn keys_of(&self, issuer: &Issuer) -> Arc<KeyCache> {
        // The metadata of some providers is spread over two documents: `needed` tells the search
        // when it may stop.
        let defaults = KeySettings::default();
        let settings = KeySettings {
            needed: self.settings.needed_metadata(),
            snapshot: self.settings.snapshot.clone(),
            patience: self.settings.patience.unwrap_or(defaults.patience),
            ..defaults
        };
        KeyCache::new(
            issuer.clone(),
            self.settings.source.clone(),
            settings,
            self.egress.clone(),
            self.meters.clone(),
        )
    }
}
