//! Which pages of other origins may read the answers of a route, or of all.

use crate::request::origin::OriginPattern;
use http::HeaderValue;
use http::header::{HeaderMap, ORIGIN};

/// The pages that may call, and what their browsers are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CorsRules {
    pub(crate) origins: Vec<OriginPattern>,
    pub(crate) credentials: bool,
    pub(crate) methods: HeaderValue,
    pub(crate) headers: HeaderValue,
    pub(crate) exposed: HeaderValue,
    pub(crate) max_age: HeaderValue,
}

impl CorsRules {
    /// Whether every page may call, so that no answer depends on the origin.
    pub(crate) fn are_for_all(&self) -> bool {
        self.origins.contains(&OriginPattern::Any)
    }

    /// The value of `Access-Control-Allow-Origin` for the page that calls: its origin as it was
    /// sent, which is its one spelling. `None` for a page that is not allowed.
    pub(crate) fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        // Without an `Origin` too, so that one cached answer is right for everybody.
        if self.are_for_all() {
            return Some(HeaderValue::from_static("*"));
        }
        let mut sent = headers.get_all(ORIGIN).iter();
        // A browser sends one origin, so a second one was added on the way.
        let (Some(origin), None) = (sent.next(), sent.next()) else {
            return None;
        };
        let text = origin.to_str().ok()?;
        let mut origins = self.origins.iter();
        origins
            .any(|pattern| pattern.matches(text))
            .then(|| origin.clone())
    }
}
