//! GitHub Actions: the ID token of a job as bearer.
//!
//! Any repository on the platform can get a token for our audience, so the operator must demand an
//! owner, a repository or a workflow. Ids are safer than names: a name that is given up can be
//! taken by others.

use super::generic::BASE;
use super::{Dialect, FinalSlash, Sign};
use crate::rejection::Code;
use crate::verify::TokenType;

pub(super) static GITHUB_ACTIONS: Dialect = Dialect {
    name: "github-actions",
    title: "GitHub Actions",
    // By path: GitHub Enterprise Server, which has a host of its operator.
    final_slash: FinalSlash::Never,
    recognises: |host, path| {
        let data_residency = host.starts_with("token.actions.") && host.ends_with(".ghe.com");
        host == "token.actions.githubusercontent.com"
            || data_residency
            || path == "/_services/token"
    },
    types: &[TokenType::Jwt],
    required_claims: &["sub", "iat", "repository_id", "repository_owner_id"],
    bears_id_tokens: true,
    client: &["repository"],
    tenant: &["repository_owner_id"],
    // A job calls for itself, whoever started it.
    application: &[&[Sign::Always]],
    anybody: "anybody on GitHub Actions can have a token",
    needs_condition: &[
        "repository_owner_id",
        "repository_id",
        "repository_owner",
        "repository",
        "job_workflow_ref",
        "enterprise_id",
        "sub",
    ],
    cures: &[
        (
            Code::TokenAudience,
            "in the workflow, ask for the token with this audience: \
                `core.getIDToken('<audience>')`",
        ),
        (
            Code::TokenClaimValue,
            "compare the job's repository, owner and workflow with `claims` of this issuer",
        ),
    ],
    ..BASE
};
