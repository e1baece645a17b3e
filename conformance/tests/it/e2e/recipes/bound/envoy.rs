//! Envoy, with ext_authz by gRPC and by HTTP, and as a reverse proxy.

use super::super::setup::RecipeSetup;
use super::super::{committed, installed};
use super::{Connection, Front, NONCES, Peers, REVERSE, rows};
use crate::e2e::process::Process;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const CERTIFICATE: &str = "[gateway.client_certificate]\nformat = \"envoy\"\n";
/// Where the listener of the recipe has its filters.
const FILTERS: &str = "        - filters:\n";
const MANAGER: &str = "                stat_prefix: api\n";
const GRPC: &str = "                      grpc_service:
                        envoy_grpc: { cluster_name: portcullis }
                        timeout: 5s
";
const HTTP: &str =
    "                      allowed_headers: { patterns: [{ safe_regex: { regex: '.*' } }] }
                      http_service:
                        server_uri: { uri: 'http://127.0.0.1:9191', cluster: portcullis, timeout: 5s }
                        path_prefix: /check
                        authorization_response:
                          allowed_upstream_headers: { patterns: [{ prefix: x-auth- }] }
                          allowed_client_headers: { patterns: [{ exact: www-authenticate }, { exact: dpop-nonce }] }
";
const ASKS: &str = "                  - name: envoy.filters.http.ext_authz\n";
const ROUTER: &str = "                  - name: envoy.filters.http.router\n";

/// The message of gRPC has the certificate of the connection, and no header is needed.
#[tokio::test(flavor = "multi_thread")]
async fn it_asks_by_grpc_with_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let settings = committed("deploy/envoy/portcullis.toml") + NONCES;
    let world = RecipeSetup::with_text("envoy-bound", &settings).await;
    let peers = Peers::new(&world.folder);
    let recipe = recipe(&peers);
    let _envoy = start(&program, &world, &recipe);
    front(&world, &peers).make().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_by_http_with_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let settings = committed("deploy/envoy/portcullis.toml");
    let settings = settings.replace("[ext_authz]", "[ext_authz]\npath_prefix = \"/check\"");
    let world =
        RecipeSetup::with_text("envoy-bound-http", &(settings + CERTIFICATE + NONCES)).await;
    let peers = Peers::new(&world.folder);
    let recipe = with_header(&recipe(&peers), "{}")
        .replace(GRPC, HTTP)
        .replace("encode_raw_headers: true", "encode_raw_headers: false")
        .replace(
            "explicit_http_config: { http2_protocol_options: {} }",
            "explicit_http_config: { http_protocol_options: {} }",
        );
    let _envoy = start(&program, &world, &recipe);
    front(&world, &peers).make().await;
}

/// The rows of the corpus of proofs.
#[tokio::test(flavor = "multi_thread")]
async fn it_passes_every_proof_on() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let world = RecipeSetup::without_gateway("envoy-proofs").await;
    let peers = Peers::new(&world.folder);
    let door = "[ext_authz]\nlisten = \"127.0.0.1:9191\"\n";
    let _gateway = rows::gateway(&world.place(door)).await;
    let _envoy = start(&program, &world, &recipe(&peers));
    front(&world, &peers).send_rows(&[]).await;
}

/// Every detail in the header, and a certificate with a name that reads like another element.
#[tokio::test(flavor = "multi_thread")]
async fn it_forwards_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_PYTHON", "envoy") else {
        return;
    };
    let world =
        RecipeSetup::with_text("envoy-bound-proxy", &format!("{REVERSE}{CERTIFICATE}")).await;
    let peers = Peers::new(&world.folder);
    let details = "{ subject: true, cert: true, chain: true, dns: true, uri: true }";
    let recipe =
        with_header(&recipe(&peers), details).replace("port_value: 8000", "port_value: 9191");
    let (head, rest) = recipe.split_once(ASKS).unwrap();
    let (_, rest) = rest.split_once(ROUTER).unwrap();
    let _envoy = start(&program, &world, &format!("{head}{ROUTER}{rest}"));
    let front = front(&world, &peers);
    front.make().await;
    let token = front.token(json!({ "x5t#S256": peers.thumbprint() }));
    for start in ["spiffe://a,", "spiffe://a;", "\"a\",", "a\","] {
        peers.sign_with_name(&format!("{start}{}", (front.write)(&peers)));
        let lines = [format!("Authorization: Bearer {token}")];
        let answer = peers.send(world.front, &Connection::Named, &lines);
        assert_eq!(answer.status, 401, "{start}: {answer:?}");
    }
}

fn front<'w>(world: &'w RecipeSetup, peers: &'w Peers) -> Front<'w> {
    Front {
        world,
        peers,
        header: "X-Forwarded-Client-Cert",
        write: |peers| format!("Hash={}", peers.hash()),
    }
}

/// The committed recipe, with TLS for which any certificate will do.
fn recipe(peers: &Peers) -> String {
    let recipe = committed("deploy/envoy/envoy.yaml");
    for part in [FILTERS, MANAGER, GRPC, ASKS, ROUTER] {
        assert!(recipe.contains(part), "{part}");
    }
    let (certificate, key) = (peers.file("server.crt"), peers.file("server.key"));
    let authority = peers.file("ca.pem");
    let tls = format!(
        "        - transport_socket:
            name: envoy.transport_sockets.tls
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                tls_certificates:
                  - certificate_chain: {{ filename: {certificate} }}
                    private_key: {{ filename: {key} }}
                validation_context:
                  trusted_ca: {{ filename: {authority} }}
                  trust_chain_verification: ACCEPT_UNTRUSTED
          filters:
"
    );
    recipe.replace(FILTERS, &tls)
}

fn with_header(recipe: &str, details: &str) -> String {
    let told = format!(
        "{MANAGER}                forward_client_cert_details: SANITIZE_SET
                set_current_client_cert_details: {details}\n"
    );
    recipe.replace(MANAGER, &told)
}

fn start(program: &Path, world: &RecipeSetup, recipe: &str) -> Process {
    let file = world.folder.join("envoy.yaml");
    std::fs::write(&file, world.place(recipe)).unwrap();
    let mut command = Command::new(program);
    // Several may run at once.
    command.arg("-c").arg(&file).args([
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "--log-level",
        "off",
    ]);
    Process::start(&mut command)
}
