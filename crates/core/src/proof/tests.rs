//! Small cases; the corpus of proofs is run by the conformance crate, through every door.

use super::*;
use crate::credential::Credential;
use crate::jose::base64url;
use crate::jose::json;
use crate::token::{Audiences, Claims, Issuer};
use crate::verify::{Outcome, Profile, Verifier};
use crate::{EffectiveUrl, Limits};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use http::{HeaderMap, HeaderValue, Method};

pub(super) const NOW: NumericDate = NumericDate::from_seconds(1_800_000_000);
pub(super) const ADDRESS: &str = "https://api.example/orders";

pub(super) fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn jwk(pair: &Ed25519KeyPair) -> String {
    let x = base64url::encode(pair.public_key().as_ref());
    format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
}

pub(super) fn thumbprint(pair: &Ed25519KeyPair) -> Thumbprint {
    Thumbprint::of(&digest::digest(&digest::SHA256, jwk(pair).as_bytes()))
}

/// A proof of this key for the token `t`, with these claims in place of good ones.
pub(super) fn proof(pair: &Ed25519KeyPair, changes: &[(&str, &str)]) -> String {
    signed(pair, ("EdDSA", &jwk(pair)), changes)
}

/// A proof with this algorithm and this `jwk`.
fn signed(pair: &Ed25519KeyPair, head: (&str, &str), changes: &[(&str, &str)]) -> String {
    let ath = base64url::encode(digest::digest(&digest::SHA256, b"t").as_ref());
    let quoted = |text: &str| format!("\"{text}\"");
    let mut claims = vec![
        ("jti", quoted("1")),
        ("htm", quoted("GET")),
        ("htu", quoted(ADDRESS)),
        ("iat", NOW.seconds().to_string()),
        ("ath", quoted(&ath)),
    ];
    for (name, value) in changes {
        claims.retain(|(held, _)| held != name);
        claims.push((name, (*value).to_owned()));
    }
    let members: Vec<String> = claims
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    let (algorithm, jwk) = head;
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"{algorithm}","jwk":{jwk}}}"#);
    let payload = format!("{{{}}}", members.join(","));
    let input = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload.as_bytes())
    );
    let signature = pair.sign(input.as_bytes());
    format!("{input}.{}", base64url::encode(signature.as_ref()))
}

fn token(cnf: &str) -> VerifiedToken {
    let claims = format!(r#"{{"active":true,"sub":"s","aud":"api"{cnf}}}"#);
    let claims = json::parse(claims.as_bytes(), &Limits::default()).unwrap();
    let json::Json::Object(claims) = claims else {
        panic!("an object")
    };
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let verifier = Verifier::new(issuer, Audiences::new(["api"]).unwrap(), Profile::generic());
    let claims = Claims::from_object(claims).unwrap();
    verifier.verify_answer(claims, NOW).unwrap()
}

fn bound_to(thumbprint: Thumbprint) -> String {
    format!(r#","cnf":{{"jkt":"{thumbprint}"}}"#)
}

struct Sample {
    scheme: Scheme,
    proof: Option<String>,
    certificate: Option<Thumbprint>,
}

const BEARER: Sample = Sample {
    scheme: Scheme::Bearer,
    proof: None,
    certificate: None,
};

/// `shown`, `proven`, or the code.
fn outcome(cnf: &str, sample: &Sample, terms: &ProofTerms) -> &'static str {
    let mut headers = HeaderMap::new();
    if let Some(proof) = &sample.proof {
        headers.insert("dpop", HeaderValue::from_str(proof).unwrap());
    }
    let url = EffectiveUrl::parse(ADDRESS);
    let presentation = Presentation {
        scheme: sample.scheme,
        method: &Method::GET,
        url: url.as_ref(),
        certificate: sample.certificate.as_ref(),
        ..Presentation::bearer(Credential::bearer("t"), &headers)
    };
    let token = token(cnf);
    let bound_to = token.confirmation().unwrap();
    let steps = explain(bound_to.as_ref(), &presentation, terms, NOW);
    let failed = steps.iter().find(|it| it.outcome == Outcome::Fail);
    let failed = failed.map(|step| step.code);
    match prove(token, &presentation, terms, NOW) {
        Ok(possession) => {
            // What people are told is what was decided.
            assert_eq!(failed, None);
            match possession {
                Possession::Shown(_) => "shown",
                Possession::Proven(_) => "proven",
            }
        }
        Err(rejection) => {
            let code = rejection.code().as_str();
            assert_eq!(failed, Some(code));
            code
        }
    }
}

#[test]
fn each_scheme_has_its_tokens() {
    let (own, other) = (pair(1), pair(2));
    let cnf = bound_to(thumbprint(&own));
    let dpop = |proof| Sample {
        scheme: Scheme::Dpop,
        proof,
        ..BEARER
    };
    let terms = ProofTerms::default();
    for (name, cnf, sample, expected) in [
        ("bearer", "", BEARER, "shown"),
        ("bound as bearer", &*cnf, BEARER, "proof.missing"),
        (
            "with its proof",
            &*cnf,
            dpop(Some(proof(&own, &[]))),
            "proven",
        ),
        ("without", &*cnf, dpop(None), "proof.header"),
        (
            "another key",
            &*cnf,
            dpop(Some(proof(&other, &[]))),
            "proof.binding",
        ),
        (
            "not bound",
            "",
            dpop(Some(proof(&own, &[]))),
            "proof.unbound",
        ),
    ] {
        assert_eq!(outcome(cnf, &sample, &terms), expected, "{name}");
    }
    let sample = Sample {
        proof: Some(proof(&own, &[])),
        ..BEARER
    };
    assert_eq!(outcome(&cnf, &sample, &terms), "proof.missing");
    assert_eq!(outcome("", &sample, &terms), "shown");
}

#[test]
fn a_certificate_is_compared_and_both_bindings_hold() {
    let own = pair(1);
    let (shown, other) = (
        Thumbprint::from_bytes([1; 32]),
        Thumbprint::from_bytes([2; 32]),
    );
    let cnf = format!(r#","cnf":{{"x5t#S256":"{shown}"}}"#);
    let both = format!(
        r#","cnf":{{"jkt":"{}","x5t#S256":"{shown}"}}"#,
        thumbprint(&own)
    );
    let with = |certificate| Sample {
        certificate,
        ..BEARER
    };
    let terms = ProofTerms::default();
    assert_eq!(outcome(&cnf, &with(Some(shown)), &terms), "shown");
    assert_eq!(outcome(&cnf, &with(Some(other)), &terms), "proof.binding");
    assert_eq!(outcome(&cnf, &with(None), &terms), "proof.missing");
    assert_eq!(outcome(&both, &with(Some(shown)), &terms), "proof.missing");
    for (certificate, expected) in [(Some(shown), "proven"), (None, "proof.missing")] {
        let sample = Sample {
            scheme: Scheme::Dpop,
            proof: Some(proof(&own, &[])),
            certificate,
        };
        assert_eq!(outcome(&both, &sample, &terms), expected);
    }
}

#[test]
fn a_demand_is_met_by_what_the_token_is_bound_to() {
    let thumbprint = Some(Thumbprint::from_bytes([1; 32]));
    let by_key = Confirmation {
        key: thumbprint,
        certificate: None,
    };
    let by_certificate = Confirmation {
        key: None,
        certificate: thumbprint,
    };
    for (binding, met) in [
        (Binding::Dpop, [true, false, false]),
        (Binding::Mtls, [false, true, false]),
        (Binding::Any, [true, true, false]),
    ] {
        let found = [Some(&by_key), Some(&by_certificate), None].map(|it| binding.is_met_by(it));
        assert_eq!(found, met, "{binding}");
        assert_eq!(Binding::from_name(binding.name()), Some(binding));
    }
}

#[test]
fn the_first_fault_in_the_table_is_told() {
    let own = pair(1);
    let cnf = bound_to(thumbprint(&own));
    let terms = ProofTerms::default();
    let code = |changes: &[(&str, &str)]| {
        let sample = Sample {
            scheme: Scheme::Dpop,
            proof: Some(proof(&own, changes)),
            ..BEARER
        };
        outcome(&cnf, &sample, &terms)
    };
    assert_eq!(code(&[("htm", r#""get""#)]), "proof.method");
    assert_eq!(
        code(&[("htu", r#""https://api.example/other""#)]),
        "proof.url"
    );
    assert_eq!(code(&[("ath", r#""x""#)]), "proof.token");
    assert_eq!(code(&[("jti", r#""""#)]), "proof.malformed");
    for (iat, expected) in [
        (-61, "proof.time"),
        (-60, "proven"),
        (10, "proven"),
        (11, "proof.time"),
    ] {
        let iat = NOW.plus(iat).seconds().to_string();
        assert_eq!(code(&[("iat", &iat)]), expected, "{iat}");
    }
}

#[test]
fn a_nonce_takes_the_place_of_the_clock() {
    let own = pair(1);
    let cnf = bound_to(thumbprint(&own));
    let nonces = Nonces::new(&[7; 32], 60).unwrap();
    let nonce = format!("\"{}\"", nonces.current(NOW));
    let terms = ProofTerms {
        nonces: Some(nonces.into()),
        ..ProofTerms::default()
    };
    let code = |changes: &[(&str, &str)]| {
        let sample = Sample {
            scheme: Scheme::Dpop,
            proof: Some(proof(&own, changes)),
            ..BEARER
        };
        outcome(&cnf, &sample, &terms)
    };
    assert_eq!(code(&[]), "proof.nonce");
    assert_eq!(code(&[("nonce", r#""x""#)]), "proof.nonce");
    assert_eq!(code(&[("nonce", &nonce)]), "proven");
    let late = NOW.plus(-3_600).seconds().to_string();
    assert_eq!(code(&[("nonce", &nonce), ("iat", &late)]), "proven");
}

#[test]
fn a_proof_is_used_once_and_forgotten_when_it_is_too_old() {
    let own = pair(1);
    let cnf = bound_to(thumbprint(&own));
    let mut headers = HeaderMap::new();
    headers.insert("dpop", HeaderValue::from_str(&proof(&own, &[])).unwrap());
    let url = EffectiveUrl::parse(ADDRESS);
    let presentation = Presentation {
        scheme: Scheme::Dpop,
        url: url.as_ref(),
        ..Presentation::bearer(Credential::bearer("t"), &headers)
    };
    let proven = || match prove(token(&cnf), &presentation, &ProofTerms::default(), NOW) {
        Ok(Possession::Proven(proof)) => proof,
        other => panic!("{other:?}"),
    };
    let proof = proven();
    assert_eq!(proof.id(), proven().id());
    // One second after the last at which it would pass.
    assert_eq!(proof.id().until, NOW.plus(61));
    assert!(proof.mark_used(true).is_ok());
    let code = proven().mark_used(false).unwrap_err().code();
    assert_eq!(code, Code::ProofReplayed);
}

#[test]
fn the_key_of_a_proof_is_public_and_made_its_signature() {
    let (own, other) = (pair(1), pair(2));
    let cnf = bound_to(thumbprint(&own));
    let secret = jwk(&own).replace('}', r#","d":"AAAA"}"#);
    for (head, signer, expected) in [
        (("EdDSA", &*jwk(&own)), &own, "proven"),
        (("HS256", &*jwk(&own)), &own, "proof.algorithm"),
        (("ES256", &*jwk(&own)), &own, "proof.key"),
        (("EdDSA", &*secret), &own, "proof.key"),
        (("EdDSA", &*jwk(&own)), &other, "proof.signature"),
    ] {
        let sample = Sample {
            scheme: Scheme::Dpop,
            proof: Some(signed(signer, head, &[])),
            ..BEARER
        };
        let found = outcome(&cnf, &sample, &ProofTerms::default());
        assert_eq!(found, expected, "{head:?}");
    }
}

#[test]
fn without_the_url_of_the_request_no_proof_can_be_checked() {
    let own = pair(1);
    let mut headers = HeaderMap::new();
    let proof = HeaderValue::from_str(&proof(&own, &[])).unwrap();
    headers.insert("dpop", proof);
    let presentation = Presentation {
        scheme: Scheme::Dpop,
        ..Presentation::bearer(Credential::bearer("t"), &headers)
    };
    let cnf = bound_to(thumbprint(&own));
    let told = |presentation: &Presentation<'_>| {
        let bound_to = token(&cnf).confirmation().unwrap();
        let steps = explain(bound_to.as_ref(), presentation, &ProofTerms::default(), NOW);
        let mut failed = steps
            .into_iter()
            .filter(|it| it.outcome == Outcome::Fail);
        failed.next().map(|step| step.code)
    };
    let proven = prove(token(&cnf), &presentation, &ProofTerms::default(), NOW);
    assert_eq!(proven.unwrap_err().code(), Code::ProofUnsupported);
    assert_eq!(told(&presentation), Some("proof.unsupported"));
    // A client that sends none can mend that, whatever the URL is.
    let none = HeaderMap::new();
    let presentation = Presentation {
        scheme: Scheme::Dpop,
        ..Presentation::bearer(Credential::bearer("t"), &none)
    };
    let proven = prove(token(&cnf), &presentation, &ProofTerms::default(), NOW);
    assert_eq!(proven.unwrap_err().code(), Code::ProofHeader);
    assert_eq!(told(&presentation), Some("proof.header"));
}
