//! The checks of a proof and of a certificate, run to the end, for a person to read.

use super::checks::{self, PROOF_CHECKS, ProofExamination};
use super::reading::{self, Proof};
use super::{Confirmation, Presentation, ProofTerms, Thumbprint};
use super::{check_certificate, check_key, unbound, url_of};
use crate::EffectiveUrl;
use crate::credential::Scheme;
use crate::rejection::{Code, Facts, Rejection};
use crate::token::NumericDate;
use crate::verify::{Outcome, Step};

/// The name of the step that only a memory of used proofs can take.
pub const USE_OF_PROOF: &str = "use of the proof";

const POSSESSION: &str = "proof of possession";
const CERTIFICATE: &str = "client certificate";
const URL: &str = "URL of the request";
const FORM: &str = "form of the proof";
const KEY: &str = "key of the proof";
const SIGNATURE: &str = "signature of the proof";
const BINDING: &str = "binding of the proof";

/// Every check of what a request shows beside its token, each with its outcome. None for a token
/// that is not bound and comes as a plain bearer token.
///
/// Whether a proof was used before is not looked up: see [`USE_OF_PROOF`].
pub fn explain(
    bound_to: Option<&Confirmation>,
    presentation: &Presentation<'_>,
    terms: &ProofTerms,
    now: NumericDate,
) -> Vec<Step> {
    let certificate = bound_to.and_then(|it| it.certificate);
    let key = bound_to.and_then(|it| it.key);
    let mut steps: Vec<Step> = certificate
        .map(|it| certificate_step(&it, presentation))
        .into_iter()
        .collect();
    match (key, presentation.scheme) {
        (None, Scheme::Bearer) => {}
        (Some(key), Scheme::Bearer) => {
            let step = Step::new(POSSESSION, Outcome::Fail, Code::ProofMissing);
            let expected = format!("a proof of the key {key}");
            let found = match presentation.headers.contains_key("dpop") {
                true => "a proof, and the token under the scheme `Bearer` in place of `DPoP`",
                false => "a plain bearer token",
            };
            steps.push(step.with_texts(expected, found));
        }
        (key, Scheme::Dpop) => steps.extend(of_proof(key.as_ref(), presentation, terms, now)),
    }
    steps
}

fn certificate_step(bound_to: &Thumbprint, presentation: &Presentation<'_>) -> Step {
    match check_certificate(bound_to, presentation) {
        Ok(()) => pass(CERTIFICATE, Code::ProofBinding, bound_to.to_string()),
        Err(rejection) => {
            let found = rejection.facts().found().to_owned();
            let step = Step::failure(CERTIFICATE, &rejection);
            step.with_texts(format!("the certificate {bound_to}"), found)
        }
    }
}

fn of_proof(
    key: Option<&Thumbprint>,
    presentation: &Presentation<'_>,
    terms: &ProofTerms,
    now: NumericDate,
) -> Vec<Step> {
    let mut steps = Vec::new();
    if key.is_none() {
        let rejection = unbound("a token that is bound to no key");
        steps.push(Step::failure(POSSESSION, &rejection));
    }
    // In the order of `prove`: a client that sent no proof is told that, whatever the URL is.
    let found = reading::find(presentation.headers);
    let mut url = None;
    if found.is_ok() {
        match url_of(presentation) {
            Ok(found) => url = Some(found),
            Err(rejection) => steps.push(Step::failure(URL, &rejection)),
        }
    }
    match found.and_then(|text| reading::parse(text, terms)) {
        Ok(proof) => {
            let form = "one compact JWS with strict JSON";
            steps.push(pass(FORM, Code::ProofMalformed, form.to_owned()));
            let context = ProofContext {
                presentation,
                terms,
                now,
            };
            steps.extend(context.rows(&proof, url));
            steps.extend(context.keys(&proof, key));
        }
        Err(rejection) => {
            steps.push(Step::failure(FORM, &rejection));
            steps.extend(not_reached());
        }
    }
    steps
}

/// The rows after a proof that cannot be read.
fn not_reached() -> Vec<Step> {
    let rows = PROOF_CHECKS.iter().map(|row| (row.name, row.code));
    let keys = [
        (KEY, Code::ProofKey),
        (SIGNATURE, Code::ProofSignature),
        (BINDING, Code::ProofBinding),
        (USE_OF_PROOF, Code::ProofReplayed),
    ];
    let all = rows.chain(keys);
    all.map(|(name, code)| Step::not_reached(name, code))
        .collect()
}

/// What a proof is held against.
struct ProofContext<'x> {
    presentation: &'x Presentation<'x>,
    terms: &'x ProofTerms,
    now: NumericDate,
}

impl ProofContext<'_> {
    /// The table. Without the URL of the request, the row that needs it is not reached.
    fn rows(&self, proof: &Proof<'_>, url: Option<&EffectiveUrl>) -> Vec<Step> {
        let examination = self.examination(proof, url);
        let mut steps = Vec::new();
        for row in PROOF_CHECKS {
            let is_reached = url.is_some() || row.code != Code::ProofUrl;
            steps.push(match (row.run)(&examination) {
                _ if !is_reached => Step::not_reached(row.name, row.code),
                Ok(()) => pass(row.name, row.code, (row.found)(&examination)),
                Err(facts) => fail(row.name, row.code, facts),
            });
        }
        steps
    }

    /// The key, its signature, and whether it is the one of the token.
    fn keys(&self, proof: &Proof<'_>, bound_to: Option<&Thumbprint>) -> Vec<Step> {
        let examination = self.examination(proof, None);
        let used = Step::new(USE_OF_PROOF, Outcome::Skipped, Code::ProofReplayed);
        let used = used.with_texts("", "not looked up: only a server knows which were used");
        let key = match checks::embedded_key(&examination) {
            Ok(key) => key,
            Err(rejection) => {
                let signature = Step::not_reached(SIGNATURE, Code::ProofSignature);
                let binding = Step::not_reached(BINDING, Code::ProofBinding);
                return vec![Step::failure(KEY, &rejection), signature, binding, used];
            }
        };
        let thumbprint = key.thumbprint();
        let signed = checks::is_signed_by(&examination, &key);
        let by_key = "by the key in `jwk`".to_owned();
        let same = format!("the key of the token, {thumbprint}");
        let bound = bound_to.map(|it| check_key(it, &thumbprint));
        vec![
            pass(KEY, Code::ProofKey, thumbprint.to_string()),
            step(SIGNATURE, Code::ProofSignature, signed, by_key),
            bound.map_or_else(
                || Step::not_reached(BINDING, Code::ProofBinding),
                |bound| step(BINDING, Code::ProofBinding, bound, same),
            ),
            used,
        ]
    }

    fn examination<'x>(
        &'x self,
        proof: &'x Proof<'x>,
        url: Option<&'x EffectiveUrl>,
    ) -> ProofExamination<'x> {
        ProofExamination::new(proof, self.presentation, url, self.terms, self.now)
    }
}

fn step(name: &'static str, code: Code, result: Result<(), Rejection>, found: String) -> Step {
    match result {
        Ok(()) => pass(name, code, found),
        Err(rejection) => Step::failure(name, &rejection),
    }
}

fn pass(name: &'static str, code: Code, found: String) -> Step {
    Step::new(name, Outcome::Pass, code).with_texts("", found)
}

fn fail(name: &'static str, code: Code, facts: Facts) -> Step {
    Step::failure(name, &Rejection::with(code, facts))
}
