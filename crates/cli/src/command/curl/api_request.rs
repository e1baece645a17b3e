//! The request to the API, as the arguments describe it.

use crate::args::CurlArguments;
use crate::client::{ClientIdentity, convert_error, no_response};
use crate::command::token::ObtainedToken;
use crate::exit::CommandError;
use crate::files;
use crate::header_field::parse_header;
use portcullis_client::{Client, Error, IssuedToken};
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use portcullis_provider::fetch::NO_ROOTS;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

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
            let (name, value) = parse_header(line)?;
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
        let mut request = http_client(&obtained.client, &self.url)?
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
            Err(error) => Err(no_response(&self.url, &error)),
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

fn http_client(client: &ClientIdentity, url: &Url) -> Result<reqwest::Client, CommandError> {
    let mut builder = reqwest::Client::builder()
        // A redirect could send the token to another host.
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT);
    // Over plain http, a proxy could read the token.
    if url.scheme() == "http" {
        builder = builder.no_proxy();
    }
    // `--ca-file` counts for the API too: both are often behind one private authority.
    let authorities = client.authorities.as_deref().unwrap_or_default();
    let certificates = reqwest::Certificate::from_pem_bundle(authorities);
    for certificate in certificates.unwrap_or_default() {
        builder = builder.add_root_certificate(certificate);
    }
    // A token that is bound to the client's certificate needs it here too (RFC 8705, section 3).
    if let Some(file) = client
        .certificate
        .as_deref()
        .filter(|_| url.scheme() == "https")
    {
        builder = builder.identity(identity(file)?);
    }
    let client = builder.build();
    client.map_err(|_| CommandError::could_not_run(NO_ROOTS))
}

/// The client's certificate and key.
fn identity(file: &Path) -> Result<reqwest::Identity, CommandError> {
    let pem = Zeroizing::new(files::read_bytes(file)?);
    reqwest::Identity::from_pem(&pem).map_err(|_| {
        let message = "expected a certificate and its key in PEM, found something else";
        CommandError::in_file(file, message)
    })
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
}
