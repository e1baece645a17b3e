//! One trusted issuer as meant: its dialect, its expectations, its tenants, and where its keys are.

use super::tenants::{Tenants, tenants};
use super::{mapping, noted, questions};
use crate::config::IssuerConfig;
use crate::groups::GroupsSettings;
use crate::introspection::IntrospectionSettings;
use portcullis_core::dialect::{Discovery, TENANT};
use portcullis_core::jose::{Algorithm, Jwks};
use portcullis_core::token::{Audiences, Issuer};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{ConfigError, Dialect, Limits};
use portcullis_provider::address;
use portcullis_provider::fetch::Trust;
use portcullis_provider::keys;
use portcullis_provider::keys::KeySource;
use portcullis_provider::metadata;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct IssuerSettings {
    pub(crate) verifier: Verifier,
    pub(crate) source: KeySource,
    pub(crate) snapshot: Option<PathBuf>,
    pub(crate) trust: Trust,
    pub(crate) tenants: Tenants,
    pub(crate) remembered_tenants: usize,
    pub(crate) introspection: Option<IntrospectionSettings>,
    pub(crate) groups: Option<GroupsSettings>,
}

impl IssuerSettings {
    /// The members of the metadata that these settings rely on, besides the address of the keys.
    pub(crate) fn needed_metadata(&self) -> Vec<&'static str> {
        let asks = self
            .introspection
            .as_ref()
            .is_some_and(|asked| asked.endpoint.is_none());
        let looks_up = self
            .groups
            .as_ref()
            .is_some_and(|groups| groups.token_endpoint.is_none());
        let needed = [(asks, metadata::INTROSPECTION), (looks_up, metadata::TOKEN)];
        needed
            .into_iter()
            .filter(|(needed, _)| *needed)
            .map(|(_, member)| member)
            .collect()
    }
}

/// The issuer as meant; faults are added to the list.
pub(super) fn settings(
    place: &str,
    written: IssuerConfig,
    faults: &mut Vec<ConfigError>,
) -> Option<IssuerSettings> {
    let at = |member: &str| format!("{place}.{member}");
    let dialect = dialect(&at("profile"), &written, faults);
    let issuer = noted(
        faults,
        identifier(&at("url"), &written.url, dialect, &written),
    );
    let audiences = noted(
        faults,
        Audiences::new(written.audience.iter().map(String::as_str))
            .map_err(|error| error.moved_to(at("audience"))),
    );
    let trust = noted(faults, trust(place, &written));
    let profile = dialect.map(|dialect| profile(place, dialect, &written, faults));
    let (issuer, audiences, profile) = (issuer?, audiences?, profile?);
    if let Some(unfit) = (profile.dialect.unfit)(&issuer, &written.audience) {
        faults.push(ConfigError::new(at("url"), unfit.expected, unfit.cure));
    }
    let source = noted(faults, source(place, &issuer, profile.dialect, &written));
    let tenants = tenants(place, profile.dialect, &written, faults);
    let has_metadata = !matches!(
        source,
        Some(KeySource::Uri(_) | KeySource::File(_) | KeySource::Fixed(_))
    );
    let introspection = questions::introspection(place, &written, has_metadata, faults);
    let groups = questions::groups(place, &written, profile.dialect, has_metadata, faults);
    let verifier = Verifier::new(issuer, audiences, profile);
    let verifier = match &written.tenant {
        None => verifier,
        Some(tenant) => noted(
            faults,
            verifier.for_tenant(tenant).map_err(|error| {
                ConfigError::new(
                    at("tenant"),
                    error.to_string(),
                    "write the tenant's id, without spaces",
                )
            }),
        )?,
    };
    Some(IssuerSettings {
        verifier,
        source: source?,
        snapshot: written.key_snapshot,
        trust: trust?,
        tenants,
        remembered_tenants: written.remembered_tenants.unwrap_or(1_024).max(1),
        introspection,
        groups,
    })
}

/// How the issuer's documents are fetched: whom it trusts for it, and what it shows.
pub(super) fn trust(place: &str, written: &IssuerConfig) -> Result<Trust, ConfigError> {
    let trust = match &written.ca_file {
        Some(file) => authorities(file).map_err(|problem| {
            let cure = "write the path of a file with certificates in PEM";
            let problem = format!("{}: {problem}", file.display());
            ConfigError::new(format!("{place}.ca_file"), problem, cure)
        })?,
        None => Trust::default(),
    };
    Ok(trust
        .with_token_file(written.fetch_token_file.clone())
        .with_danger_plain_http(written.danger_plain_http))
}

fn authorities(file: &Path) -> Result<Trust, String> {
    let pem = std::fs::read(file).map_err(|error| error.to_string())?;
    Trust::authorities(&pem).map_err(str::to_owned)
}

/// An issuer that is an address: an http one is for loopback, or for a provider within a closed
/// network.
fn address_of(url: &str, written: &IssuerConfig) -> Result<Issuer, String> {
    let read = if written.danger_plain_http {
        Issuer::parse_plain(url)
    } else {
        Issuer::parse(url)
    };
    read.map_err(|error| error.to_string())
}

/// The issuer's identifier: an address where its documents are found by it, else any name that is
/// compared.
pub(super) fn identifier(
    place: &str,
    url: &str,
    dialect: Option<&'static Dialect>,
    written: &IssuerConfig,
) -> Result<Issuer, ConfigError> {
    let elsewhere = match dialect.map(|dialect| dialect.discovery) {
        Some(Discovery::Under(base)) => base(url).is_some() && !written.url.contains(TENANT),
        _ => false,
    };
    let asked = written
        .introspection
        .as_ref()
        .is_some_and(|asked| asked.endpoint.is_some());
    let keys = written.jwks_uri.is_some() || written.jwks_file.is_some();
    let told = keys || written.metadata_url.is_some() || asked;
    if told || elsewhere {
        return Issuer::identifier(url).map_err(|error| {
            ConfigError::new(
                place,
                error.to_string(),
                "copy `iss` of a token, letter by letter",
            )
        });
    }
    address_of(url, written).map_err(|error| {
        let cure = match url.starts_with("http://") {
            true => {
                "use the provider's https address; within a closed network, `danger_plain_http = \
                    true` \
                 (`OAUTH2_DANGER_PLAIN_HTTP=true`) fetches over http; if it is only a name, write \
                 `jwks_uri`, `jwks_file` or \
                 `metadata_url` beside it"
            }
            false => {
                "copy the `issuer` of the provider's metadata, letter by letter; if tokens name \
                    their issuer by anything \
                 but an https address, write `jwks_uri` or `metadata_url` beside it"
            }
        };
        ConfigError::new(place, error, cure)
    })
}

/// The dialect that is named, or that the URL shows.
pub(super) fn dialect(
    place: &str,
    written: &IssuerConfig,
    faults: &mut Vec<ConfigError>,
) -> Option<&'static Dialect> {
    let Some(name) = &written.profile else {
        return Some(Dialect::of_issuer(&written.url));
    };
    let known = || {
        let names: Vec<String> = portcullis_core::dialect::DIALECTS
            .iter()
            .map(|dialect| format!("`{}`", dialect.name))
            .collect();
        format!("write one of {}, or leave it to the URL", names.join(", "))
    };
    noted(
        faults,
        Dialect::by_name(name)
            .ok_or_else(|| ConfigError::new(place, "a profile that there is", known())),
    )
}

fn profile(
    place: &str,
    dialect: &'static Dialect,
    written: &IssuerConfig,
    faults: &mut Vec<ConfigError>,
) -> Profile {
    let at = |member: &str| format!("{place}.{member}");
    let mut profile = Profile::of(dialect);
    mapping::set(place, written, &mut profile, faults);
    let asked = written.introspection.as_ref();
    profile.danger_answers_without_audience =
        asked.is_some_and(|asked| asked.danger_answers_without_audience);
    profile.danger_answers_without_type =
        asked.is_some_and(|asked| asked.danger_answers_without_type);
    if let Some(names) = &written.algorithms {
        let cure = "write names such as `RS256` or `ES256`; `none` and HMAC are not to be had";
        let algorithms: Option<Vec<_>> = names
            .iter()
            .map(|name| Algorithm::from_name(name))
            .collect();
        let algorithms = algorithms.filter(|list| !list.is_empty());
        let algorithms = algorithms
            .ok_or_else(|| ConfigError::new(at("algorithms"), "asymmetric algorithms", cure));
        profile.algorithms = noted(faults, algorithms).unwrap_or_default();
    }
    if let Some(leeway) = written.leeway {
        if leeway > 300 {
            let cure = "keep the clocks in step; more than 300 seconds accepts tokens long after \
                they ended";
            faults.push(ConfigError::new(at("leeway"), "at most 300 seconds", cure));
        }
        profile.leeway = Duration::from_secs(leeway);
    }
    if let Some(lifetime) = written.max_lifetime {
        profile.max_lifetime = Duration::from_secs(lifetime);
    }
    profile
}

/// Where the keys are, by what is written and by what is known of the provider.
pub(super) fn source(
    place: &str,
    issuer: &Issuer,
    dialect: &Dialect,
    written: &IssuerConfig,
) -> Result<KeySource, ConfigError> {
    let fault = |member: &str, reason: &str, cure: &str| {
        ConfigError::new(format!("{place}.{member}"), reason, cure)
    };
    let url = |text: &str| address::parse_fetchable(text, written.danger_plain_http);
    if let Some(file) = &written.jwks_file {
        return key_file(file, written).map_err(|(reason, cure)| fault("jwks_file", &reason, cure));
    }
    if let Some(uri) = &written.jwks_uri {
        let cure = "write the https address of the key set, or leave it to discovery";
        return url(uri)
            .map(KeySource::Uri)
            .map_err(|reason| fault("jwks_uri", reason, cure));
    }
    if let Some(text) = &written.metadata_url {
        let cure = "write the https address of the metadata, or leave it to discovery";
        return url(text)
            .map(KeySource::Metadata)
            .map_err(|reason| fault("metadata_url", reason, cure));
    }
    match dialect.discovery {
        // A name leads nowhere: such an issuer is asked about its tokens, and signs none.
        Discovery::WellKnown if address_of(issuer.as_str(), written).is_err() => {
            Ok(KeySource::Fixed(Jwks::none()))
        }
        Discovery::WellKnown => Ok(KeySource::Discovered),
        Discovery::Under(base) => {
            let issuer = issuer
                .as_str()
                .replace(TENANT, written.tenant.as_deref().unwrap_or(TENANT));
            Ok(base(&issuer).map_or(KeySource::Discovered, KeySource::DiscoveredUnder))
        }
        Discovery::KeysAt(path) => {
            let uri = format!("{}{path}", issuer.as_str().trim_end_matches('/'));
            url(&uri)
                .map(KeySource::Uri)
                .map_err(|reason| fault("url", reason, "write the team's address"))
        }
    }
}

/// The file with the keys, if it is fit to be used, and the only source.
fn key_file(file: &Path, written: &IssuerConfig) -> Result<KeySource, (String, &'static str)> {
    if written.jwks_uri.is_some() || written.metadata_url.is_some() {
        let cure = "write `jwks_file`, or `jwks_uri`, or `metadata_url`, and one of them only";
        return Err((
            "expected one place for the keys, found several".to_owned(),
            cure,
        ));
    }
    let cure =
        "write the path of a file with a key set: a JSON object with `keys` (RFC 7517, section 5)";
    match keys::file::read(file, &Limits::default()) {
        Ok(_) => Ok(KeySource::File(file.to_owned())),
        Err(reason) => Err((reason, cure)),
    }
}
