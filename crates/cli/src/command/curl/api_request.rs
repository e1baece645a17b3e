//! The request to the API, as the arguments describe it.

use crate::args::CurlArguments;
use crate::client::convert_error;
use crate::command::token::ObtainedToken;
use crate::exit::{CommandError, Exit};
use crate::files;
use portcullis_client::{Client, Error, IssuedToken};
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use std::path::Path;
use std::time::Duration;

/// A request, without its token.
pub(super) struct ApiRequest {
    url: Url,
    method: Method,
    headers: HeaderMap,
    content: Option<Vec<u8>>,
}

impl ApiRequest {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// An invalid URL, method or header, and a file that cannot be read.
    pub(super) fn read(arguments: &CurlArguments) -> Result<Self, CommandError> {
        let content = match &arguments.data {
            Some(data) => Some(content(data)?),
            None => None,
        };
        let mut headers = HeaderMap::new();
        if content.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for line in &arguments.headers {
            let (name, value) = header(line)?;
            headers.insert(name, value);
        }
        let default_method = if content.is_some() { "POST" } else { "GET" };
        let method = arguments.method.as_deref().unwrap_or(default_method);
        Ok(Self {
            url: target(&arguments.url)?,
            method: parse_method(method)?,
            headers,
            content,
        })
    }

    /// Sends the request with this token. If the API demands a nonce in the proof, it is sent once
    /// more (RFC 9449, section 9).
    ///
    /// # Errors
    ///
    /// A stored key that is damaged, and an API that does not respond.
    pub(super) async fn send(&self, obtained: &ObtainedToken) -> Result<Response, CommandError> {
        let (client, token) = obtained.bound_client()?;
        let response = self.send_once(&client, &token, obtained).await?;
        let nonce = match response.headers().get("dpop-nonce") {
            Some(nonce) if response.status() == StatusCode::UNAUTHORIZED => nonce.to_str().ok(),
            _ => None,
        };
        match nonce {
            // Without a proof, the nonce changes nothing, and the second response is the first.
            Some(nonce) if self.proof(&client, &token, obtained)?.is_some() => {
                client.keep_nonce(&self.url, nonce);
                self.send_once(&client, &token, obtained).await
            }
            _ => Ok(response),
        }
    }

    async fn send_once(
        &self,
        client: &Client,
        token: &IssuedToken,
        obtained: &ObtainedToken,
    ) -> Result<Response, CommandError> {
        let mut request = http_client()?
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone())
            .header("authorization", token.authorization());
        if let Some(proof) = self.proof(client, token, obtained)? {
            request = request.header("dpop", proof);
        }
        if let Some(content) = &self.content {
            request = request.body(content.clone());
        }
        match request.send().await {
            Ok(response) => Ok(response),
            // The error of the HTTP library adds nothing that a person could use.
            Err(_) => Err(CommandError::new(
                Exit::Outage,
                format!("no response from {}", self.url),
            )
            .help("check that it is running, the address, and that its certificate is trusted")),
        }
    }

    /// The proof of the token's key, if it is bound to one (RFC 9449, section 4).
    fn proof(
        &self,
        client: &Client,
        token: &IssuedToken,
        obtained: &ObtainedToken,
    ) -> Result<Option<String>, CommandError> {
        let proof = client.proof(self.method.as_str(), &self.url, token);
        proof.map_err(|error: Error| convert_error(&error, &obtained.client))
    }
}

fn http_client() -> Result<reqwest::Client, CommandError> {
    let client = reqwest::Client::builder()
        // A redirect could send the token to another host.
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .build();
    client.map_err(|_| CommandError::could_not_run("TLS is not available on this machine"))
}

fn parse_method(text: &str) -> Result<Method, CommandError> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(method) => Ok(method),
        Err(_) => Err(CommandError::could_not_run(format!(
            "`--request`: expected a method such as PUT, found {}",
            quote(text)
        ))),
    }
}

fn target(text: &str) -> Result<Url, CommandError> {
    let Ok(url) = Url::parse(text) else {
        let message = format!(
            "expected a URL such as https://host/path, found {}",
            quote(text)
        );
        return Err(CommandError::could_not_run(message));
    };
    let is_local = url.host_str().is_some_and(is_loopback_host);
    if url.scheme() == "https" || (url.scheme() == "http" && is_local) {
        return Ok(url);
    }
    let message = format!("expected https, or http on this machine, found {url}");
    Err(CommandError::could_not_run(message)
        .help("use https: over http, anybody on the way could read the token"))
}

fn content(text: &str) -> Result<Vec<u8>, CommandError> {
    match text.strip_prefix('@') {
        None => Ok(text.as_bytes().to_vec()),
        Some(path) => files::read_bytes(Path::new(path)),
    }
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), CommandError> {
    if let Some((name, value)) = line.split_once(':')
        && let Ok(name) = name.trim().parse::<HeaderName>()
        && let Ok(value) = value.trim().parse::<HeaderValue>()
    {
        return Ok((name, value));
    }
    // The line is not repeated: it may be an API key.
    let message = "`--header`: expected a name and a value, such as `Accept: text/plain`";
    Err(CommandError::could_not_run(message))
}

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_in_clear_text_to_nobody() {
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
