//! Kubernetes: projected service account tokens. Demand an audience of your own, never the API
//! server's, and a namespace or an account: every pod of the cluster can get a token for any
//! audience.
//!
//! A token does not show whether its pod or account still exists. Legacy tokens, without `exp`, are
//! refused.

use super::generic::BASE;
use super::{Dialect, Sign};
use crate::rejection::Code;

pub(super) static KUBERNETES: Dialect = Dialect {
    name: "kubernetes",
    title: "Kubernetes service accounts",
    // A cluster's own default, then those of Amazon EKS and Google GKE.
    recognises: |host, path| {
        let inside =
            host == "kubernetes.default.svc" || host.starts_with("kubernetes.default.svc.");
        let eks = host.starts_with("oidc.eks.") && path.starts_with("/id/");
        let gke = host == "container.googleapis.com" && path.contains("/clusters/");
        inside || eks || gke
    },
    required_claims: &["sub", "iat", "kubernetes.io"],
    bears_id_tokens: true,
    client: &[r#""kubernetes.io".serviceaccount.name"#],
    tenant: &[r#""kubernetes.io".namespace"#],
    // Everybody who may run a pod, in any namespace, can project a token for any audience.
    anybody: "every pod of the cluster can have a token",
    needs_condition: &[
        "kubernetes.io.namespace",
        "kubernetes.io.serviceaccount.name",
        "sub",
    ],
    // A service account is no person.
    application: &[&[Sign::Always]],
    cures: &[
        (
            Code::TokenAudience,
            "in the pod, project a service account token with this audience \
                (`serviceAccountToken.audience`)",
        ),
        (
            Code::TokenClaimValue,
            "compare the pod's namespace and service account with `claims` of this issuer",
        ),
        (
            Code::TokenLifetime,
            "in the pod, set `expirationSeconds` of the projected token; default tokens live for a \
                year",
        ),
        (
            Code::TokenKeyUnknown,
            "see that this server may read `/openid/v1/jwks`, and that `ca_file` is the cluster's",
        ),
    ],
    ..BASE
};
