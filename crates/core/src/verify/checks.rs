//! THE table: every check of a token's header and claims, in order, each once.
//!
//! [`screen`](super::Verifier::screen) runs the rows that need no key, so that junk never causes a
//! fetch; [`verify`](super::Verifier::verify) the rest, after the signature; both stop at the first
//! refusal. [`explain_screening`](super::Verifier::explain_screening) runs all of them.

pub use super::check::{Check, Stage};

use super::found::{
    CONFIRMATIONS, EVENT_CLAIMS, algorithm, confirmation_members, date, filled, kind_of_header,
    no_confirmation, one_of, texts, with_expiry, wrong_mark,
};
use super::{TokenType, kinds};
use crate::dialect::Mark;
use crate::jose::json::Json;
use crate::rejection::{Code, shown};

/// The checks in their order. `None` as a result: the row does not apply to this token or profile.
pub static CHECKS: &[Check] = &[
    Check {
        name: "algorithm",
        code: Code::TokenAlgorithm,
        stage: Stage::BeforeKeys,
        result: |x| Some(x.profile().algorithms.contains(&x.header?.algorithm)),
        expected: |x| one_of(&x.profile().algorithms),
        found: algorithm,
    },
    Check {
        name: "type",
        code: Code::TokenType,
        stage: Stage::BeforeKeys,
        result: |x| {
            let kind = TokenType::of_header(x.header?.typ.as_deref());
            Some(kind.is_some_and(|kind| x.profile().types.contains(&kind)))
        },
        expected: |x| format!("`typ` to be {}", one_of(&x.profile().types)),
        found: kind_of_header,
    },
    Check {
        name: "kind of token",
        code: Code::TokenType,
        stage: Stage::BeforeKeys,
        result: |x| {
            (x.header.is_some() && !x.dialect().marks.is_empty()).then(|| wrong_mark(x).is_none())
        },
        expected: |x| {
            let mark = |mark: &Mark| format!("`{}` to be {}", mark.claim, mark.values.join(" or "));
            x.dialect()
                .marks
                .iter()
                .map(mark)
                .collect::<Vec<_>>()
                .join(" and ")
        },
        found: |x| {
            wrong_mark(x).map_or_else(
                || "that".to_owned(),
                |mark| texts(x.claims.claim(mark.claim)),
            )
        },
    },
    Check {
        name: "type of the introspected token",
        code: Code::TokenType,
        stage: Stage::BeforeKeys,
        result: kinds::introspected,
        expected: kinds::introspected_expected,
        found: kinds::introspected_found,
    },
    Check {
        name: "not an ID token",
        code: Code::TokenIdToken,
        stage: Stage::BeforeKeys,
        result: |x| kinds::may_be_an_id_token(x).then(|| kinds::id_token_claim(x).is_none()),
        expected: |x| format!("none of {}", one_of(&kinds::id_token_claims(x))),
        found: |x| kinds::id_token_claim(x).unwrap_or("none").to_owned(),
    },
    Check {
        name: "not a logout or event token",
        code: Code::TokenType,
        stage: Stage::BeforeKeys,
        result: |x| kinds::untyped(x).then(|| kinds::tell_tale(x, EVENT_CLAIMS).is_none()),
        expected: |_| format!("none of {}", one_of(EVENT_CLAIMS)),
        found: |x| {
            kinds::tell_tale(x, EVENT_CLAIMS)
                .unwrap_or("none")
                .to_owned()
        },
    },
    Check {
        name: "issuer",
        code: Code::TokenIssuer,
        stage: Stage::BeforeKeys,
        result: |x| {
            let is_ours = |issuer| {
                issuer == x.verifier.issuer().as_str()
                    || x.verifier.aliases().iter().any(|alias| alias == issuer)
            };
            match x.claims.issuer() {
                Some(issuer) => Some(is_ours(issuer)),
                // An introspection answer may leave it out (RFC 7662, section 2.2): we know whom we
                // asked.
                None => x.header.map(|_| false),
            }
        },
        expected: |x| format!("`{}`", x.verifier.issuer()),
        found: |x| x.claims.issuer().map_or_else(|| "none".to_owned(), shown),
    },
    Check {
        name: "required claims not null",
        code: Code::TokenClaimType,
        stage: Stage::BeforeKeys,
        result: |x| Some(x.first_null_claim().is_none()),
        expected: |x| {
            format!(
                "{} to have a value",
                x.required_claims().collect::<Vec<_>>().join(", ")
            )
        },
        found: |x| {
            x.first_null_claim().map_or_else(
                || "values".to_owned(),
                |name| format!("`{name}` to be null"),
            )
        },
    },
    Check {
        name: "required claims",
        code: Code::TokenClaimMissing,
        stage: Stage::BeforeKeys,
        result: |x| Some(x.first_missing_claim().is_none()),
        expected: |x| x.required_claims().collect::<Vec<_>>().join(", "),
        found: |x| {
            x.first_missing_claim()
                .map_or_else(|| "all".to_owned(), |name| format!("no `{name}`"))
        },
    },
    Check {
        name: "client",
        code: Code::TokenClaimMissing,
        stage: Stage::BeforeKeys,
        result: |x| {
            let places = x
                .header
                .filter(|_| x.dialect().client_required)
                .map(|_| &x.profile().mapping.client)?;
            Some(places.iter().any(|place| place.find(x.claims).is_some()))
        },
        expected: |x| {
            let places: Vec<String> = x
                .profile()
                .mapping
                .client
                .iter()
                .map(ToString::to_string)
                .collect();
            format!("one of {}, which ID tokens do not have", places.join(", "))
        },
        found: |x| {
            if x.profile()
                .mapping
                .client
                .iter()
                .any(|place| place.find(x.claims).is_some())
            {
                "one"
            } else {
                "none"
            }
            .to_owned()
        },
    },
    Check {
        name: "subject",
        code: Code::TokenClaimType,
        stage: Stage::BeforeKeys,
        result: |x| {
            let empty = x.claims.has_empty_subject();
            // A client that calls for itself may be nobody's subject, unless the profile wants one.
            let spared =
                x.dialect().empty_subject || (!x.requires_subject() && x.client().is_some());
            Some(!empty || spared)
        },
        expected: |_| "`sub` to be a string that is not empty".to_owned(),
        found: |x| {
            if x.claims.has_empty_subject() {
                "an empty string"
            } else {
                "that"
            }
            .to_owned()
        },
    },
    Check {
        name: "caller",
        code: Code::TokenClaimMissing,
        stage: Stage::BeforeKeys,
        result: |x| {
            // A gateway may forward a caller without a name; its issuer let them pass.
            let spared = x.confirming || x.dialect().types.contains(&TokenType::Assertion);
            (!spared).then(|| x.names_its_caller())
        },
        expected: |_| {
            "a subject, or the client of an application that calls in its own name".to_owned()
        },
        found: |x| {
            match (x.subject().is_some(), x.client().is_some()) {
                (true, _) => "a subject",
                (false, true) if x.names_its_caller() => "a client",
                (false, true) => "no `sub`, and claims about a person",
                (false, false) => "no `sub`, and no client",
            }
            .to_owned()
        },
    },
    Check {
        name: "expiry",
        code: Code::TokenExpired,
        stage: Stage::EveryTime,
        result: |x| with_expiry(x, |exp| x.now < exp.plus(x.profile().leeway_seconds())),
        expected: |x| {
            format!(
                "`exp` after {}, less a leeway of {} s",
                x.now,
                x.profile().leeway_seconds()
            )
        },
        found: |x| date(x, x.claims.expires()),
    },
    Check {
        name: "not before",
        code: Code::TokenNotYetValid,
        stage: Stage::EveryTime,
        result: |x| Some(x.has_come(x.claims.not_before()?)),
        expected: |x| {
            format!(
                "`nbf` until {}, plus a leeway of {} s",
                x.now,
                x.profile().leeway_seconds()
            )
        },
        found: |x| date(x, x.claims.not_before()),
    },
    Check {
        name: "issued at",
        code: Code::TokenNotYetValid,
        stage: Stage::EveryTime,
        result: |x| Some(x.has_come(x.claims.issued_at()?)),
        expected: |x| {
            format!(
                "`iat` until {}, plus a leeway of {} s",
                x.now,
                x.profile().leeway_seconds()
            )
        },
        found: |x| date(x, x.claims.issued_at()),
    },
    Check {
        name: "lifetime",
        code: Code::TokenLifetime,
        stage: Stage::EveryTime,
        result: |x| {
            with_expiry(x, |exp| {
                exp.since(x.now) <= x.profile().max_lifetime_seconds()
            })
        },
        expected: |x| {
            format!(
                "`exp` at most {} s ahead",
                x.profile().max_lifetime_seconds()
            )
        },
        found: |x| date(x, x.claims.expires()),
    },
    Check {
        name: "audience",
        code: Code::TokenAudience,
        stage: Stage::AfterSignature,
        result: |x| match x.audience() {
            Some(audience) => Some(x.verifier.audiences().meet(audience)),
            None => (!x.may_lack_audience()).then_some(false),
        },
        expected: |x| x.verifier.audiences().to_string(),
        found: |x| texts(x.audience()),
    },
    Check {
        name: "tenant",
        code: Code::TokenTenant,
        stage: Stage::AfterSignature,
        result: |x| {
            // Without such a claim, the tenant is in the issuer and nowhere else.
            let tenant = x
                .verifier
                .tenant()
                .filter(|_| !x.profile().mapping.tenant.is_empty())?;
            Some(x.tenant().and_then(Json::as_str) == Some(tenant))
        },
        expected: |x| {
            let claim = x
                .profile()
                .mapping
                .tenant
                .first()
                .map_or_else(String::new, ToString::to_string);
            format!(
                "`{claim}` to be `{}`",
                x.verifier.tenant().unwrap_or_default()
            )
        },
        found: |x| texts(x.tenant()),
    },
    Check {
        name: "issuer of the key",
        code: Code::TokenKeyIssuer,
        stage: Stage::AfterSignature,
        result: |x| {
            let template = x.key_issuer.filter(|_| x.dialect().keys_name_issuer)?;
            let tenant = x
                .verifier
                .tenant()
                .or_else(|| x.tenant()?.as_str())
                .unwrap_or_default();
            Some(filled(template, tenant) == x.verifier.issuer().as_str())
        },
        expected: |x| format!("a key of `{}`", x.verifier.issuer()),
        found: |x| {
            x.key_issuer
                .map_or_else(|| "a key of any issuer".to_owned(), shown)
        },
    },
    Check {
        name: "configured claims",
        code: Code::TokenClaimValue,
        stage: Stage::AfterSignature,
        result: |x| {
            let conditions = &x.profile().conditions;
            (!conditions.is_empty()).then(|| {
                conditions
                    .iter()
                    .all(|condition| condition.is_met_by(x.claims))
            })
        },
        expected: |x| {
            let names = x
                .profile()
                .conditions
                .iter()
                .map(|condition| format!("`{}`", condition.claim));
            format!(
                "the configured values of {}",
                names.collect::<Vec<_>>().join(", ")
            )
        },
        found: |x| {
            let unmet = x
                .profile()
                .conditions
                .iter()
                .find(|condition| !condition.is_met_by(x.claims));
            unmet.map_or_else(
                || "those".to_owned(),
                |condition| {
                    format!(
                        "`{}` to be {}",
                        condition.claim,
                        texts(condition.claim.find(x.claims))
                    )
                },
            )
        },
    },
    Check {
        name: "binding known",
        code: Code::ProofUnsupported,
        stage: Stage::AfterSignature,
        result: |x| {
            Some(
                confirmation_members(x)?.all(|name| CONFIRMATIONS.contains(&name))
                    && !no_confirmation(x),
            )
        },
        expected: |_| format!("`cnf` to hold {}", one_of(CONFIRMATIONS)),
        found: |_| "another confirmation method".to_owned(),
    },
    Check {
        name: "proof of possession",
        code: Code::ProofMissing,
        stage: Stage::AfterSignature,
        result: |x| confirmation_members(x).map(|_| false),
        expected: |_| "a token that is not bound to a key".to_owned(),
        found: |x| {
            let names = confirmation_members(x).into_iter().flatten().map(shown);
            format!("`cnf` with {}", names.collect::<Vec<_>>().join(", "))
        },
    },
];
