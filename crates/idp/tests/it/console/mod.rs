//! The console over HTTP: what it shows, what it takes, and from whom. Chromium looks at it in
//! `conformance`.

mod events;
mod forms;
mod requests;
mod trial;

use crate::key::claims;
use crate::{SERVICE, client, code, code_form, json, post};
use portcullis_idp::{Idp, IdpConfig, User};
use serde_json::{Value, json};

pub(crate) const PAGES: [&str; 14] = [
    "/",
    "/console",
    "/console/users",
    "/console/users/edit",
    "/console/clients/edit",
    "/console/settings",
    "/console/try",
    "/console/clients",
    "/console/keys",
    "/console/tokens",
    "/console/make",
    "/console/events",
    "/console/faults",
    "/console/requests",
];

pub(crate) async fn started() -> Idp {
    Idp::start(IdpConfig::default()).await.unwrap()
}

pub(crate) async fn page(idp: &Idp, path: &str) -> String {
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
    let (_, rest) = page
        .split_once(&format!("<code id=\"{id}\">"))
        .unwrap();
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
    user.claims = json!({ hostile: hostile })
        .as_object()
        .unwrap()
        .clone();
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
    let query = crate::authorize_query(&[("state", hostile)]);
    let sign_in = page(&idp, &format!("/authorize?{query}")).await;
    assert!(sign_in.contains("&lt;script&gt;alert(1)") && !sign_in.contains("<script>"));
    // A trial with the same texts: its page has the same rules.
    let form = format!("client=service&user={escaped}&scope={escaped}&state={escaped}");
    let trial = post(&idp, "/console/try", &form, None).await;
    let trial = trial.headers()["location"]
        .to_str()
        .unwrap()
        .to_owned();
    let typed = format!("step=authorize&username={escaped}&parameters=client_id%3D{escaped}");
    post(&idp, &trial, &typed, None).await;
    let more = [
        "/console/tokens/1".to_owned(),
        "/console/requests/1".to_owned(),
        format!("/console/users/edit?username={escaped}"),
        format!("/console/clients/edit?id={escaped}&add_redirect_uris={escaped}"),
        format!("/console/requests?client={escaped}&endpoint={escaped}"),
        trial,
    ];
    for path in PAGES.iter().map(ToString::to_string).chain(more) {
        let path = path.as_str();
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
    for kind in ["Access token", "ID token", "Refresh token", "Code"] {
        assert!(list.contains(&format!(">{kind} <")), "{kind}");
    }
    assert!(list.contains("authorization code") && list.contains("alice") && list.contains("web"));
    let shown = page(&idp, "/console/tokens/4").await;
    assert_eq!(code_in(&shown, "raw"), answer["access_token"]);
    assert!(shown.contains("in 1 hour") || shown.contains("in 59 minutes"));
    let ask = format!("token={}", answer["access_token"].as_str().unwrap());
    let active = async || {
        json(post(&idp, "/introspect", &ask, SERVICE).await)
            .await
            .1["active"]
            .clone()
    };
    assert_eq!(active().await, true);
    assert_eq!(
        post(&idp, "/console/tokens/4/revoke", "", None)
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
        (
            "user=bob&rolez=Admin",
            "unknown member \"rolez\": expected one of user, audience, scope, roles,",
        ),
    ] {
        let (status, answer) = json(post(&idp, "/dev/token", form, None).await).await;
        assert_eq!(status, 400, "{form}");
        assert!(
            answer["error_description"]
                .as_str()
                .unwrap()
                .contains(told),
            "{answer}"
        );
        let refused = post(&idp, "/console/make", form, None).await;
        assert_eq!(refused.status(), 400, "{form}");
        assert!(
            refused
                .text()
                .await
                .unwrap()
                .contains("role=\"alert\"")
        );
    }
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
        "/console/users/edit",
        "/console/users/remove",
        "/console/clients/edit",
        "/console/clients/remove",
        "/console/try",
        "/console/try/unknown",
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
