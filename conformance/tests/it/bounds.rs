//! How much a token can make us allocate, counted.

use allocation_counter::{AllocationInfo, measure};
use portcullis_core::credential::Credential;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_core::{Decision, Requirement};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::{ResourceServer, Revocation, Settings};
use portcullis_testkit::CorpusVerifier;
use portcullis_testkit::corpus::{document, rows};

/// A token that was verified before costs no allocation beyond the copy that goes to the caller,
/// which is shared.
#[test]
fn a_known_token_allocates_at_most_twice() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let idp = runtime
        .block_on(Idp::start(IdpConfig::default()))
        .unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let token = idp.token("alice").sign();
    runtime
        .block_on(server.authenticate(Credential::bearer(&token)))
        .unwrap();
    // Counted on this thread only: the decision never leaves it when the token is known.
    let decide = || {
        drop(
            runtime
                .block_on(server.authenticate(Credential::bearer(&token)))
                .unwrap(),
        );
    };
    decide();
    let runtime_only = measure(|| runtime.block_on(async {})).count_total;
    let AllocationInfo { count_total, .. } = measure(decide);
    assert!(
        count_total - runtime_only <= 2,
        "{count_total} allocations, of which {runtime_only} are the runtime's"
    );
    println!("known token: {} allocations", count_total - runtime_only);
}

/// What a remembered token costs in memory: its claims, read, at less than twice the length of the
/// token.
#[test]
fn a_remembered_token_takes_less_than_twice_its_length() {
    const TOKENS: usize = 200;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let idp = runtime
        .block_on(Idp::start(IdpConfig::default()))
        .unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let filler = "some forty characters of an ordinary value";
    let token = |number: usize| {
        let token = idp
            .token("alice")
            .scope("orders:read")
            .claim("n", number);
        (0..5)
            .fold(token, |token, number| {
                token.claim(&format!("claim_{number}"), filler)
            })
            .sign()
    };
    let tokens: Vec<String> = (0..=TOKENS).map(token).collect();
    let know = |token: &String| {
        let token = runtime
            .block_on(server.authenticate(Credential::bearer(token)))
            .unwrap();
        assert_eq!(token.identity().scopes().to_string(), "orders:read");
    };
    know(&tokens[TOKENS]);
    let held = measure(|| tokens[..TOKENS].iter().for_each(know)).bytes_current;
    let (each, length) = (usize::try_from(held).unwrap() / TOKENS, tokens[0].len());
    println!("a remembered token of {length} bytes: {each} bytes");
    assert!(each <= length * 2, "{each} bytes for a token of {length}");
}

/// Neither do a thousand revocations, just after one of them came.
#[test]
fn a_known_token_allocates_no_more_when_much_is_revoked() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let idp = runtime
        .block_on(Idp::start(IdpConfig::default()))
        .unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let token = idp.token("alice").sign();
    let revoke = |number: u32| {
        runtime
            .block_on(server.revoke(revocation(idp.issuer(), number)))
            .unwrap();
    };
    (0..1_000).for_each(revoke);
    let decide = || {
        drop(
            runtime
                .block_on(server.authenticate(Credential::bearer(&token)))
                .unwrap(),
        );
    };
    decide();
    revoke(1_000);
    let runtime_only = measure(|| runtime.block_on(async {})).count_total;
    let AllocationInfo { count_total, .. } = measure(decide);
    assert!(count_total - runtime_only <= 2, "{count_total} allocations");
}

/// What a revocation costs in memory: 100 bytes at most, the tables' spare places counted.
#[test]
fn a_revocation_takes_at_most_a_hundred_bytes() {
    let settings = Settings::new("https://idp.example", "api").unwrap();
    let (server, issuer) = (
        ResourceServer::with_settings(settings),
        Issuer::parse("https://idp.example").unwrap(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut held = 0;
    for most in [1_000_u32, 60_000, 300_000, 1_000_000] {
        // Each step adds to what the last one left.
        let spent = measure(|| {
            runtime.block_on(async {
                for number in 0..most {
                    server
                        .revoke(revocation(&issuer, number))
                        .await
                        .unwrap();
                }
            });
        });
        held += spent.bytes_current;
        let each = held / i64::from(most);
        println!("{most} revocations: {each} bytes each");
        assert_eq!(
            server.status().revocation.entries,
            usize::try_from(most).unwrap()
        );
        assert!(each <= 100, "{most} revocations take {each} bytes each");
    }
}

fn revocation(issuer: &Issuer, number: u32) -> Revocation {
    Revocation::token(
        issuer,
        &format!("token {number}"),
        NumericDate::from_seconds(4_000_000_000),
    )
}

/// The whole decision, counted and timed, costs no more than the token it verifies.
#[test]
fn a_whole_decision_allocates_no_more_than_its_token() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let idp = runtime
        .block_on(Idp::start(IdpConfig::default()))
        .unwrap();
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience()).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert(
        "authorization",
        format!("Bearer {}", idp.token("alice").sign())
            .parse()
            .unwrap(),
    );
    let decide = || {
        let decision = runtime.block_on(server.decide(&headers, None, &Requirement::ValidToken));
        assert!(matches!(decision, Decision::Allow(_)));
    };
    decide();
    let runtime_only = measure(|| runtime.block_on(async {})).count_total;
    let AllocationInfo { count_total, .. } = measure(decide);
    assert!(count_total - runtime_only <= 2, "{count_total} allocations");
    println!(
        "decision on a known token: {} allocations",
        count_total - runtime_only
    );
}

/// The worst token of the corpus against the limit on a token's length: memory stays in proportion.
#[test]
fn no_token_makes_us_allocate_out_of_proportion() {
    let document = document("access-tokens.json");
    let line = CorpusVerifier::strict();
    let mut worst = (0, String::new());
    for row in rows(&document) {
        let token = row["token"].as_str().unwrap();
        let spent = measure(|| drop(line.verify(token))).bytes_max;
        if spent > worst.0 {
            worst = (spent, row["id"].to_string());
        }
    }
    // A member of six bytes becomes a name, a value and its place.
    println!("worst token: {} takes {} bytes at once", worst.1, worst.0);
    assert!(worst.0 < 8 * 16_384, "{} takes {} bytes", worst.1, worst.0);
}

/// The shapes of JSON that hold the most in the fewest bytes, as many as a token may have: never
/// more than ten times the longest token.
#[test]
fn no_shape_of_claims_makes_us_allocate_out_of_proportion() {
    let line = CorpusVerifier::strict();
    let part = |json: &str| portcullis_core::jose::base64url::encode(json.as_bytes());
    for piece in [
        "{\"a\":1}",
        "{\"a\":1,\"b\":1}",
        "{}",
        "[1]",
        "[1,1]",
        "[]",
        "1",
        "\"\"",
        "\"\\n\"",
        "{\"a\":[1]}",
    ] {
        for values in [1_998, 5_000] {
            let per_piece = piece.matches(['1', '{', '[']).count().max(1);
            let pieces =
                vec![piece; (values / per_piece).min(12_000 / (piece.len() + 1))].join(",");
            let token = format!(
                "{}.{}.AAAA",
                part(r#"{"alg":"RS256"}"#),
                part(&format!("{{\"x\":[{pieces}]}}"))
            );
            assert!(token.len() <= 16_384, "{}", token.len());
            let spent = measure(|| drop(line.verify(&token))).bytes_max;
            println!(
                "{} bytes of {piece} take {spent} bytes at once",
                token.len()
            );
            assert!(
                spent < 10 * 16_384,
                "{} bytes of {piece} take {spent} bytes",
                token.len()
            );
        }
    }
}
