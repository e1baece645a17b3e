//! What happened lately, for whoever looks at the console: requests and tokens. In memory, bounded.

use crate::token::claims::JsonObject;
use crate::token::kind::TokenKind;
use std::collections::VecDeque;
use std::time::Duration;

const MOST_REQUESTS: usize = 100;

const MOST_TOKENS: usize = 50;

/// The latest requests and tokens.
#[derive(Default)]
pub(crate) struct Journal {
    requests: VecDeque<RequestRecord>,
    tokens: VecDeque<TokenRecord>,
    kept_requests: u64,
    kept_tokens: u64,
}

/// A request, and how it was answered. Secrets are hidden already.
#[derive(Clone)]
pub(crate) struct RequestRecord {
    pub(crate) id: u64,
    pub(crate) at: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The name of the endpoint, or of the group that the path belongs to.
    pub(crate) endpoint: &'static str,
    /// Who asked, as they say.
    pub(crate) client: Option<String>,
    pub(crate) grant_type: Option<String>,
    /// The scheme of the header `Authorization`.
    pub(crate) scheme: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) status: u16,
    /// The error of OAuth 2.0, and its description.
    pub(crate) error: Option<(String, String)>,
    /// Where the browser was sent, without the parameters.
    pub(crate) location: Option<String>,
    /// The members of the answer, or the parameters of the redirect.
    pub(crate) answer: Vec<(String, String)>,
    /// The tokens in the answer, by their numbers here.
    pub(crate) tokens: Vec<u64>,
    /// The fault that was ordered.
    pub(crate) fault: Option<String>,
    pub(crate) took: Duration,
}

/// An issued token or code.
#[derive(Clone)]
pub(crate) struct TokenRecord {
    pub(crate) id: u64,
    pub(crate) at: u64,
    pub(crate) kind: TokenKind,
    /// The grant that it came of, or what else.
    pub(crate) way: String,
    pub(crate) client: String,
    /// Whose it is; none where a client acts for itself.
    pub(crate) user: Option<String>,
    /// What is wrong with it on purpose.
    pub(crate) flaw: Option<String>,
    pub(crate) token: String,
    /// Empty for tokens that are no JWT.
    pub(crate) header: JsonObject,
    /// What an opaque token stands for, where that is known.
    pub(crate) claims: JsonObject,
}

impl RequestRecord {
    pub(crate) fn is_refused(&self) -> bool {
        self.status >= 400 || self.error.is_some()
    }
}

impl Journal {
    pub(crate) fn add_request(&mut self, request: RequestRecord) {
        self.kept_requests += 1;
        // The number is assigned here, so that it never repeats.
        self.requests.push_front(RequestRecord {
            id: self.kept_requests,
            ..request
        });
        self.requests.truncate(MOST_REQUESTS);
    }

    /// Keeps a token, and answers with the number that it is known by here.
    pub(crate) fn add_token(&mut self, token: TokenRecord) -> u64 {
        // As for requests, the number never repeats.
        self.kept_tokens += 1;
        self.tokens.push_front(TokenRecord {
            id: self.kept_tokens,
            ..token
        });
        self.tokens.truncate(MOST_TOKENS);
        self.kept_tokens
    }

    /// The latest first.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.iter()
    }

    pub(crate) fn request(&self, id: u64) -> Option<RequestRecord> {
        self.requests.iter().find(|it| it.id == id).cloned()
    }

    /// The latest first.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &TokenRecord> {
        self.tokens.iter()
    }

    pub(crate) fn token(&self, id: u64) -> Option<TokenRecord> {
        self.tokens
            .iter()
            .find(|token| token.id == id)
            .cloned()
    }
}
