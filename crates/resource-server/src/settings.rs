//! The settings as meant: parsed, complete and free of faults.

use crate::config::{Config, IssuerConfig};
use crate::keys::KeySource;
use portcullis_core::jose::{Algorithm, Jwks};
use portcullis_core::token::{Audiences, ClaimPath, Issuer};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{ConfigError, ConfigErrors, Limits};
use std::path::PathBuf;
use std::time::Duration;

/// What a resource server goes by. Made from a [`Config`]; no request ever finds a fault in it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) issuers: Vec<IssuerSettings>,
    pub(crate) realm: String,
    pub(crate) remembered_tokens: usize,
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug)]
pub(crate) struct IssuerSettings {
    pub(crate) verifier: Verifier,
    pub(crate) source: KeySource,
    pub(crate) snapshot: Option<PathBuf>,
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
        Self::try_from(Config { issuer: vec![issuer], ..Config::default() })
    }

    /// Fixes the keys of all issuers: nothing is ever fetched. For tests, and for machines without a network.
    #[must_use]
    pub fn with_fixed_keys(mut self, keys: &Jwks) -> Self {
        for issuer in &mut self.issuers {
            issuer.source = KeySource::Fixed(keys.clone());
        }
        self
    }

    /// Fixes the keys of one issuer: nothing is fetched for it. An issuer that is not configured changes nothing.
    #[must_use]
    pub fn with_fixed_keys_of(mut self, issuer: &str, keys: &Jwks) -> Self {
        for settings in
            self.issuers.iter_mut().filter(|settings| settings.verifier.issuer().as_str() == issuer)
        {
            settings.source = KeySource::Fixed(keys.clone());
        }
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

    fn try_from(config: Config) -> Result<Self, ConfigErrors> {
        let mut faults = Vec::new();
        if config.issuer.is_empty() {
            faults.push(ConfigError::new(
                "issuer",
                "at least one issuer",
                "add an `[[issuer]]` with `url` and `audience`",
            ));
        }
        let mut issuers: Vec<IssuerSettings> = Vec::new();
        for (index, written) in config.issuer.into_iter().enumerate() {
            let place = format!("issuer[{index}]");
            if let Some(meant) = issuer_settings(&place, written, &mut faults) {
                if issuers.iter().any(|other| other.verifier.issuer() == meant.verifier.issuer()) {
                    let cure = "name each issuer once, with all its audiences";
                    faults.push(ConfigError::new(format!("{place}.url"), "an issuer not named before", cure));
                }
                issuers.push(meant);
            }
        }
        let realm = config.realm.unwrap_or_else(|| "api".to_owned());
        if realm.is_empty() || !realm.chars().all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\') {
            faults.push(ConfigError::new(
                "realm",
                "printable ASCII without quotes",
                "write a short name such as `api`",
            ));
        }
        ConfigErrors::check(faults)?;
        let remembered_tokens = config.remembered_tokens.unwrap_or(10_000);
        Ok(Self { issuers, realm, remembered_tokens, limits: config.limits })
    }
}

/// The issuer as meant; faults are added to the list.
fn issuer_settings(
    place: &str,
    written: IssuerConfig,
    faults: &mut Vec<ConfigError>,
) -> Option<IssuerSettings> {
    let at = |member: &str| format!("{place}.{member}");
    let url = match &written.tenant {
        Some(tenant) => written.url.replace("{tenantid}", tenant),
        None => written.url.clone(),
    };
    let issuer = noted(
        faults,
        Issuer::parse(url).map_err(|error| {
            ConfigError::new(
                at("url"),
                error.to_string(),
                "copy the `issuer` of the provider's metadata, letter by letter",
            )
        }),
    );
    let audiences = noted(
        faults,
        Audiences::new(written.audience.iter().map(String::as_str))
            .map_err(|error| ConfigError::new(at("audience"), error.expected(), error.cure())),
    );
    let source = noted(
        faults,
        match &written.jwks_uri {
            None => Ok(KeySource::Discovered),
            Some(uri) => KeySource::uri(uri).map_err(|reason| {
                ConfigError::new(
                    at("jwks_uri"),
                    reason,
                    "write the https address of the key set, or leave it to discovery",
                )
            }),
        },
    );
    let profile = profile(place, &written, faults);
    Some(IssuerSettings {
        verifier: Verifier::new(issuer?, audiences?, profile?),
        source: source?,
        snapshot: written.key_snapshot,
    })
}

fn profile(place: &str, written: &IssuerConfig, faults: &mut Vec<ConfigError>) -> Option<Profile> {
    let at = |member: &str| format!("{place}.{member}");
    let name = written.profile.as_deref().unwrap_or("generic");
    let base = Profile::named(name).ok_or_else(|| {
        ConfigError::new(at("profile"), "a profile that there is", "write `generic` or `rfc9068`")
    });
    let mut profile = noted(faults, base)?;
    if let Some(path) = &written.roles {
        let path = ClaimPath::parse(path).map_err(|error| {
            ConfigError::new(
                at("roles"),
                error.to_string(),
                "write a claim path such as `realm_access.roles`",
            )
        });
        profile.roles = noted(faults, path).into_iter().collect();
    }
    if let Some(names) = &written.algorithms {
        let cure = "write names such as `RS256` or `ES256`; `none` and HMAC are not to be had";
        let algorithms: Option<Vec<_>> = names.iter().map(|name| Algorithm::from_name(name)).collect();
        let algorithms = algorithms.filter(|list| !list.is_empty());
        let algorithms =
            algorithms.ok_or_else(|| ConfigError::new(at("algorithms"), "asymmetric algorithms", cure));
        profile.algorithms = noted(faults, algorithms).unwrap_or_default();
    }
    if let Some(leeway) = written.leeway {
        let cure = "keep the clocks in step; more than 300 seconds accepts tokens long after they ended";
        let fit = if leeway <= 300 {
            Ok(())
        } else {
            Err(ConfigError::new(at("leeway"), "at most 300 seconds", cure))
        };
        let _noted = noted(faults, fit);
        profile.leeway = Duration::from_secs(leeway);
    }
    if let Some(lifetime) = written.max_lifetime {
        profile.max_lifetime = Duration::from_secs(lifetime);
    }
    profile.tenant = written.tenant.as_deref().map(Into::into);
    Some(profile)
}

fn noted<T>(faults: &mut Vec<ConfigError>, result: Result<T, ConfigError>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
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
            "issuer[1].algorithms",
            "issuer[1].leeway",
            "issuer[2].roles",
            "realm",
        ] {
            assert!(places.contains(&place), "{place} in {places:?}");
        }
    }

    #[test]
    fn the_tenant_fills_the_issuer_and_is_demanded() {
        let config = Config::from_toml(
            "[[issuer]]\nurl = \"https://login.example/{tenantid}/v2.0\"\naudience = [\"a\"]\ntenant = \"t-1\"\n",
        );
        let settings = Settings::try_from(config.unwrap()).unwrap();
        let verifier = &settings.issuers[0].verifier;
        assert_eq!(verifier.issuer().as_str(), "https://login.example/t-1/v2.0");
        assert_eq!(verifier.profile().tenant.as_deref(), Some("t-1"));
    }
}
