//! What the one right answer to each question is, at each moment.
//!
//! Everything that happens is announced here before it begins and after it has ended. A request is
//! judged by the moment it was sent in and the one its answer came in: in between, what was right
//! in either is right.

use portcullis_idp::Idp;
use std::sync::{Arc, PoisonError, RwLock};

/// What holds now.
#[derive(Clone)]
pub(crate) struct Moment {
    /// The tokens of the key that signs.
    pub(crate) tokens: Arc<Tokens>,
    /// The tokens of the key before, while that is published.
    pub(crate) before: Option<Arc<Tokens>>,
    /// Tokens of this rotation and later ones are good.
    pub(crate) good_from: u32,
    /// Who may go to `/switch`.
    pub(crate) switch: Switch,
    /// Whether a server behind the gateway is away, or was until a second ago.
    pub(crate) restarting: bool,
    /// Whether the last fetch of keys may have failed: nobody knows then which key made a signature.
    pub(crate) keys_in_doubt: bool,
    /// Whether a server breaks off its answers, or did until a second ago.
    pub(crate) breaking: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    Everybody,
    Admins,
    /// The settings are being changed from one to the other.
    Either,
}

/// Tokens that one key signed.
pub(crate) struct Tokens {
    pub(crate) rotation: u32,
    pub(crate) good: Vec<(String, String)>,
    pub(crate) admin: String,
    pub(crate) expired: String,
    pub(crate) other_audience: String,
    pub(crate) forged: String,
}

const CALLERS: usize = 100;

impl Tokens {
    pub(crate) fn signed(idp: &Idp, rotation: u32) -> Arc<Self> {
        let good = |number| {
            let subject = format!("caller-{rotation}-{number}");
            let token = good_token(idp, &subject);
            (subject, token)
        };
        Arc::new(Self {
            rotation,
            good: (0..CALLERS).map(good).collect(),
            admin: idp
                .token("root")
                .claim("sub", "root")
                .role("Admin")
                .sign(),
            expired: idp.token("late").expire().sign(),
            other_audience: idp.token("lost").audience("api://another").sign(),
            forged: idp
                .token("root")
                .role("Admin")
                .signature_flipped()
                .sign(),
        })
    }
}

/// A token that opens `/orders`.
pub(crate) fn good_token(idp: &Idp, subject: &str) -> String {
    idp.token(subject)
        .claim("sub", subject)
        .scope("orders:read")
        .sign()
}

/// The moment, shared.
#[derive(Clone)]
pub(crate) struct Expected(Arc<RwLock<Moment>>);

impl Expected {
    pub(crate) fn new(moment: Moment) -> Self {
        Self(Arc::new(RwLock::new(moment)))
    }

    pub(crate) fn now(&self) -> Moment {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Moment)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// In place of the status, where an answer began and did not end.
pub(crate) const BROKEN_OFF: u16 = 999;

/// An answer: its status, and what its body is (200) or holds (the rest).
pub(crate) type Answer = (u16, String);

/// A question, and everything that decides which answers are right.
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) token: Option<String>,
    /// The body of a POST; else it is a GET.
    pub(crate) post: Option<&'static str>,
    /// The answer of an ordinary moment.
    pub(crate) right: Answer,
    /// The rotation whose key signed the token, where that matters.
    pub(crate) rotation: Option<u32>,
    /// The answer when `/switch` is open to everybody, where that is asked for.
    pub(crate) open: Option<Answer>,
}

impl Question {
    /// Whether this is the answer it must have, sent and answered at these moments.
    pub(crate) fn allows(&self, given: &Answer, sent: &Moment, answered: &Moment) -> bool {
        [sent, answered].iter().any(|moment| {
            self.right_at(moment)
                .iter()
                .any(|right| same(right, given))
        })
    }

    fn right_at(&self, moment: &Moment) -> Vec<Answer> {
        let mut right = match (&self.open, moment.switch) {
            (Some(open), Switch::Everybody) => vec![open.clone()],
            (Some(open), Switch::Either) => vec![open.clone(), self.right.clone()],
            _ => vec![self.right.clone()],
        };
        if self
            .rotation
            .is_some_and(|rotation| rotation < moment.good_from)
        {
            right.push((401, "token.key_unknown".to_owned()));
        }
        if self.name == "forged" && moment.keys_in_doubt {
            right.push((503, "outage.".to_owned()));
        }
        // A request that may change something is sent once; the gateway cannot know whether it was
        // carried out. A stream of HTTP/2 that breaks off at once may be reset before its head is
        // read.
        if self.post.is_some() && (moment.restarting || moment.breaking) {
            right.push((502, "upstream.".to_owned()));
            right.push((504, "upstream.timeout".to_owned()));
        }
        // Half an answer is none, and the caller must see that.
        if moment.breaking {
            right.push((BROKEN_OFF, String::new()));
        }
        right
    }
}

fn same(right: &Answer, given: &Answer) -> bool {
    right.0 == given.0
        && if right.0 == 200 {
            right.1 == given.1
        } else {
            given.1.contains(&right.1)
        }
}
