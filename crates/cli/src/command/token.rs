//! `portcullis token`: an access token by client credentials (RFC 6749, section 4.4).
//!
//! The secret comes from the environment, `.env` or a file, never from the command line, and is never printed.

use crate::args::TokenArguments;
use crate::exit::{Exit, Failure};
use crate::output::print;
use portcullis_core::rejection::shown;
use portcullis_core::token::Issuer;
use portcullis_core::{ConfigError, ConfigErrors};
use portcullis_resource_server::{Config, Metadata};
use reqwest::{Client, redirect};
use serde_json::Value;
use std::time::Duration;

pub(crate) async fn run(arguments: TokenArguments) -> Result<Exit, Failure> {
    let request = TokenRequest::read(arguments)?;
    let outage = |message: String| Failure::new(Exit::Outage, message);
    let metadata = Metadata::discover(&request.issuer).await.map_err(|error| outage(error.to_string()))?;
    let endpoint = metadata
        .token_endpoint
        .ok_or_else(|| outage(format!("the metadata of `{}` names no `token_endpoint`", request.issuer)))?;
    let client =
        Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(15)).build();
    let client = client.map_err(|_| Failure::could_not_run("TLS is not available on this machine"))?;
    let response = client
        .post(endpoint.as_str())
        .basic_auth(form_encoded(&request.client_id), Some(form_encoded(&request.secret)))
        .form(&request.form())
        .send()
        .await
        .map_err(|_| outage(format!("{endpoint} does not answer")))?;
    let status = response.status();
    let answer: Value = match response.text().await.ok().and_then(|body| serde_json::from_str(&body).ok()) {
        Some(answer) => answer,
        None => return Err(outage(format!("{endpoint} answered {status}, and not in JSON"))),
    };
    if !status.is_success() {
        return Err(refused(&answer, status.as_u16()));
    }
    let token = answer.get("access_token").and_then(Value::as_str);
    let token = token.ok_or_else(|| outage("the answer holds no `access_token`".to_owned()))?;
    print(&if request.json { format!("{answer:#}\n") } else { format!("{token}\n") })?;
    Ok(Exit::Fine)
}

struct TokenRequest {
    issuer: Issuer,
    client_id: String,
    secret: String,
    parameters: Vec<(&'static str, String)>,
    json: bool,
}

impl TokenRequest {
    /// From the arguments, else from the environment and `.env`; everything that is missing at once.
    fn read(arguments: TokenArguments) -> Result<Self, Failure> {
        let or_variable = |value: Option<String>, name| match value {
            Some(value) => Ok(Some(value)),
            None => Config::variable(name),
        };
        let issuer = or_variable(arguments.issuer, "OAUTH2_ISSUER")?;
        let client_id = or_variable(arguments.client_id, "OAUTH2_CLIENT_ID")?;
        let secret = match &arguments.client_secret_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map(|text| text.trim_end().to_owned())
                    .map_err(|error| Failure::could_not_run(format!("{}: {error}", file.display())))?,
            ),
            None => Config::variable("OAUTH2_CLIENT_SECRET")?,
        };
        let missing = [
            (issuer.is_none(), "OAUTH2_ISSUER", "set it, or pass `--issuer`"),
            (client_id.is_none(), "OAUTH2_CLIENT_ID", "set it, or pass `--client-id`"),
            (secret.is_none(), "OAUTH2_CLIENT_SECRET", "set it, or pass `--client-secret-file`"),
        ];
        let missing = missing.into_iter().filter(|(missing, ..)| *missing);
        ConfigErrors::check(
            missing.map(|(_, name, cure)| ConfigError::new(name, "it is not set", cure)).collect(),
        )?;
        let issuer = Issuer::parse(issuer.unwrap_or_default())
            .map_err(|error| Failure::could_not_run(error.to_string()))?;
        let optional =
            [("scope", arguments.scope), ("audience", arguments.audience), ("resource", arguments.resource)];
        let parameters = optional.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let (client_id, secret) = (client_id.unwrap_or_default(), secret.unwrap_or_default());
        Ok(Self { issuer, client_id, secret, parameters, json: arguments.json })
    }

    fn form(&self) -> Vec<(&str, &str)> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.parameters.iter().map(|(name, value)| (*name, value.as_str())));
        form
    }
}

/// An error of RFC 6749, section 5.2, with its text made fit for a terminal.
fn refused(answer: &Value, status: u16) -> Failure {
    let member = |name| answer.get(name).and_then(Value::as_str);
    let error = member("error").unwrap_or("no error code");
    let description =
        member("error_description").map(|text| format!(": {}", shown(text))).unwrap_or_default();
    let cure = match error {
        "invalid_client" => "compare the client's id and secret with the identity provider's",
        "invalid_scope" => "ask for scopes that the client may have",
        "invalid_target" => "ask for an audience that the client may have",
        "unauthorized_client" | "unsupported_grant_type" => "allow client credentials for this client",
        _ => "see the identity provider's log",
    };
    Failure::new(
        Exit::Rejected,
        format!("no token ({status}, {}){description}\n    cure: {cure}", shown(error)),
    )
}

/// RFC 6749, section 2.3.1: id and secret are form-encoded before they go into Basic credentials.
fn form_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
