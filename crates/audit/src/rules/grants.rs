//! What is offered to clients, by RFC 9700 and what it builds on.

use crate::evidence::{holds, only, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.pkce_missing",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.1.1",
        title: "the metadata does not say that PKCE is supported",
        cure: "support PKCE and publish `code_challenge_methods_supported` with `S256`; if the \
            provider supports it without saying so, have every client use it",
        check: RuleCheck::Issuer(no_pkce),
    },
    Rule {
        id: "audit.pkce_s256_missing",
        severity: Severity::Error,
        section: "RFC 9700, section 2.1.1",
        title: "PKCE is offered without S256",
        cure: "support the challenge method `S256`: `plain` shows the verifier to everybody who \
            sees the request",
        check: RuleCheck::Issuer(no_s256),
    },
    Rule {
        id: "audit.pkce_plain",
        severity: Severity::Note,
        section: "RFC 9700, section 2.1.1",
        title: "PKCE is offered with `plain` as well",
        cure: "have every client use `S256`, and switch `plain` off where that can be done",
        check: RuleCheck::Issuer(plain_pkce),
    },
    Rule {
        id: "audit.implicit_offered",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.1.2",
        title: "the authorization endpoint issues access tokens",
        cure: "have every client use the code flow with PKCE, and disable the implicit flow for \
            each",
        check: RuleCheck::Issuer(implicit),
    },
    Rule {
        id: "audit.password_offered",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.4",
        title: "the password grant is offered",
        cure: "disable it for every client: the client sees the password of the user, and a \
            second factor is impossible",
        check: RuleCheck::Issuer(password),
    },
    Rule {
        id: "audit.iss_missing",
        severity: Severity::Warning,
        section: "RFC 9207, section 3",
        title: "authorization responses do not name their issuer",
        cure: "send `iss` and publish `authorization_response_iss_parameter_supported`; until \
            then, a client of several providers needs a redirect address for each (RFC 9700, \
            section 4.4.2)",
        check: RuleCheck::Issuer(no_iss),
    },
    Rule {
        id: "audit.sender_constraint_missing",
        severity: Severity::Note,
        section: "RFC 9700, section 2.2.1",
        title: "access tokens cannot be bound to a client's key",
        cure: "offer DPoP (RFC 9449) or certificate-bound tokens (RFC 8705); until then, keep \
            tokens short-lived",
        check: RuleCheck::Issuer(unbound),
    },
    Rule {
        id: "audit.dpop_algorithm",
        severity: Severity::Error,
        section: "RFC 9449, section 5.1",
        title: "DPoP proofs without a signature are accepted",
        cure: "list asymmetric algorithms only in `dpop_signing_alg_values_supported`",
        check: RuleCheck::Issuer(dpop_algorithms),
    },
    Rule {
        id: "audit.par_missing",
        severity: Severity::Note,
        section: "RFC 9126, section 5",
        title: "authorization requests cannot be pushed",
        cure: "offer `pushed_authorization_request_endpoint`, so that nobody can change a \
            request in the browser",
        check: RuleCheck::Issuer(no_par),
    },
    Rule {
        id: "audit.par_contradiction",
        severity: Severity::Warning,
        section: "RFC 9126, section 5",
        title: "pushed requests are required, but no endpoint accepts them",
        cure: "publish `pushed_authorization_request_endpoint`",
        check: RuleCheck::Issuer(par_contradiction),
    },
    Rule {
        id: "audit.request_uri_open",
        severity: Severity::Note,
        section: "RFC 9101, section 10.4.1",
        title: "the provider fetches any `request_uri` that a request names",
        cure: "require their registration (`require_request_uri_registration`), or accept only \
            pushed requests",
        check: RuleCheck::Issuer(open_request_uri),
    },
];

const METHODS: &str = "code_challenge_methods_supported";
const DPOP_ALGORITHMS: &str = "dpop_signing_alg_values_supported";

fn methods(observation: &Observation) -> Vec<&str> {
    observation.list(METHODS).unwrap_or_default()
}

/// PKCE protects codes: an issuer without codes needs none.
fn has_codes(observation: &Observation) -> bool {
    if !observation.has_users() {
        return false;
    }
    match observation.list("response_types_supported") {
        Some(types) => types.iter().any(|it| it.contains("code")),
        // RFC 8414, section 2 demands the member; an issuer that leaves it out most likely has
        // codes.
        None => true,
    }
}

fn no_pkce(observation: &Observation) -> Vec<String> {
    when(
        has_codes(observation) && methods(observation).is_empty(),
        "no `code_challenge_methods_supported`",
    )
}

fn no_s256(observation: &Observation) -> Vec<String> {
    let methods = methods(observation);
    if !has_codes(observation) || methods.contains(&"S256") {
        return Vec::new();
    }
    holds(METHODS, methods)
}

fn plain_pkce(observation: &Observation) -> Vec<String> {
    // An attacker who can choose `plain` reads the verifier in the request (RFC 7636, section 7.2).
    let methods = methods(observation);
    when(
        methods.contains(&"plain") && methods.contains(&"S256"),
        "`code_challenge_methods_supported` holds `plain`",
    )
}

fn implicit(observation: &Observation) -> Vec<String> {
    const TYPES: &str = "response_types_supported";
    if !observation.has_users() {
        return Vec::new();
    }
    let types = observation.list(TYPES).unwrap_or_default();
    holds(TYPES, only(types, gives_access_token))
}

/// Whether a response type has the word `token`, alone or in a hybrid. An ID token alone is
/// harmless: it opens no API.
fn gives_access_token(response_type: &str) -> bool {
    response_type.split(' ').any(|word| word == "token")
}

fn password(observation: &Observation) -> Vec<String> {
    // The grant teaches people to type their password into applications (RFC 9700, section 2.4).
    when(
        observation.lists("grant_types_supported", "password"),
        "`grant_types_supported` holds `password`",
    )
}

fn no_iss(observation: &Observation) -> Vec<String> {
    // Without `iss` a client of two providers can be led to send a code to the wrong one.
    let says = observation.says("authorization_response_iss_parameter_supported");
    when(
        observation.has_users() && !says,
        "`authorization_response_iss_parameter_supported` is not true",
    )
}

fn unbound(observation: &Observation) -> Vec<String> {
    let dpop = observation.list(DPOP_ALGORITHMS).unwrap_or_default();
    let mtls = observation.says("tls_client_certificate_bound_access_tokens");
    when(
        observation.has("token_endpoint") && dpop.is_empty() && !mtls,
        "neither `dpop_signing_alg_values_supported` nor \
            `tls_client_certificate_bound_access_tokens`",
    )
}

fn dpop_algorithms(observation: &Observation) -> Vec<String> {
    let list = observation.list(DPOP_ALGORITHMS).unwrap_or_default();
    holds(DPOP_ALGORITHMS, only(list, proves_nothing))
}

/// A proof needs a key of the client's own (RFC 9449, section 4.2): a shared secret is none.
fn proves_nothing(algorithm: &str) -> bool {
    algorithm == "none" || algorithm.starts_with("HS")
}

fn no_par(observation: &Observation) -> Vec<String> {
    // A provider that demands it and has none contradicts itself, which is another rule.
    when(
        observation.has_users() && !has_par(observation) && !requires_par(observation),
        "no `pushed_authorization_request_endpoint`",
    )
}

fn has_par(observation: &Observation) -> bool {
    observation.has("pushed_authorization_request_endpoint")
}

fn requires_par(observation: &Observation) -> bool {
    observation.says("require_pushed_authorization_requests")
}

fn par_contradiction(observation: &Observation) -> Vec<String> {
    when(
        requires_par(observation) && !has_par(observation),
        "`require_pushed_authorization_requests` is true",
    )
}

fn open_request_uri(observation: &Observation) -> Vec<String> {
    // OpenID Connect says that silence means support; many silent providers have none, so only a
    // provider that says it counts.
    let open = observation.says("request_uri_parameter_supported")
        && !observation.says("require_request_uri_registration");
    when(
        open,
        "`request_uri_parameter_supported` is true, `require_request_uri_registration` is not",
    )
}
