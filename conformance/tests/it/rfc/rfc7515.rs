//! RFC 7515: JSON Web Signature.

use super::RfcSetup;
use serde_json::json;

/// 4: header member names are unique; a repeated one is refused
#[tokio::test]
async fn section_4_members_are_unique() {
    let world = RfcSetup::new().await;
    let token = world.rewritten(0, r#"{"alg":"RS256","typ":"at+jwt","alg":"none"}"#);
    assert_eq!(world.decide(&token).await, "token.malformed");
}

/// 4.1.1: `alg` must be there, compares with case, and must be supported
#[tokio::test]
async fn section_4_1_1_alg() {
    let world = RfcSetup::new().await;
    for header in [
        r#"{"typ":"at+jwt"}"#,
        r#"{"alg":"rs256"}"#,
        r#"{"alg":"XX1"}"#,
        r#"{"alg":null}"#,
    ] {
        assert_eq!(
            world.decide(&world.rewritten(0, header)).await,
            "token.algorithm",
            "{header}"
        );
    }
}

/// 4.1.2, 4.1.3, 4.1.5, 4.1.6: keys and addresses of keys in the header are not trusted, and
/// nothing is fetched
#[tokio::test]
async fn section_4_1_2_keys_in_the_header_are_ignored() {
    let world = RfcSetup::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let forger = RfcSetup::new().await;
    let jwk: serde_json::Value = serde_json::from_str(&forger.idp.jwks()).unwrap();
    let issuer = world.idp.issuer().as_str();
    for (name, value) in [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", jwk["keys"][0].clone()),
        ("x5c", json!(["AAAA"])),
    ] {
        assert_eq!(
            world
                .decide(&world.token().header(name, value.clone()).sign())
                .await,
            "allow",
            "{name}"
        );
        let forged = forger
            .token()
            .issuer(issuer)
            .header(name, value)
            .sign();
        assert_eq!(world.decide(&forged).await, "token.key_unknown", "{name}");
    }
    assert!(
        listener.accept().is_err(),
        "somebody followed an address of the header"
    );
}

/// 4.1.4: `kid` is a string and compares with case
#[tokio::test]
async fn section_4_1_4_kid() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().header("kid", 7).sign())
            .await,
        "token.header"
    );
    assert_eq!(
        world.decide(&world.token().kid("Other").sign()).await,
        "token.key_unknown"
    );
}

/// 4.1.9: `typ` names the media type, `application/` may be left out, letter case does not count
#[tokio::test]
async fn section_4_1_9_typ() {
    let world = RfcSetup::new().await;
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        assert_eq!(
            world
                .decide(&world.token().typ(Some(typ)).sign())
                .await,
            "allow",
            "{typ}"
        );
    }
}

/// 4.1.11: `crit` names extensions that must be understood; none is, so it is refused, empty lists
/// included
#[tokio::test]
async fn section_4_1_11_crit() {
    let world = RfcSetup::new().await;
    for crit in [
        json!(["exp"]),
        json!([]),
        json!("x"),
        json!(null),
        json!(["b64"]),
    ] {
        assert_eq!(
            world
                .decide(&world.token().header("crit", crit.clone()).sign())
                .await,
            "token.header",
            "{crit}"
        );
    }
}

/// 4: unknown members that are not critical are ignored
#[tokio::test]
async fn section_4_unknown_members_are_ignored() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().header("x-unknown", "y").sign())
            .await,
        "allow"
    );
}

/// 2, 5.2: each part is base64url without padding, line breaks, white space or other characters
#[tokio::test]
async fn section_5_2_base64url_is_strict() {
    let world = RfcSetup::new().await;
    let token = world.token().sign();
    for changed in [
        format!("{token}="),
        format!("{token}\n"),
        format!(" {token}"),
        token.replace('_', "/"),
        token.replacen('.', " .", 1),
    ] {
        if changed != token {
            assert_eq!(world.decide(&changed).await, "token.malformed");
        }
    }
}

/// 5.2: the header is a JSON object in UTF-8
#[tokio::test]
async fn section_5_2_the_header_is_an_object() {
    let world = RfcSetup::new().await;
    for header in [
        "[]",
        "\"x\"",
        "1",
        "null",
        "{",
        "{\"alg\":\"RS256\"}x",
        "\u{feff}{}",
    ] {
        assert_eq!(
            world.decide(&world.rewritten(0, header)).await,
            "token.malformed",
            "{header}"
        );
    }
}

/// 5.2: the signature is validated over the ASCII bytes of the first two parts
#[tokio::test]
async fn section_5_2_the_signature_is_validated() {
    let world = RfcSetup::new().await;
    assert_eq!(
        world
            .decide(&world.token().signature_flipped().sign())
            .await,
        "token.signature"
    );
    let (one, other) = (world.token().sign(), world.token().claim("x", 1).sign());
    let mixed = format!(
        "{}.{}",
        one.rsplit_once('.').unwrap().0,
        other.rsplit_once('.').unwrap().1
    );
    assert_eq!(world.decide(&mixed).await, "token.signature");
}

/// 7.1: the compact form is three parts with two dots
#[tokio::test]
async fn section_7_1_three_parts() {
    let world = RfcSetup::new().await;
    let token = world.token().sign();
    for changed in [
        format!("{token}.x"),
        format!(".{token}"),
        token.replacen('.', "", 1),
        format!("{token}{token}"),
    ] {
        assert_eq!(world.decide(&changed).await, "token.malformed");
    }
}

/// 7.2: the JSON form is not used for JWTs, and refused
#[tokio::test]
async fn section_7_2_no_json_form() {
    let world = RfcSetup::new().await;
    let token = world.token().sign();
    let parts: Vec<&str> = token.split('.').collect();
    let flattened =
        json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string();
    assert_eq!(world.decide(&flattened).await, "token.malformed");
}
