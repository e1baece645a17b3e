//! The formats of a token: its text alone, JSON, or a credential for kubectl.

use crate::args::{Output, OutputArguments};
use crate::clock::rfc3339;
use crate::exit::{CommandError, Exit};
use crate::store::StoredToken;
use portcullis_core::rejection::quote;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// The format of the output.
#[derive(Clone, Debug)]
pub(super) struct TokenOutput {
    format: Output,
    /// Whether `--id-token` was given.
    id_token: bool,
    /// The version of the credential for kubectl.
    api_version: &'static str,
}

impl TokenOutput {
    /// Reads the arguments, and what kubectl asks for in `KUBERNETES_EXEC_INFO`.
    ///
    /// # Errors
    ///
    /// A version that is unknown here.
    pub(super) fn read(arguments: &OutputArguments) -> Result<Self, CommandError> {
        Self::with_exec_info(arguments, std::env::var("KUBERNETES_EXEC_INFO").ok())
    }

    fn with_exec_info(
        arguments: &OutputArguments,
        exec_info: Option<String>,
    ) -> Result<Self, CommandError> {
        let format = if arguments.json {
            Output::Json
        } else {
            arguments.output
        };
        let api_version = match exec_info {
            Some(info) if format == Output::Kubernetes => api_version(&info)?,
            _ => DEFAULT_API_VERSION,
        };
        Ok(Self {
            format,
            id_token: arguments.id_token,
            api_version,
        })
    }

    /// Whether the ID token is printed, if there is one.
    pub(super) fn prefers_id_token(&self) -> bool {
        // The API server of Kubernetes verifies ID tokens (OpenID Connect).
        self.id_token || self.format == Output::Kubernetes
    }

    /// Refuses a token that its reader could not use.
    ///
    /// # Errors
    ///
    /// A bound token for kubectl, which can make no proofs.
    pub(super) fn check(&self, dpop: bool) -> Result<(), CommandError> {
        // DPoP binds access tokens only (RFC 9449), so an ID token stays usable for kubectl.
        if dpop && self.format == Output::Kubernetes && !self.id_token {
            let message = "kubectl cannot use a token that is bound to a key";
            return Err(CommandError::could_not_run(message).help("leave out --dpop"));
        }
        Ok(())
    }

    /// The token in this format.
    ///
    /// # Errors
    ///
    /// There is no ID token, and `--id-token` was given.
    pub(super) fn render(
        &self,
        token: &StoredToken,
        now: i64,
    ) -> Result<Zeroizing<String>, CommandError> {
        let id_token = match &token.id_token {
            Some(id_token) if self.prefers_id_token() => Some(id_token),
            _ => None,
        };
        let (text, expires) = match id_token {
            Some(id_token) => (id_token.as_str(), token.id_token_expires),
            None if self.id_token => return Err(no_id_token()),
            None => (token.access_token.as_str(), token.expires),
        };
        Ok(Zeroizing::new(match self.format {
            Output::Token => format!("{text}\n"),
            Output::Json => format!("{:#}\n", as_json(token, now)),
            Output::Kubernetes => format!("{:#}\n", self.credential(text, expires)),
        }))
    }

    fn credential(&self, text: &str, expires: Option<i64>) -> Value {
        let mut status = Map::new();
        status.insert("token".to_owned(), text.into());
        // Without it, kubectl uses the token until the API server refuses it.
        if let Some(moment) = expires.and_then(rfc3339) {
            status.insert("expirationTimestamp".to_owned(), moment.into());
        }
        json!({ "apiVersion": self.api_version, "kind": "ExecCredential", "status": status })
    }
}

/// The response of a token endpoint (RFC 6749, section 5.1), without the refresh token: that one
/// stays in the store.
fn as_json(token: &StoredToken, now: i64) -> Value {
    let mut members = Map::new();
    let mut insert = |name: &str, value: Value| members.insert(name.to_owned(), value);
    insert("access_token", token.access_token.as_str().into());
    insert("token_type", token.token_type.as_str().into());
    if let Some(expires) = token.expires {
        // Never negative: a stored token may expire while it is printed.
        insert("expires_in", expires.saturating_sub(now).max(0).into());
    }
    if let Some(moment) = token.expires.and_then(rfc3339) {
        insert("expires_at", moment.into());
    }
    if let Some(scope) = &token.granted {
        insert("scope", scope.as_str().into());
    }
    if let Some(id_token) = &token.id_token {
        insert("id_token", id_token.as_str().into());
    }
    Value::Object(members)
}

fn no_id_token() -> CommandError {
    CommandError::new(Exit::Rejected, "the provider issued no ID token")
        .help("request the scope `openid`, with a grant in which a person signs in")
}

/// The version that kubectl asks for, if it is a known one: kubectl refuses any other.
fn api_version(exec_info: &str) -> Result<&'static str, CommandError> {
    let info: Value = serde_json::from_str(exec_info).unwrap_or_default();
    let requested = info.get("apiVersion").and_then(Value::as_str);
    let requested = requested.unwrap_or_default();
    for version in API_VERSIONS {
        if version == requested {
            return Ok(version);
        }
    }
    let message = format!(
        "KUBERNETES_EXEC_INFO: expected the version {DEFAULT_API_VERSION}, found {}",
        quote(requested)
    );
    let help = format!("write `apiVersion: {DEFAULT_API_VERSION}` in the kubeconfig");
    Err(CommandError::could_not_run(message).help(help))
}

const DEFAULT_API_VERSION: &str = "client.authentication.k8s.io/v1";
const API_VERSIONS: [&str; 2] = [DEFAULT_API_VERSION, "client.authentication.k8s.io/v1beta1"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample_token as token;

    fn read(
        output: Output,
        id_token: bool,
        info: Option<&str>,
    ) -> Result<TokenOutput, CommandError> {
        TokenOutput::with_exec_info(
            &OutputArguments {
                output,
                json: false,
                id_token,
            },
            info.map(str::to_owned),
        )
    }

    fn text(output: Output, id_token: bool, token: &StoredToken) -> String {
        read(output, id_token, None)
            .unwrap()
            .render(token, 1_800_000_100)
            .unwrap()
            .to_string()
    }

    #[test]
    fn the_bare_token_is_a_line() {
        assert_eq!(
            text(Output::Token, false, &token(Some("the-id-token"))),
            "the-access-token\n"
        );
        assert_eq!(
            text(Output::Token, true, &token(Some("the-id-token"))),
            "the-id-token\n"
        );
        let missing = read(Output::Token, true, None)
            .unwrap()
            .render(&token(None), 0)
            .unwrap_err();
        assert!(missing.message().contains("openid"));
    }

    #[test]
    fn json_has_all_but_the_refresh_token() {
        let json = text(Output::Json, false, &token(None));
        let value: Value = serde_json::from_str(&json).unwrap();
        let expected = json!({
            "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 3_500,
            "expires_at": "2027-01-15T09:00:00Z", "scope": "a b",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn kubectl_gets_the_id_token_where_there_is_one() {
        let value: Value =
            serde_json::from_str(&text(Output::Kubernetes, false, &token(Some("i")))).unwrap();
        let expected = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": { "token": "i", "expirationTimestamp": "2027-01-15T08:10:00Z" },
        });
        assert_eq!(value, expected);
        let value: Value =
            serde_json::from_str(&text(Output::Kubernetes, false, &token(None))).unwrap();
        assert_eq!(value["status"]["token"], "the-access-token");
    }

    #[test]
    fn kubectl_is_answered_in_its_own_version_or_not_at_all() {
        let info = |version| {
            format!(
                r#"{{"apiVersion":"client.authentication.k8s.io/{version}","kind":"ExecCredential"}}"#
            )
        };
        let of = |version| read(Output::Kubernetes, false, Some(&info(version)));
        assert_eq!(
            of("v1beta1").unwrap().api_version,
            "client.authentication.k8s.io/v1beta1"
        );
        assert!(
            of("v1alpha1")
                .unwrap_err()
                .message()
                .contains("client.authentication.k8s.io/v1`")
        );
        assert!(read(Output::Kubernetes, false, Some("{")).is_err());
        assert!(
            read(Output::Token, false, Some("{")).is_ok(),
            "nobody asked for it"
        );
        assert!(of("v1").unwrap().check(true).is_err());
    }
}
