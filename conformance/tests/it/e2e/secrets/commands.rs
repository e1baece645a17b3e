//! The commands: tokens got, shown, explained and sent; the development provider, and everything at
//! once.

use super::marks::Marks;
use super::{AUDIENCE, Watched, provider, tokens};
use crate::e2e::process::{Folder, free_port, program};
use crate::e2e::token::{StandIn, api};
use serde_json::json;
use std::process::{Command, Output};
use std::time::Duration;

/// A command that ends, at the most talkative log level. What it is to print is printed; nothing
/// else is.
fn run(folder: &Folder, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(program("portcullis"));
    command
        .args(arguments)
        .current_dir(&folder.0)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .env("RUST_LOG", "trace")
        .env("PORTCULLIS_STATE_DIR", folder.0.join("state"));
    command
        .env("PORTCULLIS_TOKEN_STORE", "file")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_marked_comes_out_of_the_commands() {
    let mut marks = Marks::default();
    let idp = provider(&mut marks).await;
    let folder = Folder::new("secrets-commands", free_port());
    let wrong = marks.secret("a wrong secret", "marked-and-wrong-secret");
    let tokens = tokens(&idp, &mut marks).await;
    let base = [
        ("OAUTH2_ISSUER", idp.issuer().as_str()),
        ("OAUTH2_AUDIENCE", AUDIENCE),
        ("OAUTH2_CLIENT_ID", "service"),
    ];
    let with = |secret| [&base[..], &[("OAUTH2_CLIENT_SECRET", secret)]].concat();
    for (arguments, secret) in [
        (
            vec!["token", "--scope", "everything"],
            "marked-client-secret-0",
        ),
        (
            vec!["token", "--client-secret-post", "--scope", "everything"],
            "marked-client-secret-0",
        ),
        (vec!["token"], wrong.as_str()),
        (vec!["token", "list"], wrong.as_str()),
    ] {
        let output = run(&folder, &with(secret), &arguments);
        marks.are_not_in(&format!("{arguments:?}"), &output.stdout);
        marks.are_not_in(&format!("the log of {arguments:?}"), &output.stderr);
    }
    let file = folder.0.join("token");
    for token in &tokens {
        std::fs::write(&file, token).unwrap();
        let file = file.to_str().unwrap();
        for arguments in [
            &["explain", token][..],
            &["explain", "--json", token],
            &["audit", "--token-file", file],
        ] {
            let output = run(&folder, &base, arguments);
            // People ask for the claims; neither the token nor its signature is shown.
            let hidden = marks.without("a claim");
            let shown = if arguments[0] == "explain" {
                &hidden
            } else {
                &marks
            };
            shown.are_not_in(arguments[0], &output.stdout);
            marks.are_not_in(&format!("the log of {}", arguments[0]), &output.stderr);
        }
    }
}

/// A token that is printed stands on standard output, and nowhere else; what is kept is sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_stands_on_standard_output_only() {
    let mut marks = Marks::default();
    let idp = StandIn::start().await;
    let folder = Folder::new("secrets-token", free_port());
    let access = marks.secret("the access token", "marked-access-token-1");
    let refresh = marks.secret("the refresh token", "marked-refresh-token-1");
    let secret = marks.secret("the client's secret", "marked-client-secret-1");
    let passphrase = marks.secret("the passphrase", "marked-passphrase-1");
    let answer = json!({ "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 300 });
    idp.answers_json(200, &answer)
        .answers_json(200, &answer);
    idp.answers_json(
        400,
        &json!({ "error": "invalid_grant", "error_description": "no" }),
    );
    idp.answers_json(
        200,
        &json!({ "access_token": access, "refresh_token": refresh, "token_type": "mac" }),
    );
    idp.answers(
        200,
        "text/html",
        &format!("<html>{access} {refresh}</html>"),
    );
    let environment = [
        ("OAUTH2_ISSUER", idp.issuer.as_str()),
        ("OAUTH2_CLIENT_ID", "app"),
        ("OAUTH2_CLIENT_SECRET", &secret),
        ("PORTCULLIS_PASSPHRASE", &passphrase),
    ];
    let (api, _) = api("Bearer error=\"invalid_token\"", &[]).await;
    for (arguments, prints) in [
        (&["token", "--renew"][..], true),
        (&["token", "--renew"], true),
        (&["curl", "-i", &api], false),
        (&["token", "--renew"], false),
        (&["token", "--renew"], false),
        (&["token", "--renew"], false),
        (&["token", "list"], false),
        (&["token", "list", "--json"], false),
        (&["logout", "--no-browser"], false),
    ] {
        let output = run(&folder, &environment, arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if prints {
            assert_eq!(
                said.trim(),
                access,
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        } else {
            marks.are_not_in(&format!("{arguments:?}"), said.as_bytes());
        }
        marks.are_not_in(&format!("the log of {arguments:?}"), &output.stderr);
        if let Ok(kept) = std::fs::read(folder.0.join("state/tokens.json")) {
            marks.are_not_in("what is kept", &kept);
        }
    }
}

/// The development provider, which says what it does; and with it an API and the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_handed_out_comes_out_of_the_development_programs() {
    for (name, arguments) in [("idp", &["idp", "--listen"][..]), ("dev", &["dev"])] {
        let mut marks = Marks::default();
        let folder = Folder::new("secrets-dev", free_port());
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(program("portcullis"));
        command.args(arguments);
        if name == "idp" {
            command.arg(&listen);
        }
        let running = Watched::start(&folder, name, &mut command);
        let issuer = issuer(&running).await;
        let http = reqwest::Client::new();
        let post = async |path: &str, form: &str| {
            let request = http
                .post(format!("{issuer}{path}"))
                .body(form.to_owned());
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            request.send().await.unwrap().text().await.unwrap()
        };
        let token = marks.token(
            "a token",
            post("/dev/token", "user=alice&scope=orders:read")
                .await
                .trim(),
        );
        let wrong = marks.secret("a wrong secret", "marked-and-wrong-secret");
        let refused = post(
            "/token",
            &format!("grant_type=client_credentials&client_id=service&client_secret={wrong}"),
        )
        .await;
        marks.are_not_in("a refusal", refused.as_bytes());
        let granted = post(
            "/token",
            "grant_type=client_credentials&client_id=service&client_secret=service-secret",
        )
        .await;
        let granted: serde_json::Value = serde_json::from_str(&granted).unwrap();
        marks.token(
            "a service's token",
            granted["access_token"].as_str().unwrap(),
        );
        let code = marks.secret("a code", &code(&issuer).await);
        let signed_in = post("/token", &format!("{REDEEM}&code={code}")).await;
        let signed_in: serde_json::Value = serde_json::from_str(&signed_in).unwrap();
        for name in ["access_token", "id_token"] {
            marks.token(name, signed_in[name].as_str().unwrap());
        }
        let again = post("/token", &format!("{REDEEM}&code={code}")).await;
        marks.are_not_in("the refusal of a used code", again.as_bytes());
        post(
            "/introspect",
            &format!("token={token}&client_id=service&client_secret={wrong}"),
        )
        .await;
        for address in addresses(&running) {
            for request in [
                http.get(&address).bearer_auth(&token),
                http.get(format!("{address}?access_token={token}")),
            ] {
                _ = request.send().await;
            }
        }
        let (out, err) = running.end();
        marks.are_not_in(&format!("the page of {name}"), &out);
        marks.are_not_in(&format!("the log of {name}"), &err);
    }
}

/// RFC 7636, appendix B.
const REDEEM: &str = "grant_type=authorization_code&client_id=web&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback\
                      &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Signs alice in as a browser does; the code is in the address that it is sent back to.
async fn code(issuer: &str) -> String {
    let query = "response_type=code&client_id=web&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback&scope=openid\
                 &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let request = browser
        .post(format!("{issuer}/authorize?{query}"))
        .body("username=alice&password=alice");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.send().await.unwrap();
    let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    back.query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned()
}

/// Every address on this machine that a program has printed.
fn addresses(running: &Watched) -> Vec<String> {
    let text = std::fs::read_to_string(&running.out).unwrap();
    let words = text.split(|c: char| c.is_whitespace() || "\"'`()$".contains(c));
    let mut found: Vec<String> = words
        .filter(|word| word.starts_with("http://127.0.0.1:"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The issuer, as soon as it is printed and answers.
async fn issuer(running: &Watched) -> String {
    let answers = async {
        loop {
            for address in addresses(running) {
                let base = address.trim_end_matches('/').to_owned();
                let metadata =
                    reqwest::get(format!("{base}/.well-known/openid-configuration")).await;
                if metadata.is_ok_and(|answer| answer.status() == 200) {
                    return base;
                }
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), answers)
        .await
        .expect("an issuer on standard output")
}
