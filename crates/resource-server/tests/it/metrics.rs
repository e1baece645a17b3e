//! What the recorder of an application sees: here the one that many applications have.

use crate::setup;
use http::HeaderMap;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use portcullis_core::{EffectiveUrl, Requirement};
use portcullis_resource_server::{Config, ResourceRequest, ResourceServer, Settings, events};
use portcullis_testkit::{NOW, ProofKey, ResourceServerSetup, clock, server_on};
use std::time::Duration;

/// A server whose figures go to a recorder of its own, and what they are at the moment.
async fn counted() -> (ResourceServerSetup, impl Fn(&ResourceServer) -> String) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let clock = clock();
    let idp = setup::idp(&clock, ([127, 0, 0, 1], 0).into()).await;
    let server =
        metrics::with_local_recorder(&recorder, || setup::server(idp.issuer().as_str(), &clock));
    let handle: PrometheusHandle = recorder.handle();
    let render = move |server: &ResourceServer| {
        metrics::with_local_recorder(&recorder, || server.record_gauges());
        handle.render()
    };
    (ResourceServerSetup { clock, idp, server }, render)
}

fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn decisions_are_counted_by_outcome_and_code() {
    let (world, render) = counted().await;
    let token = world.idp.token("alice").sign();
    let other = world.idp.token("alice").audience("api://other").sign();
    for (token, code) in [
        (&*token, "allow"),
        (&*token, "allow"),
        (&*other, "token.audience"),
        ("x", "token.malformed"),
    ] {
        let decided = world.decide_by(token, &Requirement::ValidToken).await;
        assert_eq!(decided, code);
    }
    let text = render(&world.server);
    let decisions = |outcome: &str, code: &str| {
        value(
            &text,
            &format!("portcullis_decisions_total{{outcome=\"{outcome}\",code=\"{code}\"}}"),
        )
    };
    assert_eq!(decisions("allow", "ok"), 2.0);
    assert_eq!(decisions("deny", "token.audience"), 1.0);
    assert_eq!(decisions("deny", "token.malformed"), 1.0);
    // What has not happened yet is there too, so that its first time is seen as a growth.
    assert_eq!(decisions("deny", "token.signature"), 0.0);
    assert_eq!(decisions("fail", "outage.keys"), 0.0);
    assert_eq!(
        value(&text, "portcullis_decision_seconds_count{outcome=\"deny\"}"),
        2.0
    );
    assert_eq!(
        value(
            &text,
            "portcullis_token_cache_lookups_total{result=\"hit\"}"
        ),
        1.0
    );
    assert_eq!(
        value(
            &text,
            "portcullis_token_cache_lookups_total{result=\"miss\"}"
        ),
        3.0
    );
    assert_eq!(value(&text, "portcullis_token_cache_tokens"), 1.0);
    assert!(!text.contains(&token) && !text.contains("alice"), "{text}");
}

#[tokio::test]
async fn keys_tell_their_age_and_how_their_fetches_went() {
    let (world, render) = counted().await;
    let issuer = format!("{{issuer=\"{}\"}}", world.idp.issuer());
    let figure = |text: &str, name: &str| value(text, &format!("{name}{issuer}"));
    let before = render(&world.server);
    assert_eq!(figure(&before, "portcullis_keys"), 0.0);
    assert_eq!(
        figure(&before, "portcullis_keys_confirmed_timestamp_seconds"),
        0.0
    );
    world.server.refresh_keys().await;
    world.clock.advance(Duration::from_secs(100));
    let text = render(&world.server);
    assert!(figure(&text, "portcullis_keys") >= 1.0);
    assert_eq!(
        figure(&text, "portcullis_keys_confirmed_timestamp_seconds"),
        1_800_000_000.0
    );
    assert_eq!(
        figure(&text, "portcullis_keys_good_until_timestamp_seconds"),
        1_800_086_400.0
    );
    let name = world.idp.issuer().clone();
    let fetches = |outcome: &str| {
        let issuer = &name;
        format!("portcullis_key_fetches_total{{issuer=\"{issuer}\",outcome=\"{outcome}\"}}")
    };
    assert_eq!(value(&text, &fetches("ok")), 1.0);
    let unknown = world
        .idp
        .token("alice")
        .header("kid", "nobody's")
        .sign();
    assert_eq!(world.decide(&unknown).await, "token.key_unknown");
    assert_eq!(
        figure(&render(&world.server), "portcullis_unknown_keys_total"),
        1.0
    );
    let ResourceServerSetup { idp, server, .. } = world;
    idp.shutdown().await;
    server.refresh_keys().await;
    let text = render(&server);
    assert_eq!(value(&text, &fetches("failed")), 1.0);
    assert_eq!(figure(&text, "portcullis_key_fetch_failures_in_a_row"), 1.0);
}

#[tokio::test]
async fn every_metric_of_the_table_is_there_with_its_labels() {
    let (world, render) = counted().await;
    world.server.refresh_keys().await;
    world.decide(&world.idp.token("alice").sign()).await;
    let text = render(&world.server);
    // Told only where a store, introspection or a stream of events is configured.
    let others = [
        events::EVENT_LAST,
        events::EVENT_STREAM_ENABLED,
        events::EVENT_STREAM_VERIFIED,
        events::EVENT_STREAM_SILENT,
        events::DENYLIST_IN_STEP,
        events::DENYLIST_CONTACT,
        events::INTROSPECTION_PAUSED,
        events::PROOF_STORE_PAUSED,
    ];
    for metric in events::METRICS
        .iter()
        .filter(|metric| !others.contains(metric))
    {
        let line = text.lines().find(|line| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            name.strip_prefix(metric.name)
                .is_some_and(|rest| rest.is_empty() || rest == "_count")
        });
        let line = line.unwrap_or_else(|| panic!("no {} in\n{text}", metric.name));
        assert!(
            metric
                .labels
                .iter()
                .all(|label| line.contains(&format!("{label}=\""))),
            "{line}"
        );
        assert!(metric.help.ends_with('.'), "{}", metric.name);
    }
}

/// What the alerts go by: a stream that fell silent, and one that sends.
#[tokio::test]
async fn a_stream_tells_whether_it_sends_and_whether_it_is_silent() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let clock = clock();
    let text = "[[issuer]]\nurl = \"https://idp.example\"\naudience = \"x\"\n[[events]]\n\
        name = \"idp\"\nissuer = \"https://idp.example\"\naudience = \"r\"\nsilent_after = 60\n";
    let settings = Settings::try_from(Config::from_toml(text).unwrap()).unwrap();
    let server = metrics::with_local_recorder(&recorder, || server_on(&clock, settings));
    let figures = || {
        metrics::with_local_recorder(&recorder, || server.record_gauges());
        let text = recorder.handle().render();
        ["enabled", "silent"].map(|name| {
            let series = format!("portcullis_event_stream_{name}{{stream=\"idp\"}}");
            value(&text, &series)
        })
    };
    clock.advance(Duration::from_secs(60));
    assert_eq!(figures(), [1.0, 0.0]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(figures(), [1.0, 1.0]);
}

/// Each proof counts once, by what became of it; plain tokens count for nothing there.
#[tokio::test]
async fn proofs_are_counted_by_what_became_of_them() {
    let (world, render) = counted().await;
    let key = ProofKey::new();
    let token = world
        .idp
        .token("alice")
        .bound_to_key(&key.thumbprint());
    let (token, address) = (token.sign(), "https://api.example/orders");
    let url = EffectiveUrl::parse(address);
    let proof = key.sign(&key.claims("GET", address, &token, NOW));
    let other = key.sign(&key.claims("POST", address, &token, NOW));
    for (scheme, proof) in [
        ("DPoP", &proof),
        ("DPoP", &proof),
        ("DPoP", &other),
        ("Bearer", &other),
    ] {
        let mut headers = HeaderMap::new();
        let credential = format!("{scheme} {token}");
        headers.insert("authorization", credential.parse().unwrap());
        headers.insert("dpop", proof.parse().unwrap());
        let request = ResourceRequest {
            url: url.as_ref(),
            ..ResourceRequest::of_headers(&headers, None)
        };
        let plain = Requirement::ValidToken;
        _ = world.server.decide_request(&request, &plain).await;
    }
    let text = render(&world.server);
    let proofs = |code: &str| {
        value(
            &text,
            &format!("portcullis_dpop_proofs_total{{code=\"{code}\"}}"),
        )
    };
    assert_eq!(proofs("ok"), 1.0);
    assert_eq!(proofs("proof.replayed"), 1.0);
    assert_eq!(proofs("proof.method"), 1.0);
    assert_eq!(proofs("proof.missing"), 0.0);
    assert_eq!(proofs("outage.replay"), 0.0);
    assert_eq!(value(&text, "portcullis_dpop_proofs_remembered"), 1.0);
    assert_eq!(value(&text, "portcullis_dpop_proofs_capacity"), 1_000_000.0);
}
