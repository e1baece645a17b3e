//! A requirement part by part, beside what a token has: for a person to read.
//!
//! The verdict of each part is the one that decides. The texts show claims of the token, escaped
//! and cut: they are for whoever holds it, never for a log.

use super::requirement::Requirement;
use super::rule::Ruling;
use crate::jose::json::{Json, Number};
use crate::rejection::{Party, quote};
use crate::token::{AccessToken, Kind, Membership, NumericDate};

/// One part of a requirement, and whether a token meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DemandStep {
    /// How many alternatives and opposites it stands in.
    pub depth: usize,
    /// What it demands.
    pub demand: String,
    /// Whether the token meets it; `None` if that is unknown, or if there is no token.
    pub met: Option<bool>,
    /// What the token has instead or at all; empty for parts that only join others.
    pub found: String,
    /// Who can change what the token has; `None` for parts that only join others.
    pub party: Option<Party>,
}

impl Requirement {
    /// Every part of the requirement in order, each with what the token has.
    ///
    /// ```
    /// use portcullis_core::Requirement;
    /// use portcullis_core::token::NumericDate;
    ///
    /// let editor = Requirement::all([Requirement::user(), Requirement::scope("orders:write")]);
    /// let steps = editor.explain(None, NumericDate::from_seconds(0));
    /// assert_eq!(steps[1].demand, "scope `orders:write`");
    /// assert_eq!((steps[1].met, steps[1].found.as_str()), (None, ""));
    /// ```
    pub fn explain(&self, token: Option<&AccessToken>, now: NumericDate) -> Vec<DemandStep> {
        let mut listing = Listing {
            token,
            now,
            steps: Vec::new(),
        };
        listing.add(self, 0);
        listing.steps
    }
}

/// The parts so far.
struct Listing<'t> {
    token: Option<&'t AccessToken>,
    now: NumericDate,
    steps: Vec<DemandStep>,
}

impl Listing<'_> {
    fn add(&mut self, requirement: &Requirement, depth: usize) {
        match requirement {
            // All of these are demanded here anyway, so they need no line that joins them.
            Requirement::All(all) if depth == 0 => self.add_each(all, depth),
            Requirement::All(all) => {
                self.join("all of", requirement, depth);
                self.add_each(all, depth + 1);
            }
            Requirement::Any(any) => {
                self.join("one of", requirement, depth);
                self.add_each(any, depth + 1);
            }
            Requirement::Not(inner) => match &**inner {
                Requirement::All(_) | Requirement::Any(_) | Requirement::Not(_) => {
                    self.join("not", requirement, depth);
                    self.add(inner, depth + 1);
                }
                part => self.part(format!("not {}", demand(part)), requirement, part, depth),
            },
            part => self.part(demand(part), part, part, depth),
        }
    }

    fn add_each(&mut self, several: &[Requirement], depth: usize) {
        for one in several {
            self.add(one, depth);
        }
    }

    fn join(&mut self, word: &str, requirement: &Requirement, depth: usize) {
        self.steps.push(DemandStep {
            depth,
            demand: word.to_owned(),
            met: self.verdict(requirement),
            found: String::new(),
            party: None,
        });
    }

    /// `whole` is the part, or its opposite.
    fn part(&mut self, demand: String, whole: &Requirement, part: &Requirement, depth: usize) {
        let found = match self.token {
            Some(token) => found(part, token, self.now),
            None => String::new(),
        };
        self.steps.push(DemandStep {
            depth,
            demand,
            met: self.verdict(whole),
            found,
            party: Some(party(part, self.token)),
        });
    }

    fn verdict(&self, requirement: &Requirement) -> Option<bool> {
        requirement.verdict(self.token?, self.now)
    }
}

/// The demand of a single part. Unlike in a log line, the wanted value of a claim is shown.
fn demand(part: &Requirement) -> String {
    match part {
        Requirement::Claim(path, value) => format!("claim `{path}` = {}", text(value)),
        other => other.to_string(),
    }
}

/// What a token has where a part looks.
fn found(part: &Requirement, token: &AccessToken, now: NumericDate) -> String {
    match part {
        Requirement::ValidToken => "a valid token".to_owned(),
        Requirement::Scope(_) => match token.scopes().to_string() {
            none if none.is_empty() => "no scopes".to_owned(),
            scopes => format!("scopes {}", quote(&scopes)),
        },
        Requirement::Role(_) => members("roles", token.identity().roles()),
        Requirement::Group(_) => members("groups", token.identity().groups()),
        Requirement::Kind(_) => match token.identity().kind() {
            Kind::User => "a token for a user".to_owned(),
            Kind::Application => "a token for an application".to_owned(),
            Kind::Unknown => "a token that does not show for whom it is".to_owned(),
        },
        Requirement::Claim(path, _) => match path.find(token.claims()) {
            Some(value) => text(value),
            None => "no such claim".to_owned(),
        },
        Requirement::Acr(_) => match token.acr() {
            Some(values) => format!("acr {}", quote(&values.collect::<Vec<_>>().join(" "))),
            None => "no `acr`".to_owned(),
        },
        Requirement::MaxAge(_) => match token.auth_time() {
            Some(at) => format!("a sign-in {} s ago", now.since(at)),
            None => "no `auth_time`".to_owned(),
        },
        Requirement::Audience(_) => {
            let names: Vec<String> = token
                .claims()
                .audiences()
                .take(MOST_MEMBERS)
                .map(quote)
                .collect();
            match names.is_empty() {
                true => "no audience".to_owned(),
                false => format!("audience {}", names.join(", ")),
            }
        }
        Requirement::Bound(_) => match token.confirmation() {
            Some(_) => "a token that is bound".to_owned(),
            None => "a token that is not bound".to_owned(),
        },
        Requirement::Rule(rule) => match rule.ruling(token) {
            Ruling::Met => "permitted".to_owned(),
            Ruling::Unmet => "not permitted".to_owned(),
            Ruling::GroupsUnknown => "it depends on groups that are not known".to_owned(),
            Ruling::Failed(outage) => outage.facts().to_owned(),
        },
        Requirement::All(_) | Requirement::Any(_) | Requirement::Not(_) => String::new(),
    }
}

/// Who can change what a token has where a part looks.
fn party(part: &Requirement, token: Option<&AccessToken>) -> Party {
    match part {
        Requirement::ValidToken
        | Requirement::Scope(_)
        | Requirement::Kind(_)
        | Requirement::Audience(_)
        | Requirement::Bound(_) => Party::ClientDeveloper,
        // Only a person can sign in again; an application needs another way to its token.
        Requirement::Acr(_) | Requirement::MaxAge(_) => match token {
            Some(token) if token.identity().kind() != Kind::User => Party::ClientDeveloper,
            _ => Party::Caller,
        },
        Requirement::Role(_) | Requirement::Group(_) | Requirement::Claim(..) => {
            Party::ProviderAdmin
        }
        Requirement::Rule(_) | Requirement::All(_) | Requirement::Any(_) | Requirement::Not(_) => {
            Party::Operator
        }
    }
}

fn members(word: &str, membership: &Membership) -> String {
    let names: Vec<String> = membership
        .iter()
        .take(MOST_MEMBERS)
        .map(quote)
        .collect();
    match (membership.is_unknown(), membership.iter().count()) {
        (true, _) => format!("more {word} than fit into the token"),
        (false, 0) => format!("no {word}"),
        (false, count) if count > MOST_MEMBERS => {
            format!("{count} {word}, first {}", names.join(", "))
        }
        (false, _) => format!("{word} {}", names.join(", ")),
    }
}

/// More would fill the page; an operator compares a few by eye.
const MOST_MEMBERS: usize = 10;

/// A value as JSON has it, cut; of a list, its elements.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => quote(text),
        Json::Array(elements) => {
            let elements: Vec<String> = elements.iter().take(MOST_MEMBERS).map(text).collect();
            format!("[{}]", elements.join(", "))
        }
        Json::Number(Number::Integer(number)) => number.to_string(),
        Json::Number(Number::Unsigned(number)) => number.to_string(),
        Json::Number(Number::Float(number)) => number.to_string(),
        Json::Bool(truth) => truth.to_string(),
        other => other.type_name().to_owned(),
    }
}
