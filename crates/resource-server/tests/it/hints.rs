//! The usual mistakes, each told for what it is.

use crate::setup::server;
use portcullis_testkit::ResourceServerSetup;

async fn hint(world: &ResourceServerSetup, issuer: Option<&str>, token: &str) -> String {
    let explanation = match issuer {
        Some(issuer) => server(issuer, &world.clock).explain(token).await,
        None => world.server.explain(token).await,
    };
    explanation.hint.unwrap_or_default()
}

#[tokio::test]
async fn the_usual_mistakes_are_recognised() {
    let world = ResourceServerSetup::new().await;
    let (idp, issuer) = (&world.idp, world.idp.issuer().to_string());
    let good = idp.token("alice").sign();
    let with_slash = format!("{issuer}/");
    let cut = |characters: usize| good.get(..good.len() - characters).unwrap().to_owned();
    let cut_at_dot = good.split('.').next().unwrap();
    let cases = [
        (
            None,
            idp.token("alice").id_token().sign(),
            "this is an ID token",
        ),
        (
            None,
            idp.token("alice")
                .typ(Some("JWT"))
                .claim("events", 1)
                .sign(),
            "logout token",
        ),
        (None, "2YotnFZFEjr1zCsicMWpAA".to_owned(), "opaque token"),
        (None, String::new(), "no token"),
        (None, cut(41), "cut at the end"),
        // What is left of the signature is base64url as well.
        (
            None,
            cut(good.rsplit_once('.').unwrap().1.len() % 4 + 40),
            "cut at the end",
        ),
        (
            None,
            good.rsplit_once('.').unwrap().0.to_owned(),
            "the signature is missing",
        ),
        (None, cut_at_dot.repeat(2), "cut at a dot"),
        (None, "ey.a.b.c.d".to_owned(), "encrypted"),
        (
            None,
            idp.token("alice").hmac_with_public_key().sign(),
            "shared secret",
        ),
        (None, idp.token("alice").alg_none().sign(), "nobody signed"),
        (
            None,
            idp.token("alice").audience("web").sign(),
            "meant for the client itself",
        ),
        (
            None,
            idp.token("alice").audience("enterprise-api").sign(),
            "differ by `api://`",
        ),
        (
            None,
            idp.token("alice").claim("iat", 1_800_000_300).sign(),
            "300 s ahead",
        ),
        (
            None,
            idp.token("alice").claim("exp", 1_799_999_900).sign(),
            "it ended 100 s ago",
        ),
        (
            None,
            idp.token("alice").kid("old").sign(),
            "does not publish this key",
        ),
        (
            Some(with_slash.as_str()),
            good.clone(),
            "has no final slash",
        ),
        (
            None,
            idp.token("alice").issuer(&with_slash).sign(),
            "has a final slash",
        ),
        (
            Some("https://login.microsoftonline.com/t/v2.0"),
            idp.token("alice")
                .issuer("https://sts.windows.net/t/")
                .sign(),
            "v1 token of Entra",
        ),
        (
            Some("https://sts.windows.net/t/"),
            idp.token("alice")
                .issuer("https://login.microsoftonline.com/t/v2.0")
                .sign(),
            "v2 token of Entra",
        ),
        (
            Some("https://idp.example/T"),
            idp.token("alice").issuer("https://idp.example/t").sign(),
            "lower case",
        ),
        (None, good, ""),
    ];
    for (issuer, token, expected) in cases {
        let hint = hint(&world, issuer, &token).await;
        assert!(
            hint.contains(expected) && hint.is_empty() == expected.is_empty(),
            "{expected}: {hint}"
        );
    }
}
