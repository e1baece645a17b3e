//! Key sets and metadata as some providers send them: packed, with a byte order mark, with members
//! that are `null`.

use crate::setup::{idp, server};
use axum::Router;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use portcullis_testkit::{clock, decide};
use std::io::Write as _;

/// What is answered to a request for this path, out of the plain document.
type Dress = fn(&str, String) -> Response;

/// A provider that answers each request by this function of the path and the plain document.
async fn provider(jwks: String, dressed: Dress) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let metadata = format!(
        "{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"{issuer}/keys\",\"token_endpoint\":null}}"
    );
    let app = Router::new().fallback(async move |uri: http::Uri| {
        let document = if uri.path() == "/keys" {
            jwks.clone()
        } else {
            metadata.clone()
        };
        dressed(uri.path(), document)
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    issuer
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What becomes of a good token of a provider that answers so.
async fn outcome(dressed: Dress) -> (String, String) {
    let clock = clock();
    let signer = idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let issuer = provider(signer.jwks(), dressed).await;
    let server = server(&issuer, &clock);
    let outcome = decide(&server, &signer.token("alice").issuer(&issuer).sign()).await;
    let failure = server.status().keys.remove(0).1.last_failure;
    (outcome, failure.unwrap_or_default())
}

#[tokio::test]
async fn a_good_key_set_is_understood_in_every_dress() {
    let dresses: [(&str, Dress); 7] = [
        ("gzip", |_, text| {
            ([("content-encoding", "gzip")], gzip(&text)).into_response()
        }),
        ("deflate", |_, text| {
            ([("content-encoding", "deflate")], deflate(&text)).into_response()
        }),
        ("a byte order mark", |_, text| {
            format!("\u{feff}{text}").into_response()
        }),
        ("both", |_, text| {
            (
                [("content-encoding", "gzip")],
                gzip(&format!("\u{feff}{text}\r\n")),
            )
                .into_response()
        }),
        ("as text", |_, text| {
            ([("content-type", "text/plain; charset=utf-8")], text).into_response()
        }),
        ("null", |_, text| {
            text.replace(
                "\"use\":\"sig\"",
                "\"use\":null,\"key_ops\":null,\"x5c\":null",
            )
            .into_response()
        }),
        ("beside others", |_, text| {
            let others = "\"keys\":[null,7,{\"kty\":\"oct\",\"k\":\"AA\"},{\"kty\":\"AKP\"},{\"kty\":\"RSA\",\"kid\":1},";
            text.replace("\"keys\":[", others).into_response()
        }),
    ];
    for (name, dressed) in dresses {
        assert_eq!(outcome(dressed).await.0, "allow", "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_an_outage_that_names_the_fault() {
    let dresses: [(&str, Dress); 5] = [
        ("larger than", |_, text| {
            let bomb = gzip(&format!("{text}{}", " ".repeat(20_000_000)));
            ([("content-encoding", "gzip")], bomb).into_response()
        }),
        ("`br`", |_, text| {
            ([("content-encoding", "br")], text).into_response()
        }),
        ("not valid gzip", |_, text| {
            ([("content-encoding", "gzip")], text).into_response()
        }),
        ("no array `keys`", |path, text| match path {
            "/keys" => "{\"keys\":null}".into_response(),
            _ => text.into_response(),
        }),
        ("not UTF-8", |_, text| {
            let wide: Vec<u8> = text
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            [b"\xff\xfe".to_vec(), wide].concat().into_response()
        }),
    ];
    for (reason, dressed) in dresses {
        let (outcome, failure) = outcome(dressed).await;
        assert!(outcome.starts_with("outage."), "{reason}: {outcome}");
        assert!(failure.contains(reason), "{reason}: {failure}");
    }
}
