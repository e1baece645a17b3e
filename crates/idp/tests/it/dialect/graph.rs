//! The imitation of Microsoft Graph that tells a user's groups.

use super::{service_token, start_with};
use crate::{client, json};
use portcullis_idp::{Dialect, Endpoint, Fault, Idp, IdpConfig};
use serde_json::{Value, json};

async fn world() -> Idp {
    let mut config = IdpConfig {
        dialect: Dialect::Entra,
        ..IdpConfig::default()
    };
    config.users[1].groups = (0..250)
        .map(|number| format!("group-{number}"))
        .collect();
    start_with(config).await
}

async fn ask(url: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let request = client()
        .post(url)
        .header("content-type", "application/json")
        .body(body.to_string());
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    json(request.send().await.unwrap()).await
}

fn groups_of(idp: &Idp, name: &str) -> String {
    let claims = super::part(&idp.token(name).sign(), 1);
    format!(
        "{}/v1.0/users/{}/getMemberObjects",
        idp.graph(),
        claims["oid"].as_str().unwrap()
    )
}

#[tokio::test]
async fn all_groups_come_page_by_page() {
    let idp = world().await;
    let token = service_token(&idp, &format!("{}/.default", idp.graph())).await;
    let body = json!({ "securityEnabledOnly": true });
    let (mut url, mut groups, mut pages) = (Some(groups_of(&idp, "bob")), Vec::new(), 0);
    while let Some(next) = url.filter(|_| pages < 9) {
        let (status, page) = ask(&next, Some(&token), &body).await;
        assert_eq!(status, 200, "{page}");
        groups.extend(
            page["value"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| id.as_str().unwrap().to_owned()),
        );
        url = page["@odata.nextLink"].as_str().map(str::to_owned);
        pages += 1;
    }
    let expected: Vec<String> = (0..250)
        .map(|number| format!("group-{number}"))
        .collect();
    assert_eq!((pages, groups), (3, expected));
    assert_eq!(idp.requests(Endpoint::Graph), 3);
    let (_, none) = ask(&groups_of(&idp, "alice"), Some(&token), &body).await;
    assert_eq!(
        (&none["value"], &none["@odata.nextLink"]),
        (&json!([]), &Value::Null)
    );
}

#[tokio::test]
async fn it_is_for_applications_with_a_token_for_it() {
    let idp = world().await;
    let (url, body) = (
        groups_of(&idp, "bob"),
        json!({ "securityEnabledOnly": false }),
    );
    let for_graph = service_token(&idp, "https://graph.microsoft.com/.default").await;
    let for_api = idp.token("service").issue();
    let of_user = idp
        .token("alice")
        .audience("https://graph.microsoft.com")
        .issue();
    let code = async |token: Option<&str>, body: &Value| {
        let (status, answer) = ask(&url, token, body).await;
        (
            status,
            answer["error"]["code"]
                .as_str()
                .unwrap_or("fine")
                .to_owned(),
        )
    };
    assert_eq!(
        code(Some(&for_graph), &body).await,
        (200, "fine".to_owned())
    );
    for token in [None, Some("made-up"), Some(for_api.as_str())] {
        assert_eq!(
            code(token, &body).await,
            (401, "InvalidAuthenticationToken".to_owned())
        );
    }
    assert_eq!(
        code(Some(&of_user), &body).await,
        (403, "Authorization_RequestDenied".to_owned())
    );
    assert_eq!(
        code(Some(&for_graph), &json!({})).await,
        (400, "Request_BadRequest".to_owned())
    );
    let nobody = format!("{}/v1.0/users/nobody/getMemberObjects", idp.graph());
    assert_eq!(ask(&nobody, Some(&for_graph), &body).await.0, 404);
    let odd = format!("{url}?$skiptoken=x");
    assert_eq!(ask(&odd, Some(&for_graph), &body).await.0, 400);
    idp.fail(Endpoint::Graph, Fault::TooManyRequests);
    assert_eq!(ask(&url, Some(&for_graph), &body).await.0, 429);
}

#[tokio::test]
async fn nobody_else_has_it() {
    let idp = super::start(Dialect::Okta).await;
    assert_eq!(
        ask(
            &format!("{}/v1.0/users/x/getMemberObjects", idp.graph()),
            None,
            &json!({})
        )
        .await
        .0,
        404
    );
}
