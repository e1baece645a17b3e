//! A transmitter, and the authorization to manage streams there.

use super::fault::convert_fault;
use crate::api_metadata;
use crate::args::{ClientArguments, TransmitterArguments};
use crate::client::{ClientIdentity, ClientVariables, connect, convert_error, read_secret_file};
use crate::command::audit::issuer;
use crate::exit::CommandError;
use crate::transmitter::{TransmitterAddress, egress};
use portcullis_client::TokenRequest;
use portcullis_core::rejection::quote;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::fetch::Authorization;
use portcullis_provider::resource_metadata::ResourceMetadata;
use portcullis_provider::shared_signals::{
    DEFAULT_READ_SCOPE, DEFAULT_SCOPE, StreamManagement, Transmitter, TransmitterMetadata,
};
use std::path::Path;

/// What a command does with streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamScope {
    Read,
    Manage,
}

/// A transmitter that takes the authorization.
pub(super) struct StreamAccess {
    transmitter: Transmitter,
    authorization: Authorization,
    /// The client of the token, if it was one.
    token: Option<TokenOrigin>,
}

/// Whose token it is, and for what.
struct TokenOrigin {
    client_id: String,
    scope: String,
}

impl StreamAccess {
    /// Asks for the metadata of the transmitter, and for a token.
    ///
    /// # Errors
    ///
    /// Arguments that are missing or contradict each other; whatever a transmitter and a provider
    /// may answer.
    pub(super) async fn open(
        arguments: &TransmitterArguments,
        scope: StreamScope,
    ) -> Result<Self, CommandError> {
        // Read first, so that a file that is missing costs no requests.
        let given = match &arguments.authorization_file {
            Some(file) => Some(read_header(file)?),
            None => None,
        };
        let transmitter = discover(&arguments.client).await?;
        let (authorization, token) = match given {
            Some(authorization) => (authorization, None),
            None => {
                let metadata = transmitter.metadata();
                let (authorization, token) = request_token(arguments, metadata, scope).await?;
                (authorization, Some(token))
            }
        };
        Ok(Self {
            transmitter,
            authorization,
            token,
        })
    }

    /// The streams of the client.
    pub(super) fn streams(&self) -> StreamManagement<'_> {
        self.transmitter.manage(&self.authorization)
    }

    /// The client that the token is of, if there is one.
    pub(super) fn client_id(&self) -> Option<&str> {
        Some(&self.token.as_ref()?.client_id)
    }

    /// The scopes that the token was requested with.
    pub(super) fn scope(&self) -> Option<&str> {
        Some(&self.token.as_ref()?.scope)
    }

    /// What the transmitter says about itself.
    pub(super) fn metadata(&self) -> &TransmitterMetadata {
        self.transmitter.metadata()
    }
}

/// The header out of a file. A text without a scheme is a token.
pub(super) fn read_header(file: &Path) -> Result<Authorization, CommandError> {
    let secret = read_secret_file(file, "an access token, or a header `Authorization`")?;
    let text = secret.expose();
    let header = match text.contains(' ') {
        true => text.to_owned(),
        false => format!("Bearer {text}"),
    };
    Authorization::header(&header).map_err(|reason| CommandError::in_file(file, reason))
}

async fn discover(client: &ClientArguments) -> Result<Transmitter, CommandError> {
    let named = issuer(client.issuer.clone())?;
    let TransmitterAddress { issuer, source } =
        TransmitterAddress::read(named, client.metadata_url.as_deref())?;
    let egress = egress(client.ca_file.as_deref())?;
    let found = Transmitter::discover(issuer, &source, egress).await;
    found.map_err(|fault| convert_fault(&fault))
}

/// A token of the client itself, for the transmitter.
async fn request_token(
    arguments: &TransmitterArguments,
    metadata: &TransmitterMetadata,
    scope: StreamScope,
) -> Result<(Authorization, TokenOrigin), CommandError> {
    // Many transmitters have none (CAEP Interoperability Profile 1.0, section 2.7.2).
    let api = match &metadata.configuration_endpoint {
        Some(endpoint) => {
            let ca_file = arguments.client.ca_file.as_deref();
            api_metadata::discover(endpoint.as_str(), ca_file)
                .await
                .ok()
        }
        None => None,
    };
    let client = ClientArguments {
        issuer: Some(token_issuer(arguments, metadata, api.as_ref())?),
        // That of the transmitter says nothing about tokens.
        metadata_url: None,
        ..arguments.client.clone()
    };
    let identity = ClientIdentity::read(&client, None)?;
    if !identity.has_credentials() {
        let message = "expected the credentials of a client, or a header, found neither";
        return Err(CommandError::could_not_run(message).help(
            "set OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET for the client at this issuer, or pass \
                `--authorization-file` with a token of the scope ssf.manage",
        ));
    }
    let scope = scopes(arguments, api.as_ref(), scope);
    let mut request = TokenRequest::new().scope(&scope);
    if let Some(api) = &api {
        request = request.resource(&api.resource);
    }
    let client = connect(&identity, None)?;
    let response = client.client_credentials(&request).await;
    let response = response.map_err(|error| convert_error(&error, &identity))?;
    let token = response.access_token().expose();
    let origin = TokenOrigin {
        client_id: identity.client_id.clone(),
        scope,
    };
    Ok((Authorization::Bearer(Secret::new(token)), origin))
}

fn scopes(
    arguments: &TransmitterArguments,
    api: Option<&ResourceMetadata>,
    scope: StreamScope,
) -> String {
    match (&arguments.scope, api, scope) {
        (Some(scope), ..) => scope.clone(),
        (None, Some(api), _) if !api.scopes.is_empty() => api.scopes.join(" "),
        (None, _, StreamScope::Read) => DEFAULT_READ_SCOPE.to_owned(),
        (None, _, StreamScope::Manage) => DEFAULT_SCOPE.to_owned(),
    }
}

/// The provider that is asked for the token. The transmitter is a stranger until its token is
/// there, so it chooses no provider for a client with credentials: it may only confirm one that its
/// owner named.
fn token_issuer(
    arguments: &TransmitterArguments,
    metadata: &TransmitterMetadata,
    api: Option<&ResourceMetadata>,
) -> Result<String, CommandError> {
    let own = metadata.issuer.as_str();
    let Some(api) = api else {
        let named = arguments.token_issuer.as_deref();
        return Ok(named.unwrap_or(own).to_owned());
    };
    let named = match &arguments.token_issuer {
        Some(named) => Some(named.clone()),
        // That of the environment, whose credentials are for it.
        None => ClientVariables::read(&ClientArguments {
            issuer: None,
            ..arguments.client.clone()
        })?
        .issuer
        .filter(|named| api.issuers.contains(named)),
    };
    if let Some(named) = named {
        return api_metadata::choose(api, Some(&named));
    }
    if api.issuers.iter().any(|it| it == own) {
        return Ok(own.to_owned());
    }
    let chosen = api_metadata::choose(api, None)?;
    let message = format!(
        "the transmitter takes tokens of {}, and you did not name it",
        quote(&chosen)
    );
    Err(CommandError::could_not_run(message)
        .help("pass it with `--token-issuer` if the credentials of the client are meant for it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command, EventsAction};
    use clap::Parser as _;
    use portcullis_core::Limits;
    use portcullis_core::token::Issuer;
    use portcullis_provider::resource_metadata::MetadataSource;

    const OWN: &str = "https://tr.example";

    fn arguments(more: &[&str]) -> TransmitterArguments {
        let line = ["portcullis", "events", "status", "--issuer", OWN];
        let line = line.iter().chain(more);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Events(events) => match events.action {
                EventsAction::Status { transmitter, .. } => transmitter,
                _ => panic!("another action"),
            },
            _ => panic!("another command"),
        }
    }

    fn api(issuers: &str, scopes: &str) -> ResourceMetadata {
        let text = format!(
            r#"{{"resource":"https://a","authorization_servers":{issuers},"scopes_supported":{scopes}}}"#
        );
        let source = MetadataSource::WellKnown("https://a");
        ResourceMetadata::parse(text.as_bytes(), source, &Limits::default()).unwrap()
    }

    fn chosen(more: &[&str], issuers: Option<&str>) -> Result<String, String> {
        let document = format!(r#"{{"issuer":"{OWN}","jwks_uri":"{OWN}/jwks"}}"#);
        let issuer = Issuer::parse(OWN).unwrap();
        let limits = Limits::default();
        let metadata = TransmitterMetadata::parse(document.as_bytes(), &issuer, &limits, false);
        let api = issuers.map(|issuers| api(issuers, "[]"));
        token_issuer(&arguments(more), &metadata.unwrap(), api.as_ref())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_transmitter_chooses_no_provider_for_a_secret() {
        let named = ["--token-issuer", "https://idp.example"];
        assert_eq!(chosen(&[], None).as_deref(), Ok(OWN));
        assert_eq!(chosen(&named, None).as_deref(), Ok("https://idp.example"));
        let idp = Some(r#"["https://idp.example"]"#);
        assert_eq!(chosen(&named, idp).as_deref(), Ok("https://idp.example"));
        let both = Some(r#"["https://idp.example","https://tr.example"]"#);
        assert_eq!(chosen(&[], both).as_deref(), Ok(OWN));
        assert!(
            chosen(&[], idp)
                .unwrap_err()
                .contains("`--token-issuer`")
        );
        let other = ["--token-issuer", "https://other.example"];
        assert!(
            chosen(&other, idp)
                .unwrap_err()
                .contains("expected an issuer")
        );
    }

    #[test]
    fn scopes_are_typed_or_named_by_the_api_or_the_usual_ones() {
        let typed = arguments(&["--scope", "a b"]);
        let plain = arguments(&[]);
        let named = api(r#"["https://idp.example"]"#, r#"["x","y"]"#);
        let silent = api(r#"["https://idp.example"]"#, "[]");
        assert_eq!(scopes(&typed, Some(&named), StreamScope::Read), "a b");
        assert_eq!(scopes(&plain, Some(&named), StreamScope::Read), "x y");
        assert_eq!(scopes(&plain, Some(&silent), StreamScope::Read), "ssf.read");
        assert_eq!(scopes(&plain, None, StreamScope::Manage), "ssf.manage");
    }
}
