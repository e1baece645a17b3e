//! How the rows of the table word what they expected and what they found.
//!
//! All of these write nothing until they are displayed, so a row can hand them over for nothing.

use super::Condition;
use crate::dialect::Mark;
use crate::jose::json::Json;
use crate::rejection::quote;
use crate::token::NumericDate;
use std::fmt::{self, Display, Formatter};

/// Some values, with commas between.
pub(super) fn list<I>(values: I) -> List<I::IntoIter>
where
    I: IntoIterator,
    I::IntoIter: Clone,
    I::Item: Display,
{
    List(values.into_iter())
}

/// What [`list`] makes.
pub(super) struct List<I>(I);

impl<I: Iterator<Item: Display> + Clone> Display for List<I> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.clone().enumerate() {
            write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// A text of the token, quoted, escaped and cut; or `none`.
pub(super) struct Quote<'x>(pub(super) Option<&'x str>);

impl Display for Quote<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => f.write_str(&quote(text)),
            None => f.write_str("none"),
        }
    }
}

/// The texts in a claim, five at most; else the type of its value.
pub(super) struct Texts<'x>(pub(super) Option<&'x Json>);

impl Display for Texts<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Json::Array(elements)) => {
                // A token may hold hundreds of audiences; a log line should not.
                let texts = elements.iter().filter_map(Json::as_str).take(5);
                if texts.clone().next().is_none() {
                    return f.write_str("an empty array");
                }
                list(texts.map(quote)).fmt(f)
            }
            Some(Json::String(text)) => f.write_str(&quote(text)),
            Some(other) => f.write_str(other.type_name()),
            None => f.write_str("none"),
        }
    }
}

/// A moment in a claim, and how far from now it is.
pub(super) struct Moment {
    pub(super) date: Option<NumericDate>,
    pub(super) now: NumericDate,
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.date {
            None => f.write_str("none"),
            Some(date) if date > self.now => write!(f, "{date}, in {} s", date.since(self.now)),
            Some(date) => write!(f, "{date}, {} s ago", self.now.since(date)),
        }
    }
}

/// The marks that a token must bear.
pub(super) struct MarkList(pub(super) &'static [Mark]);

impl Display for MarkList {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, mark) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { " and " };
            let values = mark.values.join(" or ");
            write!(f, "{between}`{}` to be {values}", mark.claim)?;
        }
        Ok(())
    }
}

/// The claims that the operator set conditions for.
pub(super) struct ConditionNames<'x>(pub(super) &'x [Condition]);

impl Display for ConditionNames<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, condition) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { ", " };
            write!(f, "{between}`{}`", condition.claim)?;
        }
        Ok(())
    }
}
