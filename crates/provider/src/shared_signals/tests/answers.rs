//! What a transmitter may answer, and what each refusal means to a caller.

use super::super::*;
use super::peer::egress;
use crate::client_auth::Secret;
use crate::fetch::Authorization;
use portcullis_core::jose::json::{Json, Object};
use portcullis_core::token::Issuer;
use portcullis_testkit::{Answer, AnsweringServer};

/// A transmitter with every endpoint, at a server that answers as it is told.
async fn transmitter(server: &AnsweringServer) -> Transmitter {
    let url = server.url.clone();
    server.answer(Answer::json(&format!(
        r#"{{"issuer":"{url}","jwks_uri":"{url}/jwks","configuration_endpoint":"{url}/streams",
            "status_endpoint":"{url}/status","verification_endpoint":"{url}/verify",
            "add_subject_endpoint":"{url}/add","remove_subject_endpoint":"{url}/remove"}}"#
    )));
    let issuer = Issuer::parse(url).unwrap();
    let source = TransmitterSource::Discovered;
    Transmitter::discover(issuer, &source, egress())
        .await
        .unwrap()
}

fn authorization() -> Authorization {
    Authorization::Bearer(Secret::new("marked-secret"))
}

fn answer(server: &AnsweringServer, status: u16, body: &str) {
    let answer = Answer::json(body);
    server.answer(Answer { status, ..answer });
}

fn stream(server: &AnsweringServer, id: &str) -> String {
    format!(
        r#"{{"stream_id":"{id}","iss":"{}","aud":["me"],"events_delivered":[],
            "delivery":{{"method":"urn:ietf:rfc:8936","endpoint_url":"https://tr.example/poll"}}}}"#,
        server.url
    )
}

#[tokio::test]
async fn a_list_is_one_or_a_single_stream_of_drafts() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let authorization = authorization();
    let streams = transmitter.manage(&authorization);
    let one = stream(&server, "one");
    let list = format!("[{one},{}]", stream(&server, "two"));
    for (body, expected) in [(&*list, &["one", "two"][..]), (&one, &["one"]), ("[]", &[])] {
        answer(&server, 200, body);
        let found = streams.list().await.unwrap();
        let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, expected);
    }
    let foreign = one.replace(&format!(r#""iss":"{}""#, server.url), r#""iss":"urn:x""#);
    for (body, reason) in [
        ("7", "the answer is no list"),
        ("[7]", "a stream is no object"),
        (&*format!("[{foreign}]"), "of another issuer"),
    ] {
        answer(&server, 200, body);
        let fault = streams.list().await.unwrap_err();
        assert_eq!(fault.kind, TransmitterFaultKind::Malformed);
        assert!(fault.to_string().contains(reason), "{fault}");
    }
}

#[tokio::test]
async fn every_refusal_has_a_cure_where_one_is_known() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let authorization = authorization();
    let streams = transmitter.manage(&authorization);
    for (status, kind, cure) in [
        (202, TransmitterFaultKind::Pending, "ask again later"),
        (401, TransmitterFaultKind::Unauthorized, "an access token"),
        (403, TransmitterFaultKind::Forbidden, "`ssf.manage`"),
        (404, TransmitterFaultKind::NotFound, "list the streams"),
        (409, TransmitterFaultKind::Conflict, "delete it first"),
        (429, TransmitterFaultKind::TooMany, "ask less often"),
        (400, TransmitterFaultKind::Refused, ""),
        (499, TransmitterFaultKind::Refused, ""),
        (500, TransmitterFaultKind::Failing, ""),
        (502, TransmitterFaultKind::Failing, ""),
    ] {
        answer(&server, status, "");
        let fault = streams.read("s").await.unwrap_err();
        assert_eq!((fault.kind, fault.retry_after), (kind, None), "{status}");
        let found = fault.cure.unwrap_or_default();
        assert_eq!(found.is_empty(), cure.is_empty(), "{status}: {found}");
        assert!(found.contains(cure), "{status}: {found}");
        // Neither the query, which names a stream, nor words about redirects.
        let expected = format!("{}/streams: the answer was {status}", server.url);
        assert_eq!(fault.to_string(), expected);
    }
}

#[tokio::test]
async fn a_transmitter_may_ask_for_time() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let headers = vec![("retry-after", "40".to_owned())];
    let body = r#"{"description":"later"}"#.to_owned();
    server.answer(Answer {
        status: 503,
        headers,
        body,
    });
    let authorization = authorization();
    let fault = transmitter
        .manage(&authorization)
        .list()
        .await
        .unwrap_err();
    let expected = format!(
        "{}/streams: the answer was 503, `later`, to ask again in 40 s",
        server.url
    );
    assert_eq!(fault.to_string(), expected);
    assert_eq!(fault.retry_after.map(|it| it.as_secs()), Some(40));
}

/// The secret of the request stays out of our logs, whatever part of the answer repeats it.
#[tokio::test]
async fn a_reason_that_repeats_the_secret_is_not_told() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let repeats = async |value: &str, body: &str| {
        let authorization = Authorization::header(value).unwrap();
        answer(&server, 400, body);
        let streams = transmitter.manage(&authorization);
        let fault = streams.read("s").await.unwrap_err();
        fault.to_string().ends_with("the answer was 400")
    };
    for (value, body, expected) in [
        ("Bearer 12345678", r#"{"err":"bad 12345678"}"#, true),
        (
            "Bearer 12345678",
            r#"{"err":"x","description":"12345678"}"#,
            true,
        ),
        (
            "Bearer 12345678",
            r#"{"err":"12345678","description":"x"}"#,
            true,
        ),
        ("Bearer 12345678", r#"{"err":"Bearer"}"#, false),
        // Shorter ones are words that any answer may hold.
        ("Bearer 1234567", r#"{"err":"1234567"}"#, false),
    ] {
        assert_eq!(repeats(value, body).await, expected, "{value} {body}");
    }
}

#[tokio::test]
async fn a_status_is_of_the_stream_that_was_asked_about() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let authorization = authorization();
    let streams = transmitter.manage(&authorization);
    for (name, state) in [
        ("enabled", StreamState::Enabled),
        ("paused", StreamState::Paused),
        ("disabled", StreamState::Disabled),
    ] {
        answer(
            &server,
            200,
            &format!(r#"{{"stream_id":"s","status":"{name}"}}"#),
        );
        let status = streams.status("s").await.unwrap();
        assert_eq!((status.state, status.reason), (state, None));
        assert_eq!(state.to_string(), name);
    }
    for (body, reason) in [
        (
            r#"{"stream_id":"t","status":"enabled"}"#,
            "another stream: expected `s`, found `t`",
        ),
        (r#"{"stream_id":"s","status":"on"}"#, "found `on`"),
        (r#"{"stream_id":"s","status":""}"#, "names no `status`"),
        (r#"{"status":"enabled"}"#, "names no `stream_id`"),
        ("[]", "the answer is not an object"),
    ] {
        answer(&server, 200, body);
        let fault = streams.status("s").await.unwrap_err();
        assert_eq!(fault.kind, TransmitterFaultKind::Malformed);
        assert!(fault.to_string().contains(reason), "{fault}");
    }
}

#[tokio::test]
async fn subjects_go_to_the_endpoint_of_their_own() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let authorization = authorization();
    let streams = transmitter.manage(&authorization);
    let subject = Object::new([("format".into(), Json::from("opaque"))]).unwrap();
    for status in [200, 204] {
        answer(&server, status, "");
        streams.add_subject("s", &subject).await.unwrap();
        streams.remove_subject("s", &subject).await.unwrap();
    }
    let asked: Vec<String> = server.requests()[1..3]
        .iter()
        .map(|it| format!("{} {} {}", it.method, it.path, it.body))
        .collect();
    let body = r#"{"stream_id":"s","subject":{"format":"opaque"}}"#;
    assert_eq!(
        asked,
        [format!("POST /add {body}"), format!("POST /remove {body}")]
    );
    for status in [202, 404] {
        answer(&server, status, "");
        assert!(streams.add_subject("s", &subject).await.is_err());
        assert!(streams.remove_subject("s", &subject).await.is_err());
    }
}

#[tokio::test]
async fn what_fails_is_told_apart_from_what_is_not_there() {
    let server = AnsweringServer::start("").await;
    let issuer = Issuer::parse(server.url.clone()).unwrap();
    for (status, kind, has_cure) in [
        (404, TransmitterFaultKind::NotFound, true),
        (500, TransmitterFaultKind::Unreachable, false),
    ] {
        answer(&server, status, "");
        let source = TransmitterSource::Discovered;
        let fault = Transmitter::discover(issuer.clone(), &source, egress());
        let fault = fault.await.unwrap_err();
        assert_eq!((fault.kind, fault.cure.is_some()), (kind, has_cure));
    }
    let urn = Issuer::identifier("urn:x:y").unwrap();
    let source = TransmitterSource::Discovered;
    let fault = Transmitter::discover(urn, &source, egress());
    let fault = fault.await.unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::Unsupported);
    assert_eq!(fault.cure, Some("name the address of its metadata"));
    assert!(fault.to_string().starts_with("urn:x:y: "), "{fault}");
}

#[tokio::test]
async fn what_is_shown_of_streams_is_their_transmitter() {
    let server = AnsweringServer::start("").await;
    let transmitter = transmitter(&server).await;
    let authorization = authorization();
    let shown = format!("{:?}", transmitter.manage(&authorization));
    assert_eq!(shown, format!("the streams at {}", server.url));
    assert_eq!(verification_state().unwrap().len(), 22);
}

#[test]
fn methods_are_known_by_both_names() {
    for (uri, expected) in [
        ("urn:ietf:rfc:8935", Some(DeliveryMethod::Push)),
        ("urn:ietf:rfc:8936", Some(DeliveryMethod::Poll)),
        (
            "https://schemas.openid.net/secevent/risc/delivery-method/push",
            Some(DeliveryMethod::Push),
        ),
        (
            "https://schemas.openid.net/secevent/risc/delivery-method/poll",
            Some(DeliveryMethod::Poll),
        ),
        ("urn:ietf:rfc:8937", None),
    ] {
        assert_eq!(DeliveryMethod::of_uri(uri), expected);
    }
    let url: url::Url = "https://tr.example/poll".parse().unwrap();
    let method = |delivery: StreamDelivery| delivery.method();
    let push = method(StreamDelivery::Push(String::new()));
    assert_eq!(push, Some(DeliveryMethod::Push));
    assert_eq!(
        method(StreamDelivery::Poll(url)),
        Some(DeliveryMethod::Poll)
    );
    assert_eq!(method(StreamDelivery::Other("urn:x".to_owned())), None);
}

#[test]
fn a_short_host_has_its_metadata_before_the_path_too() {
    let issuer = Issuer::parse("https://a.b/c").unwrap();
    let expected = "https://a.b/.well-known/ssf-configuration/c";
    assert_eq!(well_known(&issuer).unwrap().as_str(), expected);
}
