//! `portcullis explain --code`: the meaning of a code, by the table that makes the documents.

use super::columns::ColumnPage;
use crate::exit::CommandError;
use crate::output::STRONG;
use portcullis_core::OutageCode;
use portcullis_core::dialect::DIALECTS;
use portcullis_core::rejection::{Code, Party, quote};
use portcullis_gateway::{RefusalCode, refusal_codes};
use serde_json::{Value, json};

/// What is fixed for a code.
#[derive(Debug)]
pub(super) struct CodeReference {
    pub(super) code: &'static str,
    status: u16,
    error: Option<&'static str>,
    phrase: &'static str,
    causes: &'static [&'static str],
    cure: &'static str,
    rfc: Option<&'static str>,
    /// Who can cure it first.
    party: Option<Party>,
    /// The providers' own cures, each with the title of the provider.
    provider_cures: Vec<(&'static str, &'static str)>,
}

impl CodeReference {
    /// The entry of this code.
    ///
    /// # Errors
    ///
    /// A code that is not in the table, with those that it may have been meant for.
    pub(super) fn find(code: &str) -> Result<Self, CommandError> {
        Self::of(code.trim()).ok_or_else(|| unknown(code))
    }

    /// The entry of this code, if it is in the table.
    pub(super) fn of(code: &str) -> Option<Self> {
        let is_it = |known: &&Code| known.as_str() == code;
        if let Some(code) = Code::ALL.iter().find(is_it) {
            return Some(Self::of_rejection(*code));
        }
        let mut outages = OutageCode::ALL.iter();
        if let Some(outage) = outages.find(|known| known.as_str() == code) {
            return Some(Self::of_outage(*outage));
        }
        let mut refusals = refusal_codes().into_iter();
        refusals
            .find(|known| known.code == code)
            .map(Self::of_refusal)
    }

    /// The entry of a refusal that has nothing to do with a token.
    fn of_refusal(refusal: RefusalCode) -> Self {
        Self {
            code: refusal.code,
            status: refusal.status,
            error: None,
            phrase: refusal.phrase,
            causes: &[],
            cure: refusal.cure,
            rfc: None,
            party: None,
            provider_cures: Vec::new(),
        }
    }

    fn of_rejection(code: Code) -> Self {
        let entry = code.entry();
        let mut provider_cures: Vec<(&str, &str)> = Vec::new();
        for dialect in DIALECTS {
            if let Some(cure) = dialect.cure(code) {
                // Several dialects of one provider share their cures.
                if !provider_cures.iter().any(|(_, known)| *known == cure) {
                    provider_cures.push((dialect.name, cure));
                }
            }
        }
        Self {
            code: entry.code,
            status: entry.status,
            error: entry.error,
            phrase: entry.phrase,
            causes: code.causes(),
            cure: entry.cure,
            rfc: Some(entry.rfc),
            party: Some(code.party()),
            provider_cures,
        }
    }

    fn of_outage(code: OutageCode) -> Self {
        Self {
            code: code.as_str(),
            status: 503,
            error: None,
            phrase: code.phrase(),
            causes: code.causes(),
            cure: code.cure(),
            rfc: Some("RFC 9110, section 15.6.4"),
            party: Some(code.party()),
            provider_cures: Vec::new(),
        }
    }

    /// The page about the code.
    pub(super) fn page(&self, width: usize) -> String {
        let mut page = ColumnPage::new(width, LABELS);
        page.heading(STRONG, self.code);
        page.gap();
        self.add_rows(&mut page);
        if !self.provider_cures.is_empty() {
            page.heading(STRONG, "By provider");
            page.gap();
            for (name, cure) in &self.provider_cures {
                page.row(name, cure);
            }
        }
        page.gap();
        page.into_text()
    }

    /// The rows about the code.
    pub(super) fn add_rows(&self, page: &mut ColumnPage) {
        page.row("meaning", self.phrase);
        let error = match self.error {
            Some(error) => format!(", error=\"{error}\""),
            None => String::new(),
        };
        page.row("status", &format!("{}{error}", self.status));
        for (index, cause) in self.causes.iter().enumerate() {
            let label = if index == 0 { "usual causes" } else { "" };
            page.row(label, &format!("- {cause}"));
        }
        page.row("cure", self.cure);
        if let Some(party) = self.party {
            page.row("cured by", &party.to_string());
        }
        if let Some(rfc) = self.rfc {
            page.row("asked for by", rfc);
        }
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        let mut providers = serde_json::Map::new();
        for (name, cure) in &self.provider_cures {
            providers.insert((*name).to_owned(), json!(cure));
        }
        json!({
            "code": self.code,
            "status": self.status,
            "error": self.error,
            "meaning": self.phrase,
            "causes": self.causes,
            "cure": self.cure,
            "party": self.party.map(Party::as_str),
            "rfc": self.rfc,
            "providers": providers,
        })
    }
}

/// Wide enough for every label, and for the name of every dialect.
pub(super) const LABELS: usize = 14;

fn unknown(code: &str) -> CommandError {
    let area = code.split('.').next().unwrap_or_default();
    let all = all_codes();
    let mut near = all.clone();
    near.retain(|known| known.split('.').next() == Some(area));
    // All of them at once would fill the screen: the areas lead to them.
    let help = if near.is_empty() {
        let mut areas: Vec<&str> = all
            .iter()
            .filter_map(|known| known.split('.').next())
            .collect();
        areas.sort_unstable();
        areas.dedup();
        format!(
            "a code is an area and a name, such as `token.audience`; the areas are {}, and \
                `--code token` lists the codes of one",
            areas.join(", ")
        )
    } else {
        format!("the codes of `{area}` are {}", near.join(", "))
    };
    let message = format!(
        "--code: expected the code of a refusal or outage, found {}",
        quote(code)
    );
    CommandError::could_not_run(message).help(help)
}

/// Every code of a refusal or outage, of tokens first.
fn all_codes() -> Vec<&'static str> {
    let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    codes.extend(OutageCode::ALL.iter().map(|code| code.as_str()));
    codes.extend(refusal_codes().iter().map(|refusal| refusal.code));
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_an_unknown_one_is_told() {
        for code in all_codes() {
            let found = CodeReference::find(code).unwrap();
            let page = anstream::adapter::strip_str(&found.page(80)).to_string();
            assert!(page.contains(code) && page.contains("\n  cure "), "{page}");
            assert!(
                page.lines().all(|line| line.chars().count() <= 80),
                "{page}"
            );
            assert_eq!(found.document()["code"], code);
        }
        let near = CodeReference::find("token.audiense")
            .unwrap_err()
            .to_string();
        assert!(
            near.contains("token.audience") && !near.contains("policy."),
            "{near}"
        );
        let other = CodeReference::find("x").unwrap_err().to_string();
        assert!(other.contains("gateway, outage, policy"), "{other}");
    }
}
