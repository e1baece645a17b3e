//! `portcullis idp`: the development identity provider alone; and what can be done to one that
//! runs.

mod running;

use crate::args::{IdpAction, IdpArguments};
use crate::exit::{Exit, Failure};
use crate::output::{QUIET, STRONG, WARNING, print, styled};
use crate::stop::Stop;
use portcullis_idp::{Dialect, Idp, IdpConfig, TokenFormat};
use std::net::Ipv4Addr;
use std::path::Path;

pub(crate) async fn run(arguments: IdpArguments) -> Result<Exit, Failure> {
    match arguments.action {
        Some(IdpAction::Rotate {
            overlap,
            same_kid,
            issuer,
        }) => {
            return running::rotate(&issuer, overlap, same_kid).await;
        }
        Some(IdpAction::Fault {
            switch,
            position,
            issuer,
        }) => {
            return running::fault(&issuer, switch.as_deref(), position.as_deref()).await;
        }
        None => {}
    }
    let mut config = configured(arguments.config.as_deref(), arguments.dialect)?;
    config.free_port_if_taken |= arguments.listen.is_none() && arguments.config.is_none();
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.algorithm = arguments.algorithm.unwrap_or(config.algorithm);
    let asking = arguments
        .config
        .is_none()
        .then_some(("service", "service-secret"));
    let idp = Idp::start(config).await?;
    let stop = Stop::listen()?;
    print(&page(&idp, asking))?;
    stop.told().await;
    drop(idp);
    print(&format!("\n  {}\n", styled(QUIET, "Stopped.")))?;
    Ok(Exit::Fine)
}

/// The settings of a file, or the usual ones at the usual port; whom to imitate may be said
/// besides.
pub(crate) fn configured(
    file: Option<&Path>,
    dialect: Option<Dialect>,
) -> Result<IdpConfig, Failure> {
    let config = match file {
        None => IdpConfig {
            listen: (Ipv4Addr::LOCALHOST, 9000).into(),
            ..IdpConfig::default()
        },
        Some(file) => {
            let told =
                |problem: &str| Failure::could_not_run(format!("{}: {problem}", file.display()));
            let text = std::fs::read_to_string(file).map_err(|error| told(&error.to_string()))?;
            IdpConfig::from_toml(&text).map_err(|errors| told(&errors.to_string()))?
        }
    };
    Ok(IdpConfig {
        dialect: dialect.unwrap_or(config.dialect),
        ..config
    })
}

/// What there is and how to use it; `asking` is a client, with its secret, that may ask about
/// opaque tokens.
fn page(idp: &Idp, asking: Option<(&str, &str)>) -> String {
    let mut page = format!(
        "\n  {}\n\n",
        styled(STRONG, "Portcullis development identity provider")
    );
    for (name, value) in facts(idp) {
        page.push_str(&format!(
            "  {}  {value}\n",
            styled(QUIET, &format!("{name:<14}"))
        ));
    }
    let warning = "For development only: known passwords, and tokens for whoever asks.";
    page.push_str(&format!("\n  {}\n", styled(WARNING, warning)));
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(STRONG, "Settings for an application that trusts it")
    ));
    for line in settings(idp, asking) {
        page.push_str(&format!("      {line}\n"));
    }
    if let Some((claim, value)) = idp.dialect().condition() {
        let why = "The real one gives tokens for any audience to anybody. Demand a claim:";
        page.push_str(&format!("\n  {}\n\n", styled(WARNING, why)));
        page.push_str(&format!("      claims = {{ {claim} = \"{value}\" }}\n"));
    }
    let base = idp.base();
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(QUIET, "Ctrl-C stops it. In another terminal:")
    ));
    page.push_str(&format!(
        "      curl -s {base}/dev/token -d user=alice{}\n",
        bearer(idp)
    ));
    page.push_str(&format!(
        "      portcullis idp rotate --overlap --issuer {base}\n"
    ));
    page.push_str(&format!(
        "      portcullis idp fault token slow:2000 --issuer {base}\n"
    ));
    page
}

fn facts(idp: &Idp) -> Vec<(&'static str, String)> {
    let introspected = is_introspected(idp);
    let format = match idp.access_token_format() {
        TokenFormat::Jwt => "JWT",
        TokenFormat::Opaque if introspected => "opaque: ask the introspection endpoint",
        TokenFormat::Opaque => "opaque, and for the provider itself: APIs get ID tokens",
    };
    let mut facts = vec![
        (
            "console",
            idp.console()
                .unwrap_or_else(|| "none: the settings leave it out".to_owned()),
        ),
        ("imitates", idp.dialect().to_string()),
        ("issuer", idp.issuer().to_string()),
        (
            "metadata",
            idp.metadata_uri()
                .unwrap_or_else(|| "none: this provider has none".to_owned()),
        ),
        ("keys", idp.jwks_uri()),
        ("token endpoint", idp.token_endpoint()),
        ("access tokens", format.to_owned()),
        ("audience", idp.audiences().join(", ")),
    ];
    if introspected {
        facts.push(("introspection", idp.introspection_endpoint()));
    }
    facts
}

/// Whether APIs get opaque tokens. Google's are for Google alone.
fn is_introspected(idp: &Idp) -> bool {
    idp.access_token_format() == TokenFormat::Opaque && idp.dialect() != Dialect::Google
}

/// What to ask for besides, so that an API understands the token.
fn bearer(idp: &Idp) -> &'static str {
    if idp.dialect() == Dialect::Google {
        " -d format=jwt"
    } else {
        ""
    }
}

fn settings(idp: &Idp, asking: Option<(&str, &str)>) -> Vec<String> {
    let mut lines = vec![
        format!("OAUTH2_ISSUER={}", idp.issuer()),
        format!("OAUTH2_AUDIENCE={}", idp.audiences().join(",")),
        format!("OAUTH2_PROFILE={}", idp.dialect().profile()),
    ];
    if is_introspected(idp) {
        lines.push("OAUTH2_INTROSPECTION=true".to_owned());
        lines.extend(match asking {
            Some((id, secret)) => {
                vec![
                    format!("OAUTH2_CLIENT_ID={id}"),
                    format!("OAUTH2_CLIENT_SECRET={secret}"),
                ]
            }
            None => {
                vec!["OAUTH2_CLIENT_ID, OAUTH2_CLIENT_SECRET: a client of your file".to_owned()]
            }
        });
    }
    lines
}
