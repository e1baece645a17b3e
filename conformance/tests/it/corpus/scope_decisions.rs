//! 19 comparisons of scopes.

use crate::tally::Tally;
use portcullis_core::Requirement;
use portcullis_core::credential::Credential;
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::{ResourceServer, Settings, clock::TestClock};
use portcullis_testkit::NOW;
use portcullis_testkit::corpus::{document, rows};
use std::sync::Arc;

#[tokio::test]
async fn every_comparison_gets_its_answer() {
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    let settings = Settings::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let server = ResourceServer::with_clock(
        settings,
        Arc::new(TestClock::at(NumericDate::from_seconds(NOW))),
    );
    let document = document("scope-decisions.json");
    let mut tally = Tally::new("corpus scope-decisions");
    for (index, row) in rows(&document).iter().enumerate() {
        let token = match row["scope"].as_str() {
            Some(scope) => idp.token("alice").scope(scope).sign(),
            None => idp.token("alice").sign(),
        };
        let token = server
            .authenticate(Credential::bearer(&token))
            .await
            .unwrap();
        let required = row["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scope| Requirement::scope(scope.as_str().unwrap()));
        let allowed = server
            .permit(token, &Requirement::all(required))
            .await
            .is_ok();
        tally.count(
            &index.to_string(),
            Some(allowed) == row["allow"].as_bool(),
            || row.to_string(),
        );
    }
    tally.finish(19);
}
