//! The protected resource request that RFC 9449 prints, with its opaque token and its proof, at
//! every door. The authorization server is asked about the token.

use super::case::Case;
use super::door::Door;
use super::doors::Doors;
use crate::e2e::process::{Folder, free_port};
use crate::tally::Tally;
use crate::vectors::vectors;
use portcullis_core::token::NumericDate;
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::AnsweringServer;
use portcullis_testkit::corpus::document;
use serde_json::{Value, json};
use std::sync::Arc;

/// The doors that have memories of their own: the example has one proof, which is good once.
pub(super) const DOORS: [Door; 8] = [
    Door::Layer,
    Door::Proxy,
    Door::FRONTS[0],
    Door::FRONTS[1],
    Door::FRONTS[2],
    Door::FRONTS[3],
    Door::Extractor,
    Door::Grpc,
];

/// A row that is about a protected resource.
fn example(document: &Value) -> Option<&Value> {
    let mut rows = document["vectors"].as_array()?.iter();
    rows.find(|row| row["access_token"].is_string())
}

/// All doors at the moment of the example, with an authorization server that knows its token.
async fn doors(row: &Value, folder: &Folder) -> Doors {
    let answer = json!({ "active": true, "sub": "s", "aud": "api", "client_id": "c", "cnf": { "jkt": row["jkt"] } });
    let server = AnsweringServer::start(&answer.to_string()).await;
    let secret = folder.0.join("secret");
    std::fs::write(&secret, "s").unwrap();
    let (url, secret) = (&server.url, secret.display());
    let text = format!(
        "public_origin = \"https://resource.example.org\"\n\
         [[issuer]]\nurl = \"https://server.example.com\"\naudience = [\"api\"]\n\
         [issuer.introspection]\nendpoint = \"{url}\"\nclient_id = \"c\"\nclient_secret_file = \"{secret}\"\n"
    );
    let moment = NumericDate::from_seconds(row["now"].as_i64().unwrap());
    // No token is signed here, but nobody should be asked for keys either.
    let tokens = document("access-tokens.json");
    let keys = json!({ "keys": tokens["jwks"]["https://idp.example/tenant-a"] });
    let keys = [("https://server.example.com".to_owned(), keys.to_string())];
    Doors::new(&text, &keys, &Arc::new(TestClock::at(moment))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_of_the_rfc_is_good_once() {
    let Some(document) = vectors("rfc-examples/dpop.json") else {
        return;
    };
    let row = example(&document).unwrap();
    let folder = Folder::new("dpop-example", free_port());
    let mut tally = Tally::new("parity dpop-example");
    // The doors of one gateway share a memory, so each half has a world of its own.
    for half in DOORS.chunks(6) {
        let world = doors(row, &folder).await;
        for door in half {
            let text = |name: &str| row[name].as_str().unwrap();
            let case = Case::get("/protectedresource")
                .with("Authorization", format!("DPoP {}", text("access_token")))
                .with("DPoP", text("proof"));
            for (id, status, code) in [("first", 200, ""), ("second", 401, "proof.replayed")] {
                let outcome = world.ask(*door, &case).await.unwrap();
                let right = (outcome.status, outcome.code.as_str()) == (status, code);
                let id = format!("{id} by {}", door.name());
                tally.count(&id, right, || format!("{outcome:?}"));
            }
        }
    }
    tally.finish(16);
}
