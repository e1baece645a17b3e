//! Several resources behind one gateway, as operator and client run it: a token for one of them is
//! refused at the other, and the command learns from the API where to get the right one.

use super::command::{portcullis, text};
use super::process::{Folder, Process, free_port, program};
use portcullis_idp::{Idp, IdpConfig};
use serde_json::Value;
use std::process::{Command, Output};

/// A provider that knows both resources, and a gateway before an API that is not there: what passes
/// gets 502.
struct ResourceSetup {
    idp: Idp,
    folder: Folder,
    origin: String,
    _gateway: Process,
}

impl ResourceSetup {
    async fn new(name: &str, more: &str) -> Self {
        let port = free_port();
        let origin = format!("http://127.0.0.1:{port}");
        let folder = Folder::new(name, port);
        let client = format!(
            "[[client]]\nid = \"service\"\nsecret = \"service-secret\"\n\
             scopes = [\"orders:read\", \"bills:read\"]\n\
             audiences = [\"{origin}/orders\", \"{origin}/bills\"]\n"
        );
        let config = IdpConfig::from_toml(&client).unwrap();
        let idp = Idp::start(config).await.unwrap();
        let settings = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{origin}/orders\", \"{origin}/bills\"]\n{more}\
             [[resource]]\nurl = \"{origin}/orders\"\n[[resource]]\nurl = \"{origin}/bills\"\n\
             [gateway]\nlisten = \"127.0.0.1:{port}\"\nupstream = \"http://127.0.0.1:9\"\n\
             [[route]]\npath = \"/orders/**\"\nrequire = {{ scope = \"orders:read\" }}\n\
             [[route]]\npath = \"/bills/**\"\nrequire = {{ scope = \"bills:read\" }}\n",
            idp.issuer()
        );
        let file = folder.0.join("portcullis.toml");
        std::fs::write(&file, settings).unwrap();
        std::fs::write(folder.0.join("secret"), "service-secret").unwrap();
        let mut command = Command::new(program("portcullis"));
        command.arg("serve").arg("--config").arg(&file);
        let gateway = Process::start(&mut command);
        let setup = Self {
            idp,
            folder,
            origin,
            _gateway: gateway,
        };
        setup.wait().await;
        setup
    }

    async fn wait(&self) {
        let address = self.origin.strip_prefix("http://").unwrap();
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the gateway does not listen");
    }

    fn file(&self, name: &str) -> String {
        self.folder.0.join(name).to_str().unwrap().to_owned()
    }

    /// `portcullis token --resource-url`, for the client with a secret.
    fn token(&self, url: &str, more: &[&str]) -> Output {
        let secret = self.file("secret");
        let arguments = ["token", "--no-store", "--resource-url", url];
        let client = ["--client-id", "service", "--client-secret-file", &secret];
        portcullis(&[&arguments, &client[..], more].concat(), &[])
    }

    /// The status and the body of a request with this token.
    async fn get(&self, path: &str, token: &str) -> (u16, Value, String) {
        let request = reqwest::Client::new().get(format!("{}{path}", self.origin));
        let response = request.bearer_auth(token).send().await.unwrap();
        let status = response.status().as_u16();
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge
            .map_or("", |it| it.to_str().unwrap())
            .to_owned();
        let body = response.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&body).unwrap_or_default(),
            challenge,
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_and_the_api_leads_to_the_right_one() {
    let setup = ResourceSetup::new("resources", "").await;
    let issuer = setup.idp.issuer().to_string();
    let named = ["--issuer", &*issuer];
    let orders = format!("{}/orders", setup.origin);
    let got = setup.token(&orders, &named);
    let told = text(&got.stderr);
    assert_eq!(got.status.code(), Some(0), "{told}");
    assert!(
        told.contains(&format!("{orders} takes tokens of {issuer}.")),
        "{told}"
    );
    let token = text(&got.stdout).trim().to_owned();
    // The API behind is not there, so this is as far as a request gets.
    assert_eq!(setup.get("/orders/7", &token).await.0, 502);
    let (status, body, challenge) = setup.get("/bills/7", &token).await;
    assert_eq!(
        (status, &body["code"]),
        (401, &Value::from("token.audience"))
    );
    let metadata = format!(
        "{}/.well-known/oauth-protected-resource/bills",
        setup.origin
    );
    assert!(
        challenge.contains(&format!("resource_metadata=\"{metadata}\"")),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"bills:read\""), "{challenge}");
    // The URL of an operation leads there too, by the challenge.
    let operation = format!("{}/bills/7?page=2", setup.origin);
    let got = setup.token(&operation, &named);
    assert_eq!(got.status.code(), Some(0), "{}", text(&got.stderr));
    let token = text(&got.stdout).trim().to_owned();
    assert_eq!(setup.get("/bills/7", &token).await.0, 502);
    assert_eq!(setup.get("/orders/7", &token).await.0, 401);
}

/// An API that names an issuer must not make a client send its secret there.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_goes_where_an_api_points() {
    let setup = ResourceSetup::new("resources-secret", "").await;
    let orders = format!("{}/orders", setup.origin);
    let unnamed = setup.token(&orders, &[]);
    let told = text(&unnamed.stderr);
    assert_eq!(
        (unnamed.status.code(), &*text(&unnamed.stdout)),
        (Some(1), ""),
        "{told}"
    );
    assert!(told.contains("--issuer"), "{told}");
    let other = setup.token(&orders, &["--issuer", "https://other.example"]);
    let told = text(&other.stderr);
    assert!(told.contains("expected an issuer of"), "{told}");
    for url in [
        format!("{}/other", setup.origin),
        "http://api.example/orders".to_owned(),
        "orders".to_owned(),
    ] {
        let failed = setup.token(&url, &["--issuer", setup.idp.issuer().as_str()]);
        let told = text(&failed.stderr);
        assert_eq!(failed.status.code(), Some(1), "{url}: {told}");
        assert!(told.contains("no usable metadata of this API"), "{told}");
    }
}

/// Whoever knows only the API finds the keys that its tokens are signed with.
#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_an_api_are_found_by_its_metadata() {
    let setup = ResourceSetup::new("resources-keys", "").await;
    let orders = format!("{}/orders", setup.origin);
    let found = portcullis(&["keys", "--resource-url", &orders, "--json"], &[]);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    assert!(text(&found.stderr).contains(setup.idp.issuer().as_str()));
    assert!(text(&found.stdout).contains("\"kid\""));
    // Another provider than the API's own is not asked in its name.
    let other = ["keys", "https://other.example", "--resource-url", &orders];
    let found = portcullis(&other, &[]);
    assert_eq!(found.status.code(), Some(1));
    assert!(text(&found.stderr).contains("expected an issuer of"));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_audit_and_explain_show_the_resource() {
    let setup = ResourceSetup::new("resources-shown", "").await;
    let metadata = format!(
        "{}/.well-known/oauth-protected-resource/orders",
        setup.origin
    );
    let settings = setup.file("portcullis.toml");
    let checked = portcullis(&["config", "check", &settings], &[]);
    let page = text(&checked.stdout);
    assert!(
        page.contains("Resources") && page.contains(&metadata),
        "{page}"
    );
    let orders = format!("{}/orders", setup.origin);
    let audited = portcullis(
        &["audit", "--resource-url", &orders, "--format", "json"],
        &[],
    );
    let report = text(&audited.stdout);
    assert_eq!(
        audited.status.code(),
        Some(0),
        "{report}{}",
        text(&audited.stderr)
    );
    assert!(
        report.contains(&metadata) && !report.contains("audit.resource_"),
        "{report}"
    );
    let missing = format!("{}/other", setup.origin);
    let audited = portcullis(&["audit", "--resource-url", &missing], &[]);
    assert_eq!(audited.status.code(), Some(2));
    assert!(text(&audited.stdout).contains("resource_metadata_missing"));
    let token = setup
        .idp
        .token("service")
        .audience(&format!("{}/bills", setup.origin))
        .sign();
    let arguments = [
        "explain",
        &token,
        "--request",
        "GET /orders/7",
        "--config",
        &settings,
    ];
    let explained = portcullis(&arguments, &[]);
    let page = text(&explained.stdout);
    assert!(
        page.contains("token.audience") && page.contains(&orders),
        "{page}"
    );
    assert!(page.contains(&metadata), "{page}");
}
