//! nginx, with `auth_request` and as a reverse proxy.

use super::super::setup::RecipeSetup;
use super::super::{committed, installed};
use super::{Front, NONCES, Peers, REVERSE, door, rows};
use crate::e2e::process::Process;
use std::path::Path;
use std::process::Command;

const CERTIFICATE: &str =
    "[gateway.client_certificate]\nformat = \"nginx\"\nheader = \"X-Client-Cert\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_with_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let settings = committed("deploy/nginx/portcullis.toml") + CERTIFICATE + NONCES;
    let world = RecipeSetup::with_text("nginx-bound", &settings).await;
    let peers = Peers::new(&world.folder);
    let site = asking(&peers);
    let _nginx = start(&program, &world, &site);
    front(&world, &peers).make().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_forwards_proofs_and_certificates() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let settings = format!("{REVERSE}{CERTIFICATE}");
    let world = RecipeSetup::with_text("nginx-bound-proxy", &settings).await;
    let peers = Peers::new(&world.folder);
    let site = format!(
        "server {{ {} location / {{ proxy_pass http://127.0.0.1:8081; proxy_http_version 1.1; \
         proxy_set_header Connection \"\"; proxy_set_header Host $http_host; \
         proxy_set_header X-Forwarded-For $remote_addr; \
         proxy_set_header X-Forwarded-Proto $scheme; \
         proxy_set_header X-Client-Cert $ssl_client_escaped_cert; }} }}",
        listen(&peers)
    );
    let _nginx = start(&program, &world, &site);
    front(&world, &peers).make().await;
}

/// The rows of the corpus of proofs.
#[tokio::test(flavor = "multi_thread")]
async fn it_passes_every_proof_on() {
    let Some(program) = installed("PORTCULLIS_NGINX", "nginx") else {
        return;
    };
    let world = RecipeSetup::without_gateway("nginx-proofs").await;
    let peers = Peers::new(&world.folder);
    let _gateway = rows::gateway(&world.place(&door("nginx"))).await;
    let _nginx = start(&program, &world, &asking(&peers));
    // Its buffers hold 8 KiB of a header; this proof has 25.
    front(&world, &peers)
        .send_rows(&["jwk-rsa-huge-modulus"])
        .await;
}

/// The committed site, with TLS.
fn asking(peers: &Peers) -> String {
    let recipe = committed("deploy/nginx/portcullis.conf");
    assert!(recipe.contains("listen 127.0.0.1:8080;"));
    recipe.replace("listen 127.0.0.1:8080;", &listen(peers))
}

fn listen(peers: &Peers) -> String {
    let (certificate, key) = (peers.file("server.crt"), peers.file("server.key"));
    format!(
        "listen 127.0.0.1:8080 ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; \
         ssl_verify_client optional_no_ca;"
    )
}

fn start(program: &Path, world: &RecipeSetup, site: &str) -> Process {
    let folder = world.folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .concat();
    let text = format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n\
         http {{ access_log off; {temporary}\n{} }}",
        world.place(site)
    );
    let file = world.folder.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command
        .arg("-p")
        .arg(&world.folder)
        .arg("-c")
        .arg(&file);
    Process::start(&mut command)
}

fn front<'w>(world: &'w RecipeSetup, peers: &'w Peers) -> Front<'w> {
    Front {
        world,
        peers,
        header: "X-Client-Cert",
        write: |peers| {
            peers
                .pem()
                .replace('\n', "%0A")
                .replace(' ', "%20")
                .replace('+', "%2B")
        },
    }
}
