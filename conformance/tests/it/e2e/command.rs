//! The `portcullis` command as a user runs it.

use super::process::{Folder, Process, free_port, program};
use portcullis_idp::{Idp, IdpConfig};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

const AUDIENCE: &str = "api://enterprise-api";

pub(crate) fn portcullis(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program("portcullis"));
    command
        .args(arguments)
        .current_dir(std::env::temp_dir());
    for name in [
        "OAUTH2_ISSUER",
        "OAUTH2_AUDIENCE",
        "OAUTH2_CLIENT_ID",
        "OAUTH2_CLIENT_SECRET",
        "PORTCULLIS_STORE",
    ] {
        command.env_remove(name);
    }
    // What a test gets is not for whoever runs it.
    command.env("PORTCULLIS_TOKEN_STORE", "none");
    command
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_got_and_explained() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().to_string();
    let environment = [
        ("OAUTH2_ISSUER", issuer.as_str()),
        ("OAUTH2_AUDIENCE", AUDIENCE),
        ("OAUTH2_CLIENT_ID", "service"),
        ("OAUTH2_CLIENT_SECRET", "service-secret"),
    ];
    let got = portcullis(&["token", "--scope", "orders:read"], &environment);
    let token = text(&got.stdout);
    assert_eq!(
        (got.status.code(), token.matches('.').count()),
        (Some(0), 2),
        "{}",
        text(&got.stderr)
    );
    let explained = portcullis(&["explain", token.trim()], &environment);
    assert_eq!(explained.status.code(), Some(0));
    assert!(text(&explained.stdout).contains("This token is accepted"));

    let expired = idp.token("alice").expire().sign();
    let explained = portcullis(&["explain", &expired], &environment);
    let page = text(&explained.stdout);
    assert_eq!(explained.status.code(), Some(2));
    assert!(
        page.contains("refused: token.expired") && page.contains("help "),
        "{page}"
    );
    assert!(
        page.lines().all(|line| line.chars().count() <= 80) && !page.contains('\u{1b}'),
        "{page}"
    );
    let json = portcullis(&["explain", "--json", &expired], &environment);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&json["accepted"], &json["code"]),
        (&false.into(), &"token.expired".into())
    );
}

/// With the key set in a file nothing is fetched: the provider is long gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_explained_offline() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let (issuer, token, keys) = (
        idp.issuer().to_string(),
        idp.token("alice").sign(),
        idp.jwks(),
    );
    let expired = idp.token("alice").expire().sign();
    idp.shutdown().await;
    let folder = std::env::temp_dir().join(format!("portcullis-offline-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (jwks, file) = (folder.join("jwks.json"), folder.join("token.txt"));
    std::fs::write(&jwks, keys).unwrap();
    std::fs::write(&file, format!("Authorization: Bearer {token}\n")).unwrap();
    let environment = [
        ("OAUTH2_ISSUER", issuer.as_str()),
        ("OAUTH2_AUDIENCE", AUDIENCE),
    ];
    let offline = ["explain", "--offline", "--jwks", jwks.to_str().unwrap()];
    let from_file = portcullis(
        &[&offline[..], &["--file", file.to_str().unwrap()]].concat(),
        &environment,
    );
    assert_eq!(
        from_file.status.code(),
        Some(0),
        "{}",
        text(&from_file.stdout)
    );
    assert_eq!(
        portcullis(&[&offline[..], &[&expired]].concat(), &environment)
            .status
            .code(),
        Some(2)
    );
    assert_eq!(
        portcullis(&["explain", "--offline", &token], &environment)
            .status
            .code(),
        Some(1),
        "it needs the keys"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_their_exit_codes_and_tell_no_secret() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let issuer = idp.issuer().to_string();
    let with = |secret| {
        [
            ("OAUTH2_ISSUER", issuer.as_str()),
            ("OAUTH2_CLIENT_ID", "service"),
            ("OAUTH2_CLIENT_SECRET", secret),
        ]
    };
    let wrong = portcullis(&["token"], &with("marked-secret"));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        !text(&wrong.stderr).contains("marked-secret")
            && text(&wrong.stderr).contains("invalid_client")
    );
    let scope = portcullis(&["token", "--scope", "everything"], &with("service-secret"));
    assert!(text(&scope.stderr).contains("invalid_scope"));
    let missing = portcullis(&["token"], &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("2 faults"));
    let settings = [
        ("OAUTH2_ISSUER", "http://127.0.0.1:1"),
        ("OAUTH2_AUDIENCE", AUDIENCE),
    ];
    let token = idp.token("alice").issuer("http://127.0.0.1:1").sign();
    let down = portcullis(&["explain", &token], &settings);
    assert_eq!(down.status.code(), Some(4));
    assert!(text(&down.stdout).contains("undecided: outage.metadata"));
}

/// The page's own lines, run by a shell: each `curl` must get the answer that the page promises.
#[test]
fn the_lines_of_the_dev_page_do_what_it_says() {
    if !Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        crate::tally::excused("curl is not installed");
        return;
    }
    let page = run_the_dev_page(&[]);
    assert!(page.iter().all(|line| line.chars().count() <= 80));
    for provider in [
        "entra",
        "cognito",
        "keycloak",
        "github-actions",
        "google",
        "zitadel",
    ] {
        run_the_dev_page(&["--as", provider]);
    }
}

fn run_the_dev_page(arguments: &[&str]) -> Vec<String> {
    // The page repeats how it was called; where the checkout stands must not make it wide.
    let typed = "target/debug/portcullis";
    let process = Process::start(
        Command::new(program("portcullis"))
            .arg0(typed)
            .arg("dev")
            .args(arguments),
    );
    let page = process.lines_to("Ctrl-C stops everything.");
    assert!(page.iter().any(|line| line.contains(typed)), "{page:?}");
    let mut script = String::from("set -e\n");
    let mut promised = Vec::new();
    let mut calls = String::new();
    for line in page
        .iter()
        .skip_while(|line| !line.contains("Get tokens"))
    {
        let line = line.trim();
        if line.starts_with("curl -si") {
            let call = line.replace("curl -si", "curl -s -o /dev/null -w '%{http_code}\\n'");
            calls.push_str(&format!("{call}\n"));
        } else if let Some(status) = line
            .get(..3)
            .filter(|start| start.parse::<u16>().is_ok())
        {
            promised.push(status.to_owned());
        } else if [
            "IDP=",
            "SERVICE=",
            "ALICE=",
            "BOB=",
            "-d grant_type",
            "sed ",
        ]
        .iter()
        .any(|start| line.starts_with(start))
        {
            script.push_str(&format!("{line}\n"));
        } else if line.starts_with("API=") {
            // The same lines again, through the gateway.
            script.push_str(&format!("{calls}{line}\n"));
            promised.extend(promised.clone());
        }
    }
    script.push_str(&calls);
    let output = Command::new("sh")
        .args(["-c", &script])
        .output()
        .unwrap();
    let answers: Vec<String> = text(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        answers,
        promised,
        "{arguments:?}\n{script}\n{}",
        text(&output.stderr)
    );
    assert_eq!(promised.len(), 14);
    assert!(process.interrupt(), "Ctrl-C ends it well");
    page
}

/// In front of somebody's own API, everything needs a token, and the API is told who calls.
#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_of_dev_stands_before_an_api_of_ones_own() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let upstream = format!("http://{}", socket.local_addr().unwrap());
    let api = axum::Router::new().fallback(|headers: http::HeaderMap| async move {
        headers
            .get("x-auth-client")
            .map_or("nobody", |value| value.to_str().unwrap())
            .to_owned()
    });
    tokio::spawn(async move { axum::serve(socket, api).await });
    let mut command = Command::new(program("portcullis"));
    let process = Process::start(command.args(["dev", "--upstream", &upstream]));
    let page = process.lines_to("Ctrl-C stops everything.");
    assert!(page.iter().any(|line| line.contains(&upstream)), "{page:?}");
    let line = page
        .iter()
        .find_map(|line| line.trim().strip_prefix("IDP="))
        .unwrap();
    let (idp, gateway) = line.split_once(" API=").unwrap();
    let client = reqwest::Client::new();
    let token = client
        .post(format!("{idp}/dev/token"))
        .body("user=bob");
    let token = token
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await
        .unwrap();
    let token = token.text().await.unwrap();
    let call = || client.get(format!("{gateway}/anything"));
    assert_eq!(call().send().await.unwrap().status(), 401);
    let told = call().bearer_auth(token).send().await.unwrap();
    assert_eq!(
        (told.status().as_u16(), told.text().await.unwrap().as_str()),
        (200, "web")
    );
    assert!(process.interrupt(), "Ctrl-C ends it well");
}

/// The settings on the page of `portcullis idp` are those with which its tokens are accepted.
#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_the_idp_page_do() {
    for provider in [
        "entra-v1",
        "auth0",
        "okta",
        "firebase",
        "google",
        "pingone",
        "authentik",
        "cloudflare",
    ] {
        let mut command = Command::new(program("portcullis"));
        let process =
            Process::start(command.args(["idp", "--as", provider, "--listen", "127.0.0.1:0"]));
        let page = process.lines_to("rotate");
        let settings: Vec<(&str, &str)> = page
            .iter()
            .filter_map(|line| line.trim().strip_prefix("OAUTH2_")?.split_once('='))
            .collect();
        let settings: Vec<(String, &str)> = settings
            .iter()
            .map(|(name, value)| (format!("OAUTH2_{name}"), *value))
            .collect();
        assert_eq!(settings.len(), 3, "{page:?}");
        let line = page
            .iter()
            .find_map(|line| line.trim().strip_prefix("curl -s "))
            .unwrap();
        let (url, form) = line.split_once(" -d ").unwrap();
        let request = reqwest::Client::new()
            .post(url)
            .body(form.replace(" -d ", "&"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let token = request.send().await.unwrap().text().await.unwrap();
        let environment: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let explained = portcullis(&["explain", &token], &environment);
        assert_eq!(
            explained.status.code(),
            Some(0),
            "{provider}: {}",
            text(&explained.stdout)
        );
        let issuer = environment[0].1;
        assert_eq!(
            portcullis(&["idp", "rotate", "--issuer", issuer], &[])
                .status
                .code(),
            Some(0)
        );
        assert_eq!(
            portcullis(&["explain", &token], &environment)
                .status
                .code(),
            Some(2),
            "the key is gone"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_idp_is_made_to_fail_from_the_command_line() {
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let fault = |arguments: &[&str]| {
        let output = portcullis(
            &[&["idp", "fault"], arguments, &["--issuer", idp.base()]].concat(),
            &[],
        );
        (
            output.status.code(),
            text(&output.stdout) + &text(&output.stderr),
        )
    };
    let (status, table) = fault(&["jwks", "429"]);
    assert_eq!(status, Some(0), "{table}");
    assert!(
        table.contains("jwks                  429\n")
            && table.contains("token                 none\n"),
        "{table}"
    );
    assert_eq!(reqwest::get(idp.jwks_uri()).await.unwrap().status(), 429);
    let (status, table) = fault(&["clock_off", "-3600"]);
    assert!(
        status == Some(0) && table.contains("clock_off             -3600\n"),
        "{table}"
    );
    let (status, told) = fault(&["jwks", "broken"]);
    assert!(
        status == Some(2) && told.contains("write one of none, 500, html"),
        "{told}"
    );
    let (status, told) = fault(&["jwks"]);
    assert!(
        status == Some(1) && told.contains("expected a fault for `jwks`"),
        "{told}"
    );
    let (status, _) = fault(&["reset"]);
    assert_eq!(status, Some(0));
    assert_eq!(
        fault(&[]).1.matches("none\n").count(),
        portcullis_idp::Endpoint::ALL.len() + 4
    );
    let gone = portcullis(&["idp", "fault", "--issuer", "http://127.0.0.1:1"], &[]);
    assert_eq!(gone.status.code(), Some(4));
}

/// The lines for CI in docs/idp.md, run by a shell as they stand there, but for the port.
#[test]
fn the_guide_for_ci_does_what_it_says() {
    if !Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        crate::tally::excused("curl is not installed");
        return;
    }
    let guide = include_str!("../../../../docs/idp.md");
    let (_, script) = guide
        .split_once("One binary, and HTTP:\n\n```sh\n")
        .unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let folder = Folder::new("guide", free_port());
    let script = format!(
        "set -ex\n{}\n",
        script.replace("9000", &free_port().to_string())
    );
    let script = script.replacen(" &\n", " &\ntrap 'kill %1' EXIT\n", 1);
    let path = format!(
        "{}:{}",
        program("portcullis").parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Command::new("bash");
    let output = shell
        .args(["-c", &script])
        .current_dir(&folder.0)
        .env("PATH", path)
        .output()
        .unwrap();
    let told = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(told.matches("This token is accepted").count(), 2, "{told}");
    assert!(
        told.contains("refused: token.signature") && told.contains("jwks                  500"),
        "{told}"
    );
}
