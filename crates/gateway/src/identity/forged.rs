//! Headers of a client that only the gateway may set, where another proxy forwards the request and
//! cannot be asked to remove them.

use super::IdentitySettings;
use super::names::fold;
use crate::refusal::Refusal;
use crate::request::fields::list_members;
use http::HeaderMap;
use http::header::CONNECTION;
use std::borrow::Cow;

/// Longer names are cut in the log.
const LONGEST_NAME: usize = 64;

impl IdentitySettings {
    /// Refuses a request whose `Connection` names a header that only the gateway sets: the proxy
    /// that forwards it would drop that header after the answer (RFC 9110, section 7.6.1).
    pub(crate) fn refuse_named_away(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        for name in list_members(headers, &CONNECTION) {
            if self.is_reserved(&name.to_ascii_lowercase()) {
                let name = shorten(name);
                return Err(Refusal::Forged(format!("`Connection` names `{name}`")));
            }
        }
        Ok(())
    }

    /// Refuses a request with a header that the answer cannot replace. Either it begins like an
    /// identity header and no setting names it, or it is another spelling of a reserved name. `own`
    /// are headers that the asking proxy sets itself.
    pub(crate) fn refuse_forged(&self, headers: &HeaderMap, own: &[&str]) -> Result<(), Refusal> {
        for name in headers.keys() {
            // The answer sets this header, so whatever the client sent is replaced.
            let is_overwritten = self.headers.iter().any(|(held, _)| held == name);
            // The proxy that asks sets the one of the certificate; another spelling is a client's.
            let is_expected = own.contains(&name.as_str())
                || self.token_header.as_ref() == Some(name)
                || self.certificate_header.as_ref() == Some(name);
            if !is_overwritten && !is_expected && self.is_beyond_answer(name.as_str()) {
                let name = shorten(name.as_str());
                return Err(Refusal::Forged(format!("a header `{name}`")));
            }
        }
        Ok(())
    }

    fn is_beyond_answer(&self, name: &str) -> bool {
        let folded = fold(name);
        // The proxy copies headers by their usual names, so another spelling would stay beside.
        let respelled = matches!(folded, Cow::Owned(_));
        self.is_identity(&folded) || (respelled && self.is_reserved(name))
    }
}

fn shorten(name: &str) -> &str {
    name.get(..LONGEST_NAME).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::IdentityConfig;
    use http::{HeaderName, HeaderValue};

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
            let fields: Vec<_> = values
                .iter()
                .map(|value| ("connection", *value))
                .collect();
            let refused = settings()
                .refuse_named_away(&headers(&fields))
                .unwrap_err();
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
