//! Whom an event is about (RFC 9493, SSF 1.0, section 3).

use crate::config::user::User;
use crate::dialect::facts::TokenFacts;
use crate::state::IdpState;
use serde_json::{Value, json};

/// How an event names its subject.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum EventSubject {
    /// `iss_sub`: the user, by the issuer and the `sub` of ID tokens for that client. The default,
    /// except of events about an address.
    #[default]
    IssSub,
    /// `complex`: the user as above, with their session and their device.
    Complex {
        /// `sid` of the session.
        session: Option<String>,
        /// The device.
        device: Option<String>,
    },
    /// `email`: the user's address. The default of `identifier-changed` and `identifier-recycled`.
    Email,
    /// `opaque`: this identifier.
    Opaque(String),
    /// `jwt_id`: the token of this issuer that has this `jti`.
    JwtId(String),
    /// Any other, as it stands in `sub_id`.
    Other(Value),
}

impl EventSubject {
    /// `sub_id`; none of a user without an address.
    pub(crate) fn sub_id(&self, state: &IdpState, user: &User, client: &str) -> Option<Value> {
        let opaque = |id: &Option<String>| {
            id.as_ref()
                .map(|id| json!({ "format": "opaque", "id": id }))
        };
        Some(match self {
            Self::IssSub => iss_sub(state, user, client),
            Self::Complex { session, device } => {
                let mut subject =
                    json!({ "format": "complex", "user": iss_sub(state, user, client) });
                for (name, value) in [("session", opaque(session)), ("device", opaque(device))] {
                    if let (Some(members), Some(value)) = (subject.as_object_mut(), value) {
                        members.insert(name.to_owned(), value);
                    }
                }
                subject
            }
            Self::Email => json!({ "format": "email", "email": user.email.as_ref()? }),
            Self::Opaque(id) => json!({ "format": "opaque", "id": id }),
            Self::JwtId(jti) => {
                json!({ "format": "jwt_id", "iss": state.issuer.as_str(), "jti": jti })
            }
            Self::Other(subject) => subject.clone(),
        })
    }
}

/// The user as ID tokens for that client name them.
pub(crate) fn iss_sub(state: &IdpState, user: &User, client: &str) -> Value {
    let facts = TokenFacts::of_user(state, user, client);
    let identity = state.shape.id_token(&facts);
    json!({ "format": "iss_sub", "iss": identity.get("iss"), "sub": identity.get("sub") })
}
