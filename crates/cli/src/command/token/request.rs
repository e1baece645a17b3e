//! What a command asks for: the arguments, read to the end before anything is sent.

use super::sign_in::SignInParameters;
use crate::args::{Grant, RequestArguments, SubjectTokenType};
use crate::client::{ClientIdentity, StoredClient, names_issuer, read_secret_file};
use crate::exit::CommandError;
use crate::reporter::Reporter;
use crate::store::{Holder, StoredToken, TokenPurpose, TokenStore};
use portcullis_client::{Secret, SubjectToken, TokenRequest};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// A request for a token, by whichever way there is.
#[derive(Debug)]
pub(super) struct TokenQuery {
    pub(super) client: ClientIdentity,
    pub(super) purpose: TokenPurpose,
    pub(super) grant: Grant,
    /// The token to exchange, and its text.
    pub(super) subject_token: Option<(SubjectToken, Secret)>,
    pub(super) par: bool,
    pub(super) redirect_uri: Option<String>,
    pub(super) renew: bool,
    pub(super) sign_in: SignInParameters,
    /// A token that an API refused.
    excluded: Option<Zeroizing<String>>,
    /// For how many seconds the token must be valid.
    margin: i64,
    id_token: bool,
    pub(super) reporter: Reporter,
}

impl TokenQuery {
    /// Reads the arguments, and the store where they name no issuer.
    ///
    /// # Errors
    ///
    /// Arguments that are missing or contradict each other, and files that cannot be read.
    pub(super) fn read(
        arguments: RequestArguments,
        id_token: bool,
        store: Option<&TokenStore>,
    ) -> Result<Self, CommandError> {
        let stored = stored_purpose(&arguments, store)?;
        let sign_in = SignInParameters::read(&arguments.sign_in, arguments.grant)?;
        let mut client = ClientIdentity::read(&arguments.client, stored_client(stored.as_ref()))?;
        client.trusted_audiences = arguments.sign_in.trusted_audience.clone();
        let purpose = match stored {
            // The arguments may name another client of the same issuer, and another sign-in.
            Some(stored) => TokenPurpose {
                client: client.client_id.clone(),
                sign_in: sign_in.for_purpose(),
                ..stored
            },
            None => purpose(&arguments, &client, &sign_in),
        };
        let subject_token = match &arguments.subject_token_file {
            Some(path) => Some(subject_token(path, arguments.subject_token_type)?),
            None => None,
        };
        Ok(Self {
            client,
            purpose,
            grant: arguments.grant,
            subject_token,
            par: arguments.par,
            redirect_uri: arguments.redirect_uri,
            // `--prompt login` asks the person, whatever is stored.
            renew: arguments.renew || sign_in.prompts_person(),
            sign_in,
            excluded: None,
            margin: arguments.valid_for.into(),
            id_token,
            reporter: Reporter {
                quiet: arguments.quiet,
            },
        })
    }

    /// The same query, which this token does not meet.
    pub(super) fn except(self, excluded: Zeroizing<String>) -> Self {
        Self {
            excluded: Some(excluded),
            // Any other stored token may do.
            renew: false,
            ..self
        }
    }

    /// Whether the token may be stored. One that is issued in exchange is valid for its subject
    /// token only, and the next call may bring another.
    pub(super) fn is_storable(&self) -> bool {
        let exchanges = matches!(self.grant, Grant::Exchange | Grant::OnBehalfOf);
        !exchanges && self.subject_token.is_none()
    }

    /// Whether a stored token will do as it is.
    pub(super) fn accepts(&self, token: &StoredToken, now: i64) -> bool {
        // A stored token without an ID token is accepted: a new one would have none either.
        let id_token =
            !self.id_token || token.id_token.is_none() || token.has_good_id_token(now, self.margin);
        id_token
            && token.is_good(now, self.margin)
            && self.sign_in.is_recent_enough(token, now)
            && !self.excludes(token)
    }

    /// Whether a refreshed token will do. A refresh is not a sign-in, so it does not if the person
    /// must sign in again.
    pub(super) fn accepts_refresh_of(&self, token: &StoredToken, now: i64) -> bool {
        // `--grant code --renew` names a sign-in, and asks for a new one.
        let by_refresh = matches!(self.grant, Grant::Auto | Grant::Refresh) || !self.renew;
        let needs_sign_in = self.sign_in.prompts_person() || self.excludes(token);
        by_refresh && !needs_sign_in && self.sign_in.is_recent_enough(token, now)
    }

    fn excludes(&self, token: &StoredToken) -> bool {
        self.excluded.as_ref() == Some(&token.access_token)
    }

    /// The parameters of the request that every grant shares.
    pub(super) fn parameters(&self, scope: &str) -> TokenRequest {
        let mut request = TokenRequest::new().scope(scope);
        if let Some(audience) = &self.purpose.audience {
            request = request.audience(audience);
        }
        if let Some(resource) = &self.purpose.resource {
            request = request.resource(resource);
        }
        request
    }
}

/// The purpose that the arguments alone give.
fn purpose(
    arguments: &RequestArguments,
    client: &ClientIdentity,
    sign_in: &SignInParameters,
) -> TokenPurpose {
    let for_client = match arguments.grant {
        Grant::ClientCredentials => true,
        // Parameters of a sign-in say that a person is meant, even if the client has credentials.
        Grant::Auto => client.has_credentials() && !sign_in.is_any_given(),
        _ => false,
    };
    TokenPurpose {
        issuer: client.issuer.clone(),
        client: client.client_id.clone(),
        holder: if for_client {
            Holder::Client
        } else {
            Holder::User
        },
        scope: TokenPurpose::sort_scopes(arguments.scope.as_deref().unwrap_or_default()),
        audience: arguments.audience.clone(),
        resource: arguments.resource.clone(),
        dpop: arguments.dpop,
        sign_in: sign_in.for_purpose(),
    }
}

fn stored_client(purpose: Option<&TokenPurpose>) -> Option<StoredClient> {
    let purpose = purpose?;
    Some(StoredClient {
        issuer: purpose.issuer.clone(),
        client_id: purpose.client.clone(),
    })
}

/// The only purpose in the store that fits the arguments; none where they name an issuer.
fn stored_purpose(
    arguments: &RequestArguments,
    store: Option<&TokenStore>,
) -> Result<Option<TokenPurpose>, CommandError> {
    let Some(store) = store else {
        return Ok(None);
    };
    if names_issuer(&arguments.client)? {
        return Ok(None);
    }
    let mut purposes: Vec<TokenPurpose> = Vec::new();
    for token in store.tokens()? {
        let purpose = TokenPurpose {
            // Each call says for itself how the person signs in.
            sign_in: BTreeMap::new(),
            ..token.purpose
        };
        if fits(arguments, &purpose) && !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    if purposes.len() > 1 {
        let message = format!("expected one stored token, found {}", purposes.len());
        return Err(CommandError::could_not_run(message).help(
            "pass `--issuer`, `--client-id` or `--scope`, or set OAUTH2_ISSUER; `portcullis token \
                list` shows them",
        ));
    }
    Ok(purposes.pop())
}

/// Whether the arguments contradict the purpose in nothing.
fn fits(arguments: &RequestArguments, purpose: &TokenPurpose) -> bool {
    let scope = arguments
        .scope
        .as_deref()
        .map(TokenPurpose::sort_scopes);
    agrees(scope.as_ref(), Some(&purpose.scope))
        && agrees(arguments.client.client_id.as_ref(), Some(&purpose.client))
        && agrees(arguments.audience.as_ref(), purpose.audience.as_ref())
        && agrees(arguments.resource.as_ref(), purpose.resource.as_ref())
        && (purpose.dpop || !arguments.dpop)
}

/// An argument that is absent agrees with everything.
fn agrees(argument: Option<&String>, stored: Option<&String>) -> bool {
    argument.is_none() || argument == stored
}

fn subject_token(
    path: &Path,
    kind: SubjectTokenType,
) -> Result<(SubjectToken, Secret), CommandError> {
    let text = if path == Path::new("-") {
        subject_token_from_stdin()?
    } else {
        read_secret_file(path, "the token to exchange")?
    };
    let token = match kind {
        SubjectTokenType::IssuedToken => SubjectToken::access_token(text.clone()),
        SubjectTokenType::IdToken => SubjectToken::id_token(text.clone()),
        SubjectTokenType::RefreshToken => SubjectToken::of_type(text.clone(), REFRESH_TOKEN),
        SubjectTokenType::Jwt => SubjectToken::jwt(text.clone()),
    };
    Ok((token, text))
}

fn subject_token_from_stdin() -> Result<Secret, CommandError> {
    let mut text = Zeroizing::new(String::new());
    // Bounded: a wrong pipe must not fill the memory.
    std::io::stdin()
        .take(1_000_000)
        .read_to_string(&mut text)?;
    let text = text.trim();
    if text.is_empty() {
        let message = "standard input: expected the token to exchange, found nothing";
        return Err(CommandError::could_not_run(message).help("write the token to standard input"));
    }
    Ok(Secret::new(text))
}

/// RFC 8693, section 3.
const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
