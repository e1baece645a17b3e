//! What docs/idp.md says about tests, as it stands there.

use portcullis_idp::{Endpoint, Fault, Idp, IdpConfig, Overlap};
use std::time::Duration;

#[tokio::test]
async fn the_example_for_tests_is_this_one() {
    let run = async || -> Result<(), Box<dyn std::error::Error>> {
        // begin
        let idp = Idp::start(IdpConfig::default()).await?;
        // `idp.issuer()` and `idp.audience()` go into the application's settings.
        let good = idp.token("alice").scope("orders:read").sign();
        let expired = idp.token("alice").expire().sign();
        let odd = idp
            .token("carol")
            .role("Auditor")
            .claim("tenant", 7)
            .without("email")
            .sign();
        idp.fail(Endpoint::Jwks, Fault::Slow(Duration::from_secs(2)));
        idp.rotate(Overlap::With).await;
        assert_eq!(idp.requests(Endpoint::Jwks), 0);
        // end
        assert!(
            [good, expired, odd]
                .iter()
                .all(|token| token.split('.').count() == 3)
        );
        Ok(())
    };
    run().await.unwrap();
    let here = include_str!("documented.rs");
    let (_, example) = here.split_once("// begin\n").unwrap();
    let (example, _) = example.split_once("        // end").unwrap();
    let example: String = example
        .lines()
        .map(|line| format!("{}\n", line.trim_start()))
        .collect();
    let guide = include_str!("../../../../docs/idp.md");
    assert!(
        guide.contains(&format!("```rust\n{example}```")),
        "{example}"
    );
}
