//! RFC 8705, RFC 9440: certificates that a proxy in front tells.

use super::{NOW, RfcSetup};
use http::{HeaderMap, HeaderValue, Method};
use portcullis_core::proof::Thumbprint;
use portcullis_core::token::NumericDate;
use portcullis_gateway::{Config, EmbeddedGateway, EmbeddedRequest, Settings};
use portcullis_resource_server::clock::{Clock, TestClock};
use portcullis_testkit::ProofKey;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A value of DER that is framed like a certificate, and its field.
const DER: [u8; 6] = [0x30, 4, 2, 2, 1, 2];
const FIELD: &str = ":MAQCAgEC:";
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A gateway behind a proxy, and a token that is bound to the certificate.
struct Behind {
    gateway: EmbeddedGateway,
    world: RfcSetup,
}

impl Behind {
    async fn new(route: &str) -> Self {
        let world = RfcSetup::new().await;
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n[gateway]\ntrusted_proxies = \
             [\"192.0.2.7\"]\nclient_certificate = {{ format = \"rfc9440\" }}\n{route}",
            world.idp.issuer(),
            world.idp.audience()
        );
        let settings = Config::for_application(&text).and_then(Settings::for_application);
        let clock: Arc<dyn Clock> = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
        let gateway = EmbeddedGateway::new(settings.unwrap(), &clock).unwrap();
        Self { gateway, world }
    }

    fn token(&self, key: Option<&ProofKey>) -> String {
        let mut cnf = json!({ "x5t#S256": Thumbprint::of_certificate(&DER).to_string() });
        if let Some(key) = key {
            cnf["jkt"] = key.thumbprint().into();
        }
        self.world.token().claim("cnf", cnf).sign()
    }

    /// What becomes of a request with this token and these fields: `allow`, or the code.
    async fn ask(&self, from: IpAddr, token: &str, fields: &[&'static str]) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("api.example"));
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        for field in fields {
            headers.append("client-cert", HeaderValue::from_static(field));
        }
        let request = EmbeddedRequest::new(Method::GET, "/orders", headers).from_address(from);
        match self.gateway.admit(request).await {
            Ok(_) => "allow",
            Err(turned_away) => turned_away.code(),
        }
    }
}

/// RFC 9440, 2.1 and 2.2: the certificate is one byte sequence, in one field
#[tokio::test]
async fn section_2_2_one_byte_sequence() {
    let behind = Behind::new("").await;
    let token = behind.token(None);
    assert_eq!(behind.ask(PROXY, &token, &[FIELD]).await, "allow");
    for fields in [
        &[][..],
        &[FIELD, FIELD],
        &["MAQCAgEC"],
        &[":MAQCAgEC:, :MAQCAgEC:"],
        &[":MAQCAgECAA==:"],
    ] {
        let code = behind.ask(PROXY, &token, fields).await;
        assert_eq!(code, "proof.missing", "{fields:?}");
    }
    assert_eq!(
        behind.ask(PROXY, &token, &[":MAA=:"]).await,
        "proof.binding"
    );
}

/// RFC 9440, 4: the field counts from a trusted proxy only
#[tokio::test]
async fn section_4_only_from_a_trusted_proxy() {
    let behind = Behind::new("").await;
    let token = behind.token(None);
    let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    assert_eq!(behind.ask(PROXY, &token, &[FIELD]).await, "allow");
    assert_eq!(
        behind.ask(stranger, &token, &[FIELD]).await,
        "proof.missing"
    );
}

/// RFC 8705, 3 and RFC 9449, 6: a token that is bound to a certificate and a key needs both
#[tokio::test]
async fn section_3_both_bindings() {
    let behind = Behind::new("").await;
    let token = behind.token(Some(&ProofKey::new()));
    assert_eq!(behind.ask(PROXY, &token, &[FIELD]).await, "proof.missing");
}

/// RFC 8705, 3: a route can demand tokens that are bound to a certificate
#[tokio::test]
async fn section_3_a_binding_is_demanded() {
    let route = "[[route]]\npath = \"/orders\"\nrequire = { bound = \"mtls\" }\n";
    let behind = Behind::new(route).await;
    let unbound = behind.world.token().sign();
    assert_eq!(behind.ask(PROXY, &unbound, &[FIELD]).await, "proof.unbound");
    let token = behind.token(None);
    assert_eq!(behind.ask(PROXY, &token, &[FIELD]).await, "allow");
}
