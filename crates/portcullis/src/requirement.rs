//! Requirements as types, so that a handler's signature says who may call it.

use portcullis_core::Requirement;

/// A requirement as a type, made with [`requirement!`](crate::requirement!).
pub trait Requires: Send + Sync + 'static {
    /// The requirement.
    fn requirement() -> &'static Requirement;
}

/// Nothing beyond a valid token: the default of [`AuthorizedCaller`](crate::AuthorizedCaller).
#[derive(Debug)]
pub enum ValidToken {}

impl Requires for ValidToken {
    fn requirement() -> &'static Requirement {
        &Requirement::ValidToken
    }
}

/// Names a requirement, for use as `AuthorizedCaller<Name>`.
///
/// It is written in the [words](crate::requirement::words) `scope`, `audience`, `role`,
/// `group`, `user`, `application`, `claim`, `acr`, `max_age`, `bound`, `all`, `any` and `not`:
///
/// ```
/// use portcullis::requirement;
/// use std::time::Duration;
///
/// requirement!(pub Admin = role("Admin"));
/// requirement!(
///     /// The callers who may change orders.
///     pub OrderEditor = all([
///         user(),
///         scope("orders:write"),
///         any([role("Admin"), claim("department", "sales")]),
///     ])
/// );
/// requirement!(pub Biller = all([audience(["https://api.example/bills"]), scope("bills")]));
/// requirement!(pub Payer = all([acr(["phr", "mfa"]), max_age(Duration::from_secs(900))]));
///
/// use portcullis::Requires;
/// assert_eq!(Admin::requirement().to_string(), "role `Admin`");
/// ```
#[macro_export]
macro_rules! requirement {
    ($(#[$meta:meta])* $visibility:vis $name:ident = $requirement:expr) => {
        $(#[$meta])*
        #[derive(Debug)]
        // Without variants: the name is only a type, and no value of it can exist.
        $visibility enum $name {}

        impl $crate::Requires for $name {
            fn requirement() -> &'static $crate::Requirement {
                #[allow(unused_imports, reason = "a requirement seldom uses all the words")]
                use $crate::requirement::words::{
                    Binding, acr, all, any, application, audience, bound, claim, group, max_age,
                    not, role, scope, user,
                };
                // Built once, because handlers ask for it at every request.
                static REQUIREMENT: ::std::sync::LazyLock<$crate::Requirement> =
                    ::std::sync::LazyLock::new(|| $requirement);
                &REQUIREMENT
            }
        }
    };
}

/// The words of [`requirement!`](crate::requirement!).
///
/// ```
/// use portcullis::requirement::words::{any, application, not, role};
///
/// let demand = any([application(), not(role("Guest"))]);
/// assert_eq!(demand.to_string(), "(a token for an application or not role `Guest`)");
/// ```
pub mod words {
    use crate::ClaimValue;
    use portcullis_core::Requirement;
    pub use portcullis_core::proof::Binding;
    use std::time::Duration;

    /// The token is meant for one of these audiences: the names of one resource, each of them an
    /// audience of an issuer. A token for another resource is refused with 401, as if its issuer
    /// were asked for it (`token.audience`).
    pub fn audience<'v>(names: impl IntoIterator<Item = &'v str>) -> Requirement {
        Requirement::audience(names)
    }

    /// This scope was granted.
    pub fn scope(scope: &str) -> Requirement {
        Requirement::scope(scope)
    }

    /// The caller has this role.
    pub fn role(role: &str) -> Requirement {
        Requirement::role(role)
    }

    /// The caller is in this group.
    pub fn group(group: &str) -> Requirement {
        Requirement::group(group)
    }

    /// The token was issued for a user.
    pub fn user() -> Requirement {
        Requirement::user()
    }

    /// The token was issued for an application in its own name.
    pub fn application() -> Requirement {
        Requirement::application()
    }

    /// The claim of this name is this value, or an array that holds it.
    pub fn claim(name: &str, value: impl Into<ClaimValue>) -> Requirement {
        Requirement::claim(name, value)
    }

    /// The user signed in in one of these ways, by `acr`, in order of preference. If not, the
    /// challenge tells the client to have the user sign in again (RFC 9470).
    pub fn acr<'v>(values: impl IntoIterator<Item = &'v str>) -> Requirement {
        Requirement::acr(values)
    }

    /// The user signed in no longer ago than this, by `auth_time`, in whole seconds. If not, the
    /// challenge is as with [`acr`].
    pub fn max_age(age: Duration) -> Requirement {
        Requirement::max_age(age)
    }

    /// The token is bound in this way, and the caller has proven it: by a proof of DPoP (RFC 9449),
    /// or by its client certificate (RFC 8705).
    pub fn bound(binding: Binding) -> Requirement {
        Requirement::bind(binding)
    }

    /// All of these.
    pub fn all(requirements: impl IntoIterator<Item = Requirement>) -> Requirement {
        Requirement::all(requirements)
    }

    /// At least one of these.
    pub fn any(requirements: impl IntoIterator<Item = Requirement>) -> Requirement {
        Requirement::any(requirements)
    }

    /// Not this.
    pub fn not(requirement: Requirement) -> Requirement {
        Requirement::not(requirement)
    }
}
