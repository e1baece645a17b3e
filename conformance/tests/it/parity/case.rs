//! A request as a client makes it, and what became of it.

use axum::http::{HeaderMap, HeaderName};
use serde_json::Value;

/// A request, before any door or proxy has seen it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) method: String,
    pub(super) target: String,
    /// What it says its host is, as often as it says so.
    pub(super) hosts: Vec<String>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: String,
    /// Why no request can be what the row means.
    pub(super) unfit: Option<&'static str>,
}

pub(super) const HOST: &str = "gw.example";

/// What a client gets, whichever door stands before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) challenge: Option<String>,
}

impl Case {
    pub(super) fn get(target: &str) -> Self {
        let (method, target) = ("GET".to_owned(), target.to_owned());
        let hosts = vec![HOST.to_owned()];
        Self {
            method,
            target,
            hosts,
            headers: Vec::new(),
            body: String::new(),
            unfit: None,
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Whether HTTP can carry it at all, unchanged.
    pub(super) fn fits_http(&self) -> Result<(), &'static str> {
        if let Some(why) = self.unfit {
            return Err(why);
        }
        for (_, value) in &self.headers {
            if value
                .iter()
                .any(|byte| *byte < b' ' && *byte != b'\t' || *byte == 0x7f)
            {
                return Err("no header holds a control character");
            }
            if value.trim_ascii() != &**value {
                return Err("space at the end of a header is no part of it");
            }
        }
        Ok(())
    }

    /// Whether its headers have names that an HTTP library can hold.
    pub(super) fn has_readable_names(&self) -> bool {
        let mut names = self.headers.iter().map(|(name, _)| name);
        names.all(|name| HeaderName::try_from(name).is_ok())
    }

    /// Its `Host` fields.
    pub(super) fn host_fields(&self) -> Vec<(String, Vec<u8>)> {
        self.hosts
            .iter()
            .map(|host| ("Host".to_owned(), host.as_bytes().to_vec()))
            .collect()
    }

    /// The size of its head, about.
    pub(super) fn head_bytes(&self) -> usize {
        self.target.len()
            + self
                .headers
                .iter()
                .map(|(name, value)| name.len() + value.len() + 4)
                .sum::<usize>()
    }
}

impl Outcome {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        // Where a proxy does not pass on a status, it is told beside it.
        let meant = text("x-portcullis-status").map(|status| status.parse().unwrap());
        let code = problem["code"].as_str().unwrap_or_default().to_owned();
        if let Some(beside) = text("x-portcullis-code") {
            assert_eq!(beside, code);
        }
        assert!(
            status == 200 || status >= 400,
            "{status} may be taken for leave"
        );
        assert!(
            status != 200 || meant.is_none(),
            "a refusal that may be taken for leave"
        );
        Self {
            status: meant.unwrap_or(status),
            code,
            challenge: text("www-authenticate"),
        }
    }

    /// What an HTTP library refuses by itself has no code; whether that is right is for the row to
    /// say.
    pub(super) fn equals(&self, other: &Self) -> bool {
        let bare = |it: &Self| matches!(it.status, 400 | 431) && it.code.is_empty();
        self == other || bare(self) || bare(other)
    }
}
