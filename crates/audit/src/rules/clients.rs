//! How clients prove who they are.

use crate::evidence::{quote_list, when};
use crate::observation::Observation;
use crate::rule::{Rule, RuleCheck, Severity};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.client_secrets_only",
        severity: Severity::Note,
        section: "RFC 9700, section 2.5",
        title: "clients can prove themselves by a shared secret only",
        cure: "offer `private_key_jwt` or `tls_client_auth`: then there is no secret at the \
            provider to be stolen",
        check: RuleCheck::Issuer(secrets_only),
    },
    Rule {
        id: "audit.assertion_algorithm_none",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "client assertions without a signature are accepted",
        cure: "take `none` out of the list: with it anybody is any client",
        check: RuleCheck::Issuer(unsigned_assertions),
    },
    Rule {
        id: "audit.assertion_algorithms_missing",
        severity: Severity::Note,
        section: "RFC 8414, section 2",
        title: "the metadata does not say how client assertions are to be signed",
        cure: "publish `token_endpoint_auth_signing_alg_values_supported`, which `private_key_jwt` \
            requires",
        check: RuleCheck::Issuer(unsaid_algorithms),
    },
    Rule {
        id: "audit.introspection_open",
        severity: Severity::Warning,
        section: "RFC 7662, section 2.1",
        title: "anybody may ask about tokens",
        cure: "demand client authentication at the introspection endpoint: otherwise tokens can be \
            tried out there",
        check: RuleCheck::Issuer(open_introspection),
    },
];

/// Where nothing is said, it is `client_secret_basic` (RFC 8414, section 2).
fn secrets_only(observation: &Observation) -> Vec<String> {
    let methods = observation
        .list("token_endpoint_auth_methods_supported")
        .unwrap_or_else(|| vec!["client_secret_basic"]);
    let by_key = [
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    ];
    let wrong =
        observation.has("token_endpoint") && !methods.iter().any(|method| by_key.contains(method));
    when(wrong, || format!("the methods are {}", quote_list(methods)))
}

fn unsigned_assertions(observation: &Observation) -> Vec<String> {
    let lists = ["token", "introspection", "revocation"]
        .map(|endpoint| format!("{endpoint}_endpoint_auth_signing_alg_values_supported"));
    let wrong = lists.iter().filter(|list| observation.lists(list, "none"));
    wrong.map(|list| format!("`{list}` holds `none`")).collect()
}

fn unsaid_algorithms(observation: &Observation) -> Vec<String> {
    let by_assertion =
        observation.lists("token_endpoint_auth_methods_supported", "private_key_jwt");
    let wrong =
        by_assertion && !observation.has("token_endpoint_auth_signing_alg_values_supported");
    when(wrong, || {
        "`private_key_jwt` is offered without `token_endpoint_auth_signing_alg_values_supported`"
            .to_owned()
    })
}

fn open_introspection(observation: &Observation) -> Vec<String> {
    let open = observation.lists("introspection_endpoint_auth_methods_supported", "none");
    when(open, || {
        "`introspection_endpoint_auth_methods_supported` holds `none`".to_owned()
    })
}
