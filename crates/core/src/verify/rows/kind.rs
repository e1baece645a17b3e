//! Rows about the kind of token: what the header, the claims or an issuer's answer say that it is.
//!
//! An ID token whose audience is ours and that has none of the claims named here cannot be told
//! from an access token; nor can a refresh token about which its issuer says the same as about an
//! access token.

use crate::jose::json::Json;
use crate::token::Claims;
use crate::verify::TokenType;
use crate::verify::display::{MarkList, Quote, Texts, list};
use crate::verify::examination::CheckResult::{self, DoesNotApply};
use crate::verify::examination::Examination;
use std::fmt;

/// Claims that only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11).
const ID_TOKEN_CLAIMS: &[&str] = &["nonce", "at_hash", "c_hash", "s_hash"];

/// The claim of logout tokens and security events (RFC 8417, section 2.2).
const EVENT_CLAIMS: &[&str] = &["events"];

/// What introspection answers call an access token (RFC 6750; RFC 9449, section 6.2; some servers
/// say which token it is, not which type, in the words of RFC 8693, section 3).
const ACCESS_TOKENS: &[&str] = &[
    "Bearer",
    BOUND,
    "access_token",
    "urn:ietf:params:oauth:token-type:access_token",
];

/// The type of a token that is bound to a key.
const BOUND: &str = "DPoP";

/// Members by which some servers say which token it is, and what they say of access tokens: Ory
/// Hydra and Amazon Cognito in `token_use`, Keycloak in `typ`, ForgeRock in `tokenName`. They say
/// something else of refresh and ID tokens.
const USES: &[(&str, &[&str])] = &[
    ("token_use", &["access_token", "access"]),
    (
        "typ",
        &[
            "Bearer",
            "at+jwt",
            "application/at+jwt",
            "access_token",
            "JWT",
            BOUND,
        ],
    ),
    ("tokenName", &["access_token"]),
];

/// `alg` is accepted for this issuer (RFC 8725, section 3.1).
pub(crate) fn algorithm(x: &Examination<'_>) -> CheckResult {
    let Some(header) = x.header() else {
        return DoesNotApply;
    };
    let accepted = &x.profile().algorithms;
    // The key narrows the choice further when it is selected: it has an algorithm of its own.
    let passes = accepted.contains(&header.algorithm);
    x.judge(passes, &list(accepted), &header.algorithm)
}

/// `typ` is accepted for this issuer (RFC 9068, section 4).
pub(crate) fn header_type(x: &Examination<'_>) -> CheckResult {
    let Some(header) = x.header() else {
        return DoesNotApply;
    };
    let accepted = &x.profile().types;
    let passes = match x.token_type() {
        Some(kind) => accepted.contains(&kind),
        None => false,
    };
    let expected = format_args!("`typ` to be {}", list(accepted));
    x.judge(passes, &expected, &Quote(header.typ.as_deref()))
}

/// The claims by which the provider marks its access tokens say so.
pub(crate) fn marks(x: &Examination<'_>) -> CheckResult {
    let marks = x.dialect().marks;
    if x.header().is_none() || marks.is_empty() {
        return DoesNotApply;
    }
    let wrong = marks.iter().find(|mark| !x.has_mark(mark));
    let value = match wrong.or(marks.first()) {
        Some(mark) => x.claims.claim(mark.claim),
        None => None,
    };
    x.judge(wrong.is_none(), &MarkList(marks), &Texts(value))
}

/// An answer about an opaque token says that it is an access token.
///
/// It has to say so if it may go without an audience, unless the operator says that the endpoint
/// knows no other tokens.
pub(crate) fn answer_type(x: &Examination<'_>) -> CheckResult {
    if x.header().is_some() {
        return DoesNotApply;
    }
    let other_use = other_use(x.claims);
    let says_access = says_access(x.claims);
    // An answer without an audience is refused for that, unless the operator spares it.
    let lacks_audience =
        !x.is_confirmation() && x.claims.audience().is_none() && x.may_lack_audience();
    let must_say = lacks_audience && !x.profile().danger_answers_without_type;
    if other_use.is_none() && !says_access && !must_say {
        return DoesNotApply;
    }
    let member = other_use.unwrap_or(TOKEN_TYPE);
    let value = Texts(x.claims.claim(member));
    let found: &dyn fmt::Display = match member {
        TOKEN_TYPE => &value,
        _ => &format_args!("`{member}` {value}"),
    };
    let passes = other_use.is_none() && says_access;
    x.judge(passes, &AnswerTypes(x.claims), found)
}

/// The token has no claim that gives an ID token away.
pub(crate) fn no_id_token(x: &Examination<'_>) -> CheckResult {
    if !may_be_an_id_token(x) {
        return DoesNotApply;
    }
    let found = id_token_claim(x);
    let others = match x.header() {
        Some(_) => x.dialect().id_token_claims,
        None => &[],
    };
    let names = ID_TOKEN_CLAIMS.iter().chain(others);
    let expected = format_args!("none of {}", list(names));
    x.judge(found.is_none(), &expected, &found.unwrap_or("none"))
}

/// The token is no logout token and no security event.
pub(crate) fn no_event(x: &Examination<'_>) -> CheckResult {
    if !is_untyped(x) {
        return DoesNotApply;
    }
    let found = first_claim(x.claims, EVENT_CLAIMS);
    let expected = format_args!("none of {}", list(EVENT_CLAIMS));
    x.judge(found.is_none(), &expected, &found.unwrap_or("none"))
}

/// Whether the header leaves open what kind of token this is, so that the claims have to tell.
fn is_untyped(x: &Examination<'_>) -> bool {
    if x.header().is_none() || is_marked(x) {
        return false;
    }
    // A type of its own settles it, whatever other claims the token has.
    !matches!(
        x.token_type(),
        Some(TokenType::AccessToken | TokenType::Assertion)
    )
}

/// Whether a claim proves that this is an access token.
fn is_marked(x: &Examination<'_>) -> bool {
    let mut marks = x.dialect().marks.iter();
    marks.any(|mark| mark.proves && x.has_mark(mark))
}

/// Whether nothing has said yet that this is no ID token.
fn may_be_an_id_token(x: &Examination<'_>) -> bool {
    match x.header() {
        Some(_) => is_untyped(x) && !x.dialect().bears_id_tokens,
        None => !x.is_confirmation() && !says_access(x.claims),
    }
}

/// The claim that gives an ID token away.
fn id_token_claim(x: &Examination<'_>) -> Option<&'static str> {
    let certain = first_claim(x.claims, ID_TOKEN_CLAIMS);
    if certain.is_some() || x.header().is_none() {
        return certain;
    }
    // Claims about a sign-in count only if nothing speaks for an access token.
    for name in x.dialect().access_token_claims {
        if suggests_access(x.claims, name) {
            return None;
        }
    }
    first_claim(x.claims, x.dialect().id_token_claims)
}

/// The first of these claims that the token has.
fn first_claim(claims: &Claims, names: &[&'static str]) -> Option<&'static str> {
    let mut names = names.iter().copied();
    names.find(|name| claims.claim(name).is_some())
}

/// Whether a claim speaks for an access token. An ID token may name its client in `azp`, but that
/// is its audience then.
fn suggests_access(claims: &Claims, name: &str) -> bool {
    let value = match claims.claim(name) {
        None | Some(Json::Null) => return false,
        Some(value) => value,
    };
    if name != "azp" {
        return true;
    }
    match claims.audience() {
        Some(Json::Array(audiences)) => !audiences.contains(value),
        Some(audience) => audience != value,
        None => true,
    }
}

const TOKEN_TYPE: &str = "token_type";

/// The member of an answer that names another kind of token.
fn other_use(claims: &Claims) -> Option<&'static str> {
    // Without the key it would be good as a bearer token, which its issuer says it is not.
    let is_keyless = claims.confirmation().is_none();
    for member in [TOKEN_TYPE, "typ"] {
        if is_keyless && says(claims, member, &[BOUND]) {
            return Some(member);
        }
    }
    if is_other(claims, TOKEN_TYPE, ACCESS_TOKENS) {
        return Some(TOKEN_TYPE);
    }
    for (member, values) in USES {
        if is_other(claims, member, values) {
            return Some(member);
        }
    }
    None
}

fn is_other(claims: &Claims, member: &str, values: &[&str]) -> bool {
    match claims.claim(member) {
        None | Some(Json::Null) => false,
        Some(value) => !is_one_of(value, values),
    }
}

/// Whether a member of an answer says in so many words that this is an access token.
fn says_access(claims: &Claims) -> bool {
    if says(claims, TOKEN_TYPE, ACCESS_TOKENS) {
        return true;
    }
    // `JWT` is a form of many kinds of token.
    let mut uses = USES.iter();
    uses.any(|(member, values)| says(claims, member, values) && !says(claims, member, &["JWT"]))
}

fn says(claims: &Claims, member: &str, values: &[&str]) -> bool {
    match claims.claim(member) {
        Some(value) => is_one_of(value, values),
        None => false,
    }
}

fn is_one_of(value: &Json, values: &[&str]) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    // RFC 6749, section 5.1: the case of a token type does not count.
    values
        .iter()
        .any(|value| value.eq_ignore_ascii_case(text))
}

/// The values by which an answer would say that the token is an access token: of `token_type`, and
/// of the other members that this one has.
struct AnswerTypes<'x>(&'x Claims);

impl fmt::Display for AnswerTypes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{TOKEN_TYPE}` to be {}", list(ACCESS_TOKENS))?;
        for (member, values) in USES {
            if self.0.claim(member).is_some() {
                write!(f, ", `{member}` to be {}", list(*values))?;
            }
        }
        Ok(())
    }
}
