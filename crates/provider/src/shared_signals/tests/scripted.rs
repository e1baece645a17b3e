//! A server that answers as it is told.

use super::super::*;
use super::peer::egress;
use crate::client_auth::Secret;
use crate::fetch::{Authorization, JsonRequest, Reach};
use portcullis_core::token::Issuer;
use portcullis_testkit::{Answer, AnsweringServer};
use std::time::Duration;
use url::Url;

struct Script {
    server: AnsweringServer,
    transmitter: Transmitter,
    authorization: Authorization,
}

impl Script {
    async fn start() -> Self {
        let server = AnsweringServer::start("").await;
        let url = server.url.clone();
        server.answer(Answer::json(&format!(
            r#"{{"issuer":"{url}/a","jwks_uri":"{url}/jwks","configuration_endpoint":"{url}/streams",
                "verification_endpoint":"{url}/verify"}}"#
        )));
        let issuer = Issuer::parse(format!("{url}/a")).unwrap();
        let source = TransmitterSource::Discovered;
        let transmitter = Transmitter::discover(issuer, &source, egress()).await;
        Self {
            server,
            transmitter: transmitter.unwrap(),
            authorization: Authorization::Bearer(Secret::new("marked-secret")),
        }
    }

    fn answer(&self, status: u16, body: &str) {
        let answer = Answer::json(body);
        self.server.answer(Answer { status, ..answer });
    }

    fn stream(&self, members: &str) -> String {
        let issuer = &self.transmitter.metadata().issuer;
        format!(
            r#"{{"stream_id":"s","iss":"{issuer}","aud":"me","events_delivered":[],{members}}}"#
        )
    }

    async fn read(&self, body: &str) -> Result<StreamConfiguration, TransmitterFault> {
        self.answer(200, body);
        let streams = self.transmitter.manage(&self.authorization);
        streams.read("s").await
    }

    async fn poll(&self, wait: Duration) -> Result<PollResponse, TransmitterFault> {
        let url: Url = format!("{}/poll", self.server.url).parse().unwrap();
        let request = PollRequest {
            url: &url,
            reach: Reach::Anywhere,
            authorization: Some(&self.authorization),
            ack: &["one".to_owned()],
            errors: &[SetError {
                jti: "two".to_owned(),
                code: "invalid_key",
                description: "no such key",
            }],
            most: 7,
            wait,
        };
        request.send(&egress()).await
    }
}

const POLLED: &str =
    r#""delivery":{"method":"urn:ietf:rfc:8936","endpoint_url":"https://tr.example/poll"}"#;

#[tokio::test]
async fn requests_are_as_the_specification_has_them() {
    let script = Script::start().await;
    let endpoint: Url = "https://api.example".parse().unwrap();
    let secret = Secret::new("Bearer pushed");
    let request = StreamRequest {
        delivery: Some(DeliveryRequest::Push {
            endpoint: &endpoint,
            authorization: Some(&secret),
        }),
        events: Some(&["https://e.example/x".to_owned()]),
        description: None,
    };
    let pushed =
        r#""delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://api.example"}"#;
    script.answer(201, &script.stream(pushed));
    let streams = script.transmitter.manage(&script.authorization);
    let stream = streams.create(&request).await.unwrap();
    let missing = StreamDeviation::Missing("https://e.example/x".to_owned());
    assert_eq!(stream.deviations(&request, Some("me")), [missing]);
    script.answer(204, "");
    streams.delete("a b&c").await.unwrap();
    streams.verify("s", "random").await.unwrap();
    script.answer(200, r#"{"sets":{}}"#);
    script.poll(Duration::ZERO).await.unwrap();
    script.poll(Duration::from_secs(30)).await.unwrap();

    let asked = script.server.requests();
    let shown: Vec<String> = asked
        .iter()
        .map(|it| format!("{} {} {}", it.method, it.path, it.body))
        .collect();
    assert_eq!(
        shown,
        [
            "GET /.well-known/ssf-configuration/a ",
            r#"POST /streams {"delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://api.example/","authorization_header":"Bearer pushed"},"events_requested":["https://e.example/x"]}"#,
            "DELETE /streams?stream_id=a+b%26c ",
            r#"POST /verify {"stream_id":"s","state":"random"}"#,
            r#"POST /poll {"maxEvents":7,"returnImmediately":true,"ack":["one"],"setErrs":{"two":{"err":"invalid_key","description":"no such key"}}}"#,
            r#"POST /poll {"maxEvents":7,"returnImmediately":false,"ack":["one"],"setErrs":{"two":{"err":"invalid_key","description":"no such key"}}}"#,
        ]
    );
    assert!(!asked[0].headers.contains_key("authorization"));
    for request in &asked[1..] {
        assert_eq!(request.headers["authorization"], "Bearer marked-secret");
        assert_eq!(request.headers["accept"], "application/json");
        let with_body = !request.body.is_empty();
        assert_eq!(request.headers.contains_key("content-type"), with_body);
    }
}

#[tokio::test]
async fn a_stream_that_is_not_proper_is_refused() {
    let script = Script::start().await;
    let read = script.read(&script.stream(POLLED)).await.unwrap();
    assert_eq!((read.id.as_str(), read.inactivity_timeout), ("s", None));
    let timed = format!(r#"{POLLED},"inactivity_timeout":60,"min_verification_interval":5"#);
    let timed = script.read(&script.stream(&timed)).await.unwrap();
    assert_eq!(timed.inactivity_timeout, Some(Duration::from_secs(60)));
    assert_eq!(
        timed.min_verification_interval,
        Some(Duration::from_secs(5))
    );

    let good = script.stream(POLLED);
    for (body, reason) in [
        (String::new(), "not valid JSON"),
        ("[]".to_owned(), "not an object"),
        (good.replace(r#""s""#, r#""t""#), "another stream"),
        (good.replace("/a\"", "/b\""), "of another issuer"),
        (good.replace(r#""aud":"me","#, ""), "no `aud`"),
        (good.replace(r#""me""#, "[]"), "no `aud`"),
        (
            good.replace(r#""events_delivered":[],"#, ""),
            "no list `events_delivered`",
        ),
        (good.replace("https:", "http:"), "it is not https"),
        (script.stream(r#""x":1"#), "no `delivery`"),
        (
            script.stream(r#""delivery":{"method":"urn:ietf:rfc:8936"}"#),
            "no `endpoint_url` to poll",
        ),
        (
            script.stream(&format!(r#"{POLLED},"inactivity_timeout":-1"#)),
            "no number of seconds",
        ),
    ] {
        let fault = script.read(&body).await.unwrap_err();
        assert_eq!(fault.kind, TransmitterFaultKind::Malformed, "{body}");
        assert!(fault.to_string().contains(reason), "{body}: {fault}");
    }
}

#[tokio::test]
async fn a_stream_that_is_not_as_asked_is_told() {
    let script = Script::start().await;
    let events = ["https://e.example/x".to_owned()];
    let request = StreamRequest {
        delivery: Some(DeliveryRequest::Poll),
        events: Some(&events),
        description: None,
    };
    let other = script
        .stream(
            r#""delivery":{"method":"urn:ietf:rfc:8935","endpoint_url":"https://evil.example"}"#,
        )
        .replace(
            r#""events_delivered":[]"#,
            r#""events_delivered":["urn:y"]"#,
        );
    let stream = script.read(&other).await.unwrap();
    let shown: Vec<String> = stream
        .deviations(&request, Some("them"))
        .iter()
        .map(|it| format!("{} {it}", it.is_fatal()))
        .collect();
    assert_eq!(
        shown,
        [
            "true delivery: expected `urn:ietf:rfc:8936`, found `urn:ietf:rfc:8935`",
            "true aud: expected `them`, found `me`",
            "false `https://e.example/x` does not come",
            "false `urn:y` comes unasked",
        ]
    );
    let endpoint: Url = "https://api.example/events".parse().unwrap();
    let request = StreamRequest {
        delivery: Some(DeliveryRequest::Push {
            endpoint: &endpoint,
            authorization: None,
        }),
        ..StreamRequest::default()
    };
    let deviations = stream.deviations(&request, None);
    let expected = StreamDeviation::Endpoint {
        expected: endpoint.to_string(),
        found: "https://evil.example".to_owned(),
    };
    assert_eq!(deviations, [expected]);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason_and_no_secret() {
    let script = Script::start().await;
    let streams = script.transmitter.manage(&script.authorization);
    for (status, body, kind, reason) in [
        (
            400,
            r#"{"err":"invalid_request","description":"no such event"}"#,
            TransmitterFaultKind::Refused,
            "the answer was 400, `invalid_request`: `no such event`",
        ),
        (
            403,
            r#"{"error":"insufficient_scope"}"#,
            TransmitterFaultKind::Forbidden,
            "the answer was 403, `insufficient_scope`",
        ),
        (
            401,
            r#"{"err":"authentication_failed","description":"bad token marked-secret"}"#,
            TransmitterFaultKind::Unauthorized,
            "the answer was 401",
        ),
        (
            409,
            "",
            TransmitterFaultKind::Conflict,
            "the answer was 409",
        ),
        (202, "", TransmitterFaultKind::Pending, "the answer was 202"),
        (
            302,
            "",
            TransmitterFaultKind::Refused,
            "the answer was 302 (redirects are not followed)",
        ),
        (
            503,
            "<html>",
            TransmitterFaultKind::Failing,
            "the answer was 503",
        ),
    ] {
        script.answer(status, body);
        let fault = streams
            .create(&StreamRequest::default())
            .await
            .unwrap_err();
        let expected = format!("{}/streams: {reason}", script.server.url);
        assert_eq!((fault.kind, fault.to_string()), (kind, expected));
    }
    let headers = vec![("retry-after", "40".to_owned())];
    let body = String::new();
    script.server.answer(Answer {
        status: 429,
        headers,
        body,
    });
    let fault = streams.verify("s", "x").await.unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::TooMany);
    assert_eq!(fault.retry_after, Some(Duration::from_secs(40)));
    let fault = streams.status("s").await.unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::Unsupported);
    assert!(fault.to_string().contains("`status_endpoint`"), "{fault}");
}

#[tokio::test]
async fn a_poll_is_read_strictly() {
    let script = Script::start().await;
    script.answer(
        200,
        r#"{"sets":{"b":"x.y.z","a":"1.2.3"},"moreAvailable":true}"#,
    );
    let response = script.poll(Duration::ZERO).await.unwrap();
    let expected = [("b", "x.y.z"), ("a", "1.2.3")];
    let expected = expected.map(|(jti, set)| (jti.to_owned(), set.to_owned()));
    assert_eq!(
        (response.sets.as_slice(), response.more),
        (&expected[..], true)
    );
    script.answer(200, "{}");
    let response = script.poll(Duration::ZERO).await.unwrap();
    assert_eq!(response, PollResponse::default());

    for body in [
        "",
        "[]",
        r#"{"sets":[]}"#,
        r#"{"sets":{"a":{}}}"#,
        r#"{"sets":{"a":"x","a":"y"}}"#,
        r#"{"sets":{},"moreAvailable":"yes"}"#,
    ] {
        script.answer(200, body);
        let fault = script.poll(Duration::ZERO).await.unwrap_err();
        assert_eq!(fault.kind, TransmitterFaultKind::Malformed, "{body}");
    }
    script.answer(204, "");
    let fault = script.poll(Duration::ZERO).await.unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::Refused);
    let large = format!(r#"{{"sets":{{"a":"{}"}}}}"#, "x".repeat(600_000));
    script.answer(200, &large);
    let fault = script.poll(Duration::ZERO).await.unwrap_err();
    assert!(fault.to_string().contains("larger than"), "{fault}");
}

#[tokio::test]
async fn no_more_events_are_asked_for_than_fit() {
    let script = Script::start().await;
    script.answer(200, "{}");
    let url: Url = format!("{}/poll", script.server.url).parse().unwrap();
    for (most, expected) in [(0, 0), (1, 1), (128, 128), (129, 128), (usize::MAX, 128)] {
        let request = PollRequest {
            url: &url,
            reach: Reach::Anywhere,
            authorization: None,
            ack: &[],
            errors: &[],
            most,
            wait: Duration::ZERO,
        };
        request.send(&egress()).await.unwrap();
        let asked = script.server.requests().pop().unwrap().body;
        assert!(
            asked.starts_with(&format!(r#"{{"maxEvents":{expected},"#)),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn a_transmitter_that_holds_a_request_is_slow_and_not_down() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("http://{}/poll", listener.local_addr().unwrap());
    let request = JsonRequest {
        method: http::Method::POST,
        url: &url.parse().unwrap(),
        reach: Reach::Anywhere,
        body: None,
        authorization: None,
        within: Some(Duration::from_millis(1)),
    };
    let fault = egress().fetch.ask_json(request).await.unwrap_err();
    let fault = TransmitterFault::of_fetch(&fault);
    assert_eq!(fault.kind, TransmitterFaultKind::Slow, "{fault}");
    drop(listener);
    let request = PollRequest {
        url: &url.parse().unwrap(),
        reach: Reach::Anywhere,
        authorization: None,
        ack: &[],
        errors: &[],
        most: 1,
        wait: Duration::from_secs(60),
    };
    assert_eq!(request.within(), Duration::from_secs(65));
    // What waits for events has found none; what does not wait has a fault.
    assert_eq!(request.settle(fault.clone()), Ok(PollResponse::default()));
    let immediate = PollRequest {
        wait: Duration::ZERO,
        ..request
    };
    assert_eq!(immediate.settle(fault.clone()), Err(fault));
    let fault = request.send(&egress()).await.unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::Unreachable, "{fault}");
    assert!(fault.cure.is_some());
}

#[tokio::test]
async fn a_document_that_is_not_there_is_told_with_a_cure() {
    let server = AnsweringServer::start("").await;
    server.answer(Answer {
        status: 404,
        headers: Vec::new(),
        body: String::new(),
    });
    let issuer = Issuer::parse(server.url.clone()).unwrap();
    let source = TransmitterSource::Discovered;
    let fault = Transmitter::discover(issuer.clone(), &source, egress())
        .await
        .unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::NotFound);
    assert!(fault.cure.unwrap().contains("name the address"), "{fault}");

    let named = format!("{}/.well-known/risc-configuration", server.url);
    let source = TransmitterSource::At(named.parse().unwrap());
    server.answer(Answer::json(r#"{"issuer":"https://other.example"}"#));
    let fault = Transmitter::discover(issuer, &source, egress())
        .await
        .unwrap_err();
    assert_eq!(fault.kind, TransmitterFaultKind::Malformed);
    assert!(fault.to_string().contains("another issuer"), "{fault}");
    let asked = server.requests();
    assert_eq!(asked[1].path, "/.well-known/risc-configuration");
}
