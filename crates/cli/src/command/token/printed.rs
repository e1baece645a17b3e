//! What is printed of a token: the text alone, JSON, or a credential for kubectl.

use crate::args::{Output, OutputArguments};
use crate::exit::{Exit, Failure};
use crate::store::Entry;
use portcullis_core::rejection::shown;
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};
use zeroize::Zeroizing;

/// How it is printed.
#[derive(Clone, Debug)]
pub(super) struct Printed {
    output: Output,
    /// Whether the ID token was asked for by name.
    id_token: bool,
    /// The version of kubectl's credentials.
    api: &'static str,
}

impl Printed {
    /// From the arguments, and from what kubectl says it wants.
    pub(super) fn read(
        arguments: &OutputArguments,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let output = if arguments.json {
            Output::Json
        } else {
            arguments.output
        };
        let api = match variable("KUBERNETES_EXEC_INFO").filter(|_| output == Output::Kubernetes) {
            Some(told) => api_version(&told)?,
            None => VERSIONS[0],
        };
        Ok(Self {
            output,
            id_token: arguments.id_token,
            api,
        })
    }

    /// Whether the ID token is printed, if there is one.
    pub(super) fn prefers_id_token(&self) -> bool {
        self.id_token || self.output == Output::Kubernetes
    }

    /// Refuses what would be of no use to who gets it.
    pub(super) fn check(&self, dpop: bool) -> Result<(), Failure> {
        if dpop && self.output == Output::Kubernetes && !self.id_token {
            let message = "kubectl cannot use a token that is bound to a key";
            return Err(Failure::with_cure(
                Exit::CouldNotRun,
                message,
                "leave out --dpop",
            ));
        }
        Ok(())
    }

    /// The text.
    pub(super) fn text(&self, entry: &Entry, now: i64) -> Result<Zeroizing<String>, Failure> {
        let id_token = entry
            .id_token
            .as_deref()
            .filter(|_| self.prefers_id_token());
        if self.id_token && id_token.is_none() {
            let cure = "ask for the scope `openid`, by a grant in which a person signs in";
            return Err(Failure::with_cure(
                Exit::Rejected,
                "the provider gave no ID token",
                cure,
            ));
        }
        let (token, ends) = match id_token {
            Some(id_token) => (id_token.as_str(), entry.id_token_expires),
            None => (entry.access_token.as_str(), entry.expires),
        };
        Ok(Zeroizing::new(match self.output {
            Output::Token => format!("{token}\n"),
            Output::Json => format!("{:#}\n", as_json(entry, now)),
            Output::Kubernetes => format!("{:#}\n", self.credential(token, ends)),
        }))
    }

    fn credential(&self, token: &str, ends: Option<i64>) -> Value {
        let mut status = json!({ "token": token });
        if let (Some(moment), Some(members)) = (ends.and_then(moment), status.as_object_mut()) {
            members.insert("expirationTimestamp".to_owned(), moment.into());
        }
        json!({ "apiVersion": self.api, "kind": "ExecCredential", "status": status })
    }
}

/// As a token endpoint would say it (RFC 6749, section 5.1), without the refresh token, which is
/// kept.
fn as_json(entry: &Entry, now: i64) -> Value {
    let mut members =
        json!({ "access_token": entry.access_token.as_str(), "token_type": entry.token_type });
    let mut also = |name: &str, value: Option<Value>| {
        if let (Some(value), Some(members)) = (value, members.as_object_mut()) {
            members.insert(name.to_owned(), value);
        }
    };
    also(
        "expires_in",
        entry
            .expires
            .map(|ends| ends.saturating_sub(now).max(0).into()),
    );
    also(
        "expires_at",
        entry.expires.and_then(moment).map(Value::from),
    );
    also("scope", entry.granted.as_deref().map(Value::from));
    also(
        "id_token",
        entry.id_token.as_ref().map(|token| token.as_str().into()),
    );
    members
}

/// A moment of RFC 3339.
pub(super) fn moment(seconds: i64) -> Option<String> {
    let since = Duration::from_secs(u64::try_from(seconds).ok()?);
    Some(humantime::format_rfc3339_seconds(UNIX_EPOCH.checked_add(since)?).to_string())
}

/// The version that kubectl wants, if it is one that we know.
fn api_version(told: &str) -> Result<&'static str, Failure> {
    let told: Value = serde_json::from_str(told).unwrap_or_default();
    let version = told
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    VERSIONS
        .into_iter()
        .find(|known| *known == version)
        .ok_or_else(|| {
            let message = format!(
                "KUBERNETES_EXEC_INFO asks for the version {}",
                shown(version)
            );
            let cure = format!("write `apiVersion: {}` in the kubeconfig", VERSIONS[0]);
            Failure::with_cure(Exit::CouldNotRun, message, cure)
        })
}

const VERSIONS: [&str; 2] = [
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Asked, Holder};

    fn entry(id_token: Option<&str>) -> Entry {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        Entry {
            asked: Asked {
                issuer: "https://idp.example".to_owned(),
                client: "cli".to_owned(),
                holder: Holder::User,
                scope: String::new(),
                audience: None,
                resource: None,
                dpop: false,
                sign_in: std::collections::BTreeMap::new(),
            },
            access_token: text("the-access-token"),
            token_type: "Bearer".to_owned(),
            refresh_token: Some(text("marked-refresh-token")),
            id_token: id_token.map(text),
            granted: Some("a b".to_owned()),
            signed_in: None,
            obtained: 1_800_000_000,
            expires: Some(1_800_003_600),
            id_token_expires: Some(1_800_000_600),
            subject: None,
            dpop_key: None,
        }
    }

    fn printed(output: Output, id_token: bool, told: Option<&str>) -> Result<Printed, Failure> {
        Printed::read(
            &OutputArguments {
                output,
                json: false,
                id_token,
            },
            |_| told.map(str::to_owned),
        )
    }

    fn text(output: Output, id_token: bool, entry: &Entry) -> String {
        printed(output, id_token, None)
            .unwrap()
            .text(entry, 1_800_000_100)
            .unwrap()
            .to_string()
    }

    #[test]
    fn the_bare_token_is_a_line() {
        assert_eq!(
            text(Output::Token, false, &entry(Some("the-id-token"))),
            "the-access-token\n"
        );
        assert_eq!(
            text(Output::Token, true, &entry(Some("the-id-token"))),
            "the-id-token\n"
        );
        let missing = printed(Output::Token, true, None)
            .unwrap()
            .text(&entry(None), 0)
            .unwrap_err();
        assert!(missing.message().contains("openid"));
    }

    #[test]
    fn json_tells_all_but_the_refresh_token() {
        let printed = text(Output::Json, false, &entry(None));
        let value: Value = serde_json::from_str(&printed).unwrap();
        let expected = json!({
            "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 3_500,
            "expires_at": "2027-01-15T09:00:00Z", "scope": "a b",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn kubectl_gets_the_id_token_where_there_is_one() {
        let value: Value =
            serde_json::from_str(&text(Output::Kubernetes, false, &entry(Some("i")))).unwrap();
        let expected = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": { "token": "i", "expirationTimestamp": "2027-01-15T08:10:00Z" },
        });
        assert_eq!(value, expected);
        let value: Value =
            serde_json::from_str(&text(Output::Kubernetes, false, &entry(None))).unwrap();
        assert_eq!(value["status"]["token"], "the-access-token");
    }

    #[test]
    fn kubectl_is_answered_in_its_own_version_or_not_at_all() {
        let told = |version| {
            format!(
                r#"{{"apiVersion":"client.authentication.k8s.io/{version}","kind":"ExecCredential"}}"#
            )
        };
        let of = |version| printed(Output::Kubernetes, false, Some(&told(version)));
        assert_eq!(
            of("v1beta1").unwrap().api,
            "client.authentication.k8s.io/v1beta1"
        );
        assert!(
            of("v1alpha1")
                .unwrap_err()
                .message()
                .contains("client.authentication.k8s.io/v1`")
        );
        assert!(printed(Output::Kubernetes, false, Some("{")).is_err());
        assert!(
            printed(Output::Token, false, Some("{")).is_ok(),
            "nobody asked for it"
        );
        assert!(of("v1").unwrap().check(true).is_err());
    }
}
