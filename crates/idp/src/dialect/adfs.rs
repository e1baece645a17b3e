//! Active Directory Federation Services. Access tokens name the farm's identifier as their issuer,
//! ID tokens and the metadata its address; the metadata says both. Scopes are in `scp`, roles in
//! `role` by a rule of the API.

use crate::dialect::facts::Facts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, Published, Shape, discovery};
use crate::token::claims::{Claims, claims, with};
use serde_json::{Value, json};

pub(crate) struct Adfs;

const ADDRESS: &str = "/adfs";

const IDENTIFIER: &str = "/adfs/services/trust";

impl Shape for Adfs {
    fn access_token(&self, facts: &Facts) -> Claims {
        let token = claims(json!({
            "aud": facts.audience,
            "iss": facts.issuer,
            "iat": facts.issued_at,
            "nbf": facts.issued_at,
            "exp": facts.expires,
            "apptype": if facts.public_client { "Public" } else { "Confidential" },
            "appid": facts.client,
            "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "ver": "1.0",
            "scp": facts.scope,
            "role": one_or_more(&facts.roles),
            "group": one_or_more(&facts.groups),
        }));
        with(token, person(facts))
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        let token = with(
            facts.openid(&facts.client),
            json!({
                "iss": format!("{}{ADDRESS}", facts.base),
                "at_hash": facts.at_hash,
                "sid": facts.session,
            }),
        );
        with(token, person(facts))
    }

    fn header(&self, _kind: crate::token::kind::Kind, kid: &str) -> Claims {
        claims(json!({ "typ": "JWT", "x5t": kid }))
    }

    fn issuer_path(&self, _tenant: &str) -> String {
        IDENTIFIER.to_owned()
    }

    fn keys_path(&self, _tenant: &str) -> String {
        format!("{ADDRESS}/discovery/keys")
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints {
            userinfo: Some(format!("{ADDRESS}/userinfo")),
            ..Endpoints::under(
                &format!("{ADDRESS}/oauth2"),
                ["/authorize/", "/token/", "", "", ""],
            )
        }
    }

    fn published(&self, _tenants: &[String]) -> Vec<Published> {
        let (issuer, keys) = (ADDRESS.to_owned(), self.keys_path(""));
        vec![Published {
            metadata: vec![discovery(ADDRESS)],
            issuer,
            keys,
        }]
    }

    fn metadata(&self) -> Vec<(&'static str, Value)> {
        vec![("subject_types_supported", json!(["pairwise"]))]
    }

    fn access_token_issuer(&self) -> Option<&'static str> {
        Some(IDENTIFIER)
    }

    fn audience(&self, _client: &str, _tenant: &str) -> String {
        "microsoft:identityserver:enterprise-api".to_owned()
    }

    /// Pairwise, and opaque.
    fn user_id(&self, username: &str) -> String {
        ids::letters(username, 43)
    }
}

fn person(facts: &Facts) -> Value {
    json!({
        "sub": facts.person.as_ref().map(|person| &person.id),
        "upn": facts.person.as_ref().map(|_| facts.login()),
        "unique_name": facts.person.as_ref().map(|person| format!("EXAMPLE\\{}", person.username)),
    })
}

/// One value stands alone, several in an array.
fn one_or_more(values: &[String]) -> Value {
    match values {
        [] => Value::Null,
        [value] => json!(value),
        values => json!(values),
    }
}
