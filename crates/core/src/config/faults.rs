//! The one list that all readers of settings put their faults into.

use super::placeholder::placeholder;
use super::{ConfigError, ConfigErrors, ConfigProblem, Diagnosis, Expectation, Sink};
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
    lists: Rc<Lists>,
    is_for_warnings: bool,
}

#[derive(Debug, Default)]
struct Lists {
    faults: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<ConfigError>>,
}

impl Faults {
    /// The same list, for what stands within a table or a list of tables.
    #[must_use]
    pub fn at(&self, place: impl fmt::Display) -> Self {
        Self {
            scope: self.place(&place.to_string()),
            ..self.clone()
        }
    }

    /// The same place, for what can be used but is hardly meant.
    #[must_use]
    pub fn as_warnings(&self) -> Self {
        Self {
            is_for_warnings: true,
            ..self.clone()
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
        Diagnosis::new(
            self,
            self.place(member),
            ConfigProblem::wrong(&problem.into()),
        )
    }

    /// Warns of a value that an example left behind, if it is one; `help` says what to write.
    pub fn warn_of_placeholder(&self, member: &str, text: &str, help: &str) {
        if let Some(piece) = placeholder(text) {
            self.as_warnings()
                .expected(member, "a value of your own")
                .found_as(format!("the placeholder `{piece}`"))
                .help(help);
        }
    }

    /// Adds a finished fault.
    pub fn add(&self, fault: ConfigError) {
        let list = match self.is_for_warnings {
            true => &self.lists.warnings,
            false => &self.lists.faults,
        };
        list.borrow_mut().push(fault);
    }

    /// The value; or nothing, and its faults are added.
    pub fn note<T>(&self, result: Result<T, impl Into<ConfigErrors>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(errors) => {
                self.lists.faults.borrow_mut().extend(errors.into());
                None
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lists.faults.borrow().len()
    }

    /// All faults so far, which leaves the list empty.
    #[must_use]
    pub fn take_all(&self) -> Vec<ConfigError> {
        self.lists.faults.take()
    }

    /// All warnings so far, which leaves their list empty.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<ConfigError> {
        self.lists.warnings.take()
    }

    /// Ends the search.
    ///
    /// # Errors
    ///
    /// All faults, if there are any.
    pub fn check(&self) -> Result<(), ConfigErrors> {
        ConfigErrors::check(self.take_all())
    }

    /// Ends the search with what was read.
    ///
    /// # Errors
    ///
    /// All faults. A value that is missing without a fault is one of Portcullis.
    pub fn finish<T>(&self, value: Option<T>) -> Result<T, ConfigErrors> {
        self.check()?;
        value.ok_or_else(|| {
            ConfigError::wrong("settings", "a value is missing, and no fault says why")
                .help("report this as a fault of Portcullis")
                .into()
        })
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
            .given_elsewhere(&["upstream.*"])
            .help("add `[gateway.tls]`");
        let errors = faults.check().unwrap_err();
        let fault = errors.iter().next().unwrap();
        for (unread, expected) in [
            ("gateway.listen", true),
            ("gateway", true),
            ("", true),
            ("gateway.tls", true),
            ("gateway.tls.certificate", false),
            ("gateway.tls_x", false),
            ("gateway.hosts", false),
            ("upstream", true),
            ("upstream[0].name", true),
            ("upstream[1]", true),
            ("route[0].path", false),
        ] {
            assert_eq!(fault.follows_from(unread), expected, "{unread}");
        }
    }

    #[test]
    fn a_result_is_a_value_or_its_faults() {
        let faults = Faults::default();
        assert_eq!(faults.note(Ok::<_, ConfigError>(1)), Some(1));
        let fault = ConfigError::wrong("x", "a").help("b");
        assert_eq!(faults.note(Err::<(), _>(fault)), None);
        assert_eq!(faults.count(), 1);
    }

    #[test]
    fn warnings_are_no_faults() {
        let faults = Faults::default();
        let issuer = faults.at("issuer[0]");
        issuer.as_warnings().wrong("url", "a").help("b");
        assert_eq!(faults.check(), Ok(()));
        let warnings = faults.take_warnings();
        assert_eq!(
            warnings.iter().map(ConfigError::place).next(),
            Some("issuer[0].url")
        );
    }
}
