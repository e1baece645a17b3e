//! What refusals tell: what was sent, what is registered, and the line that registers it. Secrets
//! are never part of it.

use crate::{SERVICE, authorize_query, client, idp, json, parameter, post};

#[tokio::test]
async fn the_page_names_both_addresses_and_the_settings() {
    let idp = idp().await;
    for (change, told) in [
        (
            ("redirect_uri", "http://localhost:3000/cb"),
            "&quot;http://localhost:3000/cb&quot;,\n]",
        ),
        (("redirect_uri", ""), "<code>redirect_uri</code> is missing"),
        (("client_id", "spa"), "id = &quot;spa&quot;"),
        (("client_id", "<spa>"), "<code>&lt;spa&gt;</code>"),
    ] {
        let query = authorize_query(&[change]);
        let response = client()
            .get(format!("{}/authorize?{query}", idp.base()))
            .send();
        let response = response.await.unwrap();
        assert_eq!(response.status(), 400, "{change:?}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains(told) && page.contains("Registered"),
            "{change:?}: {page}"
        );
    }
}

#[tokio::test]
async fn the_redirect_names_what_was_expected() {
    let idp = idp().await;
    for (change, error, told) in [
        (
            ("scope", "orders:delete"),
            "invalid_scope",
            "scopes = [..., 'orders:delete']",
        ),
        (
            ("audience", "api://x"),
            "invalid_target",
            "audiences = ['api://x']",
        ),
        (
            ("response_type", "token"),
            "unsupported_response_type",
            "expected `code`, found `token`",
        ),
        (
            ("code_challenge_method", "plain"),
            "invalid_request",
            "expected `S256`, found `plain`",
        ),
        (
            ("code_challenge", "short"),
            "invalid_request",
            "43 characters; found 5 characters",
        ),
        (("max_age", "soon"), "invalid_request", "found `soon`"),
    ] {
        let query = authorize_query(&[change]);
        let response = client()
            .get(format!("{}/authorize?{query}", idp.base()))
            .send();
        let response = response.await.unwrap();
        assert_eq!(
            parameter(&response, "error").as_deref(),
            Some(error),
            "{change:?}"
        );
        let description = parameter(&response, "error_description").unwrap();
        assert!(description.contains(told), "{change:?}: {description}");
    }
    let repeated = format!("{}&nonce=2", authorize_query(&[]));
    let response = client()
        .get(format!("{}/authorize?{repeated}", idp.base()))
        .send();
    let page = response.await.unwrap().text().await.unwrap();
    assert!(page.contains("<code>nonce</code> is repeated"), "{page}");
}

#[tokio::test]
async fn the_token_endpoint_tells_what_is_wrong_with_the_client() {
    let idp = idp().await;
    let grant = "grant_type=client_credentials";
    for (form, basic, told) in [
        (
            grant.to_owned(),
            Some(("nobody", "marked")),
            "found `nobody`; registered: `other`, `service`, `web`",
        ),
        (
            grant.to_owned(),
            Some(("service", "marked")),
            "found another one (length 6)",
        ),
        (
            format!("{grant}&client_id=service"),
            None,
            "expected its secret",
        ),
        (
            grant.to_owned(),
            Some(("web", "marked")),
            "the client is public",
        ),
        (
            format!("{grant}&client_id=nobody"),
            None,
            "id = 'nobody' redirect_uris",
        ),
        (format!("{grant}&scope=x"), SERVICE, "scopes = [..., 'x']"),
        (
            format!("{grant}&resource=api://x"),
            SERVICE,
            "`resource`: expected one of the `audiences`",
        ),
        (
            "grant_type=password".to_owned(),
            SERVICE,
            "`client_credentials`",
        ),
    ] {
        let (status, answer) = json(post(&idp, "/token", &form, basic).await).await;
        assert!([400, 401].contains(&status), "{form}");
        let description = answer["error_description"].as_str().unwrap();
        assert!(description.contains(told), "{form}: {description}");
        assert!(!description.contains("marked") && !description.contains("service-secret"));
        // RFC 6749, section 5.2.
        let allowed = |char: char| matches!(char, ' '..='~') && !['"', '\\'].contains(&char);
        assert!(description.chars().all(allowed), "{description}");
    }
}

/// One press signs in, but only where the console shows the passwords anyway.
#[tokio::test]
async fn known_users_have_buttons() {
    let idp = idp().await;
    let path = format!("/authorize?{}", authorize_query(&[]));
    let shown = client()
        .get(format!("{}{path}", idp.base()))
        .send()
        .await
        .unwrap();
    let shown = shown.text().await.unwrap();
    assert!(shown.contains("name=\"as\" value=\"bob\"") && shown.contains("Bob Brown"));
    assert_eq!(post(&idp, &path, "as=bob", None).await.status(), 303);
    assert_eq!(post(&idp, &path, "as=nobody", None).await.status(), 401);

    let config = portcullis_idp::IdpConfig {
        console: false,
        ..Default::default()
    };
    let idp = portcullis_idp::Idp::start(config).await.unwrap();
    let shown = client()
        .get(format!("{}{path}", idp.base()))
        .send()
        .await
        .unwrap();
    assert!(!shown.text().await.unwrap().contains("name=\"as\""));
    assert_eq!(post(&idp, &path, "as=bob", None).await.status(), 401);
}
