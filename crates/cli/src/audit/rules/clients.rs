//! How clients prove who they are.

use super::super::evidence::{listed, when};
use super::super::{Check, Rule, Seen, Severity};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "audit.client_secrets_only",
        severity: Severity::Note,
        section: "RFC 9700, section 2.5",
        title: "clients can prove themselves by a shared secret only",
        cure: "offer `private_key_jwt` or `tls_client_auth`: then there is no secret at the \
            provider to be stolen",
        check: Check::Issuer(secrets_only),
    },
    Rule {
        id: "audit.assertion_algorithm_none",
        severity: Severity::Error,
        section: "RFC 8414, section 2",
        title: "client assertions without a signature are accepted",
        cure: "take `none` out of the list: with it anybody is any client",
        check: Check::Issuer(unsigned_assertions),
    },
    Rule {
        id: "audit.assertion_algorithms_missing",
        severity: Severity::Note,
        section: "RFC 8414, section 2",
        title: "the metadata does not say how client assertions are to be signed",
        cure: "publish `token_endpoint_auth_signing_alg_values_supported`, which `private_key_jwt` \
            requires",
        check: Check::Issuer(unsaid_algorithms),
    },
    Rule {
        id: "audit.introspection_open",
        severity: Severity::Warning,
        section: "RFC 7662, section 2.1",
        title: "anybody may ask about tokens",
        cure: "demand client authentication at the introspection endpoint: otherwise tokens can be \
            tried out there",
        check: Check::Issuer(open_introspection),
    },
];

/// Where nothing is said, it is `client_secret_basic` (RFC 8414, section 2).
fn secrets_only(seen: &Seen) -> Vec<String> {
    let methods = seen
        .list("token_endpoint_auth_methods_supported")
        .unwrap_or_else(|| vec!["client_secret_basic"]);
    let by_key = [
        "private_key_jwt",
        "tls_client_auth",
        "self_signed_tls_client_auth",
    ];
    let wrong = seen.has("token_endpoint") && !methods.iter().any(|method| by_key.contains(method));
    when(wrong, || format!("the methods are {}", listed(methods)))
}

fn unsigned_assertions(seen: &Seen) -> Vec<String> {
    let lists = ["token", "introspection", "revocation"]
        .map(|endpoint| format!("{endpoint}_endpoint_auth_signing_alg_values_supported"));
    let wrong = lists.iter().filter(|list| seen.lists(list, "none"));
    wrong.map(|list| format!("`{list}` holds `none`")).collect()
}

fn unsaid_algorithms(seen: &Seen) -> Vec<String> {
    let by_assertion = seen.lists("token_endpoint_auth_methods_supported", "private_key_jwt");
    let wrong = by_assertion && !seen.has("token_endpoint_auth_signing_alg_values_supported");
    when(wrong, || {
        "`private_key_jwt` is offered without `token_endpoint_auth_signing_alg_values_supported`"
            .to_owned()
    })
}

fn open_introspection(seen: &Seen) -> Vec<String> {
    let open = seen.lists("introspection_endpoint_auth_methods_supported", "none");
    when(open, || {
        "`introspection_endpoint_auth_methods_supported` holds `none`".to_owned()
    })
}
