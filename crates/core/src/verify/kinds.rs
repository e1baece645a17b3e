//! What kind of token this is, where neither the header nor the endpoint says so beyond doubt.
//!
//! An ID token whose audience is ours and that has none of the claims named here cannot be told
//! from an access token; nor can a refresh token about which its issuer says the same as about an
//! access token.

use super::TokenType;
use super::found::{one_of, texts};
use super::verifier::Examination;
use crate::jose::json::Json;

/// Claims that only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11).
const ID_TOKEN_CLAIMS: &[&str] = &["nonce", "at_hash", "c_hash", "s_hash"];

/// What introspection answers call an access token that is a bearer token (RFC 6750; some servers
/// say which token it is, not which type, in the words of RFC 8693, section 3).
const BEARERS: &[&str] = &[
    "Bearer",
    "access_token",
    "urn:ietf:params:oauth:token-type:access_token",
];

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
            "DPoP",
        ],
    ),
    ("tokenName", &["access_token"]),
];

/// Whether the header leaves open what kind of token this is, so that the claims have to tell.
pub(super) fn untyped(x: &Examination<'_>) -> bool {
    let tells = [TokenType::AccessToken, TokenType::Assertion];
    x.header.is_some()
        && !x.token_type().is_some_and(|kind| tells.contains(&kind))
        && !x.is_marked()
}

pub(super) fn tell_tale(x: &Examination<'_>, names: &[&'static str]) -> Option<&'static str> {
    names
        .iter()
        .copied()
        .find(|name| x.claims.claim(name).is_some())
}

/// Whether nothing has said yet that this is no ID token.
pub(super) fn may_be_an_id_token(x: &Examination<'_>) -> bool {
    if x.header.is_some() {
        untyped(x) && !x.dialect().bears_id_tokens
    } else {
        !x.confirming && !says_access(x)
    }
}

/// The claim that gives an ID token away.
pub(super) fn id_token_claim(x: &Examination<'_>) -> Option<&'static str> {
    let of_sign_in = || {
        let tells = x.header.is_some()
            && !x
                .dialect()
                .access_token_claims
                .iter()
                .any(|name| tells_access(x, name));
        tell_tale(x, x.dialect().id_token_claims).filter(|_| tells)
    };
    tell_tale(x, ID_TOKEN_CLAIMS).or_else(of_sign_in)
}

/// The claims that give ID tokens away, for a person to read.
pub(super) fn id_token_claims(x: &Examination<'_>) -> Vec<&'static str> {
    let others = x
        .dialect()
        .id_token_claims
        .iter()
        .filter(|_| x.header.is_some());
    ID_TOKEN_CLAIMS.iter().chain(others).copied().collect()
}

/// Whether a claim speaks for an access token. An ID token may name its client in `azp`, but that
/// is its audience then.
fn tells_access(x: &Examination<'_>, name: &str) -> bool {
    match x.claims.claim(name) {
        None | Some(Json::Null) => false,
        Some(client) if name == "azp" => {
            !x.claims.audience().is_some_and(|audience| match audience {
                Json::Array(elements) => elements.contains(client),
                other => other == client,
            })
        }
        Some(_) => true,
    }
}

/// Whether an answer says that the token is an access token: it has to, if it may go without an
/// audience, unless the operator says that the endpoint knows no others. `None` where it says
/// nothing and need not.
pub(super) fn introspected(x: &Examination<'_>) -> Option<bool> {
    if x.header.is_some() {
        return None;
    }
    if odd_use(x).is_some() {
        return Some(false);
    }
    // An answer without an audience is refused for that, unless the operator spares it.
    let unaddressed = !x.confirming && x.claims.audience().is_none() && x.may_lack_audience();
    let needed = unaddressed && !x.profile().danger_answers_without_type;
    if says_access(x) {
        Some(true)
    } else {
        needed.then_some(false)
    }
}

pub(super) fn introspected_expected(x: &Examination<'_>) -> String {
    let uses = USES
        .iter()
        .filter(|(member, _)| x.claims.claim(member).is_some());
    let uses = uses.map(|(member, values)| format!(", `{member}` to be {}", one_of(values)));
    format!(
        "`token_type` to be {}{}",
        one_of(BEARERS),
        uses.collect::<String>()
    )
}

pub(super) fn introspected_found(x: &Examination<'_>) -> String {
    let member = odd_use(x).unwrap_or("token_type");
    let found = texts(x.claims.claim(member));
    if member == "token_type" {
        found
    } else {
        format!("`{member}` {found}")
    }
}

/// The member that says that this is another token than an access token.
fn odd_use(x: &Examination<'_>) -> Option<&'static str> {
    let odd = |member: &str, values: &[&str]| match x.claims.claim(member) {
        None | Some(Json::Null) => false,
        Some(value) => !is_one_of(value, values),
    };
    let uses = USES
        .iter()
        .find(|(member, values)| odd(member, values))
        .map(|(member, _)| *member);
    if odd("token_type", BEARERS) {
        Some("token_type")
    } else {
        uses
    }
}

/// Whether a member says in so many words that this is an access token.
fn says_access(x: &Examination<'_>) -> bool {
    let says = |member: &str, values: &[&str]| {
        x.claims
            .claim(member)
            .is_some_and(|value| is_one_of(value, values))
    };
    // `JWT` is a form of many kinds of token.
    says("token_type", BEARERS)
        || USES
            .iter()
            .any(|(member, values)| says(member, values) && !says(member, &["JWT"]))
}

fn is_one_of(value: &Json, values: &[&str]) -> bool {
    value
        .as_str()
        .is_some_and(|text| values.iter().any(|value| value.eq_ignore_ascii_case(text)))
}
