//! `docs/audit.md` is made of the table of rules, and compared with it.

use portcullis_audit::{GROUPS, RuleCheck, Severity, all};
use std::fmt::Write as _;
use std::path::PathBuf;

const INTRODUCTION: &str = r#"<!-- page: as=generic issuer=https://idp.example.com -->

# Audit

Made from the code by `cargo xtask docs`; do not edit.

`portcullis audit` tells you the weaknesses of an identity provider, each with evidence and cure:

```console
$ portcullis audit https://idp.example.com
  Audit of https://idp.example.com
...
  keys     https://idp.example.com/jwks (1 of 1 usable, fetched every 5 min)
...
  0 errors, 0 warnings, 1 note: passes; --verbose shows the cures of notes
...
```

The sum counts findings: a rule that fires in several places is one. `--list` shows every rule, with its severity, what
it looks at and its cure; `--rule` keeps to one, and can be repeated:

```console
$ portcullis audit --list --rule audit.pkce_missing
...
  Grants and flows, at the provider
...
  warning  audit.pkce_missing
           finds    the metadata does not say that PKCE is supported
...
  1 rule
...
$ portcullis audit https://idp.example.com --rule audit.pkce_missing
...
  0 errors, 0 warnings, 0 notes: passes
...
```

Exit codes of `portcullis audit`: 0 nothing at or above `--fail-on`, 1 could not run, 2 findings, 4 no answer from the
provider.

With an access token, it judges that too. This one is from the [development identity provider](idp.md):

```console
$ curl -s https://idp.example.com/dev/token -d user=alice -o token.txt
$ portcullis audit https://idp.example.com --token-file token.txt
...
  token    RS256, at+jwt, lives 60 min, ... bytes, verified by a published key
...
  note     the token is not bound to a key: no `cnf` (audit.token_bearer)
...
```

With `--config`, it audits your own settings, and every issuer in them. `--offline` leaves the issuers out; SARIF is the
form for code scanning:

```toml title="portcullis.toml"
[[issuer]]
url      = "https://idp.example.com"
audience = ["api://enterprise-api"]

[gateway]
upstream = "http://127.0.0.1:8000"
```

```console
$ portcullis audit --config portcullis.toml
  Audit of portcullis.toml
...
  note     revocations are not shared between replicas: portcullis.toml:
           revocation: no `store` (audit.ours_revocation_missing)
...
$ portcullis audit --config portcullis.toml --offline --format sarif > audit.sarif
```

The documents are fetched as a running server fetches its keys: no redirects, https beyond loopback,
bounded, and read by the same strict parsers. A key that the audit calls unusable is one that the
server leaves out. Reports describe a token, but never show it. It is sent nowhere, but to an API with `--probe`.

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

An audit that does not come to its end still prints a document: in JSON, `interrupted` has the reason; in SARIF,
`executionSuccessful` is false.

`--ignore` takes a rule out of the count, or one setting: `audit.ours_danger:issuer[0].danger_plain_http=a laboratory`. For
settings that loosen security, the setting has to be named. The report prints the reason; in SARIF it is a suppression.

```console
$ portcullis audit https://idp.example.com --fail-on note --ignore audit.loopback_http="only for development"
...
```

## What is measured

The audit tries TLS 1.3 and 1.2; this program cannot speak older versions. The platform's verifier
judges the certificate. The clock is compared by `Date`, less the round trip. A document is slow if
it takes more than a second, because a request with a new key waits for it, for two seconds at most.
A document is large if it exceeds half of `document_bytes`.

The audit does not examine redirect addresses, the rotation of refresh tokens and the consent of
users, which only an account shows. It does not check that the provider keeps the promises of its
metadata. It leaves out resource indicators (RFC 8707), which metadata does not mention, headers for
pages, and cross-origin access, which is harmless for metadata.

## An API

`--resource-url` looks at what an API says about itself (RFC 9728): whether it does, whether that is
about the URL that was asked, and whether each issuer that it names has metadata under that very name. The API itself is
not called, so nothing is known of how it treats tokens.

`--probe` calls it: GET requests without a token, with a text that is none, and with tokens that nobody should accept
(`alg: none`, an unknown key, a key in the token's own header). Each has to be refused with 401, a challenge and nothing of
the inside. With `--token-file`, the forged ones have the claims of your token, and your token itself is sent at last:

<!-- run: skip because it needs an API to probe; a test of the suites does it -->
```console
$ portcullis audit --resource-url https://api.example.com/orders --probe --token-file token.txt
...
  request  without a token: 401
...
  request  with a token that brings its own key (`jwk`): 401
...
  request  with your token: 200
...
```

Only probe what you may test. Each of these requests is in the API's logs as a refused one.

## A transmitter of security events

`portcullis audit ssf` looks at what a transmitter says about itself (OpenID Shared Signals Framework 1.0): whether that is
its own, whether its events can be verified, and what a receiver will miss. It creates no stream, and needs no token:

```console
$ portcullis audit ssf https://idp.example.com
  Audit of https://idp.example.com
...
  metadata https://idp.example.com/.well-known/ssf-configuration
...
```

A transmitter of older drafts keeps its metadata elsewhere: `--metadata-url` names the address. For TLS, and for all that
concerns tokens, audit its issuer as a provider.

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
