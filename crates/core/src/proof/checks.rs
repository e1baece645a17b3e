//! The table of a proof's checks, in order, each once (RFC 9449, section 4.3). The signature comes
//! last: an attacker pays for the others before we pay for it.

use super::reading::Proof;
use super::{Presentation, ProofTerms, Thumbprint};
use crate::EffectiveUrl;
use crate::jose::json::Json;
use crate::jose::{Algorithm, EmbeddedKey, base64url};
use crate::rejection::{Code, Facts, Rejection, quote};
use crate::token::NumericDate;
use aws_lc_rs::digest;

/// One check of a proof.
#[derive(Debug)]
#[non_exhaustive]
pub struct ProofCheck {
    /// What is checked.
    pub name: &'static str,
    /// The refusal if it fails.
    pub code: Code,
    pub(super) run: fn(&ProofExamination<'_>) -> Result<(), Facts>,
    /// What a proof that passes has there, for people.
    pub(super) found: fn(&ProofExamination<'_>) -> String,
}

const fn row(
    name: &'static str,
    code: Code,
    run: fn(&ProofExamination<'_>) -> Result<(), Facts>,
    found: fn(&ProofExamination<'_>) -> String,
) -> ProofCheck {
    ProofCheck {
        name,
        code,
        run,
        found,
    }
}

/// The checks that need no key, in their order.
#[rustfmt::skip]
pub static PROOF_CHECKS: &[ProofCheck] = &[
    row("type of the proof", Code::ProofMalformed, has_type, |_| "dpop+jwt".to_owned()),
    row("algorithm of the proof", Code::ProofAlgorithm, has_algorithm, |x| x.quote_header("alg")),
    row("identifier of the proof", Code::ProofMalformed, has_identifier, |x| x.quote_claim("jti")),
    row("method of the proof", Code::ProofMethod, is_for_method, |x| x.quote_claim("htm")),
    row("URL of the proof", Code::ProofUrl, is_for_url, |x| x.quote_claim("htu")),
    row("time of the proof", Code::ProofTime, is_timely, |x| x.clock()),
    row("nonce of the proof", Code::ProofNonce, has_nonce, |x| x.nonce()),
    row("token of the proof", Code::ProofToken, is_for_token, own_hash),
];

/// One proof before one request at one moment.
#[derive(Debug)]
pub(super) struct ProofExamination<'x> {
    proof: &'x Proof<'x>,
    presentation: &'x Presentation<'x>,
    /// What the client asked for.
    url: Option<&'x EffectiveUrl>,
    terms: &'x ProofTerms,
    now: NumericDate,
}

impl<'x> ProofExamination<'x> {
    pub(super) fn new(
        proof: &'x Proof<'x>,
        presentation: &'x Presentation<'x>,
        url: Option<&'x EffectiveUrl>,
        terms: &'x ProofTerms,
        now: NumericDate,
    ) -> Self {
        Self {
            proof,
            presentation,
            url,
            terms,
            now,
        }
    }

    /// From when on a second use would be refused for its age.
    pub(super) fn forgotten_from(&self) -> NumericDate {
        if let Some(nonces) = &self.terms.nonces {
            return self.now.plus(nonces.longest_seconds());
        }
        let issued = self.issue_time().unwrap_or(self.now);
        issued.plus(i64::from(self.terms.past_seconds) + 1)
    }

    /// Which of the two clocks is ahead, and by how much.
    fn clock(&self) -> String {
        let Some(issued) = self.issue_time() else {
            return "something else".to_owned();
        };
        match self.now.since(issued) {
            0 => "`iat` equal to our clock".to_owned(),
            age @ 1.. => format!("`iat` {age} s behind our clock"),
            age => format!("`iat` {} s ahead of our clock", age.saturating_neg()),
        }
    }

    fn nonce(&self) -> String {
        match (&self.terms.nonces, self.proof.text("nonce")) {
            (None, None) => "none, and none is demanded".to_owned(),
            (None, Some(nonce)) => format!("{}, and none is demanded", quote(nonce)),
            (Some(_), _) => "a nonce of this server".to_owned(),
        }
    }

    fn quote_claim(&self, claim: &str) -> String {
        quote(self.proof.text(claim).unwrap_or_default())
    }

    fn quote_header(&self, name: &str) -> String {
        let value = self.proof.header(name).and_then(Json::as_str);
        quote(value.unwrap_or_default())
    }

    fn issue_time(&self) -> Option<NumericDate> {
        self.proof
            .claim("iat")
            .and_then(NumericDate::from_json)
    }

    fn algorithm(&self) -> Option<Algorithm> {
        let name = self.proof.header("alg").and_then(Json::as_str)?;
        let algorithm = Algorithm::from_name(name)?;
        self.terms
            .algorithms
            .contains(&algorithm)
            .then_some(algorithm)
    }

    /// The text of a claim, or what stands in its place.
    fn text(&self, name: &'static str, expected: &'static str) -> Result<&'x str, Facts> {
        match self.proof.claim(name) {
            Some(Json::String(text)) => Ok(text),
            Some(other) => Err(Facts::new(expected, other.type_name())),
            None => Err(Facts::new(expected, format!("no `{name}`"))),
        }
    }
}

/// Runs the table, then proves the signature. Returns the thumbprint of the key that signed.
pub(super) fn run(x: &ProofExamination<'_>) -> Result<Thumbprint, Rejection> {
    for check in PROOF_CHECKS {
        (check.run)(x).map_err(|facts| Rejection::with(check.code, facts))?;
    }
    let key = embedded_key(x)?;
    is_signed_by(x, &key)?;
    Ok(key.thumbprint())
}

/// Whether the key that the proof brings along signed it.
pub(super) fn is_signed_by(x: &ProofExamination<'_>, key: &EmbeddedKey) -> Result<(), Rejection> {
    let proof = x.proof;
    if key.verifies(proof.signing_input().as_bytes(), proof.signature()) {
        return Ok(());
    }
    let facts = Facts::new("the signature of the key in `jwk`", "another one");
    Err(Rejection::with(Code::ProofSignature, facts))
}

pub(super) fn embedded_key(x: &ProofExamination<'_>) -> Result<EmbeddedKey, Rejection> {
    let expected = "a public key in the header `jwk`";
    let refusal = |found: String| Rejection::with(Code::ProofKey, Facts::new(expected, found));
    let (Some(jwk), Some(algorithm)) = (x.proof.header("jwk"), x.algorithm()) else {
        return Err(refusal("no `jwk`".to_owned()));
    };
    EmbeddedKey::from_jwk(jwk, algorithm).map_err(|fault| refusal(fault.to_string()))
}

fn own_hash(_: &ProofExamination<'_>) -> String {
    "the hash of this token".to_owned()
}

/// The type keeps other JWTs that the same key signed from being taken for proofs.
fn has_type(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let found = match x.proof.header("typ") {
        Some(Json::String(typ)) if **typ == *"dpop+jwt" => return Ok(()),
        Some(Json::String(typ)) => quote(typ),
        Some(other) => other.type_name().to_owned(),
        None => "no `typ`".to_owned(),
    };
    Err(Facts::new("`typ` to be `dpop+jwt`", found))
}

fn has_algorithm(x: &ProofExamination<'_>) -> Result<(), Facts> {
    if x.algorithm().is_some() {
        return Ok(());
    }
    let found = match x.proof.header("alg") {
        Some(Json::String(name)) => quote(name),
        Some(other) => other.type_name().to_owned(),
        None => "no `alg`".to_owned(),
    };
    let names = x.terms.algorithm_names();
    Err(Facts::new(format!("one of {names}"), found))
}

fn has_identifier(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let most = x.terms.jti_bytes;
    let jti = x.text("jti", "`jti` to be a string that is not empty")?;
    // It is remembered by its digest, but whoever sends long ones sends no random ones.
    if (1..=most).contains(&jti.len()) {
        return Ok(());
    }
    let found = format!("{} bytes", jti.len());
    Err(Facts::new(format!("`jti` with 1 to {most} bytes"), found))
}

fn is_for_method(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let method = x.presentation.method.as_str();
    let htm = x.text("htm", "`htm` to be a method")?;
    if htm == method {
        return Ok(());
    }
    let expected = format!("`htm` to be {}", quote(method));
    Err(Facts::new(expected, quote(htm)))
}

fn is_for_url(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let htu = x.text("htu", "`htu` to be a URL")?;
    let Some(url) = x.url else {
        return Err(Facts::new("the URL of the request", "none"));
    };
    let proven = EffectiveUrl::parse(htu);
    if proven.as_ref() == Some(url) {
        return Ok(());
    }
    let expected = format!("`htu` to be {}", quote(&url.to_string()));
    Err(Facts::new(expected, mismatch(htu, proven.as_ref(), url)))
}

/// The URL of the proof as it is written, as it was read, and what differs.
fn mismatch(htu: &str, proven: Option<&EffectiveUrl>, url: &EffectiveUrl) -> String {
    let Some(proven) = proven else {
        return format!("{}, which is no URL of http or https", quote(htu));
    };
    let parts = url.differences(proven).join(" and ");
    let read = proven.to_string();
    let written = quote(htu);
    if read == htu {
        return format!("{written}: another {parts}");
    }
    // A client that writes a query or a port sees why that is not the fault.
    format!("{written}, read as {}: another {parts}", quote(&read))
}

fn is_timely(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let Some(issued) = x.issue_time() else {
        return Err(Facts::new(
            "`iat` to be a number of seconds",
            "something else",
        ));
    };
    // The nonce says how old the proof is, whatever its clock says.
    if x.terms.nonces.is_some() {
        return Ok(());
    }
    let age = x.now.since(issued);
    let (past, future) = (
        i64::from(x.terms.past_seconds),
        i64::from(x.terms.future_seconds),
    );
    if (-future..=past).contains(&age) {
        return Ok(());
    }
    let expected = format!("`iat` {past} s behind our clock at most, or {future} s ahead");
    Err(Facts::new(expected, x.clock()))
}

fn has_nonce(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let Some(nonces) = &x.terms.nonces else {
        return Ok(());
    };
    let expected = "a nonce of this server that is not over";
    let nonce = x.text("nonce", expected)?;
    if nonces.know(nonce, x.now) {
        return Ok(());
    }
    Err(Facts::new(expected, "another one"))
}

fn is_for_token(x: &ProofExamination<'_>) -> Result<(), Facts> {
    let expected = "`ath` to be the SHA-256 of the access token";
    let hash = digest::digest(&digest::SHA256, x.presentation.token.as_bytes());
    if x.text("ath", expected)? == base64url::encode(hash.as_ref()) {
        return Ok(());
    }
    Err(Facts::new(expected, "another value"))
}
