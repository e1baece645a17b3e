//! The claims of a token: registered ones checked for their type, the rest kept as JSON.
//!
//! A claim of the wrong type is never taken for an absent one. `null` counts as absent if that has
//! one meaning: the token does not say who calls, or what was granted. If `null` might lift a bound
//! (`iss`, `aud`, `exp`, `nbf`, `cnf`), it is a wrong type.

use super::{NumericDate, Scopes};
use crate::jose::json::{Json, Object};
use crate::rejection::{Code, Facts, Rejection};

/// Where a registered claim stands among all of them. No token is long enough for more places than
/// this counts.
type MemberIndex = u32;

/// A claims set (RFC 7519, section 4). Its registered claims have their specified types.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    object: Object,
    issuer: Option<MemberIndex>,
    subject: Option<MemberIndex>,
    empty_subject: bool,
    audience: Option<MemberIndex>,
    client: Option<MemberIndex>,
    token_id: Option<MemberIndex>,
    scope: Option<MemberIndex>,
    confirmation: Option<MemberIndex>,
    expires: Option<NumericDate>,
    not_before: Option<NumericDate>,
    issued_at: Option<NumericDate>,
}

impl Claims {
    /// Checks the types of the registered claims.
    ///
    /// # Errors
    ///
    /// `token.claim_type`, naming the first claim whose type is wrong.
    pub fn from_object(object: Object) -> Result<Self, Rejection> {
        let mut claims = Self {
            object: Object::default(),
            issuer: None,
            subject: None,
            empty_subject: false,
            audience: None,
            client: None,
            token_id: None,
            scope: None,
            confirmation: None,
            expires: None,
            not_before: None,
            issued_at: None,
        };
        let mut second_choice = None;
        for (place, (name, value)) in (0..=MemberIndex::MAX).zip(object.iter()) {
            match name {
                "sub" | "client_id" | "jti" | "scope" | "scp" | "iat" if *value == Json::Null => {}
                "iss" => claims.issuer = Some(text(place, "iss", value)?),
                // Some issuers write an empty subject for callers without one. The table decides
                // whether that is allowed.
                "sub" if value.as_str() == Some("") => claims.empty_subject = true,
                "sub" => claims.subject = Some(text(place, "sub", value)?),
                "aud" => claims.audience = Some(text_or_texts(place, "aud", value)?),
                "client_id" => claims.client = Some(text(place, "client_id", value)?),
                "azp" if value.as_str().is_some_and(|azp| !azp.is_empty()) => {
                    // `client_id` counts, wherever it stands in the document.
                    claims.client = claims.client.or(Some(place));
                }
                "jti" => claims.token_id = Some(text(place, "jti", value)?),
                // Some issuers write scopes as an array (Okta, Ory Hydra); the meaning is the same.
                "scope" => claims.scope = Some(text_or_texts(place, "scope", value)?),
                "scp" => second_choice = Some(text_or_texts(place, "scp", value)?),
                "exp" => claims.expires = Some(date("exp", value)?),
                "nbf" => claims.not_before = Some(date("nbf", value)?),
                "iat" => claims.issued_at = Some(date("iat", value)?),
                "cnf" if value.as_object().is_none() => {
                    return Err(wrong_type("cnf", "an object", value));
                }
                "cnf" => claims.confirmation = Some(place),
                _ => {}
            }
        }
        // The order of the members must not decide which of the two counts.
        claims.scope = claims.scope.or(second_choice);
        claims.object = object.without_room();
        Ok(claims)
    }

    /// `iss`: the issuer.
    pub fn issuer(&self) -> Option<&str> {
        self.text_at(self.issuer)
    }

    /// `sub`: the subject, unique within its issuer only.
    pub fn subject(&self) -> Option<&str> {
        self.text_at(self.subject)
    }

    /// Whether `sub` is there and empty.
    pub fn has_empty_subject(&self) -> bool {
        self.empty_subject
    }

    /// `aud`: a string or an array of strings.
    pub fn audience(&self) -> Option<&Json> {
        self.audience.and_then(|place| self.object.at(place))
    }

    /// The names in `aud`, one by one.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let elements = match self.audience() {
            Some(Json::Array(elements)) => elements.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        elements.iter().filter_map(Json::as_str)
    }

    /// `client_id`, else `azp`: the client that the token was issued to.
    pub fn client(&self) -> Option<&str> {
        self.text_at(self.client)
    }

    /// `jti`: the identifier of the token.
    pub fn token_id(&self) -> Option<&str> {
        self.text_at(self.token_id)
    }

    /// `exp`: the moment from which on the token is no longer accepted.
    pub fn expires(&self) -> Option<NumericDate> {
        self.expires
    }

    /// `nbf`: the moment before which the token is not accepted.
    pub fn not_before(&self) -> Option<NumericDate> {
        self.not_before
    }

    /// `iat`: the moment at which the token was issued.
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.issued_at
    }

    /// The scopes, from `scope` or else from `scp`, as a string or as an array.
    pub fn scopes(&self) -> Scopes {
        match self.scope.and_then(|place| self.object.at(place)) {
            Some(Json::String(text)) => Scopes::parse(text),
            Some(Json::Array(scopes)) => scopes.iter().filter_map(Json::as_str).collect(),
            _ => Scopes::default(),
        }
    }

    /// `cnf`: the key that the token is bound to (RFC 7800, section 3.1).
    pub fn confirmation(&self) -> Option<&Object> {
        self.object.at(self.confirmation?)?.as_object()
    }

    /// Whether there is a claim of this name.
    pub fn has(&self, name: &str) -> bool {
        match name {
            "iss" => self.issuer.is_some(),
            // An empty one is there: a row of its own refuses it.
            "sub" => self.subject.is_some() || self.empty_subject,
            "aud" => self.audience.is_some(),
            "exp" => self.expires.is_some(),
            "iat" => self.issued_at.is_some(),
            "jti" => self.token_id.is_some(),
            other => self
                .claim(other)
                .is_some_and(|value| *value != Json::Null),
        }
    }

    /// Any claim, by its name.
    pub fn claim(&self, name: &str) -> Option<&Json> {
        self.object.get(name)
    }

    /// All claims, as the issuer wrote them.
    pub fn object(&self) -> &Object {
        &self.object
    }

    fn text_at(&self, place: Option<MemberIndex>) -> Option<&str> {
        self.object.at(place?)?.as_str()
    }
}

fn text(place: MemberIndex, name: &'static str, value: &Json) -> Result<MemberIndex, Rejection> {
    // An empty name would make all callers, clients or tokens that have it the same.
    match value {
        Json::String(text) if !text.is_empty() => Ok(place),
        _ => Err(wrong_type(name, "a string that is not empty", value)),
    }
}

fn text_or_texts(
    place: MemberIndex,
    name: &'static str,
    value: &Json,
) -> Result<MemberIndex, Rejection> {
    match value {
        Json::String(_) => Ok(place),
        Json::Array(elements)
            if elements
                .iter()
                .all(|element| element.as_str().is_some()) =>
        {
            Ok(place)
        }
        _ => Err(wrong_type(name, "a string or an array of strings", value)),
    }
}

fn date(name: &'static str, value: &Json) -> Result<NumericDate, Rejection> {
    NumericDate::from_json(value).ok_or_else(|| wrong_type(name, "a number of seconds", value))
}

fn wrong_type(name: &'static str, expected: &'static str, value: &Json) -> Rejection {
    let found = match value {
        Json::String(text) if text.is_empty() => "an empty string",
        other => other.type_name(),
    };
    Rejection::with(
        Code::TokenClaimType,
        Facts::new(format!("`{name}` to be {expected}"), found),
    )
}
