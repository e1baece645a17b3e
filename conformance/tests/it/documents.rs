//! Documents that are made from the code: they are committed, and must be what the code says now.
//!
//! `PORTCULLIS_WRITE_DOCUMENTS=1 cargo test -p portcullis-conformance documents` writes them anew.

use crate::corpus::verdicts;
use portcullis_core::OutageCode;
use portcullis_core::rejection::Code;
use portcullis_testkit::corpus::{document, rows};
use std::fmt::Write as _;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares a document with the text it should be, or writes it when told to.
pub(crate) fn must_be(name: &str, text: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os("PORTCULLIS_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/{name} is not what the code says: run `cargo xtask docs`"
    );
}

#[test]
fn rejections() {
    let mut text = String::from(
        "# Refusals and outages\n\nMade from the code by `cargo xtask docs`; do not edit. The code is stable: it stands in the body as `code`, in the\n\
         log, and as metric label. The log also has `expected` and `found`, escaped and cut; the client gets the phrase and nothing else.\n\n\
         Each code has an address: `#` and the code. With `code_url = \"https://<this page>#{code}\"` in the settings, problem documents, the log and\n\
         audit records link it: see [the guide](how-to/logs-and-alerts.md#the-page-of-a-code).\n",
    );
    let cases = cases();
    let case = |code: &str| {
        let case = cases.iter().find(|(covered, _)| covered == code);
        let case = case.map(|(_, case)| case.clone());
        case.unwrap_or_else(|| panic!("no case of the corpus, and no test, yields {code}"))
    };
    for code in Code::ALL {
        let entry = code.entry();
        let error = match entry.error {
            Some(error) => format!("`error=\"{error}\"`"),
            None => "no error code".to_owned(),
        };
        let rows = [
            ("status", entry.status.to_string()),
            ("challenge", format!("`Bearer`, {error}")),
            ("the client is told", entry.phrase.to_owned()),
            ("usual causes", code.causes().join("; ")),
            ("cure", entry.cure.to_owned()),
            ("asked for by", entry.rfc.to_owned()),
            ("shown by", case(entry.code)),
        ];
        text.push_str(&section(entry.code, &rows));
    }
    for code in OutageCode::ALL {
        let rows = [
            ("status", "503, with `Retry-After`".to_owned()),
            ("challenge", "none".to_owned()),
            ("the client is told", code.phrase().to_owned()),
            ("usual causes", code.causes().join("; ")),
            ("cure", code.cure().to_owned()),
            ("asked for by", "RFC 9110, section 15.6.4".to_owned()),
            ("shown by", case(code.as_str())),
        ];
        text.push_str(&section(code.as_str(), &rows));
    }
    for refusal in portcullis_gateway::refusal_codes() {
        let rows = [
            ("status", format!("{}, by the gateway", refusal.status)),
            ("the client is told", refusal.phrase.to_owned()),
            ("cure", refusal.cure.to_owned()),
        ];
        text.push_str(&section(refusal.code, &rows));
    }
    for (code, status, phrase) in portcullis::InvalidRequest::codes() {
        let cure = match status.is_server_error() {
            true => "see what the log of the application says of its route",
            false => "see the OpenAPI document of the application, and `errors` in the answer",
        };
        let status = format!("{}, by `Valid` of the library", status.as_u16());
        let rows = [
            ("status", status),
            ("the client is told", phrase.to_owned()),
            ("cure", cure.to_owned()),
        ];
        text.push_str(&section(code, &rows));
    }
    must_be("rejections.md", &text);
}

/// A code with its address, and what is known of it.
fn section(code: &str, rows: &[(&str, String)]) -> String {
    let mut text = format!("\n<a id=\"{code}\"></a>\n\n## `{code}`\n\n| | |\n|---|---|\n");
    for (name, value) in rows {
        writeln!(text, "| {name} | {value} |").unwrap();
    }
    text
}

/// For each code a row of the corpus that yields it, or else the test that does.
fn cases() -> Vec<(String, String)> {
    let mut cases: Vec<(String, String)> = verdicts()
        .into_iter()
        .map(|(id, code)| (code, format!("`{id}` of `access-tokens.json`")))
        .collect();
    for row in rows(&document("authorization-header.json")) {
        let (id, code) = match row["id"].as_str().unwrap() {
            id @ "missing" => (id, "credential.missing"),
            id @ "scheme-only" => (id, "credential.malformed"),
            id @ "twice-same" => (id, "credential.repeated"),
            id @ "scope-lacking" => (id, "policy.scope"),
            _ => continue,
        };
        cases.push((
            code.to_owned(),
            format!("`{id}` of `authorization-header.json`"),
        ));
    }
    for (code, file, test) in [
        (
            "policy.role",
            "crates/portcullis/tests/it/extractor.rs",
            "requirements_in_signatures_are_kept",
        ),
        (
            "policy.step_up",
            "conformance/tests/it/parity/step_up.rs",
            "who_must_sign_in_again_is_told_how",
        ),
        (
            "policy.denied",
            "crates/portcullis/tests/it/extractor.rs",
            "compound_requirements_name_the_scopes_that_would_help",
        ),
        (
            "token.tenant",
            "crates/resource-server/tests/it/tenant.rs",
            "only_the_configured_tenant_gets_in",
        ),
        (
            "token.key_issuer",
            "crates/resource-server/tests/it/tenant.rs",
            "a_key_of_one_tenant_is_good_for_that_tenant_only",
        ),
        (
            "token.claim_value",
            "crates/resource-server/tests/it/claims.rs",
            "the_configured_claims_are_demanded",
        ),
        (
            "token.inactive",
            "crates/core/src/token/introspection.rs",
            "an_active_token_goes_through_the_table",
        ),
        (
            "policy.groups_unknown",
            "crates/core/src/token/identity_tests.rs",
            "groups_that_do_not_fit_are_unknown_and_never_none",
        ),
        (
            "outage.provider",
            "crates/client/tests/it/provider.rs",
            "a_provider_is_asked_for_its_metadata_when_it_is_needed",
        ),
        (
            "outage.policy",
            "crates/resource-server/tests/it/groups.rs",
            "a_rule_that_fails_is_an_outage_and_asks_no_directory_whose_groups_are_known",
        ),
        (
            "token.revoked",
            "crates/resource-server/tests/it/revocation.rs",
            "each_kind_refuses_what_it_names_and_nothing_else",
        ),
        (
            "outage.revocation",
            "crates/resource-server/tests/it/revocation.rs",
            "a_full_denylist_says_so_and_forgets_nothing",
        ),
        (
            "outage.keys",
            "crates/resource-server/tests/it/faults.rs",
            "a_bad_key_set_at_the_start_is_an_outage",
        ),
        (
            "outage.metadata",
            "crates/resource-server/tests/it/faults.rs",
            "bad_metadata_at_the_start_is_an_outage",
        ),
        (
            "outage.introspection",
            "crates/resource-server/tests/it/introspection/outage.rs",
            "every_failure_is_an_outage_and_forgotten_at_once",
        ),
        (
            "proof.unbound",
            "crates/resource-server/tests/it/possession.rs",
            "routes_and_issuers_can_demand_a_binding",
        ),
        (
            "proof.replayed",
            "crates/resource-server/tests/it/possession.rs",
            "a_bound_token_needs_a_new_proof_each_time",
        ),
        (
            "proof.binding",
            "crates/core/src/proof/tests.rs",
            "each_scheme_has_its_tokens",
        ),
        (
            "proof.header",
            "crates/core/src/proof/tests.rs",
            "each_scheme_has_its_tokens",
        ),
        (
            "proof.malformed",
            "crates/core/src/proof/tests.rs",
            "the_first_fault_in_the_table_is_told",
        ),
        (
            "proof.algorithm",
            "crates/core/src/proof/tests.rs",
            "the_key_of_a_proof_is_public_and_made_its_signature",
        ),
        (
            "proof.key",
            "crates/core/src/proof/tests.rs",
            "the_key_of_a_proof_is_public_and_made_its_signature",
        ),
        (
            "proof.signature",
            "crates/core/src/proof/tests.rs",
            "the_key_of_a_proof_is_public_and_made_its_signature",
        ),
        (
            "proof.method",
            "crates/core/src/proof/tests.rs",
            "the_first_fault_in_the_table_is_told",
        ),
        (
            "proof.url",
            "crates/core/src/proof/tests.rs",
            "the_first_fault_in_the_table_is_told",
        ),
        (
            "proof.time",
            "crates/core/src/proof/tests.rs",
            "the_first_fault_in_the_table_is_told",
        ),
        (
            "proof.token",
            "crates/core/src/proof/tests.rs",
            "the_first_fault_in_the_table_is_told",
        ),
        (
            "proof.nonce",
            "crates/core/src/proof/tests.rs",
            "a_nonce_takes_the_place_of_the_clock",
        ),
        (
            "outage.replay",
            "crates/resource-server/tests/it/shared_proofs.rs",
            "without_the_store_nobody_can_tell",
        ),
        (
            "outage.groups",
            "crates/resource-server/tests/it/groups.rs",
            "a_directory_that_fails_is_an_outage_and_never_no_groups",
        ),
    ] {
        let source = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(
            source.contains(test) && source.contains(code),
            "{test} in {file} does not show {code}"
        );
        cases.push((code.to_owned(), format!("the test `{test}` in `{file}`")));
    }
    cases
}

#[test]
fn standards() {
    let mut text = String::from(
        "# Standards\n\nMade from the tests by `cargo xtask docs`; do not edit. Each requirement that binds a resource server has a test of its own in\n\
         `conformance/tests/it/rfc`.\n\n| document | requirement | test |\n|---|---|---|\n",
    );
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/rfc");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut tests = 0;
    for file in files.iter().filter(|file| !file.ends_with("mod.rs")) {
        let source = std::fs::read_to_string(file).unwrap();
        let title = source
            .lines()
            .next()
            .unwrap()
            .trim_start_matches("//! ")
            .split(':')
            .next()
            .unwrap()
            .trim_end_matches('.')
            .to_owned();
        let mut requirement: Option<String> = None;
        for line in source.lines() {
            if let Some(line) = line.strip_prefix("/// ") {
                requirement = Some(match requirement {
                    Some(before) => format!("{before} {line}"),
                    None => line.to_owned(),
                });
            } else if let Some(rest) = line
                .strip_prefix("async fn section")
                .or(line.strip_prefix("fn section"))
                .or(line.strip_prefix("async fn discovery"))
                .or(line.strip_prefix("async fn core"))
            {
                let start = line.find("fn ").unwrap() + 3;
                let name = &line[start..line.find('(').unwrap()];
                assert!(!rest.is_empty());
                let requirement = requirement
                    .take()
                    .unwrap_or_else(|| panic!("{name} has no requirement above it"));
                writeln!(text, "| {title} | {requirement} | `{name}` |").unwrap();
                tests += 1;
            } else if !line.starts_with("#[") {
                // What stands above another item says nothing about the next test.
                requirement = None;
            }
        }
    }
    text.push_str(NOT_DONE);
    assert!(tests > 70, "{tests}");
    must_be("standards.md", &text);
}

const NOT_DONE: &str = "
## What is not done, and why

| document | what | why |
|---|---|---|
| RFC 6750, 2.2 and 2.3 | tokens in the body or the query | optional, and they end up in logs and histories; they count for nothing |
| RFC 7515, 7.2 | the JSON serialisation | a JWT is compact only (RFC 7519, section 3) |
| RFC 7516 | encrypted tokens | only where a provider and a resource server agreed on it; refused |
| RFC 7517, 4.6 to 4.9 | `x5u`, `x5c`, `x5t` | the key is what its own members say; certificates are not looked at |
| RFC 7009 | the endpoint of the issuer | it is the issuer's; what is revoked here is refused by us, see `revocation.md` |
| RFC 7662, 2.1 | a bearer token instead of client authentication | no provider we know wants it |
| RFC 9701, 5 | encrypted answers | only where both sides agreed on it; an answer comes over TLS |
| RFC 7797 | unencoded payloads | barred from JWTs; `b64` is refused |
| RFC 8414, 2.1 | signed metadata | no provider we know needs it; the document comes over TLS from the issuer itself |
| RFC 9068, 2.2.1 | `amr` in rules | `claim` reads it; `acr` and `auth_time` are words of their own |
| RFC 9728, 2.2 | signed metadata of a resource | no provider we know vouches for its resources; the document comes over TLS from the resource itself |
";
