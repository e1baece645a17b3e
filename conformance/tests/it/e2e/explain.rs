//! `portcullis explain` as a person uses it: without settings, with anything pasted, and as JSON.

use super::command::{portcullis, text};
use super::process::{Folder, free_port};
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, TokenBuilder};
use portcullis_testkit::AUDIENCE;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../../docs/explain.schema.json");

/// The output of the command about a file with this text.
fn explain(file: &Folder, input: &str, arguments: &[&str], issuer: Option<&str>) -> Explained {
    let path = write(file, "input.txt", input);
    let mut environment = vec![("TZ", "UTC")];
    if let Some(issuer) = issuer {
        environment.extend([("OAUTH2_ISSUER", issuer), ("OAUTH2_AUDIENCE", AUDIENCE)]);
    }
    let arguments = [&["explain", "--file", path.as_str()], arguments].concat();
    let output = portcullis(&arguments, &environment);
    Explained {
        status: output.status.code(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

struct Explained {
    status: Option<i32>,
    out: String,
    err: String,
}

/// Writes a file, and returns its path.
fn write(folder: &Folder, name: &str, content: &str) -> String {
    let path = folder.0.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn alice(idp: &Idp) -> TokenBuilder {
    idp.token("alice").scope("orders:read").role("Auditor")
}

/// Without settings the token is read, and said not to be verified. That is no success.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_read_without_any_settings() {
    let (idp, folder) = (
        Idp::start(IdpConfig::default()).await.unwrap(),
        Folder::new("explain", free_port()),
    );
    let token = alice(&idp).sign();
    let read = explain(&folder, &token, &[], None);
    assert_eq!(read.status, Some(4), "{}", read.err);
    let issuer = idp.issuer().to_string();
    for expected in [
        "This token is not verified",
        "To verify it, name the issuer to trust (--issuer, or OAUTH2_ISSUER) and the",
        "What the token says, which is not proven",
        "    kind      user\n",
        "    client    web\n",
        "    scopes    orders:read\n",
        "    roles     Admin, Auditor\n",
        " +00:00, in ",
        &format!("--issuer {issuer} \\\n      --audience {AUDIENCE} \\\n      --file "),
    ] {
        assert!(read.out.contains(expected), "{expected}: {}", read.out);
    }
    assert!(!read.out.contains(&token), "the token itself is a secret");
    // The line that it prints works.
    let path = write(&folder, "input.txt", &token);
    let verified = portcullis(
        &[
            "explain",
            "--issuer",
            &issuer,
            "--audience",
            AUDIENCE,
            "--file",
            &path,
        ],
        &[],
    );
    assert_eq!(
        verified.status.code(),
        Some(0),
        "{}",
        text(&verified.stdout)
    );
    let decoded = explain(&folder, &token, &["--decode"], Some(&issuer));
    assert_eq!(decoded.status, Some(0), "{}", decoded.err);
    assert!(decoded.out.contains("To verify it:"), "{}", decoded.out);
    let half = portcullis(&["explain", "--issuer", &issuer, "--file", &path], &[]);
    assert_eq!(half.status.code(), Some(4));
    assert!(text(&half.stdout).contains("name the audience of your API"));
}

/// A verified token is told with its caller; checks that say nothing are folded.
#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_says_whose_token_it_is() {
    let (idp, folder) = (
        Idp::start(IdpConfig::default()).await.unwrap(),
        Folder::new("explain", free_port()),
    );
    let issuer = idp.issuer().to_string();
    let accepted = explain(&folder, &alice(&idp).sign(), &[], Some(&issuer));
    assert_eq!(accepted.status, Some(0), "{}", accepted.err);
    for expected in [
        "This token is accepted",
        "What the token says\n",
        "    roles     Admin, Auditor\n",
        "  ok  signature                 valid, RS256, key ",
        "more checks do not apply, or were not reached: see --all",
    ] {
        assert!(
            accepted.out.contains(expected),
            "{expected}: {}",
            accepted.out
        );
    }
    assert!(!accepted.out.contains("binding known"), "{}", accepted.out);
    let all = explain(&folder, &alice(&idp).sign(), &["--all"], Some(&issuer));
    for expected in ["--  binding known", "\n  Claims\n", "\n  Header\n"] {
        assert!(all.out.contains(expected), "{expected}: {}", all.out);
    }
    let refused = explain(
        &folder,
        &alice(&idp).audience("x").sign(),
        &[],
        Some(&issuer),
    );
    assert_eq!(refused.status, Some(2));
    for expected in [
        "refused: token.audience",
        "because    the access token is meant for another audience",
        "expected   `api://enterprise-api`",
        "found      `x`",
        "help       ask the issuer",
        "What the token says\n",
    ] {
        assert!(
            refused.out.contains(expected),
            "{expected}: {}",
            refused.out
        );
    }
    for page in [accepted.out, all.out, refused.out] {
        assert!(
            page.lines().all(|line| line.chars().count() <= 80),
            "{page}"
        );
    }
}

/// A wait for keys is told, and it is longer than that of a server.
#[tokio::test(flavor = "multi_thread")]
async fn slow_keys_are_waited_for() {
    let (idp, folder) = (
        Idp::start(IdpConfig::default()).await.unwrap(),
        Folder::new("explain", free_port()),
    );
    let issuer = idp.issuer().to_string();
    let slow = std::time::Duration::from_millis(2_500);
    idp.fail(Endpoint::Jwks, Fault::Slow(slow));
    let explained = explain(&folder, &alice(&idp).sign(), &[], Some(&issuer));
    assert_eq!(explained.status, Some(0), "{}", explained.out);
    let expected = format!("Waiting for the keys of {issuer}");
    assert!(explained.err.contains(&expected), "{}", explained.err);
}

/// Whatever is pasted, the token is found, and the page says what was taken.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_told() {
    let (idp, folder) = (
        Idp::start(IdpConfig::default()).await.unwrap(),
        Folder::new("explain", free_port()),
    );
    let issuer = idp.issuer().to_string();
    let token = alice(&idp).sign();
    let id_token = idp.token("alice").id_token().sign();
    let both = format!(r#"{{"access_token":"{token}","id_token":"{id_token}"}}"#);
    let only = format!(r#"{{"id_token":"{id_token}"}}"#);
    for (input, status, expected) in [
        (
            format!("curl -H 'Authorization: Bearer {token}' x"),
            0,
            "in a command line",
        ),
        (both, 0, "an `id_token` is beside the `access_token`"),
        (only, 2, "there is an `id_token` only"),
        (
            format!("Authorization: Bearer {token}"),
            0,
            "of an Authorization header",
        ),
        (format!("\"{token}\""), 0, "quotes or punctuation"),
        ("{\"error\":\"invalid_grant\"}".to_owned(), 1, ""),
    ] {
        let explained = explain(&folder, &input, &[], Some(&issuer));
        assert_eq!(explained.status, Some(status), "{}", explained.out);
        assert!(
            explained.out.contains(expected),
            "{expected}: {}",
            explained.out
        );
    }
}

/// The documented schema holds for every kind of input, and names every member.
#[tokio::test(flavor = "multi_thread")]
async fn the_documents_are_as_the_schema_says() {
    let (idp, folder) = (
        Idp::start(IdpConfig::default()).await.unwrap(),
        Folder::new("explain", free_port()),
    );
    let issuer = idp.issuer().to_string();
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    close(&mut schema);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let groups: Vec<String> = (0..900).map(|n| format!("group-{n:020}")).collect();
    let good = alice(&idp).sign();
    let inputs = [
        (good.clone(), "accepted"),
        (alice(&idp).expire().sign(), "refused"),
        (alice(&idp).wrong_key().await.sign(), "refused"),
        (
            alice(&idp).issuer("https://other.example").sign(),
            "refused",
        ),
        (alice(&idp).claim("exp", "soon").sign(), "refused"),
        (alice(&idp).claim("groups", groups).sign(), "refused"),
        (alice(&idp).alg_none().sign(), "refused"),
        (idp.token("alice").id_token().sign(), "refused"),
        (idp.token("service").sign(), "accepted"),
        ("2YotnFZFEjr1zCsicMWpAA".to_owned(), "refused"),
        (
            format!("{}.a.b.c.d", good.split('.').next().unwrap()),
            "refused",
        ),
        (good.split('.').next().unwrap().to_owned(), "refused"),
        (format!("{{\"access_token\":\"{good}\"}}"), "accepted"),
    ];
    for (input, conclusion) in inputs {
        for issuer in [Some(issuer.as_str()), None] {
            let explained = explain(&folder, &input, &["--json"], issuer);
            let document: Value = serde_json::from_str(&explained.out).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{errors:?}: {document:#}");
            let expected = if issuer.is_some() {
                conclusion
            } else {
                "unverified"
            };
            assert_eq!(document["conclusion"], expected, "{document:#}");
            assert_eq!(
                document["steps"].as_array().unwrap().is_empty(),
                issuer.is_none()
            );
            assert_eq!(document["accepted"].is_null(), issuer.is_none());
        }
    }
    idp.fail(Endpoint::Jwks, Fault::InternalError);
    let outage = explain(&folder, &good, &["--json"], Some(&issuer));
    let document: Value = serde_json::from_str(&outage.out).unwrap();
    assert!(validator.is_valid(&document), "{document:#}");
    assert_eq!(document["conclusion"], "undecided");
}

/// Lets no object have members that the schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") && members.contains_key("type") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(elements) => elements.iter_mut().for_each(close),
        _ => {}
    }
}

/// Nothing in a token steers the terminal, in any output.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_token_cannot_steer_the_terminal() {
    const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\r\n\u{9b}31m\u{202e}\u{2066}\u{200b}";
    let (idp, folder) = (
        Idp::start(IdpConfig::default()).await.unwrap(),
        Folder::new("explain", free_port()),
    );
    let issuer = idp.issuer().to_string();
    let hostile = || {
        alice(&idp)
            .claim(HOSTILE, HOSTILE)
            .claim("sub", HOSTILE)
            .claim("roles", vec![HOSTILE])
            .claim("client_id", HOSTILE)
            .header("typ", HOSTILE)
            .header("kid", HOSTILE)
    };
    let foreign = hostile().issuer(HOSTILE).audience(HOSTILE).sign();
    for token in [hostile().sign(), foreign] {
        for arguments in [&["--all"][..], &["--json"], &["--decode"]] {
            let explained = explain(&folder, &token, arguments, Some(&issuer));
            let is_safe = |character: char| {
                let is_mark =
                    matches!(character, '\u{200b}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                character == '\n' || !(character.is_control() || is_mark)
            };
            assert!(explained.out.chars().all(is_safe), "{:?}", explained.out);
            assert!(!explained.out.is_empty());
        }
    }
}

#[test]
fn a_code_and_a_request_are_explained() {
    let code = portcullis(&["explain", "--code", "token.audience"], &[]);
    assert_eq!(code.status.code(), Some(0));
    let page = text(&code.stdout);
    for expected in [
        "401, error=\"invalid_token\"",
        "usual causes",
        "keycloak",
        "RFC 9068",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let json = portcullis(&["explain", "--code", "outage.keys", "--json"], &[]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["status"], 503);
    let unknown = portcullis(&["explain", "--code", "token.x"], &[]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("help: the codes of `token` are"));
    let mixed = portcullis(&["explain", "--code", "token.type", "--decode"], &[]);
    assert_eq!(mixed.status.code(), Some(1));
    let folder = Folder::new("explain", free_port());
    let audit = write(&folder, "audit.jsonl", "{\"request_id\":\"a\"}\n");
    let missing = portcullis(&["explain", "--request-id", "b", "--audit", &audit], &[]);
    assert_eq!(missing.status.code(), Some(1));
    let message = text(&missing.stderr);
    assert!(
        message.contains("expected a record of the request `b`, found 1 other"),
        "{message}"
    );
}
