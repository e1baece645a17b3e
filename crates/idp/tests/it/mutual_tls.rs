//! HTTPS, and clients that show a certificate (RFC 8705).

use crate::key::claims;
use crate::{CALLBACK, authorize_query, code_form, json, parameter, with_client};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_idp::{
    ClientAuthentication, ClientCertificate, Idp, IdpConfig, RegisteredClient, Secret, Tls,
};
use reqwest::{Certificate, Identity, redirect};
use serde_json::{Value, json};

const CLIENT_CREDENTIALS: &str = "grant_type=client_credentials";

async fn started(client: RegisteredClient) -> Idp {
    Idp::start(IdpConfig {
        tls: Some(Tls::default()),
        ..with_client(client)
    })
    .await
    .unwrap()
}

/// A client program that trusts the provider, and perhaps shows a certificate.
fn program(idp: &Idp, shown: Option<&ClientCertificate>) -> reqwest::Client {
    let authority = Certificate::from_pem(idp.authority().unwrap().as_bytes()).unwrap();
    let builder = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .tls_certs_only([authority]);
    let builder = match shown {
        Some(shown) => {
            let pem = format!("{}{}", shown.certificate, shown.key);
            builder.identity(Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

async fn ask(idp: &Idp, url: &str, form: &str, shown: Option<&ClientCertificate>) -> (u16, Value) {
    let request = program(idp, shown)
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    json(request.body(form.to_owned()).send().await.unwrap()).await
}

fn alias(idp: &Idp) -> String {
    format!("{}/token", idp.mtls_base().unwrap())
}

fn named(name: &str) -> RegisteredClient {
    RegisteredClient {
        id: "mutual".to_owned(),
        token_endpoint_auth_method: Some(ClientAuthentication::TlsClientAuth),
        tls_client_auth_subject_dn: Some(format!("CN={name}")),
        tls_client_certificate_bound_access_tokens: true,
        ..RegisteredClient::default()
    }
}

#[tokio::test]
async fn metadata_says_where_certificates_are_asked_for() {
    let idp = started(named("mutual")).await;
    assert!(idp.issuer().as_str().starts_with("https://127.0.0.1:"));
    let response = program(&idp, None)
        .get(idp.metadata_uri().unwrap())
        .send()
        .await
        .unwrap();
    let (_, document) = json(response).await;
    assert_eq!(
        document["mtls_endpoint_aliases"]["token_endpoint"],
        alias(&idp)
    );
    assert_ne!(document["token_endpoint"], alias(&idp));
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    let methods = document["token_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    assert!(
        methods.contains(&json!("tls_client_auth"))
            && methods.contains(&json!("self_signed_tls_client_auth"))
    );
}

#[tokio::test]
async fn a_certificate_by_the_authority_and_with_the_name_proves_the_client_and_binds_its_tokens() {
    let idp = started(named("mutual")).await;
    let (own, other) = (
        idp.client_certificate("mutual").unwrap(),
        idp.client_certificate("another").unwrap(),
    );
    let form = format!("{CLIENT_CREDENTIALS}&client_id=mutual");
    let (status, answer) = ask(&idp, &alias(&idp), &form, Some(&own)).await;
    assert_eq!(
        (status, &answer["token_type"]),
        (200, &json!("Bearer")),
        "{answer}"
    );
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["cnf"], json!({ "x5t#S256": own.thumbprint }));
    assert_eq!(
        ask(&idp, &alias(&idp), &form, Some(&other)).await.0,
        401,
        "another name"
    );
    assert_eq!(
        ask(&idp, &alias(&idp), &form, None).await.0,
        401,
        "no certificate"
    );
    assert_eq!(
        ask(&idp, &idp.token_endpoint(), &form, Some(&own))
            .await
            .0,
        401,
        "not asked for there"
    );
    let with_secret = format!("{form}&client_secret=x");
    assert_eq!(
        ask(&idp, &alias(&idp), &with_secret, Some(&own))
            .await
            .0,
        401,
        "two ways"
    );
    // The same name, by an authority that is not trusted.
    let stranger = started(named("mutual"))
        .await
        .client_certificate("mutual")
        .unwrap();
    assert_eq!(ask(&idp, &alias(&idp), &form, Some(&stranger)).await.0, 401);
}

#[tokio::test]
async fn a_dns_name_will_do_in_place_of_the_subject() {
    let by_name = |name: &str| RegisteredClient {
        tls_client_auth_subject_dn: None,
        tls_client_auth_san_dns: Some(name.to_owned()),
        ..named("")
    };
    let idp = started(by_name("batch.example")).await;
    let form = format!("{CLIENT_CREDENTIALS}&client_id=mutual");
    for (name, status) in [("batch.example", 200), ("other.example", 401)] {
        let shown = idp.client_certificate(name).unwrap();
        assert_eq!(
            ask(&idp, &alias(&idp), &form, Some(&shown)).await.0,
            status,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_registered_certificate_needs_no_authority() {
    let stranger = started(named("x"))
        .await
        .client_certificate("x")
        .unwrap();
    let der: String = stranger
        .certificate
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let client = RegisteredClient {
        id: "mutual".to_owned(),
        token_endpoint_auth_method: Some(ClientAuthentication::SelfSignedTlsClientAuth),
        jwk: Some(json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "x5c": [der] })),
        ..RegisteredClient::default()
    };
    assert!(STANDARD.decode(&der).is_ok());
    let idp = started(client).await;
    let form = format!("{CLIENT_CREDENTIALS}&client_id=mutual");
    let (status, answer) = ask(&idp, &alias(&idp), &form, Some(&stranger)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        claims(answer["access_token"].as_str().unwrap())["cnf"],
        Value::Null,
        "not asked to be bound"
    );
    let other = idp.client_certificate("x").unwrap();
    assert_eq!(ask(&idp, &alias(&idp), &form, Some(&other)).await.0, 401);
}

#[tokio::test]
async fn a_public_clients_tokens_are_bound_and_so_is_its_refreshing() {
    let client = RegisteredClient {
        id: "app".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: vec!["orders:read".to_owned()],
        tls_client_certificate_bound_access_tokens: true,
        ..RegisteredClient::default()
    };
    let idp = started(client).await;
    let (own, other) = (
        idp.client_certificate("a").unwrap(),
        idp.client_certificate("b").unwrap(),
    );
    let query = authorize_query(&[("client_id", "app")]);
    let request = program(&idp, None).post(format!("{}/authorize?{query}", idp.issuer()));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request
        .body("username=alice&password=alice")
        .send()
        .await
        .unwrap();
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Secure")
    );
    let form =
        code_form(&parameter(&response, "code").unwrap()).replace("client_id=web", "client_id=app");
    let (status, body) = ask(&idp, &idp.token_endpoint(), &form, None).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("invalid_request")),
        "a certificate is missing"
    );
    let (status, tokens) = ask(&idp, &alias(&idp), &form, Some(&own)).await;
    assert_eq!(status, 200, "{tokens}");
    let userinfo = async |shown| {
        let url = format!("{}/userinfo", idp.mtls_base().unwrap());
        let request = program(&idp, Some(shown))
            .get(url)
            .bearer_auth(tokens["access_token"].as_str().unwrap());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((userinfo(&own).await, userinfo(&other).await), (200, 401));
    let refresh = format!(
        "grant_type=refresh_token&client_id=app&refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    assert_eq!(
        ask(&idp, &alias(&idp), &refresh, Some(&other)).await.1["error"],
        "invalid_grant"
    );
    assert_eq!(ask(&idp, &alias(&idp), &refresh, Some(&own)).await.0, 200);
}

#[tokio::test]
async fn certificates_come_from_files_or_go_into_one() {
    let folder = std::env::temp_dir().join(format!("portcullis-idp-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let authority_file = folder.join("ca.pem");
    let tls = Tls {
        authority_file: Some(authority_file.clone()),
        names: vec!["idp.test".to_owned()],
        ..Tls::default()
    };
    let config = IdpConfig {
        tls: Some(tls),
        ..with_client(named("mutual"))
    };
    let first = Idp::start(config.clone()).await.unwrap();
    let written = std::fs::read_to_string(authority_file).unwrap();
    assert_eq!(Some(&written), first.authority().as_ref());
    // What one provider made, another one is given. (A client's certificate is not for servers;
    // only the start counts.)
    let made = first.client_certificate("localhost").unwrap();
    std::fs::write(folder.join("own.pem"), &made.certificate).unwrap();
    std::fs::write(folder.join("own.key"), &made.key).unwrap();
    let (certificate, key) = (Some(folder.join("own.pem")), Some(folder.join("own.key")));
    let given = Tls {
        certificate,
        key,
        client_authorities: Some(folder.join("ca.pem")),
        ..Tls::default()
    };
    let second = Idp::start(IdpConfig {
        tls: Some(given.clone()),
        ..config.clone()
    })
    .await
    .unwrap();
    assert!(second.authority().is_none() && second.client_certificate("x").is_none());
    for (tls, expected) in [
        (
            Tls {
                key: None,
                ..given.clone()
            },
            "both `certificate` and `key`",
        ),
        (
            Tls {
                certificate: Some(folder.join("none.pem")),
                ..given.clone()
            },
            "tls.certificate",
        ),
        (
            Tls {
                key: Some(folder.join("own.pem")),
                ..given.clone()
            },
            "tls.key",
        ),
        (
            Tls {
                client_authorities: Some(folder.join("own.key")),
                ..given.clone()
            },
            "tls.client_authorities",
        ),
        (
            Tls {
                mtls_listen: Some("0.0.0.0:0".parse().unwrap()),
                ..Tls::default()
            },
            "a loopback address",
        ),
    ] {
        let errors = Idp::start(IdpConfig {
            tls: Some(tls),
            ..config.clone()
        })
        .await
        .unwrap_err()
        .to_string();
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    let none = Idp::start(with_client(RegisteredClient {
        secret: Some(Secret::new("s")),
        ..named("x")
    }))
    .await
    .unwrap();
    assert!(none.mtls_base().is_none() && none.authority().is_none());
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_hand_that_is_not_shaken_keeps_nobody_waiting() {
    let idp = started(named("mutual")).await;
    let silent = tokio::net::TcpStream::connect(idp.address())
        .await
        .unwrap();
    let response = program(&idp, None)
        .get(idp.jwks_uri())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    drop(silent);
}
