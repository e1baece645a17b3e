//! `forwarded-headers.json`: the caller of each request, at every door, as audit records show it.
//!
//! The proxy gets each row over HTTP/1.1 and HTTP/2. The other doors get it from a program in
//! front, which is the trusted proxy then.

use crate::client::ClientResponse;
use crate::setup::TestSetup;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_testkit::corpus;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};

#[derive(Deserialize)]
struct Corpus {
    settings: BTreeMap<String, String>,
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
struct Vector {
    id: String,
    settings: String,
    peer: Option<IpAddr>,
    headers: Vec<(String, String)>,
    caller: Option<String>,
    before: String,
}

const DOORS: &str = r#"
[forward_auth]
listen = "127.0.0.1:0"
proxy = "traefik"
trusted_peers = ["127.0.0.0/8"]
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
[[route]]
path = "/**"
access = "public"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_is_who_a_trusted_proxy_says_or_unknown() {
    let corpus: Corpus = corpus::read("forwarded-headers.json");
    assert_eq!(corpus.vectors.len(), 106);
    let mut faults = Vec::new();
    for (name, settings) in &corpus.settings {
        let vectors: Vec<&Vector> = corpus
            .vectors
            .iter()
            .filter(|it| it.settings == *name)
            .collect();
        assert!(!vectors.is_empty(), "{name}");
        faults.extend(judge(name, settings, &vectors).await);
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

async fn judge(name: &str, settings: &str, vectors: &[&Vector]) -> Vec<String> {
    let file = std::env::temp_dir().join(format!(
        "portcullis-callers-{name}-{}.log",
        std::process::id()
    ));
    _ = std::fs::remove_file(&file);
    let settings = format!(
        "{settings}\n{DOORS}[log]\nformat = \"json\"\naudit = \"{}\"\n",
        file.display()
    );
    let setup = TestSetup::new(&settings).await;
    let mut faults = Vec::new();
    for vector in vectors {
        let peer = vector.peer.unwrap_or(IpAddr::from([127, 0, 0, 1]));
        for version in [1, 2] {
            let request = vector.request(
                "/x",
                &format!("proxy-{version}-{}", vector.id),
                version == 2,
            );
            assert_eq!(
                send(peer, setup.gateway, request, version == 2)
                    .await
                    .status,
                200,
                "{}",
                vector.id
            );
            let saw = setup.upstream.take_requests();
            let expected = match &*vector.before {
                "" => peer.to_string(),
                before => format!("{before}, {peer}"),
            };
            let told = saw[0].values("x-forwarded-for");
            if told != [expected.clone()] {
                faults.push(format!(
                    "{} over HTTP/{version}: the upstream is told {told:?}",
                    vector.id
                ));
            }
        }
        let mut asks = vector.request("/", &format!("forward-auth-{}", vector.id), false);
        for (name, value) in [
            ("method", "GET"),
            ("uri", "/x"),
            ("host", "gw.example"),
            ("proto", "https"),
        ] {
            let name = HeaderName::try_from(format!("x-forwarded-{name}")).unwrap();
            asks.headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(
            send(peer, setup.forward_auth.unwrap(), asks, false)
                .await
                .status,
            200,
            "{}",
            vector.id
        );
        let asks = vector.request("/check/x", &format!("ext-authz-http-{}", vector.id), false);
        assert_eq!(
            send(peer, setup.ext_authz.unwrap(), asks, false)
                .await
                .status,
            200,
            "{}",
            vector.id
        );
        for (door, source) in [("ext-authz-grpc", None), ("ext-authz-source", Some(peer))] {
            let message = vector.message(&format!("{door}-{}", vector.id), source);
            let asks =
                Request::post("http://envoy.example/envoy.service.auth.v3.Authorization/Check")
                    .header("content-type", "application/grpc");
            let asks = asks.body(Full::new(Bytes::from(message))).unwrap();
            assert_eq!(
                send(peer, setup.ext_authz.unwrap(), asks, true)
                    .await
                    .status,
                200,
                "{}",
                vector.id
            );
        }
    }
    setup.stop().await;
    let records = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let records: Vec<Value> = records
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: BTreeMap<&str, &Value> = records
        .iter()
        .map(|it| (it["request_id"].as_str().unwrap(), it.get("peer").unwrap()))
        .collect();
    assert_eq!(told.len(), vectors.len() * 6);
    faults.extend(vectors.iter().flat_map(|vector| vector.faults(&told)));
    faults
}

impl Vector {
    /// The faults in the audit records.
    fn faults(&self, told: &BTreeMap<&str, &Value>) -> Vec<String> {
        let peer = self
            .peer
            .unwrap_or(IpAddr::from([127, 0, 0, 1]))
            .to_string();
        let is_direct = self.caller.as_deref() == Some("peer");
        let direct = if is_direct {
            Some(&peer)
        } else {
            self.caller.as_ref()
        };
        let asked = if is_direct {
            None
        } else {
            self.caller.as_ref()
        };
        // Envoy names the address of its connection. A trusted proxy in front may name the rest.
        let is_untrusted =
            self.settings == "nobody" || self.peer == Some(IpAddr::from([127, 0, 0, 2]));
        let of_source = if is_direct && is_untrusted {
            Some(&peer)
        } else {
            asked
        };
        let doors = [
            ("proxy-1", direct),
            ("proxy-2", direct),
            ("forward-auth", asked),
            ("ext-authz-http", asked),
            ("ext-authz-grpc", asked),
            ("ext-authz-source", of_source),
        ];
        let wrong = doors.into_iter().filter_map(|(door, expected)| {
            let told = told[format!("{door}-{}", self.id).as_str()];
            let right = told.as_str() == expected.map(String::as_str)
                && (told.is_null() || told.is_string());
            (!right).then(|| format!("{} by {door}: {told}, not {expected:?}", self.id))
        });
        wrong.collect()
    }

    fn fields(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let bytes = |text: &str| {
            text.chars()
                .map(|it| u8::try_from(u32::from(it)).unwrap())
                .collect()
        };
        self.headers
            .iter()
            .map(move |(name, value)| (name.to_ascii_lowercase(), bytes(value)))
    }

    fn request(&self, target: &str, id: &str, http2: bool) -> Request<Full<Bytes>> {
        let target = if http2 {
            format!("http://gw.example{target}")
        } else {
            target.to_owned()
        };
        let mut request = Request::get(target)
            .header("x-request-id", id)
            .body(Full::default())
            .unwrap();
        if !http2 {
            request
                .headers_mut()
                .insert("host", HeaderValue::from_static("gw.example"));
        }
        for (name, value) in self.fields() {
            let name = HeaderName::try_from(name).unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        request
    }

    /// A call of `Check` with raw headers, framed.
    fn message(&self, id: &str, source: Option<IpAddr>) -> Vec<u8> {
        let id = ("x-request-id".to_owned(), id.as_bytes().to_vec());
        let headers = self.fields().chain([id]).map(|(name, value)| {
            // protobuf leaves out empty text.
            field(
                1,
                &[field(1, name.as_bytes()), field(3, value.trim_ascii())].concat(),
            )
        });
        let http = [
            field(2, b"GET"),
            field(4, b"/x"),
            field(5, b"gw.example"),
            field(13, &headers.flatten().collect::<Vec<u8>>()),
        ];
        let source = source.map(|source| {
            field(
                1,
                &field(1, &field(1, &field(2, source.to_string().as_bytes()))),
            )
        });
        let request = field(4, &field(2, &http.concat()));
        let message = field(1, &[source.unwrap_or_default(), request].concat());
        [
            &[0],
            &u32::try_from(message.len()).unwrap().to_be_bytes()[..],
            &message,
        ]
        .concat()
    }
}

/// A field of protobuf that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        field.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    field.extend(bytes);
    field
}

/// Sends a request from this address of the machine.
async fn send(
    from: IpAddr,
    to: SocketAddr,
    request: Request<Full<Bytes>>,
    http2: bool,
) -> ClientResponse {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let io: TokioIo<TcpStream> = TokioIo::new(socket.connect(to).await.unwrap());
    let response = if http2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    ClientResponse {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}
