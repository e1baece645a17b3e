//! Identity providers to get tokens from: a certified one from npm, our own, and whatever
//! [`products`](super::products) starts.

use super::browser::Browser;
use super::process::Process;
use portcullis_idp::{Idp, IdpConfig, RegisteredClient};
use serde_json::Value;
use std::process::Command;
use url::Url;

pub(crate) const AUDIENCE: &str = "api://enterprise-api";
pub(crate) const OTHER_AUDIENCE: &str = "api://another-api";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A provider that runs, and how to ask it for tokens.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) metadata: Value,
    /// The audience of users' tokens.
    pub(crate) audience: &'static str,
    _running: Running,
}

/// What stops when the provider is dropped.
pub(crate) enum Running {
    Npm {
        _process: Process,
    },
    Ours {
        _idp: Idp,
    },
    /// It is kept by whoever started it.
    Elsewhere,
}

/// The tokens of one user.
pub(crate) struct UserTokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
}

impl Provider {
    /// npm `oidc-provider`, if `PORTCULLIS_OIDC_PROVIDER` names the folder where it is installed.
    pub(crate) async fn certified(algorithm: &str) -> Option<Self> {
        Self::certified_with(algorithm, None).await
    }

    /// As [`certified`](Self::certified), with an address for the logout tokens of `web`.
    pub(crate) async fn certified_with(algorithm: &str, logout_uri: Option<&str>) -> Option<Self> {
        let Some(folder) = std::env::var_os("PORTCULLIS_OIDC_PROVIDER") else {
            crate::tally::skipped("npm oidc-provider is not installed; `cargo xtask test` does it");
            return None;
        };
        let mut command = Command::new("node");
        command
            .arg("server.mjs")
            .env("ALGORITHM", algorithm)
            .envs(logout_uri.map(|uri| ("LOGOUT_URI", uri)))
            .current_dir(folder);
        let process = Process::start(&mut command);
        let line: Value = serde_json::from_str(&process.line()).unwrap();
        let issuer = line["issuer"].as_str().unwrap().to_owned();
        Some(Self::asked(issuer, AUDIENCE, Running::Npm { _process: process }).await)
    }

    /// Our own.
    pub(crate) async fn ours(algorithm: &str) -> Self {
        let defaults = IdpConfig::default();
        let also = |client: RegisteredClient| RegisteredClient {
            audiences: vec![OTHER_AUDIENCE.to_owned()],
            ..client
        };
        let clients = defaults.clients.into_iter().map(also).collect();
        let config = IdpConfig {
            algorithm: algorithm.to_owned(),
            clients,
            ..IdpConfig::default()
        };
        let idp = Idp::start(config).await.unwrap();
        Self::asked(
            idp.issuer().to_string(),
            AUDIENCE,
            Running::Ours { _idp: idp },
        )
        .await
    }

    /// A provider that was started, by what its metadata says.
    pub(crate) async fn asked(issuer: String, audience: &'static str, running: Running) -> Self {
        let url = format!("{issuer}/.well-known/openid-configuration");
        let metadata = reqwest::get(url).await.unwrap().text().await.unwrap();
        Self {
            issuer,
            metadata: serde_json::from_str(&metadata).unwrap(),
            audience,
            _running: running,
        }
    }

    /// RFC 6749, section 4.4.
    pub(crate) async fn client_credentials(&self, resource: &str) -> String {
        let form = format!("grant_type=client_credentials&scope=orders:read&resource={resource}");
        let answer = self
            .token(&form, Some(("service", "service-secret")))
            .await;
        answer["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    /// RFC 7009.
    pub(crate) async fn revoke(&self, token: &str) {
        let request = reqwest::Client::new()
            .post(self.metadata["revocation_endpoint"].as_str().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .basic_auth("service", Some("service-secret"));
        assert_eq!(
            request
                .body(format!("token={token}"))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }

    /// RFC 6749, section 4.1, with PKCE, through the pages that a user would see.
    pub(crate) async fn sign_in(&self, username: &str) -> UserTokens {
        let back = Browser::default()
            .sign_in(self.authorization_url(), REDIRECT_URI, username)
            .await;
        self.redeem(&back).await
    }

    /// Where the browser begins.
    pub(crate) fn authorization_url(&self) -> Url {
        self.authorization_url_to(REDIRECT_URI)
    }

    /// As [`authorization_url`](Self::authorization_url), to come back elsewhere.
    pub(crate) fn authorization_url_to(&self, redirect_uri: &str) -> Url {
        let mut url = Url::parse(
            self.metadata["authorization_endpoint"]
                .as_str()
                .unwrap(),
        )
        .unwrap();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", "web"),
            ("redirect_uri", redirect_uri),
            ("scope", "openid orders:read"),
            ("resource", self.audience),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "some state"),
            ("nonce", "some-nonce"),
        ]);
        url
    }

    /// The tokens for the code with which the browser comes back.
    pub(crate) async fn redeem(&self, back: &Url) -> UserTokens {
        self.redeem_from(back, REDIRECT_URI).await
    }

    /// As [`redeem`](Self::redeem), of a browser that came back elsewhere.
    pub(crate) async fn redeem_from(&self, back: &Url, redirect_uri: &str) -> UserTokens {
        let answer = |name: &str| {
            back.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        assert_eq!(answer("state").as_deref(), Some("some state"));
        assert_eq!(answer("iss").as_deref(), Some(self.issuer.as_str()));
        let code = answer("code").unwrap_or_else(|| panic!("{back}"));
        let form = format!(
            "grant_type=authorization_code&client_id=web&code={code}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}"
        );
        let tokens = self.token(&form, None).await;
        let text = |name: &str| {
            tokens[name]
                .as_str()
                .unwrap_or_else(|| panic!("{tokens}"))
                .to_owned()
        };
        UserTokens {
            access_token: text("access_token"),
            id_token: text("id_token"),
        }
    }

    async fn token(&self, form: &str, client: Option<(&str, &str)>) -> Value {
        let request = reqwest::Client::new()
            .post(self.metadata["token_endpoint"].as_str().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        let request = match client {
            Some((id, secret)) => request.basic_auth(id, Some(secret)),
            None => request,
        };
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }
}
