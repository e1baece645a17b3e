//! How the person is to sign in, as it was asked for on the command line or by an API.

use crate::args::{Grant, SignInArguments};
use crate::exit::{Exit, Failure};
use crate::store::Entry;
use portcullis_client::AuthorizationRequest;
use portcullis_core::rejection::shown;
use std::collections::BTreeMap;
use std::time::Duration;

/// The parameters of a sign-in that are the person's to choose.
#[derive(Clone, Debug, Default)]
pub(super) struct SignInRequest {
    max_age: Option<u32>,
    prompt: Option<String>,
    /// `acr_values`, `login_hint` and whatever else goes to the page for signing in. A token is
    /// kept for these.
    parameters: BTreeMap<String, String>,
    danger_without_pkce: bool,
}

impl SignInRequest {
    /// From the arguments.
    ///
    /// # Errors
    ///
    /// A parameter that the flow sets, one that stands there twice, and a way of getting the token
    /// in which nobody signs in.
    pub(super) fn read(arguments: &SignInArguments, grant: Grant) -> Result<Self, Failure> {
        let own = [
            ("acr_values", &arguments.acr_values),
            ("login_hint", &arguments.login_hint),
        ];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), filled(value.as_ref())?)));
        let mut parameters: BTreeMap<String, String> = own.collect();
        for written in &arguments.parameters {
            let (name, value) = parameter(written)?;
            if parameters
                .insert(name.to_owned(), value.to_owned())
                .is_some()
            {
                let message = format!("`--param` sets {} twice", shown(name));
                return Err(Failure::with_cure(
                    Exit::CouldNotRun,
                    message,
                    "leave one of them out",
                ));
            }
        }
        let prompt = filled(arguments.prompt.as_ref());
        let asked = Self {
            max_age: arguments.max_age,
            prompt,
            parameters,
            danger_without_pkce: arguments.danger_without_pkce,
        };
        match grant {
            Grant::ClientCredentials | Grant::Exchange | Grant::OnBehalfOf
                if asked.says_anything() =>
            {
                let message = "nobody signs in by this grant: `--acr-values` and its like have no \
                    meaning in it";
                Err(Failure::with_cure(
                    Exit::CouldNotRun,
                    message,
                    "leave them out, or pass `--grant code`",
                ))
            }
            Grant::Refresh if asked.wants_the_person() => {
                let message = "`--grant refresh` asks nobody, and `--prompt` asks the person";
                Err(Failure::with_cure(
                    Exit::CouldNotRun,
                    message,
                    "leave out one of the two",
                ))
            }
            _ => Ok(asked),
        }
    }

    /// Whether it was asked for a person's sign-in by any of these.
    pub(super) fn says_anything(&self) -> bool {
        self.max_age.is_some() || self.prompt.is_some() || !self.parameters.is_empty()
    }

    /// Whether the person is to be asked though a token is kept.
    pub(super) fn wants_the_person(&self) -> bool {
        self.prompt
            .as_deref()
            .is_some_and(|prompt| prompt != "none")
    }

    /// What a token is kept for.
    pub(super) fn key(&self) -> BTreeMap<String, String> {
        self.parameters.clone()
    }

    /// Whether the person of this entry signed in recently enough. Where it is not known, they did
    /// not.
    pub(super) fn is_recent_enough(&self, entry: &Entry, now: i64) -> bool {
        let age = entry
            .signed_in
            .map(|signed_in| now.saturating_sub(signed_in));
        self.max_age
            .is_none_or(|most| age.is_some_and(|age| age < i64::from(most)))
    }

    /// The request for a sign-in in the browser, with all of it. `otherwise` is the prompt where
    /// none is asked for.
    pub(super) fn apply(
        &self,
        request: AuthorizationRequest,
        otherwise: Option<&str>,
    ) -> AuthorizationRequest {
        let mut request = match self.max_age {
            Some(seconds) => request.max_age(Duration::from_secs(seconds.into())),
            None => request,
        };
        if let Some(prompt) = self.prompt.as_deref().or(otherwise) {
            request = request.prompt(prompt);
        }
        if self.danger_without_pkce {
            request = request.danger_without_pkce();
        }
        self.parameters
            .iter()
            .fold(request, |request, (name, value)| {
                request.parameter(name, value)
            })
    }

    /// The same for a sign-in on another device.
    pub(super) fn members(&self) -> Vec<(&str, String)> {
        let max_age = self.max_age.map(|seconds| ("max_age", seconds.to_string()));
        let prompt = self.prompt.clone().map(|prompt| ("prompt", prompt));
        let parameters = self
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()));
        parameters.chain(max_age).chain(prompt).collect()
    }
}

fn filled(value: Option<&String>) -> Option<String> {
    value
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// A name and a value; names that the flow or another argument sets are refused.
fn parameter(written: &str) -> Result<(&str, &str), Failure> {
    let fault =
        |message: String, cure: &str| Err(Failure::with_cure(Exit::CouldNotRun, message, cure));
    let Some((name, value)) = written
        .split_once('=')
        .filter(|(name, _)| !name.trim().is_empty())
    else {
        return fault(
            "`--param` wants a name and a value".to_owned(),
            "write `--param access_type=offline`",
        );
    };
    let own = match name {
        "acr_values" => "--acr-values",
        "max_age" => "--max-age",
        "login_hint" => "--login-hint",
        "prompt" => "--prompt",
        "scope" => "--scope",
        "audience" => "--audience",
        "resource" => "--resource",
        "redirect_uri" => "--redirect-uri",
        "client_id" => "--client-id",
        _ if AuthorizationRequest::is_reserved(name) => {
            return fault(
                format!("{} is the flow's own", shown(name)),
                "leave it out: the flow sets it",
            );
        }
        _ => return Ok((name, value)),
    };
    fault(
        format!("{} has an argument of its own", shown(name)),
        &format!("pass `{own}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: impl FnOnce(&mut SignInArguments)) -> Result<SignInRequest, Failure> {
        let mut arguments = SignInArguments::default();
        change(&mut arguments);
        SignInRequest::read(&arguments, Grant::Auto)
    }

    #[test]
    fn the_flows_own_parameters_cannot_be_set() {
        let of = |written: &str| read(|arguments| arguments.parameters = vec![written.to_owned()]);
        assert_eq!(
            of("access_type=offline").unwrap().key()["access_type"],
            "offline"
        );
        assert_eq!(
            of("claims={\"a\":\"b=c\"}").unwrap().key()["claims"],
            "{\"a\":\"b=c\"}"
        );
        for name in [
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method",
            "redirect_uri",
            "response_type",
            "response_mode",
            "request",
            "request_uri",
            "client_id",
            "client_secret",
            "client_assertion",
            "dpop_jkt",
            "scope",
            "grant_type",
            "acr_values",
            "max_age",
            "prompt",
            "login_hint",
            "audience",
            "resource",
        ] {
            assert!(of(&format!("{name}=x")).is_err(), "{name}");
        }
        assert!(of("access_type").is_err() && of("=x").is_err());
        let twice = vec!["a=b".to_owned(), "a=c".to_owned()];
        assert!(read(|arguments| arguments.parameters = twice).is_err());
    }

    #[test]
    fn nobody_signs_in_by_client_credentials() {
        let arguments = SignInArguments {
            acr_values: Some("mfa".to_owned()),
            ..SignInArguments::default()
        };
        assert!(SignInRequest::read(&arguments, Grant::ClientCredentials).is_err());
        let arguments = SignInArguments {
            prompt: Some("login".to_owned()),
            ..SignInArguments::default()
        };
        assert!(SignInRequest::read(&arguments, Grant::Refresh).is_err());
        assert!(SignInRequest::read(&SignInArguments::default(), Grant::ClientCredentials).is_ok());
    }
}
