//! Kubernetes: projected service account tokens. Demand an audience of your own, never the API
//! server's, and a namespace or an account: every pod of the cluster can have a token for every
//! audience.
//!
//! Whether the pod or the account is gone cannot be seen in a token. Legacy tokens, without `exp`,
//! are refused.

use super::generic::BASE;
use super::{Dialect, Sign};
use crate::rejection::Code;

pub(super) static KUBERNETES: Dialect = Dialect {
    name: "kubernetes",
    title: "Kubernetes service accounts",
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
    // Whoever may run a pod in any namespace projects a token for any audience.
    anybody: "every pod of the cluster can have a token",
    needs_condition: &[
        "kubernetes.io.namespace",
        "kubernetes.io.serviceaccount.name",
        "sub",
    ],
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
