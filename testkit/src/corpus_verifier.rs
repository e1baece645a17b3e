//! One configuration of the token corpus: one token's way through the core, with its keys.

use crate::NOW;
use crate::corpus::document;
use http::HeaderMap;
use portcullis_core::credential::Credential;
use portcullis_core::jose::{Algorithm, Jwks, Selection, compact, signature};
use portcullis_core::proof::{self, Possession, Presentation, ProofTerms};
use portcullis_core::rejection::Rejection;
use portcullis_core::token::{AccessToken, Audiences, Issuer, NumericDate};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{Denial, Limits, Permit, Requirement, policy};
use serde_json::Value;

/// One configuration: who is trusted, with which keys.
pub struct CorpusVerifier(Vec<(Verifier, Jwks)>);

impl CorpusVerifier {
    pub fn new(document: &Value, name: &str) -> Self {
        let settings = &document["configurations"][name];
        let issuers = settings["issuers"]
            .as_array()
            .or(document["configurations"]["default"]["issuers"].as_array());
        let trusted = issuers.unwrap().iter().map(|issuer| {
            let identifier = issuer["issuer"].as_str().unwrap();
            let audiences = Audiences::new(texts(&issuer["audiences"])).unwrap();
            let profile = profile(settings, &texts(&issuer["algorithms"]));
            let keys = serde_json::json!({ "keys": document["jwks"][identifier] }).to_string();
            let keys = Jwks::parse(keys.as_bytes(), &Limits::default()).unwrap();
            (
                Verifier::new(Issuer::parse(identifier).unwrap(), audiences, profile),
                keys,
            )
        });
        Self(trusted.collect())
    }

    /// The configuration that most rows have.
    pub fn strict() -> Self {
        Self::new(&document("access-tokens.json"), "default")
    }

    pub fn verify(&self, text: &str) -> Result<AccessToken, Rejection> {
        let now = NumericDate::from_seconds(NOW);
        let token = compact::parse(text, &Limits::default())?;
        let issuer = token.unverified_claims().issuer();
        let trusted = self
            .0
            .iter()
            .find(|(verifier, _)| Some(verifier.issuer().as_str()) == issuer);
        let (verifier, keys) = trusted.ok_or_else(|| Rejection::of_issuer(issuer))?;
        verifier.screen(&token, now)?;
        let header = token.header();
        let kid = header.kid.as_deref();
        let keys = match keys.select(kid, header.algorithm) {
            Selection::Keys(keys) => keys,
            Selection::WrongAlgorithm => return Err(Rejection::of_key_algorithm(header.algorithm)),
            Selection::Unknown => return Err(Rejection::of_unknown_key(kid)),
        };
        let token = verifier.verify(signature::check(token, &keys)?, now)?;
        let (headers, terms) = (HeaderMap::new(), ProofTerms::default());
        let presentation = Presentation::bearer(Credential::bearer(text), &headers);
        match proof::prove(token, &presentation, &terms, now)? {
            Possession::Shown(token) => Ok(token),
            Possession::Proven(_) => unreachable!("a bearer token comes without a proof"),
        }
    }

    pub fn permit(&self, token: &str, requirement: &Requirement) -> Result<Permit, Rejection> {
        policy::permit(
            self.verify(token)?,
            requirement,
            NumericDate::from_seconds(NOW),
        )
        .map_err(|denial| match denial {
            Denial::Rejection(rejection) => rejection,
            Denial::Outage(outage) => unreachable!("the corpus demands no rule: {outage}"),
        })
    }
}

fn profile(settings: &Value, algorithms: &[String]) -> Profile {
    let algorithms = algorithms
        .iter()
        .map(|name| Algorithm::from_name(name).unwrap())
        .collect();
    let lenient = settings["typ"]
        .as_array()
        .is_some_and(|types| types.contains(&Value::Null));
    let mut profile = if lenient {
        Profile::generic()
    } else {
        Profile::rfc9068()
    };
    profile.algorithms = algorithms;
    profile
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}
