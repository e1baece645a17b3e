//! `security_profile = "fapi2"`: what it sets, and what it refuses (FAPI 2.0 Security Profile, section
//! 5.3.4).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use portcullis_core::{Decision, EffectiveUrl, Requirement};
use portcullis_idp::{Idp, IdpConfig, TokenBuilder};
use portcullis_resource_server::{Config, ResourceRequest, SecurityProfile, Settings};
use portcullis_testkit::{NOW, ProofKey, ResourceServerSetup};

/// Settings that fit the profile, with these lines at the top, of the issuer, and at the end.
fn written(top: &str, issuer: &str, end: &str) -> String {
    format!(
        "security_profile = \"fapi2\"\n{top}\n[[issuer]]\nurl = \"https://idp.example\"\n\
         audience = \"api\"\n{issuer}\n{end}"
    )
}

/// An issuer that is asked about the tokens that it signs, too.
fn asked() -> String {
    let secret = std::env::temp_dir().join(format!("fapi2-secret-{}", std::process::id()));
    std::fs::write(&secret, "a secret of many bytes, for a test").unwrap();
    format!(
        "introspection = {{ tokens = \"all\", client_id = \"api\", client_secret_file = {secret:?} }}"
    )
}

fn faults(text: &str) -> Vec<(String, String)> {
    match Config::from_toml(text).and_then(Settings::try_from) {
        Ok(settings) => {
            assert_eq!(settings.security_profile(), Some(SecurityProfile::Fapi2));
            Vec::new()
        }
        Err(errors) => errors
            .iter()
            .map(|error| (error.place().to_owned(), error.to_string()))
            .collect(),
    }
}

#[test]
fn each_weaker_setting_is_refused_with_its_section() {
    const STORE: &str = "[revocation]\nstore = \"rediss://redis.example\"\n";
    let store = if cfg!(feature = "redis") { STORE } else { "" };
    for (top, issuer, end, place, section) in [
        ("token_cookie = \"t\"", "", "", "token_cookie", "5.3.4"),
        ("token_header = \"x-t\"", "", "", "token_header", "5.3.4"),
        (
            "public_origin = \"http://a.example\"",
            "",
            "",
            "public_origin",
            "5.2.1",
        ),
        (
            "",
            "algorithms = [\"ES256\", \"RS256\"]",
            "",
            "issuer[0].algorithms[1]",
            "5.4.1",
        ),
        ("", "leeway = 5", "", "issuer[0].leeway", "5.3.4"),
        ("", "leeway = 61", "", "issuer[0].leeway", "5.3.4"),
        (
            "",
            "danger_plain_http = true",
            "",
            "issuer[0].danger_plain_http",
            "5.2.1",
        ),
        (
            "",
            "",
            "[dpop]\nalgorithms = [\"ES384\"]",
            "dpop.algorithms[0]",
            "5.4.1",
        ),
    ] {
        let found = faults(&written(top, issuer, &format!("{end}\n{store}")));
        let mut at_place = found.iter().filter(|(at, _)| at == place);
        let fault = at_place
            .next()
            .unwrap_or_else(|| panic!("{place}: {found:?}"));
        assert!(fault.1.contains(&format!("section {section}")), "{fault:?}");
    }
    // A word that is none, and a profile without a source of revocations.
    let none = faults(&written("", "", ""));
    assert_eq!(none[0].0, "revocation.store");
    let text = written("", "", "").replace("fapi2", "fapi1");
    assert_eq!(faults(&text)[0].0, "security_profile");
}

#[cfg(feature = "redis")]
#[test]
fn a_store_may_not_be_done_without() {
    let store = "[revocation]\nstore = \"rediss://redis.example\"\n";
    assert_eq!(faults(&written("", "", store)), []);
    for (end, place) in [
        (
            "danger_serve_without_store = true",
            "revocation.danger_serve_without_store",
        ),
        (
            "[dpop]\ndanger_serve_without_store = true",
            "dpop.danger_serve_without_store",
        ),
    ] {
        let found = faults(&written("", "", &format!("{store}{end}")));
        assert_eq!(found[0].0, place, "{found:?}");
        assert_eq!(found.len(), 1, "{found:?}");
    }
    let plain = "[revocation]\nstore = \"redis://redis.example\"\ndanger_plain_store = true\n";
    let found = faults(&written("", "", plain));
    assert_eq!(found[0].0, "revocation.danger_plain_store");
}

#[test]
fn an_issuer_that_is_asked_about_all_tokens_is_a_source_of_revocations() {
    let none = faults(&written("", &asked(), ""));
    assert_eq!(none, []);
    let opaque = asked().replace("\"all\"", "\"opaque\"");
    let found = faults(&written("", &opaque, ""));
    assert!(
        found
            .iter()
            .any(|(place, _)| place == "revocation.store"),
        "{found:?}"
    );
}

struct Profiled {
    setup: ResourceServerSetup,
    key: ProofKey,
}

impl Profiled {
    /// A server by the profile, and a provider that signs with this algorithm.
    async fn new(algorithm: &str) -> Self {
        let config = IdpConfig {
            algorithm: algorithm.to_owned(),
            ..IdpConfig::default()
        };
        let settings = |idp: &Idp| {
            let text = written("", &asked(), "");
            let text = text.replace("https://idp.example", idp.issuer().as_str());
            let text = text.replace("= \"api\"\nintro", "= \"api://enterprise-api\"\nintro");
            // Where revocations come from makes no difference to what is tried here.
            let settings = Config::from_toml(&text).and_then(Settings::try_from);
            settings.unwrap().without_questions()
        };
        Self {
            setup: ResourceServerSetup::with(config, settings).await,
            key: ProofKey::new(),
        }
    }

    fn token(&self) -> TokenBuilder {
        let token = self.setup.idp.token("alice").scope("orders:read");
        token.bound_to_key(&self.key.thumbprint())
    }

    async fn outcome(&self, token: &str, scheme: &str, requirement: &Requirement) -> String {
        let address = "https://api.example/orders";
        let mut headers = HeaderMap::new();
        let credential = format!("{scheme} {token}");
        headers.insert(AUTHORIZATION, credential.parse().unwrap());
        let proof = self
            .key
            .sign(&self.key.claims("GET", address, token, NOW));
        headers.insert("dpop", proof.parse().unwrap());
        let url = EffectiveUrl::parse(address);
        let request = ResourceRequest {
            url: url.as_ref(),
            ..ResourceRequest::of_headers(&headers, None)
        };
        match self
            .setup
            .server
            .decide_request(&request, requirement)
            .await
        {
            Decision::Allow(_) => "allow".to_owned(),
            Decision::Deny(rejection) => rejection.code().to_string(),
            Decision::Fail(outage) => format!("{}: {}", outage.code(), outage.facts()),
        }
    }
}

#[tokio::test]
async fn tokens_are_bound_scoped_and_signed_as_the_profile_says() {
    let orders = Requirement::scope("orders:read");
    let weak = Profiled::new("RS256").await;
    let rsa = weak.token().sign();
    assert_eq!(weak.outcome(&rsa, "DPoP", &orders).await, "token.algorithm");
    let it = Profiled::new("ES256").await;
    let good = it.token().sign();
    assert_eq!(it.outcome(&good, "DPoP", &orders).await, "allow");
    let unbound = it.setup.idp.token("alice").scope("orders:read").sign();
    let found = it.outcome(&unbound, "Bearer", &orders).await;
    assert_eq!(found, "proof.unbound");
    // A guard without a scope is the program's fault: no allow, and no refusal of the caller.
    for weak in [
        Requirement::ValidToken,
        Requirement::role("Admin"),
        Requirement::any([orders.clone(), Requirement::role("Admin")]),
    ] {
        let found = it.outcome(&good, "DPoP", &weak).await;
        assert!(
            found.starts_with("outage.policy: `security_profile"),
            "{found}"
        );
    }
    let both = Requirement::all([orders, Requirement::user()]);
    assert_eq!(it.outcome(&good, "DPoP", &both).await, "allow");
}
