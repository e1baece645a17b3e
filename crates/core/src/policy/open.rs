//! The parts of a requirement that leave its verdict unknown.

use super::requirement::Requirement;
use super::rule::Ruling;
use crate::outage::Outage;
use crate::token::{AccessToken, NumericDate};

impl Requirement {
    /// Whether the verdict is unknown and depends on groups, so that looking them up may decide it.
    pub fn hangs_on_groups(&self, token: &AccessToken, now: NumericDate) -> bool {
        self.open_parts(token, now, &mut |part| {
            let unknown = match part {
                Self::Role(_) | Self::Group(_) => true,
                Self::Rule(rule) => rule.ruling(token) == Ruling::GroupsUnknown,
                _ => false,
            };
            unknown.then_some(())
        })
        .is_some()
    }

    /// The outage of the first failed rule that the verdict depends on.
    pub(super) fn failure(&self, token: &AccessToken, now: NumericDate) -> Option<Outage> {
        self.open_parts(token, now, &mut |part| match part {
            Self::Rule(rule) => match rule.ruling(token) {
                Ruling::Failed(outage) => Some(outage),
                Ruling::Met | Ruling::Unmet | Ruling::GroupsUnknown => None,
            },
            _ => None,
        })
    }

    /// The first answer about a part that leaves the verdict unknown; `all`, `any` and `not` are
    /// searched, and no parts themselves.
    fn open_parts<T>(
        &self,
        token: &AccessToken,
        now: NumericDate,
        found: &mut impl FnMut(&Self) -> Option<T>,
    ) -> Option<T> {
        // A part that is unknown does not matter if the others decide: `any([role, group])`.
        if self.verdict(token, now).is_some() {
            return None;
        }
        match self {
            Self::All(several) | Self::Any(several) => several
                .iter()
                .find_map(|it| it.open_parts(token, now, found)),
            Self::Not(requirement) => requirement.open_parts(token, now, found),
            part => found(part),
        }
    }
}
