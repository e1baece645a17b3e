//! The people who can sign in: from the settings, and those that were added by hand.

use crate::config::user::User;
use crate::state::origin::Origin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// The users, in the order of the settings.
pub(crate) struct UserRegistry(RwLock<Vec<(Arc<User>, Origin)>>);

impl UserRegistry {
    pub(crate) fn new(configured: &[User]) -> Self {
        let known = configured
            .iter()
            .map(|user| (Arc::new(user.clone()), Origin::Settings));
        Self(RwLock::new(known.collect()))
    }

    pub(crate) fn find(&self, username: &str) -> Option<Arc<User>> {
        let known = self.read();
        let (user, _) = known
            .iter()
            .find(|(user, _)| user.username == username)?;
        Some(Arc::clone(user))
    }

    pub(crate) fn all(&self) -> Vec<(Arc<User>, Origin)> {
        self.read().clone()
    }

    /// Adds a user, or replaces the one of the same name in its place.
    pub(crate) fn add(&self, user: User) {
        let added = (Arc::new(user), Origin::Console);
        // Two users of one name could not be told apart when they sign in.
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let same = |(user, _): &&mut (Arc<User>, Origin)| user.username == added.0.username;
        match known.iter_mut().find(same) {
            Some(place) => *place = added,
            None => known.push(added),
        }
    }

    pub(crate) fn remove(&self, username: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Tokens of the user stay: they end by themselves.
        known.retain(|(user, _)| user.username != username);
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<(Arc<User>, Origin)>> {
        // After a panic elsewhere the list is still whole.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
