//! HTTPS: versions, client certificates, certificate reloads, and the redirect from plain HTTP.

use crate::client::Client;
use crate::setup::TestSetup;
use http::header::{LOCATION, STRICT_TRANSPORT_SECURITY};
use portcullis_core::proof::Thumbprint;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const OPEN: &str = "[[route]]\npath = \"/**\"\naccess = \"public\"\n";

/// A certificate authority, and a folder with its certificates.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder =
            std::env::temp_dir().join(format!("portcullis-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Self { issuer, folder };
        authority.sign("server", "gw.example");
        authority.sign("client", "client.example");
        std::fs::write(authority.folder.join("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn sign(&self, file: &str, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()])
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        std::fs::write(self.folder.join(format!("{file}.crt")), certificate.pem()).unwrap();
        std::fs::write(self.folder.join(format!("{file}.key")), key.serialize_pem()).unwrap();
    }

    fn settings(&self, more: &str) -> String {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let (certificate, key) = (file("server.crt"), file("server.key"));
        let more = more.replace("{ca}", &file("ca.pem"));
        format!("[gateway.tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n{more}{OPEN}")
    }

    fn connector(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        certificate: bool,
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = if certificate {
            let chain = CertificateDer::from_pem_file(self.folder.join("client.crt")).unwrap();
            let key = PrivateKeyDer::from_pem_file(self.folder.join("client.key")).unwrap();
            builder
                .with_client_auth_cert(vec![chain], key)
                .unwrap()
        } else {
            builder.with_no_client_auth()
        };
        TlsConnector::from(Arc::new(config))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// The response to a request over TLS, and the server's certificate.
async fn get(
    address: SocketAddr,
    connector: &TlsConnector,
    name: &str,
) -> std::io::Result<(String, Vec<u8>)> {
    let stream = TcpStream::connect(address).await?;
    let mut stream = connector
        .connect(ServerName::try_from(name.to_owned()).unwrap(), stream)
        .await?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    stream
        .write_all(b"GET /x HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok((answer, shown))
}

#[tokio::test]
async fn both_versions_are_spoken_unless_only_the_newer_one_is_wanted() {
    let authority = Authority::new("versions");
    let setup = TestSetup::new(&authority.settings("")).await;
    for version in BOTH {
        let (answer, _) = get(
            setup.gateway,
            &authority.connector(&[version], false),
            "gw.example",
        )
        .await
        .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let hsts = STRICT_TRANSPORT_SECURITY.as_str();
        assert!(
            answer.contains(&format!("{hsts}: max-age=31536000\r\n")),
            "{answer}"
        );
    }
    assert_eq!(
        setup.upstream.take_requests()[0].values("x-forwarded-proto"),
        ["https"]
    );
    let strict = TestSetup::new(&authority.settings("minimum = \"1.3\"\nhsts = 0\n")).await;
    let old = authority.connector(&[&rustls::version::TLS12], false);
    assert!(get(strict.gateway, &old, "gw.example").await.is_err());
    let (answer, _) = get(
        strict.gateway,
        &authority.connector(&BOTH, false),
        "gw.example",
    )
    .await
    .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("strict-transport"),
        "{answer}"
    );
}

#[tokio::test]
async fn client_certificates_are_demanded_or_taken() {
    let authority = Authority::new("clients");
    let stranger = Authority::new("stranger");
    let (with, without) = (
        authority.connector(&BOTH, true),
        authority.connector(&BOTH, false),
    );
    let demanding = TestSetup::new(&authority.settings("client_authorities = \"{ca}\"\n")).await;
    assert!(
        get(demanding.gateway, &with, "gw.example")
            .await
            .is_ok()
    );
    assert!(
        get(demanding.gateway, &without, "gw.example")
            .await
            .is_err()
    );
    let optional = "client_authorities = \"{ca}\"\nclient_certificate_optional = true\n";
    let optional = TestSetup::new(&authority.settings(optional)).await;
    assert!(
        get(optional.gateway, &with, "gw.example")
            .await
            .is_ok()
    );
    assert!(
        get(optional.gateway, &without, "gw.example")
            .await
            .is_ok()
    );
    std::fs::copy(
        stranger.folder.join("client.crt"),
        authority.folder.join("client.crt"),
    )
    .unwrap();
    std::fs::copy(
        stranger.folder.join("client.key"),
        authority.folder.join("client.key"),
    )
    .unwrap();
    assert!(
        get(
            optional.gateway,
            &authority.connector(&BOTH, true),
            "gw.example"
        )
        .await
        .is_err()
    );
}

/// The head of the answer to a request with a token.
async fn head(address: SocketAddr, connector: &TlsConnector, token: &str) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("gw.example").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = format!(
        "GET /x HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_comes_with_it() {
    let authority = Authority::new("bound");
    let stranger = Authority::new("bound-stranger");
    let shown = CertificateDer::from_pem_file(stranger.folder.join("client.crt")).unwrap();
    let settings = authority
        .settings("bound_clients = true\n")
        .replace(OPEN, "");
    let setup = TestSetup::new(&settings).await;
    let thumbprint = Thumbprint::of_certificate(&shown).to_string();
    let cnf = json!({ "x5t#S256": thumbprint });
    let token = setup.idp.token("alice").claim("cnf", cnf).sign();
    // Nobody here knows who signed it: only its hash counts.
    let mut own = authority.connector(&BOTH, false);
    for file in ["client.crt", "client.key"] {
        std::fs::copy(stranger.folder.join(file), authority.folder.join(file)).unwrap();
    }
    let with = authority.connector(&BOTH, true);
    // The second connection resumes the session of the first.
    for _ in 0..2 {
        let answer = head(setup.gateway, &with, &token).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let answer = head(setup.gateway, &own, &token).await;
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("proof.missing"),
        "{answer}"
    );
    authority.sign("client", "client.example");
    own = authority.connector(&BOTH, true);
    let answer = head(setup.gateway, &own, &token).await;
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("proof.binding"),
        "{answer}"
    );
    let plain = setup.idp.token("alice").sign();
    let answer = head(setup.gateway, &own, &plain).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A trusted proxy tells its client's certificate; from others the header counts for nothing.
#[tokio::test]
async fn a_header_counts_from_a_trusted_proxy_only() {
    let authority = Authority::new("told");
    let stranger = Authority::new("told-stranger");
    let [shown, told] = [&authority, &stranger]
        .map(|it| std::fs::read_to_string(it.folder.join("client.crt")).unwrap());
    let header: String = told
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    for (proxies, is_trusted) in [("192.0.2.1", false), ("127.0.0.1", true)] {
        let settings = authority
            .settings("bound_clients = true\n")
            .replace(OPEN, "");
        let setup = TestSetup::new(&format!(
            "trusted_proxies = [\"{proxies}\"]\n\
             client_certificate = {{ format = \"haproxy\", header = \"X-Cert\" }}\n{settings}"
        ))
        .await;
        let connector = authority.connector(&BOTH, true);
        for (pem, is_shown) in [(&shown, true), (&told, false)] {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let thumbprint = Thumbprint::of_certificate(&certificate).to_string();
            let cnf = json!({ "x5t#S256": thumbprint });
            let token = setup.idp.token("alice").claim("cnf", cnf).sign();
            let lines = format!("{token}\r\nX-Cert: {header}");
            let answer = head(setup.gateway, &connector, &lines).await;
            // The proxy's own certificate is not its client's.
            let expected = if is_shown == is_trusted { "401" } else { "200" };
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {expected}")),
                "{answer}"
            );
            // Without the header, a trusted proxy says that there is none.
            let answer = head(setup.gateway, &connector, &token).await;
            let expected = if is_shown && !is_trusted {
                "200"
            } else {
                "401"
            };
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {expected}")),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn envoy_shows_a_certificate_and_new_ones_are_read() {
    let authority = Authority::new("envoy");
    let file = |name: &str| authority.folder.join(name).display().to_string();
    let (certificate, key, ca) = (file("server.crt"), file("server.key"), file("ca.pem"));
    let setup = TestSetup::new(&format!(
        "[ext_authz]\nlisten = \"127.0.0.1:0\"\npath_prefix = \"/check\"\n[ext_authz.tls]\ncertificate = \"{certificate}\"\n\
         key = \"{key}\"\nclient_authorities = \"{ca}\"\n[[route]]\npath = \"/x\"\naccess = \"public\"\n"
    ))
    .await;
    let address = setup.ext_authz.unwrap();
    let with = authority.connector(&BOTH, true);
    // The path is outside the prefix, so the door itself answers.
    let (answer, first) = get(address, &with, "gw.example").await.unwrap();
    assert!(
        answer.contains("door.original") && !answer.contains("strict-transport"),
        "{answer}"
    );
    assert!(
        get(address, &authority.connector(&BOTH, false), "gw.example")
            .await
            .is_err()
    );
    authority.sign("server", "gw.example");
    setup.handle.reload_certificates().unwrap();
    assert_ne!(get(address, &with, "gw.example").await.unwrap().1, first);
    std::fs::write(authority.folder.join("server.key"), "nonsense").unwrap();
    let errors = setup.handle.reload_certificates().unwrap_err();
    assert_eq!(errors.iter().next().unwrap().place(), "ext_authz.tls.key");
}

#[tokio::test]
async fn a_new_certificate_is_shown_and_a_bad_one_is_not() {
    let authority = Authority::new("reload");
    let setup = TestSetup::new(&authority.settings("")).await;
    let connector = authority.connector(&BOTH, false);
    let (_, first) = get(setup.gateway, &connector, "gw.example")
        .await
        .unwrap();
    authority.sign("server", "gw.example");
    setup.handle.reload_certificates().unwrap();
    let (_, second) = get(setup.gateway, &connector, "gw.example")
        .await
        .unwrap();
    assert_ne!(first, second);
    std::fs::write(authority.folder.join("server.key"), "nonsense").unwrap();
    let errors = setup.handle.reload_certificates().unwrap_err();
    assert_eq!(errors.iter().next().unwrap().place(), "gateway.tls.key");
    // Its reader passes over an encrypted key, and would say that the file holds none.
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(authority.folder.join("server.key"), encrypted).unwrap();
    let told = setup
        .handle
        .reload_certificates()
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("expected a private key without a passphrase, found an encrypted one")
            && told.contains("openssl pkey"),
        "{told}"
    );
    // A key that belongs to another certificate.
    std::fs::copy(
        authority.folder.join("client.key"),
        authority.folder.join("server.key"),
    )
    .unwrap();
    assert!(setup.handle.reload_certificates().is_err());
    let (_, third) = get(setup.gateway, &connector, "gw.example")
        .await
        .unwrap();
    assert_eq!(second, third);
}

#[tokio::test]
async fn plain_http_is_redirected_and_nothing_is_forwarded() {
    let authority = Authority::new("redirect");
    let setup = TestSetup::new(&authority.settings("redirect = \"127.0.0.1:0\"\n")).await;
    let client = Client::new(setup.redirect.unwrap());
    let answer = client.get("/%61?b=c", None).await;
    assert_eq!(answer.status, 308);
    let expected = format!("https://gw.example:{}/a?b=c", setup.gateway.port());
    assert_eq!(answer.headers[LOCATION], expected);
    assert_eq!(client.get("/a/../b", None).await.status, 400);
    assert!(setup.upstream.take_requests().is_empty());
}

#[tokio::test]
async fn upstreams_are_spoken_to_over_tls_and_must_be_who_they_say() {
    let authority = Authority::new("upstream");
    authority.sign("server", "localhost");
    // A gateway with TLS serves as an upstream with TLS.
    let behind = TestSetup::new(&authority.settings("")).await;
    let url = format!("https://localhost:{}", behind.gateway.port());
    let settings = |ca: &Authority, url: &str| {
        let file = ca.folder.join("ca.pem").display().to_string();
        format!(
            "upstream = \"api\"\n{OPEN}[[upstream]]\nname = \"api\"\nservers = [\"{url}\"]\nauthorities = \"{file}\"\n"
        )
    };
    let front = TestSetup::new(&settings(&authority, &url)).await;
    assert_eq!(front.client().get("/x", None).await.status, 200);
    let stranger = Authority::new("upstream-stranger");
    let front = TestSetup::new(&settings(&stranger, &url)).await;
    assert_eq!(front.client().get("/x", None).await.status, 502);
    let url = format!("https://127.0.0.1:{}", behind.gateway.port());
    let front = TestSetup::new(&settings(&authority, &url)).await;
    assert_eq!(front.client().get("/x", None).await.status, 502);
}
