//! `portcullis dev`: the identity provider and the enterprise API on loopback, and a page of lines to try.

use crate::args::DevArguments;
use crate::command::idp::configured;
use crate::exit::{Exit, Failure};
use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, print, styled};
use portcullis_idp::{Idp, IdpConfig};
use portcullis_resource_server::ResourceServer;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) async fn run(arguments: DevArguments) -> Result<Exit, Failure> {
    let config = configured(arguments.config.as_deref())?;
    let defaults = arguments.config.is_none();
    let idp = Idp::start(IdpConfig { free_port_if_taken: true, ..config }).await?;
    let server = ResourceServer::new(idp.issuer().as_str(), idp.audience())?;
    server.start();
    let listener = listener().await?;
    let api = format!("http://{}", listener.local_addr()?);
    print(&page(idp.issuer().as_str(), &api, idp.audience(), defaults))?;
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

fn page(issuer: &str, api: &str, audience: &str, defaults: bool) -> String {
    let mut page = format!(
        "\n  {}\n\n",
        styled(STRONG, "Portcullis: an identity provider and a protected API, on this machine")
    );
    for (name, value) in [("identity provider", issuer), ("enterprise API", api), ("audience", audience)] {
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
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(STRONG, "Get tokens: a service by client credentials, alice (Admin), bob (no role)")
    ));
    for line in [
        format!("IDP={issuer} API={api}"),
        "SERVICE=$(curl -s $IDP/token -u service:service-secret \\".to_owned(),
        "  -d grant_type=client_credentials |".to_owned(),
        "  sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')".to_owned(),
        "ALICE=$(curl -s $IDP/dev/token -d user=alice)".to_owned(),
        "BOB=$(curl -s $IDP/dev/token -d user=bob)".to_owned(),
    ] {
        page.push_str(&format!("      {line}\n"));
    }
    page.push_str(&format!("\n  {}\n\n", styled(STRONG, "Call the API, and see the answer to expect")));
    for (status, what, token, path) in CALLS {
        let style = if *status == 200 { GOOD } else { BAD };
        let header = token.map_or(String::new(), |token| format!(" -H \"Authorization: Bearer ${token}\""));
        page.push_str(&format!("  {} {what}\n", styled(style, &status.to_string())));
        page.push_str(&format!("      curl -si{header} $API{path}\n"));
    }
    page.push_str(&format!("\n  {}\n", styled(STRONG, "See why a token is accepted or refused")));
    page.push_str(&format!(
        "\n      export OAUTH2_ISSUER={issuer}\n      export OAUTH2_AUDIENCE={audience}\n"
    ));
    // Who came by `cargo run` has no `portcullis` on the path yet.
    let portcullis =
        if std::env::var_os("CARGO").is_some() { "cargo run -q --release --" } else { "portcullis" };
    page.push_str(&format!("      {portcullis} explain $BOB\n"));
    page.push_str(&format!("\n  {}\n", styled(QUIET, "Ctrl-C stops both.")));
    page
}

/// The answer, why, whose token, and the endpoint.
const CALLS: &[(u16, &str, Option<&str>, &str)] = &[
    (200, "anyone may read public data", None, "/public-data"),
    (401, "protected data needs a token", None, "/protected-data"),
    (200, "any valid token will do: a service's", Some("SERVICE"), "/protected-data"),
    (200, "or a user's", Some("BOB"), "/protected-data"),
    (401, "but not a changed one", Some("{BOB}x"), "/protected-data"),
    (403, "the dashboard is for role Admin, which bob does not have", Some("BOB"), "/admin-dashboard"),
    (200, "and alice does", Some("ALICE"), "/admin-dashboard"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_fits_eighty_columns() {
        let page = page("http://127.0.0.1:65535", "http://127.0.0.1:65535", "api://enterprise-api", false);
        let plain = anstream::adapter::strip_str(&page).to_string();
        for line in plain.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(plain.contains("curl -si -H \"Authorization: Bearer $ALICE\" $API/admin-dashboard"));
    }
}
