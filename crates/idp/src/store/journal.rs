//! What happened lately, for whoever looks at the console: requests and tokens. In memory, bounded.

use crate::token::claims::JsonObject;
use std::collections::VecDeque;
use std::time::Duration;

const MOST_REQUESTS: usize = 100;

const MOST_TOKENS: usize = 50;

/// The latest requests and tokens.
#[derive(Default)]
pub(crate) struct Journal {
    requests: VecDeque<RequestRecord>,
    tokens: VecDeque<TokenRecord>,
    made: u64,
}

/// A request, and how it was answered.
pub(crate) struct RequestRecord {
    pub(crate) at: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Who asked, as they say.
    pub(crate) client: Option<String>,
    pub(crate) grant_type: Option<String>,
    pub(crate) status: u16,
    /// The error of OAuth 2.0, and its description.
    pub(crate) error: Option<(String, String)>,
    /// The fault that was ordered.
    pub(crate) fault: Option<String>,
    pub(crate) took: Duration,
}

/// A token that left the house.
#[derive(Clone)]
pub(crate) struct TokenRecord {
    pub(crate) id: u64,
    pub(crate) at: u64,
    /// Access token, ID token or refresh token.
    pub(crate) kind: &'static str,
    /// The grant that it came of, or what else.
    pub(crate) way: String,
    pub(crate) client: String,
    pub(crate) token: String,
    /// Empty for tokens that are no JWT.
    pub(crate) header: JsonObject,
    /// What an opaque token stands for, where that is known.
    pub(crate) claims: JsonObject,
}

impl Journal {
    pub(crate) fn add_request(&mut self, request: RequestRecord) {
        self.requests.push_front(request);
        self.requests.truncate(MOST_REQUESTS);
    }

    /// Keeps a token, and answers with the number that it is known by here.
    pub(crate) fn add_token(&mut self, token: TokenRecord) -> u64 {
        self.made += 1;
        // The number is assigned here, so that it never repeats.
        self.tokens.push_front(TokenRecord {
            id: self.made,
            ..token
        });
        self.tokens.truncate(MOST_TOKENS);
        self.made
    }

    /// The latest first.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.iter()
    }

    /// The latest first.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &TokenRecord> {
        self.tokens.iter()
    }

    pub(crate) fn token(&self, id: u64) -> Option<TokenRecord> {
        self.tokens.iter().find(|token| token.id == id).cloned()
    }
}
