//! `portcullis revoke` against a real Redis, with a resource server that follows it.

use super::command::{portcullis, text};
use super::redis::Redis;
use portcullis::{Config, ResourceServer, Settings};
use portcullis_core::credential::Credential;
use portcullis_core::proof::Thumbprint;
use portcullis_idp::{Idp, IdpConfig};
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

const PASSWORD: &str = "marked-store-password";

struct RevocationSetup {
    redis: Redis,
    idp: Idp,
    server: ResourceServer,
    url: String,
}

impl RevocationSetup {
    async fn new() -> Option<Self> {
        let plain = |_: &Path, port: u16| {
            ["--port", &port.to_string(), "--requirepass", PASSWORD]
                .map(str::to_owned)
                .to_vec()
        };
        let redis = Redis::start("revoke", plain)?;
        let idp = Idp::start(IdpConfig::default()).await.unwrap();
        let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port);
        let settings = format!(
            "[[issuer]]\nurl = \"{}\"\naudience = [\"{}\"]\n[revocation]\nstore = \"{url}\"\n",
            idp.issuer(),
            idp.audience()
        );
        let settings = Settings::try_from(Config::from_toml(&settings).unwrap()).unwrap();
        Some(Self {
            redis,
            idp,
            server: ResourceServer::with_settings(settings),
            url,
        })
    }

    async fn decide(&self, token: &str) -> String {
        match self
            .server
            .authenticate(Credential::bearer(token))
            .await
        {
            Ok(_) => "allow".to_owned(),
            Err(portcullis::Denial::Rejection(rejection)) => rejection.code().to_string(),
            Err(portcullis::Denial::Outage(outage)) => outage.code().to_string(),
        }
    }

    /// The command, with the store and the issuer from the environment; it shows no password.
    fn revoke(&self, arguments: &[&str]) -> Output {
        let issuer = self.idp.issuer().to_string();
        let environment = [
            ("PORTCULLIS_STORE", self.url.as_str()),
            ("OAUTH2_ISSUER", issuer.as_str()),
            ("RUST_LOG", "trace"),
        ];
        let output = portcullis(&[&["revoke"], arguments].concat(), &environment);
        for shown in [&output.stdout, &output.stderr] {
            assert!(!text(shown).contains("marked"), "{}", text(shown));
        }
        output
    }

    /// Asserts that a token is refused soon; the bound is generous.
    async fn is_soon_revoked(&self, token: &str) -> Duration {
        let began = Instant::now();
        while self.decide(token).await != "token.revoked" {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the token to be refused"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        began.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_revokes_a_running_server_refuses() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let token = |number: u32| {
        let token = world
            .idp
            .token("alice")
            .claim("jti", format!("jti-{number}"));
        token
            .claim("sid", format!("sid-{number}"))
            .claim("client_id", format!("client-{number}"))
            .sign()
    };
    let tokens = [token(0), token(1), token(2), token(3)];
    for token in &tokens {
        assert_eq!(world.decide(token).await, "allow");
    }
    let file = world.redis.folder.join("token");
    std::fs::write(&file, format!("Authorization: Bearer {}\n", tokens[0])).unwrap();
    for (arguments, token) in [
        (["--token-file", file.to_str().unwrap()], &tokens[0]),
        (["--jti", "jti-1"], &tokens[1]),
        (["--session", "sid-2"], &tokens[2]),
        (["--client", "client-3"], &tokens[3]),
    ] {
        let output = world.revoke(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let page = text(&output.stdout);
        assert!(
            page.contains("revoked ")
                && page.contains("still valid")
                && page.lines().all(|line| line.chars().count() <= 80),
            "{page}"
        );
        assert!(!page.contains(&tokens[0][..40]), "the token is not shown");
        println!(
            "refused within {:?} of the command's end",
            world.is_soon_revoked(token).await
        );
    }
    let other = world.idp.token("alice").sign();
    assert_eq!(world.decide(&other).await, "allow");
    let json = world.revoke(&[
        "--json",
        "--subject",
        "user-alice",
        "--since",
        "2020-01-01T00:00:00Z",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&json["kind"], &json["since"]),
        (&"subject".into(), &1_577_836_800_i64.into())
    );
    let listed = world.revoke(&["--list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 5, "{listed}");
    assert_eq!(listed[4], json);
    // A line for each, and one for where it comes from.
    let list = text(&world.revoke(&["--list"]).stdout);
    assert_eq!(list.lines().count(), 11);
    assert_eq!(list.matches("  operator, ").count(), 5, "{list}");
    assert_eq!(world.decide(&other).await, "allow", "it was issued later");
}

/// A stolen key ends the tokens that are bound to it, whoever issued them; other users keep theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_key_is_revoked_by_its_thumbprint() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let thumbprint = Thumbprint::from_bytes([7; 32]).to_string();
    let bound = world
        .idp
        .token("alice")
        .bound_to_key(&thumbprint)
        .sign();
    // Without its proof a bound token is refused in any case; revocation comes first.
    assert_eq!(world.decide(&bound).await, "proof.missing");
    let output = world.revoke(&["--thumbprint", &thumbprint]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = text(&output.stdout);
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = format!("revoked all tokens that are bound to the key `{thumbprint}` issuer any");
    assert!(flat.contains(&told), "{page}");
    assert!(
        page.lines().all(|line| line.chars().count() <= 80),
        "{page}"
    );
    world.is_soon_revoked(&bound).await;
    let other = world.idp.token("bob").sign();
    assert_eq!(world.decide(&other).await, "allow");
    let listed = text(&world.revoke(&["--list"]).stdout);
    assert!(
        listed.contains("key:") && listed.contains("any time"),
        "{listed}"
    );
    let wrong = world.revoke(&["--thumbprint", "AAAA"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("`cnf.jkt`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_cannot_do() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let issuer = world.idp.issuer().to_string();
    let nameless = world.redis.folder.join("nameless");
    std::fs::write(&nameless, world.idp.token("alice").without("jti").sign()).unwrap();
    let nameless = nameless.to_str().unwrap();
    let file = world.redis.folder.join("junk");
    std::fs::write(&file, "marked.junk").unwrap();
    for (arguments, exit, told) in [
        (vec![], 1, "--subject"),
        (vec!["--subject", ""], 1, "empty"),
        (
            vec!["--subject", "a", "--session", "b"],
            1,
            "cannot be used with",
        ),
        (
            vec!["--session", "a", "--since", "1"],
            1,
            "cannot be used with",
        ),
        (
            vec!["--subject", "a", "--since", "2100-01-01T00:00:00Z"],
            1,
            "future",
        ),
        (
            vec!["--subject", "a", "--store", "redis://127.0.0.1:1"],
            4,
            "outage.revocation",
        ),
        (
            vec!["--subject", "a", "--store", "http://marked@127.0.0.1"],
            1,
            "redis://",
        ),
        (
            vec!["--token-file", file.to_str().unwrap()],
            2,
            "token.malformed",
        ),
        (vec!["--token-file", nameless], 2, "`jti`"),
        (
            vec!["--token-file", "/nowhere/at/all"],
            1,
            "/nowhere/at/all",
        ),
    ] {
        let output = world.revoke(&arguments);
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(
            text(&output.stderr).contains(told),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
    let storeless = portcullis(
        &["revoke", "--subject", "a"],
        &[("OAUTH2_ISSUER", issuer.as_str())],
    );
    assert!(
        storeless.status.code() == Some(1) && text(&storeless.stderr).contains("PORTCULLIS_STORE")
    );
}

/// A token that is at hand is revoked for what it is: its issuer's, by the signature.
#[tokio::test(flavor = "multi_thread")]
async fn an_invented_token_revokes_nobody_elses() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let write = |name: &str, text: &str| {
        let file = world.redis.folder.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let victim = world.idp.token("alice").claim("jti", "victims-jti");
    let victim = victim.sign();
    // The same name, by somebody with another key, and with an end in two thousand years.
    let forger = Idp::start(IdpConfig::default()).await.unwrap();
    let forged = forger
        .token("mallory")
        .claim("iss", world.idp.issuer().to_string())
        .claim("jti", "victims-jti")
        .claim("exp", 64_000_000_000_i64)
        .sign();
    let (forged, foreign) = (
        write("forged", &forged),
        write("foreign", &forger.token("mallory").sign()),
    );
    for (file, told) in [
        (&forged, "nothing was revoked"),
        (&foreign, "expected a token of the issuer"),
    ] {
        let output = world.revoke(&["--token-file", file]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(text(&world.revoke(&["--list"]).stdout).lines().count(), 1);
    assert_eq!(world.decide(&victim).await, "allow");
    let output = world.revoke(&["--json", "--token-file", &write("own", &victim)]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["verified"], true, "{json}");
    world.is_soon_revoked(&victim).await;
}

/// A provider that is down must not keep a leaked token alive; the page says what is not known.
#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_token_is_revoked_and_called_unverified() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let token = |exp: i64| {
        let token = world.idp.token("alice").claim("jti", "j-1");
        let token = token.claim("iss", "http://127.0.0.1:1");
        token.claim("exp", exp).sign()
    };
    let file = world.redis.folder.join("token");
    std::fs::write(&file, token(64_000_000_000)).unwrap();
    let arguments = ["--token-file", file.to_str().unwrap()];
    for more in [&["--issuer", "http://127.0.0.1:1"][..], &["--json"]] {
        let environment = [("PORTCULLIS_STORE", world.url.as_str())];
        let output = portcullis(&[&["revoke"], &arguments[..], more].concat(), &environment);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let told = said.contains("not verified: ") || said.contains("\"verified\": false");
        assert!(told, "{said}");
        // Ten years, not two thousand.
        assert!(!said.contains("kept until   3998"), "{said}");
        assert!(!said.contains("\"until\": 6400000"), "{said}");
    }
}

/// The settings of a server name the store and the issuer, so the command needs no more.
#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_server_are_enough() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let (settings, url) = (
        world.redis.folder.join("portcullis.toml"),
        world.redis.folder.join("url"),
    );
    std::fs::write(&url, format!("{}\n", world.url)).unwrap();
    let text_of_settings = format!(
        "[[issuer]]\nurl = \"{}\"\naudience = [\"a\"]\n[revocation]\nstore_url_file = \"{}\"\n",
        world.idp.issuer(),
        url.display()
    );
    std::fs::write(&settings, text_of_settings).unwrap();
    let token = world.idp.token("alice").claim("sid", "s-1").sign();
    assert_eq!(world.decide(&token).await, "allow");
    let output = portcullis(
        &[
            "revoke",
            "--config",
            settings.to_str().unwrap(),
            "--session",
            "s-1",
        ],
        &[],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    world.is_soon_revoked(&token).await;
}

/// `explain` asks the store as a server does; with a key set from a file it asks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn explain_knows_what_was_revoked() {
    let Some(world) = RevocationSetup::new().await else {
        return;
    };
    let (issuer, keys) = (
        world.idp.issuer().to_string(),
        world.redis.folder.join("jwks.json"),
    );
    std::fs::write(&keys, world.idp.jwks()).unwrap();
    let token = world.idp.token("alice").claim("sid", "s-1").sign();
    world.revoke(&["--session", "s-1"]);
    let environment = |store| {
        [
            ("PORTCULLIS_STORE", store),
            ("OAUTH2_ISSUER", issuer.as_str()),
            ("OAUTH2_AUDIENCE", world.idp.audience()),
        ]
    };
    let explained = portcullis(&["explain", &token], &environment(&world.url));
    assert_eq!(
        explained.status.code(),
        Some(2),
        "{}",
        text(&explained.stderr)
    );
    assert!(
        text(&explained.stdout).contains("refused: token.revoked"),
        "{}",
        text(&explained.stdout)
    );
    let away = portcullis(&["explain", &token], &environment("redis://127.0.0.1:1"));
    assert_eq!(away.status.code(), Some(4), "{}", text(&away.stdout));
    let offline = ["explain", "--jwks", keys.to_str().unwrap(), &token];
    assert_eq!(
        portcullis(&offline, &environment("redis://127.0.0.1:1"))
            .status
            .code(),
        Some(0)
    );
}

/// Over TLS: with the certificate among the trusted ones it works, without it is an outage.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_behind_tls_is_reached_if_its_certificate_is_trusted() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let with_tls = |folder: &Path, port: u16| {
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, certified.cert.pem()).unwrap();
        std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
        let [certificate, key] = [certificate, key].map(|path| path.to_str().unwrap().to_owned());
        let ca = certificate.clone();
        let port = port.to_string();
        [
            "--port",
            "0",
            "--tls-port",
            &port,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
        ]
        .into_iter()
        .chain(["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"])
        .map(str::to_owned)
        .collect()
    };
    let Some(redis) = Redis::start("tls", with_tls) else {
        return;
    };
    let url = format!("rediss://localhost:{}", redis.port);
    let trusted = redis.folder.join("certificate.pem");
    let environment = [
        ("PORTCULLIS_STORE", url.as_str()),
        ("OAUTH2_ISSUER", "https://idp.example"),
        ("SSL_CERT_FILE", trusted.to_str().unwrap()),
    ];
    let done = portcullis(&["revoke", "--subject", "alice"], &environment);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let listed = portcullis(&["revoke", "--list", "--json"], &environment);
    assert!(
        text(&listed.stdout).contains("subject:"),
        "{}",
        text(&listed.stderr)
    );
    let stranger = portcullis(&["revoke", "--subject", "alice"], &environment[..2]);
    assert_eq!(
        stranger.status.code(),
        Some(4),
        "{}",
        text(&stranger.stdout)
    );
    assert!(
        text(&stranger.stderr).contains("certificate"),
        "{}",
        text(&stranger.stderr)
    );
}
