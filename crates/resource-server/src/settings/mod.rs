//! The settings as meant: parsed, complete and free of faults.

mod client;
mod code_url;
mod inspection;
mod issuer;
mod mapping;
mod outline;
mod placeholders;
mod questions;
mod security_profile;
mod spelling;
pub(crate) mod tenants;
mod trust;

pub(crate) use client::client;
pub(crate) use issuer::IssuerSettings;
pub use outline::{IssuerOutline, OutboundRequest};
pub(crate) use questions::fetchable_url;
pub use security_profile::SecurityProfile;
pub(crate) use tenants::{Tenants, is_tenant};
pub(crate) use trust::authorities;

use crate::config::{Config, IssuerConfig};
use crate::possession::PossessionSettings;
use crate::receiver::{StreamSettings, streams};
use crate::resources::{KnownAudiences, ProtectedResources, Surroundings, resources};
use crate::revocation::RevocationSettings;
use http::HeaderName;
use portcullis_core::jose::Jwks;
use portcullis_core::{CodeLinks, ConfigError, ConfigErrors, EffectiveUrl, Faults, Limits, cookie};
use portcullis_provider::fetch::Proxies;
use portcullis_provider::keys::KeySource;
use std::path::Path;
use std::time::Duration;

/// What a resource server goes by. Made from a [`Config`]; no request ever finds a fault in it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) issuers: Vec<IssuerSettings>,
    pub(crate) security_profile: Option<SecurityProfile>,
    pub(crate) realm: String,
    pub(crate) code_links: CodeLinks,
    pub(crate) token_header: Option<HeaderName>,
    pub(crate) token_cookie: Option<Box<str>>,
    pub(crate) remembered_tokens: usize,
    pub(crate) public_origin: Option<EffectiveUrl>,
    pub(crate) revocation: RevocationSettings,
    pub(crate) possession: PossessionSettings,
    pub(crate) resources: ProtectedResources,
    pub(crate) streams: Vec<StreamSettings>,
    pub(crate) limits: Limits,
    pub(crate) warnings: Vec<ConfigError>,
}

impl Settings {
    /// Settings with one issuer and one audience, and the safe defaults for the rest.
    ///
    /// # Errors
    ///
    /// What is wrong with the issuer or the audience.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, ConfigErrors> {
        let issuer = IssuerConfig {
            url: issuer.to_owned(),
            audience: vec![audience.to_owned()],
            ..IssuerConfig::default()
        };
        Self::try_from(Config {
            issuer: vec![issuer],
            ..Config::default()
        })
    }

    /// The header that may hold the token instead of `Authorization`, if the settings name one.
    pub fn token_header(&self) -> Option<&HeaderName> {
        self.token_header.as_ref()
    }

    /// The name of the cookie that may hold the token, if the settings name one.
    pub fn token_cookie(&self) -> Option<&str> {
        self.token_cookie.as_deref()
    }

    /// What clients write before the path, if the settings say so.
    pub fn public_origin(&self) -> Option<&EffectiveUrl> {
        self.public_origin.as_ref()
    }

    /// The APIs with a name of their own.
    pub fn resources(&self) -> &ProtectedResources {
        &self.resources
    }

    /// Whether providers send anything here: logouts, or events that are pushed.
    pub fn has_receivers(&self) -> bool {
        let mut pushed = self.streams.iter().map(|stream| stream.poll.is_none());
        pushed.any(|is_pushed| is_pushed) || self.issuers.iter().any(|it| it.logout.is_some())
    }

    /// Fixes the keys of all issuers and transmitters: none is ever fetched. For tests, and for
    /// machines without a network.
    #[must_use]
    pub fn with_fixed_keys(mut self, keys: &Jwks) -> Self {
        for issuer in &mut self.issuers {
            issuer.source = KeySource::Fixed(keys.clone());
        }
        for stream in &mut self.streams {
            stream.source = KeySource::Fixed(keys.clone());
        }
        self
    }

    /// Fixes the keys of one issuer: none is fetched for it. An issuer that is not configured
    /// changes nothing.
    #[must_use]
    pub fn with_fixed_keys_of(mut self, issuer: &str, keys: &Jwks) -> Self {
        for settings in self
            .issuers
            .iter_mut()
            .filter(|settings| settings.verifier.issuer().as_str() == issuer)
        {
            settings.source = KeySource::Fixed(keys.clone());
        }
        self
    }

    /// Asks nobody about tokens or groups: opaque tokens are refused, and groups that do not fit
    /// into a token stay unknown. With [`with_fixed_keys`](Self::with_fixed_keys), nothing goes out
    /// at all.
    #[must_use]
    pub fn without_questions(mut self) -> Self {
        for issuer in &mut self.issuers {
            (issuer.introspection, issuer.groups) = (None, None);
        }
        self
    }

    /// Remembers used proofs here only, whatever store is configured: for explanations, which must
    /// not use up a proof that its client may still send.
    #[must_use]
    pub fn without_shared_proofs(mut self) -> Self {
        self.possession.store = None;
        self
    }

    /// Waits so long for keys, instead of two seconds: for a person, who would rather wait than not
    /// know. A server should not, because callers wait with it.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        for issuer in &mut self.issuers {
            issuer.patience = Some(patience);
        }
        self
    }

    /// What can be used, but is hardly meant: values that an example left.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// Where the keys of issuers are saved, each with the number of its table.
    pub fn key_snapshots(&self) -> impl Iterator<Item = (usize, &Path)> {
        let issuers = self.issuers.iter().enumerate();
        issuers.filter_map(|(index, it)| Some((index, it.snapshot.as_deref()?)))
    }

    /// Without the warnings of issuers whose tokens anybody can have: for a door that demands more
    /// than a valid token of everybody.
    #[must_use]
    pub fn without_admission_warnings(mut self) -> Self {
        // No other warning is about claims.
        self.warnings
            .retain(|warning| !warning.place().ends_with(".claims"));
        self
    }

    /// Sets the bounds on foreign input.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl TryFrom<Config> for Settings {
    type Error = ConfigErrors;

    fn try_from(mut config: Config) -> Result<Self, ConfigErrors> {
        let faults = Faults::default();
        // A malformed proxy variable is a fault of the start; else the first fetch would find it.
        for fault in Proxies::of_environment().faults() {
            faults.add(fault.clone());
        }
        let audiences = KnownAudiences::of(&config);
        let security_profile = SecurityProfile::apply(&mut config, &faults);
        let issuers = issuers(config.issuer, &faults);
        let realm = realm(config.realm, &faults);
        let code_links = code_url::code_links(config.code_url.as_deref(), &faults);
        let token_header = config
            .token_header
            .map(|name| token_header(&name, &faults));
        let token_cookie = config
            .token_cookie
            .map(|name| token_cookie(&name, &faults));
        let revocation = RevocationSettings::new(&config.revocation, &faults.at("revocation"));
        if security_profile.is_some() {
            SecurityProfile::check_revocation(&revocation, &issuers, &faults);
        }
        let possession = PossessionSettings::new(&config.dpop, &revocation, &faults.at("dpop"));
        let public_origin = config
            .public_origin
            .and_then(|url| origin(&url, &faults));
        let around = Surroundings {
            issuers: &issuers,
            audiences: &audiences,
            possession: &possession,
            has_origin: public_origin.is_some(),
        };
        let resources = resources(config.resource, &around, &faults);
        let streams = streams(config.events, &issuers, &faults);
        // Every part was read before, so that one failed start tells all faults.
        config.origin.judge(&faults)?;
        let warnings = config.origin.warnings(&faults);
        Ok(Self {
            issuers,
            security_profile,
            realm,
            code_links,
            token_header: token_header.flatten(),
            token_cookie: token_cookie.flatten(),
            remembered_tokens: config.remembered_tokens.unwrap_or(10_000),
            public_origin,
            revocation,
            possession,
            resources,
            streams,
            limits: config.limits,
            warnings,
        })
    }
}

fn issuers(written: Vec<IssuerConfig>, faults: &Faults) -> Vec<IssuerSettings> {
    if written.is_empty() {
        faults
            .expected("issuer", "at least one issuer")
            .found_as("none")
            .help("add an `[[issuer]]` with `url` and `audience`");
    }
    // Each keeps its written index: a faulty issuer before it must not shift the places of faults.
    let mut issuers: Vec<(usize, IssuerSettings)> = Vec::new();
    for (index, written) in written.into_iter().enumerate() {
        let within = faults.at(format!("issuer[{index}]"));
        let Some(meant) = issuer::settings(written, &within) else {
            continue;
        };
        let own = meant.verifier.issuer();
        // The lookup has one place for each issuer: of two entries, the later would silently win.
        if let Some((first, _)) = issuers
            .iter()
            .find(|(_, other)| other.verifier.issuer() == own)
        {
            let first = format!("issuer[{first}]");
            within
                .expected("url", "an issuer that is not named before")
                .found_as(format!("{:?}, as at `{first}`", own.as_str()))
                .given_elsewhere(&[&format!("{first}.url"), &format!("{first}.tenant")])
                .help("name each issuer once, with all its audiences");
        }
        issuers.push((index, meant));
    }
    let mut asking = Vec::new();
    for (index, issuer) in &issuers {
        asking.extend(
            issuer
                .introspection
                .as_ref()
                .map(|asked| (*index, asked)),
        );
    }
    questions::check_prefixes(asking.into_iter(), faults);
    issuers.into_iter().map(|(_, issuer)| issuer).collect()
}

fn realm(written: Option<String>, faults: &Faults) -> String {
    let realm = written.unwrap_or_else(|| "api".to_owned());
    // It goes into a quoted string of a header (RFC 9110, section 5.6.4) as it is.
    let is_plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if realm.is_empty() || !realm.chars().all(is_plain) {
        faults
            .expected("realm", "printable ASCII without quotes")
            .found(&realm)
            .help("write a short name such as `api`");
    }
    realm
}

/// Scheme and authority, and nothing behind them.
fn origin(written: &str, faults: &Faults) -> Option<EffectiveUrl> {
    let url = EffectiveUrl::parse(written).filter(|url| url.path() == "/");
    if url.is_none() {
        faults
            .expected("public_origin", "a scheme and a host, without a path")
            .found(written)
            .help("write what clients write before the path: `https://api.example`");
    }
    url
}

/// A header of its own for the token; not one that means something else already.
fn token_header(name: &str, faults: &Faults) -> Option<HeaderName> {
    let taken = [
        "authorization",
        "cookie",
        "host",
        "connection",
        "content-type",
        "content-length",
    ];
    if let Ok(header) = HeaderName::try_from(name)
        && !taken.contains(&header.as_str())
    {
        return Some(header);
    }
    let help =
        "write the name of the header that your proxy sends, such as `cf-access-jwt-assertion`";
    faults
        .expected("token_header", "a header that has no other meaning")
        .found(name)
        .help(help);
    None
}

/// The name of a cookie.
fn token_cookie(name: &str, faults: &Faults) -> Option<Box<str>> {
    if cookie::is_name(name) {
        return Some(name.into());
    }
    faults
        .expected("token_cookie", "the name of a cookie")
        .found(name)
        .help("write the name under which your sign-in sets the cookie, such as `__Host-token`");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values_are_enough() {
        assert!(Settings::new("https://idp.example", "api").is_ok());
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let config = Config::from_toml(
            r#"
            realm = "a\"b"
            [[issuer]]
            url = "http://idp.example"
            profile = "x"
            [[issuer]]
            url = "https://a"
            audience = ["b"]
            algorithms = ["none"]
            leeway = 4000
            jwks_uri = "http://a/jwks"
            [[issuer]]
            url = "https://a"
            audience = ["b"]
            roles = ""
            "#,
        );
        let errors = Settings::try_from(config.unwrap()).unwrap_err();
        let places: Vec<&str> = errors.iter().map(ConfigError::place).collect();
        for place in [
            "issuer[0].url",
            "issuer[0].audience",
            "issuer[0].profile",
            "issuer[1].jwks_uri",
            "issuer[1].algorithms[0]",
            "issuer[1].leeway",
            "issuer[2].roles",
            "realm",
        ] {
            assert!(places.contains(&place), "{place} in {places:?}");
        }
    }

    #[test]
    fn a_bad_claim_path_hides_no_fault_of_another_condition() {
        let config = Config::from_toml(
            r#"
            [[issuer]]
            url = "https://a"
            audience = ["b"]
            [issuer.claims]
            "a..b" = "x"
            org = "mine*"
            "#,
        );
        let errors = Settings::try_from(config.unwrap()).unwrap_err();
        let places: Vec<&str> = errors.iter().map(ConfigError::place).collect();
        assert_eq!(places, ["issuer[0].claims", "issuer[0].claims.org"]);
    }

    #[test]
    fn the_tenant_fills_the_issuer_and_is_demanded() {
        let config = Config::from_toml(
            "[[issuer]]\nurl = \"https://login.example/{tenantid}/v2.0\"\naudience = \
                [\"a\"]\ntenant = \"t-1\"\n",
        );
        let settings = Settings::try_from(config.unwrap()).unwrap();
        let verifier = &settings.issuers[0].verifier;
        assert_eq!(verifier.issuer().as_str(), "https://login.example/t-1/v2.0");
        assert_eq!(verifier.tenant(), Some("t-1"));
    }
}
