//! How clients prove who they are.

use crate::evidence::{quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.client_secrets_only",
        severity: Severity::Note,
        section: "RFC 9700, section 2.5",
        title: "clients can authenticate only with a shared secret",
        cure: "offer `private_key_jwt` or `tls_client_auth`: then the provider holds no secret \
            that can be stolen",
        check: RuleCheck::Issuer(secrets_only),
    },
    Rule {
        id: "audit.assertion_algorithm_none",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "client assertions without a signature are accepted",
        cure: "remove `none` from the list: with it, anybody can be any client",
        check: RuleCheck::Issuer(unsigned_assertions),
    },
    Rule {
        id: "audit.assertion_algorithms_missing",
        severity: Severity::Note,
        section: "RFC 8414, section 2",
        title: "the metadata does not name the algorithms of client assertions",
        cure: "publish `token_endpoint_auth_signing_alg_values_supported`, which `private_key_jwt` \
            requires",
        check: RuleCheck::Issuer(unsaid_algorithms),
    },
    Rule {
        id: "audit.introspection_open",
        severity: Severity::Warning,
        section: "RFC 7662, section 2.1",
        title: "the introspection endpoint needs no authentication",
        cure: "require client authentication there: otherwise anybody can test stolen tokens",
        check: RuleCheck::Issuer(open_introspection),
    },
];

fn secrets_only(observation: &Observation) -> Vec<String> {
    if !observation.has("token_endpoint") {
        return Vec::new();
    }
    // The default of a provider that says nothing (RFC 8414, section 2).
    let methods = observation
        .list("token_endpoint_auth_methods_supported")
        .unwrap_or(vec!["client_secret_basic"]);
    // These prove possession of a key, so a leaked log or proxy does not hold a credential.
    for method in [
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    ] {
        if methods.contains(&method) {
            return Vec::new();
        }
    }
    // `none` is for public clients, which have no secret.
    let secrets = methods.into_iter().filter(|method| *method != "none");
    let secrets: Vec<&str> = secrets.collect();
    when(
        !secrets.is_empty(),
        format!("the methods are {}", quote_list(secrets)),
    )
}

fn unsigned_assertions(observation: &Observation) -> Vec<String> {
    let mut evidence = Vec::new();
    for endpoint in ["token", "introspection", "revocation"] {
        let list = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        // Anybody can write an assertion that nobody has to sign.
        if observation.lists(&list, "none") {
            evidence.push(format!("`{list}` holds `none`"));
        }
    }
    evidence
}

fn unsaid_algorithms(observation: &Observation) -> Vec<String> {
    let by_assertion =
        observation.lists("token_endpoint_auth_methods_supported", "private_key_jwt");
    when(
        by_assertion && !observation.has("token_endpoint_auth_signing_alg_values_supported"),
        "`private_key_jwt` is offered without `token_endpoint_auth_signing_alg_values_supported`",
    )
}

fn open_introspection(observation: &Observation) -> Vec<String> {
    // An open endpoint tells everybody whether a stolen token still works (RFC 7662, section 4).
    when(
        observation.lists("introspection_endpoint_auth_methods_supported", "none"),
        "`introspection_endpoint_auth_methods_supported` holds `none`",
    )
}
