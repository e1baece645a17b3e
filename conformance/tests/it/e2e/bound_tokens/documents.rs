//! `docs/interoperability.md`: what the suites about bound tokens run, and what they hold.

use super::mod_oauth2::{DIFFERENCES, Verdict};
use super::peers::{ATTEMPTS, peers};
use crate::documents::must_be;
use crate::parity::SUITES_OF_BOUND_TOKENS;
use std::fmt::Write as _;

const HEAD: &str = "\
# Interoperability

Made from the tests by `cargo xtask docs`; do not edit. It is about [bound tokens](how-to/bound-tokens.md): which programs of
other people were run with them, and what was answered. For providers and their plain tokens see [Providers](providers.md).

## Programs

| program | version | role | with |
|---|---|---|---|
";

const ANSWERS: &str = "
The clients and makers of proofs call the gateway and an axum service with the library, each with `dpop.nonces` and without. The
tokens are JWTs and opaque tokens of `oidc-provider` and of `portcullis idp`. All get the same answers:

| a request with a good token and proof | answer |
|---|---|
";

const CERTIFICATES: &str = "
A certificate-bound token of either provider gets 200 with its certificate, 401 `proof.missing` without one, and 401
`proof.binding` with another one.

## Equal answers at every door

Status, code and challenge are equal at all of these doors: the library's layer and extractor, the proxy, forward-auth as
nginx, ingress-nginx, Traefik and Caddy ask it, ext_authz by gRPC (also with raw headers) and by HTTP, the Python package for
ASGI and WSGI, and `explain`.

| requests | how many | doors |
|---|---|---|
";

const DIFFERENT: &str = "
The example of RFC 9449 leaves out the doors that share a memory of used proofs with one that is there, and Python.

## Where mod_oauth2 judges otherwise

The same 156 proofs went to Apache with the `mod_oauth2` of Debian 12, and to us. The others are judged alike. Later versions of
its library mend some of this; Debian 12 does not have them.

| proofs | mod_oauth2 | why we do not | how many |
|---|---|---|---|
";

#[test]
fn interoperability() {
    let mut text = HEAD.to_owned();
    for peer in peers() {
        let (name, version) = (peer.name, &peer.version);
        let (role, what) = (peer.role, peer.what);
        writeln!(text, "| {name} | {version} | {role} | {what} |").unwrap();
    }
    text.push_str(ANSWERS);
    for (_, what, status, code) in ATTEMPTS {
        let code = match code {
            "" => String::new(),
            code => format!(" [`{code}`](rejections.md#{code})"),
        };
        writeln!(text, "| {what} | {status}{code} |").unwrap();
    }
    text.push_str(CERTIFICATES);
    for (what, rows, doors) in SUITES_OF_BOUND_TOKENS {
        writeln!(text, "| {what} | {rows} | {doors} |").unwrap();
    }
    text.push_str(DIFFERENT);
    for difference in &DIFFERENCES {
        let verdict = match difference.verdict {
            Verdict::Accepts => "accepts",
            Verdict::Refuses => "refuses",
            Verdict::Silent => "no answer",
        };
        let (what, why) = (difference.what, difference.why);
        let count = difference.rows.len();
        writeln!(text, "| {what} | {verdict} | {why} | {count} |").unwrap();
    }
    must_be("interoperability.md", &text);
}
