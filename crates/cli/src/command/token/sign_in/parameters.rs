//! How the person signs in, as the command line or an API demands.

use crate::args::{Grant, SignInArguments};
use crate::exit::CommandError;
use crate::store::StoredToken;
use portcullis_client::AuthorizationRequest;
use portcullis_core::rejection::quote;
use std::collections::BTreeMap;
use std::time::Duration;

/// The parameters of a sign-in that the caller may choose.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct SignInParameters {
    max_age: Option<u32>,
    prompt: Option<String>,
    /// `acr_values`, `login_hint` and whatever else goes to the sign-in page. Tokens are stored
    /// separately for each set of them.
    parameters: BTreeMap<String, String>,
    danger_without_pkce: bool,
}

impl SignInParameters {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// A parameter that the flow sets itself, one that is given twice, and a grant in which nobody
    /// signs in.
    pub(in super::super) fn read(
        arguments: &SignInArguments,
        grant: Grant,
    ) -> Result<Self, CommandError> {
        let parameters = Self {
            max_age: arguments.max_age,
            prompt: trim(arguments.prompt.as_ref()),
            parameters: read_parameters(arguments)?,
            danger_without_pkce: arguments.danger_without_pkce,
        };
        // If ignored, `--acr-values mfa` would promise a second factor that nobody used.
        match grant {
            Grant::ClientCredentials | Grant::Exchange | Grant::OnBehalfOf
                if parameters.is_any_given() =>
            {
                let message = "nobody signs in with this grant, so `--acr-values`, `--max-age`, \
                    `--login-hint`, `--prompt` and `--param` have no effect";
                Err(CommandError::could_not_run(message)
                    .help("leave them out, or pass `--grant code`"))
            }
            Grant::Refresh if parameters.prompts_person() => {
                let message = "`--prompt` asks the person, and `--grant refresh` asks nobody";
                Err(CommandError::could_not_run(message).help("leave out one of them"))
            }
            _ => Ok(parameters),
        }
    }

    /// Whether any of them is given, so that a person is meant to sign in.
    pub(in super::super) fn is_any_given(&self) -> bool {
        self.max_age.is_some() || self.prompt.is_some() || !self.parameters.is_empty()
    }

    /// Whether the person must be asked, whatever is stored.
    pub(in super::super) fn prompts_person(&self) -> bool {
        matches!(&self.prompt, Some(prompt) if prompt != "none")
    }

    /// The part that distinguishes stored tokens.
    pub(in super::super) fn for_purpose(&self) -> BTreeMap<String, String> {
        self.parameters.clone()
    }

    /// Whether the person signed in recently enough for `--max-age`. An unknown time is too long
    /// ago.
    pub(in super::super) fn is_recent_enough(&self, token: &StoredToken, now: i64) -> bool {
        match (self.max_age, token.signed_in) {
            (None, _) => true,
            (Some(max_age), Some(signed_in)) => now.saturating_sub(signed_in) < max_age.into(),
            (Some(_), None) => false,
        }
    }

    /// Adds them to the request for a code. `default_prompt` is used if there is no `--prompt`.
    pub(super) fn apply(
        &self,
        mut request: AuthorizationRequest,
        default_prompt: Option<&str>,
    ) -> AuthorizationRequest {
        if let Some(seconds) = self.max_age {
            request = request.max_age(Duration::from_secs(seconds.into()));
        }
        // The person's own choice wins: `--prompt none` must not ask for consent.
        if let Some(prompt) = self.prompt.as_deref().or(default_prompt) {
            request = request.prompt(prompt);
        }
        if self.danger_without_pkce {
            request = request.danger_without_pkce();
        }
        for (name, value) in &self.parameters {
            request = request.parameter(name, value);
        }
        request
    }

    /// The members of a device authorization request.
    pub(super) fn members(&self) -> Vec<(&str, String)> {
        let mut members = Vec::new();
        for (name, value) in &self.parameters {
            members.push((name.as_str(), value.clone()));
        }
        if let Some(seconds) = self.max_age {
            members.push(("max_age", seconds.to_string()));
        }
        if let Some(prompt) = &self.prompt {
            members.push(("prompt", prompt.clone()));
        }
        members
    }
}

fn read_parameters(arguments: &SignInArguments) -> Result<BTreeMap<String, String>, CommandError> {
    let mut parameters = BTreeMap::new();
    for (name, value) in [
        ("acr_values", &arguments.acr_values),
        ("login_hint", &arguments.login_hint),
    ] {
        if let Some(value) = trim(value.as_ref()) {
            parameters.insert(name.to_owned(), value);
        }
    }
    for argument in &arguments.parameters {
        let (name, value) = parameter(argument)?;
        let previous = parameters.insert(name.to_owned(), value.to_owned());
        // RFC 6749, section 3.1: a parameter must not be included more than once.
        if previous.is_some() {
            let message = format!("`--param`: found {} twice", quote(name));
            return Err(CommandError::could_not_run(message).help("leave out one of them"));
        }
    }
    Ok(parameters)
}

/// An empty value, such as an unset variable of a script, counts as absent.
fn trim(value: Option<&String>) -> Option<String> {
    let value = value?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The name and the value of a `--param`.
fn parameter(argument: &str) -> Result<(&str, &str), CommandError> {
    let (name, value) = match argument.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => (name, value),
        _ => {
            let message = format!("`--param`: expected NAME=VALUE, found {}", quote(argument));
            return Err(CommandError::could_not_run(message)
                .help("write it like `--param access_type=offline`"));
        }
    };
    let flag = match name {
        "acr_values" => "--acr-values",
        "max_age" => "--max-age",
        "login_hint" => "--login-hint",
        "prompt" => "--prompt",
        "scope" => "--scope",
        "audience" => "--audience",
        "resource" => "--resource",
        "redirect_uri" => "--redirect-uri",
        "client_id" => "--client-id",
        // `state`, `nonce`, `code_challenge`: a value of the caller would void their protection.
        _ if AuthorizationRequest::is_reserved(name) => {
            let message = format!("`--param`: {} is set by the flow itself", quote(name));
            return Err(CommandError::could_not_run(message).help("leave it out"));
        }
        _ => return Ok((name, value)),
    };
    let message = format!("`--param`: {} has its own argument", quote(name));
    Err(CommandError::could_not_run(message).help(format!("pass `{flag}` instead")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: impl FnOnce(&mut SignInArguments)) -> Result<SignInParameters, CommandError> {
        let mut arguments = SignInArguments::default();
        change(&mut arguments);
        SignInParameters::read(&arguments, Grant::Auto)
    }

    #[test]
    fn the_flows_own_parameters_cannot_be_set() {
        let of =
            |argument: &str| read(|arguments| arguments.parameters = vec![argument.to_owned()]);
        assert_eq!(
            of("access_type=offline").unwrap().for_purpose()["access_type"],
            "offline"
        );
        assert_eq!(
            of("claims={\"a\":\"b=c\"}").unwrap().for_purpose()["claims"],
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
    fn parameters_need_a_grant_with_a_sign_in() {
        let arguments = SignInArguments {
            acr_values: Some("mfa".to_owned()),
            ..SignInArguments::default()
        };
        assert!(SignInParameters::read(&arguments, Grant::ClientCredentials).is_err());
        let arguments = SignInArguments {
            prompt: Some("login".to_owned()),
            ..SignInArguments::default()
        };
        assert!(SignInParameters::read(&arguments, Grant::Refresh).is_err());
        assert!(
            SignInParameters::read(&SignInArguments::default(), Grant::ClientCredentials).is_ok()
        );
    }
}
