//! The usual mistakes, recognised by what the token itself says.
//!
//! A hint is for a person who holds the token. It decides nothing, and proves nothing.

mod answer;
mod content;
mod issuer;
mod keys;
mod step;
mod text;

pub(super) use answer::of_answer;
pub(super) use issuer::{of_issuer, of_provider_api};
pub(super) use keys::KeyChoice;
pub(super) use step::of_step;
pub(super) use text::{forgery_with_public_key, of_size, of_unreadable};

use portcullis_core::Dialect;
use portcullis_core::rejection::Code;

/// A mistake that was recognised.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    text: String,
    /// Whether the text says all. The provider's general cure would lead elsewhere then.
    is_whole: bool,
}

impl Mistake {
    /// A mistake that explains the refusal, and says how to mend it.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_whole: true,
        }
    }

    /// A mistake to which the provider's own setting belongs.
    pub(super) fn part(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_whole: false,
        }
    }
}

/// A mistake that was recognised, and the provider's own setting that cures the refusal.
pub(super) fn with_cure(
    seen: Option<Mistake>,
    dialect: Option<&Dialect>,
    code: &str,
) -> Option<String> {
    let is_it = |known: &&Code| known.as_str() == code;
    let code = Code::ALL.iter().find(is_it);
    let cure = code.and_then(|code| dialect?.cure(*code));
    match (seen, cure) {
        (Some(seen), Some(cure)) if !seen.is_whole => Some(format!("{}; {cure}", seen.text)),
        (Some(seen), _) => Some(seen.text),
        (None, cure) => cure.map(str::to_owned),
    }
}
