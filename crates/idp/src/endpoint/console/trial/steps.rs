//! One step of a trial, as the form describes it.

use crate::endpoint::console::trial::draft::{StepKind, from_lines, pair};
use crate::endpoint::console::trial::send::{EndpointRouter, TrialBrowser, encode, send};
use crate::endpoint::http::params::Params;
use crate::state::IdpState;
use crate::store::trials::{Trial, TrialRequest, TrialStep};

/// Sends what the form describes: one request, or two where the provider shows its sign-in page.
pub(crate) async fn run(
    state: &IdpState,
    router: &EndpointRouter,
    browser: &mut TrialBrowser,
    trial: &Trial,
    form: &Params,
) -> Vec<TrialStep> {
    // An unknown step begins again, which changes nothing.
    let named = form.find("step").and_then(StepKind::from_name);
    let kind = named.unwrap_or(StepKind::Authorize);
    let request = request(state, trial, kind, form);
    let response = send(state, router, browser, &request).await;
    // 200 is a page, and the only page of this endpoint is the one to sign in on.
    let target = request.target.clone();
    let is_page =
        kind == StepKind::Authorize && response.status == Some(200) && response.back.is_none();
    let title = kind.title();
    let mut steps = vec![TrialStep {
        title,
        request,
        response,
    }];
    if is_page {
        let request = TrialRequest {
            target,
            form: Some(sign_in_fields(form)),
            ..TrialRequest::default()
        };
        let response = send(state, router, browser, &request).await;
        let title = "Sign-in";
        steps.push(TrialStep {
            title,
            request,
            response,
        });
    }
    steps
}

fn sign_in_fields(form: &Params) -> Vec<(String, String)> {
    // As the button of the sign-in page does, so that `access_denied` can be tried too.
    if form.find("decline").is_some() {
        return vec![pair("cancel", "1")];
    }
    let text = |name: &str| form.find(name).unwrap_or_default();
    vec![
        pair("username", text("username")),
        pair("password", text("password")),
    ]
}

fn request(state: &IdpState, trial: &Trial, kind: StepKind, form: &Params) -> TrialRequest {
    let parameters = from_lines(form.find("parameters").unwrap_or_default());
    let path = path(state, kind);
    match kind {
        StepKind::Authorize => TrialRequest {
            target: format!("{path}?{}", encode(&parameters)),
            ..TrialRequest::default()
        },
        StepKind::UserInfo => TrialRequest {
            target: path,
            // A token is copied with the line breaks of a terminal, and no header can have those.
            bearer: form
                .find("token")
                .map(|token| token.split_whitespace().collect()),
            ..TrialRequest::default()
        },
        // An emptied secret means no `Authorization` at all.
        _ => TrialRequest {
            target: path,
            form: Some(parameters),
            basic: form.find("secret").map(|secret| {
                let id = form.find("basic_client").unwrap_or(&trial.client);
                pair(id, secret)
            }),
            bearer: None,
        },
    }
}

fn path(state: &IdpState, kind: StepKind) -> String {
    let theirs = &state.endpoints;
    let (theirs, ours) = match kind {
        StepKind::Authorize => (&theirs.authorize, "/authorize"),
        StepKind::Token | StepKind::Refresh | StepKind::Exchange => (&theirs.token, "/token"),
        StepKind::UserInfo => (&theirs.userinfo, "/userinfo"),
        StepKind::Introspection => (&theirs.introspect, "/introspect"),
        StepKind::DeviceAuthorization => (&None, "/device_authorization"),
        StepKind::DeviceApproval => (&None, "/dev/device"),
    };
    theirs.clone().unwrap_or_else(|| ours.to_owned())
}
