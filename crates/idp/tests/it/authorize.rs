//! Signing in: what is asked, what is shown, and where the browser is sent.

use crate::{CALLBACK, authorize_query, client, code, code_form, idp, json, parameter, post};
use portcullis_idp::{Idp, IdpConfig, RegisteredClient};
use portcullis_testkit::corpus;

async fn show(idp: &Idp, change: &[(&str, &str)]) -> reqwest::Response {
    client()
        .get(format!(
            "{}/authorize?{}",
            idp.issuer(),
            authorize_query(change)
        ))
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_page_asks_and_echoes_nothing_unescaped() {
    let idp = idp().await;
    let response = show(&idp, &[("nonce", "<script>alert(1)</script>\"'")]).await;
    assert_eq!(response.status(), 200);
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("cache-control"), "no-store");
    assert!(header("content-security-policy").contains("default-src 'none'"));
    let page = response.text().await.unwrap();
    assert!(
        page.contains("orders:read")
            && page.contains("api://enterprise-api")
            && page.contains("<form method=\"post\"")
    );
    assert!(!page.contains("<script>"));
}

#[tokio::test]
async fn a_code_comes_back_with_state_and_issuer() {
    let idp = idp().await;
    let path = format!("/authorize?{}", authorize_query(&[]));
    let response = post(&idp, &path, "username=alice&password=alice", None).await;
    assert_eq!(response.status(), 303);
    assert!(
        response
            .headers()
            .get("location")
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with(CALLBACK)
    );
    assert_eq!(parameter(&response, "state").as_deref(), Some("x y"));
    assert_eq!(
        parameter(&response, "iss").as_deref(),
        Some(idp.issuer().as_str())
    );
    let wrong = post(&idp, &path, "username=alice&password=bob", None).await;
    assert_eq!(wrong.status(), 401);
    let page = wrong.text().await.unwrap();
    assert!(page.contains("Wrong username or password"));
    // Only the password has to be typed again.
    assert!(page.contains("value=\"alice\" required"), "{page}");
    assert!(page.contains("The password is the username."));
    let cancelled = post(&idp, &path, "cancel=1", None).await;
    assert_eq!(
        parameter(&cancelled, "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn errors_go_back_only_to_a_registered_address() {
    let idp = idp().await;
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("scope", "everything"), "invalid_scope"),
        (("resource", "api://other"), "invalid_target"),
        (("prompt", "none"), "login_required"),
        (("request", "x.y.z"), "request_not_supported"),
    ] {
        let response = show(&idp, &[change]).await;
        assert_eq!(
            (
                response.status().as_u16(),
                parameter(&response, "error").as_deref()
            ),
            (303, Some(error)),
            "{change:?}"
        );
        assert!(parameter(&response, "iss").is_some());
    }
    for change in [
        ("client_id", "nobody"),
        ("client_id", ""),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", ""),
    ] {
        let response = show(&idp, &[change]).await;
        assert_eq!(response.status(), 400, "{change:?}");
        assert!(response.headers().get("location").is_none());
    }
}

#[tokio::test]
async fn redirect_addresses_of_the_corpus() {
    let document = corpus::document("redirect-uris.json");
    let rows = corpus::rows(&document);
    for row in rows {
        let registered = vec![row["registered"].as_str().unwrap().to_owned()];
        let mut config = IdpConfig {
            algorithm: "ES256".to_owned(),
            ..IdpConfig::default()
        };
        config.clients = vec![RegisteredClient {
            redirect_uris: registered,
            ..config.clients[1].clone()
        }];
        let idp = Idp::start(config).await.unwrap();
        let status = show(
            &idp,
            &[("redirect_uri", row["requested"].as_str().unwrap())],
        )
        .await
        .status();
        assert_eq!(status == 200, row["allow"] == true, "{row}");
    }
    assert_eq!(rows.len(), 28);
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_address_and_verifier() {
    let idp = idp().await;
    for (wrong, right) in [
        ("code_verifier=dBjf", "code_verifier=dBjfx"),
        ("/callback", "/other"),
        (
            "client_id=web",
            "client_id=service&client_secret=service-secret",
        ),
        ("code=", "code=x"),
    ] {
        let form = code_form(&code(&idp).await).replacen(wrong, right, 1);
        let (status, body) = json(post(&idp, "/token", &form, None).await).await;
        assert_eq!(
            (status, &body["error"]),
            (400, &"invalid_grant".into()),
            "{form}"
        );
    }
    let form = code_form(&code(&idp).await);
    let (status, tokens) = json(post(&idp, "/token", &form, None).await).await;
    assert_eq!(status, 200, "{tokens}");
    // The second use ends what the first one gave.
    let (status, body) = json(post(&idp, "/token", &form, None).await).await;
    assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
    let refresh = format!(
        "grant_type=refresh_token&client_id=web&refresh_token={}",
        tokens["refresh_token"].as_str().unwrap()
    );
    assert_eq!(post(&idp, "/token", &refresh, None).await.status(), 400);
    let bearer = client()
        .get(format!("{}/userinfo", idp.issuer()))
        .bearer_auth(tokens["access_token"].as_str().unwrap());
    assert_eq!(bearer.send().await.unwrap().status(), 401);
}

/// In the query, in the fragment, or in a form; errors go the same way.
#[tokio::test]
async fn the_answer_comes_in_the_mode_that_was_asked_for() {
    let idp = idp().await;
    let path = |mode| format!("/authorize?{}", authorize_query(&[("response_mode", mode)]));
    let location = |response: &reqwest::Response| {
        url::Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    };
    let query = post(&idp, &path("query"), "as=bob", None).await;
    assert!(location(&query).query().unwrap().contains("code="));
    let fragment = location(&post(&idp, &path("fragment"), "as=bob", None).await);
    assert!(fragment.query().is_none() && fragment.fragment().unwrap().contains("code="));
    let denied = location(&post(&idp, &path("fragment"), "cancel=1", None).await);
    assert!(
        denied
            .fragment()
            .unwrap()
            .contains("error=access_denied")
    );

    let form = post(&idp, &path("form_post"), "as=bob", None).await;
    assert_eq!(form.status(), 200);
    let policy = form.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("script-src 'unsafe"));
    let page = form.text().await.unwrap();
    let field = |name: &str| {
        let (_, rest) = page
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert!(page.contains(&format!("action=\"{CALLBACK}\"")), "{page}");
    assert_eq!(
        (field("state"), field("iss")),
        ("x y".to_owned(), idp.issuer().to_string())
    );
    let (status, _) = json(post(&idp, "/token", &code_form(&field("code")), None).await).await;
    assert_eq!(status, 200);
    // What the browser posts is listed as a redirect is: four answers, three of them codes.
    let list = client()
        .get(format!("{}/console/tokens", idp.base()))
        .send();
    let list = list.await.unwrap().text().await.unwrap();
    assert_eq!(list.matches(">Code <").count(), 3, "{list}");

    let unknown = client()
        .get(format!("{}{}", idp.base(), path("web_message")))
        .send();
    let unknown = unknown.await.unwrap();
    let description = parameter(&unknown, "error_description").unwrap();
    assert!(description.contains("found `web_message`"), "{description}");
}

#[tokio::test]
async fn the_page_does_not_promise_a_password_that_is_wrong() {
    let config = IdpConfig::from_toml(
        "algorithm = \"ES256\"\n[[user]]\nusername = \"carol\"\npassword = \"other\"\n\
         [[client]]\nid = \"web\"\nredirect_uris = [\"http://127.0.0.1/callback\"]\n",
    );
    let idp = Idp::start(config.unwrap()).await.unwrap();
    let page = show(&idp, &[("scope", "openid")])
        .await
        .text()
        .await
        .unwrap();
    assert!(!page.contains("password is the username"), "{page}");
    assert!(page.contains("/console/users"), "{page}");
}
