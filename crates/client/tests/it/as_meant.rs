//! Responses as real providers send them: a response with one plausible meaning is accepted.

use crate::scripted::{Reply, Scripted, ticking};
use portcullis_client::{
    Authentication, Client, Error, RefreshToken, Secret, TokenKind, TokenRequest,
};
use serde_json::{Value, json};

fn page(status: u16) -> Reply {
    let headers = vec![("content-type", "text/html".to_owned())];
    Reply {
        status,
        headers,
        body: "<html><h1>Unauthorized</h1></html>".to_owned(),
    }
}

fn bare(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: String::new(),
    }
}

/// The lifetime of the token in this response, in seconds.
async fn lasts(expires_in: Value) -> Result<i64, Error> {
    let idp = Scripted::start().await;
    idp.answers(Reply::json(
        200,
        &json!({ "access_token": "t", "token_type": "Bearer", "expires_in": expires_in }),
    ));
    let tokens = idp
        .client()
        .client_credentials(&TokenRequest::new())
        .await?;
    Ok(tokens.access_token().expires_at().seconds() - 1_800_000_000)
}

#[tokio::test]
async fn lives_are_read_as_text_and_with_fractions() {
    for (written, meant) in [
        (json!("3599"), 3_599),
        (json!(3599.5), 3_599),
        (json!("3599.0"), 3_599),
        (json!(0), 0),
        (json!(-1), 0),
        (json!(null), 120),
        (json!(""), 120),
    ] {
        assert_eq!(lasts(written.clone()).await, Ok(meant), "{written}");
    }
    for written in [
        json!("soon"),
        json!(true),
        json!([3599]),
        json!("2026-01-01T00:00:00Z"),
    ] {
        let error = lasts(written.clone()).await.unwrap_err();
        assert!(
            matches!(&error, Error::InvalidResponse(invalid) if invalid.is_malformed()),
            "{written}: {error}"
        );
        assert!(
            error
                .to_string()
                .contains("`expires_in` is not a number of seconds"),
            "{error}"
        );
    }
}

/// A refusal of the token endpoint counts whatever its body is: for a service, for a refresh, and
/// for a device.
#[tokio::test]
async fn a_refusal_is_a_refusal_whatever_its_body() {
    let idp = Scripted::start().await;
    let refresh_token = RefreshToken::new(Secret::new("r"));
    for status in [400, 401, 403] {
        for reply in [page, bare, |status| Reply::json(status, &json!({}))] {
            idp.answers(reply(status));
            let error = idp
                .client()
                .client_credentials(&TokenRequest::new())
                .await
                .unwrap_err();
            assert_eq!(
                error
                    .refusal()
                    .and_then(portcullis_client::Refusal::status),
                Some(status),
                "{error}"
            );
            assert_eq!(error.retry_after(), None);
            idp.answers(reply(status));
            let error = idp
                .client()
                .refresh(&refresh_token, &TokenRequest::new())
                .await
                .unwrap_err();
            assert!(
                error
                    .refusal()
                    .is_some_and(portcullis_client::Refusal::ends_session),
                "{error}"
            );
        }
    }
    for status in [429, 500, 502, 503, 504] {
        idp.answers(page(status));
        let error = idp
            .client()
            .refresh(&refresh_token, &TokenRequest::new())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Outage(_)), "{status}: {error}");
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_a_refusal() {
    let idp = Scripted::start().await;
    let refresh_token = RefreshToken::new(Secret::new("r"));
    for (code, ends) in [
        ("invalid_grant", true),
        ("bad_refresh_token", true),
        ("invalid_client", false),
        ("unauthorized_client", false),
        ("interaction_required", false),
    ] {
        idp.answers(Reply::json(
            200,
            &json!({ "error": code, "error_description": "no" }),
        ));
        let error = idp
            .client()
            .refresh(&refresh_token, &TokenRequest::new())
            .await
            .unwrap_err();
        let refusal = error.refusal().unwrap_or_else(|| panic!("{error}"));
        assert_eq!((refusal.error(), refusal.ends_session()), (code, ends));
    }
    // An error together with a token could mean either.
    let both = json!({ "error": "invalid_grant", "access_token": "t", "token_type": "Bearer" });
    idp.answers(Reply::json(200, &both));
    let error = idp
        .client()
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
}

#[tokio::test]
async fn a_type_that_is_not_said_is_bearer_and_never_bound() {
    let idp = Scripted::start().await;
    for kind in [
        json!(null),
        json!(""),
        json!("bearer"),
        json!("BEARER"),
        json!("BearerToken"),
    ] {
        let mut answer = json!({ "access_token": "t", "token_type": kind, "expires_in": 60 });
        answer
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        idp.answers(Reply::json(200, &answer));
        let tokens = idp
            .client()
            .client_credentials(&TokenRequest::new())
            .await
            .unwrap();
        assert_eq!(tokens.access_token().kind(), TokenKind::Bearer, "{answer}");
        idp.answers(Reply::json(200, &answer));
        let bound = idp
            .client()
            .dpop(portcullis_client::DpopKey::generate().unwrap());
        assert!(
            bound
                .client_credentials(&TokenRequest::new())
                .await
                .is_err(),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn scopes_that_ask_for_another_token_are_granted_with_it() {
    let idp = Scripted::start().await;
    let answer = json!({ "access_token": "t", "token_type": "Bearer", "scope": "api", "refresh_token": "r" });
    idp.answers(Reply::json(200, &answer))
        .answers(Reply::json(200, &answer));
    let asked = TokenRequest::new().scope("offline_access api");
    let tokens = idp.client().client_credentials(&asked).await.unwrap();
    assert_eq!(
        (
            tokens.withheld_scope().to_string(),
            tokens.scope().contains("offline_access")
        ),
        (String::new(), true)
    );
    // A renewal without a new refresh token keeps the old one, and withholds nothing.
    let answer = json!({ "access_token": "t", "token_type": "Bearer", "scope": "api" });
    let idp = Scripted::start().await;
    idp.answers(Reply::json(200, &answer));
    let tokens = idp
        .client()
        .refresh(&RefreshToken::new(Secret::new("r")), &asked)
        .await
        .unwrap();
    assert!(
        tokens.withheld_scope().is_empty(),
        "{:?}",
        tokens.withheld_scope()
    );
}

fn device(change: &Value) -> Reply {
    let mut answer = json!({
        "device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": "https://idp.example/device",
        "expires_in": 60, "interval": 5,
    });
    for (name, value) in change.as_object().unwrap() {
        answer[name] = value.clone();
    }
    answer
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    Reply::json(200, &answer)
}

/// Google's response, and the numbers of other providers.
#[tokio::test]
async fn what_a_device_is_told_is_read_as_meant() {
    let idp = Scripted::start().await;
    let google = json!({
        "verification_uri": null, "verification_url": "https://www.google.com/device", "expires_in": "1800", "interval": "7",
    });
    idp.answers(device(&google));
    let flow = idp
        .client()
        .device(&TokenRequest::new())
        .await
        .unwrap();
    assert_eq!(
        flow.verification_uri().as_str(),
        "https://www.google.com/device"
    );
    assert_eq!(flow.time_left().as_secs(), 1_800);
    for (change, waits) in [
        (google, 7),
        (json!({ "interval": 5.0 }), 5),
        (json!({ "interval": null }), 5),
        (json!({ "interval": 0 }), 5),
        (json!({ "interval": -3 }), 5),
        (json!({ "expires_in": null, "interval": 9 }), 9),
    ] {
        idp.answers(device(&change)).answers(Reply::json(
            200,
            &json!({ "error": "authorization_pending" }),
        ));
        let flow = idp
            .client()
            .device(&TokenRequest::new())
            .await
            .unwrap();
        let mut waited = Vec::new();
        let finished = ticking(
            &idp.clock,
            flow.finish(|progress| waited.push(progress.next_request().as_secs())),
        )
        .await;
        assert!(finished.is_ok(), "{change}: {finished:?}");
        assert_eq!(waited, [waits, waits], "{change}");
    }
}

/// Without a check, an empty secret would be sent.
#[tokio::test]
async fn an_empty_secret_goes_to_nobody() {
    let idp = Scripted::start().await;
    for secret in ["", " ", "\n"] {
        for authentication in [
            Authentication::secret_basic(Secret::new(secret)),
            Authentication::secret_post(Secret::new(secret)),
        ] {
            let client = Client::new(idp.provider(), "app", authentication);
            let error = client
                .client_credentials(&TokenRequest::new())
                .await
                .unwrap_err();
            assert!(matches!(error, Error::Config(_)), "{error}");
        }
    }
    assert_eq!(idp.count("/token"), 0);
}

/// The assertion of a workload, which the platform replaces.
#[tokio::test]
async fn a_ready_assertion_is_read_each_time() {
    let idp = Scripted::start().await;
    let path = std::env::temp_dir().join(format!("portcullis-workload-{}", std::process::id()));
    assert!(Authentication::assertion_file(&path).is_err());
    std::fs::write(&path, "a.b.c\n").unwrap();
    let client = Client::new(
        idp.provider(),
        "app",
        Authentication::assertion_file(&path).unwrap(),
    );
    client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap();
    std::fs::write(&path, "d.e.f").unwrap();
    client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap();
    std::fs::write(&path, "").unwrap();
    let error = client
        .client_credentials(&TokenRequest::new())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Outage(_)) && error.to_string().contains("found an empty file"),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
    let asked = idp.asked();
    let sent: Vec<_> = asked
        .iter()
        .map(|asked| asked.member("client_assertion"))
        .collect();
    assert_eq!(sent, [Some("a.b.c"), Some("d.e.f")]);
    assert_eq!(
        (
            asked[0].member("client_assertion_type"),
            asked[0].member("client_id")
        ),
        (
            Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            Some("app")
        )
    );
}
