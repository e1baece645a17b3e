//! The bound tokens of Kubernetes service accounts. Whoever a token is for names an account.
//!
//! There are no scopes, roles or clients. The facts stand in one object, whose name holds a dot.

use crate::dialect::facts::TokenFacts;
use crate::dialect::ids;
use crate::dialect::shape::{Endpoints, ProviderShape};
use crate::token::claims::{JsonObject, claims};
use crate::token::kind::FlowToken;
use serde_json::json;

pub(crate) struct Kubernetes;

const NAMESPACE: &str = "shop";

/// After so many seconds Kubernetes warns that a token should have been replaced.
const WARN_AFTER: u64 = 3_607;

impl ProviderShape for Kubernetes {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let account = facts.name();
        let pod = format!("{account}-0");
        claims(json!({
            "aud": [facts.audience],
            "exp": facts.expires,
            "iat": facts.issued_at,
            "iss": facts.issuer,
            "jti": facts.guid("jti"),
            // The dot is part of the name: a claim path has to quote it.
            "kubernetes.io": {
                "namespace": NAMESPACE,
                "node": { "name": "node-1", "uid": ids::uuid("node-1") },
                "pod": { "name": pod, "uid": ids::uuid(&pod) },
                "serviceaccount": { "name": account, "uid": ids::uuid(account) },
                "warnafter": facts.issued_at + WARN_AFTER,
            },
            "nbf": facts.issued_at,
            "sub": format!("system:serviceaccount:{NAMESPACE}:{account}"),
        }))
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        self.access_token(facts)
    }

    fn header(&self, _kind: FlowToken, _kid: &str) -> JsonObject {
        // The API server writes no `typ`.
        JsonObject::new()
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/openid/v1/jwks".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        Endpoints::default()
    }
}
