//! `portcullis explain` about what a request showed beside its token: a proof, a certificate.

use super::command::{portcullis, text};
use super::process::{Folder, free_port};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_testkit::{AUDIENCE, ProofKey};
use serde_json::{Value, json};
use std::time::SystemTime;

const URL: &str = "https://api.example/orders/7";

struct Shown {
    idp: Idp,
    folder: Folder,
    key: ProofKey,
    token: String,
}

impl Shown {
    async fn new() -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let key = ProofKey::new();
        let token = idp
            .token("alice")
            .bound_to_key(&key.thumbprint())
            .sign();
        let folder = Folder::new("explain-proof", free_port());
        Self {
            idp,
            folder,
            key,
            token,
        }
    }

    /// A proof for this URL whose clock is so many seconds ahead.
    fn proof(&self, url: &str, ahead: i64) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = i64::try_from(now.unwrap().as_secs()).unwrap();
        let claims = self.key.claims("GET", url, &self.token, now + ahead);
        self.key.sign(&claims)
    }

    fn path(&self, name: &str, content: &str) -> String {
        let path = self.folder.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The command about this input, which shows neither the token nor the proof.
    fn explain(&self, input: &str, arguments: &[&str], is_verified: bool) -> (Option<i32>, String) {
        let file = self.path("input.txt", input);
        let issuer = self.idp.issuer().to_string();
        let mut environment = vec![("TZ", "UTC")];
        if is_verified {
            environment.extend([("OAUTH2_ISSUER", &*issuer), ("OAUTH2_AUDIENCE", AUDIENCE)]);
        }
        let arguments = [&["explain", "--file", &*file], arguments].concat();
        let output = portcullis(&arguments, &environment);
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(!shown.contains(&self.token), "the token itself is shown");
        (output.status.code(), shown)
    }
}

/// The text in one line: rows are broken where the page ends.
fn joined(page: &str) -> String {
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_checked_with_its_token() {
    let it = Shown::new().await;
    let proof = it.proof(URL, -3);
    let (exit, page) = it.explain(&it.token, &["--dpop", &proof, "--url", URL], true);
    assert_eq!(exit, Some(0), "{page}");
    let jkt = it.key.thumbprint();
    let flat = joined(&page);
    for expected in [
        "This token is accepted",
        "ok method of the proof `GET`",
        "ok URL of the proof `https://api.example/orders/7`",
        "s behind our clock",
        "ok token of the proof the hash of this token",
        &format!("ok key of the proof {jkt}"),
        "ok binding of the proof",
    ] {
        assert!(flat.contains(expected), "{expected}: {page}");
    }
    assert!(
        page.lines().all(|line| line.chars().count() <= 80),
        "{page}"
    );
    // Everything that is wrong is told at once; the first of the table is the verdict.
    let proof = it.proof("http://api.example/orders/8", 45);
    let arguments = ["--dpop", &*proof, "--url", URL, "--method", "POST"];
    let (exit, page) = it.explain(&it.token, &arguments, true);
    assert_eq!(exit, Some(2), "{page}");
    let flat = joined(&page);
    for expected in [
        "This token is refused: proof.method",
        "no method of the proof expected `htm` to be `POST` found `GET`",
        "another scheme and path",
        "s ahead of our clock",
        "ok signature of the proof",
    ] {
        assert!(flat.contains(expected), "{expected}: {page}");
    }
    assert!(
        page.lines().all(|line| line.chars().count() <= 80),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_command_shows_its_proof() {
    let it = Shown::new().await;
    let line = |scheme: &str, proof: &str| {
        let token = &it.token;
        format!("curl -H 'Authorization: {scheme} {token}' -H 'DPoP: {proof}' \\\n  {URL}")
    };
    let (exit, page) = it.explain(&line("DPoP", &it.proof(URL, 0)), &[], true);
    assert_eq!(exit, Some(0), "{page}");
    assert!(page.contains("URL of the proof"), "{page}");
    // What is typed counts more than what was pasted.
    let other = ["--url", "https://api.example/else"];
    let (_, page) = it.explain(&line("DPoP", &it.proof(URL, 0)), &other, true);
    assert!(page.contains("refused: proof.url"), "{page}");
    let (_, page) = it.explain(&line("Bearer", &it.proof(URL, 0)), &[], true);
    assert!(page.contains("refused: proof.missing"), "{page}");
    assert!(page.contains("in place of `DPoP`"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_proof_it_says_what_to_give() {
    let it = Shown::new().await;
    let (exit, page) = it.explain(&it.token, &[], true);
    assert_eq!(exit, Some(2), "{page}");
    let flat = joined(&page);
    assert!(flat.contains("refused: proof.missing"), "{page}");
    let hint = "give its proof with `--dpop PROOF --method METHOD --url URL`";
    assert!(flat.contains(hint), "{page}");
    let (exit, page) = it.explain(&it.token, &["--dpop", "e.y.J"], true);
    assert_eq!(exit, Some(1), "{page}");
    assert!(page.contains("--url https://api.example"), "{page}");
    // Without settings, the proof is checked with what the token says of itself.
    let proof = it.proof(URL, 0);
    let arguments = ["--dpop", &*proof, "--url", URL, "--json"];
    let (exit, document) = it.explain(&it.token, &arguments, false);
    assert_eq!(exit, Some(4), "{document}");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["conclusion"], "unverified");
    let steps = document["steps"].as_array().unwrap();
    let mut binding = steps
        .iter()
        .filter(|step| step["code"] == "proof.binding");
    assert_eq!(binding.next().unwrap()["outcome"], "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_and_a_request_are_shown_too() {
    let it = Shown::new().await;
    let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    let pem = it.path("client.pem", &made.cert.pem());
    let thumbprint = portcullis_core::proof::Thumbprint::of_certificate(made.cert.der());
    let bound = it.idp.token("alice");
    let bound = bound
        .bound_to_certificate(&thumbprint.to_string())
        .sign();
    let certificate = ["--client-certificate-file", &*pem];
    let (exit, page) = it.explain(&bound, &certificate, true);
    assert_eq!(exit, Some(0), "{page}");
    let (_, page) = it.explain(&bound, &[], true);
    assert!(
        joined(&page).contains("`--client-certificate-file FILE`"),
        "{page}"
    );
    // By the way of a request, with the settings of a gateway.
    let (issuer, port) = (it.idp.issuer(), free_port());
    let settings = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = \"{AUDIENCE}\"\n[gateway]\n\
         listen = \"127.0.0.1:{port}\"\nupstream = \"http://127.0.0.1:9\"\n"
    );
    let settings = it.path("portcullis.toml", &settings);
    let by_request = ["--config", &*settings, "--request", "GET /orders/7"];
    let host = ["--host", "api.example", "--json"];
    let arguments = [&by_request[..], &certificate, &host].concat();
    let (exit, shown) = it.explain(&bound, &arguments, false);
    assert_eq!(exit, Some(0), "{shown}");
    for (url, code) in [
        ("http://api.example/orders/7", Value::Null),
        (URL, json!("proof.url")),
    ] {
        let header = format!("DPoP: {}", it.proof(url, 0));
        for proof in [["--header", &*header], ["--dpop", &header[6..]]] {
            let arguments = [&by_request[..], &proof, &host].concat();
            let (_, shown) = it.explain(&it.token, &arguments, false);
            let document: Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(document["verdict"]["code"], code, "{shown}");
            assert_eq!(document["token"]["code"], code, "{shown}");
        }
    }
}
