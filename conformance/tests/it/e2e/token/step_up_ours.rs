//! Step-up challenges of the gateway, met at the development identity provider: `acr_values`,
//! `max_age` and `scope`, with a person at the browser, and with nobody.

use super::{Said, Shell};
use crate::e2e::process::{Process, free_port, program};
use axum::Router;
use axum::routing::any;
use portcullis_idp::{Idp, IdpConfig};
use std::process::Command;

/// A gateway with a route for each kind of demand, in front of an API.
struct GuardedApi {
    idp: Idp,
    address: String,
    shell: Shell,
    _gateway: Process,
}

impl GuardedApi {
    async fn start() -> Self {
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap();
        let upstream = socket.local_addr().unwrap();
        let api = Router::new().fallback(any(|| async { "welcome" }));
        tokio::spawn(async move { axum::serve(socket, api).await });
        let shell = Shell::new(idp.issuer().as_str());
        let address = format!("127.0.0.1:{}", free_port());
        let (issuer, audience) = (idp.issuer(), idp.audience());
        let settings = format!(
            r#"
[[issuer]]
url = "{issuer}"
audience = ["{audience}"]
[gateway]
listen = "{address}"
upstream = "http://{upstream}"
[[route]]
path = "/acr"
require = {{ acr = "mfa" }}
[[route]]
path = "/age"
require = {{ max_age = 600 }}
[[route]]
path = "/scope"
require = {{ scope = "orders:read" }}
"#
        );
        let file = shell.file("gateway.toml", &settings);
        let mut command = Command::new(program("portcullis"));
        let gateway = Process::start(command.args(["serve", "--config", &file]));
        wait_for(&address).await;
        Self {
            idp,
            address,
            shell,
            _gateway: gateway,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What the command says with alice at the browser.
    fn with_alice(&self, arguments: &[&str]) -> Said {
        let mut command = self.shell.command(arguments);
        let command = command.env("BROWSER", self.shell.alices_browser());
        Said::of(&command.output().unwrap())
    }

    /// A token of a sign-in half an hour ago, without a second factor and scopes.
    fn sign_in_long_ago(&self) {
        // The provider's clock, not ours: its `auth_time` is older than the route's `max_age`.
        self.idp.set_clock_off(-1_800);
        let said = self.with_alice(&["token"]);
        assert_eq!(said.code, 0, "{}", said.err);
        self.idp.set_clock_off(0);
    }
}

async fn wait_for(address: &str) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(std::time::Instant::now() < end, "the gateway listens");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_meets_each_demand_by_signing_in_again() {
    let api = GuardedApi::start().await;
    api.sign_in_long_ago();
    for (path, demand) in [
        ("/acr", "--acr-values mfa"),
        ("/scope", "orders:read"),
        ("/age", "--max-age 600"),
    ] {
        let said = api.with_alice(&["curl", &api.url(path)]);
        let found = (said.code, said.out.as_str());
        assert_eq!(found, (0, "welcome"), "{path}: {}", said.err);
        let mut lines = said.err.lines();
        let note = lines.find(|line| line.contains("The API demands another token"));
        assert!(
            note.is_some_and(|note| note.contains(demand)),
            "{path}: {}",
            said.err
        );
    }
    // The tokens are kept: nobody is asked again.
    for path in ["/acr", "/scope", "/age"] {
        let said = api.shell.run(&["curl", "-q", &api.url(path)]);
        let found = (said.code, said.out.as_str());
        assert_eq!(found, (0, "welcome"), "{path}: {}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_there_the_line_to_type_is_shown() {
    let api = GuardedApi::start().await;
    api.sign_in_long_ago();
    for (path, line) in [
        ("/acr", "portcullis token --grant code --acr-values mfa"),
        ("/scope", "orders:read"),
        ("/age", "portcullis token --grant code --max-age 600"),
    ] {
        let said = api.shell.run(&["curl", &api.url(path)]);
        assert_eq!(said.code, 2, "{path}: {}", said.err);
        assert!(said.err.contains(line), "{path}: {}", said.err);
        assert!(said.err.contains("not done here"), "{path}: {}", said.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_told_the_scope_and_cannot_step_up() {
    let api = GuardedApi::start().await;
    let service = Shell::service(api.idp.issuer().as_str());
    // An API that asks for more gets no more: whoever runs the service decides that.
    let said = service.run(&["curl", "--scope", "orders:write", &api.url("/scope")]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err
            .contains("lacks a scope; request it with --scope 'orders:read'"),
        "{}",
        said.err
    );
    let both = "orders:write orders:read";
    let said = service.run(&["curl", "--scope", both, &api.url("/scope")]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "welcome"),
        "{}",
        said.err
    );
    let said = service.run(&["curl", &api.url("/acr")]);
    // The gateway asks no service to sign in.
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(!said.err.contains("--acr-values"), "{}", said.err);
}
