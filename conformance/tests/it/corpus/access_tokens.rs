//! 500 tokens, good, hostile and odd.

use crate::tally::Tally;
use portcullis_core::challenge::{Problem, challenge};
use portcullis_core::rejection::{Code, Rejection};
use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};
use std::collections::BTreeMap;

/// Where the corpus leaves the choice, the choice we made: these are accepted, the others refused.
const CHOSEN: &[&str] = &[
    "base-ed25519-name",
    "base-exponent-exp",
    "iat-type-negative",
    "inject-jku-valid-signature",
    "inject-jwk-same-as-trusted",
    "jws-zip",
    "kid-missing",
    "nbf-after-exp",
    "scope-array",
    "sig-ecdsa-malleated",
    "sub-control",
    "sub-nul",
];

/// The codes that a hint of the corpus may stand for. The first failing check differs with the
/// order of checks.
fn fits(reason: &str, code: Code) -> bool {
    use Code::*;
    let fitting: &[Code] = match reason {
        "algorithm" => &[TokenAlgorithm, TokenMalformed, TokenKeyUnknown],
        "audience" => &[TokenAudience, TokenClaimMissing, TokenClaimType],
        "binding" => &[ProofMissing, ProofUnsupported, TokenClaimType],
        "claim-missing" => &[TokenClaimMissing],
        "claim-type" => &[
            TokenClaimType,
            TokenMalformed,
            ProofMissing,
            ProofUnsupported,
        ],
        "expired" => &[TokenExpired, TokenClaimMissing, TokenClaimType],
        "format" => &[TokenMalformed, TokenHeader, TokenAlgorithm],
        "limits" => &[TokenMalformed, TokenTooLarge],
        "header" => &[TokenHeader],
        "issuer" => &[TokenIssuer, TokenClaimType],
        "key" => &[TokenKeyUnknown, TokenAlgorithm, TokenSignature],
        "lifetime" => &[TokenLifetime, TokenNotYetValid, TokenClaimType],
        "not-yet-valid" => &[TokenNotYetValid],
        "signature" => &[TokenSignature, TokenMalformed],
        "type" => &[TokenType, TokenHeader, TokenIdToken, TokenIssuer],
        _ => &[],
    };
    fitting.contains(&code)
}

#[test]
fn every_token_gets_its_answer() {
    let document = document("access-tokens.json");
    let lines: BTreeMap<&str, CorpusVerifier> = ["default", "lenient-typ", "two-issuers"]
        .into_iter()
        .map(|name| (name, CorpusVerifier::new(&document, name)))
        .collect();
    let mut tally = Tally::new("corpus access-tokens");
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let line = &lines[row["config"].as_str().unwrap_or("default")];
        let result = line.verify(row["token"].as_str().unwrap());
        let as_expected = match row["expect"].as_str().unwrap() {
            "accept" => result.is_ok(),
            "reject" => result.is_err(),
            "either" => result.is_ok() == CHOSEN.contains(&id),
            other => panic!("{other}"),
        };
        let reason = row["reason"].as_str().unwrap_or_default();
        let sensible = result
            .as_ref()
            .err()
            .is_none_or(|rejection| fits(reason, rejection.code()));
        tally.count(id, as_expected && sensible, || {
            format!("{:?} for {reason}", result.map_err(|it| it.to_string()))
        });
    }
    tally.finish(500);
}

#[test]
fn no_refusal_echoes_the_token() {
    let document = document("access-tokens.json");
    let line = CorpusVerifier::strict();
    for row in rows(&document) {
        let token = row["token"].as_str().unwrap();
        let Err(rejection) = line.verify(token) else {
            continue;
        };
        let answer = wire(&rejection);
        for part in token.split('.').filter(|part| part.len() > 12) {
            assert!(!answer.contains(part), "{}", row["id"]);
        }
        assert_eq!(answer, wire(&line.verify(token).unwrap_err()));
        let fixed = rejection.code().entry();
        let expected = format!("{}{}", fixed.code, fixed.phrase);
        assert!(
            answer.len() < expected.len() * 4 + 300,
            "nothing but fixed text: {answer}"
        );
    }
}

fn wire(rejection: &Rejection) -> String {
    let body = serde_json::to_string(&Problem::of_rejection(rejection, "r")).unwrap();
    format!("{}\n{body}", challenge(rejection, "api").www_authenticate)
}

/// One byte of a good token changed at a time, at every place and in several ways: never accepted.
#[test]
fn no_mutation_of_a_good_token_is_accepted() {
    let document = document("access-tokens.json");
    let line = CorpusVerifier::strict();
    let good = rows(&document).iter().filter(|row| {
        ["base-es256", "base-eddsa", "base-rs256"].contains(&row["id"].as_str().unwrap())
    });
    let mut tried = 0;
    for row in good {
        let token = row["token"].as_str().unwrap();
        assert!(line.verify(token).is_ok());
        for place in 0..token.len() {
            for replacement in [b'A', b'_', b'.', b'=', b'\n', b'9'] {
                let mut bytes = token.as_bytes().to_vec();
                if bytes[place] != replacement {
                    bytes[place] = replacement;
                    assert!(
                        line.verify(std::str::from_utf8(&bytes).unwrap())
                            .is_err(),
                        "{} at {place}",
                        row["id"]
                    );
                    tried += 1;
                }
            }
            assert!(line.verify(&token[..place]).is_err());
        }
    }
    println!("mutations of good tokens: {tried} tried, none accepted");
    assert!(tried > 8_000);
}
