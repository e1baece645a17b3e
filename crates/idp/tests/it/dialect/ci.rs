//! The ID tokens of jobs.

use super::{LATER, NOW, assert_token, discover, start, text};
use portcullis_idp::Dialect;
use serde_json::json;

#[tokio::test]
async fn github_actions() {
    let idp = start(Dialect::GithubActions).await;
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": "*", "kid": "*" });
    let claims = json!({
        "jti": "*", "sub": "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main",
        "aud": "https://github.test/octo-org", "ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "true",
        "sha": "0000000000000000000000000000000000000001", "repository": "octo-org/octo-repo",
        "repository_id": "456789", "repository_owner": "octo-org", "repository_owner_id": "123456",
        "repository_visibility": "private", "actor": "octo-repo", "actor_id": "12", "run_id": "1000000001",
        "run_number": "10", "run_attempt": "1", "event_name": "push", "environment": "prod", "workflow": "deploy",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/d.yml@refs/heads/main",
        "job_workflow_ref": "octo-org/wf/.github/workflows/d.yml@refs/heads/main", "runner_environment": "github-hosted",
        "iss": "{base}", "nbf": NOW - 300, "exp": LATER, "iat": NOW,
    });
    let token = idp
        .token("octo-repo")
        .audience("https://github.test/octo-org")
        .sign();
    assert_token(&idp, &token, header, claims).await;
    let metadata = discover(&idp).await;
    assert_eq!(
        text(&metadata, "jwks_uri"),
        format!("{}/.well-known/jwks", idp.base())
    );
    assert!(metadata["token_endpoint"].is_null());
}

#[tokio::test]
async fn gitlab_ci() {
    let idp = start(Dialect::GitlabCi).await;
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "*" });
    let claims = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20", "project_path": "my-group/alice",
        "project_visibility": "private", "user_id": "1", "user_login": "alice", "user_email": "alice@example.test",
        "user_access_level": "developer", "pipeline_id": "574", "pipeline_source": "push", "job_id": "302",
        "ref": "main", "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true",
        "environment": "prod", "environment_protected": "true", "runner_id": 1, "runner_environment": "self-hosted",
        "sha": "0000000000000000000000000000000000000001", "jti": "*", "iat": NOW, "nbf": NOW - 5, "exp": LATER,
        "iss": "{base}", "aud": "api://enterprise-api", "sub": "project_path:my-group/alice:ref_type:branch:ref:main",
    });
    assert_token(&idp, &idp.token("alice").sign(), header, claims).await;
    assert_eq!(
        text(&discover(&idp).await, "jwks_uri"),
        format!("{}/oauth/discovery/keys", idp.base())
    );
}
