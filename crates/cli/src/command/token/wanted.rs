//! What is wanted: the arguments, read to the end before anybody is asked.

use super::party::{Known, Party, secret_file};
use super::sign_in_request::SignInRequest;
use super::voice::Voice;
use crate::args::{Grant, RequestArguments, TokenType};
use crate::exit::{Exit, Failure};
use crate::store::{Asked, Entry, Holder, TokenStore};
use portcullis_client::{Secret, SubjectToken, TokenRequest};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// What is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) party: Party,
    pub(super) asked: Asked,
    pub(super) grant: Grant,
    /// The token to exchange: as such, and as a bare text.
    pub(super) subject: Option<(SubjectToken, Secret)>,
    pub(super) par: bool,
    pub(super) redirect_uri: Option<String>,
    pub(super) renew: bool,
    pub(super) sign_in: SignInRequest,
    /// A token that an API did not take.
    refused: Option<Zeroizing<String>>,
    margin: i64,
    id_token: bool,
    pub(super) voice: Voice,
}

impl Wanted {
    /// From the arguments, and from what is kept where they name no issuer.
    pub(super) fn read(
        arguments: RequestArguments,
        id_token: bool,
        store: Option<&TokenStore>,
    ) -> Result<Self, Failure> {
        let kept = match store {
            Some(store) if !Party::names_issuer(&arguments.client)? => {
                remembered(&arguments, &store.entries()?)?
            }
            _ => None,
        };
        let known = kept.as_ref().map(|kept| Known {
            issuer: kept.issuer.clone(),
            client: kept.client.clone(),
        });
        let sign_in = SignInRequest::read(&arguments.sign_in, arguments.grant)?;
        let party = Party::read(&arguments.client, known)?;
        let party = party.trusting_audiences(arguments.sign_in.trusted_audience.clone());
        let subject = arguments.subject_token_file.as_deref();
        let subject = subject
            .map(|path| subject_token(path, arguments.subject_token_type))
            .transpose()?;
        let asked = match kept {
            Some(kept) => Asked {
                client: party.client.clone(),
                sign_in: sign_in.key(),
                ..kept
            },
            None => asked(&arguments, &party, &sign_in),
        };
        Ok(Self {
            party,
            asked,
            grant: arguments.grant,
            subject,
            par: arguments.par,
            redirect_uri: arguments.redirect_uri,
            // Whoever is to be asked is asked, whatever is kept.
            renew: arguments.renew || sign_in.wants_the_person(),
            sign_in,
            refused: None,
            margin: arguments.valid_for.into(),
            id_token,
            voice: Voice {
                quiet: arguments.quiet,
            },
        })
    }

    /// The same, and not this token.
    pub(super) fn without(self, refused: Zeroizing<String>) -> Self {
        // Whatever else is kept may do.
        Self {
            refused: Some(refused),
            renew: false,
            ..self
        }
    }

    /// Whether such a token is kept: what is got for somebody else's token is as good as that one
    /// only.
    pub(super) fn is_kept(&self) -> bool {
        self.subject.is_none() && !matches!(self.grant, Grant::Exchange | Grant::OnBehalfOf)
    }

    /// Whether a kept entry will do as it is.
    pub(super) fn is_met_by(&self, entry: &Entry, now: i64) -> bool {
        let id_token =
            !self.id_token || entry.id_token.is_none() || entry.has_good_id_token(now, self.margin);
        let as_wanted = self.sign_in.is_recent_enough(entry, now) && !self.is_refused(entry);
        entry.is_good(now, self.margin) && id_token && as_wanted
    }

    /// Whether a renewal by a refresh token will do: it is no sign-in. Whoever names a way of
    /// signing in and wants a new token wants to sign in.
    pub(super) fn is_met_by_renewal_of(&self, entry: &Entry, now: i64) -> bool {
        let by_refresh = matches!(self.grant, Grant::Auto | Grant::Refresh) || !self.renew;
        let signs_in = self.sign_in.wants_the_person() || self.is_refused(entry);
        by_refresh && !signs_in && self.sign_in.is_recent_enough(entry, now)
    }

    fn is_refused(&self, entry: &Entry) -> bool {
        self.refused
            .as_ref()
            .is_some_and(|refused| **refused == *entry.access_token)
    }

    /// What the provider is asked for.
    pub(super) fn request(&self, scope: &str) -> TokenRequest {
        let request = TokenRequest::new().scope(scope);
        let request = self
            .asked
            .audience
            .iter()
            .fold(request, |request, name| request.audience(name));
        self.asked
            .resource
            .iter()
            .fold(request, |request, uri| request.resource(uri))
    }
}

fn asked(arguments: &RequestArguments, party: &Party, sign_in: &SignInRequest) -> Asked {
    let for_client = match arguments.grant {
        Grant::ClientCredentials => true,
        Grant::Auto => party.proves_itself() && !sign_in.says_anything(),
        _ => false,
    };
    Asked {
        issuer: party.issuer.clone(),
        client: party.client.clone(),
        holder: if for_client {
            Holder::Client
        } else {
            Holder::User
        },
        scope: Asked::scopes(arguments.scope.as_deref().unwrap_or_default()),
        audience: arguments.audience.clone(),
        resource: arguments.resource.clone(),
        dpop: arguments.dpop,
        sign_in: sign_in.key(),
    }
}

/// The one thing that is kept, where the arguments do not say otherwise.
fn remembered(arguments: &RequestArguments, entries: &[Entry]) -> Result<Option<Asked>, Failure> {
    let fits = |said: &Option<String>, kept: Option<&str>| {
        said.as_deref().is_none_or(|said| Some(said) == kept)
    };
    let scope = arguments.scope.as_deref().map(Asked::scopes);
    let fitting = entries.iter().map(|entry| &entry.asked).filter(|asked| {
        fits(&arguments.client.client_id, Some(&asked.client))
            && fits(&scope, Some(&asked.scope))
            && fits(&arguments.audience, asked.audience.as_deref())
            && fits(&arguments.resource, asked.resource.as_deref())
            && (asked.dpop || !arguments.dpop)
    });
    // How the person signed in is said by each call for itself.
    let mut different: Vec<Asked> = Vec::new();
    for asked in fitting {
        let asked = Asked {
            sign_in: BTreeMap::new(),
            ..asked.clone()
        };
        if !different.contains(&asked) {
            different.push(asked);
        }
    }
    match different.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            let message = format!(
                "{} tokens are kept, and it is not said which one is meant",
                several.len()
            );
            let cure = "pass `--issuer`, `--client-id` or `--scope`, or set OAUTH2_ISSUER; \
                `portcullis token list` shows them";
            Err(Failure::with_cure(Exit::CouldNotRun, message, cure))
        }
    }
}

fn subject_token(path: &Path, kind: TokenType) -> Result<(SubjectToken, Secret), Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().take(1_000_000).read_to_string(&mut text)?;
        Secret::new(text.trim())
    } else {
        secret_file(path, "the token to exchange")?
    };
    if text.expose().is_empty() {
        let message = "standard input: expected the token to exchange, found nothing";
        return Err(Failure::with_cure(
            Exit::CouldNotRun,
            message,
            "write the token into standard input",
        ));
    }
    let subject = match kind {
        TokenType::AccessToken => SubjectToken::access_token(text.clone()),
        TokenType::IdToken => SubjectToken::id_token(text.clone()),
        TokenType::RefreshToken => SubjectToken::of_type(
            text.clone(),
            "urn:ietf:params:oauth:token-type:refresh_token",
        ),
        TokenType::Jwt => SubjectToken::jwt(text.clone()),
    };
    Ok((subject, text))
}
