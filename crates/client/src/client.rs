//! A registered client, which calls the provider's endpoints.

use crate::authentication::Authentication;
use crate::dpop::{DpopKey, Nonces, ProofTarget};
use crate::error::Error;
use crate::metadata::ProviderEndpoint;
use crate::provider::Provider;
use crate::request::TokenRequest;
use crate::response;
use crate::token::{IssuedToken, TokenKind, TokenResponse};
use portcullis_core::dialect::{AssertionAudience, Dialect};
use portcullis_core::jose::json::Object;
use portcullis_core::token::NumericDate;
use portcullis_provider::client_auth::ClientAuth;
use portcullis_provider::fetch::{EndpointRequest, EndpointResponse, Fetch, Reach};
use std::fmt;
use std::sync::Arc;
use url::Url;

/// A client that is registered at a provider. Clones share connections and nonces.
///
/// ```no_run
/// use portcullis_client::{Authentication, Client, Provider, Secret, TokenRequest};
///
/// # async fn example(secret: Secret) -> Result<(), portcullis_client::Error> {
/// let provider = Provider::discover("https://idp.example").await?;
/// let client = Client::new(provider, "orders-service", Authentication::secret_basic(secret));
/// let tokens = client.client_credentials(&TokenRequest::new().scope("orders:read")).await?;
/// let header = tokens.access_token().authorization();
/// # let _ = header;
/// # Ok(())
/// # }
/// ```
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
    /// A client with this id, which authenticates in this way.
    pub fn new(provider: Provider, id: &str, authentication: Authentication) -> Self {
        let auth = ClientAuth {
            id: id.into(),
            proof: authentication.0,
        };
        let fetch = provider.endpoint_fetch(auth.certificate());
        Self {
            provider,
            auth: Arc::new(auth),
            fetch,
            key: None,
            nonces: Nonces::default(),
            addressee: None,
            trusted_audiences: Arc::default(),
        }
    }

    /// Binds all tokens to this key (RFC 9449). A response with an unbound token is an error.
    ///
    /// ```no_run
    /// use portcullis_client::{Client, DpopKey, TokenRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let client = client.dpop(DpopKey::generate()?);
    /// let tokens = client.client_credentials(&TokenRequest::new()).await?;
    /// let url = "https://api.example/orders".parse()?;
    /// // `Some`, because the token is bound: the value of the header `DPoP`.
    /// let proof = client.proof("GET", &url, tokens.access_token())?;
    /// # let _ = proof;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn dpop(mut self, key: DpopKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The `aud` of the assertions of `private_key_jwt`. Default: the provider's issuer, or the
    /// token endpoint for Entra ID and Okta, which expect that.
    #[must_use]
    pub fn assertion_audience(mut self, audience: &str) -> Self {
        self.addressee = Some(audience.into());
        self
    }

    /// Other audiences that belong to this application. An ID token may be for them as well, even
    /// if it does not say that it was issued to this client (OpenID Connect Core 1.0, section
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

    /// The key that tokens are bound to, if there is one.
    pub fn dpop_key(&self) -> Option<&DpopKey> {
        self.key.as_ref()
    }

    /// A token for this client itself, by client credentials (RFC 6749, section 4.4). Each call is
    /// one request; [`TokenSource`](crate::TokenSource) caches the token and renews it.
    ///
    /// # Errors
    ///
    /// The provider's refusal, a response that cannot be trusted, or an outage.
    pub async fn client_credentials(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let members = [("grant_type", "client_credentials")];
        Ok(self.request_tokens(&members, request).await?.tokens)
    }

    /// A proof for a request with a token that is bound to this client's key (RFC 9449, section
    /// 7.1): the value of the header `DPoP`. `None` if the token is not bound. `url` is the whole
    /// URL of the request.
    ///
    /// # Errors
    ///
    /// The token is bound, and this client has no key.
    pub fn proof(
        &self,
        method: &str,
        url: &Url,
        token: &IssuedToken,
    ) -> Result<Option<String>, Error> {
        if token.kind() != TokenKind::Dpop {
            return Ok(None);
        }
        let Some(key) = &self.key else {
            return Err(Error::config(
                "dpop_key",
                "the token is bound to a key, and the client has none",
                "give the client the key of the token",
            ));
        };
        let nonce = self.nonces.of(url);
        let target = ProofTarget {
            method,
            url,
            token: Some(token.expose()),
            nonce: nonce.as_deref(),
        };
        key.prove(&target, self.now()).map(Some)
    }

    /// Remembers the header `DPoP-Nonce` of a resource server. The next [proof](Self::proof) for
    /// that server carries it (RFC 9449, section 9).
    pub fn keep_nonce(&self, url: &Url, nonce: &str) {
        // A server could otherwise make each later request as long as it likes.
        if nonce.len() <= 1_024 {
            self.nonces.keep(url, nonce);
        }
    }

    /// Calls the token endpoint, and reads the tokens.
    pub(crate) async fn request_tokens(
        &self,
        members: &[(&str, &str)],
        request: &TokenRequest,
    ) -> Result<response::UnverifiedResponse, Error> {
        let members: Vec<_> = members
            .iter()
            .copied()
            .chain(request.members())
            .collect();
        self.request_form(&members, request).await
    }

    /// The same with a form that already holds what the grant takes of the request.
    pub(crate) async fn request_form(
        &self,
        members: &[(&str, &str)],
        request: &TokenRequest,
    ) -> Result<response::UnverifiedResponse, Error> {
        // Read before the request goes out: the provider counts from a later moment, so the token
        // never expires earlier than this client believes.
        let requested_at = self.now();
        let document = self.document(ProviderEndpoint::Token, members).await?;
        let expected = if self.key.is_some() {
            TokenKind::Dpop
        } else {
            TokenKind::Bearer
        };
        response::tokens(&document, request, expected, requested_at)
    }

    /// Calls an endpoint, and reads the document of a successful response.
    pub(crate) async fn document(
        &self,
        endpoint: ProviderEndpoint,
        members: &[(&str, &str)],
    ) -> Result<Object, Error> {
        let (url, response) = self.ask(endpoint, members).await?;
        response::document(url, &response, self.provider.limits())
    }

    /// Calls an endpoint; once more, if it wants a nonce in the proof (RFC 9449, section 8).
    pub(crate) async fn ask(
        &self,
        endpoint: ProviderEndpoint,
        members: &[(&str, &str)],
    ) -> Result<(&Url, EndpointResponse), Error> {
        let (metadata, reach) = self.provider.metadata_and_reach().await?;
        let by_certificate = self.auth.certificate().is_some();
        let Some(url) = metadata.locate(endpoint, by_certificate) else {
            let help = "choose another flow, or another issuer: this one does not support it";
            let problem = "the provider's metadata does not name it";
            return Err(Error::config(endpoint.name(), problem, help));
        };
        let key = self.key.as_ref().filter(|_| endpoint.takes_proof());
        let call = EndpointCall {
            url,
            reach: *reach,
            members,
            addressee: self.addressee(metadata.locate(ProviderEndpoint::Token, by_certificate)),
            key,
        };
        let response = self.send(&call).await?;
        // Servers may rotate nonces at any time, so one repetition is normal. A second would let a
        // broken server loop.
        let wants_nonce = key.is_some()
            && response.dpop_nonce.is_some()
            && response::is_refused_with(&response, "use_dpop_nonce", self.provider.limits());
        if wants_nonce {
            return Ok((url, self.send(&call).await?));
        }
        Ok((url, response))
    }

    async fn send(&self, call: &EndpointCall<'_>) -> Result<EndpointResponse, Error> {
        // An unset environment variable looks like this. Many providers answer it with a refusal
        // that hides the cause.
        if self.auth.has_empty_secret() {
            let help = "give the client the secret from the provider, or make it a public client";
            return Err(Error::config("client_secret", "the secret is empty", help));
        }
        let form = self
            .auth
            .form(call.members, &call.addressee, self.now());
        let (body, authorization) = form.map_err(|reason| Error::outage(reason, None))?;
        let request = EndpointRequest {
            url: call.url,
            reach: call.reach,
            body,
            accept: "application/json",
            authorization,
            proof: self.proof_of_key(call)?,
        };
        let response = match self.fetch.ask(request).await {
            Ok(response) => response,
            Err(fault) => return Err(Error::no_response(&fault)),
        };
        // Every response may carry a new nonce, also a successful one (RFC 9449, section 8.2).
        if call.key.is_some()
            && let Some(nonce) = &response.dpop_nonce
        {
            self.nonces.keep(call.url, nonce);
        }
        Ok(response)
    }

    fn proof_of_key(&self, call: &EndpointCall<'_>) -> Result<Option<String>, Error> {
        let Some(key) = call.key else {
            return Ok(None);
        };
        let nonce = self.nonces.of(call.url);
        let target = ProofTarget {
            method: "POST",
            url: call.url,
            token: None,
            nonce: nonce.as_deref(),
        };
        key.prove(&target, self.now()).map(Some)
    }

    /// The audience of an assertion.
    fn addressee(&self, token_endpoint: Option<&Url>) -> String {
        // The issuer by default: an assertion for it is useless at any other provider.
        let issuer = self.provider.issuer().as_str();
        let usual = Dialect::of_issuer(issuer).assertion_audience;
        match (&self.addressee, usual, token_endpoint) {
            (Some(named), _, _) => named.to_string(),
            (None, AssertionAudience::TokenEndpoint, Some(endpoint)) => endpoint.to_string(),
            (None, _, _) => issuer.to_owned(),
        }
    }

    pub(crate) fn now(&self) -> NumericDate {
        self.provider.clock().now()
    }
}

/// One call of an endpoint, as it is sent and, if need be, repeated.
struct EndpointCall<'c> {
    url: &'c Url,
    reach: Reach,
    members: &'c [(&'c str, &'c str)],
    addressee: String,
    key: Option<&'c DpopKey>,
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
