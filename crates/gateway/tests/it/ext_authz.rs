//! ext_authz in its HTTP flavour. The one of gRPC is asked with Envoy's own messages in the conformance suites.

use crate::client::Client;
use crate::world::World;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use portcullis_idp::Fault;
use std::time::Duration;

const SETTINGS: &str = r#"
[ext_authz]
listen = "127.0.0.1:0"
path_prefix = "/check"
[[route]]
path = "/public/**"
access = "public"
[[route]]
path = "/check/**"
access = "public"
"#;

fn question(target: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let request = Request::get(target).header("host", "gw.example");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn what_is_behind_the_prefix_is_decided_about() {
    let world = World::new(SETTINGS).await;
    let door = Client::new(world.ext_authz.unwrap());
    let token = world.token();
    for (target, token, status, code) in [
        ("/check/public/x", None, 200, ""),
        ("/check/x", None, 401, "credential.missing"),
        ("/check/x?y", Some(token.as_str()), 200, ""),
        ("/check/x?access_token=y", Some(&token), 400, "credential.repeated"),
        ("/check/check/x", None, 200, ""),
        ("/check/public/../x", Some(&token), 400, "request.path"),
        // Not behind it.
        ("/public/x", None, 400, "door.original"),
        ("/check", None, 400, "door.original"),
        ("/checkpublic/x", None, 400, "door.original"),
        ("/che%63k/public/x", None, 400, "door.original"),
        ("/", Some(&token), 400, "door.original"),
    ] {
        let answer = door.send(question(target, token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{target} {token:?}");
    }
    assert!(world.upstream.saw().is_empty(), "nothing is forwarded from here");
}

#[tokio::test]
async fn envoy_is_told_what_to_set_and_what_to_remove() {
    let world = World::new(SETTINGS).await;
    let door = Client::new(world.ext_authz.unwrap());
    let mut forged = question("/check/x", Some(&world.token()));
    for name in ["x-auth-roles", "x_auth_roles", "x-auth-else", "x-rewrite-url"] {
        forged.headers_mut().insert(http::HeaderName::from_static(name), "forged".parse().unwrap());
    }
    let answer = door.send(forged).await;
    assert_eq!(answer.headers["x-auth-subject"], "user-1");
    assert_eq!(answer.headers["x-auth-roles"], "");
    let removed = answer.headers["x-envoy-auth-headers-to-remove"].to_str().unwrap();
    for name in ["x_auth_roles", "x-auth-else", "x-rewrite-url", "authorization"] {
        assert!(removed.split(',').any(|held| held == name), "{name}: {removed}");
    }
}

#[tokio::test]
async fn an_outage_is_no_status_that_envoy_might_let_pass() {
    let world = World::new(SETTINGS).await;
    let door = Client::new(world.ext_authz.unwrap());
    world.idp.fail_jwks(Fault::InternalError);
    world.clock.advance(Duration::from_secs(90_000));
    let answer = door.send(question("/check/x", Some(&world.token()))).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "outage.keys"));
    assert_eq!(answer.headers["x-portcullis-status"], "503");
    let answer =
        door.send(Request::trace("/check/x").header("host", "a").body(Full::default()).unwrap()).await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "request.method"));
}

#[tokio::test]
async fn without_a_prefix_there_is_no_such_flavour() {
    let world = World::new("[ext_authz]\nlisten = \"127.0.0.1:0\"\n").await;
    let answer = Client::new(world.ext_authz.unwrap()).send(question("/x", Some(&world.token()))).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "door.original"));
}
