//! One trusted issuer as meant: its dialect, its expectations, its tenants, and where its keys are.

use super::tenants::{Tenants, tenants};
use super::trust::trust;
use super::{mapping, placeholders, questions, spelling};
use crate::config::IssuerConfig;
use crate::groups::GroupsSettings;
use crate::introspection::IntrospectionSettings;
use crate::receiver::{self, LogoutSettings};
use mapping::check_fitness;
use portcullis_core::config::blank;
use portcullis_core::dialect::{DIALECTS, Discovery, TENANT};
use portcullis_core::jose::{Algorithm, Jwks};
use portcullis_core::token::{Audiences, Issuer};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{Dialect, Faults, Limits};
use portcullis_provider::address;
use portcullis_provider::fetch::Trust;
use portcullis_provider::keys::{self, KeySource};
use portcullis_provider::metadata;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

#[derive(Clone, Debug)]
pub(crate) struct IssuerSettings {
    pub(crate) verifier: Verifier,
    pub(crate) source: KeySource,
    pub(crate) snapshot: Option<PathBuf>,
    /// How long a request waits for a key, if not as long as usual.
    pub(crate) patience: Option<Duration>,
    pub(crate) trust: Trust,
    pub(crate) tenants: Tenants,
    pub(crate) remembered_tenants: usize,
    pub(crate) introspection: Option<IntrospectionSettings>,
    pub(crate) groups: Option<GroupsSettings>,
    pub(crate) logout: Option<LogoutSettings>,
}

impl IssuerSettings {
    /// The members of the metadata that these settings rely on, besides the address of the keys.
    pub(crate) fn needed_metadata(&self) -> Vec<&'static str> {
        let mut needed = Vec::new();
        if let Some(introspection) = &self.introspection
            && introspection.endpoint.is_none()
        {
            needed.push(metadata::INTROSPECTION);
        }
        if let Some(groups) = &self.groups
            && groups.token_endpoint.is_none()
        {
            needed.push(metadata::TOKEN);
        }
        needed
    }
}

/// The members by which an issuer may be known otherwise than by its address.
const OTHER_WAYS: [&str; 9] = [
    "profile",
    "jwks_uri",
    "jwks_file",
    "metadata_url",
    "introspection.endpoint",
    "danger_plain_http",
    "tenant",
    "tenants",
    "danger_any_tenant",
];

/// The issuer as meant.
pub(super) fn settings(written: IssuerConfig, faults: &Faults) -> Option<IssuerSettings> {
    placeholders::warn(&written, faults);
    let dialect = dialect(&written, faults);
    let issuer = identifier(&written.url, dialect, &written, faults);
    let audiences = Audiences::new(written.audience.iter().map(String::as_str))
        .map_err(|fault| fault.with_place(faults.place("audience")));
    let audiences = faults.note(audiences);
    let trust = trust(&written, faults);
    let Some(dialect) = dialect else {
        // Settings that depend on the profile cannot be judged without one; the others can.
        profile(Dialect::of_issuer(""), &written, faults);
        source_as_written(&written, faults);
        // `true`: without a profile, nobody can tell whether metadata exists, and a false fault
        // misleads.
        questions::introspection(&written, true, faults);
        return None;
    };
    let profile = profile(dialect, &written, faults);
    // The tables beside the address are judged even where the address itself is at fault.
    let tenants = tenants(dialect, &written, faults);
    let source = match &issuer {
        Some(issuer) => source(issuer, dialect, &written, faults),
        None => source_as_written(&written, faults),
    };
    // With keys at a fixed place the metadata is never fetched, so it can name no endpoint either.
    let has_metadata = !matches!(
        source,
        Some(KeySource::Uri(_) | KeySource::File(_) | KeySource::Fixed(_))
    );
    let introspection = questions::introspection(&written, has_metadata, faults);
    let groups = questions::groups(&written, dialect, has_metadata, faults);
    let logout = written.logout.clone();
    let logout = logout.and_then(|logout| receiver::logout(logout, dialect, faults));
    // The rest needs the address; everything that does without it was judged above.
    let issuer = issuer?;
    check_fitness(dialect, &issuer, &written, faults);
    spelling::warn_of_issuer(dialect, &written.url, faults);
    spelling::warn_of_audiences(dialect, &written.audience, faults);
    let verifier = verifier(issuer, audiences?, profile, &written, faults)?;
    Some(IssuerSettings {
        verifier,
        source: source?,
        snapshot: written.key_snapshot,
        patience: None,
        trust: trust?,
        tenants,
        remembered_tenants: written.remembered_tenants.unwrap_or(1_024).max(1),
        introspection,
        groups,
        logout,
    })
}

fn verifier(
    issuer: Issuer,
    audiences: Audiences,
    profile: Profile,
    written: &IssuerConfig,
    faults: &Faults,
) -> Option<Verifier> {
    let verifier = Verifier::new(issuer, audiences, profile);
    let Some(tenant) = &written.tenant else {
        return Some(verifier);
    };
    match verifier.for_tenant(tenant) {
        Ok(verifier) => Some(verifier),
        Err(error) => {
            faults
                .wrong("tenant", error.to_string())
                .given(&["url"])
                .help("write the tenant's id, without spaces");
            None
        }
    }
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
    url: &str,
    dialect: Option<&'static Dialect>,
    written: &IssuerConfig,
    faults: &Faults,
) -> Option<Issuer> {
    // Only an address is searched: a name that is merely compared may hold such signs rightly.
    if let Some(piece) = blank(&url.replace(TENANT, "")).filter(|_| url.contains("://")) {
        let help = "write your own value in its place; only `{tenantid}` is filled, by `tenant` or \
            `tenants`";
        faults
            .expected("url", "the URL of an issuer")
            .found_as(format!("{url:?} with the placeholder `{piece}`"))
            .help(help);
        return None;
    }
    if url.contains("/.well-known/") {
        faults
            .expected("url", "the issuer itself, not the address of its metadata")
            .found(url)
            .help("write what `issuer` says in that document; `metadata_url` is for its address");
        return None;
    }
    if is_only_compared(url, dialect, written) {
        return match Issuer::identifier(url) {
            Ok(issuer) => Some(issuer),
            Err(error) => {
                faults
                    .wrong("url", error.to_string())
                    .help("copy `iss` of a token exactly");
                None
            }
        };
    }
    match address_of(url, written) {
        Ok(issuer) => Some(issuer),
        Err(problem) => {
            let is_plain = url.starts_with("http://");
            let help = if is_plain {
                HELP_FOR_HTTP
            } else {
                HELP_FOR_HTTPS
            };
            faults
                .wrong("url", problem)
                .given(&OTHER_WAYS)
                .help(help);
            None
        }
    }
}

const HELP_FOR_HTTP: &str = "use the provider's https address; within a closed network, \
    `danger_plain_http = true` (`OAUTH2_DANGER_PLAIN_HTTP=true`) fetches over http; if it is only \
    a name, write `jwks_uri`, `jwks_file` or `metadata_url` beside it";
const HELP_FOR_HTTPS: &str = "copy the `issuer` of the provider's metadata exactly; if tokens name \
    their issuer by anything but an https address, write `jwks_uri` or `metadata_url` beside it";

/// Whether nothing is fetched by the issuer's name: then it need not be an address.
fn is_only_compared(url: &str, dialect: Option<&'static Dialect>, written: &IssuerConfig) -> bool {
    if written.jwks_uri.is_some() || written.jwks_file.is_some() || written.metadata_url.is_some() {
        return true;
    }
    let asked = written.introspection.as_ref();
    if asked.is_some_and(|asked| asked.endpoint.is_some()) {
        return true;
    }
    match dialect.map(|dialect| dialect.discovery) {
        Some(Discovery::Under(base)) => base(url).is_some() && !written.url.contains(TENANT),
        _ => false,
    }
}

/// The dialect that is named, or that the URL shows.
pub(super) fn dialect(written: &IssuerConfig, faults: &Faults) -> Option<&'static Dialect> {
    let Some(name) = &written.profile else {
        return Some(Dialect::of_issuer(&written.url));
    };
    let dialect = Dialect::by_name(name);
    if dialect.is_none() {
        let names: Vec<String> = DIALECTS
            .iter()
            .map(|dialect| format!("`{}`", dialect.name))
            .collect();
        faults
            .expected("profile", "a known profile")
            .found(name)
            .help(format!(
                "write one of {}, or leave it to the URL",
                names.join(", ")
            ));
    }
    dialect
}

fn profile(dialect: &'static Dialect, written: &IssuerConfig, faults: &Faults) -> Profile {
    let mut profile = Profile::of(dialect);
    mapping::set(written, &mut profile, faults);
    if let Some(asked) = &written.introspection {
        profile.danger_answers_without_audience = asked.danger_answers_without_audience;
        profile.danger_answers_without_type = asked.danger_answers_without_type;
    }
    if let Some(names) = &written.algorithms {
        profile.algorithms = algorithms(names, faults);
    }
    if let Some(word) = &written.bound {
        profile.bound = mapping::binding(word, faults);
    }
    if let Some(leeway) = written.leeway {
        if leeway > 300 {
            let help = "keep the clocks in step; more than 300 seconds accepts tokens long after \
                they ended";
            faults
                .expected("leeway", "at most 300 seconds")
                .found(leeway)
                .help(help);
        }
        profile.leeway = Duration::from_secs(leeway);
    }
    if let Some(lifetime) = written.max_lifetime {
        profile.max_lifetime = Duration::from_secs(lifetime);
    }
    profile
}

fn algorithms(names: &[String], faults: &Faults) -> Vec<Algorithm> {
    const HELP: &str = "write names such as `RS256` or `ES256`; `none` and HMAC are never accepted";
    let mut algorithms = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let Some(algorithm) = Algorithm::from_name(name) else {
            let place = format!("algorithms[{index}]");
            let fault = faults.expected(&place, "an asymmetric algorithm");
            fault.found(name).help(HELP);
            continue;
        };
        algorithms.push(algorithm);
    }
    if names.is_empty() {
        faults
            .expected("algorithms", "asymmetric algorithms")
            .found_as("an empty list")
            .help(HELP);
    }
    algorithms
}

/// Where the keys are, by what is written and by what is known of the provider.
pub(super) fn source(
    issuer: &Issuer,
    dialect: &Dialect,
    written: &IssuerConfig,
    faults: &Faults,
) -> Option<KeySource> {
    if written.jwks_file.is_some() || written.jwks_uri.is_some() || written.metadata_url.is_some() {
        return source_as_written(written, faults);
    }
    match dialect.discovery {
        // A name leads nowhere: such an issuer is asked about its tokens, and signs none.
        Discovery::WellKnown if address_of(issuer.as_str(), written).is_err() => {
            Some(KeySource::Fixed(Jwks::none()))
        }
        Discovery::WellKnown => Some(KeySource::Discovered),
        Discovery::Under(base) => {
            let tenant = written.tenant.as_deref().unwrap_or(TENANT);
            let issuer = issuer.as_str().replace(TENANT, tenant);
            Some(base(&issuer).map_or(KeySource::Discovered, KeySource::DiscoveredUnder))
        }
        Discovery::KeysAt(path) => {
            // Two slashes in a row are another path, which many servers do not know.
            let uri = format!("{}{path}", issuer.as_str().trim_end_matches('/'));
            match address::parse_fetchable(&uri, written.danger_plain_http) {
                Ok(uri) => Some(KeySource::Uri(uri)),
                Err(_) => {
                    faults
                        .expected("url", "the https address of the team")
                        .found(issuer.as_str())
                        .given(&OTHER_WAYS)
                        .help("write the team's address");
                    None
                }
            }
        }
    }
}

/// Where the keys are, by what is written alone.
fn source_as_written(written: &IssuerConfig, faults: &Faults) -> Option<KeySource> {
    if let Some(file) = &written.jwks_file {
        return key_file(file, written, faults);
    }
    if let Some(uri) = &written.jwks_uri {
        let help = "write the https address of the key set, or leave it to discovery";
        return fetchable("jwks_uri", uri, written, help, faults).map(KeySource::Uri);
    }
    let text = written.metadata_url.as_ref()?;
    let help = "write the https address of the metadata, or leave it to discovery";
    fetchable("metadata_url", text, written, help, faults).map(KeySource::Metadata)
}

/// An address that this server may fetch.
fn fetchable(
    member: &str,
    text: &str,
    written: &IssuerConfig,
    help: &str,
    faults: &Faults,
) -> Option<Url> {
    let url = address::parse_fetchable(text, written.danger_plain_http).ok();
    if url.is_none() {
        faults
            .expected(member, questions::FETCHABLE)
            .found(text)
            .given(&["danger_plain_http"])
            .help(help);
    }
    url
}

/// The file with the keys, if it is fit to be used, and the only source.
fn key_file(file: &Path, written: &IssuerConfig, faults: &Faults) -> Option<KeySource> {
    if written.jwks_uri.is_some() || written.metadata_url.is_some() {
        faults
            .expected("jwks_file", "one place for the keys")
            .found_as("several")
            .help("write `jwks_file`, or `jwks_uri`, or `metadata_url`, and one of them only");
        return None;
    }
    // Read here only to be judged: a bad file must fail the start, not the first request.
    match keys::file::read(file, &Limits::default()) {
        Ok(_) => Some(KeySource::File(file.to_owned())),
        Err(problem) => {
            let help = "write the path of a file with a key set: a JSON object with `keys` \
                (RFC 7517, section 5)";
            faults.wrong("jwks_file", problem).help(help);
            None
        }
    }
}
