//! Nobody becomes an application, or a user, by what they are called.

use super::*;
use crate::Limits;
use crate::jose::json;
use crate::token::{Identity, Mapping};

/// The kind and the subject that a dialect makes of these claims.
fn of(dialect: &str, claims: &str) -> String {
    let Ok(Json::Object(object)) = json::parse(claims.as_bytes(), &Limits::default()) else {
        panic!("{claims}")
    };
    let dialect = Dialect::by_name(dialect).unwrap();
    let identity = Identity::of(
        &Claims::from_object(object).unwrap(),
        dialect,
        &Mapping::of(dialect),
    );
    format!("{} {}", identity.kind(), identity.subject().unwrap_or("-"))
}

fn all(rows: &[(&str, &str, &str)]) {
    for (dialect, claims, expected) in rows {
        assert_eq!(of(dialect, claims), *expected, "{dialect}: {claims}");
    }
}

#[test]
fn a_person_with_the_name_of_an_application_is_none() {
    all(&[
        // Somebody who registers chooses a username; the session tells them from a service account.
        (
            "keycloak",
            r#"{"sub":"1","azp":"web","sid":"s","preferred_username":"service-account-evil"}"#,
            "user 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"web","sid":"s","preferred_username":"service-account-web"}"#,
            "user 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"web","session_state":"s","preferred_username":"service-account-web"}"#,
            "user 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"web","auth_time":1,"preferred_username":"service-account-web"}"#,
            "user 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"web","preferred_username":"service-account-evil"}"#,
            "unknown 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"web","preferred_username":"Service-account-web"}"#,
            "user 1",
        ),
        (
            "keycloak",
            r#"{"azp":"web","sid":"s","preferred_username":"alice"}"#,
            "unknown -",
        ),
        (
            "keycloak",
            r#"{"azp":"web","preferred_username":"alice"}"#,
            "unknown -",
        ),
        (
            "authentik",
            r#"{"sub":"1","azp":"web","sid":"s","preferred_username":"ak-evil"}"#,
            "user 1",
        ),
        (
            "authentik",
            r#"{"sub":"1","azp":"web","amr":["pwd"],"preferred_username":"ak-web-client_credentials"}"#,
            "user 1",
        ),
        (
            "authentik",
            r#"{"sub":"1","azp":"web","preferred_username":"ak-evil"}"#,
            "unknown 1",
        ),
        (
            "authentik",
            r#"{"sub":"1","azp":"web","preferred_username":"ak-evil-client_credentials"}"#,
            "unknown 1",
        ),
        (
            "authentik",
            r#"{"sub":"web","azp":"web","sid":"s","preferred_username":"web"}"#,
            "user web",
        ),
        (
            "auth0",
            r#"{"sub":"samlp|acme|evil@clients","azp":"web"}"#,
            "user samlp|acme|evil@clients",
        ),
        (
            "auth0",
            r#"{"sub":"samlp|acme|web@clients","azp":"web","gty":"password"}"#,
            "user samlp|acme|web@clients",
        ),
        (
            "auth0",
            r#"{"sub":"auth0|web@clients","client_id":"web"}"#,
            "user auth0|web@clients",
        ),
        (
            "auth0",
            r#"{"sub":"web@clients","azp":"web"}"#,
            "unknown web@clients",
        ),
        (
            "auth0",
            r#"{"sub":"other@clients","azp":"web","gty":"client-credentials"}"#,
            "unknown other@clients",
        ),
        (
            "auth0",
            r#"{"sub":"auth0|1","azp":"web","gty":"client-credentials"}"#,
            "unknown auth0|1",
        ),
        ("okta", r#"{"sub":"web","uid":"u","cid":"web"}"#, "user u"),
        (
            "okta",
            r#"{"sub":"evil@acme.test","cid":"web"}"#,
            "unknown evil@acme.test",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"o","azp":"c","azpacr":"0","tid":"t"}"#,
            "unknown o",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"s","azp":"c","azpacr":"1","tid":"t"}"#,
            "unknown o",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"o","azp":"c","preferred_username":"a@b.test"}"#,
            "user o",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"o","azp":"c","idtyp":"user"}"#,
            "user o",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"o","azp":"c","scp":"a"}"#,
            "user o",
        ),
        (
            "entra-v1",
            r#"{"oid":"o","sub":"o","appid":"c","appidacr":"0"}"#,
            "unknown o",
        ),
        (
            "entra-v1",
            r#"{"oid":"o","sub":"o","appid":"c","upn":"a@b.test"}"#,
            "user o",
        ),
        (
            "entra-external-id",
            r#"{"oid":"o","sub":"s","azp":"c"}"#,
            "unknown o",
        ),
        // A person's subject is their object there.
        (
            "entra-b2c",
            r#"{"oid":"o","sub":"o","azp":"c","auth_time":1}"#,
            "user o",
        ),
        (
            "entra-b2c",
            r#"{"oid":"o","sub":"o","azp":"c","emails":["a@b.test"]}"#,
            "user o",
        ),
        (
            "google",
            r#"{"sub":"1","azp":"2","email":"a@b.iam.gserviceaccount.com"}"#,
            "unknown 1",
        ),
        (
            "google",
            r#"{"sub":"1","azp":"web","email":"web"}"#,
            "user 1",
        ),
        (
            "firebase",
            r#"{"sub":"web","aud":"web","name":"service"}"#,
            "user web",
        ),
        (
            "cognito",
            r#"{"sub":"1","client_id":"web","username":"web"}"#,
            "user 1",
        ),
        ("cognito", r#"{"sub":"1","client_id":"web"}"#, "unknown 1"),
        (
            "pingone",
            r#"{"client_id":"web","sid":"s","env":"e"}"#,
            "unknown -",
        ),
        (
            "zitadel",
            r#"{"sub":"web","client_id":"web","sid":"s"}"#,
            "user web",
        ),
        ("hydra", r#"{"sub":"evil","client_id":"web"}"#, "user evil"),
        (
            "hydra",
            r#"{"sub":"web","client_id":"web","sid":"s"}"#,
            "user web",
        ),
        (
            "generic",
            r#"{"sub":"web","client_id":"web","nonce":"n"}"#,
            "user web",
        ),
        (
            "generic",
            r#"{"sub":"1","client_id":"web","preferred_username":"service-account-web","gty":"client-credentials"}"#,
            "user 1",
        ),
        (
            "rfc9068",
            r#"{"sub":"web","client_id":"web","sid":"s"}"#,
            "user web",
        ),
        (
            "cloudflare",
            r#"{"sub":"1","email":"web.access","common_name":"web.access"}"#,
            "user 1",
        ),
        (
            "cloudflare",
            r#"{"sub":"","email":"a@b.test","common_name":"web.access"}"#,
            "unknown web.access",
        ),
        (
            "portcullis",
            r#"{"sub":"web","client_id":"web","kind":"user"}"#,
            "user web",
        ),
        (
            "portcullis",
            r#"{"sub":"web","client_id":"web","kind":"unknown"}"#,
            "unknown web",
        ),
        (
            "portcullis",
            r#"{"sub":"web","client_id":"web"}"#,
            "unknown web",
        ),
        (
            "adfs",
            r#"{"sub":"s","upn":"web@acme.test","appid":"web","apptype":"Confidential"}"#,
            "user s",
        ),
        (
            "adfs",
            r#"{"sub":"web","unique_name":"ACME\\web","appid":"web","apptype":"Confidential"}"#,
            "user web",
        ),
        (
            "adfs",
            r#"{"sub":"web","appid":"web","apptype":"Public"}"#,
            "unknown web",
        ),
    ]);
}

#[test]
fn an_application_is_no_user() {
    all(&[
        ("generic", r#"{"sub":"c","client_id":"c"}"#, "application c"),
        (
            "generic",
            r#"{"sub":"c","azp":"c","auth_time":1}"#,
            "application c",
        ),
        ("rfc9068", r#"{"sub":"c","client_id":"c"}"#, "application c"),
        ("hydra", r#"{"sub":"c","client_id":"c"}"#, "application c"),
        (
            "keycloak",
            r#"{"sub":"1","azp":"c","preferred_username":"service-account-c"}"#,
            "application 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"c","sid":"s","clientAddress":"10.0.0.1","preferred_username":"service-account-c"}"#,
            "application 1",
        ),
        (
            "keycloak",
            r#"{"sub":"1","azp":"c","client_id":"c","clientAddress":"10.0.0.1"}"#,
            "application 1",
        ),
        ("keycloak", r#"{"azp":"c"}"#, "application c"),
        (
            "authentik",
            r#"{"sub":"1","azp":"c","preferred_username":"ak-c-client_credentials"}"#,
            "application 1",
        ),
        (
            "auth0",
            r#"{"sub":"c@clients","azp":"c","gty":"client-credentials"}"#,
            "application c@clients",
        ),
        (
            "auth0",
            r#"{"sub":"c@clients","client_id":"c"}"#,
            "application c@clients",
        ),
        ("okta", r#"{"sub":"c","cid":"c"}"#, "application c"),
        (
            "okta",
            r#"{"sub":"c","client_id":"c","active":true}"#,
            "application c",
        ),
        (
            "entra-v2",
            r#"{"oid":"o","sub":"o","azp":"c","azpacr":"1"}"#,
            "application o",
        ),
        (
            "entra-v1",
            r#"{"oid":"o","sub":"x","appid":"c","idtyp":"app"}"#,
            "application o",
        ),
        (
            "entra-external-id",
            r#"{"oid":"o","sub":"o","azp":"c","azpacr":"2"}"#,
            "application o",
        ),
        (
            "entra-b2c",
            r#"{"oid":"o","sub":"o","azp":"c"}"#,
            "application o",
        ),
        (
            "google",
            r#"{"sub":"1","azp":"1","email":"a@b.iam.gserviceaccount.com"}"#,
            "application 1",
        ),
        ("cognito", r#"{"sub":"c","client_id":"c"}"#, "application c"),
        ("pingone", r#"{"client_id":"c","env":"e"}"#, "application c"),
        (
            "cloudflare",
            r#"{"sub":"","common_name":"c.access"}"#,
            "application c.access",
        ),
        (
            "portcullis",
            r#"{"sub":"1","kind":"application"}"#,
            "application 1",
        ),
        (
            "adfs",
            r#"{"sub":"c","appid":"c","apptype":"Confidential"}"#,
            "application c",
        ),
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential","auth_time":"2026-01-01T00:00:00Z"}"#,
            "application c",
        ),
    ]);
}

/// Whatever the dialect: a client without a subject calls in its own name, unless the token is
/// about a person.
#[test]
fn a_client_stands_for_itself_and_for_nobody_else() {
    all(&[
        ("generic", r#"{"client_id":"c"}"#, "application c"),
        ("generic", r#"{"sub":null,"azp":"c"}"#, "application c"),
        ("generic", r#"{"sub":"","client_id":"c"}"#, "application c"),
        (
            "generic",
            r#"{"client_id":null,"azp":"c"}"#,
            "application c",
        ),
        // A person may be called like a client, or like its account.
        (
            "generic",
            r#"{"client_id":"c","username":"c"}"#,
            "unknown -",
        ),
        (
            "generic",
            r#"{"client_id":"c","username":null,"email":""}"#,
            "application c",
        ),
        (
            "generic",
            r#"{"client_id":"c","username":"service-account-c"}"#,
            "unknown -",
        ),
        (
            "keycloak",
            r#"{"azp":"c","preferred_username":"service-account-c"}"#,
            "application c",
        ),
        (
            "keycloak",
            r#"{"azp":"c","sid":"s","preferred_username":"service-account-c"}"#,
            "unknown -",
        ),
        (
            "generic",
            r#"{"client_id":"c","username":"alice"}"#,
            "unknown -",
        ),
        (
            "generic",
            r#"{"client_id":"c","email":"a@b.test"}"#,
            "unknown -",
        ),
        ("generic", r#"{"client_id":"c","auth_time":1}"#, "unknown -"),
        ("generic", r#"{"client_id":"c","sid":"s"}"#, "unknown -"),
        ("generic", r#"{"scope":"a"}"#, "unknown -"),
        // By default AD FS's tokens of people name nobody.
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential"}"#,
            "application c",
        ),
        ("adfs", r#"{"appid":"c","apptype":"Public"}"#, "unknown -"),
        ("adfs", r#"{"appid":"c"}"#, "unknown -"),
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential","authmethod":"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}"#,
            "unknown -",
        ),
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential","authmethod":"urn:federation:authentication:windows"}"#,
            "unknown -",
        ),
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential","authmethod":"urn:oasis:names:tc:SAML:2.0:ac:classes:X509"}"#,
            "unknown -",
        ),
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential","authmethod":"http://schemas.microsoft.com/claims/multipleauthn"}"#,
            "unknown -",
        ),
        (
            "adfs",
            r#"{"appid":"c","apptype":"Confidential","authmethod":"http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"}"#,
            "application c",
        ),
        ("entra-v2", r#"{"azp":"c","scp":"a"}"#, "unknown -"),
        ("entra-v2", r#"{"azp":"c"}"#, "application c"),
        (
            "okta",
            r#"{"client_id":"c","username":"alice"}"#,
            "unknown -",
        ),
        ("hydra", r#"{"sub":"","client_id":"c"}"#, "application c"),
    ]);
}
