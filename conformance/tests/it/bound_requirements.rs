//! What is demanded of a resource server for bound tokens, and what shows that it is done: rows of
//! the corpus, which every door answers, and tests by their names. `D` is for DPoP (RFC 9449), `T`
//! for certificates (RFC 8705).

use crate::tally::Tally;
use portcullis_testkit::corpus::{document, rows};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A demand, by its number in the project's list of standards.
struct Requirement {
    id: &'static str,
    /// Rows of `dpop-proofs.json`.
    rows: &'static [&'static str],
    /// Tests: a file from the root of the workspace, and a function in it.
    tests: &'static [(&'static str, &'static str)],
}

const EVERY_PROOF: (&str, &str) = (
    "conformance/tests/it/parity/dpop_proofs.rs",
    "every_proof_gets_the_same_answer_at_every_door",
);
const WITHOUT_PROOF: (&str, &str) = (
    "conformance/tests/it/parity/bound_tokens.rs",
    "a_bound_token_without_its_proof_is_refused_at_every_door",
);
const CLIENTS: (&str, &str) = (
    "conformance/tests/it/e2e/bound_tokens/clients.rs",
    "clients_in_javascript_get_in_and_nobody_in_their_place",
);
const CERTIFICATES: (&str, &str) = (
    "conformance/tests/it/e2e/bound_tokens/certificates.rs",
    "tokens_of_a_certified_provider_are_good_with_their_certificate_only",
);
const OWN_TLS: (&str, &str) = (
    "crates/gateway/tests/it/secure.rs",
    "a_token_that_is_bound_to_a_certificate_comes_with_it",
);
const POSSESSION: &str = "crates/resource-server/tests/it/possession.rs";
const SHARED: &str = "crates/resource-server/tests/it/shared_proofs.rs";
const RFC: &str = "conformance/tests/it/rfc/rfc9449.rs";

const EVERY_CERTIFICATE: (&str, &str) = (
    "conformance/tests/it/parity/client_certificates.rs",
    "every_certificate_gets_the_same_answer_at_every_door",
);
const METADATA: &str = "crates/gateway/tests/it/resources.rs";

const REQUIREMENTS: [Requirement; 31] = [
    Requirement {
        id: "D1 a bound token as Bearer",
        rows: &[
            "bearer-scheme-bound-token",
            "bearer-scheme-bound-token-no-proof",
        ],
        tests: &[WITHOUT_PROOF, (RFC, "section_7_2_dpop_bound_as_bearer")],
    },
    Requirement {
        id: "D2 the scheme DPoP, and a token without key",
        rows: &["dpop-scheme-unbound-token"],
        tests: &[WITHOUT_PROOF],
    },
    Requirement {
        id: "D3 no proof",
        rows: &["header-missing"],
        tests: &[WITHOUT_PROOF],
    },
    Requirement {
        id: "D4 two proofs, two credentials",
        rows: &["header-twice", "header-comma-joined"],
        tests: &[(
            "conformance/tests/it/parity/authorization_header.rs",
            "a_credential_is_found_in_the_same_places",
        )],
    },
    Requirement {
        id: "D5 the form of a proof",
        rows: &[
            "header-not-jwt",
            "header-json",
            "typ-missing",
            "typ-jwt",
            "typ-at",
            "crit",
        ],
        tests: &[EVERY_PROOF],
    },
    Requirement {
        id: "D6 its algorithm",
        rows: &[
            "alg-none",
            "alg-missing",
            "alg-hs256-oct",
            "alg-rs256-not-offered",
        ],
        tests: &[EVERY_PROOF, (RFC, "section_7_1_the_challenge")],
    },
    Requirement {
        id: "D7 its key",
        rows: &[
            "jwk-missing",
            "jwk-private",
            "jwk-rsa-1024",
            "jwk-rsa-huge-modulus",
            "jwk-off-curve",
            "jwk-x5c-only",
            "jwk-jku",
        ],
        tests: &[EVERY_PROOF],
    },
    Requirement {
        id: "D8 its signature",
        rows: &["sig-bad", "sig-empty", "sig-der", "sig-zero"],
        tests: &[EVERY_PROOF],
    },
    Requirement {
        id: "D9 its method",
        rows: &["htm-other", "htm-lower", "htm-override-header"],
        tests: &[EVERY_PROOF, CLIENTS],
    },
    Requirement {
        id: "D10 its URL",
        rows: &[
            "htu-equivalent-default-port",
            "htu-equivalent-dot-segment",
            "htu-wrong-other-path",
            "htu-wrong-internal-upstream",
            "ok-query-in-htu",
        ],
        tests: &[EVERY_PROOF, CLIENTS],
    },
    Requirement {
        id: "D11 its time",
        rows: &[
            "iat-past",
            "iat-future",
            "iat-type-missing",
            "iat-type-string",
        ],
        tests: &[(
            "crates/core/src/proof/tests.rs",
            "a_nonce_takes_the_place_of_the_clock",
        )],
    },
    Requirement {
        id: "D12 its id, once",
        rows: &["jti-missing", "jti-long", "replay-resigned"],
        tests: &[
            (SHARED, "a_proof_is_used_once_at_all_replicas"),
            (SHARED, "without_the_store_nobody_can_tell"),
            CLIENTS,
        ],
    },
    Requirement {
        id: "D13 the hash of the token",
        rows: &["ath-missing", "ath-wrong", "ath-of-other-token-swap"],
        tests: &[EVERY_PROOF],
    },
    Requirement {
        id: "D14 the key of the token",
        rows: &["jwk-other-key"],
        tests: &[WITHOUT_PROOF, CLIENTS],
    },
    Requirement {
        id: "D15 nonces",
        rows: &["nonce-required-missing", "nonce-required-expired"],
        tests: &[
            CLIENTS,
            (POSSESSION, "a_nonce_is_told_and_then_demanded_of_everybody"),
            (
                "crates/gateway/tests/it/proofs.rs",
                "a_good_answer_tells_the_next_nonce",
            ),
            (
                "crates/portcullis/tests/it/bound.rs",
                "the_layer_tells_the_next_nonce",
            ),
        ],
    },
    Requirement {
        id: "D16 pages of other origins",
        rows: &[],
        tests: &[
            (
                "crates/gateway/tests/it/cors.rs",
                "the_gateway_answers_preflights_itself",
            ),
            (
                "crates/gateway/tests/it/cors.rs",
                "a_page_can_read_every_refusal",
            ),
        ],
    },
    Requirement {
        id: "D17 opaque tokens with a key",
        rows: &[],
        tests: &[
            CLIENTS,
            (
                "conformance/tests/it/parity/dpop_example.rs",
                "the_request_of_the_rfc_is_good_once",
            ),
        ],
    },
    Requirement {
        id: "D18 what the upstream gets",
        rows: &[],
        tests: &[(
            "crates/gateway/tests/it/proofs.rs",
            "a_proof_counts_over_both_versions_and_never_goes_upstream",
        )],
    },
    Requirement {
        id: "D19 the metadata of the resource",
        rows: &[],
        tests: &[(METADATA, "the_document_says_what_the_settings_say")],
    },
    Requirement {
        id: "D20 the usual algorithms",
        rows: &[],
        tests: &[CLIENTS, (RFC, "section_7_1_the_challenge")],
    },
    Requirement {
        id: "D21 what a proof may cost",
        rows: &[],
        tests: &[
            (
                "crates/core/src/proof/tests.rs",
                "the_first_fault_in_the_table_is_told",
            ),
            (POSSESSION, "no_more_proofs_pass_than_are_remembered"),
        ],
    },
    Requirement {
        id: "T1 the certificate of the token",
        rows: &[],
        tests: &[WITHOUT_PROOF, CERTIFICATES, OWN_TLS],
    },
    Requirement {
        id: "T2 whoever signed it",
        rows: &[],
        tests: &[CERTIFICATES, OWN_TLS],
    },
    Requirement {
        id: "T3 a header of a named proxy only",
        rows: &[],
        tests: &[EVERY_CERTIFICATE],
    },
    Requirement {
        id: "T4 the format of each proxy",
        rows: &[],
        tests: &[EVERY_CERTIFICATE],
    },
    Requirement {
        id: "T5 opaque tokens with a certificate",
        rows: &[],
        tests: &[CERTIFICATES],
    },
    Requirement {
        id: "T6 a key and a certificate",
        rows: &[],
        tests: &[
            WITHOUT_PROOF,
            (
                "crates/core/src/proof/tests.rs",
                "a_certificate_is_compared_and_both_bindings_hold",
            ),
        ],
    },
    Requirement {
        id: "T7 a resumed session",
        rows: &[],
        tests: &[OWN_TLS],
    },
    Requirement {
        id: "T8 a binding is demanded",
        rows: &[],
        tests: &[
            WITHOUT_PROOF,
            (POSSESSION, "routes_and_issuers_can_demand_a_binding"),
        ],
    },
    Requirement {
        id: "T9 the metadata of the resource",
        rows: &[],
        tests: &[(
            METADATA,
            "certificates_of_clients_are_offered_where_they_are_taken",
        )],
    },
    Requirement {
        id: "T10 an unknown confirmation",
        rows: &[],
        tests: &[WITHOUT_PROOF, (RFC, "section_3_1_unknown_confirmations")],
    },
];

#[test]
fn each_requirement_is_shown_by_something() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = document("dpop-proofs.json");
    let ids = rows(&document)
        .iter()
        .map(|row| row["id"].as_str().unwrap());
    let ids: BTreeSet<&str> = ids.collect();
    let mut tally = Tally::new("bound tokens, requirements");
    for requirement in &REQUIREMENTS {
        let missing: Vec<&str> = requirement
            .rows
            .iter()
            .copied()
            .filter(|row| !ids.contains(row))
            .collect();
        let absent = requirement.tests.iter().find(|(file, test)| {
            let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            !source.contains(&format!("fn {test}("))
        });
        let is_shown = missing.is_empty() && absent.is_none();
        tally.count(requirement.id, is_shown, || {
            format!("not there: {missing:?}, {absent:?}")
        });
    }
    tally.finish(REQUIREMENTS.len());
}
