//! What is wanted: the arguments, read to the end before anybody is asked.

use super::party::{Known, Party, secret_file};
use super::voice::Voice;
use crate::args::{Grant, RequestArguments, TokenType};
use crate::exit::{Exit, Failure};
use crate::store::{Asked, Entry, Holder, TokenStore};
use portcullis_client::{Secret, SubjectToken, TokenRequest};
use std::io::Read as _;
use std::path::Path;

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
        let known =
            kept.as_ref().map(|kept| Known { issuer: kept.issuer.clone(), client: kept.client.clone() });
        let party = Party::read(&arguments.client, known)?;
        let subject = arguments.subject_token_file.as_deref();
        let subject = subject.map(|path| subject_token(path, arguments.subject_token_type)).transpose()?;
        let asked = match kept {
            Some(kept) => Asked { client: party.client.clone(), ..kept },
            None => asked(&arguments, &party),
        };
        Ok(Self {
            party,
            asked,
            grant: arguments.grant,
            subject,
            par: arguments.par,
            redirect_uri: arguments.redirect_uri,
            renew: arguments.renew,
            margin: arguments.valid_for.into(),
            id_token,
            voice: Voice { quiet: arguments.quiet },
        })
    }

    /// Whether such a token is kept: what is got for somebody else's token is as good as that one only.
    pub(super) fn is_kept(&self) -> bool {
        self.subject.is_none() && !matches!(self.grant, Grant::Exchange | Grant::OnBehalfOf)
    }

    /// Whether a kept entry will do as it is.
    pub(super) fn is_met_by(&self, entry: &Entry, now: i64) -> bool {
        let id_token =
            !self.id_token || entry.id_token.is_none() || entry.has_good_id_token(now, self.margin);
        entry.is_good(now, self.margin) && id_token
    }

    /// What the provider is asked for.
    pub(super) fn request(&self, scope: &str) -> TokenRequest {
        let request = TokenRequest::new().scope(scope);
        let request = self.asked.audience.iter().fold(request, |request, name| request.audience(name));
        self.asked.resource.iter().fold(request, |request, uri| request.resource(uri))
    }
}

fn asked(arguments: &RequestArguments, party: &Party) -> Asked {
    let for_client = match arguments.grant {
        Grant::ClientCredentials => true,
        Grant::Auto => party.proves_itself(),
        _ => false,
    };
    Asked {
        issuer: party.issuer.clone(),
        client: party.client.clone(),
        holder: if for_client { Holder::Client } else { Holder::User },
        scope: Asked::scopes(arguments.scope.as_deref().unwrap_or_default()),
        audience: arguments.audience.clone(),
        resource: arguments.resource.clone(),
        dpop: arguments.dpop,
    }
}

/// The one thing that is kept, where the arguments do not say otherwise.
fn remembered(arguments: &RequestArguments, entries: &[Entry]) -> Result<Option<Asked>, Failure> {
    let fits =
        |said: &Option<String>, kept: Option<&str>| said.as_deref().is_none_or(|said| Some(said) == kept);
    let scope = arguments.scope.as_deref().map(Asked::scopes);
    let fitting = entries.iter().map(|entry| &entry.asked).filter(|asked| {
        fits(&arguments.client.client_id, Some(&asked.client))
            && fits(&scope, Some(&asked.scope))
            && fits(&arguments.audience, asked.audience.as_deref())
            && fits(&arguments.resource, asked.resource.as_deref())
            && (asked.dpop || !arguments.dpop)
    });
    let fitting: Vec<&Asked> = fitting.collect();
    match fitting.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        several => {
            let message = format!("{} tokens are kept, and it is not said which one is meant", several.len());
            let cure = "pass `--issuer`, `--client-id` or `--scope`, or set OAUTH2_ISSUER; `portcullis token list` shows them";
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
        secret_file(path)?
    };
    if text.expose().is_empty() {
        return Err(Failure::could_not_run(format!("{}: it holds no token", path.display())));
    }
    let subject = match kind {
        TokenType::AccessToken => SubjectToken::access_token(text.clone()),
        TokenType::IdToken => SubjectToken::id_token(text.clone()),
        TokenType::RefreshToken => {
            SubjectToken::of_type(text.clone(), "urn:ietf:params:oauth:token-type:refresh_token")
        }
        TokenType::Jwt => SubjectToken::jwt(text.clone()),
    };
    Ok((subject, text))
}
