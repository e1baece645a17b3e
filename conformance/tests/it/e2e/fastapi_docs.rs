//! FastAPI's own page of an API's description, for an application guarded by `portcullis-auth`:
//! somebody signs in by its Authorize button, with a code and PKCE, and calls the API.

use super::chromium::Chromium;
use super::process::{Process, free_port, program};
use portcullis_idp::{Idp, IdpConfig};
use std::path::PathBuf;
use std::process::Command;

/// The Python of an environment in which the package is installed.
pub(super) fn python() -> Option<PathBuf> {
    let Some(place) = std::env::var_os("PORTCULLIS_PYTHON_PACKAGE").map(PathBuf::from) else {
        crate::tally::skipped("portcullis-auth is not installed; `cargo xtask test` does it");
        return None;
    };
    Some(if place.is_dir() {
        place.join("python")
    } else {
        place
    })
}

/// The example for FastAPI, with a provider that lets pages on loopback fetch tokens. FastAPI loads Swagger
/// UI from a CDN. Here it comes from the page of `orders-api`, which has its files in the program.
async fn example(python: PathBuf) -> (Idp, [Process; 2], String) {
    let (port, files_port) = (free_port(), free_port());
    let url = format!("http://127.0.0.1:{port}");
    let idp = Idp::start(IdpConfig::default()).await.unwrap();
    let mut files = Command::new(program("orders-api"));
    files
        .env("OAUTH2_ISSUER", idp.issuer().as_str())
        .env("OAUTH2_AUDIENCE", idp.audience())
        .env("DATABASE_URL", "sqlite::memory:")
        .env("LISTEN", format!("127.0.0.1:{files_port}"))
        .env("ADMIN_LISTEN", "127.0.0.1:0");
    let files = Process::start(&mut files);
    files.lines_to("orders at ");

    let app = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../bindings/python/tests/docs_app.py"
    );
    let mut command = Command::new(python);
    command
        .args(["-B", app])
        .env("OAUTH2_ISSUER", idp.issuer().as_str())
        .env("OAUTH2_AUDIENCE", idp.audience())
        .env("SWAGGER_UI", format!("http://127.0.0.1:{files_port}/docs"))
        .env("PORT", port.to_string());
    let process = Process::start(&mut command);
    process.lines_to("docs at ");
    (idp, [files, process], url)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_at_the_page_of_fastapi() {
    let Some(python) = python() else {
        return;
    };
    let Some(mut browser) = Chromium::start().await else {
        return;
    };
    let (idp, _processes, url) = example(python).await;
    assert_eq!(browser.open(&format!("{url}/docs")).await, 200);
    browser.see("Protected Data").await;
    browser.photograph("fastapi-docs").await;

    browser.press("Authorize").await;
    browser.photograph("fastapi-docs-authorize").await;
    browser
        .press_for_window("Apply given OAuth2 credentials")
        .await;
    browser.at(idp.issuer().as_str()).await;
    browser.fill("Username", "alice").await;
    browser.fill("Password", "alice").await;
    browser.press("Sign in").await;
    browser.first_window().await;
    browser.see("Logout").await;
    browser.press("Close").await;

    browser
        .press("GET /protected-data Protected Data")
        .await;
    browser.press("Try it out").await;
    browser.press("Execute").await;
    browser.see("Hello, Alice Adams!").await;
    browser.photograph("fastapi-docs-greeting").await;
    browser.finish().await;
}
