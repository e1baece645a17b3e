//! The settings as meant: parsed, complete and free of faults.

mod client;
mod inspection;
mod issuer;
mod mapping;
mod questions;
mod tenants;

pub(crate) use issuer::IssuerSettings;
pub(crate) use tenants::{Tenants, is_tenant};

use crate::config::{Config, IssuerConfig};
use crate::revocation::RevocationSettings;
use http::HeaderName;
use portcullis_core::jose::Jwks;
use portcullis_core::{ConfigError, ConfigErrors, Limits, cookie};
use portcullis_provider::fetch::Proxies;
use portcullis_provider::keys::KeySource;

/// What a resource server goes by. Made from a [`Config`]; no request ever finds a fault in it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) issuers: Vec<IssuerSettings>,
    pub(crate) realm: String,
    pub(crate) token_header: Option<HeaderName>,
    pub(crate) token_cookie: Option<Box<str>>,
    pub(crate) remembered_tokens: usize,
    pub(crate) revocation: RevocationSettings,
    pub(crate) limits: Limits,
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

    /// Fixes the keys of all issuers: none is ever fetched. For tests, and for machines without a
    /// network.
    #[must_use]
    pub fn with_fixed_keys(mut self, keys: &Jwks) -> Self {
        for issuer in &mut self.issuers {
            issuer.source = KeySource::Fixed(keys.clone());
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
        let mut faults = Proxies::of_environment().faults().to_vec();
        if config.issuer.is_empty() {
            let cure = "add an `[[issuer]]` with `url` and `audience`";
            faults.push(ConfigError::new("issuer", "at least one issuer", cure));
        }
        let mut issuers: Vec<IssuerSettings> = Vec::new();
        for (index, written) in config.issuer.into_iter().enumerate() {
            let place = format!("issuer[{index}]");
            if let Some(meant) = issuer::settings(&place, written, &mut faults) {
                if issuers
                    .iter()
                    .any(|other| other.verifier.issuer() == meant.verifier.issuer())
                {
                    let place = format!("{place}.url");
                    let cure = "name each issuer once, with all its audiences";
                    faults.push(ConfigError::new(place, "an issuer not named before", cure));
                }
                issuers.push(meant);
            }
        }
        let asking = issuers.iter().enumerate();
        let asking =
            asking.filter_map(|(index, issuer)| Some((index, issuer.introspection.as_ref()?)));
        questions::check_prefixes(asking, &mut faults);
        let realm = config.realm.unwrap_or_else(|| "api".to_owned());
        if realm.is_empty()
            || !realm
                .chars()
                .all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\')
        {
            let cure = "write a short name such as `api`";
            faults.push(ConfigError::new(
                "realm",
                "printable ASCII without quotes",
                cure,
            ));
        }
        let token_header = config
            .token_header
            .and_then(|name| noted(&mut faults, token_header(&name)));
        let token_cookie = config
            .token_cookie
            .and_then(|name| noted(&mut faults, token_cookie(&name)));
        let revocation = RevocationSettings::new(&config.revocation, &mut faults);
        ConfigErrors::check(faults)?;
        let remembered_tokens = config.remembered_tokens.unwrap_or(10_000);
        let limits = config.limits;
        Ok(Self {
            issuers,
            realm,
            token_header,
            token_cookie,
            remembered_tokens,
            revocation,
            limits,
        })
    }
}

/// A header of its own for the token; not one that means something else already.
fn token_header(name: &str) -> Result<HeaderName, ConfigError> {
    let taken = [
        "authorization",
        "cookie",
        "host",
        "connection",
        "content-type",
        "content-length",
    ];
    let header = HeaderName::try_from(name)
        .ok()
        .filter(|header| !taken.contains(&header.as_str()));
    header.ok_or_else(|| {
        let cure =
            "write the name of the header that your proxy sends, such as `cf-access-jwt-assertion`";
        ConfigError::new("token_header", "a header of its own", cure)
    })
}

/// The name of a cookie.
fn token_cookie(name: &str) -> Result<Box<str>, ConfigError> {
    Some(name)
        .filter(|name| cookie::is_name(name))
        .map(Into::into)
        .ok_or_else(|| {
            let cure =
                "write the name under which your sign-in sets the cookie, such as `__Host-token`";
            let expected = format!(
                "expected the name of a cookie, found `{}`",
                name.escape_debug()
            );
            ConfigError::new("token_cookie", expected, cure)
        })
}

pub(crate) fn noted<T>(faults: &mut Vec<ConfigError>, result: Result<T, ConfigError>) -> Option<T> {
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
