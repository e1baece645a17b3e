//! Headers of a client that only the gateway may set, where somebody else forwards the request and
//! cannot be told to remove them.

use super::{IdentitySettings, folded};
use crate::refusal::Refusal;
use crate::request::fields::listed;
use http::HeaderMap;
use http::header::{CONNECTION, HeaderName};
use std::borrow::Cow;

/// No longer name is told in the log.
const LONGEST_NAME: usize = 64;

impl IdentitySettings {
    /// Refuses a request whose `Connection` names a header that only the gateway sets: whoever
    /// forwards it would drop that header behind the answer (RFC 9110, section 7.6.1).
    pub(crate) fn refuse_named_away(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut options = listed(headers, &CONNECTION);
        match options.find(|name| self.is_reserved(&name.to_ascii_lowercase())) {
            Some(name) => Err(Refusal::Forged(format!(
                "`Connection` names `{}`",
                shortened(name)
            ))),
            None => Ok(()),
        }
    }

    /// Refuses a request with a header that the answer cannot take the place of: it begins like an
    /// identity header, but no setting names it; or it is another spelling of one, or of what tells
    /// of another path, method or client. `own` are headers by which the one that asks tells
    /// something itself.
    pub(crate) fn refuse_forged(&self, headers: &HeaderMap, own: &[&str]) -> Result<(), Refusal> {
        let overwritten = |name: &HeaderName| self.headers.iter().any(|(held, _)| held == name);
        let expected = |name: &HeaderName| {
            own.contains(&name.as_str()) || self.token_header.as_ref() == Some(name)
        };
        let mut names = headers
            .keys()
            .filter(|name| !overwritten(name) && !expected(name));
        match names.find(|name| self.is_beyond_answer(name.as_str())) {
            Some(name) => Err(Refusal::Forged(format!(
                "a header `{}`",
                shortened(name.as_str())
            ))),
            None => Ok(()),
        }
    }

    fn is_beyond_answer(&self, name: &str) -> bool {
        let folded = folded(name);
        let respelled = matches!(folded, Cow::Owned(_));
        self.is_identity(&folded) || (respelled && self.is_reserved(name))
    }
}

fn shortened(name: &str) -> &str {
    name.get(..LONGEST_NAME).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::IdentityConfig;
    use http::HeaderValue;

    fn settings() -> IdentitySettings {
        IdentitySettings::try_from(IdentityConfig::default()).unwrap()
    }

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = fields.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let mut headers = HeaderMap::new();
        fields.for_each(|(name, value)| _ = headers.append(name, value));
        headers
    }

    #[test]
    fn connection_names_no_identity_header() {
        for values in [
            &["X-Auth-Subject"][..],
            &["close, x-auth-roles"],
            &["keep-alive", "X-AUTH-ROLES"],
            &["upgrade,,X_Auth_Roles"],
            &["x.auth.else"],
            &["X-Forwarded-For"],
        ] {
            let fields: Vec<_> = values.iter().map(|value| ("connection", *value)).collect();
            let refused = settings().refuse_named_away(&headers(&fields)).unwrap_err();
            assert_eq!(refused.code(), "request.header", "{values:?}");
        }
        for value in [
            "",
            "close",
            "keep-alive, TE",
            "Upgrade, HTTP2-Settings",
            "x-hop",
            "x-auth",
            "Authorization",
        ] {
            assert!(
                settings()
                    .refuse_named_away(&headers(&[("connection", value)]))
                    .is_ok(),
                "{value}"
            );
        }
    }

    #[test]
    fn what_the_answer_cannot_overwrite_is_refused() {
        let refused = |name| {
            settings()
                .refuse_forged(&headers(&[(name, "x")]), &[])
                .is_err()
        };
        for name in [
            "x_auth_subject",
            "x.auth.subject",
            "x-auth_roles",
            "x-auth-subject_",
            "x-auth-subject-",
            "x-auth-new",
            "x_original_url",
            "x-http-method_override",
            "x_forwarded_for",
            "content_length",
        ] {
            assert!(refused(name), "{name}");
        }
        for name in [
            "x-auth-subject",
            "x-auth",
            "x-forwarded-for",
            "x-original-url",
            "accept",
            "x_request_id",
        ] {
            assert!(!refused(name), "{name}");
        }
    }

    #[test]
    fn what_is_expected_there_is_not_refused() {
        let own = ["x-auth-request-redirect"];
        let fields = headers(&[("x-auth-request-redirect", "/a"), ("x-auth-token", "x")]);
        let settings = settings().with_token_header(Some(HeaderName::from_static("x-auth-token")));
        assert!(settings.refuse_forged(&fields, &own).is_ok());
        assert!(settings.refuse_forged(&fields, &[]).is_err());
    }
}
