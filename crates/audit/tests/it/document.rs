//! `docs/audit.md` is made of the table of rules, and compared with it.

use portcullis_audit::{GROUPS, RuleCheck, Severity, all};
use std::fmt::Write as _;
use std::path::PathBuf;

const INTRODUCTION: &str = r#"# Audit

Made from the code by `cargo xtask docs`; do not edit.

```console
# an identity provider
$ portcullis audit https://idp.example.com
# and one of its access tokens
$ portcullis audit https://idp.example.com --token-file token.txt
# our own settings, and every issuer in them
$ portcullis audit --config portcullis.toml
# the settings alone, for code scanning
$ portcullis audit --config portcullis.toml --offline --format sarif
```

The documents are fetched as a running server fetches its keys: no redirects, https beyond loopback,
bounded, and read by the same strict parsers. A key that the audit calls unusable is one that the
server leaves out. Reports describe a token, but never show it, and it is not sent anywhere.

| severity | meaning |
|---|---|
| error | tokens are refused, or can be forged or read |
| warning | users of an offered feature are at risk, or a standard is not kept |
| note | worth knowing: an improvement is possible |

| exit code | meaning |
|---|---|
| 0 | nothing at or above `--fail-on` (default `error`) |
| 1 | it could not run: wrong arguments, faulty settings |
| 2 | findings |
| 4 | the provider does not answer |

`--ignore audit.pkce_missing="our clients use it all the same"` takes a rule out of the count. The
report prints the reason; in SARIF it is a suppression.

## What is measured

The audit tries TLS 1.3 and 1.2; this program cannot speak older versions. The platform's verifier
judges the certificate. The clock is compared by `Date`, less the round trip. A document is slow if
it takes more than a second, because a request with a new key waits for it, for two seconds at most.
A document is large if it exceeds half of `document_bytes`.

The audit does not examine redirect addresses, the rotation of refresh tokens and the consent of
users, which only an account shows. It does not check that the provider keeps the promises of its
metadata. It leaves out resource indicators (RFC 8707), which metadata does not mention, headers for
pages, and cross-origin access, which is harmless for metadata.

## Our own settings

`--config` reads the file as the gateway does, and reports its faults like `portcullis config check`.
Every setting that begins with `danger_` and is switched on is a finding. The audit checks the modes
of files with secrets, and of files that decide what is trusted.

## The rules

"#;

#[test]
fn documents_list_every_rule() {
    let count = |severity| all().filter(|rule| rule.severity == severity).count();
    let [errors, warnings, notes] = Severity::ALL.map(count);
    let mut text = format!(
        "{INTRODUCTION}{} rules: {errors} errors, {warnings} warnings, {notes} notes.\n",
        all().count()
    );
    for (title, rules) in GROUPS {
        write!(
            text,
            "\n### {title}\n\n| rule | severity | what is wrong | cure | asked for by \
            |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for rule in *rules {
            let section = match rule.section.strip_prefix("docs/") {
                // A page beside this one, or a heading of this one.
                Some(page) => {
                    format!(
                        "[{}]({})",
                        page.split('#').next().unwrap(),
                        page.trim_start_matches("audit.md")
                    )
                }
                None => rule.section.to_owned(),
            };
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {section} |",
                rule.id,
                rule.severity.word(),
                rule.title,
                rule.cure
            )
            .unwrap();
        }
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    if std::env::var_os("PORTCULLIS_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/audit.md is not what the code says: run `cargo xtask docs`"
    );
}

/// Both kinds are told of.
#[test]
fn issuers_and_settings_have_rules() {
    let of_settings = all()
        .filter(|rule| matches!(rule.check, RuleCheck::Settings(_)))
        .count();
    assert!(
        of_settings > 15 && all().count() - of_settings > 60,
        "{of_settings} of {}",
        all().count()
    );
}
