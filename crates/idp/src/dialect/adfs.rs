//! Active Directory Federation Services. Access tokens name the farm's identifier as their issuer,
//! ID tokens and the metadata its address; the metadata says both. Scopes are in `scp`, roles in
//! `role` by a rule of the API.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, IssuerDocuments, ProviderShape, discovery};
use crate::token::claims::{JsonObject, claims, with};
use serde_json::{Value, json};

pub(crate) struct Adfs;

const ADDRESS: &str = "/adfs";

const IDENTIFIER: &str = "/adfs/services/trust";

/// How people sign in, and how a client proves itself.
const BY_FORM: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const BY_SECRET: &str =
    "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password";

impl ProviderShape for Adfs {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = claims(json!({
            "aud": facts.audience,
            "iss": facts.issuer,
            "iat": facts.issued_at,
            "nbf": facts.issued_at,
            "exp": facts.expires,
            "apptype": if facts.public_client { "Public" } else { "Confidential" },
            "appid": facts.client,
            "authmethod": if facts.person.is_some() { BY_FORM } else { BY_SECRET },
            "ver": "1.0",
            "scp": facts.scope,
            "role": one_or_more(&facts.roles),
            "group": one_or_more(&facts.groups),
        }));
        with(token, person(facts))
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        let token = with(
            facts.openid(&facts.client),
            json!({
                // The metadata's issuer, not the identifier that access tokens name.
                "iss": format!("{}{ADDRESS}", facts.base),
                "at_hash": facts.at_hash,
                "sid": facts.session,
            }),
        );
        with(token, person(facts))
    }

    fn header(&self, _kind: crate::token::kind::FlowToken, kid: &str) -> JsonObject {
        claims(json!({ "typ": "JWT", "x5t": kid }))
    }

    // Access tokens are validated against this identifier, so it is the issuer here.
    fn issuer_path(&self, _tenant: &str) -> String {
        IDENTIFIER.to_owned()
    }

    fn keys_path(&self, _tenant: &str) -> String {
        format!("{ADDRESS}/discovery/keys")
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints {
            userinfo: Some(format!("{ADDRESS}/userinfo")),
            // AD FS has neither introspection nor revocation.
            ..Endpoints::under(
                &format!("{ADDRESS}/oauth2"),
                ["/authorize/", "/token/", "", "", ""],
            )
        }
    }

    fn documents(&self, _tenants: &[String]) -> Vec<IssuerDocuments> {
        let (issuer, keys) = (ADDRESS.to_owned(), self.keys_path(""));
        vec![IssuerDocuments {
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
        // As long as a base64url digest, which is what the real subject looks like.
        ids::letters(username, 43)
    }
}

fn person(facts: &TokenFacts) -> Value {
    let Some(person) = &facts.person else {
        return Value::Null;
    };
    json!({
        "sub": person.id,
        "upn": facts.login(),
        "unique_name": format!("EXAMPLE\\{}", person.username),
    })
}

/// One value stands alone, several in an array.
fn one_or_more(values: &[String]) -> Value {
    match values {
        [] => Value::Null,
        // A validator that expects an array fails here, as it would with the real one.
        [value] => json!(value),
        values => json!(values),
    }
}
