//! `portcullis idp`: the development identity provider alone, and its keys rotated on command.

use crate::args::{IdpAction, IdpArguments};
use crate::exit::{Exit, Failure};
use crate::output::{QUIET, STRONG, WARNING, print, styled};
use portcullis_idp::{Idp, IdpConfig};
use std::net::Ipv4Addr;
use std::path::Path;

pub(crate) async fn run(arguments: IdpArguments) -> Result<Exit, Failure> {
    if let Some(IdpAction::Rotate { overlap, issuer }) = arguments.action {
        return rotate(&issuer, overlap).await;
    }
    let mut config = configured(arguments.config.as_deref())?;
    config.free_port_if_taken |= arguments.listen.is_none() && arguments.config.is_none();
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.algorithm = arguments.algorithm.unwrap_or(config.algorithm);
    let idp = Idp::start(config).await?;
    print(&page(&idp))?;
    tokio::signal::ctrl_c().await?;
    drop(idp);
    print(&format!("\n  {}\n", styled(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// The settings of a file, or the usual ones at the usual port.
pub(crate) fn configured(file: Option<&Path>) -> Result<IdpConfig, Failure> {
    let Some(file) = file else {
        return Ok(IdpConfig { listen: (Ipv4Addr::LOCALHOST, 9000).into(), ..IdpConfig::default() });
    };
    let told = |problem: &str| Failure::could_not_run(format!("{}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| told(&error.to_string()))?;
    IdpConfig::from_toml(&text).map_err(|errors| told(&errors.to_string()))
}

fn page(idp: &Idp) -> String {
    let issuer = idp.issuer();
    let mut page = format!("\n  {}\n\n", styled(STRONG, "Portcullis development identity provider"));
    for (name, value) in [
        ("issuer", issuer.to_string()),
        ("metadata", format!("{issuer}/.well-known/openid-configuration")),
        ("keys", idp.jwks_uri()),
        ("token endpoint", idp.token_endpoint()),
        ("audience", idp.audience().to_owned()),
    ] {
        page.push_str(&format!("  {}  {value}\n", styled(QUIET, &format!("{name:<14}"))));
    }
    let warning = "For development only: known passwords, and tokens for whoever asks.";
    page.push_str(&format!("\n  {}\n", styled(WARNING, warning)));
    page.push_str(&format!("\n  {}\n", styled(QUIET, "Ctrl-C stops it. In another terminal:")));
    page.push_str(&format!("\n      curl -s {issuer}/dev/token -d user=alice\n"));
    page.push_str(&format!("      portcullis idp rotate --overlap --issuer {issuer}\n"));
    page
}

async fn rotate(issuer: &str, overlap: bool) -> Result<Exit, Failure> {
    let url = format!("{}/dev/rotate", issuer.trim_end_matches('/'));
    let form = [("overlap", if overlap { "true" } else { "false" })];
    let response = reqwest::Client::new().post(&url).form(&form).send().await;
    match response {
        Ok(response) if response.status().is_success() => {
            let old = if overlap { "the old key stays published" } else { "the old key is gone" };
            print(&format!("A new key signs from now on; {old}.\n"))?;
            Ok(Exit::Fine)
        }
        Ok(response) => {
            let message =
                format!("{url} answered {}: is this a development identity provider?", response.status());
            Err(Failure::new(Exit::Rejected, message))
        }
        Err(_) => {
            Err(Failure::new(Exit::Outage, format!("{url} does not answer: start it with `portcullis idp`")))
        }
    }
}
