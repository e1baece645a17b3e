//! What people read about a proof.

use super::tests::{ADDRESS, NOW, pair, proof, thumbprint};
use super::{Confirmation, Presentation, ProofTerms, explain};
use crate::EffectiveUrl;
use crate::credential::Credential;
use crate::verify::Outcome;
use http::HeaderMap;

/// The steps about a proof of the key 1, as `name: expected, found` where one failed.
fn explained(changes: &[(&str, &str)], url: &str) -> Vec<String> {
    let own = pair(1);
    let mut headers = HeaderMap::new();
    headers.insert("dpop", proof(&own, changes).parse().unwrap());
    let url = EffectiveUrl::parse(url);
    let presentation = Presentation {
        url: url.as_ref(),
        ..Presentation::bearer(Credential::dpop("t"), &headers)
    };
    let bound_to = Confirmation {
        key: Some(thumbprint(&own)),
        certificate: None,
    };
    let terms = ProofTerms::default();
    let mut texts = Vec::new();
    for step in explain(Some(&bound_to), &presentation, &terms, NOW) {
        let (name, expected, found) = (step.name, step.expected, step.found);
        texts.push(match step.outcome {
            Outcome::Fail => format!("{name}: no: {expected}; {found}"),
            _ => format!("{name}: {found}"),
        });
    }
    texts
}

#[test]
fn an_explanation_names_clock_url_method_key_and_token() {
    let key = thumbprint(&pair(1));
    let good = explained(&[("iat", "1799999997")], ADDRESS);
    assert_eq!(
        good,
        [
            "form of the proof: one compact JWS with strict JSON",
            "type of the proof: dpop+jwt",
            "algorithm of the proof: `EdDSA`",
            "identifier of the proof: `1`",
            "method of the proof: `GET`",
            "URL of the proof: `https://api.example/orders`",
            "time of the proof: `iat` 3 s behind our clock",
            "nonce of the proof: none, and none is demanded",
            "token of the proof: the hash of this token",
            &*format!("key of the proof: {key}"),
            "signature of the proof: by the key in `jwk`",
            &*format!("binding of the proof: the key of the token, {key}"),
            "use of the proof: not looked up: only a server knows which were used",
        ]
    );
    let faults = [
        ("iat", "1800000045"),
        ("htm", r#""POST""#),
        ("ath", r#""x""#),
        ("htu", r#""http://API.example:8080/orders?a=b""#),
    ];
    let bad = explained(&faults, ADDRESS);
    for expected in [
        "time of the proof: no: `iat` 60 s behind our clock at most, or 10 s ahead; `iat` 45 s \
         ahead of our clock",
        "method of the proof: no: `htm` to be `GET`; `POST`",
        "token of the proof: no: `ath` to be the SHA-256 of the access token; another value",
        "URL of the proof: no: `htu` to be `https://api.example/orders`; \
         `http://API.example:8080/orders?a=b`, read as `http://api.example:8080/orders`: \
         another scheme and port",
        "signature of the proof: by the key in `jwk`",
    ] {
        assert!(bad.iter().any(|it| it == expected), "{expected}: {bad:#?}");
    }
    let behind = explained(&[("iat", "1799999900")], ADDRESS);
    assert!(behind[6].ends_with("`iat` 100 s behind our clock"));
}
