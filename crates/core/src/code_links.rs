//! The pages of codes: where a refusal is explained, by the operator's own address.
//!
//! ```
//! use portcullis_core::CodeLinks;
//!
//! let links = CodeLinks::parse("https://docs.example/refusals/#{code}").expect("a template");
//! let link = links.link("token.expired");
//! assert_eq!(link.as_deref(), Some("https://docs.example/refusals/#token.expired"));
//! // By default there are no pages, and a problem has a URN as its type.
//! let links = CodeLinks::default();
//! assert_eq!(links.link("token.expired"), None);
//! assert_eq!(links.problem_type("token.expired"), "urn:portcullis:token.expired");
//! ```

use std::sync::Arc;

/// What the code takes the place of in a template.
const PLACE: &str = "{code}";

/// The addresses of the pages that explain codes; none by default. Clones share one template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeLinks(Option<Arc<Template>>);

/// The text before the code, and the text after it.
#[derive(Debug, PartialEq, Eq)]
struct Template {
    before: Box<str>,
    after: Box<str>,
}

impl CodeLinks {
    /// Reads a template, such as `https://docs.example/refusals/#{code}`. `None` unless it holds
    /// `{code}` exactly once. Whether it is an address is for the caller to check.
    pub fn parse(template: &str) -> Option<Self> {
        let (before, after) = template.split_once(PLACE)?;
        if after.contains(PLACE) {
            return None;
        }
        Some(Self(Some(Arc::new(Template {
            before: before.into(),
            after: after.into(),
        }))))
    }

    /// The address of a code's page; `None` by default.
    pub fn link(&self, code: &str) -> Option<String> {
        let Template { before, after } = self.0.as_deref()?;
        Some(format!("{before}{code}{after}"))
    }

    /// The `type` of a problem document (RFC 9457, section 3.1.1): the code's page, or else a URN,
    /// which names the kind of problem and leads nowhere.
    pub fn problem_type(&self, code: &str) -> String {
        match self.link(code) {
            Some(link) => link,
            None => format!("urn:portcullis:{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_holds_the_code_once() {
        for wrong in [
            "https://a.example",
            "https://a.example/{code}/{code}",
            "{Code}",
            "",
        ] {
            assert_eq!(CodeLinks::parse(wrong), None, "{wrong}");
        }
        let links = CodeLinks::parse("https://a.example/{code}.html?x").unwrap();
        let link = "https://a.example/policy.role.html?x";
        assert_eq!(links.link("policy.role").as_deref(), Some(link));
        assert_eq!(links.problem_type("policy.role"), link);
    }
}
