//! A client of a provider: it asks the provider's endpoints under its own name.

use crate::authentication::Authentication;
use crate::dpop::{DpopKey, Nonces, ProofTarget};
use crate::error::Error;
use crate::metadata::ProviderEndpoint;
use crate::provider::Provider;
use crate::request::TokenRequest;
use crate::response;
use crate::token::{IssuedToken, TokenKind, TokenResponse};
use portcullis_core::Dialect;
use portcullis_core::token::NumericDate;
use portcullis_provider::client_auth::ClientAuth;
use portcullis_provider::fetch::{EndpointRequest, EndpointResponse, Fetch, Reach};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// A client, as it is registered at a provider. Clones share connections and nonces.
#[derive(Clone)]
pub struct Client {
    provider: Provider,
    auth: Arc<ClientAuth>,
    fetch: Fetch,
    key: Option<DpopKey>,
    nonces: Nonces,
    addressee: Option<Arc<str>>,
    trusted_audiences: Arc<[Box<str>]>,
}

impl Client {
    /// A client with this id, which proves itself in this way.
    pub fn new(provider: Provider, id: &str, authentication: Authentication) -> Self {
        let auth = ClientAuth {
            id: id.into(),
            proof: authentication.0,
        };
        let fetch = provider.questions(auth.certificate());
        let (auth, nonces) = (Arc::new(auth), Nonces::default());
        let trusted_audiences = Arc::default();
        Self {
            provider,
            auth,
            fetch,
            key: None,
            nonces,
            addressee: None,
            trusted_audiences,
        }
    }

    /// Has all tokens bound to this key (RFC 9449). A provider that gives one that is not is
    /// refused.
    #[must_use]
    pub fn dpop(mut self, key: DpopKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The `aud` of the assertions of `private_key_jwt`, where the provider wants another than its
    /// issuer. Entra ID and Okta want their token endpoint; that is known.
    #[must_use]
    pub fn assertion_audience(mut self, audience: &str) -> Self {
        self.addressee = Some(audience.into());
        self
    }

    /// Other audiences that belong to this application. An ID token may be for them as well, also
    /// where nothing in it says that it was made for this client (OpenID Connect Core 1.0, section
    /// 3.1.3.7).
    #[must_use]
    pub fn trusting_audiences<'a>(mut self, audiences: impl IntoIterator<Item = &'a str>) -> Self {
        self.trusted_audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

    pub(crate) fn trusted_audiences(&self) -> &[Box<str>] {
        &self.trusted_audiences
    }

    /// The client's id.
    pub fn id(&self) -> &str {
        &self.auth.id
    }

    /// The provider.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The key that tokens are bound to, where there is one.
    pub fn dpop_key(&self) -> Option<&DpopKey> {
        self.key.as_ref()
    }

    /// A token for this client itself, by client credentials (RFC 6749, section 4.4). It asks each
    /// time: for a token that is kept and renewed, see [`TokenSource`](crate::TokenSource).
    ///
    /// # Errors
    ///
    /// The provider's refusal, an answer that cannot be trusted, or an outage.
    pub async fn client_credentials(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let granted = self
            .request_tokens(&[("grant_type", "client_credentials")], request)
            .await?;
        Ok(granted.tokens)
    }

    /// A proof for a request with a token that is bound to this client's key (RFC 9449, section
    /// 7.1): the value of the header `DPoP`. `None` where the token is not bound. `url` is the
    /// whole address that is called.
    ///
    /// # Errors
    ///
    /// A bound token, and no key here.
    pub fn proof(
        &self,
        method: &str,
        url: &Url,
        token: &IssuedToken,
    ) -> Result<Option<String>, Error> {
        if token.kind() != TokenKind::Dpop {
            return Ok(None);
        }
        let key = self.key.as_ref().ok_or_else(|| {
            Error::config(
                "dpop_key",
                "the client lacks the key that the token is bound to",
                "give the client the key of the token",
            )
        })?;
        let nonce = self.nonces.of(url);
        let proven = ProofTarget {
            method,
            url,
            token: Some(token.expose()),
            nonce: nonce.as_deref(),
        };
        key.prove(&proven, self.now()).map(Some)
    }

    /// Remembers what a resource server said in the header `DPoP-Nonce`: it goes into the next
    /// [proof](Self::proof) for that server (RFC 9449, section 9).
    pub fn keep_nonce(&self, url: &Url, nonce: &str) {
        if nonce.len() <= 1_024 {
            self.nonces.keep(url, nonce);
        }
    }

    /// Asks the token endpoint, and reads the tokens.
    pub(crate) async fn request_tokens(
        &self,
        members: &[(&str, &str)],
        request: &TokenRequest,
    ) -> Result<response::UnverifiedResponse, Error> {
        let members: Vec<_> = members.iter().copied().chain(request.members()).collect();
        self.request_form(&members, request).await
    }

    /// The same for a grant in which the request was made before.
    pub(crate) async fn request_form(
        &self,
        members: &[(&str, &str)],
        request: &TokenRequest,
    ) -> Result<response::UnverifiedResponse, Error> {
        // Before the question: the provider counts from a later moment, so the token ends no sooner
        // than we think.
        let asked_at = self.now();
        let document = self.document(ProviderEndpoint::Token, members).await?;
        let expected = if self.key.is_some() {
            TokenKind::Dpop
        } else {
            TokenKind::Bearer
        };
        response::tokens(&document, request, expected, asked_at)
    }

    /// Asks an endpoint, and reads the document of a good answer.
    pub(crate) async fn document(
        &self,
        endpoint: ProviderEndpoint,
        members: &[(&str, &str)],
    ) -> Result<portcullis_core::jose::json::Object, Error> {
        let (url, answered) = self.ask(endpoint, members).await?;
        response::document(url, &answered, self.provider.limits())
    }

    /// Asks an endpoint; once more, if it wants a nonce in the proof (RFC 9449, section 8).
    pub(crate) async fn ask(
        &self,
        endpoint: ProviderEndpoint,
        members: &[(&str, &str)],
    ) -> Result<(&Url, EndpointResponse), Error> {
        let (metadata, reach) = self.provider.found().await?;
        let by_certificate = self.auth.certificate().is_some();
        let url = metadata.locate(endpoint, by_certificate).ok_or_else(|| {
            let cure = "choose another flow, or another issuer: this one does not offer it";
            Error::config(
                endpoint.name(),
                "the provider's metadata does not name it",
                cure,
            )
        })?;
        let addressee = self.addressee(metadata.locate(ProviderEndpoint::Token, by_certificate));
        let key = self.key.as_ref().filter(|_| endpoint.takes_proof());
        let mut answered = self.ask_once(url, *reach, members, &addressee, key).await?;
        let wants_nonce = key.is_some() && answered.dpop_nonce.is_some();
        if wants_nonce
            && response::is_refused_with(&answered, "use_dpop_nonce", self.provider.limits())
        {
            answered = self.ask_once(url, *reach, members, &addressee, key).await?;
        }
        Ok((url, answered))
    }

    async fn ask_once(
        &self,
        url: &Url,
        reach: Reach,
        members: &[(&str, &str)],
        addressee: &str,
        key: Option<&DpopKey>,
    ) -> Result<EndpointResponse, Error> {
        let failed = |reason: String| Error::outage(reason, None);
        if self.auth.has_empty_secret() {
            let cure =
                "give the client the secret that the provider gave it, or make it a public one";
            return Err(Error::config("client_secret", "the secret is empty", cure));
        }
        let (body, authorization) = self
            .auth
            .form(members, addressee, self.now())
            .map_err(failed)?;
        let nonce = self.nonces.of(url);
        let proven = ProofTarget {
            method: "POST",
            url,
            token: None,
            nonce: nonce.as_deref(),
        };
        let proof = key.map(|key| key.prove(&proven, self.now())).transpose()?;
        let question = EndpointRequest {
            url,
            reach,
            body,
            accept: "application/json",
            authorization,
            proof,
        };
        let answered = self
            .fetch
            .ask(question)
            .await
            .map_err(|fault| failed(fault.to_string()))?;
        if let Some(nonce) = answered.dpop_nonce.as_deref().filter(|_| key.is_some()) {
            self.nonces.keep(url, nonce);
        }
        Ok(answered)
    }

    /// Whom an assertion is for: the issuer, by which nobody else can use it, unless the provider
    /// knows its token endpoint only.
    fn addressee(&self, token_endpoint: Option<&Url>) -> String {
        let issuer = self.provider.issuer().as_str();
        let by_endpoint = matches!(
            Dialect::of_issuer(issuer).name,
            "entra-v2" | "entra-v1" | "entra-external-id" | "entra-b2c" | "okta"
        );
        match (&self.addressee, token_endpoint) {
            (Some(named), _) => named.to_string(),
            (None, Some(endpoint)) if by_endpoint => endpoint.to_string(),
            (None, _) => issuer.to_owned(),
        }
    }

    pub(crate) fn now(&self) -> NumericDate {
        self.provider.clock().now()
    }
}

/// Shows the id and the provider.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the client `{}` of {}",
            self.auth.id,
            self.provider.issuer()
        )
    }
}
