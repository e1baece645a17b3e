//! A value that is not registered: what was sent, what is registered, and the settings that would
//! register it.
//!
//! A development provider tells all of it, because the fault is mostly in the settings of one
//! side. Secrets are never part of it. Values of requests are bounded, and kept to the characters
//! that an `error_description` may have (RFC 6749, section 5.2).

use crate::config::client::RegisteredClient;
use crate::config::toml_text::TableText;
use crate::endpoint::http::error::{OAuthError, printable};
use crate::state::IdpState;

/// How many values a sentence lists.
const MOST_LISTED: usize = 6;

/// A value that is not registered.
#[derive(Clone, Debug)]
pub(crate) struct Mismatch {
    /// The name of the parameter.
    pub(crate) parameter: &'static str,
    /// What was sent; none if it is missing.
    pub(crate) sent: Option<String>,
    /// What was expected, in words.
    pub(crate) expected: String,
    pub(crate) registered: Vec<String>,
    pub(crate) cure: Option<SettingsCure>,
}

/// Why a request is refused on a page.
#[derive(Clone, Debug)]
pub(crate) enum RefusalReason {
    /// In words.
    Words(String),
    /// A value that is not registered.
    Mismatch(Box<Mismatch>),
}

/// The member of a `[[client]]` that would register the value.
#[derive(Clone, Debug)]
pub(crate) struct SettingsCure {
    pub(crate) client: String,
    pub(crate) member: &'static str,
    /// The values that the member has already.
    pub(crate) present: Vec<String>,
    /// The value to add.
    pub(crate) value: String,
}

impl Mismatch {
    /// A value that a client did not register.
    pub(crate) fn of_client(
        client: &RegisteredClient,
        parameter: &'static str,
        sent: Option<&str>,
        (member, present): (&'static str, &[String]),
    ) -> Self {
        // What was not sent cannot be registered.
        let cure = sent.map(|sent| SettingsCure {
            client: client.id.clone(),
            member,
            present: present.to_vec(),
            value: sent.to_owned(),
        });
        Self {
            parameter,
            sent: sent.map(str::to_owned),
            expected: format!(
                "one of the `{member}` of client `{}`",
                printable(&client.id)
            ),
            registered: present.to_vec(),
            cure,
        }
    }

    /// A grant that a client may not use.
    pub(crate) fn of_grant(client: &RegisteredClient, grant_type: &str) -> Self {
        let registered = ("grant_types", &client.grant_types[..]);
        Self::of_client(client, "grant_type", Some(grant_type), registered)
    }

    /// A client that nobody registered, with the member that its registration would need.
    pub(crate) fn of_unknown_client(
        state: &IdpState,
        id: &str,
        (member, value): (&'static str, &str),
    ) -> Self {
        Self {
            parameter: "client_id",
            sent: (!id.is_empty()).then(|| id.to_owned()),
            expected: "the `id` of a client".to_owned(),
            registered: state.client_ids(),
            cure: (!id.is_empty()).then(|| SettingsCure {
                client: id.to_owned(),
                member,
                present: Vec::new(),
                value: value.to_owned(),
            }),
        }
    }

    /// All of it in one sentence, for an `error_description`.
    pub(crate) fn sentence(&self) -> String {
        // The order of rustc: what was expected, what was found, what to do.
        let found = match &self.sent {
            Some(sent) => format!("`{}`", printable(sent)),
            None => "none".to_owned(),
        };
        let (parameter, expected, registered) =
            (self.parameter, &self.expected, list(&self.registered));
        let told =
            format!("`{parameter}`: expected {expected}, found {found}; registered: {registered}");
        match &self.cure {
            Some(cure) => format!("{told}; help: in the settings, {}", cure.line()),
            None => told,
        }
    }

    pub(crate) fn into_error(self, error: &'static str) -> OAuthError {
        OAuthError::new(error, &self.sentence())
    }
}

impl RefusalReason {
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Words(words) => words.clone(),
            Self::Mismatch(mismatch) => mismatch.sentence(),
        }
    }
}

impl From<Mismatch> for RefusalReason {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(Box::new(mismatch))
    }
}

impl From<&str> for RefusalReason {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl SettingsCure {
    /// In one line, the present values left out.
    fn line(&self) -> String {
        let (client, value) = (printable(&self.client), printable(&self.value));
        // Single quotes: an `error_description` must not have double ones.
        let value = match (self.is_list(), self.present.is_empty()) {
            (false, _) => format!("'{value}'"),
            (true, true) => format!("['{value}']"),
            (true, false) => format!("[..., '{value}']"),
        };
        format!("[[client]] id = '{client}' {} = {value}", self.member)
    }

    /// As it stands in the settings.
    pub(crate) fn toml(&self) -> String {
        let table = TableText::new("client").text("id", Some(&self.client));
        if !self.is_list() {
            return table.text(self.member, Some(&self.value)).into_text();
        }
        // All of them, so that the lines can replace those in the file.
        let mut values = self.present.clone();
        values.push(self.value.clone());
        table.list(self.member, &values).into_text()
    }

    /// Whether the member has several values.
    fn is_list(&self) -> bool {
        self.member != "secret"
    }
}

/// The first few of these names, each in backticks.
pub(crate) fn list(values: &[String]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    let mut listed: Vec<String> = values
        .iter()
        .take(MOST_LISTED)
        .map(|value| format!("`{}`", printable(value)))
        .collect();
    // A client with hundreds of addresses would fill the log with one refusal.
    if let Some(more @ 1..) = values.len().checked_sub(MOST_LISTED) {
        listed.push(format!("{more} more"));
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_both_sides_and_the_line_that_registers() {
        let client = RegisteredClient {
            id: "spa".to_owned(),
            redirect_uris: vec!["http://localhost/callback".to_owned()],
            ..RegisteredClient::default()
        };
        let mismatch = Mismatch::of_client(
            &client,
            "redirect_uri",
            Some("http://localhost:3000/cb"),
            ("redirect_uris", &client.redirect_uris),
        );
        assert_eq!(
            mismatch.sentence(),
            "`redirect_uri`: expected one of the `redirect_uris` of client `spa`, found \
             `http://localhost:3000/cb`; registered: `http://localhost/callback`; help: in the \
             settings, [[client]] id = 'spa' redirect_uris = [..., 'http://localhost:3000/cb']"
        );
    }

    /// RFC 6749, section 5.2.
    #[test]
    fn a_sentence_has_only_the_characters_of_a_description() {
        let hostile = format!("\"\\`\r\n<é>{}", "x".repeat(1_000));
        let client = RegisteredClient {
            id: hostile.clone(),
            scopes: vec![hostile.clone(); 9],
            ..RegisteredClient::default()
        };
        let scopes = ("scopes", &client.scopes[..]);
        let sentence = Mismatch::of_client(&client, "scope", Some(&hostile), scopes).sentence();
        let allowed = |char: char| matches!(char, ' '..='~') && !['"', '\\'].contains(&char);
        assert!(sentence.chars().all(allowed), "{sentence}");
        assert!(sentence.contains("3 more") && sentence.len() < 2_000);
    }
}
