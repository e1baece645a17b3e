//! What a token says about itself, read for people: as much of it as can be read at all.
//!
//! Nothing here is proven. It decides nothing, so it reads tokens that every server refuses: those
//! without a signature, too large ones, and those with claims of a wrong type.

use portcullis_core::jose::base64url;
use portcullis_core::jose::json::{self, Json, Object};
use portcullis_core::token::{Audiences, Claims, Identity, NumericDate, OpaqueToken};
use portcullis_core::verify::{Profile, Verifier};
use portcullis_core::{Dialect, Limits};

/// What a token says about itself. Nothing of it is proven.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TokenContent {
    /// The shape of the text.
    pub form: TokenForm,
    /// The length of the text.
    pub bytes: usize,
    /// The header of a JWT, with all its members.
    pub header: Option<Object>,
    /// The claims: of a JWT, or of the issuer's answer about an opaque token.
    pub claims: Option<Object>,
    /// The profile by which the identity is read.
    pub profile: Option<&'static str>,
    /// The caller, if the claims were true. `None` if they cannot be read, or are not there.
    pub identity: Option<Identity>,
}

// A new form is a new kind of text; readers show its name.
/// The shape of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenForm {
    /// A signed JWT (RFC 7515), or one that claims to be unsigned.
    SignedJwt,
    /// An encrypted JWT (RFC 7516): only its recipient can read the claims.
    EncryptedJwt,
    /// A JWT with too few or too many parts.
    BrokenJwt,
    /// An opaque token: only its issuer knows what it stands for.
    Opaque,
    /// No token at all.
    Unreadable,
}

/// Enough for every token that somebody could paste, and bounded all the same.
const LIMITS: Limits = Limits {
    token_bytes: 1_000_000,
    json_depth: 32,
    json_values: 100_000,
    document_bytes: 1_000_000,
    keys: 0,
    keys_tried: 0,
};

impl TokenContent {
    /// Reads a token. Its profile is the one that fits its own issuer, or `profile`.
    ///
    /// ```
    /// use portcullis_resource_server::{TokenContent, TokenForm};
    ///
    /// let content = TokenContent::read("2YotnFZFEjr1zCsicMWpAA", None);
    /// assert_eq!((content.form, content.bytes), (TokenForm::Opaque, 22));
    /// assert!(content.claims.is_none());
    /// ```
    pub fn read(token: &str, profile: Option<Profile>) -> Self {
        let mut content = Self::of_text(token);
        let Some(claims) = content.claims() else {
            return content;
        };
        let profile = profile.unwrap_or_else(|| {
            let issuer = claims.issuer().unwrap_or_default();
            Profile::of(Dialect::of_issuer(issuer))
        });
        let profile = for_own_audiences(profile, &claims);
        content.profile = Some(profile.name());
        content.identity = Some(profile.unverified_identity(&claims));
        content
    }

    /// Reads a token of an issuer that is trusted.
    pub(super) fn of_trusted(token: &str, claims: &Claims, verifier: &Verifier) -> Self {
        Self::of_text(token).with_claims(claims, verifier)
    }

    /// The same content with claims that the issuer is asked for, or that were read before.
    pub(super) fn with_claims(self, claims: &Claims, verifier: &Verifier) -> Self {
        Self {
            claims: Some(claims.object().clone()),
            profile: Some(verifier.profile().name()),
            identity: Some(verifier.unverified_identity(claims)),
            ..self
        }
    }

    /// The form of a text, and the parts of it that are JSON.
    pub(super) fn of_text(token: &str) -> Self {
        let segments: Vec<&str> = token.split('.').take(6).collect();
        let header = segments.first().and_then(|first| object(first, token));
        let form = match (&header, segments.len()) {
            (Some(_), 3) => TokenForm::SignedJwt,
            (Some(_), 5) => TokenForm::EncryptedJwt,
            (Some(_), _) => TokenForm::BrokenJwt,
            (None, _) => form_without_header(token),
        };
        let claims = match (form, segments.get(1)) {
            (TokenForm::SignedJwt | TokenForm::BrokenJwt, Some(payload)) => object(payload, token),
            _ => None,
        };
        Self {
            form,
            bytes: token.len(),
            header,
            claims,
            profile: None,
            identity: None,
        }
    }

    /// The claims, if the registered ones have their types.
    pub fn claims(&self) -> Option<Claims> {
        Claims::from_object(self.claims.clone()?).ok()
    }

    /// The moment in a claim.
    pub fn date(&self, claim: &str) -> Option<NumericDate> {
        NumericDate::from_json(self.claims.as_ref()?.get(claim)?)
    }

    /// The text in a claim.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.as_ref()?.get(claim)?.as_str()
    }

    /// The audiences that the token names.
    pub fn audiences(&self) -> Vec<&str> {
        match self
            .claims
            .as_ref()
            .and_then(|claims| claims.get("aud"))
        {
            Some(Json::Array(elements)) => elements.iter().filter_map(Json::as_str).collect(),
            Some(Json::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// The kind of token that the claims belong to, if it is no access token.
    pub fn misplaced_kind(&self) -> Option<&'static str> {
        let claims = self.claims.as_ref()?;
        let has = |name| claims.get(name).is_some();
        let dialect = self.profile.and_then(Dialect::by_name);
        // RFC 8417: only security events and logout tokens have this claim.
        if has("events") {
            return Some("a logout token or a security event");
        }
        // Claims that bind an ID token to its sign-in (OpenID Connect Core, sections 2 and
        // 3.3.2.11).
        let is_usual = dialect.is_some_and(|dialect| dialect.bears_id_tokens);
        let is_id_token = has("nonce") || has("at_hash") || has("c_hash");
        (is_id_token && !is_usual).then_some("an ID token")
    }
}

/// The form of a text that does not begin with the header of a JWT.
fn form_without_header(token: &str) -> TokenForm {
    match OpaqueToken::read(token, &LIMITS) {
        Ok(Some(_)) => TokenForm::Opaque,
        Ok(None) => TokenForm::BrokenJwt,
        Err(_) => TokenForm::Unreadable,
    }
}

/// A part of the token as a JSON object.
fn object(segment: &str, token: &str) -> Option<Object> {
    if token.len() > LIMITS.token_bytes {
        return None;
    }
    let bytes = base64url::decode(segment).ok()?;
    match json::parse(&bytes, &LIMITS) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    }
}

/// Some providers keep the roles of each API apart: here, those of the APIs that the token is for.
fn for_own_audiences(mut profile: Profile, claims: &Claims) -> Profile {
    let audiences: Vec<&str> = match claims.audience() {
        Some(Json::Array(elements)) => elements.iter().filter_map(Json::as_str).collect(),
        Some(Json::String(text)) => vec![text],
        _ => Vec::new(),
    };
    let audiences = audiences
        .into_iter()
        .filter(|name| !name.trim().is_empty());
    if let Ok(audiences) = Audiences::new(audiences) {
        profile.mapping = profile.mapping.with_audiences(&audiences);
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::token::Kind;

    fn jwt(header: &str, payload: &str) -> String {
        let part = |text: &str| base64url::encode(text.as_bytes());
        format!("{}.{}.AAAA", part(header), part(payload))
    }

    #[test]
    fn every_form_is_told() {
        let signed = jwt(r#"{"alg":"HS256","x":1}"#, r#"{"iss":"i"}"#);
        let header = signed.split('.').next().unwrap();
        for (text, form, has_header, has_claims) in [
            (signed.as_str(), TokenForm::SignedJwt, true, true),
            (
                &format!("{header}.a.b.c.d"),
                TokenForm::EncryptedJwt,
                true,
                false,
            ),
            (header, TokenForm::BrokenJwt, true, false),
            (
                signed.trim_end_matches(".AAAA"),
                TokenForm::BrokenJwt,
                true,
                true,
            ),
            ("eyJ.a.b", TokenForm::BrokenJwt, false, false),
            ("opaque", TokenForm::Opaque, false, false),
            ("", TokenForm::Unreadable, false, false),
            ("two words", TokenForm::Unreadable, false, false),
        ] {
            let content = TokenContent::of_text(text);
            let found = (
                content.form,
                content.header.is_some(),
                content.claims.is_some(),
            );
            assert_eq!(found, (form, has_header, has_claims), "{text}");
        }
    }

    #[test]
    fn the_caller_is_read_by_the_profile_of_its_own_issuer() {
        let token = jwt(
            r#"{"alg":"RS256"}"#,
            r#"{"iss":"https://k.example/realms/r","sub":"u","azp":"web","aud":"orders","sid":"s","exp":5,
                "resource_access":{"orders":{"roles":["clerk"]},"other":{"roles":["no"]}}}"#,
        );
        let content = TokenContent::read(&token, None);
        let identity = content.identity.as_ref().unwrap();
        assert_eq!(content.profile, Some("keycloak"));
        assert_eq!(
            (identity.kind(), identity.subject()),
            (Kind::User, Some("u"))
        );
        assert_eq!(identity.roles().iter().collect::<Vec<_>>(), ["clerk"]);
        assert_eq!(content.date("exp").map(NumericDate::seconds), Some(5));
        assert_eq!(content.audiences(), ["orders"]);
        let generic = TokenContent::read(&token, Some(Profile::generic()));
        assert_eq!(generic.profile, Some("generic"));
    }

    #[test]
    fn claims_of_a_wrong_type_are_shown_all_the_same() {
        let token = jwt(
            r#"{"alg":"RS256"}"#,
            r#"{"iss":"i","exp":"soon","aud":7,"nonce":"n"}"#,
        );
        let content = TokenContent::read(&token, None);
        assert!(content.claims.is_some() && content.identity.is_none());
        assert_eq!((content.date("exp"), content.audiences().len()), (None, 0));
        assert_eq!(content.misplaced_kind(), Some("an ID token"));
    }
}
