//! `portcullis curl`: one request with a token, and with a proof if the token is bound to a key.
//!
//! It sends to https only, except on this machine, and follows no redirect: a token goes to the
//! host that was named, and to no other. If the API demands a stronger or newer sign-in, or more
//! scopes, a person signs in for such a token, and the request is repeated once. The response is
//! not checked.

mod api_request;
pub(crate) mod challenge;
mod hint;

use crate::args::{CurlArguments, Grant, RequestArguments};
use crate::command::token::ObtainedToken;
use crate::exit::{CommandError, Exit};
use crate::reporter::Reporter;
use api_request::ApiRequest;
use challenge::{ApiChallenge, SignInDemand};
use hint::Hint;
use reqwest::{Response, StatusCode};
use std::io::{ErrorKind, IsTerminal as _, Write};

pub(crate) async fn run(arguments: CurlArguments) -> Result<Exit, CommandError> {
    let request = ApiRequest::read(&arguments)?;
    let obtained = ObtainedToken::obtain(arguments.request.clone(), false).await?;
    let response = request.send(&obtained).await?;
    let (response, hint) = match sign_in_demand(&response) {
        None => {
            let hint = Hint::of(&response, &obtained);
            (response, hint)
        }
        Some(demand) => {
            // Boxed: few calls come here, and each would carry its size.
            Box::pin(step_up(
                &request,
                &arguments.request,
                obtained,
                response,
                demand,
            ))
            .await?
        }
    };
    print(response, arguments.include, &hint).await
}

/// Meets the demand by a new sign-in, and repeats the request; else returns the first response,
/// with the line to type.
async fn step_up(
    request: &ApiRequest,
    arguments: &RequestArguments,
    obtained: ObtainedToken,
    response: Response,
    demand: SignInDemand,
) -> Result<(Response, Hint), CommandError> {
    // A token for the missing scope alone would fail at the next call.
    let demand = demand.beside(obtained.scopes());
    let arguments = with_demand(arguments, &demand);
    // A person reads at the sign-in what is requested. A service would get whatever the API names,
    // and an API must not decide how much its callers may do.
    if !obtained.is_for_person() && !demand.is_about_person() {
        let hint = Hint::of(&response, &obtained);
        return Ok((response, hint));
    }
    // A service cannot sign in. `--grant refresh` promises to ask nobody.
    if !obtained.is_for_person() || matches!(arguments.grant, Grant::Refresh) {
        let problem = None;
        return Ok((response, Hint::SignIn { demand, problem }));
    }
    let reporter = Reporter {
        quiet: arguments.quiet,
    };
    let note = format!("The API demands another token:{}.", demand.arguments());
    reporter.note(&note);
    let replacement = match obtained.replace(arguments).await {
        Ok(replacement) => replacement,
        Err(failure) => {
            let problem = Some(failure);
            return Ok((response, Hint::SignIn { demand, problem }));
        }
    };
    let response = request.send(&replacement).await?;
    // Once only: an API that is never content must not keep the person signing in.
    let hint = match sign_in_demand(&response) {
        Some(demand) if demand.is_about_person() => Hint::SignIn {
            demand,
            problem: None,
        },
        _ => Hint::of(&response, &replacement),
    };
    Ok((response, hint))
}

/// The sign-in that the API demands (RFC 9470, section 3; RFC 6750, section 3.1).
fn sign_in_demand(response: &Response) -> Option<SignInDemand> {
    if ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&response.status()) {
        return None;
    }
    let challenges = ApiChallenge::all(response.headers());
    challenges
        .iter()
        .find_map(ApiChallenge::sign_in_demand)
}

/// The arguments for a token that meets the demand.
fn with_demand(arguments: &RequestArguments, demand: &SignInDemand) -> RequestArguments {
    let mut arguments = arguments.clone();
    // A stored token that meets the demand will do.
    arguments.renew = false;
    let sign_in = &mut arguments.sign_in;
    if let Some(acr_values) = &demand.acr_values {
        sign_in.acr_values = Some(acr_values.clone());
    }
    sign_in.max_age = demand.max_age.or(sign_in.max_age);
    if demand.scope.is_some() {
        arguments.scope.clone_from(&demand.scope);
    }
    arguments
}

/// Prints the content as it arrives. The hint goes to standard error, so that pipes stay clean.
async fn print(mut response: Response, include: bool, hint: &Hint) -> Result<Exit, CommandError> {
    if include {
        write_out(&head(&response)?)?;
    }
    let mut ends_mid_line = false;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                write_out(&chunk)?;
                ends_mid_line = chunk.last().is_some_and(|byte| *byte != b'\n');
            }
            Ok(None) => break,
            Err(_) => {
                let message = "the response ended before it was complete";
                return Err(CommandError::new(Exit::Outage, message));
            }
        }
    }
    let status = response.status();
    if status.as_u16() < 400 {
        return Ok(Exit::Fine);
    }
    // On a terminal the error would follow in the body's last line; a pipe gets the body alone.
    if ends_mid_line && std::io::stdout().is_terminal() {
        write_out(b"\n")?;
    }
    let failure = CommandError::new(Exit::Rejected, format!("the API responded {status}"));
    Err(match hint {
        Hint::None => failure,
        hint => failure.help(hint.to_string()),
    })
}

fn head(response: &Response) -> Result<Vec<u8>, CommandError> {
    let mut head = Vec::new();
    writeln!(head, "{:?} {}", response.version(), response.status())?;
    for (name, value) in response.headers() {
        write!(head, "{name}: ")?;
        // As bytes: a value need not be UTF-8.
        head.extend_from_slice(value.as_bytes());
        writeln!(head)?;
    }
    writeln!(head)?;
    Ok(head)
}

/// Writes to standard output. A reader that went away, such as `head`, is no error.
fn write_out(bytes: &[u8]) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
