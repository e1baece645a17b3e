//! Marked tokens and secrets through everything that runs, at the most talkative log level: none comes out.

use super::process::program;
use portcullis_idp::{Client, Idp, IdpConfig, Secret};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

const AUDIENCE: &str = "api://enterprise-api";

/// What must not come out: the parts of every token, and every secret.
#[derive(Default)]
struct Marked(Vec<String>);

impl Marked {
    fn token(&mut self, token: &str) -> String {
        self.0.extend(token.split('.').skip(1).filter(|part| part.len() > 20).map(str::to_owned));
        token.to_owned()
    }

    fn is_not_in(&self, what: &str, text: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "{what} shows {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_marked_comes_out() {
    let (mut marked, folder) = (Marked(vec!["marked-client-secret".to_owned()]), std::env::temp_dir());
    let defaults = IdpConfig::default();
    let client = Client { secret: Some(Secret::new("marked-client-secret")), ..defaults.clients[0].clone() };
    let idp = Idp::start(IdpConfig { clients: vec![client], ..defaults }).await.unwrap();
    let issuer = idp.issuer().to_string();
    let tokens = [
        idp.token("alice").sign(),
        idp.token("bob").sign(),
        idp.token("alice").expired().sign(),
        idp.token("alice").audience("api://other").sign(),
        idp.token("alice").kid("unknown").sign(),
        idp.token("alice").wrong_key().await.sign(),
        idp.token("alice").id_token().sign(),
        idp.token("alice").alg_none().sign(),
        idp.token("alice").hmac_with_public_key().sign(),
        idp.token("alice").claim("cnf", serde_json::json!({ "jkt": "x" })).sign(),
    ];
    let log = folder.join(format!("portcullis-secrets-{}.log", std::process::id()));
    let mut api = Command::new(program("enterprise-api"))
        .env("OAUTH2_ISSUER", &issuer)
        .env("OAUTH2_AUDIENCE", AUDIENCE)
        .env("LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let line = BufReader::new(api.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let url = line.strip_prefix("listening on ").unwrap();
    let mut answers = String::new();
    for token in &tokens {
        let token = marked.token(token);
        for path in ["/public-data", "/protected-data", "/admin-dashboard"] {
            let answer =
                reqwest::Client::new().get(format!("{url}{path}")).bearer_auth(&token).send().await.unwrap();
            answers.push_str(&format!("{:?}", answer.headers()));
            answers.push_str(&answer.text().await.unwrap());
        }
    }
    api.kill().unwrap();
    api.wait().unwrap();
    let logged = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    assert!(logged.contains("refused") && logged.contains("token.expired"), "the log says what happened");
    marked.is_not_in("the log", &logged);
    marked.is_not_in("an answer", &answers);

    let environment =
        [("OAUTH2_ISSUER", issuer.as_str()), ("OAUTH2_AUDIENCE", AUDIENCE), ("OAUTH2_CLIENT_ID", "service")];
    for (arguments, secret) in [
        (vec!["token", "--scope", "everything"], "marked-client-secret"),
        (vec!["token"], "marked-client-secret-but-wrong"),
        (vec!["explain", tokens[2].as_str()], ""),
        (vec!["explain", "--json", tokens[5].as_str()], ""),
    ] {
        let output = Command::new(program("portcullis"))
            .args(arguments)
            .envs(environment)
            .env("OAUTH2_CLIENT_SECRET", secret)
            .env("PORTCULLIS_TOKEN_STORE", "none")
            .env("RUST_LOG", "trace")
            .current_dir(&folder)
            .output()
            .unwrap();
        marked.is_not_in("the command", &String::from_utf8_lossy(&output.stdout));
        marked.is_not_in("the command's log", &String::from_utf8_lossy(&output.stderr));
    }
}
