//! The ID tokens of jobs: GitHub Actions and GitLab CI. Whoever a token is for names a repository
//! or project.
//!
//! There are no scopes, roles or clients: an API decides by the repository, its owner and the
//! branch. Numbers and truths are strings, but for one.

use crate::dialect::facts::TokenFacts;
use crate::dialect::shape::{Endpoints, ProviderShape};
use crate::token::claims::{JsonObject, claims};
use crate::token::kind::FlowToken;
use serde_json::json;

pub(crate) struct GithubActions;

pub(crate) struct GitlabCi;

impl ProviderShape for GithubActions {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        // Numbers in the subject keep it stable when the owner or the repository is renamed.
        let (owner, name) = ("octo-org", facts.name());
        let repository = format!("{owner}/{name}");
        claims(json!({
            "jti": facts.guid("jti"),
            "sub": format!("repo:{owner}@123456/{name}@456789:ref:refs/heads/main"),
            "aud": facts.audience,
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "ref_protected": "true",
            "sha": "0000000000000000000000000000000000000001",
            "repository": repository,
            "repository_id": "456789",
            "repository_owner": owner,
            "repository_owner_id": "123456",
            "repository_visibility": "private",
            "actor": name,
            "actor_id": "12",
            "run_id": "1000000001",
            "run_number": "10",
            "run_attempt": "1",
            "event_name": "push",
            "environment": "prod",
            "workflow": "deploy",
            "workflow_ref": format!("{repository}/.github/workflows/d.yml@refs/heads/main"),
            "job_workflow_ref": format!("{owner}/wf/.github/workflows/d.yml@refs/heads/main"),
            "runner_environment": "github-hosted",
            "iss": facts.issuer,
            // It lies before `iat`, as much as in the tokens that are shown.
            "nbf": facts.issued_at.saturating_sub(300),
            "exp": facts.expires,
            "iat": facts.issued_at,
        }))
    }

    // A job gets one kind of token only.
    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        self.access_token(facts)
    }

    fn header(&self, _kind: FlowToken, kid: &str) -> JsonObject {
        claims(json!({ "typ": "JWT", "x5t": kid }))
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/.well-known/jwks".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        // No endpoint: the runner injects tokens into the job, and only keys and metadata are
        // public.
        Endpoints::default()
    }
}

impl ProviderShape for GitlabCi {
    fn access_token(&self, facts: &TokenFacts) -> JsonObject {
        let project = format!("my-group/{}", facts.name());
        claims(json!({
            "namespace_id": "72",
            "namespace_path": "my-group",
            "project_id": "20",
            "project_path": project,
            "project_visibility": "private",
            "user_id": "1",
            "user_login": facts.name(),
            "user_email": facts.email(),
            "user_access_level": "developer",
            "pipeline_id": "574",
            "pipeline_source": "push",
            "job_id": "302",
            "ref": "main",
            "ref_type": "branch",
            "ref_path": "refs/heads/main",
            "ref_protected": "true",
            "environment": "prod",
            "environment_protected": "true",
            // The one identifier that is a number: a mapping that expects text has to cope with it.
            "runner_id": 1,
            "runner_environment": "self-hosted",
            "sha": "0000000000000000000000000000000000000001",
            "jti": facts.guid("jti"),
            "iat": facts.issued_at,
            // GitLab allows for clocks that are a few seconds off.
            "nbf": facts.issued_at.saturating_sub(5),
            "exp": facts.expires,
            "iss": facts.issuer,
            "aud": facts.audience,
            "sub": format!("project_path:{project}:ref_type:branch:ref:main"),
        }))
    }

    fn id_token(&self, facts: &TokenFacts) -> JsonObject {
        self.access_token(facts)
    }

    fn keys_path(&self, _tenant: &str) -> String {
        "/oauth/discovery/keys".to_owned()
    }

    fn endpoints(&self, _tenant: &str) -> Endpoints {
        let names = [
            "/authorize",
            "/token",
            "/userinfo",
            "/introspect",
            "/revoke",
        ];
        Endpoints::under("/oauth", names)
    }
}
