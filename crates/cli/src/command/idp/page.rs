//! The page of `portcullis idp`: where it listens, and how to use it.

use crate::output::{Page, QUIET, STRONG, WARNING};
use portcullis_idp::{Dialect, Idp, TokenFormat};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The page of this provider. `has_own_config` says that its clients come from a file.
pub(super) fn page(idp: &Idp, has_own_config: bool) -> String {
    let mut page = Page::new(2, 14);
    page.heading(STRONG, "Portcullis development identity provider");
    page.line("");
    add_facts(&mut page, idp);
    if let Some(taken) = idp.taken_address() {
        page.heading(WARNING, &taken_warning(taken, idp.address()));
    }
    let warning = "For development only: passwords are public, and anybody can get a token.";
    page.heading(WARNING, warning);
    page.heading(
        STRONG,
        "Settings for an application that trusts this provider",
    );
    page.line("");
    for line in settings(idp, has_own_config) {
        page.code(&line);
    }
    if let Some((claim, value)) = idp.dialect().condition() {
        page.heading(
            WARNING,
            "The real provider issues tokens for any audience to anybody. Require a claim:",
        );
        page.line("");
        page.code(&format!("claims = {{ {claim} = \"{value}\" }}"));
    }
    // Ready to paste into a second terminal: this one shows the page.
    page.heading(QUIET, "Ctrl-C stops it. In another terminal:");
    page.line("");
    let (base, format) = (idp.base(), token_format(idp));
    page.code(&format!("curl -s {base}/dev/token -d user=alice{format}"));
    page.code(&format!(
        "curl -s {base}/dev/event -d user=alice -d event=session-revoked"
    ));
    page.code(&format!("portcullis idp rotate --overlap --issuer {base}"));
    page.code(&format!(
        "portcullis idp fault token slow:2000 --issuer {base}"
    ));
    page.into_text()
}

/// Settings and pages name the usual address: nobody should wonder why nothing answers there.
fn taken_warning(taken: SocketAddr, address: SocketAddr) -> String {
    format!(
        "{taken} is taken, so this provider listens on {address}. Use its issuer in your \
         settings, or stop the other program and start again."
    )
}

/// The same for a program: what it needs to trust the provider, and to command it. The members of
/// the metadata have its names (RFC 8414).
pub(super) fn addresses(idp: &Idp) -> Value {
    json!({
        "issuer": idp.issuer().as_str(),
        "audience": idp.audiences(),
        "profile": idp.dialect().profile(),
        "base": idp.base(),
        "metadata": idp.metadata_uri(),
        "jwks_uri": idp.jwks_uri(),
        "token_endpoint": idp.token_endpoint(),
        "introspection_endpoint": idp.introspection_endpoint(),
        "console": idp.console(),
    })
}

fn add_facts(page: &mut Page, idp: &Idp) {
    match idp.console() {
        Some(url) => page.row("console", &url),
        None => page.row("console", "disabled in the settings"),
    }
    page.row("imitates", &idp.dialect().to_string());
    page.row("issuer", idp.issuer().as_str());
    match idp.metadata_uri() {
        Some(url) => page.row("metadata", &url),
        None => page.row("metadata", "none, as this provider publishes none"),
    }
    page.row("keys", &idp.jwks_uri());
    page.row("token endpoint", &idp.token_endpoint());
    let introspects = needs_introspection(idp);
    page.row(
        "access tokens",
        match idp.access_token_format() {
            TokenFormat::Jwt => "JWT",
            TokenFormat::Opaque if introspects => "opaque; APIs ask the introspection endpoint",
            TokenFormat::Opaque => "opaque, for the provider's own APIs; other APIs get ID tokens",
        },
    );
    page.row("audience", &idp.audiences().join(", "));
    if introspects {
        page.row("introspection", &idp.introspection_endpoint());
    }
}

/// Whether APIs get opaque tokens. Google's are for Google's own APIs alone.
fn needs_introspection(idp: &Idp) -> bool {
    idp.access_token_format() == TokenFormat::Opaque && idp.dialect() != Dialect::Google
}

/// The parameter with which the token endpoint for tests returns a token that APIs can verify.
fn token_format(idp: &Idp) -> &'static str {
    if idp.dialect() == Dialect::Google {
        " -d format=jwt"
    } else {
        ""
    }
}

fn settings(idp: &Idp, has_own_config: bool) -> Vec<String> {
    let mut lines = vec![
        format!("OAUTH2_ISSUER={}", idp.issuer()),
        format!("OAUTH2_AUDIENCE={}", idp.audiences().join(",")),
        format!("OAUTH2_PROFILE={}", idp.dialect().profile()),
    ];
    if !needs_introspection(idp) {
        return lines;
    }
    lines.push("OAUTH2_INTROSPECTION=true".to_owned());
    if has_own_config {
        // Secrets of a file are not repeated on a terminal.
        lines.push(
            "OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET: those of a client in your file".to_owned(),
        );
    } else {
        lines.push("OAUTH2_CLIENT_ID=service".to_owned());
        lines.push("OAUTH2_CLIENT_SECRET=service-secret".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_idp::IdpConfig;

    #[tokio::test]
    async fn the_page_tells_that_the_usual_port_is_taken() {
        let first = Idp::start(IdpConfig::default()).await.unwrap();
        let config = IdpConfig {
            listen: first.address(),
            free_port_if_taken: true,
            ..IdpConfig::default()
        };
        let second = Idp::start(config).await.unwrap();
        let told = format!("{} is taken, so", first.address());
        assert!(page(&second, false).contains(&told));
        assert!(!page(&first, false).contains("is taken"));
    }
}
