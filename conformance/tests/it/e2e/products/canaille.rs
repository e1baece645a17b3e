//! Canaille: Python, from PyPI. A user's access token is a JWT that is made like an ID token; an
//! application's is opaque.
//!
//! Three things are odd about the JWT, and none of them can be set right in Canaille: it names no
//! client and no scopes, its `typ` is `JWT`, and its audience is that of the ID token beside it,
//! the clients that the client's `audience` lists. So it is only by the telltale claims of the ID
//! token, `nonce` and `at_hash`, that the two can be told apart: by the profile `canaille`, as
//! others take what speaks of a sign-in alone for an ID token. And a policy about scopes refuses
//! every user. Canaille's lifetime of ten days is above our limit of one; that an operator can set.

use super::super::process::{Folder, Process, free_port};
use super::super::provider::{Provider, REDIRECT_URI, Running};
use super::{caller, explained, installed, server, token_of_service};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Audiences are clients: this one stands for the API.
pub(super) const AUDIENCE: &str = "api";
/// Who writes no profile is told that a user's access token is an ID token.
pub(super) const PROFILE: &str = "profile = \"canaille\"";

pub(super) struct Canaille {
    pub(super) provider: Provider,
    folder: Folder,
    port: u16,
    programs: PathBuf,
    process: Option<Process>,
}

impl Canaille {
    /// The package, if `PORTCULLIS_CANAILLE` names the virtual environment where it is.
    pub(super) async fn start() -> Option<Self> {
        let programs = installed("PORTCULLIS_CANAILLE", "PyPI canaille")?.join("bin");
        let port = free_port();
        let folder = Folder::new("canaille", port);
        fs::write(folder.0.join("models.json"), models().to_string()).unwrap();
        configure(
            &programs,
            &folder,
            port,
            "first",
            "client_credentials = 3600",
        );
        for (command, input) in [("install", Stdio::null()), ("restore", models_in(&folder))] {
            let done = canaille(&programs, &folder)
                .arg(command)
                .stdin(input)
                .output()
                .unwrap();
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
        }
        let process = run(&programs, &folder, port);
        let issuer = format!("http://127.0.0.1:{port}");
        let provider = Provider::asked(issuer, AUDIENCE, Running::Elsewhere).await;
        Some(Self {
            provider,
            folder,
            port,
            programs,
            process: Some(process),
        })
    }

    /// Starts again with another key in the place of the first, and with users' tokens that live
    /// for an hour.
    fn restart(&mut self) {
        drop(self.process.take());
        configure(
            &self.programs,
            &self.folder,
            self.port,
            "second",
            "authorization_code = 3600",
        );
        self.process = Some(run(&self.programs, &self.folder, self.port));
    }
}

/// The command, in the folder where its settings are.
fn canaille(programs: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(programs.join("canaille"));
    command
        .current_dir(&folder.0)
        .env("CANAILLE_CONFIG", folder.0.join("canaille.toml"));
    command
}

/// What `canaille restore` reads: a user, two clients, and the client that stands for the API.
fn models() -> Value {
    let client = |id: &str, content: Value| {
        let mut client =
            json!({ "id": id, "client_id": id, "client_name": id, "audience": [AUDIENCE] });
        client
            .as_object_mut()
            .unwrap()
            .extend(content.as_object().unwrap().clone());
        client
    };
    json!({
        "user": [{
            "id": "alice", "user_name": "alice", "password": "alice",
            "formatted_name": "Alice Adams", "family_name": "Adams",
        }],
        "client": [
            client(AUDIENCE, json!({
                "client_secret": "api-secret", "token_endpoint_auth_method": "client_secret_basic",
            })),
            client("service", json!({
                "client_secret": "service-secret", "token_endpoint_auth_method": "client_secret_basic",
                "grant_types": ["client_credentials"], "scope": ["orders:read"],
            })),
            client("web", json!({
                "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"],
                "response_types": ["code"], "scope": ["openid", "orders:read"], "redirect_uris": [REDIRECT_URI],
            })),
        ],
    })
}

fn models_in(folder: &Folder) -> Stdio {
    fs::File::open(folder.0.join("models.json"))
        .unwrap()
        .into()
}

/// Settings with a new key. No client is trusted, so that its consent page is shown.
fn configure(programs: &Path, folder: &Folder, port: u16, kid: &str, lifetimes: &str) {
    let made = "import json, sys; from joserfc.jwk import RSAKey
print(json.dumps(RSAKey.generate_key(2048, {'kid': sys.argv[1]}).as_dict(private=True)))";
    let key = Command::new(programs.join("python"))
        .args(["-c", made, kid])
        .output()
        .unwrap()
        .stdout;
    let key: Value = serde_json::from_slice(&key).unwrap();
    let key: Vec<String> = key
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let settings = format!(
        r#"SECRET_KEY = "only for this test"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"
[OAUTH2_TOKEN_EXPIRES_IN]
{lifetimes}
[CANAILLE]
DATABASE = "sql"
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{}/canaille.sqlite"
[CANAILLE_OIDC]
TRUSTED_DOMAINS = []
ACTIVE_JWKS = [{{ {} }}]
"#,
        folder.0.display(),
        key.join(", ")
    );
    fs::write(folder.0.join("canaille.toml"), settings).unwrap();
}

fn run(programs: &Path, folder: &Folder, port: u16) -> Process {
    // Without workers it is one process, which can be killed. It says on standard error that it
    // listens.
    let program = canaille(programs, folder);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec \"$0\" run --workers 0 --bind \"$1\" 2>&1"])
        .arg(program.get_program());
    shell
        .arg(format!("127.0.0.1:{port}"))
        .current_dir(&folder.0);
    shell.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let process = Process::start(&mut shell);
    process.lines_to("Running on");
    process
}

#[tokio::test(flavor = "multi_thread")]
async fn canaille_as_it_is() {
    let Some(mut canaille) = Canaille::start().await else {
        return;
    };
    let alice = canaille.provider.sign_in("alice").await;
    let service = token_of_service(&canaille.provider, &["--scope", "orders:read"]);
    assert!(!service.contains('.'), "an application's token is opaque");

    let unnamed = server(&canaille.provider, AUDIENCE, "");
    assert_eq!(
        caller(&unnamed, &alice.access_token).await,
        "token.id_token"
    );
    let as_it_comes = server(&canaille.provider, AUDIENCE, PROFILE);
    assert_eq!(
        caller(&as_it_comes, &alice.access_token).await,
        "token.lifetime",
        "ten days are too long"
    );
    let (code, page) = explained(
        &canaille.provider,
        AUDIENCE,
        &["--profile", "canaille"],
        &alice.access_token,
    );
    assert!(code == Some(2) && page.contains("token.lifetime"), "{page}");

    canaille.restart();
    let provider = &canaille.provider;
    let alice = provider.sign_in("alice").await;
    // The same server: it follows the new key.
    assert_eq!(
        caller(&as_it_comes, &alice.access_token).await,
        "user of no client: "
    );
    assert_eq!(
        caller(&as_it_comes, &alice.id_token).await,
        "token.id_token"
    );
    let elsewhere = server(provider, "another-api", PROFILE);
    assert_eq!(
        caller(&elsewhere, &alice.access_token).await,
        "token.audience"
    );
    let to_the_letter = server(provider, AUDIENCE, "profile = \"rfc9068\"");
    assert_eq!(
        caller(&to_the_letter, &alice.access_token).await,
        "token.type"
    );
    let (code, page) = explained(
        provider,
        AUDIENCE,
        &["--profile", "canaille"],
        &alice.access_token,
    );
    assert!(
        code == Some(0) && page.contains("This token is accepted"),
        "{page}"
    );
}
