//! How and when the user signed in: a route that demands it asks for it in the same words through
//! every door.

use super::case::{Case, Outcome};
use super::doors::Doors;
use super::{Row, run};
use portcullis_core::token::NumericDate;
use portcullis_idp::{Idp, IdpConfig, TokenBuilder};
use portcullis_resource_server::clock::TestClock;
use portcullis_testkit::NOW;
use std::collections::BTreeMap;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn who_must_sign_in_again_is_told_how() {
    let idp = Idp::start_at(IdpConfig::default(), || NOW as u64)
        .await
        .unwrap();
    let issuer = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
        idp.issuer(),
        idp.audience()
    );
    let clock = Arc::new(TestClock::at(NumericDate::from_seconds(NOW)));
    let worlds = BTreeMap::from([("payments", Doors::new(&issuer, &[], &clock).await)]);
    let good = || {
        idp.token("bob")
            .scope("payments")
            .acr("mfa")
            .auth_time(NOW as u64 - 900)
    };
    let application = idp.token("service").scope("payments");
    let table = [
        row("met", good(), 200, "", ""),
        row("another-way", good().acr("phr"), 200, "", ""),
        row(
            "too-weak",
            good().acr("pwd"),
            401,
            "policy.step_up",
            "scope acr_values max_age",
        ),
        row(
            "too-old",
            good().auth_time(NOW as u64 - 901),
            401,
            "policy.step_up",
            "scope acr_values max_age",
        ),
        row(
            "not-told",
            good().without("acr"),
            401,
            "policy.step_up",
            "scope acr_values max_age",
        ),
        row(
            "weak-without-scope",
            good().acr("pwd").scope("x"),
            401,
            "policy.step_up",
            "scope acr_values max_age",
        ),
        row(
            "without-scope",
            good().scope("x"),
            403,
            "policy.scope",
            "scope",
        ),
        row("application", application, 403, "policy.denied", ""),
    ];
    run("step-up", &worlds, &table).await;
}

/// A payment with this token: the answer, and the parameters of its challenge after the error.
fn row(
    id: &str,
    token: TokenBuilder,
    status: u16,
    code: &'static str,
    asked: &'static str,
) -> (&'static str, Row) {
    let case = Case::get("/payments").with("Authorization", format!("Bearer {}", token.sign()));
    let judge = move |outcome: &Outcome| {
        let challenge = outcome.challenge.clone().unwrap_or_default();
        let mut expected = String::new();
        for (name, value) in [
            ("scope", "payments"),
            ("acr_values", "phr mfa"),
            ("max_age", "900"),
        ] {
            if asked.split(' ').any(|asked| asked == name) {
                expected.push_str(&format!(", {name}=\"{value}\""));
            }
        }
        let told = challenge
            .split_once("error_description=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let told = told.map_or("", |(_, rest)| rest);
        if (outcome.status, &*outcome.code) == (status, code) && told == expected {
            Ok(())
        } else {
            Err(format!("not {status} {code} with {expected}"))
        }
    };
    (
        "payments",
        Row {
            id: id.to_owned(),
            case,
            judge: Box::new(judge),
        },
    )
}
