//! FAPI 2.0 Security Profile: a resource server with `security_profile = "fapi2"`.

use super::NOW;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use portcullis_core::proof::Thumbprint;
use portcullis_core::{Decision, EffectiveUrl, Requirement};
use portcullis_idp::{Idp, IdpConfig, TokenBuilder};
use portcullis_resource_server::{Config, ResourceRequest, Settings};
use portcullis_testkit::{AUDIENCE, ProofKey, ResourceServerSetup};

const ADDRESS: &str = "https://api.example/orders";

/// Settings that fit the profile, with one more line at the top and one of the issuer.
fn settings(top: &str, issuer: &str, url: &str) -> Result<Settings, String> {
    let secret = std::env::temp_dir().join(format!("fapi2-rfc-{}", std::process::id()));
    std::fs::write(&secret, "a secret of many bytes, for a test").unwrap();
    let text = format!(
        "security_profile = \"fapi2\"\n{top}\n[[issuer]]\nurl = \"{url}\"\n\
         audience = \"{AUDIENCE}\"\n{issuer}\n[issuer.introspection]\ntokens = \"all\"\n\
         client_id = \"api\"\nclient_secret_file = {secret:?}\n"
    );
    let settings = Config::from_toml(&text).and_then(Settings::try_from);
    settings.map_err(|errors| errors.to_string())
}

fn refusal(top: &str, issuer: &str) -> String {
    settings(top, issuer, "https://idp.example").unwrap_err()
}

struct Profiled {
    setup: ResourceServerSetup,
    key: ProofKey,
}

impl Profiled {
    async fn new(algorithm: &str) -> Self {
        let config = IdpConfig {
            algorithm: algorithm.to_owned(),
            ..IdpConfig::default()
        };
        // The provider knows no client of this server: it is not asked here.
        let by_profile = |idp: &Idp| {
            let settings = settings("", "", idp.issuer().as_str()).unwrap();
            settings.without_questions()
        };
        Self {
            setup: ResourceServerSetup::with(config, by_profile).await,
            key: ProofKey::new(),
        }
    }

    fn token(&self) -> TokenBuilder {
        self.setup.idp.token("alice").scope("orders:read")
    }

    fn bound(&self) -> TokenBuilder {
        self.token().bound_to_key(&self.key.thumbprint())
    }

    /// A request with this token, and its proof if it comes as `DPoP`.
    async fn send(&self, scheme: &str, token: &str, requirement: &Requirement) -> String {
        let mut headers = HeaderMap::new();
        let credential = format!("{scheme} {token}");
        headers.insert(AUTHORIZATION, credential.parse().unwrap());
        if scheme == "DPoP" {
            let claims = self.key.claims("GET", ADDRESS, token, NOW);
            headers.insert("dpop", self.key.sign(&claims).parse().unwrap());
        }
        let certificate = Thumbprint::from_bytes([1; 32]);
        let url = EffectiveUrl::parse(ADDRESS);
        let request = ResourceRequest {
            url: url.as_ref(),
            certificate: Some(&certificate),
            ..ResourceRequest::of_headers(&headers, None)
        };
        self.decide(&request, requirement).await
    }

    async fn decide(&self, request: &ResourceRequest<'_>, requirement: &Requirement) -> String {
        let server = &self.setup.server;
        match server.decide_request(request, requirement).await {
            Decision::Allow(_) => "allow".to_owned(),
            Decision::Deny(rejection) => rejection.code().to_string(),
            Decision::Fail(outage) => outage.code().to_string(),
        }
    }
}

fn orders() -> Requirement {
    Requirement::scope("orders:read")
}

/// FAPI 2.0, 5.3.4 no. 1: tokens come in the header `Authorization`, and nowhere else
#[tokio::test]
async fn section_5_3_4_tokens_in_the_header_only() {
    for place in ["token_cookie = \"t\"", "token_header = \"x-token\""] {
        assert!(
            refusal(place, "").contains("`Authorization` only"),
            "{place}"
        );
    }
    let it = Profiled::new("ES256").await;
    assert!(!it.setup.server.accepts_offered_tokens());
    let (headers, query) = (
        HeaderMap::new(),
        format!("access_token={}", it.bound().sign()),
    );
    let request = ResourceRequest::of_headers(&headers, Some(&query));
    assert_ne!(it.decide(&request, &orders()).await, "allow");
}

/// FAPI 2.0, 5.3.4 no. 2: validity, expiry and revocation are checked
#[tokio::test]
async fn section_5_3_4_revocation() {
    let text = "security_profile = \"fapi2\"\n[[issuer]]\nurl = \"https://idp.example\"\n\
        audience = \"api\"\n";
    let without = Config::from_toml(text).and_then(Settings::try_from);
    let errors = without.unwrap_err().to_string();
    assert!(errors.contains("a source of revocations"), "{errors}");
    let it = Profiled::new("ES256").await;
    let expired = it.bound().expire().sign();
    assert_eq!(it.send("DPoP", &expired, &orders()).await, "token.expired");
}

/// FAPI 2.0, 5.3.4 no. 3: the scope is checked; a guard that demands none lets nobody in
#[tokio::test]
async fn section_5_3_4_scope() {
    let it = Profiled::new("ES256").await;
    let token = it.bound().sign();
    assert_eq!(it.send("DPoP", &token, &orders()).await, "allow");
    let plain = Requirement::ValidToken;
    assert_eq!(it.send("DPoP", &token, &plain).await, "outage.policy");
    let other = Requirement::scope("orders:write");
    assert_eq!(it.send("DPoP", &token, &other).await, "policy.scope");
}

/// FAPI 2.0, 5.3.4 no. 4: tokens are bound, by DPoP or a client certificate
#[tokio::test]
async fn section_5_3_4_sender_constraint() {
    let it = Profiled::new("ES256").await;
    let plain = it.token().sign();
    assert_eq!(it.send("Bearer", &plain, &orders()).await, "proof.unbound");
    let certificate = Thumbprint::from_bytes([1; 32]).to_string();
    let bound = it.token().bound_to_certificate(&certificate).sign();
    assert_eq!(it.send("Bearer", &bound, &orders()).await, "allow");
}

/// FAPI 2.0, 5.2.1: plain http is refused in the settings
#[test]
fn section_5_2_1_tls() {
    let origin = "public_origin = \"http://api.example\"";
    assert!(refusal(origin, "").contains("an https origin"));
    assert!(refusal("", "danger_plain_http = true").contains("over TLS"));
}

/// FAPI 2.0, 5.4.1: tokens and proofs are signed with PS256, ES256 or EdDSA
#[tokio::test]
async fn section_5_4_1_algorithms() {
    let it = Profiled::new("RS256").await;
    let token = it.bound().sign();
    assert_eq!(it.send("DPoP", &token, &orders()).await, "token.algorithm");
    let weaker = "algorithms = [\"ES256\", \"RS256\"]";
    assert!(refusal("", weaker).contains("`PS256`, `ES256` or `EdDSA`"));
    let weaker = "[dpop]\nalgorithms = [\"RS256\"]";
    assert!(refusal(weaker, "").contains("dpop.algorithms[0]"));
}

/// FAPI 2.0, 5.3.4 no. 6: clocks that are 10 seconds ahead are accepted, and none above 60
#[tokio::test]
async fn section_5_3_4_clocks() {
    let it = Profiled::new("ES256").await;
    for (ahead, is_accepted) in [(10, true), (61, false)] {
        let token = it.bound().claim("nbf", NOW + ahead).sign();
        let found = it.send("DPoP", &token, &orders()).await;
        assert_eq!(found == "allow", is_accepted, "{ahead}: {found}");
    }
    for leeway in [9, 61] {
        let leeway = format!("leeway = {leeway}");
        assert!(refusal("", &leeway).contains("10 to 60 seconds"));
    }
}
