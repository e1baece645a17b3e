//! Tokens that are bound to a certificate (RFC 8705): curl gets them where clients show their
//! certificates, and calls the gateway's own TLS with them.

use super::{Folder, OPAQUE_AUDIENCE, doors, issuer_table};
use crate::e2e::process::{Process, free_port};
use crate::e2e::provider::AUDIENCE;
use crate::tally::Tally;
use portcullis_idp::{ClientAuthentication, Idp, IdpConfig, RegisteredClient, Tls, TokenFormat};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tokio::task::JoinSet;

/// A folder with certificates that signed themselves: of a server, of a client, of another client.
fn certificates(name: &str) -> Folder {
    let folder = Folder::new(name, free_port());
    for file in ["server", "client", "other"] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        write(&folder, file, &certificate.pem(), &key.serialize_pem());
    }
    folder
}

fn write(folder: &Folder, name: &str, certificate: &str, key: &str) {
    std::fs::write(folder.0.join(format!("{name}.crt")), certificate).unwrap();
    std::fs::write(folder.0.join(format!("{name}.key")), key).unwrap();
}

/// The status and the body that curl gets, perhaps with the certificate of this name.
fn curl(folder: &Path, authority: &str, shown: Option<&str>, arguments: &[&str]) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--cacert", authority, "-w", "\n%{http_code}"])
        .args(arguments)
        .current_dir(folder);
    if let Some(name) = shown {
        curl.args(["--cert", &format!("{name}.crt")]);
        curl.args(["--key", &format!("{name}.key")]);
    }
    let output = curl.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let (body, status) = told.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

fn is_missing() -> bool {
    let there = Command::new("curl").arg("--version").output();
    let is_missing = there.is_err();
    if is_missing {
        crate::tally::excused("`curl` is not installed");
    }
    is_missing
}

/// A token for the client, by the form that it posts and the certificate that it shows.
fn token(folder: &Folder, authority: &str, url: &str, form: &str) -> String {
    let form = format!("grant_type=client_credentials&scope=orders:read&{form}");
    let (status, body) = curl(&folder.0, authority, Some("client"), &["-d", &form, url]);
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

/// The gateway takes the token from the certificate's owner, and from nobody else.
async fn is_bound(tally: &mut Tally, name: &str, folder: &Folder, issuer: &str, token: &str) {
    let mut running = JoinSet::new();
    let api = doors::upstream(&mut running).await;
    let file = |name: &str| folder.0.join(name).display().to_string();
    let tables = format!(
        "{issuer}[log]\naudit = \"none\"\n[gateway]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://{api}\"\n\
         [gateway.tls]\ncertificate = \"{}\"\nkey = \"{}\"\nbound_clients = true\n",
        file("server.crt"),
        file("server.key")
    );
    let gateway = doors::gateway(&tables, &mut running).await;
    let url = format!("https://{gateway}/orders/42");
    let header = format!("Authorization: Bearer {token}");
    for (shown, status, code) in [
        (Some("client"), 200, ""),
        (None, 401, "proof.missing"),
        (Some("other"), 401, "proof.binding"),
    ] {
        let folder = folder.0.clone();
        let arguments = [header.clone(), url.clone()];
        let asked = move || {
            curl(
                &folder,
                "server.crt",
                shown,
                &["-H", &arguments[0], &arguments[1]],
            )
        };
        let (found, body) = tokio::task::spawn_blocking(asked).await.unwrap();
        let right = found == status && (code.is_empty() || body.contains(code));
        let id = format!("{name}, shown: {shown:?}");
        tally.count(&id, right, || format!("{found} {body}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_certified_provider_are_good_with_their_certificate_only() {
    let Some(program) = std::env::var_os("PORTCULLIS_OIDC_PROVIDER") else {
        crate::tally::skipped("npm oidc-provider is not installed; `cargo xtask test` does it");
        return;
    };
    if is_missing() {
        return;
    }
    let folder = certificates("bound-certified");
    let mut node = Command::new("node");
    node.arg("server.mjs")
        .env("CERTIFICATES", &folder.0)
        .current_dir(program);
    let provider = Process::start(&mut node);
    let line: Value = serde_json::from_str(&provider.line()).unwrap();
    let issuer = line["issuer"].as_str().unwrap();
    let metadata = reqwest::get(format!("{issuer}/.well-known/openid-configuration"));
    let metadata = metadata.await.unwrap().text().await.unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let endpoint = metadata["mtls_endpoint_aliases"]["token_endpoint"]
        .as_str()
        .unwrap();

    // Nobody else gets a token for this client.
    let form = format!("grant_type=client_credentials&client_id=certified&resource={AUDIENCE}");
    for shown in [None, Some("other")] {
        let (status, body) = curl(&folder.0, "server.crt", shown, &["-d", &form, endpoint]);
        assert_eq!(status, 401, "{body}");
    }
    let mut tally = Tally::new("bound tokens, certificates of oidc-provider");
    for (resource, format) in [
        (AUDIENCE, TokenFormat::Jwt),
        (OPAQUE_AUDIENCE, TokenFormat::Opaque),
    ] {
        let table = issuer_table(issuer, resource, format, &folder);
        for client in [
            "client_id=certified",
            "client_id=certified-secret&client_secret=certified-secret",
        ] {
            let form = format!("{client}&resource={resource}");
            let token = token(&folder, "server.crt", endpoint, &form);
            let name = format!("{format:?} {client}");
            is_bound(&mut tally, &name, &folder, &table, &token).await;
        }
    }
    tally.finish(12);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_our_provider_are_good_with_their_certificate_only() {
    if is_missing() {
        return;
    }
    let mut tally = Tally::new("bound tokens, certificates of portcullis idp");
    for format in [TokenFormat::Jwt, TokenFormat::Opaque] {
        let folder = certificates("bound-ours");
        let authority = folder.0.join("authority.pem");
        let idp = Idp::start(ours(format)).await.unwrap();
        std::fs::write(&authority, idp.authority().unwrap()).unwrap();
        let shown = idp.client_certificate("certified").unwrap();
        write(&folder, "client", &shown.certificate, &shown.key);
        let endpoint = format!("{}/token", idp.mtls_base().unwrap());
        let token = token(&folder, "authority.pem", &endpoint, "client_id=certified");
        let issuer = idp.issuer().as_str();
        let table = issuer_table(issuer, AUDIENCE, format, &folder);
        let trust = format!("\nca_file = \"{}\"\naudience", authority.display());
        let table = table.replace("\naudience", &trust);
        is_bound(&mut tally, &format!("{format:?}"), &folder, &table, &token).await;
    }
    tally.finish(6);
}

/// Our provider over TLS, with a client that is known by its certificate.
fn ours(format: TokenFormat) -> IdpConfig {
    let mut config = IdpConfig {
        tls: Some(Tls::default()),
        access_token_format: Some(format),
        ..IdpConfig::default()
    };
    config.clients.push(RegisteredClient {
        id: "certified".to_owned(),
        token_endpoint_auth_method: Some(ClientAuthentication::TlsClientAuth),
        tls_client_auth_subject_dn: Some("CN=certified".to_owned()),
        tls_client_certificate_bound_access_tokens: true,
        scopes: vec!["orders:read".to_owned()],
        ..RegisteredClient::default()
    });
    config
}
