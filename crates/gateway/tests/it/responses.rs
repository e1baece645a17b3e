//! Records of responses: status, bytes and end of each answer of an upstream.

use crate::client::get;
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
const CHUNKS: &str = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                      3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nHost: gw.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

const ECHO: &str = r#"
[[route]]
name = "echo"
path = "/public/**"
access = "public"
[[route]]
name = "h2"
path = "/h2"
access = "public"
upstream = "h2"
[[upstream]]
name = "h2"
servers = ["{upstream}"]
protocol = "http2"
"#;

/// A server that answers every connection with these bytes and closes it.
async fn talker(bytes: &'static str) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let mut head = [0; 4_096];
            _ = stream.read(&mut head).await;
            _ = stream.write_all(bytes.as_bytes()).await;
        }
    });
    address
}

/// A server that sends these bytes, and then nothing more.
async fn hanger(bytes: &'static str) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = socket.accept().await {
            let mut head = [0; 4_096];
            _ = stream.read(&mut head).await;
            _ = stream.write_all(bytes.as_bytes()).await;
            kept.push(stream);
        }
    });
    address
}

/// A gateway whose routes lead to an echo and to these servers, by path; and its file of records.
async fn start(name: &str, servers: &[(&str, SocketAddr)], log: &str) -> (TestSetup, PathBuf) {
    let file = format!("portcullis-responses-{name}-{}.log", std::process::id());
    let file = std::env::temp_dir().join(file);
    _ = std::fs::remove_file(&file);
    let mut settings = ECHO.to_owned();
    for (path, server) in servers {
        settings += &format!(
            "[[route]]\nname = \"{path}\"\npath = \"/{path}\"\naccess = \"public\"\nupstream = \"http://{server}\"\n"
        );
    }
    let audit = file.display();
    settings += &format!("[log]\naudit = \"{audit}\"\n{log}");
    (TestSetup::new(&settings).await, file)
}

/// The records, after the gateway has stopped.
async fn records(setup: TestSetup, file: &PathBuf) -> Vec<Value> {
    setup.stop().await;
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::remove_file(file).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const RESPONSES: &str = "audit_responses = true\n";

#[tokio::test(flavor = "multi_thread")]
async fn each_response_is_recorded_with_its_bytes_and_its_end() {
    let servers = [
        ("half", talker(HALF).await),
        ("chunks", talker(CHUNKS).await),
    ];
    let (setup, file) = start("each", &servers, RESPONSES).await;
    let client = setup.client();
    let echo = |method: Method, text: &'static str| {
        let mut request: Request<Full<Bytes>> = get("/public/x", None);
        *request.method_mut() = method;
        *request.body_mut() = Full::new(Bytes::from(text));
        request
    };
    assert_eq!(client.send(echo(Method::POST, "hello")).await.status, 200);
    assert_eq!(client.send(echo(Method::HEAD, "")).await.status, 200);
    assert_eq!(client.send(echo(Method::GET, "")).await.status, 200);
    // This upstream sends content to HEAD, which nobody waits for.
    let mut request = echo(Method::HEAD, "abc");
    *request.uri_mut() = "/h2".parse().unwrap();
    assert_eq!(client.send(request).await.status, 200);
    let mut request = echo(Method::POST, "four");
    *request.uri_mut() = "http://gw.example/public/x".parse().unwrap();
    let response = client.open_http2(request).await;
    assert_eq!(response.collect().await.unwrap().to_bytes().len(), 4);
    assert_eq!(client.get("/chunks", None).await.body.len(), 7);
    // What breaks off is told apart, or a log of traffic would call it whole.
    let half = client.open(get("/half", None)).await;
    assert!(half.collect().await.is_err());
    let records = records(setup, &file).await;
    let is_response = |record: &&Value| record["record"] == "response";
    let responses: Vec<&Value> = records.iter().filter(is_response).collect();
    let told: Vec<Value> = responses
        .iter()
        .map(|it| json!([it["status"], it["route"], it["bytes"], it["complete"]]))
        .collect();
    let expected = json!([
        [200, "echo", 5, true],
        [200, "echo", 0, true],
        [200, "echo", 0, true],
        [200, "h2", 0, true],
        [200, "echo", 4, true],
        [404, "chunks", 7, true],
        [200, "half", 3, false],
    ]);
    assert_eq!(json!(told), expected);
    // Both records of a request have its id, and the decision comes first.
    for response in responses {
        let same = |other: &&Value| other["request_id"] == response["request_id"];
        let [decision, _] = records.iter().filter(same).collect::<Vec<_>>()[..] else {
            panic!("{records:?}");
        };
        assert_eq!(
            (&decision["outcome"], decision.get("record")),
            (&json!("public"), None)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_has_no_whole_response() {
    let servers = [("hang", hanger(HALF).await)];
    let (setup, file) = start("away", &servers, RESPONSES).await;
    // Its connection ends here, in the middle of the response.
    drop(setup.client().open(get("/hang", None)).await);
    let records = records(setup, &file).await;
    let [_, response] = &records[..] else {
        panic!("{records:?}");
    };
    let told = (&response["status"], &response["complete"]);
    assert_eq!(told, (&json!(200), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_recorded_when_it_ends() {
    let servers = [("socket", talker(SWITCH).await)];
    let (setup, file) = start("socket", &servers, RESPONSES).await;
    let mut stream = TcpStream::connect(setup.gateway).await.unwrap();
    stream.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    // The server closes, and with it the tunnel.
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert!(all.starts_with("HTTP/1.1 101"), "{all}");
    let records = records(setup, &file).await;
    let [_, response] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(
        (&response["record"], &response["status"]),
        (&json!("response"), &json!(101))
    );
    assert_eq!(
        (response.get("bytes"), &response["complete"]),
        (None, &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_answer_has_such_a_record_and_none_has_it_unasked() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = socket.local_addr().unwrap();
    drop(socket);
    // A refusal, an upstream that is away, and a response: one by one, so in this order.
    for (log, expected) in [(RESPONSES, true), ("", false)] {
        let servers = [("nobody", nobody)];
        let (setup, file) = start("other", &servers, log).await;
        let client = setup.client();
        assert_eq!(client.get("/x", None).await.status, 401);
        assert_eq!(client.get("/nobody", None).await.status, 502);
        assert_eq!(client.get("/public/x", None).await.status, 200);
        let mut kinds = Vec::new();
        for record in records(setup, &file).await {
            kinds.push((record["record"].clone(), record["status"].clone()));
        }
        let answer = (json!("answer"), json!(502));
        let mut wanted = vec![
            (Value::Null, Value::Null),
            (Value::Null, Value::Null),
            answer,
        ];
        wanted.push((Value::Null, Value::Null));
        if expected {
            wanted.push((json!("response"), json!(200)));
        }
        assert_eq!(kinds, wanted);
    }
}
