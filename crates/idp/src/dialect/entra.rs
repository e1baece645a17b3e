//! Microsoft Entra ID, versions 1 and 2 of its tokens.
//!
//! The metadata for every tenant has a template in place of the issuer; each key names the issuer
//! it is good for, and no algorithm. A user in too many groups has none in the token, but a pointer
//! to where to ask: as the real one may, it names a retired host, and a validator must not follow
//! it.

use crate::dialect::facts::{Person, TokenFacts};
use crate::dialect::ids;
use crate::dialect::shape::{
    Endpoints, ExtraKey, IssuerDocuments, ProviderShape, RefreshRule, discovery,
};
use crate::token::claims::{JsonObject, claims, with};
use serde_json::{Value, json};

pub(crate) static V1: Entra = Entra {
    version: TokenVersion::One,
};

pub(crate) static V2: Entra = Entra {
    version: TokenVersion::Two,
};

pub(crate) struct Entra {
    version: TokenVersion,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenVersion {
    One,
    Two,
}

/// The tenant of personal Microsoft accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

impl ProviderShape for Entra {
    fn refresh_rule(&self) -> RefreshRule {
        RefreshRule::OfflineScope
    }

    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        // 1 means a secret here; a certificate would be 2, and is not imitated.
        let credentials = if facts.public_client { "0" } else { "1" };
        let by_version = match self.version {
            TokenVersion::One => json!({ "appid": facts.client, "appidacr": credentials }),
            TokenVersion::Two => json!({ "azp": facts.client, "azpacr": credentials }),
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

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
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

    fn header(&self, _kind: crate::token::kind::FlowToken, kid: &str) -> JsonObject {
        // Version 1 names the key twice, for libraries that look it up by thumbprint.
        let x5t = (self.version == TokenVersion::One).then_some(kid);
        claims(json!({ "typ": "JWT", "x5t": x5t }))
    }

    fn issuer_path(&self, tenant: &str) -> String {
        match self.version {
            TokenVersion::One => format!("/{tenant}/"),
            TokenVersion::Two => format!("/{tenant}/v2.0"),
        }
    }

    fn keys_path(&self, tenant: &str) -> String {
        match self.version {
            TokenVersion::One => format!("/{tenant}/discovery/keys"),
            TokenVersion::Two => format!("/{tenant}/discovery/v2.0/keys"),
        }
    }

    fn endpoints(&self, tenant: &str) -> Endpoints {
        let path = match self.version {
            TokenVersion::One => format!("/{tenant}/oauth2"),
            TokenVersion::Two => format!("/{tenant}/oauth2/v2.0"),
        };
        // One address for all tenants, as Microsoft Graph has it.
        let userinfo = Some("/oidc/userinfo".to_owned());
        Endpoints {
            userinfo,
            ..Endpoints::under(&path, ["/authorize", "/token", "", "", ""])
        }
    }

    fn documents(&self, tenants: &[String]) -> Vec<IssuerDocuments> {
        let mut documents = Vec::new();
        for tenant in tenants {
            documents.push(self.documents_at(tenant, tenant));
        }
        // The metadata for every tenant names no tenant: a validator has to fill the template in.
        for place in ["common", "organizations"] {
            documents.push(self.documents_at("{tenantid}", place));
        }
        documents
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

    fn dress_key(&self, jwk: &mut JsonObject, issuer: &str) {
        // A validator has to bring its own list of algorithms.
        jwk.remove("alg");
        jwk.insert("issuer".to_owned(), issuer.into());
        if let Some(kid) = jwk.get("kid").cloned() {
            jwk.insert("x5t".to_owned(), kid);
        }
    }

    fn beside(&self) -> ExtraKey {
        ExtraKey::OtherTenant
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
            TokenVersion::One => "api://enterprise-api".to_owned(),
            TokenVersion::Two => "00000000-aaaa-4000-8000-0000000000a1".to_owned(),
        }
    }

    /// An API has addresses besides its client id, of which this is the usual one, and this
    /// imitation's own.
    fn is_address_of(&self, audience: &str, asked: &str) -> bool {
        match asked.strip_prefix("api://") {
            Some(name) => name == audience || name == "enterprise-api",
            None => false,
        }
    }

    /// Clients ask by the API's address and the scope; the token holds the scope alone.
    fn scope_name<'s>(&self, asked: &'s str) -> &'s str {
        // `api://enterprise-api/orders:read` becomes `orders:read`.
        asked.rsplit('/').next().unwrap_or(asked)
    }

    fn has_graph(&self) -> bool {
        true
    }
}

impl Entra {
    fn documents_at(&self, tenant: &str, place: &str) -> IssuerDocuments {
        IssuerDocuments {
            issuer: self.issuer_path(tenant),
            metadata: vec![discovery(&self.issuer_path(place))],
            keys: self.keys_path(place),
        }
    }

    fn common(&self, facts: &TokenFacts) -> JsonObject {
        claims(json!({
            "aud": facts.audience,
            "iss": facts.issuer,
            "iat": facts.issued_at,
            "nbf": facts.issued_at,
            "exp": facts.expires,
            "tid": facts.tenant,
            "uti": facts.token_id,
            // Opaque to everybody but Microsoft; validators have to ignore it.
            "rh": format!("0.{}.", facts.token_id),
            "ver": if self.version == TokenVersion::One { "1.0" } else { "2.0" },
        }))
    }

    fn user(&self, facts: &TokenFacts, person: &Person) -> Value {
        let (one, two) = (
            self.version == TokenVersion::One,
            self.version == TokenVersion::Two,
        );
        // A user in too many groups has none in the token, only a pointer to where to ask.
        let groups = if facts.overage {
            None
        } else {
            facts.groups_if_any()
        };
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
            "preferred_username": two.then_some(facts.login()),
            "upn": one.then_some(facts.login()),
            "unique_name": one.then_some(facts.login()),
            "acr": one.then_some("1"),
            // Optional claims: the contexts that were met, and when the user signed in.
            "acrs": facts.acr.as_ref().map(|acr| [acr]),
            "auth_time": facts.acr.as_ref().and(facts.signed_in_at),
            "amr": one.then_some(["pwd"]),
            "roles": facts.roles_if_any(),
            "groups": groups,
            "_claim_names": facts.overage.then_some(json!({ "groups": "src1" })),
            "_claim_sources": facts.overage.then_some(json!({ "src1": { "endpoint": endpoint } })),
        })
    }
}

/// What an application may do stands in `roles`, where a user's roles are: scopes are for users.
fn permissions(facts: &TokenFacts) -> Option<Vec<&str>> {
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
