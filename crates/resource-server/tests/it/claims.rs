//! Conditions that the operator puts on an issuer's tokens.

use crate::setup::idp;
use portcullis_resource_server::{Config, ResourceServer, Settings};
use portcullis_testkit::{AUDIENCE, clock, decide};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn the_configured_claims_are_demanded() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\n[issuer.claims]\nowner = [\"1\", \"2\"]\n\"deploy.protected\" = true\n",
        idp.issuer()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    let token = |owner, protected| {
        idp.token("alice")
            .claim("owner", owner)
            .claim("deploy", json!({ "protected": protected }))
            .sign()
    };
    assert_eq!(
        decide(&server, &token(json!("2"), json!(true))).await,
        "allow"
    );
    assert_eq!(
        decide(&server, &token(json!(["x", "1"]), json!(true))).await,
        "allow"
    );
    for (owner, protected) in [
        (json!("3"), json!(true)),
        (json!(1), json!(true)),
        (json!("1"), json!("true")),
        (json!(null), json!(true)),
    ] {
        assert_eq!(
            decide(&server, &token(owner, protected)).await,
            "token.claim_value"
        );
    }
    assert_eq!(
        decide(&server, &idp.token("alice").sign()).await,
        "token.claim_value"
    );
}

/// A pattern is a thing of its own: an asterisk in a plain text would never fit anything.
#[tokio::test]
async fn a_pattern_fits_whole_names() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let settings = |claims: &str| {
        let issuer = idp.issuer();
        let text = format!(
            "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{AUDIENCE}\"]\n[issuer.claims]\n{claims}\n"
        );
        Config::from_toml(&text)
            .and_then(Settings::try_from)
            .map_err(|faults| faults.to_string())
    };
    let written = r#"job = ["robot", { like = "repo:org/*" }, { exactly = "a*b" }]"#;
    let server = ResourceServer::with_clock(
        settings(written).unwrap(),
        Arc::<_>::clone(&clock) as Arc<_>,
    );
    for (job, expected) in [
        (json!("repo:org/app:ref:refs/heads/main"), "allow"),
        (json!(["x", "repo:org/app"]), "allow"),
        (json!("robot"), "allow"),
        (json!("a*b"), "allow"),
        (json!("axb"), "token.claim_value"),
        (json!("repo:org-evil/app"), "token.claim_value"),
        (json!("repo:org/"), "token.claim_value"),
        (json!("repo:org"), "token.claim_value"),
        (json!("repo:ORG/app"), "token.claim_value"),
        (json!(null), "token.claim_value"),
        (json!({ "repo:org/app": true }), "token.claim_value"),
    ] {
        assert_eq!(
            decide(
                &server,
                &idp.token("alice").claim("job", job.clone()).sign()
            )
            .await,
            expected,
            "{job}"
        );
    }
    for (written, cure) in [
        (r#"sub = "repo:org/*""#, r#"{ like = "repo:org/*" }"#),
        (r#"sub = ["x", "*"]"#, "exactly"),
        (r#"sub = { like = "repo:org*" }"#, "repo:my-org/*"),
        (r#"sub = { like = "repo:org" }"#, "repo:my-org/*"),
        (r#"sub = { like = "*" }"#, "repo:my-org/*"),
        (r#"sub = { prefix = "repo:org/" }"#, "line 5"),
    ] {
        let faults = settings(written).map(|_| ()).unwrap_err();
        assert!(faults.contains(cure), "{written}: {faults}");
    }
}

/// Claims are often named by URLs; the whole name comes before a path through objects.
#[tokio::test]
async fn claims_may_be_named_by_urls() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let text = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\nroles = \"https://example.com/roles\"\n\
         groups = \"https://example.com/app.groups\"\nsubject = \"https://example.com/id\"\n\
         [issuer.claims]\n\"https://example.com/plan\" = \"gold\"\n",
        idp.issuer()
    );
    let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
    let server = ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>);
    let token = idp
        .token("alice")
        .claim("https://example.com/roles", json!(["Buyer"]))
        .claim("https://example.com/app", json!({ "groups": ["staff"] }))
        .claim("https://example.com/id", "a-1")
        .claim("https://example.com/plan", "gold")
        .claim(
            "https://example",
            json!({ "com/roles": ["Admin"], "com/plan": "lead" }),
        );
    let token = server
        .authenticate(portcullis_core::credential::Credential::bearer(
            &token.sign(),
        ))
        .await
        .unwrap();
    assert!(token.has_role("Buyer") && !token.has_role("Admin"));
    assert_eq!(token.identity().groups().holds("staff"), Some(true));
    assert_eq!(token.user_id(), Some("a-1"));
    let nested = idp
        .token("alice")
        .claim("https://example", json!({ "com/plan": "gold" }))
        .sign();
    assert_eq!(
        decide(&server, &nested).await,
        "allow",
        "a path through objects, where there is no such name"
    );
}

/// A path with a slip refuses nobody by itself: whoever explains a token is told.
#[tokio::test]
async fn a_path_that_finds_nothing_is_told() {
    let clock = clock();
    let idp = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let server = |roles: &str| {
        let text = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{AUDIENCE}\"]\nroles = {roles}\n",
            idp.issuer()
        );
        let settings = Settings::try_from(Config::from_toml(&text).unwrap()).unwrap();
        ResourceServer::with_clock(settings, Arc::<_>::clone(&clock) as Arc<_>)
    };
    let token = idp.token("alice").sign();
    let hint = server("\"realm_acess.roles\"")
        .explain(&token)
        .await
        .hint
        .unwrap_or_default();
    assert!(hint.contains("`roles`, at `realm_acess.roles`"), "{hint}");
    for fitting in ["\"roles\"", "[\"realm_acess.roles\", \"roles\"]"] {
        assert_eq!(
            server(fitting).explain(&token).await.hint,
            None,
            "{fitting}"
        );
    }
}
