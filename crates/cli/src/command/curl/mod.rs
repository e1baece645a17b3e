//! `portcullis curl`: one call with a token, and with a proof where the token is bound to a key.
//!
//! It goes to https only, except on this machine, and follows no redirect: a token is sent where it
//! was told to. Where the API wants a stronger or newer sign-in, it gets a token by one and calls
//! once more. It does not check what comes back.

mod challenge;
mod hint;

use crate::args::{CurlArguments, Grant, RequestArguments};
use crate::command::token::{Obtained, Voice, failure};
use crate::exit::{Exit, Failure};
use crate::output::{QUIET, styled};
use challenge::{Challenge, StepUp};
use hint::Hint;
use portcullis_client::{AccessToken, Client};
use portcullis_core::token::issuer::is_loopback_host;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

pub(crate) async fn run(arguments: CurlArguments) -> Result<Exit, Failure> {
    let call = Call::read(&arguments)?;
    let voice = Voice {
        quiet: arguments.request.quiet,
    };
    let obtained = Obtained::by(arguments.request.clone(), false).await?;
    let mut answer = call.answered(&obtained).await?;
    let mut hint = Hint::of(&answer, &obtained);
    if let Some(step_up) = wanted_sign_in(&answer) {
        let request = stepped_up(&arguments.request, &step_up);
        let may = obtained.is_a_persons() && !matches!(request.grant, Grant::Refresh);
        hint = Hint::SignIn {
            step_up: step_up.clone(),
            problem: None,
        };
        if may {
            voice.say(&format!(
                "The API wants another sign-in:{}.",
                step_up.arguments()
            ));
            match obtained.instead_of(request).await {
                Ok(other) => {
                    answer = call.answered(&other).await?;
                    hint = match wanted_sign_in(&answer) {
                        Some(step_up) => Hint::SignIn {
                            step_up,
                            problem: None,
                        },
                        None => Hint::of(&answer, &other),
                    };
                }
                Err(failure) => {
                    hint = Hint::SignIn {
                        step_up,
                        problem: Some(failure),
                    }
                }
            }
        }
    }
    print(answer, arguments.include, hint).await
}

/// What the API wants of the person's sign-in (RFC 9470, section 3).
fn wanted_sign_in(answer: &Response) -> Option<StepUp> {
    let challenges = if answer.status() == StatusCode::UNAUTHORIZED {
        Challenge::all(answer.headers())
    } else {
        vec![]
    };
    challenges.iter().find_map(Challenge::step_up)
}

/// The arguments for a token as the API wants it. A kept one that fits will do.
fn stepped_up(arguments: &RequestArguments, step_up: &StepUp) -> RequestArguments {
    let mut request = arguments.clone();
    request.renew = false;
    request.sign_in.acr_values = step_up.acr_values.clone().or(request.sign_in.acr_values);
    request.sign_in.max_age = step_up.max_age.or(request.sign_in.max_age);
    request
}

/// What is sent.
struct Call {
    url: Url,
    method: Method,
    headers: HeaderMap,
    content: Option<Vec<u8>>,
}

impl Call {
    fn read(arguments: &CurlArguments) -> Result<Self, Failure> {
        let content = arguments.data.as_deref().map(content).transpose()?;
        let usual = if content.is_some() { "POST" } else { "GET" };
        let method = arguments.method.as_deref().unwrap_or(usual);
        let method = Method::from_bytes(method.as_bytes());
        let method = method
            .map_err(|_| Failure::could_not_run("`--request` names no method: write `PUT`"))?;
        let mut headers = HeaderMap::new();
        if content.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for line in &arguments.headers {
            let (name, value) = header(line)?;
            headers.insert(name, value);
        }
        Ok(Self {
            url: target(&arguments.url)?,
            method,
            headers,
            content,
        })
    }

    /// The answer to this call; it is sent once more where the server wants a nonce in the proof,
    /// and says which (RFC 9449, section 9).
    async fn answered(&self, obtained: &Obtained) -> Result<Response, Failure> {
        let told = |error| failure(&error, &obtained.party);
        let (client, token) = obtained.bound_client()?;
        let answer = self.send(&client, &token, obtained).await?;
        let nonce = answer
            .headers()
            .get("dpop-nonce")
            .and_then(|value| value.to_str().ok());
        if let (Some(nonce), StatusCode::UNAUTHORIZED) = (nonce, answer.status())
            && client
                .proof(self.method.as_str(), &self.url, &token)
                .map_err(told)?
                .is_some()
        {
            client.keep_nonce(&self.url, nonce);
            return self.send(&client, &token, obtained).await;
        }
        Ok(answer)
    }

    async fn send(
        &self,
        client: &Client,
        token: &AccessToken,
        obtained: &Obtained,
    ) -> Result<Response, Failure> {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .build();
        let http =
            http.map_err(|_| Failure::could_not_run("TLS is not available on this machine"))?;
        let proof = client.proof(self.method.as_str(), &self.url, token);
        let proof = proof.map_err(|error| failure(&error, &obtained.party))?;
        let mut request = http
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone());
        request = request.header("authorization", token.authorization());
        request = proof
            .into_iter()
            .fold(request, |request, proof| request.header("dpop", proof));
        request = self
            .content
            .iter()
            .fold(request, |request, content| request.body(content.clone()));
        request.send().await.map_err(|_| {
            let cure =
                "see that it runs, that the address is right, and that its certificate is trusted";
            Failure::with_cure(Exit::Outage, format!("{} does not answer", self.url), cure)
        })
    }
}

fn target(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text)
        .map_err(|_| Failure::could_not_run("that is no URL: write `https://host/path`"))?;
    let here = url.host_str().is_some_and(is_loopback_host);
    if url.scheme() == "https" || (url.scheme() == "http" && here) {
        return Ok(url);
    }
    let cure = "call it by https: on the way, anybody could read the token";
    Err(Failure::with_cure(
        Exit::CouldNotRun,
        format!("{url} is neither https nor on this machine"),
        cure,
    ))
}

fn content(text: &str) -> Result<Vec<u8>, Failure> {
    match text.strip_prefix('@').map(Path::new) {
        None => Ok(text.as_bytes().to_vec()),
        Some(path) => std::fs::read(path)
            .map_err(|error| Failure::could_not_run(format!("{}: {error}", path.display()))),
    }
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let parts = line.split_once(':');
    let name = parts.and_then(|(name, _)| name.trim().parse::<HeaderName>().ok());
    let value = parts.and_then(|(_, value)| value.trim().parse::<HeaderValue>().ok());
    name.zip(value).ok_or_else(|| {
        Failure::could_not_run("`--header` wants a name and a value: `Accept: text/plain`")
    })
}

/// The content as it comes; what a person should know of it goes to standard error.
async fn print(mut answer: Response, include: bool, hint: Hint) -> Result<Exit, Failure> {
    let status = answer.status();
    let mut head = Vec::new();
    if include {
        writeln!(head, "{:?} {status}", answer.version())?;
        for (name, value) in answer.headers() {
            writeln!(
                head,
                "{name}: {}",
                String::from_utf8_lossy(value.as_bytes())
            )?;
        }
        writeln!(head)?;
    }
    let mut out = std::io::stdout();
    let mut write = |part: &[u8]| match out.write_all(part).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    };
    write(&head)?;
    let cut = |_| Failure::new(Exit::Outage, "the answer ended before it was complete");
    while let Some(part) = answer.chunk().await.map_err(cut)? {
        write(&part)?;
    }
    if status.as_u16() < 400 {
        return Ok(Exit::Fine);
    }
    let told = format!("The answer was {status}{hint}.");
    _ = writeln!(anstream::stderr(), "{}", styled(QUIET, &told));
    Ok(Exit::Rejected)
}

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_out_in_clear_to_nobody() {
        assert!(
            target("https://api.example/x").is_ok() && target("http://127.0.0.1:8000/x").is_ok()
        );
        for text in [
            "http://api.example/x",
            "ftp://127.0.0.1/",
            "api.example/x",
            "file:///etc/passwd",
        ] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_has_a_name_and_a_value() {
        let (name, value) = header("Accept:  text/plain").unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("accept", "text/plain")
        );
        assert!(
            header("Accept").is_err() && header("a b: c").is_err() && header("a: b\nc: d").is_err()
        );
    }
}
