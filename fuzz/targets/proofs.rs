//! A method, a URL and any bytes as a proof, a line each: only a proof for this request and this
//! token passes, and what people are told is what was decided.

use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::credential::Credential;
use portcullis_core::jose::{base64url, json};
use portcullis_core::proof::{self, Possession, Presentation, ProofTerms};
use portcullis_core::token::{Audiences, Claims, Issuer, NumericDate, VerifiedToken};
use portcullis_core::verify::{Outcome, Profile, Verifier};
use portcullis_core::{EffectiveUrl, Limits};
use serde_json::Value;
use std::sync::LazyLock;

const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);

static CORPUS: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../conformance/corpus/dpop-proofs.json");
    serde_json::from_str(text).expect("the corpus")
});

pub(crate) fn run(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, url, proof) = (line(), line(), line());
    let (Ok(method), Ok(url)) = (Method::from_bytes(method), std::str::from_utf8(url)) else {
        return;
    };
    let url = EffectiveUrl::parse(url);
    if let Some(url) = &url {
        // What is shown of a URL is that URL.
        assert_eq!(EffectiveUrl::parse(&url.to_string()).as_ref(), Some(url));
        assert!(url.differences(url).is_empty());
    }
    let Ok(value) = HeaderValue::from_bytes(proof) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("dpop", value);
    let text = CORPUS["tokens"]["bound"].as_str().expect("a token");
    let presentation = Presentation {
        method: &method,
        url: url.as_ref(),
        ..Presentation::bearer(Credential::dpop(text), &headers)
    };
    let terms = ProofTerms::default();
    let token = token();
    let bound_to = token.confirmation().expect("a binding");
    let steps = proof::explain(bound_to.as_ref(), &presentation, &terms, NOW);
    let mut failed = steps.iter().filter(|it| it.outcome == Outcome::Fail);
    let failed = failed.next().map(|step| step.code);
    for step in &steps {
        let told = format!("{}{}", step.expected, step.found);
        assert!(!told.chars().any(char::is_control), "a terminal obeys it");
        assert!(told.len() < 4_096);
    }
    match proof::prove(token, &presentation, &terms, NOW) {
        Ok(Possession::Proven(unused)) => {
            assert_eq!(failed, None);
            assert!(NOW < unused.id().until);
            holds(proof, &method, url.as_ref());
        }
        Ok(Possession::Shown(_)) => panic!("a bound token without a proof"),
        Err(rejection) => assert_eq!(failed, Some(rejection.code().as_str())),
    }
}

/// Another parser finds in the proof what it has to hold.
fn holds(proof: &[u8], method: &Method, url: Option<&EffectiveUrl>) {
    let text = std::str::from_utf8(proof).expect("text");
    let mut parts = text.split('.').map(|part| base64url::decode(part));
    let mut part = || parts.next().and_then(Result::ok).unwrap_or_default();
    let header: Value = serde_json::from_slice(&part()).expect("a header");
    let claims: Value = serde_json::from_slice(&part()).expect("claims");
    assert_eq!(header["typ"], "dpop+jwt");
    assert!(header["jwk"].get("d").is_none(), "a private key");
    assert_eq!(claims["htm"], method.as_str());
    let htu = claims["htu"].as_str().expect("a URL");
    assert_eq!(EffectiveUrl::parse(htu).as_ref(), url);
    let age = 1_800_000_000.0 - claims["iat"].as_f64().expect("a number");
    assert!((-11.0..=61.0).contains(&age), "{age}");
}

/// The token of the corpus that is bound to its first key.
fn token() -> VerifiedToken {
    let jkt = CORPUS["bound_jkt"].as_str().expect("a thumbprint");
    let text = format!(r#"{{"active":true,"sub":"s","aud":"api","cnf":{{"jkt":"{jkt}"}}}}"#);
    let parsed = json::parse(text.as_bytes(), &Limits::default()).expect("JSON");
    let claims = parsed.as_object().expect("an object").clone();
    let claims = Claims::from_object(claims).expect("claims");
    let issuer = Issuer::parse("https://idp.example").expect("an issuer");
    let audiences = Audiences::new(["api"]).expect("an audience");
    let verifier = Verifier::new(issuer, audiences, Profile::generic());
    verifier.verify_answer(claims, NOW).expect("a token")
}
