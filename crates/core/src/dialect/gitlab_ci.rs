//! GitLab CI: the ID token of a job (`id_tokens`) as bearer. Numbers and booleans are written as
//! strings.
//!
//! On gitlab.com any project can get a token for our audience, so the operator must demand a
//! namespace or a project.

use super::generic::BASE;
use super::{Dialect, Sign};
use crate::rejection::Code;

pub(super) static GITLAB_CI: Dialect = Dialect {
    name: "gitlab-ci",
    title: "GitLab CI",
    // A self-managed server shows nothing in its URL.
    recognises: |host, path| host == "gitlab.com" && path.trim_matches('/').is_empty(),
    required_claims: &["sub", "iat", "project_id", "namespace_id"],
    bears_id_tokens: true,
    client: &["project_path"],
    tenant: &["namespace_id"],
    // A job calls for itself, whoever started it.
    application: &[&[Sign::Always]],
    anybody: "anybody on GitLab CI can have a token",
    needs_condition: &[
        "namespace_id",
        "project_id",
        "namespace_path",
        "project_path",
        "sub",
    ],
    cures: &[
        (
            Code::TokenAudience,
            "in `.gitlab-ci.yml`, write this audience under `id_tokens`, `aud`",
        ),
        (
            Code::TokenClaimValue,
            "compare the job's project, namespace and branch with `claims` of this issuer",
        ),
    ],
    ..BASE
};
