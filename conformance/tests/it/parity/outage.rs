//! What is nobody's fault but ours or the provider's: 503 with the same code through every door,
//! never 401.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::{Row, run};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::NOW;
use std::collections::BTreeMap;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_an_outage() {
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    idp.fail(Endpoint::Jwks, Fault::InternalError);
    let issuer = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
        idp.issuer(),
        idp.audience()
    );
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let worlds = BTreeMap::from([("unreachable", Doors::new(&issuer, &[], &clock).await)]);
    let table: Vec<_> = [("/", 503), ("/write", 503), ("/?access_token=x", 400)]
        .into_iter()
        .map(|(target, status)| {
            let token = idp.token("bob").sign();
            let case = Case::get(target).with("Authorization", format!("Bearer {token}"));
            let code = if status == 503 {
                "outage.keys"
            } else {
                "credential.repeated"
            };
            let judge = move |outcome: &Outcome| {
                let challenged = outcome.challenge.is_some();
                let right = outcome.status == status
                    && outcome.code == code
                    && challenged == (status != 503);
                if right {
                    Ok(())
                } else {
                    Err(format!("not {status} {code}"))
                }
            };
            (
                "unreachable",
                Row {
                    id: target.to_owned(),
                    case,
                    judge: Box::new(judge),
                },
            )
        })
        .collect();
    run("outages", &worlds, &table).await;
}
