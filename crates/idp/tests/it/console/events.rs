//! The page of events: sends them, shows what became of them, and stops streams.

use super::page;
use crate::receiver::Receiver;
use crate::ssf::{program, pushed_to, started};
use crate::{post, with_client};
use portcullis_idp::{Idp, RegisteredClient};

#[tokio::test]
async fn an_event_is_sent_and_its_result_is_shown() {
    let (idp, receiver) = (started().await, Receiver::start(&[400, 202]).await);
    receiver.answer_with(r#"{"err": "invalid_key", "description": "<b>no</b> such key"}"#);
    let empty = page(&idp, "/console/events").await;
    assert!(empty.contains("ssf.manage") && empty.contains("/dev/event -d user=alice"));
    let program = program(&idp, "ssf.manage").await;
    let stream = program.stream(pushed_to(&receiver)).await;
    let form = "user=alice&event=session-revoked&subject=&session=&members=&flaw=none";
    let response = post(&idp, "/console/events", form, None).await;
    assert_eq!(response.status(), 303);
    let shown = page(&idp, "/console/events").await;
    assert!(shown.contains("refused: invalid_key"));
    assert!(shown.contains("&lt;b&gt;no&lt;/b&gt; such key"));
    assert!(!shown.contains("Bearer s"), "no secret");
    post(&idp, "/console/events", form, None).await;
    assert!(
        page(&idp, "/console/events")
            .await
            .contains("taken (202)")
    );

    let form = format!("stream={stream}&status=paused");
    let response = post(&idp, "/console/events/stream", &form, None).await;
    assert_eq!(response.status(), 303);
    assert!(page(&idp, "/console/events").await.contains("Enable"));
    for (path, form) in [
        ("/console/events", "user=alice&event=tea"),
        (
            "/console/events",
            "user=alice&event=session-revoked&members=[",
        ),
        ("/console/events/stream", "stream=x&status=paused"),
        ("/console/events/logout", "flaw=nonce"),
    ] {
        let response = post(&idp, path, form, None).await;
        assert_eq!(response.status(), 400, "{form}");
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains("role=\"alert\"")
        );
    }
}

#[tokio::test]
async fn a_logout_is_ordered_and_its_result_is_shown() {
    let receiver = Receiver::start(&[200]).await;
    let mut config = with_client(RegisteredClient::default());
    config.clients.pop();
    config.clients[1].backchannel_logout_uri = Some(receiver.url.clone());
    let idp = Idp::start(config).await.unwrap();
    crate::json(
        post(
            &idp,
            "/token",
            &crate::code_form(&crate::code(&idp).await),
            None,
        )
        .await,
    )
    .await;
    let response = post(&idp, "/console/events/logout", "user=alice&flaw=none", None).await;
    assert_eq!(response.status(), 200);
    let shown = response.text().await.unwrap();
    assert!(shown.contains("alice is signed out everywhere"));
    assert!(shown.contains("web answered 200"), "{shown}");
    assert_eq!(receiver.messages().len(), 1);
    let response = post(&idp, "/console/events/logout", "user=alice&flaw=none", None).await;
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("backchannel_logout_uri")
    );
    assert_eq!(receiver.messages().len(), 1);
}
