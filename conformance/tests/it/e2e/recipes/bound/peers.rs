//! The ends of the connections: the certificate of a program in front, and clients with and without
//! certificates of their own.

use super::super::setup::eventually;
use super::super::wire::{Answer, exchange};
use portcullis_core::proof::Thumbprint;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How a client connects.
pub(super) enum Connection {
    /// Without a certificate.
    Bare,
    /// With the certificate that tokens are bound to.
    Own,
    /// With another one.
    Other,
    /// With one that has a name of the client's choice.
    Named,
}

/// A request, beside its host.
pub(super) struct Request<'r> {
    pub(super) method: &'r str,
    pub(super) target: &'r str,
    pub(super) lines: &'r [String],
}

/// An authority, and what it signed: files in a folder.
pub(super) struct Peers {
    folder: PathBuf,
    roots: RootCertStore,
}

impl Peers {
    pub(super) fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.join("ca.pem"), issuer.pem()).unwrap();
        for (name, host) in [
            ("server", "api.example"),
            ("own", "client.example"),
            ("other", "client.example"),
        ] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([host.to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            std::fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
            std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        Self {
            folder: folder.to_owned(),
            roots,
        }
    }

    /// The path of a file.
    pub(super) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The certificate that tokens are bound to, in PEM.
    pub(super) fn pem(&self) -> String {
        std::fs::read_to_string(self.folder.join("own.crt")).unwrap()
    }

    /// The same in base64, in one line.
    pub(super) fn base64(&self) -> String {
        let pem = self.pem();
        let lines = pem.lines().filter(|line| !line.starts_with('-'));
        lines.collect()
    }

    pub(super) fn thumbprint(&self) -> String {
        let certificate = CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap();
        Thumbprint::of_certificate(&certificate).to_string()
    }

    /// The SHA-256 of its DER, in hexadecimal.
    pub(super) fn hash(&self) -> String {
        let certificate = CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap();
        let thumbprint = Thumbprint::of_certificate(&certificate);
        let bytes = thumbprint.as_bytes().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    /// Signs a certificate with this URI, and the same text as its subject, by itself.
    pub(super) fn sign_with_name(&self, uri: &str) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        params.distinguished_name.push(DnType::CommonName, uri);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(self.folder.join("named.crt"), certificate.pem()).unwrap();
        std::fs::write(self.folder.join("named.key"), key.serialize_pem()).unwrap();
    }

    /// Waits until the program in front answers.
    pub(super) async fn wait_for(&self, front: SocketAddr) {
        let answers = || {
            let request = Request {
                method: "GET",
                target: "/protected-data",
                lines: &[],
            };
            let answer = self.ask(front, &Connection::Bare, &request);
            answer.is_ok_and(|it| it.status == 401)
        };
        eventually("the program in front", answers).await;
    }

    /// Asks for the protected path over TLS.
    pub(super) fn send(&self, to: SocketAddr, client: &Connection, lines: &[String]) -> Answer {
        let request = Request {
            method: "GET",
            target: "/protected-data",
            lines,
        };
        self.ask(to, client, &request).unwrap()
    }

    /// Sends a request over TLS.
    pub(super) fn ask(
        &self,
        to: SocketAddr,
        client: &Connection,
        request: &Request<'_>,
    ) -> std::io::Result<Answer> {
        let socket = TcpStream::connect(to)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        let name = ServerName::try_from("api.example").unwrap();
        let connection = ClientConnection::new(Arc::new(self.config(client)), name);
        let connection = connection.map_err(std::io::Error::other)?;
        let stream = StreamOwned::new(connection, socket);
        exchange(stream, request.method, request.target, request.lines)
    }

    fn config(&self, client: &Connection) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let name = match client {
            Connection::Bare => return builder.with_no_client_auth(),
            Connection::Own => "own",
            Connection::Other => "other",
            Connection::Named => "named",
        };
        let chain = CertificateDer::from_pem_file(self.file(&format!("{name}.crt"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.file(&format!("{name}.key"))).unwrap();
        builder
            .with_client_auth_cert(vec![chain], key)
            .unwrap()
    }
}
