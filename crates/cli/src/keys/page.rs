//! The key set for people.

use super::KeySetView;
use crate::clock::rfc3339;
use crate::output::{BAD, GOOD, Page, QUIET, STRONG, paint};
use portcullis_audit::{PublishedKey, format_duration};
use portcullis_core::jose::Algorithm;

/// The page of `portcullis keys`.
pub(crate) fn page(view: &KeySetView) -> String {
    let mut page = Page::new(2, 13);
    page.line(&format!(
        "\n  {} {}\n",
        paint(STRONG, "Keys of"),
        view.issuer
    ));
    if let Ok(set) = &view.set {
        page.row("from", set.inspection.url.as_str());
        if set.answer().is_some() {
            page.row("Cache-Control", &header(view, "cache-control"));
            page.row("ETag", &header(view, "etag"));
            let next = format_duration(view.next_fetch());
            page.row("next fetch", &format!("in {next}, plus or minus a tenth"));
        }
    }
    if let Some(fault) = view.fault() {
        if view.set.is_ok() {
            page.line("");
        }
        page.styled_row(BAD, "no keys", &fault);
        if let Some(cure) = view.cure {
            page.row("help", cure);
        }
    }
    if let Ok(set) = &view.set {
        for key in &set.keys {
            add_key(&mut page, key);
        }
    }
    page.line("");
    page.into_text()
}

fn header(view: &KeySetView, name: &str) -> String {
    match view.header(name) {
        // A field that reads as text is visible ASCII, so it cannot steer the terminal.
        Some(text) => text.chars().take(100).collect(),
        None => "none".to_owned(),
    }
}

fn add_key(page: &mut Page, key: &PublishedKey) {
    let (label, style, verdict) = match &key.verdict {
        Ok(usable) => {
            let names: Vec<&str> = usable.algorithms().map(Algorithm::name).collect();
            ("usable", GOOD, format!("for {}", names.join(", ")))
        }
        // Such a key is fine for its own purpose, so it is not shown as an error.
        Err(fault) if key.is_for_others() => ("left out", QUIET, fault.to_string()),
        Err(fault) => ("unusable", BAD, fault.to_string()),
    };
    page.line("");
    page.styled_row(style, label, &paint(STRONG, &key.name()));
    page.row("", &verdict);
    page.row("key", &describe(key));
    if let Some(thumbprint) = key.thumbprint() {
        page.row("thumbprint", &thumbprint);
    }
    if let Some(certificate) = key.certificate {
        let other = if certificate.fits {
            ""
        } else {
            ", of ANOTHER key"
        };
        let day = day(certificate.expires);
        page.row("certificate", &format!("expires {day}{other}"));
    }
}

fn describe(key: &PublishedKey) -> String {
    let bits = match key.bits() {
        Some(bits) => format!("{bits} bits"),
        None => "unknown size".to_owned(),
    };
    let (algorithm, purpose) = (member(key, "alg"), member(key, "use"));
    format!("{}, {bits}, alg {algorithm}, use {purpose}", key.kind())
}

/// A member of the key, escaped and cut: it is a stranger's text.
fn member(key: &PublishedKey, name: &str) -> String {
    match key.text(name) {
        Some(text) => text.escape_debug().take(24).collect(),
        None => "none".to_owned(),
    }
}

/// A day in UTC.
fn day(seconds: i64) -> String {
    match rfc3339(seconds) {
        Some(moment) => moment.chars().take("2026-01-01".len()).collect(),
        None if seconds < 0 => "before 1970".to_owned(),
        None => "after 9999".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    #[test]
    fn text_of_a_provider_cannot_move_the_cursor() {
        let hostile = r#"{"kty":"\u001b[2J","kid":"\u001b[2Ja\u202e\nb","alg":"\u001b","use":"\r","crv":"\u0007"}"#;
        let key = PublishedKey::read(
            0,
            &json::parse(hostile.as_bytes(), &Limits::default()).unwrap(),
        );
        let mut page = Page::new(2, 13);
        add_key(&mut page, &key);
        let text = page.into_text();
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(plain.contains("left out"), "{plain}");
        assert!(
            plain
                .chars()
                .all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')),
            "{plain:?}"
        );
        // It was escaped before: stripping our own colours removed nothing of it.
        assert!(plain.contains(r"\u{1b}[2Ja\u{202e}\nb"), "{plain}");
    }
}
