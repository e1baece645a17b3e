//! A profile of security: one word that sets what a standard demands of a resource server, and
//! refuses settings that are weaker.
//!
//! Does not check what no setting shows: how a TLS listener in front is set up, and what scopes an
//! application demands. The latter is checked with each request.

use super::{IssuerSettings, Settings};
use crate::config::{Config, IssuerConfig};
use crate::revocation::RevocationSettings;
use portcullis_core::Faults;
use portcullis_core::jose::Algorithm;
use portcullis_provider::keys::KeySource;

/// A profile of security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityProfile {
    /// FAPI 2.0 Security Profile (final), section 5.3.4.
    Fapi2,
}

/// FAPI 2.0, section 5.4.1.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// FAPI 2.0, section 5.3.4: up to 10 seconds in the future are accepted, above 60 refused.
const LEAST_LEEWAY: u64 = 10;
const MOST_LEEWAY: u64 = 60;

impl SecurityProfile {
    /// The profile of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        (name == Self::Fapi2.name()).then_some(Self::Fapi2)
    }

    /// The word of the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fapi2 => "fapi2",
        }
    }

    /// Reads the word, fills in what is not written, and finds fault with what is weaker.
    pub(super) fn apply(config: &mut Config, faults: &Faults) -> Option<Self> {
        let name = config.security_profile.as_deref()?;
        let Some(profile) = Self::from_name(name) else {
            faults
                .expected("security_profile", "`fapi2`")
                .found(name)
                .help("write `fapi2`, or leave it out for the usual safe settings");
            return None;
        };
        check_carriers(config, faults);
        check_places(config, faults);
        for (index, issuer) in config.issuer.iter_mut().enumerate() {
            set_issuer(issuer, &faults.at(format!("issuer[{index}]")));
        }
        let within = faults.at("dpop");
        set_algorithms(&mut config.dpop.algorithms, &within);
        if config.dpop.danger_serve_without_store {
            refuse_danger(
                "danger_serve_without_store",
                "each proof to be used once (FAPI 2.0, section 5.3.4)",
                &within,
            );
        }
        Some(profile)
    }

    /// That revoked tokens are known as such.
    pub(super) fn check_revocation(
        revocation: &RevocationSettings,
        issuers: &[IssuerSettings],
        faults: &Faults,
    ) {
        let asked = |issuer: &IssuerSettings| {
            let asked = issuer.introspection.as_ref();
            // An issuer without keys signs no tokens: it is asked about each.
            let signs_none = matches!(issuer.source, KeySource::Fixed(_));
            asked.is_some_and(|it| it.asked.jwts_too || signs_none)
        };
        // A denylist in memory knows only what this process revoked itself.
        let all_are_asked = !issuers.is_empty() && issuers.iter().all(asked);
        if revocation.store.is_none() && !all_are_asked {
            faults
                .expected(
                    "revocation.store",
                    "a source of revocations (FAPI 2.0, section 5.3.4)",
                )
                .found_as("none")
                .help(
                    "name the store that replicas share, or have each issuer asked about its \
                        tokens: `tokens = \"all\"` in its `introspection`",
                );
        }
    }
}

/// Tokens come in the header `Authorization` only.
fn check_carriers(config: &Config, faults: &Faults) {
    let expected = "tokens in `Authorization` only (FAPI 2.0, section 5.3.4)";
    for (name, value) in [
        ("token_cookie", &config.token_cookie),
        ("token_header", &config.token_header),
    ] {
        if let Some(value) = value {
            faults
                .expected(name, expected)
                .found(value)
                .help("leave it out: no other place of a request can carry a token there");
        }
    }
}

/// What the settings say about the ways to this server and from it.
fn check_places(config: &Config, faults: &Faults) {
    let origin = config.public_origin.as_deref();
    if let Some(origin) = origin.filter(|it| it.to_ascii_lowercase().starts_with("http:")) {
        faults
            .expected("public_origin", "an https origin (FAPI 2.0, section 5.2.1)")
            .found(origin)
            .help("let clients come over TLS, and write `https://`");
    }
    let revocation = &config.revocation;
    let within = faults.at("revocation");
    if revocation.danger_serve_without_store {
        let expected = "revocation to be checked always (FAPI 2.0, section 5.3.4)";
        refuse_danger("danger_serve_without_store", expected, &within);
    }
    if revocation.danger_plain_store {
        let expected = "TLS on every way (FAPI 2.0, section 5.2.1)";
        refuse_danger("danger_plain_store", expected, &within);
    }
}

fn refuse_danger(name: &str, expected: &str, faults: &Faults) {
    faults
        .expected(name, expected)
        .found(true)
        .help("leave it out: the safe value is the default");
}

/// What the profile sets for an issuer.
fn set_issuer(issuer: &mut IssuerConfig, faults: &Faults) {
    set_algorithms(&mut issuer.algorithms, faults);
    // Without a word, tokens of the issuer need not be bound.
    issuer.bound.get_or_insert_with(|| "any".to_owned());
    let leeway = *issuer.leeway.get_or_insert(LEAST_LEEWAY);
    if !(LEAST_LEEWAY..=MOST_LEEWAY).contains(&leeway) {
        faults
            .expected("leeway", "10 to 60 seconds (FAPI 2.0, section 5.3.4)")
            .found(leeway)
            .help("leave it out for 10, and set clocks by NTP");
    }
    if issuer.danger_plain_http {
        let expected = "documents over TLS (FAPI 2.0, section 5.2.1)";
        refuse_danger("danger_plain_http", expected, faults);
    }
}

fn set_algorithms(written: &mut Option<Vec<String>>, faults: &Faults) {
    let Some(names) = written else {
        *written = Some(ALGORITHMS.map(|it| it.name().to_owned()).to_vec());
        return;
    };
    for (index, name) in names.iter().enumerate() {
        // A name that is none is found by its own reader.
        let Some(algorithm) = Algorithm::from_name(name) else {
            continue;
        };
        if !ALGORITHMS.contains(&algorithm) {
            let place = format!("algorithms[{index}]");
            faults
                .expected(
                    &place,
                    "`PS256`, `ES256` or `EdDSA` (FAPI 2.0, section 5.4.1)",
                )
                .found(name)
                .help("leave `algorithms` out for these three, and have the provider use one");
        }
    }
}

impl Settings {
    /// The profile of security, if the settings name one.
    pub fn security_profile(&self) -> Option<SecurityProfile> {
        self.security_profile
    }
}
