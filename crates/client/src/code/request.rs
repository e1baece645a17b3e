//! The authorization request, before the browser opens (RFC 6749, section 4.1.1).

use super::flow::{CodeFlow, Secrets};
use crate::client::Client;
use crate::error::{Error, sanitize};
use crate::metadata::{ProviderEndpoint, ServerMetadata};
use crate::request::TokenRequest;
use crate::response;
use portcullis_core::Dialect;
use std::time::Duration;
use url::Url;

/// The settings of a sign-in in a browser.
///
/// ```no_run
/// use portcullis_client::{Client, LoopbackRedirect, TokenRequest};
/// use std::time::Duration;
///
/// # async fn example(client: Client) -> Result<(), portcullis_client::Error> {
/// let redirect = LoopbackRedirect::bind().await?;
/// let request = TokenRequest::new().scope("openid orders:read");
/// // PKCE, `state` and a nonce are always part of it.
/// let flow = client
///     .authorization_code(&request)
///     .start(&redirect.redirect_uri())
///     .await?;
/// println!("Open {}", flow.url());
/// let query = redirect.receive(&flow, Duration::from_secs(300)).await?;
/// let tokens = flow.finish(&query).await?;
/// # let _ = tokens;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizationRequest {
    client: Client,
    request: TokenRequest,
    pushed: bool,
    max_age: Option<Duration>,
    parameters: Vec<(Box<str>, Box<str>)>,
    danger_without_pkce: bool,
}

impl Client {
    /// Signs a person in, in a browser. With the scope `openid` the response has an ID token, which
    /// identifies the person; with `offline_access`, at many providers, a refresh token.
    pub fn authorization_code(&self, request: &TokenRequest) -> AuthorizationRequest {
        AuthorizationRequest {
            client: self.clone(),
            request: request.clone(),
            pushed: false,
            max_age: None,
            parameters: Vec::new(),
            danger_without_pkce: false,
        }
    }
}

impl AuthorizationRequest {
    /// Whether the request goes to the provider first, so that the browser carries only a reference
    /// (RFC 9126). Default: only if the provider requires it.
    pub fn pushed_request(mut self, pushed: bool) -> Self {
        self.pushed = pushed;
        self
    }

    /// The longest time since the person signed in (OpenID Connect Core 1.0, section 3.1.2.1).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The provider's interaction: `login`, `consent`, `select_account` or `none`.
    pub fn prompt(self, prompt: &str) -> Self {
        self.parameter("prompt", prompt)
    }

    /// The user name that the provider fills in.
    pub fn login_hint(self, hint: &str) -> Self {
        self.parameter("login_hint", hint)
    }

    /// Another parameter, such as `acr_values` or `ui_locales`. The flow's own parameters cannot be
    /// changed.
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Whether a parameter belongs to the flow, so that it cannot be set by
    /// [`parameter`](Self::parameter).
    pub fn is_reserved(name: &str) -> bool {
        OURS.contains(&name) || RESERVED_IN_FORMS.contains(&name)
    }

    /// Continues with a provider whose metadata lists other PKCE methods than S256 only. The
    /// request still carries the challenge. If the provider ignores it, a stolen code can be used.
    pub fn danger_without_pkce(mut self) -> Self {
        self.danger_without_pkce = true;
        self
    }

    /// Starts the flow. `redirect_uri` is the address to which the browser returns; it must be
    /// registered.
    ///
    /// # Errors
    ///
    /// A provider without this grant, one that lists other PKCE methods only, or its response to a
    /// pushed request.
    pub async fn start(self, redirect_uri: &str) -> Result<CodeFlow, Error> {
        let (metadata, _) = self.client.provider().metadata_and_reach().await?;
        let Some(page) = metadata.authorization_endpoint().cloned() else {
            let problem = "the provider's metadata does not name it";
            let help = "choose another flow, or another issuer: this one has no sign-in page";
            return Err(Error::config("authorization_endpoint", problem, help));
        };
        let pkce_is_confirmed = self.check_pkce(metadata)?;
        let secrets = Secrets::new(redirect_uri, self.request.scopes().contains("openid"))?;
        let members = self.members(&secrets)?;
        let pushed = self.pushed || metadata.requires_pushed_requests();
        let url = if pushed {
            self.push(page, &members).await?
        } else {
            with_query(page, &members)
        };
        Ok(CodeFlow {
            client: self.client,
            request: self.request,
            max_age: self.max_age,
            secrets,
            url,
            pkce_is_confirmed,
        })
    }

    /// Whether the provider is known to check S256. One that lists other methods only is refused.
    fn check_pkce(&self, metadata: &ServerMetadata) -> Result<bool, Error> {
        let issuer = self.client.provider().issuer();
        let is_known = Dialect::of_issuer(issuer.as_str()).pkce_unannounced;
        match metadata.code_challenge_methods() {
            Some(methods) if methods.iter().any(|method| method == "S256") => Ok(true),
            None if is_known => Ok(true),
            // RFC 9700, section 2.1.1: the challenge protects wherever it is checked, and a
            // provider that does not know it ignores it.
            None => {
                tracing::warn!(%issuer, "the provider's metadata does not say that it checks \
                    PKCE; the request carries the challenge anyway");
                Ok(false)
            }
            Some(_) if self.danger_without_pkce => {
                tracing::warn!(%issuer, "DANGER: the provider's metadata does not list PKCE with \
                    S256; stolen codes may be used");
                Ok(false)
            }
            Some(methods) => {
                let methods = sanitize(&methods.join("`, `"), 128);
                let problem =
                    format!("expected `S256` in the provider's metadata, found `{methods}`");
                let help = "have the provider support PKCE with S256; to continue anyway, pass \
                    `--danger-without-pkce` to the command, or call `danger_without_pkce`";
                Err(Error::config(
                    "code_challenge_methods_supported",
                    problem,
                    help,
                ))
            }
        }
    }

    fn members<'m>(&'m self, secrets: &'m Secrets) -> Result<Vec<(&'m str, String)>, Error> {
        let mut members = vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.client.id().to_owned()),
            ("redirect_uri", secrets.redirect_uri.clone()),
            ("state", secrets.state.expose().to_owned()),
            ("code_challenge", secrets.challenge()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        if let Some(nonce) = &secrets.nonce {
            members.push(("nonce", nonce.expose().to_owned()));
        }
        if let Some(max_age) = self.max_age {
            members.push(("max_age", max_age.as_secs().to_string()));
        }
        // RFC 9449, section 10: the code is bound to the key as well, so a stolen code is useless.
        if let Some(key) = self.client.dpop_key() {
            members.push(("dpop_jkt", key.thumbprint().to_owned()));
        }
        for (name, value) in self.request.members() {
            members.push((name, value.to_owned()));
        }
        for (name, value) in &self.parameters {
            if Self::is_reserved(name) || members.iter().any(|(it, _)| *it == &**name) {
                let problem = "the flow sets this parameter itself, or it is set twice";
                return Err(Error::config(name, problem, "leave the parameter out"));
            }
            members.push((name, value.to_string()));
        }
        Ok(members)
    }

    /// Sends the request to the provider; the browser then carries a reference (RFC 9126, sections
    /// 2 and 4).
    async fn push(&self, page: Url, members: &[(&str, String)]) -> Result<Url, Error> {
        let mut form = Vec::new();
        for (name, value) in members {
            // Client authentication adds the id. A repeated member would be an error.
            if *name != "client_id" {
                form.push((*name, value.as_str()));
            }
        }
        let document = self
            .client
            .document(ProviderEndpoint::Pushed, &form)
            .await?;
        let reference = match response::text(&document, "request_uri")? {
            // Browsers and proxies limit the length of an address.
            Some(reference) if reference.len() <= 1_024 => reference,
            _ => {
                return Err(Error::malformed_response(
                    "the response holds no `request_uri`",
                ));
            }
        };
        let members = [
            ("client_id", self.client.id().to_owned()),
            ("request_uri", reference.to_owned()),
        ];
        Ok(with_query(page, &members))
    }
}

// `request` and `request_uri` would replace all other parameters, and `response_mode` would change
// how the callback arrives. Hence no caller may set them.
/// The parameters that belong to the flow, even if it does not send all of them.
const OURS: &[&str] = &[
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "max_age",
    "dpop_jkt",
    "scope",
    "request",
    "request_uri",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// The members of the forms that clients send to the provider, in this grant or another.
const RESERVED_IN_FORMS: &[&str] = &[
    "grant_type",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
];

fn with_query(mut url: Url, members: &[(&str, String)]) -> Url {
    url.query_pairs_mut().extend_pairs(members);
    url
}
