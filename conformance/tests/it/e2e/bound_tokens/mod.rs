//! Bound tokens among strangers: a certified provider and ours issue them, clients of other people
//! use them, and another resource server judges the same proofs.

mod certificates;
mod clients;
mod documents;
mod doors;
mod mod_oauth2;
pub(crate) mod peers;

use super::process::Folder;
use super::provider::{AUDIENCE, Provider};
use portcullis_idp::{Idp, IdpConfig, TokenFormat};

/// The API whose tokens are opaque at the certified provider.
const OPAQUE_AUDIENCE: &str = "api://opaque-api";

/// An issuer of bound tokens, and how a resource server reads them.
struct TokenSource {
    name: &'static str,
    issuer: String,
    resource: &'static str,
    format: TokenFormat,
    _running: Running,
}

/// The provider, which stops when it is dropped.
enum Running {
    Certified { _provider: Provider },
    Ours { _idp: Idp },
}

impl TokenSource {
    /// All there are: both providers, with both kinds of tokens.
    async fn all() -> Vec<Self> {
        let mut sources = Vec::new();
        for format in [TokenFormat::Jwt, TokenFormat::Opaque] {
            sources.push(Self::ours(format).await);
            sources.extend(Self::certified(format).await);
        }
        sources
    }

    async fn certified(format: TokenFormat) -> Option<Self> {
        let provider = Provider::certified("ES256").await?;
        let resource = match format {
            TokenFormat::Jwt => AUDIENCE,
            _ => OPAQUE_AUDIENCE,
        };
        Some(Self {
            name: "oidc-provider",
            issuer: provider.issuer.clone(),
            resource,
            format,
            _running: Running::Certified {
                _provider: provider,
            },
        })
    }

    async fn ours(format: TokenFormat) -> Self {
        let config = IdpConfig {
            dpop_nonce: true,
            access_token_format: Some(format),
            ..IdpConfig::default()
        };
        let idp = Idp::start(config).await.unwrap();
        Self {
            name: "portcullis idp",
            issuer: idp.issuer().to_string(),
            resource: AUDIENCE,
            format,
            _running: Running::Ours { _idp: idp },
        }
    }

    /// The table of the issuer, with introspection where its tokens are opaque.
    fn settings(&self, folder: &Folder) -> String {
        issuer_table(&self.issuer, self.resource, self.format, folder)
    }
}

/// The settings by which a resource server reads tokens of this form.
fn issuer_table(issuer: &str, resource: &str, format: TokenFormat, folder: &Folder) -> String {
    let table = format!("[[issuer]]\nurl = \"{issuer}\"\naudience = [\"{resource}\"]\n");
    if format == TokenFormat::Jwt {
        return table;
    }
    let secret = folder.0.join("secret");
    std::fs::write(&secret, "service-secret").unwrap();
    let secret = secret.display();
    format!(
        "{table}[issuer.introspection]\nclient_id = \"service\"\nclient_secret_file = \"{secret}\"\n"
    )
}
