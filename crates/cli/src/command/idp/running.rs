//! What can be done to a running development identity provider: rotate its keys, and set faults.

use crate::args::IdpTarget;
use crate::client::no_response;
use crate::exit::{CommandError, Exit};
use crate::files;
use crate::output::{QUIET, WARNING, paint, print};
use crate::reporter::Reporter;
use portcullis_core::rejection::quote;
use portcullis_core::token::issuer::is_loopback_host;
use portcullis_resource_server::Config;
use reqwest::{Certificate, Client, RequestBuilder, Url};
use serde_json::{Map, Value};
use std::path::Path;

/// Where `portcullis idp` listens unless it is told otherwise.
const DEFAULT: &str = "http://127.0.0.1:9000";

/// Makes the provider sign with a new key.
pub(super) async fn rotate(
    target: &IdpTarget,
    overlap: bool,
    same_kid: bool,
) -> Result<Exit, CommandError> {
    let url = at_root(&issuer(target)?, "/dev/rotate")?;
    let form = [
        ("overlap", overlap.to_string()),
        ("same_kid", same_kid.to_string()),
    ];
    send(client(target)?.post(url.clone()).form(&form), &url).await?;
    // Tokens that were signed by a key that is gone are refused soon.
    let old_key = match (overlap, same_kid) {
        (true, _) => "the old key is still published",
        (false, true) => "the old key is gone, and the new one has its kid",
        (false, false) => "the old key is gone",
    };
    print(&format!(
        "Rotated: a new key signs from now on; {old_key}.\n"
    ))?;
    Ok(Exit::Fine)
}

/// Sets a fault, if one is named, and shows all of them.
pub(super) async fn fault(
    target: &IdpTarget,
    switch: Option<&str>,
    position: Option<&str>,
) -> Result<Exit, CommandError> {
    let url = at_root(&issuer(target)?, "/dev/faults")?;
    let form = match (switch, position) {
        (None, _) => None,
        (Some("reset"), None) => Some(("reset", "true")),
        (Some(switch), Some(position)) => Some((switch, position)),
        // Guessing a fault would surprise; clearing one by accident would too.
        (Some(switch), None) => {
            let message = format!("expected a fault for {}, found none", quote(switch));
            return Err(CommandError::could_not_run(message).help(
                "name one, such as `500` or `slow:2000`; `none` clears it; `portcullis idp fault \
                    --help` lists them",
            ));
        }
    };
    let request = match form {
        None => client(target)?.get(url.clone()),
        Some(field) => client(target)?.post(url.clone()).form(&[field]),
    };
    let faults = send(request, &url).await?;
    let Ok(faults) = serde_json::from_str::<Map<String, Value>>(&faults) else {
        let message = format!("expected a list of faults from {url}, found something else");
        return Err(CommandError::new(Exit::Rejected, message)
            .help("use the version of portcullis that the identity provider runs"));
    };
    print(&table(&faults))?;
    Ok(Exit::Fine)
}

fn table(faults: &Map<String, Value>) -> String {
    let mut table = String::new();
    for (name, value) in faults {
        let value = match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        };
        let is_clear = ["none", "0", "{}"].contains(&value.as_str());
        let style = if is_clear { QUIET } else { WARNING };
        table.push_str(&format!("{name:<21} {}\n", paint(style, &value)));
    }
    table
}

/// The provider that the argument names, or else the variable.
fn issuer(target: &IdpTarget) -> Result<String, CommandError> {
    if let Some(issuer) = &target.issuer {
        return Ok(issuer.clone());
    }
    let variable = Config::variable("OAUTH2_ISSUER")?;
    match variable.filter(|issuer| !issuer.is_empty()) {
        None => Ok(DEFAULT.to_owned()),
        Some(issuer) if is_on_loopback(&issuer) => Ok(issuer),
        // A production provider must not get commands that are meant for a test.
        Some(issuer) => {
            let reporter = Reporter { quiet: false };
            reporter.note(&format!(
                "OAUTH2_ISSUER is {}, which is not on loopback; using {DEFAULT}. `--issuer` names \
                 another provider.",
                quote(&issuer)
            ));
            Ok(DEFAULT.to_owned())
        }
    }
}

fn is_on_loopback(issuer: &str) -> bool {
    let url = Url::parse(issuer).ok();
    url.is_some_and(|url| url.host_str().is_some_and(is_loopback_host))
}

/// A URL at the root of the provider, whatever path its issuer has.
fn at_root(issuer: &str, path: &str) -> Result<Url, CommandError> {
    match Url::parse(issuer).and_then(|issuer| issuer.join(path)) {
        Ok(url) => Ok(url),
        Err(_) => Err(CommandError::could_not_run(format!(
            "`--issuer`: expected a URL such as http://127.0.0.1:9000, found {}",
            quote(issuer)
        ))),
    }
}

/// The HTTP client, which trusts the provider's own authority too. Without root certificates on
/// this machine it still serves http.
fn client(target: &IdpTarget) -> Result<Client, CommandError> {
    let certificates = match &target.ca_file {
        Some(file) => read_certificates(file)?,
        None => Vec::new(),
    };
    let mut builder = Client::builder();
    for certificate in &certificates {
        builder = builder.add_root_certificate(certificate.clone());
    }
    let client = builder.build();
    // reqwest fails without roots, even for http: containers often have none.
    let client = client.or_else(|_| Client::builder().tls_certs_only(certificates).build());
    client.map_err(|error| CommandError::could_not_run(error.to_string()))
}

fn read_certificates(file: &Path) -> Result<Vec<Certificate>, CommandError> {
    let certificates = Certificate::from_pem_bundle(&files::read_bytes(file)?);
    let certificates = certificates.unwrap_or_default();
    // A file of another kind parses as a bundle of none, and would be ignored in silence.
    if certificates.is_empty() {
        let problem = "expected certificates in PEM, found none";
        return Err(CommandError::in_file(file, problem));
    }
    Ok(certificates)
}

/// The content of a successful response.
async fn send(request: RequestBuilder, url: &Url) -> Result<String, CommandError> {
    let response = request
        .send()
        .await
        .map_err(|error| away(url, &error))?;
    let status = response.status();
    let content = response
        .text()
        .await
        .map_err(|error| away(url, &error))?;
    if status.is_success() {
        return Ok(content);
    }
    // The provider lists the faults that it knows, so its own words help most.
    let error: Value = serde_json::from_str(&content).unwrap_or_default();
    let message = match error.get("error_description").and_then(Value::as_str) {
        Some(description) => description.to_owned(),
        None => {
            format!("expected a development identity provider at {url}, found status {status}")
        }
    };
    Err(CommandError::new(Exit::Rejected, message))
}

/// Nothing there is the usual case: the provider was not started, or is at another port.
fn away(url: &Url, error: &reqwest::Error) -> CommandError {
    let failure = no_response(url, error);
    if error.is_connect() && url.scheme() == "http" {
        let help = "start it with `portcullis idp` or `portcullis dev`, or name its address with \
            `--issuer`";
        return failure.help(help);
    }
    failure
}
