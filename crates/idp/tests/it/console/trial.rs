//! "Try a sign-in": each step goes through the endpoints, and its page shows what came of it.

use super::{page, started};
use crate::{client, post};
use portcullis_idp::{Endpoint, Fault, Idp};

/// Begins a trial and answers with its address.
async fn begin(idp: &Idp, form: &str) -> String {
    let response = post(idp, "/console/try", form, None).await;
    assert_eq!(response.status(), 303, "{form}");
    response.headers()["location"]
        .to_str()
        .unwrap()
        .to_owned()
}

/// The text of the field of that id, and what hidden fields its form has.
fn field(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap();
    let text = match rest.split_once('>').unwrap() {
        (head, _) if head.contains("value=\"") => head
            .split_once("value=\"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap(),
        (_, rest) => rest.split("</textarea>").next().unwrap().trim_start(),
    };
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// Sends a step as it stands on the page.
async fn send(idp: &Idp, address: &str, step: &str, more: &[(&str, &str)]) -> String {
    let before = page(idp, address).await;
    let mut pairs = vec![("step", step)];
    let (text, name) = match step {
        "userinfo" => (field(&before, "token-userinfo"), "token"),
        _ => (field(&before, &format!("parameters-{step}")), "parameters"),
    };
    if !more.iter().any(|(known, _)| *known == name) {
        pairs.push((name, &text));
    }
    pairs.extend(more);
    let response = post(idp, address, &form(&pairs), None).await;
    assert_eq!(response.status(), 303);
    page(idp, address).await
}

#[tokio::test]
async fn a_person_signs_in_step_by_step() {
    let idp = started().await;
    let address = begin(&idp, "client=web&user=bob&state=my-state&nonce=my-nonce").await;
    let alice = [("username", "bob"), ("password", "bob")];
    let shown = send(&idp, &address, "authorize", &alice).await;
    for told in [
        "The provider shows a page.",
        "Sign-in",
        "my-state",
        "http://127.0.0.1/callback",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let shown = send(&idp, &address, "token", &[]).await;
    for told in [
        "Claims of the Access token",
        "my-nonce",
        "Bob Brown",
        // Its end is told as a time, not only as a number.
        "<time datetime=",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(
        shown.contains("--data-urlencode &#39;code_verifier=") || shown.contains("'code_verifier=")
    );
    let shown = send(&idp, &address, "userinfo", &[]).await;
    assert!(shown.contains("bob@example.test"), "{shown}");
    let secret = [("secret", "service-secret"), ("basic_client", "service")];
    let shown = send(&idp, &address, "introspect", &secret).await;
    assert!(shown.contains("&quot;active&quot;: true"), "{shown}");
    let shown = send(&idp, &address, "refresh", &[]).await;
    assert!(shown.contains("id=\"step-6\""), "{shown}");
    // They are requests as any other, and listed as such.
    assert_eq!(idp.requests(Endpoint::Token), 2);
    assert!(
        page(&idp, "/console/requests")
            .await
            .contains("/introspect")
    );
    // What was used up is refused, and says so.
    let again = [(
        "parameters",
        "grant_type=refresh_token\nclient_id=web\nrefresh_token=x",
    )];
    let shown = send(&idp, &address, "refresh", &again).await;
    assert!(shown.contains("invalid_grant"), "{shown}");
}

#[tokio::test]
async fn the_endpoints_check_what_they_always_check() {
    let idp = started().await;
    let bob = [("username", "bob"), ("password", "wrong")];
    let address = begin(&idp, "client=web&user=bob").await;
    let shown = send(&idp, &address, "authorize", &bob).await;
    assert!(shown.contains("Wrong username or password"), "{shown}");
    let declined = [("decline", "1")];
    let shown = send(&idp, &address, "authorize", &declined).await;
    assert!(shown.contains("access_denied"), "{shown}");

    let address = begin(&idp, "client=web&user=bob&pkce=off").await;
    let shown = send(&idp, &address, "authorize", &bob).await;
    assert!(
        shown.contains("code_challenge_method") && shown.contains("found none"),
        "{shown}"
    );
    let form = "client=web&user=bob&redirect_uri=http://localhost:3000/cb";
    let shown = send(&idp, &begin(&idp, form).await, "authorize", &bob).await;
    assert!(
        shown.contains("found <code>http://localhost:3000/cb</code>"),
        "{shown}"
    );
    let address = begin(&idp, "client=web&user=bob&prompt=none").await;
    let shown = send(&idp, &address, "authorize", &bob).await;
    assert!(shown.contains("login_required"), "{shown}");
}

#[tokio::test]
async fn a_client_acts_for_itself() {
    let idp = started().await;
    let address = begin(&idp, "client=service&grant=client_credentials").await;
    let wrong = [("secret", "marked"), ("basic_client", "service")];
    let shown = send(&idp, &address, "token", &wrong).await;
    assert!(shown.contains("found another one (length 6)"), "{shown}");
    let right = [("secret", "service-secret"), ("basic_client", "service")];
    let shown = send(&idp, &address, "token", &right).await;
    assert!(shown.contains("Claims of the Access token"), "{shown}");
    assert!(shown.contains("-u 'service:service-secret'"), "{shown}");
    idp.fail(Endpoint::Token, Fault::TooManyRequests);
    let address = begin(&idp, "client=service&grant=client_credentials").await;
    let shown = send(&idp, &address, "token", &right).await;
    assert!(shown.contains(">429<"), "faults reach a trial too: {shown}");
}

#[tokio::test]
async fn a_device_is_allowed() {
    let idp = started().await;
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let device = form(&[("client", "web"), ("user", "alice"), ("grant", grant)]);
    let address = begin(&idp, &device).await;
    send(&idp, &address, "device", &[]).await;
    let shown = send(&idp, &address, "token", &[]).await;
    assert!(shown.contains("authorization_pending"), "{shown}");
    // Another device: the first one has to wait before it asks again, and this test does not.
    let address = begin(&idp, &device).await;
    send(&idp, &address, "device", &[]).await;
    send(&idp, &address, "approve", &[]).await;
    let shown = send(&idp, &address, "token", &[]).await;
    assert!(shown.contains("Claims of the Access token"), "{shown}");
}

/// The session is that of the browser that looks at the console.
#[tokio::test]
async fn a_session_carries_over() {
    let idp = started().await;
    let address = begin(&idp, "client=web&user=alice").await;
    let shown = page(&idp, &address).await;
    let parameters = field(&shown, "parameters-authorize");
    let sent = form(&[
        ("step", "authorize"),
        ("parameters", &parameters),
        ("username", "alice"),
        ("password", "alice"),
    ]);
    let response = post(&idp, &address, &sent, None).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let address = begin(&idp, "client=web&prompt=none").await;
    let parameters = field(&page(&idp, &address).await, "parameters-authorize");
    let request = client()
        .post(format!("{}{address}", idp.base()))
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded");
    let sent = form(&[("step", "authorize"), ("parameters", &parameters)]);
    assert_eq!(request.body(sent).send().await.unwrap().status(), 303);
    let shown = page(&idp, &address).await;
    assert!(
        shown.contains("Token request") && !shown.contains("login_required"),
        "{shown}"
    );
}

#[tokio::test]
async fn an_unknown_trial_is_not_found() {
    let idp = started().await;
    let gone = client().get(format!("{}/console/try/nothing", idp.base()));
    assert_eq!(gone.send().await.unwrap().status(), 404);
    assert_eq!(
        post(&idp, "/console/try/nothing", "step=token", None)
            .await
            .status(),
        404
    );
    assert_eq!(
        post(&idp, "/console/try", "client=nobody", None)
            .await
            .status(),
        400
    );
}
