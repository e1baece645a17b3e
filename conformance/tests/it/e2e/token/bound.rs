//! `portcullis curl` with bound tokens at our own gateway: DPoP, and the client's certificate.

use super::Shell;
use crate::e2e::process::{Process, free_port, program};
use axum::Router;
use portcullis_idp::{ClientAuthentication, Idp, IdpConfig, RegisteredClient, Tls};
use std::process::Command;

struct Protected {
    idp: Idp,
    shell: Shell,
    gateway: Process,
    address: String,
    authorities: String,
}

/// A client that authenticates by a certificate, and whose tokens are bound to it.
fn mutual() -> RegisteredClient {
    RegisteredClient {
        id: "mutual".to_owned(),
        token_endpoint_auth_method: Some(ClientAuthentication::TlsClientAuth),
        tls_client_auth_subject_dn: Some("CN=mutual".to_owned()),
        tls_client_certificate_bound_access_tokens: true,
        ..RegisteredClient::default()
    }
}

impl Protected {
    async fn new() -> Self {
        let mut config = IdpConfig {
            tls: Some(Tls::default()),
            ..IdpConfig::default()
        };
        config.clients.push(mutual());
        let idp = Idp::start(config).await.unwrap();
        let shell = Shell::new(idp.issuer().as_str());
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let authority = idp.authority().unwrap();
        let authority_file = shell.file("authority.pem", &authority);
        let both = format!("{authority}{}", own.cert.pem());
        let authorities = shell.file("both.pem", &both);
        let certificate = shell.file("gateway.crt", &own.cert.pem());
        let key = shell.file("gateway.key", &own.signing_key.serialize_pem());
        let (port, upstream) = (free_port(), upstream().await);
        let settings = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = \"{}\"\nca_file = {authority_file:?}\n[gateway]\n\
             listen = \"127.0.0.1:{port}\"\nupstream = \"{upstream}\"\n[gateway.tls]\n\
             certificate = {certificate:?}\nkey = {key:?}\nbound_clients = true\n\
             [log]\naudit = \"stdout\"\n\
             [[route]]\npath = \"/mtls\"\nrequire = {{ bound = \"mtls\" }}\n\
             [[route]]\npath = \"/dpop\"\nrequire = {{ bound = \"dpop\" }}\n",
            idp.issuer(),
            idp.audience()
        );
        let settings = shell.file("portcullis.toml", &settings);
        let mut command = Command::new(program("portcullis"));
        command.args(["serve", "--config", &settings]);
        let gateway = Process::start(&mut command);
        let address = format!("https://127.0.0.1:{port}");
        let it = Self {
            idp,
            shell,
            gateway,
            address,
            authorities,
        };
        it.wait_for_keys().await;
        it
    }

    /// Until the gateway answers otherwise than with an outage.
    async fn wait_for_keys(&self) {
        let client = reqwest::Client::builder().danger_accept_invalid_certs(true);
        let client = client.build().unwrap();
        let token = self.idp.token("bob").sign();
        for _ in 0..600 {
            let request = client.get(format!("{}/dpop", self.address));
            if let Ok(answer) = request.bearer_auth(&token).send().await
                && answer.status() == 401
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the gateway never decided");
    }

    fn curl(&self, path: &str, arguments: &[&str]) -> super::Said {
        let url = format!("{}{path}", self.address);
        let arguments = [&["curl", "--ca-file", &self.authorities, &url], arguments].concat();
        self.shell.run(&arguments)
    }
}

async fn upstream() -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let app = Router::new().fallback(async || "welcome");
    tokio::spawn(async move { axum::serve(socket, app).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_tokens_open_the_routes_that_demand_them() {
    let it = Protected::new().await;
    let own = it.idp.client_certificate("mutual").unwrap();
    let pem = format!("{}{}", own.certificate, own.key);
    let certificate = it.shell.file("own.pem", &pem);
    let mutual = ["--client-id", "mutual", "--mtls", &certificate];
    let said = it.curl("/mtls", &mutual);
    assert_eq!((said.code, &*said.out), (0, "welcome"), "{}", said.err);
    let secret = it.shell.file("secret", "service-secret");
    let service = ["--client-id", "service", "--client-secret-file", &secret];
    let said = it.curl("/dpop", &[&service[..], &["--dpop"]].concat());
    assert_eq!((said.code, &*said.out), (0, "welcome"), "{}", said.err);
    // Each binding opens its own route only, and a plain token none.
    for (path, arguments) in [
        ("/dpop", &mutual[..]),
        ("/mtls", &[&service[..], &["--dpop"]].concat()),
        ("/dpop", &service),
        ("/mtls", &service),
    ] {
        let said = it.curl(path, arguments);
        assert_eq!(said.code, 2, "{path} {arguments:?}: {}", said.out);
        assert!(said.out.contains("proof.unbound"), "{}", said.out);
    }
    drop(it.gateway);
}
