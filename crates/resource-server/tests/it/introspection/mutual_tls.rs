//! A client that proves itself by its certificate, to a real TLS server that asks for one.

use super::client::File;
use super::server;
use axum::serve::Listener;
use portcullis_testkit::{AnsweringServer, clock, decide};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use std::io::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.0.accept().await.unwrap();
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> Result<SocketAddr, Error> {
        self.0.local_addr()
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for this name, and its key.
fn certificate(
    name: &str,
    authority: &CertifiedIssuer<'_, KeyPair>,
) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap(), key)
}

async fn listen(authority: &CertifiedIssuer<'_, KeyPair>) -> Tls {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let (own, key) = certificate("localhost", authority);
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![own.der().clone()], key.into())
        .unwrap();
    Tls(
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TlsAcceptor::from(Arc::new(config)),
    )
}

#[tokio::test]
async fn a_client_proves_itself_by_its_certificate() {
    let authority = authority();
    let endpoint = AnsweringServer::start(r#"{"active":true,"aud":"api://enterprise-api"}"#).await;
    let listener = listen(&authority).await;
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(axum::serve(listener, endpoint.router()).into_future());

    let (own, key) = certificate("service", &authority);
    let (stranger, strange_key) = certificate("service", &self::authority());
    let (ca_file, key_file) = (File::new(&authority.pem()), File::new(&key.serialize_pem()));
    let (own_file, both) = (
        File::new(&own.pem()),
        File::new(&(own.pem() + &key.serialize_pem())),
    );
    let strange = File::new(&(stranger.pem() + &strange_key.serialize_pem()));
    let asked = async |more: &str| {
        let more =
            format!("endpoint = \"https://localhost:{port}/\"\nauth = \"tls_client_auth\"\n{more}");
        decide(&trusting(&ca_file, &more), "opaque").await
    };
    assert_eq!(
        asked(&format!("certificate_file = \"{}\"", both.path())).await,
        "allow"
    );
    let apart = format!(
        "certificate_file = \"{}\"\nprivate_key_file = \"{}\"",
        own_file.path(),
        key_file.path()
    );
    assert_eq!(asked(&apart).await, "allow");
    let request = endpoint.requests().remove(0);
    assert!(
        request.body.ends_with("&client_id=service"),
        "{}",
        request.body
    );
    assert_eq!(
        asked(&format!("certificate_file = \"{}\"", strange.path())).await,
        "outage.introspection"
    );
    assert_eq!(endpoint.requests().len(), 2);
}

fn trusting(ca_file: &File, more: &str) -> portcullis_resource_server::ResourceServer {
    // The certificates of an issuer stand before its introspection.
    let issuer = format!("https://idp.example\"\nca_file = \"{}", ca_file.path());
    server(&issuer, more, &clock())
}
