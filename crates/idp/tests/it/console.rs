//! The console over HTTP: what it shows, what it takes, and from whom. Chromium looks at it in
//! `conformance`.

use crate::key::claims;
use crate::{SERVICE, client, code, code_form, json, post};
use portcullis_idp::{Idp, IdpConfig, User};
use serde_json::{Value, json};

const PAGES: [&str; 9] = [
    "/",
    "/console",
    "/console/users",
    "/console/clients",
    "/console/keys",
    "/console/tokens",
    "/console/make",
    "/console/faults",
    "/console/requests",
];

async fn started() -> Idp {
    Idp::start(IdpConfig::default()).await.unwrap()
}

async fn page(idp: &Idp, path: &str) -> String {
    let response = client()
        .get(format!("{}{path}", idp.base()))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

/// What stands in the code of that name, unescaped as far as tokens need it.
fn code_in(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<code id=\"{id}\">")).unwrap();
    let (text, _) = rest.split_once("</code>").unwrap();
    text.split('<')
        .map(|part| part.rsplit('>').next().unwrap())
        .collect()
}

#[tokio::test]
async fn every_page_is_there_and_fetches_nothing_from_elsewhere() {
    let idp = started().await;
    for path in PAGES {
        let response = client()
            .get(format!("{}{path}", idp.base()))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
        assert_eq!(header("cache-control"), "no-store");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("<main id=\"content\"") && page.contains("aria-current=\"page\""),
            "{path}"
        );
        let elsewhere = page
            .match_indices("src=\"")
            .chain(page.match_indices("<link"))
            .count();
        assert_eq!(elsewhere, 4, "{path}: icon, mark, style, script");
        assert!(
            !page.contains("src=\"http") && !page.contains("style=\""),
            "{path}"
        );
    }
    assert_eq!(idp.console(), Some(format!("{}/console", idp.base())));
}

#[tokio::test]
async fn the_settings_leave_it_out() {
    let idp = Idp::start(IdpConfig {
        console: false,
        ..IdpConfig::default()
    })
    .await
    .unwrap();
    for path in PAGES {
        let status = client()
            .get(format!("{}{path}", idp.base()))
            .send()
            .await
            .unwrap()
            .status();
        assert_eq!(status, 404, "{path}");
    }
    assert_eq!(idp.console(), None);
    assert_eq!(
        post(&idp, "/token", "grant_type=client_credentials", SERVICE)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn nothing_that_is_shown_is_trusted() {
    let hostile = "<script>alert(1)</script>\"'&";
    let defaults = IdpConfig::default();
    let mut user = User {
        username: hostile.to_owned(),
        name: hostile.to_owned(),
        ..defaults.users[0].clone()
    };
    user.email = Some(hostile.to_owned());
    user.claims = json!({ hostile: hostile }).as_object().unwrap().clone();
    let mut service = defaults.clients[0].clone();
    (service.scopes, service.audiences) = (vec![hostile.to_owned()], vec![hostile.to_owned()]);
    let config = IdpConfig {
        users: vec![user],
        clients: vec![service, defaults.clients[1].clone()],
        ..defaults
    };
    let idp = Idp::start(config).await.unwrap();
    let escaped: String = form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
    let form = format!("user={escaped}&scope={escaped}&audience={escaped}&roles={escaped}");
    assert_eq!(post(&idp, "/console/make", &form, None).await.status(), 303);
    assert_eq!(
        post(
            &idp,
            "/token",
            &format!("grant_type={escaped}&client_id={escaped}"),
            None
        )
        .await
        .status(),
        401
    );
    assert_eq!(
        post(
            &idp,
            "/console/make",
            &format!("{form}&claims={escaped}"),
            None
        )
        .await
        .status(),
        400
    );
    for path in PAGES.iter().copied().chain(["/console/tokens/1"]) {
        let page = page(&idp, path).await;
        assert!(
            !page.contains("<script>") && !page.contains("\"'&\""),
            "{path}"
        );
    }
    assert!(
        page(&idp, "/console/users")
            .await
            .contains("&lt;script&gt;alert(1)&lt;/script&gt;")
    );
}

#[tokio::test]
async fn tokens_of_flows_are_taken_apart_and_revoked() {
    let idp = started().await;
    let form = code_form(&code(&idp).await);
    let (_, answer) = json(post(&idp, "/token", &form, None).await).await;
    let list = page(&idp, "/console/tokens").await;
    for kind in ["access token", "ID token", "refresh token"] {
        assert!(list.contains(&format!(">{kind} <")), "{kind}");
    }
    assert!(list.contains("authorization code") && list.contains("alice") && list.contains("web"));
    let shown = page(&idp, "/console/tokens/3").await;
    assert_eq!(code_in(&shown, "raw"), answer["access_token"]);
    assert!(shown.contains("in 1 hour") || shown.contains("in 59 minutes"));
    let ask = format!("token={}", answer["access_token"].as_str().unwrap());
    let active =
        async || json(post(&idp, "/introspect", &ask, SERVICE).await).await.1["active"].clone();
    assert_eq!(active().await, true);
    assert_eq!(
        post(&idp, "/console/tokens/3/revoke", "", None)
            .await
            .status(),
        303
    );
    assert_eq!(active().await, false);
    let gone = client()
        .get(format!("{}/console/tokens/77", idp.base()))
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 404);
}

/// The form of the page and `/dev/token` are the same.
#[tokio::test]
async fn a_token_is_made_to_order() {
    let idp = started().await;
    let form = "user=bob&scope=orders:read&roles=Auditor+Clerk&audience=api://x&lifetime=60\
                &claims=%7B%22tenant%22%3A%5B1%5D%2C%22email%22%3Anull%7D";
    let token = post(&idp, "/dev/token", form, None)
        .await
        .text()
        .await
        .unwrap();
    let told = claims(&token);
    assert_eq!(
        (&told["aud"], &told["scope"]),
        (&json!("api://x"), &json!("orders:read"))
    );
    assert_eq!(
        (&told["roles"], &told["tenant"]),
        (&json!(["Auditor", "Clerk"]), &json!([1]))
    );
    assert_eq!(
        told["exp"].as_u64().unwrap() - told["iat"].as_u64().unwrap(),
        60
    );
    assert_eq!(told.get("email"), None);
    let identity = post(&idp, "/dev/token", "user=bob&format=id-token", None)
        .await
        .text()
        .await
        .unwrap();
    assert!(claims(&identity).get("nonce").is_some());
    for (flaw, claim, value) in [
        ("wrong-issuer", "iss", "https://somebody-else.example"),
        ("wrong-audience", "aud", "api://somebody-else"),
    ] {
        let token = post(&idp, "/dev/token", &format!("user=bob&flaw={flaw}"), None)
            .await
            .text()
            .await
            .unwrap();
        assert_eq!(claims(&token)[claim], value);
        let (_, asked) =
            json(post(&idp, "/introspect", &format!("token={token}"), SERVICE).await).await;
        assert_eq!(
            asked["active"],
            Value::Bool(false),
            "what is wrong is not active"
        );
    }
    for (form, told) in [
        ("user=nobody", "expected the name of a user"),
        ("user=bob&lifetime=soon", "`lifetime`: expected seconds"),
        (
            "user=bob&lifetime=4000000000",
            "`lifetime`: expected seconds",
        ),
        ("user=bob&claims=1", "`claims`: expected a JSON object"),
        ("user=bob&flaw=rusty", "`flaw`: expected one of expired"),
        ("user=bob&format=xml", "`format`: expected"),
    ] {
        let (status, answer) = json(post(&idp, "/dev/token", form, None).await).await;
        assert_eq!(status, 400, "{form}");
        assert!(
            answer["error_description"].as_str().unwrap().contains(told),
            "{answer}"
        );
        let refused = post(&idp, "/console/make", form, None).await;
        assert_eq!(refused.status(), 400, "{form}");
        assert!(refused.text().await.unwrap().contains("role=\"alert\""));
    }
}

#[tokio::test]
async fn requests_are_kept_with_their_errors_and_without_secrets() {
    let idp = started().await;
    let form = "grant_type=client_credentials&client_secret=marked-secret&client_id=service";
    assert_eq!(post(&idp, "/token", form, None).await.status(), 401);
    for _ in 0..120 {
        client().get(idp.jwks_uri()).send().await.unwrap();
    }
    assert_eq!(
        page(&idp, "/console/requests")
            .await
            .matches("<tr>")
            .count(),
        101,
        "a hundred, and the head"
    );
    assert_eq!(post(&idp, "/token", form, None).await.status(), 401);
    let page = page(&idp, "/console/requests").await;
    assert!(
        page.contains("invalid_client")
            && page.contains("client_credentials")
            && !page.contains("marked")
    );
}

/// Any page that a developer visits can post a form to loopback.
#[tokio::test]
async fn pages_of_other_sites_change_nothing_here_either() {
    let idp = started().await;
    for path in [
        "/console/make",
        "/console/faults",
        "/console/keys/rotate",
        "/console/tokens/1/revoke",
    ] {
        let ask = async |site: &str| {
            let request = client()
                .post(format!("{}{path}", idp.base()))
                .header("sec-fetch-site", site);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            request
                .body("user=alice")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(
            (ask("cross-site").await, ask("same-site").await),
            (403, 403),
            "{path}"
        );
        assert_ne!(ask("same-origin").await, 403, "{path}");
    }
}
