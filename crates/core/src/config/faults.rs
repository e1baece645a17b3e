//! The one list that all readers of settings put their faults into.

use super::{ConfigError, ConfigErrors, Diagnosis, Expectation, Problem, Sink};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// The faults found so far, and the place that is being looked at.
///
/// A handle is cheap: [`at`](Self::at) makes one for a place within, and all of them add to the
/// same list.
///
/// ```
/// # use portcullis_core::Faults;
/// let faults = Faults::default();
/// let issuer = faults.at("issuer[0]");
/// issuer
///     .expected("audience", "at least one audience")
///     .found_nothing()
///     .help("write what the tokens' `aud` must hold");
/// let errors = faults.check().unwrap_err();
/// assert_eq!(errors.iter().next().unwrap().place(), "issuer[0].audience");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults {
    scope: String,
    // Shared and not borrowed, so a reader of one table needs no lifetime for the whole list.
    list: Rc<RefCell<Vec<ConfigError>>>,
}

impl Faults {
    /// The same list, for what stands within a table or a list of tables.
    #[must_use]
    pub fn at(&self, place: impl fmt::Display) -> Self {
        Self {
            scope: self.place(&place.to_string()),
            list: Rc::clone(&self.list),
        }
    }

    /// The whole place of a member; of none, the table itself.
    pub fn place(&self, member: &str) -> String {
        match (self.scope.as_str(), member) {
            ("", member) => member.to_owned(),
            (scope, "") => scope.to_owned(),
            (scope, member) if member.starts_with('[') => format!("{scope}{member}"),
            (scope, member) => format!("{scope}.{member}"),
        }
    }

    /// Begins a fault: something else was expected of a member. An empty name is the table itself.
    pub fn expected(&self, member: &str, expectation: impl Into<String>) -> Expectation<&Self> {
        Expectation::new(self, self.place(member), expectation.into())
    }

    /// Begins a fault of a member of which the problem is known.
    pub fn wrong(&self, member: &str, problem: impl Into<String>) -> Diagnosis<&Self> {
        Diagnosis::new(self, self.place(member), Problem::Wrong(problem.into()))
    }

    /// Adds a finished fault.
    pub fn add(&self, fault: ConfigError) {
        self.list.borrow_mut().push(fault);
    }

    /// The value; or nothing, and its faults are added.
    pub fn note<T>(&self, result: Result<T, impl Into<ConfigErrors>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(errors) => {
                self.list.borrow_mut().extend(errors.into());
                None
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.borrow().len()
    }

    /// All faults so far, which leaves the list empty.
    #[must_use]
    pub fn take_all(&self) -> Vec<ConfigError> {
        self.list.take()
    }

    /// Ends the search.
    ///
    /// # Errors
    ///
    /// All faults, if there are any.
    pub fn check(&self) -> Result<(), ConfigErrors> {
        ConfigErrors::check(self.take_all())
    }
}

impl Sink for &Faults {
    type Output = ();

    fn place(&self, member: &str) -> String {
        Faults::place(self, member)
    }

    fn take(self, fault: ConfigError) {
        self.add(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_whole_wherever_the_fault_is_found() {
        let faults = Faults::default();
        faults.wrong("realm", "a").help("b");
        let route = faults.at("route[2]");
        route.wrong("", "a").help("b");
        route.at("require").wrong("role", "a").help("b");
        route
            .at("require.all")
            .at("[1]")
            .wrong("kind", "a")
            .help("b");
        assert_eq!(faults.count(), 4);
        let errors = faults.check().unwrap_err();
        let places: Vec<&str> = errors.iter().map(ConfigError::place).collect();
        let expected = [
            "realm",
            "route[2]",
            "route[2].require.role",
            "route[2].require.all[1].kind",
        ];
        assert_eq!(places, expected);
        assert_eq!(faults.check(), Ok(()));
    }

    #[test]
    fn a_fault_depends_on_its_place_and_on_what_it_was_judged_by() {
        let faults = Faults::default();
        let gateway = faults.at("gateway");
        gateway
            .expected("listen", "a loopback address")
            .found("0.0.0.0:80")
            .given(&["tls"])
            .given_elsewhere(&["upstream"])
            .help("add `[gateway.tls]`");
        let errors = faults.check().unwrap_err();
        let depends: Vec<&str> = errors.iter().flat_map(ConfigError::depends_on).collect();
        assert_eq!(depends, ["gateway.listen", "gateway.tls", "upstream"]);
    }

    #[test]
    fn a_result_is_a_value_or_its_faults() {
        let faults = Faults::default();
        assert_eq!(faults.note(Ok::<_, ConfigError>(1)), Some(1));
        let fault = ConfigError::wrong("x", "a").help("b");
        assert_eq!(faults.note(Err::<(), _>(fault)), None);
        assert_eq!(faults.count(), 1);
    }
}
