//! `portcullis dev`: the identity provider and the enterprise API on loopback, and a page of lines to try.

use crate::args::DevArguments;
use crate::command::idp::configured;
use crate::exit::{Exit, Failure};
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, print, styled};
use portcullis_idp::{Dialect, Idp, TokenFormat};
use portcullis_resource_server::{ClaimScalar, Config, IssuerConfig, OneOrMore, ResourceServer, Settings};
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) async fn run(arguments: DevArguments) -> Result<Exit, Failure> {
    let mut config = configured(arguments.config.as_deref(), arguments.dialect)?;
    config.free_port_if_taken = true;
    // The example verifies JWTs; whoever wants opaque tokens says so in the settings.
    config.access_token_format = config.access_token_format.or(Some(TokenFormat::Jwt));
    let defaults = arguments.config.is_none();
    let idp = Idp::start(config).await?;
    let server = ResourceServer::with_settings(Settings::try_from(trusting(&idp))?);
    server.start();
    let listener = listener().await?;
    let api = format!("http://{}", listener.local_addr()?);
    print(&page(&Told::of(&idp, &api), defaults))?;
    let stop = async { _ = tokio::signal::ctrl_c().await };
    let serving = axum::serve(listener, enterprise_api::app(server)).with_graceful_shutdown(stop);
    tokio::select! {
        served = serving => served?,
        () = grace_is_over() => {}
    }
    drop(idp);
    print(&format!("\n  {}\n", styled(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// The settings of an API that trusts this provider.
fn trusting(idp: &Idp) -> Config {
    let condition = idp.dialect().condition();
    let condition = condition
        .map(|(claim, value)| (claim.to_owned(), OneOrMore::One(ClaimScalar::Text(value.to_owned()))));
    let issuer = IssuerConfig {
        url: idp.issuer().to_string(),
        audience: idp.audiences(),
        profile: Some(idp.dialect().profile().to_owned()),
        claims: condition.into_iter().collect(),
        ..IssuerConfig::default()
    };
    Config { issuer: vec![issuer], ..Config::default() }
}

/// Some time after Ctrl-C: whoever still holds a connection has had it.
async fn grace_is_over() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The usual port, or any free one.
async fn listener() -> Result<TcpListener, Failure> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 8000)).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
        }
        other => Ok(other?),
    }
}

/// What the page is about.
struct Told {
    base: String,
    issuer: String,
    audience: String,
    api: String,
    dialect: Dialect,
}

impl Told {
    fn of(idp: &Idp, api: &str) -> Self {
        Self {
            base: idp.base().to_owned(),
            issuer: idp.issuer().to_string(),
            audience: idp.audiences().join(","),
            api: api.to_owned(),
            dialect: idp.dialect(),
        }
    }
}

fn page(told: &Told, defaults: bool) -> String {
    let mut page = format!(
        "\n  {}\n\n",
        styled(STRONG, "Portcullis: an identity provider and a protected API, on this machine")
    );
    let mut facts = vec![
        ("identity provider", told.issuer.as_str()),
        ("enterprise API", &told.api),
        ("audience", &told.audience),
    ];
    if told.dialect != Dialect::Generic {
        facts.insert(1, ("it imitates", told.dialect.name()));
    }
    for (name, value) in facts {
        page.push_str(&format!("  {}  {value}\n", styled(QUIET, &format!("{name:<17}"))));
    }
    page.push_str(&format!(
        "\n  {}\n",
        styled(WARNING, "For development only: known passwords, and tokens for whoever asks.")
    ));
    if !defaults {
        let hint = "Users and clients come from your file; put their names into these lines.";
        page.push_str(&format!("\n  {}\n", styled(QUIET, hint)));
    }
    tokens(&mut page, told);
    calls(&mut page, told);
    explaining(&mut page, told);
    page.push_str(&format!("\n  {}\n", styled(QUIET, "Ctrl-C stops both.")));
    page
}

fn tokens(page: &mut String, told: &Told) {
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(STRONG, "Get tokens: a service by client credentials, alice (Admin), bob (no role)")
    ));
    for line in [
        format!("IDP={} API={}", told.base, told.api),
        "SERVICE=$(curl -s $IDP/token -u service:service-secret \\".to_owned(),
        "  -d grant_type=client_credentials |".to_owned(),
        "  sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')".to_owned(),
        "ALICE=$(curl -s $IDP/dev/token -d user=alice)".to_owned(),
        "BOB=$(curl -s $IDP/dev/token -d user=bob)".to_owned(),
    ] {
        page.push_str(&format!("      {line}\n"));
    }
}

fn calls(page: &mut String, told: &Told) {
    let last = if told.dialect.tells_roles() { ALICE } else { ALICE_WITHOUT_ROLES };
    page.push_str(&format!("\n  {}\n\n", styled(STRONG, "Call the API, and see the answer to expect")));
    for (status, what, token, path) in CALLS.iter().chain([&last]) {
        let style = if *status == 200 { GOOD } else { BAD };
        let header = token.map_or(String::new(), |token| format!(" -H \"Authorization: Bearer ${token}\""));
        page.push_str(&format!("  {} {what}\n", styled(style, &status.to_string())));
        page.push_str(&format!("      curl -si{header} $API{path}\n"));
    }
}

fn explaining(page: &mut String, told: &Told) {
    if told.dialect.condition().is_some() {
        return; // it takes a file: a claim that must be demanded does not go into the environment
    }
    page.push_str(&format!("\n  {}\n\n", styled(STRONG, "See why a token is accepted or refused")));
    page.push_str(&format!("      export OAUTH2_ISSUER={}\n", told.issuer));
    page.push_str(&format!("      export OAUTH2_AUDIENCE={}\n", told.audience));
    if told.dialect != Dialect::Generic {
        page.push_str(&format!("      export OAUTH2_PROFILE={}\n", told.dialect.profile()));
    }
    // Who came by `cargo run` has no `portcullis` on the path yet.
    let portcullis =
        if std::env::var_os("CARGO").is_some() { "cargo run -q --release --" } else { "portcullis" };
    page.push_str(&format!("      {portcullis} explain $BOB\n"));
}

type Call = (u16, &'static str, Option<&'static str>, &'static str);

/// The answer, why, whose token, and the endpoint.
const CALLS: &[Call] = &[
    (200, "anyone may read public data", None, "/public-data"),
    (401, "protected data needs a token", None, "/protected-data"),
    (200, "any valid token will do: a service's", Some("SERVICE"), "/protected-data"),
    (200, "or a user's", Some("BOB"), "/protected-data"),
    (401, "but not a changed one", Some("{BOB}x"), "/protected-data"),
    (403, "the dashboard is for role Admin, which bob does not have", Some("BOB"), "/admin-dashboard"),
];

const ALICE: Call = (200, "and alice does", Some("ALICE"), "/admin-dashboard");
const ALICE_WITHOUT_ROLES: Call =
    (403, "nor can alice show it: these tokens tell no roles", Some("ALICE"), "/admin-dashboard");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_fits_eighty_columns() {
        let here = || "http://127.0.0.1:65535".to_owned();
        let audience = "api://enterprise-api".to_owned();
        let told = Told { base: here(), issuer: here(), audience, api: here(), dialect: Dialect::Generic };
        let page = page(&told, false);
        let plain = anstream::adapter::strip_str(&page).to_string();
        for line in plain.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(plain.contains("curl -si -H \"Authorization: Bearer $ALICE\" $API/admin-dashboard"));
    }
}
