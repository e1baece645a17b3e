//! Glewlwyd: C, from Debian. All its access tokens are JWTs, and follow RFC 9068.
//!
//! It names an audience only when a client asks for a `resource`, which must be an `https` URL that
//! the plugin's settings allow; otherwise `aud` is the list of scopes. So an operator turns
//! resource indicators on (RFC 8707).

use super::super::browser::Browser;
use super::super::process::{Folder, Process, free_port};
use super::super::provider::{Provider, REDIRECT_URI, Running, UserTokens};
use super::{caller, explained, installed, server, token_of_service};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use url::Url;

const AUDIENCE: &str = "https://api.example/";
const OTHER_AUDIENCE: &str = "https://another.example/";

struct Glewlwyd {
    provider: Provider,
    installed: PathBuf,
    administrator: Browser,
    base: Url,
    _process: Process,
    _folder: Folder,
}

impl Glewlwyd {
    /// Debian's package, if `PORTCULLIS_GLEWLWYD` names the folder where it is unpacked.
    async fn start() -> Option<Self> {
        let installed = installed("PORTCULLIS_GLEWLWYD", "Debian glewlwyd")?;
        let port = free_port();
        let folder = Folder::new("glewlwyd", port);
        fs::copy(installed.join("glewlwyd.db"), folder.0.join("glewlwyd.db")).unwrap();
        let settings = folder.0.join("glewlwyd.conf");
        fs::write(&settings, configuration(&installed, &folder.0, port)).unwrap();
        let process = Process::start(
            program(&installed, "glewlwyd").args(["--config-file", settings.to_str().unwrap()]),
        );
        process.lines_to("Glewlwyd started");
        let base = Url::parse(&format!("http://127.0.0.1:{port}/api/")).unwrap();
        let mut administrator = Browser::default();
        configure(
            &mut administrator,
            &base,
            &parameters(&base, &key(&installed, "first")),
        )
        .await;
        let provider = Provider::asked(
            base.join("oidc").unwrap().to_string(),
            AUDIENCE,
            Running::Elsewhere,
        )
        .await;
        Some(Self {
            provider,
            installed,
            administrator,
            base,
            _process: process,
            _folder: folder,
        })
    }

    /// Through the sign-in page, which is a script: this asks for what the script asks for.
    async fn sign_in(&self, username: &str) -> UserTokens {
        let mut browser = Browser::default();
        let (page, _) = browser
            .visit(&self.provider.authorization_url(), None)
            .await;
        let page = page.unwrap();
        assert!(page.path().ends_with("/login.html"), "{page}");
        let (_, shown) = browser.visit(&page, None).await;
        assert!(shown.contains("Glewlwyd login"), "{shown}");
        let parameter = |name: &str| {
            page.query_pairs()
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .into_owned()
        };
        let (client, scopes) = (parameter("client_id"), parameter("scope"));
        let password = json!({ "username": username, "password": username });
        browser
            .call(Method::POST, &self.base.join("auth/").unwrap(), &password)
            .await;
        let consent = self
            .base
            .join(&format!("auth/grant/{client}"))
            .unwrap();
        browser
            .call(Method::PUT, &consent, &json!({ "scope": scopes }))
            .await;
        let next = Url::parse(&format!("{}&g_continue", parameter("callback_url"))).unwrap();
        let (back, _) = browser.visit(&next, None).await;
        let back = back.unwrap();
        assert!(back.as_str().starts_with(REDIRECT_URI), "{back}");
        self.provider.redeem(&back).await
    }

    /// Puts another key in the place of the first, as the manual says.
    async fn rotate(&mut self) {
        let plugin = self.base.join("mod/plugin/oidc").unwrap();
        let content = json!({
            "display_name": "oidc", "order_rank": 0,
            "parameters": parameters(&self.base, &key(&self.installed, "second")),
        });
        self.administrator
            .call(Method::PUT, &plugin, &content)
            .await;
        let reset = self.base.join("mod/plugin/oidc/reset").unwrap();
        self.administrator
            .call(Method::PUT, &reset, &Value::Null)
            .await;
    }
}

/// A program of the package, with the libraries that were unpacked beside it.
fn program(installed: &Path, name: &str) -> Command {
    let libraries: Vec<String> = ["usr/lib", "lib"]
        .iter()
        .filter_map(|folder| fs::read_dir(installed.join(folder)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| path.ends_with("-linux-gnu"))
        .collect();
    let mut command = Command::new(installed.join("usr/bin").join(name));
    command.env("LD_LIBRARY_PATH", libraries.join(":"));
    command
}

fn configuration(installed: &Path, folder: &Path, port: u16) -> String {
    let (installed, folder) = (installed.display(), folder.display());
    format!(
        r#"port = {port}
bind_address = "127.0.0.1"
external_url = "http://127.0.0.1:{port}"
login_url = "login.html"
api_prefix = "api"
static_files_path = "{installed}/usr/share/glewlwyd/webapp/"
log_mode = "console"
log_level = "INFO"
cookie_secure = 0
cookie_domain = "127.0.0.1"
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{installed}/usr/lib/glewlwyd/user"
client_module_path = "{installed}/usr/lib/glewlwyd/client"
user_auth_scheme_module_path = "{installed}/usr/lib/glewlwyd/scheme"
plugin_module_path = "{installed}/usr/lib/glewlwyd/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3" path = "{folder}/glewlwyd.db" }};
"#
    )
}

/// A private key set, made by the tool that comes with the product.
fn key(installed: &Path, kid: &str) -> String {
    let output = program(installed, "rnbyc")
        .args([
            "-j",
            "-g",
            "ec256",
            "-k",
            kid,
            "-a",
            "ES256",
            "-p",
            "/dev/null",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text[text.find('{').unwrap()..].to_owned()
}

/// What the first administrator does: scopes, a user, two clients, and the plugin for OpenID
/// Connect.
async fn configure(administrator: &mut Browser, base: &Url, parameters: &Value) {
    let first = json!({ "username": "admin", "password": "password" });
    let scope = json!({ "name": "orders:read", "password_required": false, "scheme": {} });
    let alice = json!({
        "username": "alice", "password": "alice", "name": "Alice Adams", "enabled": true,
        "scope": ["g_profile", "openid", "orders:read"],
    });
    let service = json!({
        "client_id": "service", "password": "service-secret", "confidential": true, "enabled": true,
        "scope": ["orders:read"], "authorization_type": ["client_credentials"],
        "token_endpoint_auth_method": ["client_secret_basic"],
    });
    let web = json!({
        "client_id": "web", "confidential": false, "enabled": true, "redirect_uri": [REDIRECT_URI],
        "authorization_type": ["code"], "token_endpoint_auth_method": ["none"],
    });
    let plugin = json!({
        "module": "oidc", "name": "oidc", "display_name": "oidc", "order_rank": 0, "parameters": parameters,
    });
    for (path, content) in [
        ("auth/", first),
        ("scope/", scope),
        ("user/", alice),
        ("client/", service),
        ("client/", web),
        ("mod/plugin/", plugin),
    ] {
        administrator
            .call(Method::POST, &base.join(path).unwrap(), &content)
            .await;
    }
}

/// The plugin's settings. Keys come as a text of their own.
fn parameters(base: &Url, keys: &str) -> Value {
    json!({
        "iss": base.join("oidc").unwrap().as_str(),
        "jwks-private": keys,
        "jwks-show": true,
        "access-token-duration": 3_600,
        "refresh-token-duration": 7_200,
        "code-duration": 600,
        "refresh-token-rolling": false,
        "allow-non-oidc": true,
        "auth-type-code-enabled": true,
        "auth-type-client-enabled": true,
        "auth-type-token-enabled": false,
        "auth-type-password-enabled": false,
        "auth-type-implicit-enabled": false,
        "auth-type-device-enabled": false,
        "auth-type-refresh-enabled": false,
        "pkce-allowed": true,
        "pkce-required": true,
        "pkce-method-plain-allowed": false,
        "oauth-as-iss-id": true,
        "resource-allowed": true,
        "resource-scope": { "orders:read": [AUDIENCE, OTHER_AUDIENCE] },
        "subject-type": "public",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn glewlwyd() {
    let Some(mut glewlwyd) = Glewlwyd::start().await else {
        return;
    };
    let alice = glewlwyd.sign_in("alice").await;
    let provider = &glewlwyd.provider;
    let service = provider.client_credentials(AUDIENCE).await;
    let other = provider.client_credentials(OTHER_AUDIENCE).await;
    let by_command = token_of_service(
        provider,
        &["--scope", "orders:read", "--resource", AUDIENCE],
    );
    let without_resource = token_of_service(provider, &["--scope", "orders:read"]);
    // Its ID tokens say `typ: JWT`, so that RFC 9068 to the letter refuses them before it looks for
    // telltale claims.
    for (profile, id_token) in [("generic", "token.id_token"), ("rfc9068", "token.type")] {
        let server = server(provider, AUDIENCE, &format!("profile = \"{profile}\""));
        for (token, expected) in [
            (&service, "application of service: orders:read"),
            (&by_command, "application of service: orders:read"),
            (&alice.access_token, "user of web: openid orders:read"),
            (&alice.id_token, id_token),
            (&other, "token.audience"),
            (&without_resource, "token.audience"),
        ] {
            assert_eq!(caller(&server, token).await, expected, "{profile}");
        }
        // The ID token's audience is the client; that of an API with the client's name would be as
        // bad.
        let server = super::server(provider, "web", &format!("profile = \"{profile}\""));
        assert_eq!(
            caller(&server, &alice.id_token).await,
            id_token,
            "{profile}"
        );
    }

    let (code, page) = explained(provider, AUDIENCE, &[], &alice.access_token);
    assert!(
        code == Some(0) && page.contains("This token is accepted"),
        "{page}"
    );
    let (code, page) = explained(provider, AUDIENCE, &[], &without_resource);
    assert!(code == Some(2) && page.contains("token.audience"), "{page}");

    let server = server(provider, AUDIENCE, "");
    assert_eq!(
        caller(&server, &service).await,
        "application of service: orders:read"
    );
    glewlwyd.rotate().await;
    let service = glewlwyd.provider.client_credentials(AUDIENCE).await;
    assert_eq!(
        caller(&server, &service).await,
        "application of service: orders:read",
        "after a rotation"
    );
    let server = super::server(&glewlwyd.provider, AUDIENCE, "");
    assert_eq!(
        caller(&server, &alice.access_token).await,
        "token.key_unknown",
        "the first key is gone"
    );
}
