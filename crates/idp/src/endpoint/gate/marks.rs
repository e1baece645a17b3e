//! Marks on a response beside its content, for the journal and for trials.

/// The reason of a refusal: a page has no member for it.
#[derive(Clone)]
pub(crate) struct Reason(pub(crate) String);

impl Reason {
    pub(crate) fn new(words: &str) -> Self {
        Self(words.to_owned())
    }
}

/// The answer that the browser takes to the client, in any response mode.
#[derive(Clone)]
pub(crate) struct ReturnMark {
    pub(crate) address: String,
    pub(crate) pairs: Vec<(String, String)>,
}
