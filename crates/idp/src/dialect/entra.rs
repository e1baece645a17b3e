//! Microsoft Entra ID, versions 1 and 2 of its tokens.
//!
//! The metadata for every tenant has a template in place of the issuer; each key names the issuer
//! it is good for, and no algorithm. A user in too many groups has none in the token, but a pointer
//! to where to ask: as the real one may, it names a retired host, and a validator must not follow
//! it.

use crate::dialect::facts::{Facts, Person};
use crate::dialect::ids;
use crate::dialect::shape::{Beside, Endpoints, Published, Shape, discovery};
use crate::token::claims::{Claims, claims, with};
use serde_json::{Value, json};

pub(crate) static V1: Entra = Entra {
    version: Version::One,
};

pub(crate) static V2: Entra = Entra {
    version: Version::Two,
};

pub(crate) struct Entra {
    version: Version,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The tenant of personal Microsoft accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

impl Shape for Entra {
    fn access_token(&self, facts: &Facts) -> Claims {
        let credentials = if facts.public_client { "0" } else { "1" };
        let by_version = match self.version {
            Version::One => json!({ "appid": facts.client, "appidacr": credentials }),
            Version::Two => json!({ "azp": facts.client, "azpacr": credentials }),
        };
        let token = with(self.common(facts), by_version);
        match &facts.person {
            Some(person) => with(
                with(token, self.user(facts, person)),
                json!({
                    // A user's token always has scopes: that is how it is told from an
                    // application's.
                    "scp": facts.scope.as_deref().unwrap_or("access_as_user"),
                }),
            ),
            None => with(
                token,
                json!({
                    "idtyp": "app",
                    "oid": facts.service_guid(),
                    "sub": facts.service_guid(),
                    "roles": permissions(facts),
                }),
            ),
        }
    }

    fn id_token(&self, facts: &Facts) -> Claims {
        let token = with(
            self.common(facts),
            json!({ "nonce": facts.nonce, "email": facts.email() }),
        );
        match &facts.person {
            Some(person) => with(token, self.user(facts, person)),
            None => with(
                token,
                json!({ "oid": facts.service_guid(), "sub": facts.service_guid() }),
            ),
        }
    }

    fn header(&self, _kind: crate::token::kind::Kind, kid: &str) -> Claims {
        let x5t = (self.version == Version::One).then_some(kid);
        claims(json!({ "typ": "JWT", "x5t": x5t }))
    }

    fn issuer_path(&self, tenant: &str) -> String {
        match self.version {
            Version::One => format!("/{tenant}/"),
            Version::Two => format!("/{tenant}/v2.0"),
        }
    }

    fn keys_path(&self, tenant: &str) -> String {
        match self.version {
            Version::One => format!("/{tenant}/discovery/keys"),
            Version::Two => format!("/{tenant}/discovery/v2.0/keys"),
        }
    }

    fn endpoints(&self, tenant: &str) -> Endpoints {
        let path = match self.version {
            Version::One => format!("/{tenant}/oauth2"),
            Version::Two => format!("/{tenant}/oauth2/v2.0"),
        };
        let userinfo = Some("/oidc/userinfo".to_owned());
        Endpoints {
            userinfo,
            ..Endpoints::under(&path, ["/authorize", "/token", "", "", ""])
        }
    }

    fn published(&self, tenants: &[String]) -> Vec<Published> {
        let one = |tenant: &str, place: &str| Published {
            issuer: self.issuer_path(tenant),
            metadata: vec![discovery(&self.issuer_path(place))],
            keys: self.keys_path(place),
        };
        let each = tenants.iter().map(|tenant| one(tenant, tenant));
        each.chain(["common", "organizations"].map(|place| one("{tenantid}", place)))
            .collect()
    }

    fn metadata(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("subject_types_supported", json!(["pairwise"])),
            ("tenant_region_scope", json!("EU")),
            ("cloud_instance_name", json!("microsoftonline.com")),
            ("cloud_graph_host_name", json!("graph.windows.net")),
            ("msgraph_host", json!("graph.microsoft.com")),
        ]
    }

    fn dress_key(&self, jwk: &mut Claims, issuer: &str) {
        jwk.remove("alg");
        jwk.insert("issuer".to_owned(), issuer.into());
        if let Some(kid) = jwk.get("kid").cloned() {
            jwk.insert("x5t".to_owned(), kid);
        }
    }

    fn beside(&self) -> Beside {
        Beside::OtherTenant
    }

    fn other_tenant(&self) -> &'static str {
        CONSUMERS
    }

    fn tenant(&self) -> &'static str {
        "00000000-1111-4000-8000-000000000001"
    }

    fn has_tenants(&self) -> bool {
        true
    }

    /// Version 2 always names the API by its client id; version 1 as it was asked for.
    fn audience(&self, _client: &str, _tenant: &str) -> String {
        match self.version {
            Version::One => "api://enterprise-api".to_owned(),
            Version::Two => "00000000-aaaa-4000-8000-0000000000a1".to_owned(),
        }
    }

    /// An API has addresses besides its client id, of which this is the usual one, and this
    /// imitation's own.
    fn is_address_of(&self, audience: &str, asked: &str) -> bool {
        asked
            .strip_prefix("api://")
            .is_some_and(|name| name == audience || name == "enterprise-api")
    }

    /// Clients ask by the API's address and the scope; the token holds the scope alone.
    fn scope_name<'s>(&self, asked: &'s str) -> &'s str {
        asked.rsplit('/').next().unwrap_or(asked)
    }

    fn has_graph(&self) -> bool {
        true
    }
}

impl Entra {
    fn common(&self, facts: &Facts) -> Claims {
        claims(json!({
            "aud": facts.audience,
            "iss": facts.issuer,
            "iat": facts.issued_at,
            "nbf": facts.issued_at,
            "exp": facts.expires,
            "tid": facts.tenant,
            "uti": facts.token_id,
            "rh": format!("0.{}.", facts.token_id),
            "ver": if self.version == Version::One { "1.0" } else { "2.0" },
        }))
    }

    fn user(&self, facts: &Facts, person: &Person) -> Value {
        let (one, two) = (self.version == Version::One, self.version == Version::Two);
        let groups = facts.groups_if_any().filter(|_| !facts.overage);
        let host = "https://graph.windows.net";
        let endpoint = format!(
            "{host}/{}/users/{}/getMemberObjects",
            facts.tenant, person.id
        );
        json!({
            "oid": person.id,
            // Pairwise: another one for every client.
            "sub": ids::letters(&format!("{} {}", person.id, facts.client), 32),
            "sid": facts.session,
            "name": person.name,
            "preferred_username": two.then(|| facts.login()),
            "upn": one.then(|| facts.login()),
            "unique_name": one.then(|| facts.login()),
            "acr": one.then_some("1"),
            // Optional claims: the contexts that were met, and when the user signed in.
            "acrs": facts.acr.as_ref().map(|acr| [acr]),
            "auth_time": facts.signed_in_at.filter(|_| facts.acr.is_some()),
            "amr": one.then_some(["pwd"]),
            "roles": facts.roles_if_any(),
            "groups": groups,
            "_claim_names": facts.overage.then(|| json!({ "groups": "src1" })),
            "_claim_sources": facts.overage.then(|| json!({ "src1": { "endpoint": endpoint } })),
        })
    }
}

/// What an application may do stands in `roles`, where a user's roles are: scopes are for users.
fn permissions(facts: &Facts) -> Option<Vec<&str>> {
    let all: Vec<&str> = facts
        .roles
        .iter()
        .map(String::as_str)
        .chain(facts.scopes())
        .collect();
    (!all.is_empty()).then_some(all)
}

/// Where the real one is: what an application asks a token for.
pub(crate) const GRAPH_AUDIENCE: &str = "https://graph.microsoft.com";
