//! Where codes are explained: an address with the code in it.

use portcullis_core::{CodeLinks, Faults};
use url::Url;

/// The longest template: it is part of every refusal.
const LONGEST: usize = 512;

/// The links that a template describes; none if it is absent or at fault.
pub(super) fn code_links(template: Option<&str>, faults: &Faults) -> CodeLinks {
    let Some(template) = template else {
        return CodeLinks::default();
    };
    match CodeLinks::parse(template) {
        Some(links) if is_address(&links) && template.len() <= LONGEST => links,
        _ => {
            faults
                .expected("code_url", "a web address that holds `{code}` once")
                .found(template)
                .help("write it such as `https://docs.example.com/refusals/#{code}`");
            CodeLinks::default()
        }
    }
}

/// Whether the links lead to a page. Every client gets them, so a password has no place in them.
fn is_address(links: &CodeLinks) -> bool {
    let Some(link) = links.link("token.expired") else {
        return false;
    };
    let Ok(url) = Url::parse(&link) else {
        return false;
    };
    let is_web = matches!(url.scheme(), "https" | "http");
    let names_user = !url.username().is_empty() || url.password().is_some();
    // What the parser has to rewrite would look different in a log and in a browser.
    is_web && !names_user && url.as_str() == link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_the_code_is_taken_and_nothing_else() {
        for template in [
            "https://docs.example.com/refusals/#{code}",
            "http://localhost:8000/codes/{code}.html",
        ] {
            let faults = Faults::default();
            let links = code_links(Some(template), &faults);
            assert!(links.link("a.b").is_some() && faults.take_all().is_empty());
        }
        for template in [
            "https://docs.example.com/refusals",
            "https://{code}/{code}",
            "javascript:alert('{code}')",
            "https://user:secret@docs.example.com/{code}",
            "docs.example.com/{code}",
            "https://docs.example.com/a b/{code}",
            "",
        ] {
            let faults = Faults::default();
            assert_eq!(code_links(Some(template), &faults), CodeLinks::default());
            assert_eq!(faults.take_all().len(), 1, "{template}");
        }
    }
}
