//! Marked tokens and secrets through everything that runs, at the most talkative log level: none
//! comes out, in no form.

mod commands;
mod gateway;
mod marks;

use super::process::{Folder, free_port, program};
use marks::Marks;
use portcullis_idp::{Idp, IdpConfig, RegisteredClient, Secret, TokenBuilder};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const AUDIENCE: &str = "api://enterprise-api";

/// A provider whose clients have marked secrets.
async fn provider(marks: &mut Marks) -> Idp {
    let defaults = IdpConfig::default();
    let secret = marks.secret("the client's secret", "marked-client-secret-0");
    let client = RegisteredClient {
        secret: Some(Secret::new(&secret)),
        ..defaults.clients[0].clone()
    };
    let clients = [vec![client], defaults.clients[1..].to_vec()].concat();
    Idp::start(IdpConfig {
        clients,
        ..defaults
    })
    .await
    .unwrap()
}

/// Good tokens and bad ones of every kind; each holds a claim that nobody asked for.
async fn tokens(idp: &Idp, marks: &mut Marks) -> Vec<String> {
    let note = marks.secret("a claim", "marked-claim-of-a-token");
    let token = |user: &str| idp.token(user).claim("note", note.as_str());
    let forged = token("alice").wrong_key().await;
    let of = |token: TokenBuilder| token.sign();
    let tokens = [
        of(token("alice")),
        of(token("bob")),
        of(token("alice").expire()),
        of(token("alice").audience("api://other")),
        of(token("alice").issuer("https://other.example")),
        of(token("alice").kid("unknown")),
        of(forged),
        of(token("alice").signature_flipped()),
        of(token("alice").id_token()),
        of(token("alice").alg_none()),
        of(token("alice").hmac_with_public_key()),
        of(token("alice").claim("cnf", serde_json::json!({ "jkt": "x" }))),
        of(token("alice").claim("exp", "soon")),
    ];
    tokens
        .iter()
        .map(|token| marks.token("a token", token))
        .collect()
}

/// A program with all that it writes kept in files.
struct Watched {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Watched {
    fn start(folder: &Folder, name: &str, command: &mut Command) -> Self {
        let file = |kind: &str| folder.0.join(format!("{name}.{kind}"));
        let (out, err) = (file("out"), file("err"));
        command
            .env("RUST_LOG", "trace")
            .current_dir(&folder.0)
            .stdin(Stdio::null());
        command
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap());
        Self {
            child: command.spawn().unwrap(),
            out,
            err,
        }
    }

    /// Ends it, and gives what it wrote to standard output and to standard error.
    fn end(mut self) -> (Vec<u8>, Vec<u8>) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap();
        (
            std::fs::read(&self.out).unwrap(),
            std::fs::read(&self.err).unwrap(),
        )
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_marked_comes_out_of_the_library() {
    let mut marks = Marks::default();
    let idp = provider(&mut marks).await;
    let folder = Folder::new("secrets-api", free_port());
    let log = folder.0.join("log");
    let mut api = Command::new(program("enterprise-api"))
        .env("OAUTH2_ISSUER", idp.issuer().as_str())
        .env("OAUTH2_AUDIENCE", AUDIENCE)
        .env("LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let line = BufReader::new(api.stdout.take().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();
    let url = line.strip_prefix("listening on ").unwrap();
    let mut answers = String::new();
    for token in tokens(&idp, &mut marks).await {
        for path in ["/public-data", "/protected-data", "/admin-dashboard"] {
            let to = |query: &str| reqwest::Client::new().get(format!("{url}{path}{query}"));
            let in_query = format!("?access_token={token}");
            for request in [
                to("").bearer_auth(&token),
                to(&in_query),
                to(&in_query).bearer_auth(&token),
            ] {
                let answer = request.send().await.unwrap();
                answers.push_str(&format!("{:?}", answer.headers()));
                // An API may show a caller the caller's own claims; a refusal shows nothing.
                if !answer.status().is_success() {
                    answers.push_str(&answer.text().await.unwrap());
                }
            }
        }
    }
    api.kill().unwrap();
    api.wait().unwrap();
    let logged = std::fs::read(&log).unwrap();
    let text = String::from_utf8_lossy(&logged);
    assert!(
        text.contains("refused") && text.contains("token.expired"),
        "the log says what happened"
    );
    marks.are_not_in("the log", &logged);
    marks.are_not_in("an answer", answers.as_bytes());
}
