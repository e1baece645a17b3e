//! What a trial can send next, and the request as it would be, to be edited.

use crate::config::client::{ClientAuthentication, RegisteredClient};
use crate::endpoint::token::grant_types::{DEVICE_CODE, TOKEN_EXCHANGE};
use crate::state::IdpState;
use crate::store::trials::{Trial, TrialResponse, TrialStep};
use serde_json::Value;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    Authorize,
    Token,
    DeviceAuthorization,
    DeviceApproval,
    UserInfo,
    Introspection,
    Refresh,
    Exchange,
}

impl StepKind {
    const ALL: [Self; 8] = [
        Self::Authorize,
        Self::Token,
        Self::DeviceAuthorization,
        Self::DeviceApproval,
        Self::UserInfo,
        Self::Introspection,
        Self::Refresh,
        Self::Exchange,
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name in forms.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::DeviceAuthorization => "device",
            Self::DeviceApproval => "approve",
            Self::UserInfo => "userinfo",
            Self::Introspection => "introspect",
            Self::Refresh => "refresh",
            Self::Exchange => "exchange",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Authorize => "Authorization request",
            Self::Token => "Token request",
            Self::DeviceAuthorization => "Device authorization request",
            Self::DeviceApproval => "The user answers",
            Self::UserInfo => "UserInfo request",
            Self::Introspection => "Introspection",
            Self::Refresh => "Refresh",
            Self::Exchange => "Token exchange",
        }
    }

    /// What its button says.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Authorize => "Send and sign in",
            Self::Token => "Get tokens",
            Self::DeviceAuthorization => "Get a device code",
            Self::DeviceApproval => "Allow the device",
            Self::UserInfo => "Ask UserInfo",
            Self::Introspection => "Introspect",
            Self::Refresh => "Refresh",
            Self::Exchange => "Exchange",
        }
    }
}

/// A request that is not sent yet.
pub(crate) struct StepDraft {
    pub(crate) kind: StepKind,
    pub(crate) parameters: Vec<(String, String)>,
    /// The client of HTTP Basic, with its secret.
    pub(crate) basic: Option<(String, String)>,
    pub(crate) bearer: Option<String>,
}

/// What can be sent next, the most likely first.
pub(crate) fn next(state: &IdpState, trial: &Trial) -> Vec<StepDraft> {
    let Some(last) = trial.steps.last() else {
        let kind = match trial.grant.as_str() {
            "authorization_code" => StepKind::Authorize,
            DEVICE_CODE => StepKind::DeviceAuthorization,
            _ => StepKind::Token,
        };
        return vec![by_client(state, trial, kind, trial.first.clone())];
    };
    let mut drafts = Vec::new();
    drafts.extend(code_draft(state, trial, &last.response));
    drafts.extend(device_drafts(state, trial));
    drafts.extend(token_drafts(state, trial));
    if drafts.is_empty() {
        // Refused: the first request again, to be corrected.
        let first = Trial {
            steps: Vec::new(),
            ..trial.clone()
        };
        return next(state, &first);
    }
    drafts
}

/// The code in the last redirect, exchanged for tokens.
fn code_draft(state: &IdpState, trial: &Trial, last: &TrialResponse) -> Option<StepDraft> {
    let code = return_parameter(last, "code")?;
    // The very address of the request: the token endpoint compares them.
    let redirect_uri = sent(trial, "redirect_uri").unwrap_or_default();
    let mut parameters = vec![
        pair("grant_type", "authorization_code"),
        pair("code", &code),
        pair("redirect_uri", &redirect_uri),
    ];
    if let Some(verifier) = &trial.verifier {
        parameters.push(pair("code_verifier", verifier));
    }
    Some(by_client(state, trial, StepKind::Token, parameters))
}

fn device_drafts(state: &IdpState, trial: &Trial) -> Vec<StepDraft> {
    // Tokens are the end of it.
    if trial.grant != DEVICE_CODE || member(trial, "access_token").is_some() {
        return Vec::new();
    }
    let Some(device_code) = member(trial, "device_code") else {
        return Vec::new();
    };
    let user_code = member(trial, "user_code").unwrap_or_default();
    let answer = vec![pair("user_code", &user_code), pair("user", &trial.user)];
    let poll = vec![
        pair("grant_type", DEVICE_CODE),
        pair("device_code", &device_code),
    ];
    // The user's answer first: before it, the device only waits.
    let mut drafts = vec![
        StepDraft {
            kind: StepKind::DeviceApproval,
            parameters: answer,
            basic: None,
            bearer: None,
        },
        by_client(state, trial, StepKind::Token, poll),
    ];
    // After the user's answer the device gets its tokens.
    if trial
        .steps
        .iter()
        .any(|step| step.title == StepKind::DeviceApproval.title())
    {
        drafts.reverse();
    }
    drafts
}

/// What can be done with the latest tokens.
fn token_drafts(state: &IdpState, trial: &Trial) -> Vec<StepDraft> {
    let Some(token) = member(trial, "access_token") else {
        return Vec::new();
    };
    let mut drafts = vec![StepDraft {
        kind: StepKind::UserInfo,
        parameters: Vec::new(),
        basic: None,
        bearer: Some(token.clone()),
    }];
    // A public client may not ask for introspection (RFC 7662, section 2.1): another one does.
    // The trial's own client comes first, if it has a secret.
    let mut clients = state.clients.all();
    clients.sort_by_key(|client| client.id != trial.client);
    let asking = clients.iter().find_map(|client| credentials(client));
    if let Some(basic) = asking {
        drafts.push(StepDraft {
            kind: StepKind::Introspection,
            parameters: vec![pair("token", &token)],
            basic: Some(basic.clone()),
            bearer: None,
        });
        drafts.push(StepDraft {
            kind: StepKind::Exchange,
            parameters: vec![
                pair("grant_type", TOKEN_EXCHANGE),
                pair("subject_token", &token),
                pair("subject_token_type", ACCESS_TOKEN),
            ],
            basic: Some(basic),
            bearer: None,
        });
    }
    if let Some(refresh_token) = member(trial, "refresh_token") {
        let parameters = vec![
            pair("grant_type", "refresh_token"),
            pair("refresh_token", &refresh_token),
        ];
        drafts.push(by_client(state, trial, StepKind::Refresh, parameters));
    }
    drafts
}

/// A request that the trial's client authenticates, as it is registered.
fn by_client(
    state: &IdpState,
    trial: &Trial,
    kind: StepKind,
    mut parameters: Vec<(String, String)>,
) -> StepDraft {
    let client = state.client(&trial.client);
    let basic = client.as_deref().and_then(credentials);
    // The authorization request names its client already, and proves nothing.
    if kind == StepKind::Authorize || basic.is_none() {
        if !parameters.iter().any(|(name, _)| name == "client_id") {
            parameters.push(pair("client_id", &trial.client));
        }
        return StepDraft {
            kind,
            parameters,
            basic: None,
            bearer: None,
        };
    }
    let in_form = Some(ClientAuthentication::ClientSecretPost);
    // Its registered method: another one would be refused.
    let method = client.and_then(|client| client.token_endpoint_auth_method);
    if let Some((id, secret)) = basic.as_ref().filter(|_| method == in_form) {
        parameters.extend([pair("client_id", id), pair("client_secret", secret)]);
    }
    StepDraft {
        kind,
        parameters,
        basic: basic.filter(|_| method != in_form),
        bearer: None,
    }
}

fn credentials(client: &RegisteredClient) -> Option<(String, String)> {
    Some((
        client.id.clone(),
        client.secret.as_ref()?.reveal().to_owned(),
    ))
}

/// The newest text of that name in the answers.
pub(crate) fn member(trial: &Trial, name: &str) -> Option<String> {
    let found = |step: &TrialStep| {
        // Pages and answers that a fault has spoilt are no documents, and have no members.
        let document: Value = serde_json::from_str(&step.response.body).ok()?;
        Some(document.get(name)?.as_str()?.to_owned())
    };
    trial.steps.iter().rev().find_map(found)
}

/// A parameter of the newest authorization request.
fn sent(trial: &Trial, name: &str) -> Option<String> {
    let found = |step: &TrialStep| {
        let (_, query) = step.request.target.split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let (_, value) = pairs.find(|(known, _)| known == name)?;
        Some(value.into_owned())
    };
    trial.steps.iter().rev().find_map(found)
}

pub(crate) fn return_parameter(response: &TrialResponse, name: &str) -> Option<String> {
    let (_, pairs) = response.back.as_ref()?;
    let (_, value) = pairs.iter().find(|(known, _)| known == name)?;
    Some(value.clone())
}

pub(crate) fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Parameters as lines, to be edited.
pub(crate) fn to_lines(parameters: &[(String, String)]) -> String {
    let lines = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn from_lines(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        // The first `=` alone: values may have more of them.
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        pair(name.trim(), value.trim())
    });
    pairs.collect()
}
