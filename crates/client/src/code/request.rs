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

/// A request for a person's sign-in, before it is made.
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
    /// Signs a person in, in a browser. With the scope `openid` an ID token comes back as well,
    /// which says who it was; with `offline_access`, at many providers, a refresh token.
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
    /// Whether the request goes to the provider first, so that the browser carries a reference only
    /// (RFC 9126). It is done anyway where the provider requires it. Default false.
    pub fn pushed_request(mut self, pushed: bool) -> Self {
        self.pushed = pushed;
        self
    }

    /// The person must have signed in no longer ago than this (OpenID Connect Core 1.0, section
    /// 3.1.2.1).
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// What the provider should do: `login`, `consent`, `select_account` or `none`.
    pub fn prompt(self, prompt: &str) -> Self {
        self.parameter("prompt", prompt)
    }

    /// Who is probably signing in.
    pub fn login_hint(self, hint: &str) -> Self {
        self.parameter("login_hint", hint)
    }

    /// Another parameter, such as `acr_values` or `ui_locales`. Those that the flow sets itself
    /// cannot be changed.
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Whether a parameter belongs to the flow, so that it cannot be set by
    /// [`parameter`](Self::parameter).
    pub fn is_reserved(name: &str) -> bool {
        OURS.contains(&name) || RESERVED_IN_FORMS.contains(&name)
    }

    /// Goes on with a provider whose metadata names other methods than S256 only. The challenge is
    /// sent all the same, but a provider that ignores it lets whoever steals the code use it.
    pub fn danger_without_pkce(mut self) -> Self {
        self.danger_without_pkce = true;
        self
    }

    /// Begins: the address to open in a browser, and what is needed when the browser comes back.
    /// `redirect_uri` is where that will be; it must be registered.
    ///
    /// # Errors
    ///
    /// A provider without this grant, one that lists other methods than S256 only, and what it says
    /// to a pushed request.
    pub async fn start(self, redirect_uri: &str) -> Result<CodeFlow, Error> {
        let (metadata, _) = self.client.provider().found().await?;
        let page = metadata.authorization_endpoint().cloned().ok_or_else(|| {
            let cure =
                "choose another flow, or another issuer: this one has no page for signing in";
            Error::config(
                "authorization_endpoint",
                "the provider's metadata to name it",
                cure,
            )
        })?;
        let pkce_is_confirmed = self.check_pkce(metadata)?;
        let secrets = Secrets::new(redirect_uri, self.request.scopes().contains("openid"))?;
        let members = self.members(&secrets)?;
        let pushed = self.pushed || metadata.requires_pushed_requests();
        let url = if pushed {
            self.push(page, &members).await?
        } else {
            with_query(page, &members)
        };
        let Self {
            client,
            request,
            max_age,
            ..
        } = self;
        Ok(CodeFlow {
            client,
            request,
            max_age,
            secrets,
            url,
            pkce_is_confirmed,
        })
    }

    /// Whether the provider says that it knows S256, or is known to. One that says nothing is sent
    /// the challenge all the same (RFC 9700, section 2.1.1): those that do not know it ignore it.
    /// One that lists other methods only is refused.
    fn check_pkce(&self, metadata: &ServerMetadata) -> Result<bool, Error> {
        let issuer = self.client.provider().issuer();
        let silent = [
            "entra-v2",
            "entra-v1",
            "entra-external-id",
            "entra-b2c",
            "cognito",
        ];
        match metadata.code_challenge_methods() {
            Some(methods) if methods.iter().any(|method| method == "S256") => Ok(true),
            None if silent.contains(&Dialect::of_issuer(issuer.as_str()).name) => Ok(true),
            None => {
                tracing::warn!(%issuer, "the provider does not say that it checks PKCE; the \
                    challenge is sent all the same");
                Ok(false)
            }
            Some(_) if self.danger_without_pkce => {
                tracing::warn!(%issuer, "DANGER: the provider does not say that it checks PKCE; \
                    stolen codes may be used");
                Ok(false)
            }
            Some(methods) => {
                let methods = sanitize(&methods.join("`, `"), 128);
                let expected =
                    format!("the provider's metadata to name `S256`; it names `{methods}`");
                let cure = "have the provider support PKCE with S256; to go on all the same, pass \
                    `--danger-without-pkce` \
                            to the command, or call `danger_without_pkce`";
                Err(Error::config(
                    "code_challenge_methods_supported",
                    expected,
                    cure,
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
        if let Some(key) = self.client.dpop_key() {
            members.push(("dpop_jkt", key.thumbprint().to_owned()));
        }
        members.extend(
            self.request
                .members()
                .map(|(name, value)| (name, value.to_owned())),
        );
        for (name, value) in &self.parameters {
            if Self::is_reserved(name) || members.iter().any(|(held, _)| *held == &**name) {
                let cure = "leave it out: the flow sets it, or it is set twice";
                return Err(Error::config(
                    name,
                    "another parameter than those of the flow",
                    cure,
                ));
            }
            members.push((name, value.to_string()));
        }
        Ok(members)
    }

    /// Hands the request to the provider, and has the browser carry a reference (RFC 9126, sections
    /// 2 and 4).
    async fn push(&self, page: Url, members: &[(&str, String)]) -> Result<Url, Error> {
        // The client says its id by itself, in its own way.
        let form = members.iter().filter(|(name, _)| *name != "client_id");
        let form: Vec<_> = form.map(|(name, value)| (*name, value.as_str())).collect();
        let document = self
            .client
            .document(ProviderEndpoint::Pushed, &form)
            .await?;
        let reference =
            response::text(&document, "request_uri")?.filter(|text| text.len() <= 1_024);
        let reference = reference
            .ok_or_else(|| Error::malformed_response("the answer holds no `request_uri`"))?;
        let members = [
            ("client_id", self.client.id().to_owned()),
            ("request_uri", reference.to_owned()),
        ];
        Ok(with_query(page, &members))
    }
}

/// What the flow sets, also where it happens not to. A request by reference or with another answer
/// is not this flow.
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

/// What a form to the provider's endpoints sets, in this grant or another.
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
