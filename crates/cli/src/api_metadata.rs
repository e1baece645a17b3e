//! What an API says of itself (RFC 9728): which provider issues its tokens.

use crate::command::curl::challenge::ApiChallenge;
use crate::exit::CommandError;
use portcullis_core::Limits;
use portcullis_core::rejection::quote;
use portcullis_provider::fetch::{Fetch, Trust};
use portcullis_provider::resource_metadata::ResourceMetadata;
use std::path::Path;

/// The metadata of the API at a URL.
///
/// # Errors
///
/// Metadata that cannot be had or read, or that is of another API.
pub(crate) async fn discover(
    asked: &str,
    ca_file: Option<&Path>,
) -> Result<ResourceMetadata, CommandError> {
    let limits = Limits::default();
    let mut fetch = Fetch::new(limits.document_bytes);
    if let Some(path) = ca_file {
        let trust = std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|pem| Trust::authorities(&pem).map_err(str::to_owned));
        let trust = trust.map_err(|reason| {
            let message = format!("{}: {reason}", path.display());
            CommandError::could_not_run(message).help("pass a file with certificates in PEM")
        })?;
        fetch = fetch.with_trust(&trust);
    }
    let named = |headers: &_| {
        let challenges = ApiChallenge::all(headers);
        let mut named = challenges
            .iter()
            .filter_map(|it| it.parameter("resource_metadata"));
        named.next().map(str::to_owned)
    };
    let found = ResourceMetadata::discover(&fetch, asked, &limits, named).await;
    found.map_err(|reason| {
        let message = format!("{}: no usable metadata of this API: {reason}", quote(asked));
        CommandError::could_not_run(message)
            .help("pass `--issuer` instead if you know the provider of this API")
    })
}

/// The issuer of the metadata: the one that is named, or the only one.
///
/// # Errors
///
/// Another issuer is named, or none while there are several.
pub(crate) fn choose(
    metadata: &ResourceMetadata,
    named: Option<&str>,
) -> Result<String, CommandError> {
    let issuers = &metadata.issuers;
    let listed = || {
        let listed: Vec<String> = issuers.iter().map(|it| quote(it)).collect();
        listed.join(", ")
    };
    match (named, issuers.as_slice()) {
        // Exactly: another spelling is another issuer (RFC 8414, section 3.3).
        (Some(named), _) if issuers.iter().any(|it| it == named) => Ok(named.to_owned()),
        (Some(named), _) => {
            let (resource, named) = (&metadata.resource, quote(named));
            let message = format!("expected an issuer of {resource}, found {named}");
            let help = format!("it accepts tokens of {}", listed());
            Err(CommandError::could_not_run(message).help(help))
        }
        (None, [only]) => Ok(only.clone()),
        (None, several) => {
            let message = format!("expected one issuer, found {}", several.len());
            let help = format!("pass one of them with `--issuer`: {}", listed());
            Err(CommandError::could_not_run(message).help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_provider::resource_metadata::MetadataSource;

    fn metadata(issuers: &str) -> ResourceMetadata {
        let text = format!(r#"{{"resource":"https://a","authorization_servers":{issuers}}}"#);
        let source = MetadataSource::WellKnown("https://a");
        ResourceMetadata::parse(text.as_bytes(), source, &Limits::default()).unwrap()
    }

    #[test]
    fn an_issuer_is_named_or_the_only_one() {
        let one = metadata(r#"["https://idp.example"]"#);
        let two = metadata(r#"["https://idp.example","https://b.example"]"#);
        let chosen = |metadata, named| choose(metadata, named).ok();
        let idp = Some("https://idp.example".to_owned());
        assert_eq!(chosen(&one, None), idp);
        assert_eq!(chosen(&one, Some("https://idp.example")), idp);
        assert_eq!(chosen(&one, Some("https://idp.example/")), None);
        assert_eq!(chosen(&two, None), None);
        assert_eq!(
            chosen(&two, Some("https://b.example")),
            Some("https://b.example".to_owned())
        );
    }
}
