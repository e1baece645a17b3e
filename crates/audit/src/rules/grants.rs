//! What is offered to clients, by RFC 9700 and what it builds on.

use crate::evidence::{quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.pkce_missing",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.1.1",
        title: "the metadata does not say that PKCE is supported",
        cure: "support PKCE and publish `code_challenge_methods_supported` with `S256`; where the \
            provider's documentation \
               says that it does, have every client use it all the same",
        check: RuleCheck::Issuer(no_pkce),
    },
    Rule {
        id: "audit.pkce_s256_missing",
        severity: Severity::Error,
        section: "RFC 9700, section 2.1.1",
        title: "PKCE is offered without S256",
        cure: "support the challenge method `S256`: `plain` shows the verifier to whoever sees the \
            request",
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
        title: "access tokens are given out by the authorization endpoint",
        cure: "have every client use the code flow with PKCE, and switch the implicit flow off for \
            each",
        check: RuleCheck::Issuer(implicit),
    },
    Rule {
        id: "audit.password_offered",
        severity: Severity::Warning,
        section: "RFC 9700, section 2.4",
        title: "the password grant is offered",
        cure: "switch it off for every client: it shows the user's password to the client, and \
            knows no second factor",
        check: RuleCheck::Issuer(password),
    },
    Rule {
        id: "audit.iss_missing",
        severity: Severity::Warning,
        section: "RFC 9207, section 3",
        title: "authorization responses do not say whose they are",
        cure: "send `iss` and say so by `authorization_response_iss_parameter_supported`; until \
            then, a client of several \
               providers needs a redirect address for each (RFC 9700, section 4.4.2)",
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
        cure: "offer `pushed_authorization_request_endpoint`, so that nobody can change a request \
            on its way",
        check: RuleCheck::Issuer(no_par),
    },
    Rule {
        id: "audit.par_contradiction",
        severity: Severity::Warning,
        section: "RFC 9126, section 5",
        title: "pushed requests are required, and there is nowhere to push them",
        cure: "publish `pushed_authorization_request_endpoint`",
        check: RuleCheck::Issuer(par_contradiction),
    },
    Rule {
        id: "audit.request_uri_open",
        severity: Severity::Note,
        section: "RFC 9101, section 10.4.1",
        title: "the provider fetches any `request_uri` that a request names",
        cure: "demand their registration (`require_request_uri_registration`), or take none but \
            pushed ones",
        check: RuleCheck::Issuer(open_request_uri),
    },
];

fn methods(observation: &Observation) -> Option<Vec<&str>> {
    observation
        .list("code_challenge_methods_supported")
        .filter(|list| !list.is_empty())
}

/// Only a code needs to be protected.
fn has_codes(observation: &Observation) -> bool {
    observation.has_users()
        && observation
            .list("response_types_supported")
            .is_none_or(|list| list.iter().any(|it| it.contains("code")))
}

fn no_pkce(observation: &Observation) -> Vec<String> {
    let wrong = has_codes(observation) && methods(observation).is_none();
    when(wrong, || "no `code_challenge_methods_supported`".to_owned())
}

fn no_s256(observation: &Observation) -> Vec<String> {
    let methods =
        methods(observation).filter(|list| has_codes(observation) && !list.contains(&"S256"));
    methods
        .map(|list| {
            format!(
                "`code_challenge_methods_supported` holds {}",
                quote_list(list)
            )
        })
        .into_iter()
        .collect()
}

fn plain_pkce(observation: &Observation) -> Vec<String> {
    let wrong =
        methods(observation).is_some_and(|list| list.contains(&"plain") && list.contains(&"S256"));
    when(wrong, || {
        "`code_challenge_methods_supported` holds `plain`".to_owned()
    })
}

/// `token` among the words of a response type, be it hybrid; an ID token alone is another matter.
fn implicit(observation: &Observation) -> Vec<String> {
    let types = observation
        .list("response_types_supported")
        .unwrap_or_default();
    let giving = |name: &&str| name.split(' ').any(|word| word == "token");
    let types: Vec<&str> = types.into_iter().filter(giving).collect();
    when(observation.has_users() && !types.is_empty(), || {
        format!("`response_types_supported` holds {}", quote_list(types))
    })
}

fn password(observation: &Observation) -> Vec<String> {
    let offered = observation.lists("grant_types_supported", "password");
    when(offered, || {
        "`grant_types_supported` holds `password`".to_owned()
    })
}

fn no_iss(observation: &Observation) -> Vec<String> {
    let wrong = observation.has_users()
        && !observation.says("authorization_response_iss_parameter_supported");
    when(wrong, || {
        "`authorization_response_iss_parameter_supported` is not true".to_owned()
    })
}

fn unbound(observation: &Observation) -> Vec<String> {
    let dpop = observation
        .list("dpop_signing_alg_values_supported")
        .is_some_and(|list| !list.is_empty());
    let bound = dpop || observation.says("tls_client_certificate_bound_access_tokens");
    when(observation.has("token_endpoint") && !bound, || {
        "neither `dpop_signing_alg_values_supported` nor \
            `tls_client_certificate_bound_access_tokens`"
            .to_owned()
    })
}

fn dpop_algorithms(observation: &Observation) -> Vec<String> {
    let list = observation
        .list("dpop_signing_alg_values_supported")
        .unwrap_or_default();
    let weak: Vec<&str> = list
        .into_iter()
        .filter(|name| *name == "none" || name.starts_with("HS"))
        .collect();
    when(!weak.is_empty(), || {
        format!(
            "`dpop_signing_alg_values_supported` holds {}",
            quote_list(weak)
        )
    })
}

fn no_par(observation: &Observation) -> Vec<String> {
    let wrong = observation.has_users()
        && !observation.has("pushed_authorization_request_endpoint")
        && !requires_par(observation);
    when(wrong, || {
        "no `pushed_authorization_request_endpoint`".to_owned()
    })
}

fn requires_par(observation: &Observation) -> bool {
    observation.says("require_pushed_authorization_requests")
}

fn par_contradiction(observation: &Observation) -> Vec<String> {
    let wrong =
        requires_par(observation) && !observation.has("pushed_authorization_request_endpoint");
    when(wrong, || {
        "`require_pushed_authorization_requests` is true".to_owned()
    })
}

/// OpenID Connect takes the parameter for supported where nothing is said; many providers are
/// silent and do not.
fn open_request_uri(observation: &Observation) -> Vec<String> {
    let open = observation.says("request_uri_parameter_supported")
        && !observation.says("require_request_uri_registration");
    when(open, || {
        "`request_uri_parameter_supported` is true, `require_request_uri_registration` is not"
            .to_owned()
    })
}
