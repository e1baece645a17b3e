//! What refusals tell: what was sent, what is registered, and the line that registers it. Secrets
//! are never part of it.

use crate::{CALLBACK, SERVICE, authorize_query, client, idp, json, parameter, post, with_client};
use portcullis_idp::{Idp, IdpConfig, RegisteredClient};

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

/// The two names of loopback look alike to people only.
#[tokio::test]
async fn the_page_says_that_localhost_is_another_host() {
    let web = RegisteredClient {
        id: "page".to_owned(),
        redirect_uris: vec!["http://localhost/callback".to_owned()],
        ..RegisteredClient::default()
    };
    let idp = Idp::start(with_client(web)).await.unwrap();
    for (uri, is_told) in [(CALLBACK, true), ("http://127.0.0.1/other", false)] {
        let query = authorize_query(&[("client_id", "page"), ("redirect_uri", uri)]);
        let response = client()
            .get(format!("{}/authorize?{query}", idp.base()))
            .send();
        let page = response.await.unwrap().text().await.unwrap();
        assert_eq!(page.contains("are different hosts"), is_told, "{page}");
        assert!(
            page.contains("<code>http://localhost/callback</code>"),
            "{page}"
        );
    }
}

/// What `portcullis idp init` writes serves `portcullis token` and the guides.
#[tokio::test]
async fn the_starter_takes_both_names_of_loopback() {
    let config = IdpConfig::from_toml(portcullis_idp::STARTER).unwrap();
    let idp = Idp::start(config).await.unwrap();
    for uri in [CALLBACK, "http://localhost:8080/callback"] {
        let query = authorize_query(&[("redirect_uri", uri)]);
        let response = client()
            .get(format!("{}/authorize?{query}", idp.base()))
            .send();
        assert_eq!(response.await.unwrap().status(), 200, "{uri}");
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

    let config = IdpConfig {
        console: false,
        ..Default::default()
    };
    let idp = Idp::start(config).await.unwrap();
    let shown = client()
        .get(format!("{}{path}", idp.base()))
        .send()
        .await
        .unwrap();
    assert!(!shown.text().await.unwrap().contains("name=\"as\""));
    assert_eq!(post(&idp, &path, "as=bob", None).await.status(), 401);
}

/// A misspelt name is found in the list of those that are right.
#[tokio::test]
async fn an_unknown_name_is_told_with_the_known_ones() {
    let idp = idp().await;
    let told = async |path: &str, form: &str| {
        let (status, answer) = json(post(&idp, path, form, None).await).await;
        assert_eq!(status, 400, "{form}");
        answer["error_description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        told("/dev/token", "user=alicia").await,
        "`user`: expected the name of a user or of a client, found `alicia`; users: `alice`, \
         `bob`; clients: `other`, `service`, `web`; help: in the settings, [[user]] username = \
         'alicia'"
    );
    let code = told("/dev/device", "user=alice&user_code=BCDF-GHJK").await;
    assert!(
        code.starts_with("`user_code`: ") && code.contains("found `BCDF-GHJK`"),
        "{code}"
    );
    let user = told("/dev/device", "user=alicia&user_code=BCDF-GHJK").await;
    assert!(
        user.starts_with("`user`: ") && user.ends_with("users: `alice`, `bob`"),
        "{user}"
    );
}
