//! The gateway with its three doors, its audit records and its figures.

use super::marks::Marks;
use super::{Watched, provider, tokens};
use crate::e2e::process::{Folder, free_port, program};
use axum::Router;
use axum::http::HeaderMap;
use portcullis_idp::Idp;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

struct WatchedGateway {
    idp: Idp,
    folder: Folder,
    proxy: SocketAddr,
    forward_auth: SocketAddr,
    ext_authz: SocketAddr,
    admin: SocketAddr,
    gateway: Watched,
}

fn free() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}

/// An API that answers with nothing of what it is sent.
async fn upstream() -> SocketAddr {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let address = socket.local_addr().unwrap();
    let app = Router::new().fallback(async |_: HeaderMap| "fine");
    tokio::spawn(async move { axum::serve(socket, app).await });
    address
}

async fn world(marks: &mut Marks, audit: &str) -> WatchedGateway {
    let idp = provider(marks).await;
    let folder = Folder::new("secrets", free_port());
    let (proxy, forward_auth, ext_authz, admin) = (free(), free(), free(), free());
    let (issuer, audience, upstream) = (idp.issuer(), idp.audience(), upstream().await);
    std::fs::write(folder.0.join("secret"), "marked-client-secret-0\n").unwrap();
    let text = format!(
        "[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{audience}\"]\n\
         [issuer.introspection]\nclient_id = \"service\"\nclient_secret_file = \"secret\"\n\
         [gateway]\nlisten = \"{proxy}\"\nupstream = \"http://{upstream}\"\nadmin = {{ listen = \"{admin}\" }}\n\
         [gateway.identity]\nforward_token = true\n[gateway.identity.headers]\n\"x-note\" = \"claim:note\"\n\
         [forward_auth]\nlisten = \"{forward_auth}\"\nproxy = \"nginx\"\ntrusted_peers = [\"127.0.0.1/32\"]\n\
         [ext_authz]\nlisten = \"{ext_authz}\"\npath_prefix = \"/check\"\n\
         [log]\naudit = \"{audit}\"\n\
         [[route]]\npath = \"/admin/**\"\nrequire = {{ role = \"Admin\" }}\n"
    );
    std::fs::write(folder.0.join("portcullis.toml"), text).unwrap();
    let gateway = Watched::start(
        &folder,
        "gateway",
        Command::new(program("portcullis")).arg("serve"),
    );
    let world = WatchedGateway {
        idp,
        folder,
        proxy,
        forward_auth,
        ext_authz,
        admin,
        gateway,
    };
    let ready = async {
        while !reqwest::get(format!("http://{admin}/ready"))
            .await
            .is_ok_and(|answer| answer.status() == 200)
        {
            tokio::task::yield_now().await;
        }
    };
    let ready = tokio::time::timeout(Duration::from_secs(60), ready).await;
    assert!(
        ready.is_ok(),
        "{}",
        std::fs::read_to_string(&world.gateway.err).unwrap()
    );
    world
}

/// A token, wherever a client might put it.
fn requests(world: &WatchedGateway, token: &str) -> Vec<reqwest::RequestBuilder> {
    let http = reqwest::Client::new();
    let WatchedGateway {
        proxy,
        forward_auth,
        ext_authz,
        ..
    } = world;
    let doors = [
        http.get(format!("http://{proxy}/orders")),
        http.get(format!("http://{proxy}/admin/x")),
        http.post(format!("http://{proxy}/orders"))
            .body(format!("access_token={token}")),
        http.get(format!("http://{forward_auth}/"))
            .header("x-original-method", "GET")
            .header("x-forwarded-host", "api.example")
            .header("x-forwarded-proto", "https")
            .header("x-original-uri", format!("/orders?access_token={token}")),
        http.get(format!(
            "http://{ext_authz}/check/orders?access_token={token}"
        )),
    ];
    let mut requests = Vec::new();
    for door in doors {
        let again = || door.try_clone().unwrap();
        requests.push(again().bearer_auth(token));
        requests.push(
            again()
                .bearer_auth(token)
                .header("authorization", format!("Bearer {token}")),
        );
        for (name, value) in [
            ("authorization", format!("DPoP {token}")),
            ("authorization", format!("Basic {token}")),
            ("authorization", format!("Bearer {token} {token}")),
            ("authorization", token.to_owned()),
            ("cookie", format!("session={token}")),
            ("sec-websocket-protocol", format!("bearer, {token}")),
            ("x-auth-subject", token.to_owned()),
            ("traceparent", token.to_owned()),
        ] {
            requests.push(again().header(name, value));
        }
    }
    requests.push(http.get(format!("http://{proxy}/orders?access_token={token}&x=y")));
    requests.push(
        http.get(format!("http://{proxy}/orders"))
            .bearer_auth(&token[..token.len() / 2]),
    );
    requests
}

/// With the audit records on standard output, and in a file.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_marked_comes_out_of_the_gateway() {
    for audit in ["stdout", "audit.log"] {
        let mut marks = Marks::default();
        let world = world(&mut marks, audit).await;
        let mut all = tokens(&world.idp, &mut marks).await;
        // An opaque token is asked about, under the client's secret.
        all.push(marks.secret("an opaque token", "marked.opaque-token"));
        let mut answers = String::new();
        for token in &all {
            for request in requests(&world, token) {
                let answer = request.send().await.unwrap();
                // What a proxy is to set on the request is not for the caller, and may name the
                // claim that was asked for.
                let told = !answer.status().is_success();
                answers.push_str(&answer.status().to_string());
                if told {
                    answers.push_str(&format!("{:?}", answer.headers()));
                    answers.push_str(&answer.text().await.unwrap());
                }
            }
        }
        for status in ["200", "401", "403", "400"] {
            assert!(
                answers.contains(status),
                "the tokens had {status} among their answers"
            );
        }
        marks.are_not_in("an answer", answers.as_bytes());
        for path in ["metrics", "ready", "live"] {
            let page = reqwest::get(format!("http://{}/{path}", world.admin))
                .await
                .unwrap();
            marks.are_not_in(path, page.text().await.unwrap().as_bytes());
        }
        let (out, err) = world.gateway.end();
        let records = if audit == "stdout" {
            out.clone()
        } else {
            std::fs::read(world.folder.0.join(audit)).unwrap()
        };
        assert!(
            String::from_utf8_lossy(&records).contains("token.expired"),
            "the audit says what happened"
        );
        assert!(
            String::from_utf8_lossy(&err).contains("TRACE"),
            "the log is at its most talkative"
        );
        for (place, text) in [
            ("standard output", &out),
            ("the log", &err),
            ("the audit", &records),
        ] {
            marks.are_not_in(place, text);
        }
    }
}
