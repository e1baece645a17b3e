//! The questions of `door-requests.json`: of everything that is sent to an authorization door, only
//! a positive decision gets 2xx.

use crate::client::{Client, ClientResponse};
use crate::setup::TestSetup;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_testkit::corpus;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

#[derive(Deserialize)]
struct Corpus {
    questions: Vec<Question>,
}

#[derive(Debug, Deserialize)]
struct Question {
    id: String,
    door: String,
    line: String,
    headers: Vec<(String, String)>,
    /// The only version of HTTP that can carry it, if there is just one.
    http: Option<String>,
    body: Option<String>,
    status: u16,
    codes: Vec<String>,
}

const ROUTES: &str = r#"
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
[[route]]
path = "/public/**"
access = "public"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_question_gets_leave_without_a_decision() {
    let mut worlds = BTreeMap::new();
    for proxy in ["nginx", "ingress-nginx", "traefik", "caddy"] {
        let door = format!(
            "hosts = [\"gw.example\"]\n[forward_auth]\nlisten = \"127.0.0.1:0\"\nproxy = \"{proxy}\"\n\
             trusted_peers = [\"127.0.0.1\"]\n{ROUTES}"
        );
        worlds.insert(proxy, TestSetup::new(&door).await);
    }
    let corpus: Corpus = corpus::read("door-requests.json");
    let (mut asked, mut faults) = (0, Vec::new());
    for question in &corpus.questions {
        let door = match question.door.as_str() {
            "ext_authz" => worlds["nginx"].ext_authz,
            proxy => worlds[proxy].forward_auth,
        };
        for version in ["1.1", "2"] {
            if question
                .http
                .as_ref()
                .is_some_and(|only| only != version)
            {
                continue;
            }
            let answer = ask(door.unwrap(), question, version).await;
            asked += 1;
            if let Some(fault) = fault(question, &answer) {
                faults.push(format!(
                    "{} over {version}: {fault}: {answer:?}",
                    question.id
                ));
            }
        }
    }
    println!(
        "door-requests: {} questions, {asked} answers",
        corpus.questions.len()
    );
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(corpus.questions.len() >= 200);
}

fn fault(question: &Question, answer: &ClientResponse) -> Option<String> {
    let told = answer
        .headers
        .get("x-portcullis-status")
        .map(|told| told.to_str().unwrap().parse().unwrap());
    let (status, code) = (told.unwrap_or(answer.status), answer.code());
    if answer.headers.contains_key("grpc-status") || answer.status < 400 {
        return Some(format!("{} may be taken for leave", answer.status));
    }
    let passed_on = match question.door.as_str() {
        "nginx" | "ingress-nginx" => matches!(answer.status, 401 | 403),
        "ext_authz" => answer.status < 500,
        _ => true,
    };
    if !passed_on {
        return Some(format!("{} is taken for a fault of ours", answer.status));
    }
    // Responses of the HTTP library itself have no code.
    let fits = question.codes.contains(&code) || (status == 400 && answer.body.is_empty());
    (status != question.status || !fits).then(|| format!("{status} {code}"))
}

async fn ask(door: SocketAddr, question: &Question, version: &str) -> ClientResponse {
    let (method, target) = question.line.split_once(' ').unwrap();
    // An empty message of gRPC.
    let body = question.body.as_ref().map_or(&[][..], |_| &[0; 5]);
    if version == "2" {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://gw.example{target}"));
        for (name, value) in &question.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(Bytes::from_static(body)))
            .unwrap();
        return ClientResponse::of(Client::new(door).open_http2(request).await).await;
    }
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: gw.example\r\nconnection: close\r\n");
    for (name, value) in &question.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    let text = Client::new(door)
        .raw(&[head.as_bytes(), body].concat())
        .await;
    parse_response(&text)
}

/// Parses an HTTP/1.1 response.
fn parse_response(text: &str) -> ClientResponse {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or("0")
        .parse()
        .unwrap();
    let mut headers = http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.append(
            http::HeaderName::try_from(name).unwrap(),
            value.parse().unwrap(),
        );
    }
    ClientResponse {
        status,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}
