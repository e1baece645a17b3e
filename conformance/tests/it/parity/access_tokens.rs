//! 500 tokens.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::{Row, run};
use portcullis_core::challenge::challenge;
use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn every_token_gets_the_answer_of_the_core() {
    let document = document("access-tokens.json");
    let mut worlds = BTreeMap::new();
    let mut table = Vec::new();
    for name in ["default", "lenient-typ", "two-issuers"] {
        worlds.insert(name, Doors::of_corpus(&document, name).await);
        let line = CorpusVerifier::new(&document, name);
        for row in rows(&document)
            .iter()
            .filter(|row| row["config"].as_str().unwrap_or("default") == name)
        {
            table.push((
                name,
                checked(
                    &line,
                    row["id"].as_str().unwrap(),
                    row["token"].as_str().unwrap(),
                ),
            ));
        }
    }
    assert_eq!(table.len(), 500);
    run("access-tokens", &worlds, &table).await;
}

fn checked(line: &CorpusVerifier, id: &str, token: &str) -> Row {
    let right = match line.verify(token) {
        Ok(_) => Outcome {
            status: 200,
            ..Outcome::default()
        },
        Err(rejection) => {
            let told = challenge(&rejection, "api");
            let code = rejection.code().to_string();
            Outcome {
                status: told.status,
                code,
                challenge: Some(told.www_authenticate),
            }
        }
    };
    let mut case = Case::get("/").with("Authorization", format!("Bearer {token}"));
    if token.starts_with(' ') {
        case.unfit = Some("space behind the scheme is no part of the token");
    }
    let judge = move |outcome: &Outcome| {
        if *outcome == right {
            Ok(())
        } else {
            Err(format!("not {right:?}"))
        }
    };
    Row {
        id: id.to_owned(),
        case,
        judge: Box::new(judge),
    }
}
