//! For tests: TLS in front of whatever listens on loopback, with an authority that nobody knows.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A listener with its certificate.
pub(crate) struct Front {
    pub(crate) url: String,
    /// Who made the certificate, in PEM.
    pub(crate) authority: String,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Front {
    /// For this name, in these versions. Nobody is answered yet.
    pub(crate) async fn new(name: &str, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2_025, 1, 1);
        params.not_after = rcgen::date_time_ymd(2_040, 1, 1);
        let own = params.signed_by(&pair, &authority).unwrap();
        Self::with(own.der().clone(), &pair, authority.pem(), versions).await
    }

    /// With the certificate of an authority as its own, as a hasty `openssl req -x509` makes it.
    pub(crate) async fn self_signed() -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pair = KeyPair::generate().unwrap();
        let own = params.self_signed(&pair).unwrap();
        Self::with(own.der().clone(), &pair, own.pem(), rustls::ALL_VERSIONS).await
    }

    async fn with(
        own: CertificateDer<'static>,
        pair: &KeyPair,
        authority: String,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let key = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own], key);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            url: format!(
                "https://localhost:{}",
                listener.local_addr().unwrap().port()
            ),
            authority,
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config.unwrap())),
        }
    }

    /// Shakes hands, and passes everything on to what listens there, if anything does.
    pub(crate) fn serve(self, behind: Option<SocketAddr>) {
        tokio::spawn(async move {
            while let Ok((stream, _)) = self.listener.accept().await {
                let acceptor = self.acceptor.clone();
                tokio::spawn(async move {
                    // Whoever does not like the certificate goes away.
                    let Ok(mut inside) = acceptor.accept(stream).await else {
                        return;
                    };
                    if let Some(behind) = behind {
                        let mut outside = TcpStream::connect(behind).await.unwrap();
                        _ = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
                    }
                });
            }
        });
    }
}
