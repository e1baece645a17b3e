//! The provider, the client, and what proves the client: from the arguments, the environment and
//! `.env`.
//!
//! The variables describe one client at one issuer. Where the command line names another issuer or
//! another client, they do not apply: a secret goes to nobody it was not meant for.

use super::trouble::failure;
use crate::args::ClientArguments;
use crate::exit::{Exit, Failure};
use crate::store::{Asked, Entry};
use portcullis_client::{Authentication, Client, DpopKey, PrivateKey, Provider, Secret};
use portcullis_core::token::issuer::is_loopback_host;
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::Config;
use reqwest::Url;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Who is asked, and in whose name.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) issuer: String,
    pub(crate) client: String,
    authentication: Authentication,
    authorities: Option<Vec<u8>>,
    trusted_audiences: Vec<String>,
}

/// An issuer and a client that are known from before.
pub(crate) struct Known {
    pub(crate) issuer: String,
    pub(crate) client: String,
}

impl Party {
    /// What is said and set; `known` fills in where nothing names an issuer.
    ///
    /// # Errors
    ///
    /// Everything that is missing, and files that cannot be read.
    pub(crate) fn read(arguments: &ClientArguments, known: Option<Known>) -> Result<Self, Failure> {
        let set = Variables::read()?.without_others_than(arguments);
        let (known_issuer, known_client) = match known {
            Some(Known { issuer, client }) => (Some(issuer), Some(client)),
            None => (None, None),
        };
        let issuer = arguments.issuer.clone().or(set.issuer).or(known_issuer);
        let authentication = authentication(arguments, set.secret, set.assertion_file)?;
        let public = authentication.method() == Authentication::public().method();
        let client = arguments.client_id.clone().or(set.client).or(known_client);
        let client = client.or_else(|| {
            issuer
                .as_deref()
                .filter(|_| public)
                .and_then(development_client)
        });
        let missing = [
            (
                issuer.is_none(),
                "OAUTH2_ISSUER",
                "set it, or pass `--issuer https://...`",
            ),
            (
                client.is_none(),
                "OAUTH2_CLIENT_ID",
                "set it, or pass `--client-id`: the client must be registered at the provider",
            ),
        ];
        let missing = missing.into_iter().filter(|(missing, ..)| *missing);
        ConfigErrors::check(
            missing
                .map(|(_, name, cure)| ConfigError::wrong(name, "it is not set").help(cure))
                .collect(),
        )?;
        let authorities = arguments.ca_file.as_deref().map(file).transpose()?;
        Ok(Self {
            issuer: issuer.unwrap_or_default(),
            client: client.unwrap_or_default(),
            authentication,
            authorities,
            trusted_audiences: Vec::new(),
        })
    }

    /// The same, taking ID tokens that are for these audiences as well.
    pub(super) fn trusting_audiences(self, trusted_audiences: Vec<String>) -> Self {
        Self {
            trusted_audiences,
            ..self
        }
    }

    /// The one client that something is kept of, where nothing names an issuer.
    ///
    /// # Errors
    ///
    /// There are several.
    pub(crate) fn only_one(
        arguments: &ClientArguments,
        entries: &[Entry],
    ) -> Result<Option<Known>, Failure> {
        if Self::names_issuer(arguments)? {
            return Ok(None);
        }
        let said = |asked: &&Asked| {
            arguments
                .client_id
                .as_ref()
                .is_none_or(|said| *said == asked.client)
        };
        let mut clients: Vec<(&str, &str)> = entries
            .iter()
            .map(|entry| &entry.asked)
            .filter(said)
            .map(|asked| (&*asked.issuer, &*asked.client))
            .collect();
        clients.sort_unstable();
        clients.dedup();
        match clients.as_slice() {
            [] => Ok(None),
            [(issuer, client)] => Ok(Some(Known {
                issuer: (*issuer).to_owned(),
                client: (*client).to_owned(),
            })),
            several => {
                let message = format!(
                    "tokens of {} clients are kept, and it is not said which one is meant",
                    several.len()
                );
                let cure = "pass `--issuer` and `--client-id`; `portcullis token list` shows them";
                Err(Failure::with_cure(Exit::CouldNotRun, message, cure))
            }
        }
    }

    /// Whether the provider runs on this machine.
    pub(super) fn is_on_this_machine(&self) -> bool {
        is_on_this_machine(&self.issuer)
    }

    /// Whether an issuer is said or set.
    pub(crate) fn names_issuer(arguments: &ClientArguments) -> Result<bool, Failure> {
        Ok(arguments.issuer.is_some() || Variables::read()?.issuer.is_some())
    }

    /// Whether the client can prove itself.
    pub(crate) fn proves_itself(&self) -> bool {
        self.authentication.method() != Authentication::public().method()
    }

    /// The client, its tokens bound to this key where there is one. Nothing is asked yet.
    pub(crate) fn client(&self, key: Option<DpopKey>) -> Result<Client, Failure> {
        let fault = |error: ConfigError| Failure::from(ConfigErrors::from(error));
        let mut provider = Provider::builder(&self.issuer).map_err(fault)?;
        if let Some(pem) = &self.authorities {
            provider = provider.authorities(pem).map_err(fault)?;
        }
        let client = Client::new(provider.build(), &self.client, self.authentication.clone());
        let client = client.trusting_audiences(self.trusted_audiences.iter().map(String::as_str));
        Ok(key.into_iter().fold(client, Client::dpop))
    }

    /// The client, with the metadata of its provider read.
    pub(crate) async fn discovered(&self, key: Option<DpopKey>) -> Result<Client, Failure> {
        let client = self.client(key)?;
        client
            .provider()
            .metadata()
            .await
            .map_err(|error| failure(&error, self))?;
        Ok(client)
    }
}

/// What the environment says, or else `.env`.
struct Variables {
    issuer: Option<String>,
    client: Option<String>,
    /// Also an empty one: it is set, and nobody's.
    secret: Option<Secret>,
    assertion_file: Option<PathBuf>,
}

impl Variables {
    fn read() -> Result<Self, Failure> {
        let set =
            |name| Config::variable(name).map(|value| value.filter(|value| !value.is_empty()));
        Ok(Self {
            issuer: set("OAUTH2_ISSUER")?,
            client: set("OAUTH2_CLIENT_ID")?,
            secret: Config::variable(SECRET)?.map(Secret::new),
            assertion_file: set("OAUTH2_CLIENT_ASSERTION_FILE")?.map(PathBuf::from),
        })
    }

    /// Leaves out the client of another issuer, and the secret of another client.
    fn without_others_than(mut self, arguments: &ClientArguments) -> Self {
        let other = |said: &Option<String>, set: &Option<String>| {
            said.as_ref()
                .zip(set.as_ref())
                .is_some_and(|(said, set)| said != set)
        };
        if other(&arguments.issuer, &self.issuer) {
            (self.client, self.secret, self.assertion_file) = (None, None, None);
        }
        if other(&arguments.client_id, &self.client) {
            (self.secret, self.assertion_file) = (None, None);
        }
        self
    }
}

/// What proves the client: what is said comes before what is set.
fn authentication(
    arguments: &ClientArguments,
    secret: Option<Secret>,
    assertion_file: Option<PathBuf>,
) -> Result<Authentication, Failure> {
    let fault = |error: ConfigError| Failure::from(ConfigErrors::from(error));
    let certificate = arguments
        .client_certificate_file
        .as_deref()
        .map(file)
        .transpose()?;
    if let Some(path) = &arguments.client_key_file {
        let key = PrivateKey::read(
            &file(path)?,
            None,
            arguments.client_key_id.as_deref(),
            certificate.as_deref(),
        );
        return key.map(Authentication::private_key).map_err(fault);
    }
    if let Some(pem) = certificate {
        return Authentication::certificate(&pem).map_err(fault);
    }
    let said = (
        &arguments.client_secret_file,
        &arguments.client_assertion_file,
    );
    let secret = match (said, secret, assertion_file) {
        ((_, Some(path)), ..) => return Authentication::assertion_file(path).map_err(fault),
        ((Some(path), None), ..) => Some(secret_file(path, "the client's secret")?),
        ((None, None), Some(_), Some(_)) => {
            let message = format!("both {SECRET} and OAUTH2_CLIENT_ASSERTION_FILE are set");
            return Err(Failure::with_cure(
                Exit::CouldNotRun,
                message,
                "unset the one that is not the client's",
            ));
        }
        ((None, None), None, Some(path)) => {
            return Authentication::assertion_file(&path).map_err(fault);
        }
        ((None, None), secret, None) => secret.as_ref().map(set_secret).transpose()?,
    };
    Ok(match secret {
        Some(secret) if arguments.client_secret_post => Authentication::secret_post(secret),
        Some(secret) => Authentication::secret_basic(secret),
        None => Authentication::public(),
    })
}

const SECRET: &str = "OAUTH2_CLIENT_SECRET";

/// The secret of the environment. One that is empty is a mistake in a script more often than it is
/// a public client.
fn set_secret(secret: &Secret) -> Result<Secret, Failure> {
    let text = trimmed(secret.expose());
    if text.is_empty() {
        let message = format!("{SECRET}: expected the client's secret, found an empty text");
        let cure = "set it to the secret; for a client that has none, unset it";
        return Err(Failure::with_cure(Exit::CouldNotRun, message, cure));
    }
    Ok(Secret::new(text))
}

/// A file's text, without the white space around it that editors leave. An empty file is a mistake,
/// and no empty secret.
pub(super) fn secret_file(path: &Path, expected: &str) -> Result<Secret, Failure> {
    let told = |problem: &dyn Display| format!("{}: {problem}", path.display());
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| Failure::could_not_run(told(&error)))?;
    let text = trimmed(&text);
    if text.is_empty() {
        let message = told(&format!("expected {expected}, found an empty file"));
        return Err(Failure::with_cure(
            Exit::CouldNotRun,
            message,
            "write it into the file, or name another one",
        ));
    }
    Ok(Secret::new(text))
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path);
    let bytes =
        bytes.map_err(|error| Failure::could_not_run(format!("{}: {error}", path.display())))?;
    if bytes.trim_ascii().is_empty() {
        let message = format!("{}: expected PEM, found an empty file", path.display());
        return Err(Failure::with_cure(
            Exit::CouldNotRun,
            message,
            "write it into the file, or name another one",
        ));
    }
    Ok(bytes)
}

/// The public client of the development identity provider, for an issuer on this machine.
fn development_client(issuer: &str) -> Option<String> {
    is_on_this_machine(issuer).then(|| "web".to_owned())
}

fn is_on_this_machine(issuer: &str) -> bool {
    let url = Url::parse(issuer).ok();
    url.is_some_and(|url| url.host_str().is_some_and(is_loopback_host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use clap::Parser as _;

    fn arguments(said: &[&str]) -> ClientArguments {
        let line = ["portcullis", "token"].iter().chain(said);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Token(arguments) => arguments.request.client,
            _ => panic!("another command"),
        }
    }

    fn left(said: &[&str]) -> (bool, bool) {
        let text = |text: &str| Some(text.to_owned());
        let set = Variables {
            issuer: text("https://a.example"),
            client: text("a"),
            secret: Some(Secret::new("s")),
            assertion_file: Some("file".into()),
        };
        let left = set.without_others_than(&arguments(said));
        assert_eq!(left.secret.is_some(), left.assertion_file.is_some());
        (left.client.is_some(), left.secret.is_some())
    }

    #[test]
    fn a_secret_goes_to_nobody_it_was_not_meant_for() {
        assert_eq!(left(&[]), (true, true));
        assert_eq!(
            left(&["--issuer", "https://a.example", "--client-id", "a"]),
            (true, true)
        );
        assert_eq!(left(&["--issuer", "https://b.example"]), (false, false));
        assert_eq!(
            left(&["--issuer", "https://b.example", "--client-id", "a"]),
            (false, false)
        );
        assert_eq!(left(&["--client-id", "b"]), (true, false));
    }

    #[test]
    fn only_a_provider_on_this_machine_has_a_client_that_is_known() {
        assert_eq!(
            development_client("http://127.0.0.1:9000").as_deref(),
            Some("web")
        );
        assert_eq!(
            development_client("http://localhost:9000/realms/x").as_deref(),
            Some("web")
        );
        assert_eq!(development_client("https://idp.example"), None);
    }
}
