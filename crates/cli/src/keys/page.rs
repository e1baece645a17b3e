//! The keys for people.

use super::Look;
use crate::output::{BAD, GOOD, QUIET, STRONG, styled, wrapped};
use portcullis_audit::{PublishedKey, format_duration};
use portcullis_core::jose::Algorithm;

const INDENT: usize = 16;

pub(crate) fn page(look: &Look) -> String {
    let mut page = format!("\n  {} {}\n\n", styled(STRONG, "Keys of"), look.issuer);
    let mut fact = |name: &str, told: &str| {
        page.push_str(&format!(
            "  {}{}\n",
            styled(QUIET, &format!("{name:<14}")),
            wrapped(told, INDENT)
        ));
    };
    if let Ok(set) = &look.set {
        fact("from", set.inspection.url.as_str());
        if let Some(answer) = set.answer() {
            let header = |name: &str| {
                let value = answer
                    .headers
                    .get(name)
                    .and_then(|value| value.to_str().ok());
                // What reads as text is visible ASCII.
                value.map_or_else(
                    || "none".to_owned(),
                    |text| text.chars().take(100).collect(),
                )
            };
            fact("Cache-Control", &header("cache-control"));
            fact("ETag", &header("etag"));
            fact(
                "next fetch",
                &format!(
                    "in {}, a tenth more or less",
                    format_duration(look.next_fetch())
                ),
            );
        }
    }
    if let Some(fault) = look.fault() {
        page.push_str(&format!(
            "{}  {}{}\n",
            if look.set.is_ok() { "\n" } else { "" },
            styled(BAD, &format!("{:<14}", "no keys")),
            wrapped(&fault, INDENT)
        ));
    }
    for key in look.set.iter().flat_map(|set| &set.keys) {
        page.push_str(&row(key));
    }
    page.push('\n');
    page
}

fn row(key: &PublishedKey) -> String {
    let (mark, style, told) = match &key.verdict {
        Ok(usable) => {
            let names: Vec<&str> = usable.algorithms().map(Algorithm::name).collect();
            ("usable", GOOD, format!("for {}", names.join(", ")))
        }
        Err(fault) if key.is_for_others() => ("left out", QUIET, fault.to_string()),
        Err(fault) => ("unusable", BAD, fault.to_string()),
    };
    let says = [("alg", key.text("alg")), ("use", key.text("use"))];
    let says = says.map(|(name, value)| {
        let value = value.map_or_else(
            || "none".to_owned(),
            |text| text.escape_debug().take(24).collect(),
        );
        format!("{name} {value}")
    });
    let bits = key
        .bits()
        .map_or_else(|| "unknown size".to_owned(), |bits| format!("{bits} bits"));
    let about = format!("{}, {bits}, {}", key.kind(), says.join(", "));
    let mut row = format!(
        "\n  {}{}\n",
        styled(style, &format!("{mark:<14}")),
        styled(STRONG, &key.name())
    );
    let mut line = |name: &str, text: &str| {
        row.push_str(&format!(
            "  {}{}\n",
            styled(QUIET, &format!("{name:<14}")),
            wrapped(text, INDENT)
        ));
    };
    line("", &told);
    line("key", &about);
    if let Some(thumbprint) = key.thumbprint() {
        line("thumbprint", &thumbprint);
    }
    if let Some(certificate) = key.certificate {
        let other = if certificate.fits {
            ""
        } else {
            ", of ANOTHER key"
        };
        line(
            "certificate",
            &format!("ends {}{other}", day(certificate.expires)),
        );
    }
    row
}

/// A day in UTC.
fn day(seconds: i64) -> String {
    let moment = u64::try_from(seconds)
        .ok()
        .map(|it| std::time::UNIX_EPOCH + std::time::Duration::from_secs(it));
    moment.map_or_else(
        || "before 1970".to_owned(),
        |moment| {
            humantime::format_rfc3339_seconds(moment)
                .to_string()
                .chars()
                .take(10)
                .collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Limits;
    use portcullis_core::jose::json;

    #[test]
    fn what_a_provider_writes_cannot_move_the_cursor() {
        let hostile = r#"{"kty":"\u001b[2J","kid":"\u001b[2Ja\u202e\nb","alg":"\u001b","use":"\r","crv":"\u0007"}"#;
        let key = PublishedKey::read(
            0,
            &json::parse(hostile.as_bytes(), &Limits::default()).unwrap(),
        );
        let told = anstream::adapter::strip_str(&row(&key)).to_string();
        assert!(told.contains("left out"), "{told}");
        assert!(
            told.chars()
                .all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')),
            "{told:?}"
        );
        // Nothing was taken out by stripping our own colours: it was escaped before.
        assert!(told.contains(r"\u{1b}[2Ja\u{202e}\nb"), "{told}");
    }
}
