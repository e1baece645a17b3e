//! A decision in a running server: a known token, a fresh one, none; and an axum service with and
//! without them.
//!
//! The ratios come first, from rounds in which all take turns; criterion's figures follow.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench prints, and stops when something is wrong"
)]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use criterion::{Criterion, criterion_group, criterion_main};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use metrics_exporter_prometheus::PrometheusBuilder;
use portcullis::{AuthorizedCaller, Config, Decision, Requirement, ResourceServer, Settings};
use portcullis_core::credential::Credential;
use portcullis_idp::{Idp, IdpConfig};
use std::cell::Cell;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// A server with many tokens: all of them known, or none.
struct DecideBench {
    runtime: Runtime,
    app: Router,
    remembering: ResourceServer,
    forgetful: ResourceServer,
    /// Remembers, and has somebody to count for.
    counted: ResourceServer,
    tokens: Vec<String>,
    next: Cell<usize>,
}

impl DecideBench {
    fn new(tokens: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let idp = runtime
            .block_on(Idp::start(IdpConfig::default()))
            .unwrap();
        let server = |remembered: usize| {
            let text = format!(
                "remembered_tokens = {remembered}\n[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n",
                idp.issuer(),
                idp.audience()
            );
            ResourceServer::with_settings(
                Settings::try_from(Config::from_toml(&text).unwrap()).unwrap(),
            )
        };
        let (remembering, forgetful) = (server(20_000), server(0));
        let recorder = PrometheusBuilder::new().build_recorder();
        let counted = metrics::with_local_recorder(&recorder, || server(20_000));
        let token = |number| {
            (0..8).fold(
                idp.token("alice")
                    .scope("orders:read")
                    .claim("n", number),
                |token, number| {
                    token.claim(
                        &format!("claim_{number}"),
                        "some forty characters of an ordinary value",
                    )
                },
            )
        };
        let tokens: Vec<String> = (0..tokens)
            .map(|number| token(number).sign())
            .collect();
        for token in &tokens {
            runtime
                .block_on(remembering.authenticate(Credential::bearer(token)))
                .unwrap();
            runtime
                .block_on(counted.authenticate(Credential::bearer(token)))
                .unwrap();
        }
        runtime
            .block_on(forgetful.authenticate(Credential::bearer(&tokens[0])))
            .unwrap();
        let hello = async |caller: AuthorizedCaller| caller.name().len().to_string();
        let app = Router::new()
            .route("/open", get(async || "11"))
            .route("/known", get(hello).with_state(remembering.clone()))
            .route("/fresh", get(hello).with_state(forgetful.clone()));
        Self {
            runtime,
            app,
            remembering,
            forgetful,
            counted,
            tokens,
            next: Cell::new(0),
        }
    }

    fn token(&self) -> &str {
        let next = (self.next.get() + 1) % self.tokens.len();
        self.next.set(next);
        &self.tokens[next]
    }

    /// One call after another, on one thread.
    fn decide(&self, server: &ResourceServer, calls: u64) -> Duration {
        self.runtime.block_on(async {
            let began = Instant::now();
            for _ in 0..calls {
                server
                    .authenticate(Credential::bearer(self.token()))
                    .await
                    .unwrap();
            }
            began.elapsed()
        })
    }

    /// The whole decision, from headers that are there already.
    fn decide_whole(&self, server: &ResourceServer, calls: u64) -> Duration {
        let mut headers = HeaderMap::new();
        headers.insert(
            AUTHORIZATION,
            format!("Bearer {}", self.token()).parse().unwrap(),
        );
        self.runtime.block_on(async {
            let began = Instant::now();
            for _ in 0..calls {
                let decision = server
                    .decide(&headers, None, &Requirement::ValidToken)
                    .await;
                assert!(matches!(decision, Decision::Allow(_)));
            }
            began.elapsed()
        })
    }

    fn call(&self, path: &str, calls: u64) -> Duration {
        self.runtime.block_on(async {
            let mut spent = Duration::ZERO;
            for _ in 0..calls {
                let request =
                    Request::get(path).header("authorization", format!("Bearer {}", self.token()));
                let (request, app) = (request.body(Body::empty()).unwrap(), self.app.clone());
                let began = Instant::now();
                assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
                spent += began.elapsed();
            }
            spent
        })
    }
}

fn ratios(_: &mut Criterion) {
    let (hot, spread) = (DecideBench::new(1), DecideBench::new(10_000));
    let mut rounds: [Vec<f64>; 8] = Default::default();
    for _ in 0..41 {
        let micros = |took: Duration, calls: u32| took.as_secs_f64() * 1e6 / f64::from(calls);
        let row = [
            micros(hot.decide(&hot.remembering, 2_000), 2_000),
            micros(spread.decide(&spread.remembering, 2_000), 2_000),
            micros(hot.decide(&hot.forgetful, 200), 200),
            micros(hot.decide_whole(&hot.remembering, 2_000), 2_000),
            micros(hot.decide_whole(&hot.counted, 2_000), 2_000),
            micros(hot.call("/open", 500), 500),
            micros(hot.call("/known", 500), 500),
            micros(hot.call("/fresh", 200), 200),
        ];
        rounds
            .iter_mut()
            .zip(row)
            .for_each(|(round, value)| round.push(value));
    }
    let [
        known,
        known_spread,
        fresh,
        whole,
        counted,
        open,
        api_known,
        api_fresh,
    ] = rounds.map(median);
    println!("\nverify a known token              {known:>8.2} us");
    println!("verify a known token, of 10,000   {known_spread:>8.2} us");
    println!("decide, known token               {whole:>8.2} us");
    println!(
        "decide, known token, and count it {counted:>8.2} us   {:>6.2} more",
        counted - whole
    );
    println!("verify a fresh RS256 token        {fresh:>8.2} us");
    println!("axum, open                        {open:>8.2} us");
    println!(
        "axum, known token                 {api_known:>8.2} us   {:>6.2} more than open",
        api_known - open
    );
    println!(
        "axum, fresh RS256 token           {api_fresh:>8.2} us   {:>6.2} more than open\n",
        api_fresh - open
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn singly(criterion: &mut Criterion) {
    let world = DecideBench::new(1);
    criterion.bench_function("known token", |bencher| {
        bencher.iter_custom(|calls| world.decide(&world.remembering, calls));
    });
    criterion.bench_function("fresh RS256 token", |bencher| {
        bencher.iter_custom(|calls| world.decide(&world.forgetful, calls));
    });
    for path in ["/open", "/known", "/fresh"] {
        criterion.bench_function(&format!("axum {path}"), |bencher| {
            bencher.iter_custom(|calls| world.call(path, calls));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(300));
    targets = ratios, singly
}
criterion_main!(benches);
