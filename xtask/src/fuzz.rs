//! Fuzzing with libFuzzer on the stable toolchain: the coverage it needs is had by stable compiler
//! flags.
//!
//! `cargo xtask fuzz [target] [seconds]` runs one target or all, each for so many seconds, from the
//! project's corpus and from what earlier runs found.

mod seeds;

use crate::cargo::{array, cargo, root, text};
use crate::report::{Outcome, ran, say};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

pub(crate) const TARGETS: &[&str] = &[
    "json",
    "compact",
    "header",
    "claims",
    "jwk",
    "jwks",
    "metadata",
    "resource",
    "credential",
    "scope",
    "config",
    "explain",
    "introspection",
    "differential",
    "pattern",
    "cookie",
    "coding",
    "revocation",
    "settings",
    "path",
    "host",
    "forwarded",
    "proofs",
    "logout_token",
    "security_event",
    "client_certificate",
    "ext_authz",
    "websocket",
    "tokens",
    "callback",
];

/// Edge coverage as 8-bit counters, as libFuzzer reads it.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing";

/// One target, or all, for so many seconds each. Tells how often each was run.
pub(crate) fn run(target: Option<&str>, seconds: u32) -> Result<String, String> {
    let targets: Vec<&str> = TARGETS
        .iter()
        .copied()
        .filter(|name| target.is_none_or(|wanted| wanted == *name))
        .collect();
    if targets.is_empty() {
        return Err(format!(
            "there is no such target; there are {}",
            TARGETS.join(", ")
        ));
    }
    build("release")?;
    seed()?;
    let mut told = Vec::new();
    for name in targets {
        say(&format!("fuzz {name}, {seconds} s"));
        told.push(fuzz("release", name, seconds, &[])?);
    }
    Ok(told.join("\n"))
}

/// Every target for so many seconds, two at a time, of a build that is quick rather than fast.
/// Always from the same seed: what a run of CI finds is of the change, not of luck.
pub(crate) fn smoke(seconds: u32) -> Result<String, String> {
    build("smoke")?;
    seed()?;
    let (first, second) = TARGETS.split_at(TARGETS.len() / 2);
    let run = |names: &'static [&str]| -> Result<Vec<String>, String> {
        names
            .iter()
            .map(|name| fuzz("smoke", name, seconds, &["-seed=1"]))
            .collect()
    };
    let told = std::thread::scope(|scope| {
        let beside = scope.spawn(|| run(first));
        let second = run(second);
        let first = beside
            .join()
            .map_err(|_| "a fuzz run panicked".to_owned())?;
        Ok::<_, String>([first?, second?].concat())
    })?;
    Ok(told.join("\n"))
}

fn folder() -> PathBuf {
    root().join("target/fuzz")
}

fn build(profile: &str) -> Result<(), String> {
    let host = host()?;
    let arguments = [
        "build",
        "--profile",
        profile,
        "--bins",
        "--locked",
        "--quiet",
        "--manifest-path",
        "fuzz/Cargo.toml",
        "--target",
        &host,
    ];
    let mut command = cargo(&arguments);
    command
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_TARGET_DIR", folder());
    match ran(command) {
        Outcome::Passed(_) => Ok(()),
        _ => Err("the fuzz targets do not build".to_owned()),
    }
}

/// The machine's own target: with it named, the flags do not reach build scripts.
fn host() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc has no host".to_owned())
}

fn fuzz(profile: &str, name: &str, seconds: u32, more: &[&str]) -> Result<String, String> {
    let binary = folder()
        .join(host()?)
        .join(profile)
        .join("portcullis-fuzz");
    let output = Command::new(binary)
        .env("FUZZ_TARGET", name)
        .arg(folder().join("corpus").join(name))
        .args([
            format!("-max_total_time={seconds}"),
            "-max_len=20000".to_owned(),
            "-timeout=10".to_owned(),
        ])
        .args(["-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
        .args(more)
        .arg(format!(
            "-artifact_prefix={}/",
            folder().join("artifacts").display()
        ))
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("fuzz target `{name}` failed:\n{text}"));
    }
    let runs = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .unwrap_or(" ?");
    Ok(format!("fuzz {name:<13} {:>12} executions", runs.trim()))
}

/// Seeds from the corpus, each target its own kind.
fn seed() -> Result<(), String> {
    std::fs::create_dir_all(folder().join("artifacts")).map_err(|error| error.to_string())?;
    let (tokens, sets) = (corpus("access-tokens.json")?, corpus("jwk-sets.json")?);
    let (headers, scopes) = (
        corpus("authorization-header.json")?,
        corpus("scope-decisions.json")?,
    );
    for row in array(&corpus("introspection-responses.json")?, "vectors") {
        plant(
            "introspection",
            text(row, "id"),
            text(row, "body").as_bytes(),
        )?;
    }
    for row in array(&tokens, "vectors") {
        let (id, token) = (text(row, "id"), text(row, "token"));
        for target in ["compact", "explain", "differential"] {
            plant(target, id, token.as_bytes())?;
        }
    }
    for row in array(&sets, "vectors") {
        let (id, body) = (text(row, "id"), text(row, "body"));
        plant("jwks", id, body.as_bytes())?;
        plant("json", id, body.as_bytes())?;
        let set: Value = serde_json::from_str(body).unwrap_or_default();
        for (index, key) in array(&set, "keys").iter().enumerate() {
            plant("jwk", &format!("{id}-{index}"), key.to_string().as_bytes())?;
        }
    }
    for (index, row) in array(&headers, "vectors").iter().enumerate() {
        let values: Vec<&str> = array(row, "headers")
            .iter()
            .filter_map(|pair| pair.get(1)?.as_str())
            .collect();
        plant(
            "credential",
            &index.to_string(),
            values.join("\n").as_bytes(),
        )?;
    }
    for (index, row) in array(&scopes, "vectors").iter().enumerate() {
        plant("scope", &index.to_string(), text(row, "scope").as_bytes())?;
    }
    written_seeds()?;
    seeds::plant_all()
}

/// A file of the corpus.
fn corpus(name: &str) -> Result<Value, String> {
    let path = root().join("conformance/corpus").join(name);
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Seeds for what the corpus has no rows of.
fn written_seeds() -> Result<(), String> {
    let metadata = r#"{"issuer":"https://idp.example/tenant-a","jwks_uri":"https://idp.example/keys","token_endpoint":"https://idp.example/t"}"#;
    plant("metadata", "good", metadata.as_bytes())?;
    plant(
        "resource",
        "good",
        br#"{"resource":"https://api.example/orders","authorization_servers":["https://idp.example"],"scopes_supported":["a"],"bearer_methods_supported":["header"],"dpop_bound_access_tokens_required":true}"#,
    )?;
    plant(
        "introspection",
        "opaque",
        b"ory_at_2YotnFZFEjr1zCsicMWpAA.x",
    )?;
    plant(
        "header",
        "good",
        br#"{"alg":"ES256","typ":"at+jwt","kid":"k","crit":["x"],"b64":false}"#,
    )?;
    plant("claims", "good", br#"{"iss":"i","sub":"s","aud":["a"],"exp":1.5,"nbf":1,"iat":2,"scope":"a b","scp":["a"],"cnf":{"jkt":"x"}}"#)?;
    plant("config", "good", b"realm = \"api\"\n[[issuer]]\nurl = \"https://idp.example\"\naudience = [\"a\"]\nprofile = \"rfc9068\"\nroles = \"a.b\"\nleeway = 5\nalgorithms = [\"RS256\"]\n[limits]\nkeys = 5\n")?;
    plant("config", "no-name", b"\"\" = 2\n")?;
    for (name, answer) in [
        (
            "plain",
            r#"{"active":true,"iss":"https://idp.example","aud":"api","sub":"s","client_id":"c","exp":1800000060,"iat":1799999999,"jti":"j","scope":"a b","token_type":"Bearer"}"#,
        ),
        (
            "entra",
            r#"{"active":true,"aud":["api"],"tid":"t","oid":"o","azp":"c","idtyp":"app","ver":"2.0","roles":["admin"],"hasgroups":true,"_claim_names":{"groups":"src1"}}"#,
        ),
        (
            "keycloak",
            r#"{"active":true,"aud":"api","typ":"Bearer","azp":"c","realm_access":{"roles":["admin"]},"resource_access":{"api":{"roles":["x"]}},"groups":["/a"]}"#,
        ),
        (
            "cognito",
            r#"{"active":true,"client_id":"api","token_use":"access","cognito:groups":["admin"],"username":"u","sub":"s"}"#,
        ),
        ("inactive", r#"{"active":false}"#),
    ] {
        plant("introspection", name, answer.as_bytes())?;
    }
    plant("scope", "path", br#"resource_access."my.api".roles"#)
}

fn plant(target: &str, name: &str, seed: &[u8]) -> Result<(), String> {
    let folder = folder().join("corpus").join(target);
    let write = || {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("seed-{name}")), seed)
    };
    write().map_err(|error| format!("{}: {error}", folder.display()))
}
