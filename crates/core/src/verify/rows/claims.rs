//! Rows about the claims: who issued the token, for whom, and who calls with it.

use crate::dialect::TENANT;
use crate::jose::json::Json;
use crate::token::{Kind, names_a_person};
use crate::verify::TokenType;
use crate::verify::display::{ConditionNames, Quote, Texts, list};
use crate::verify::examination::CheckResult::{self, DoesNotApply};
use crate::verify::examination::{Evidence, Examination};
use std::borrow::Cow;
use std::fmt::Display;

/// `iss` is the issuer (RFC 7519, section 4.1.1).
pub(crate) fn issuer(x: &Examination<'_>) -> CheckResult {
    let issuer = x.claims.issuer();
    let passes = match (issuer, x.evidence) {
        (Some(issuer), _) => x.expectations.is_issuer(issuer),
        (None, Evidence::Token { .. }) => false,
        // An answer may leave it out (RFC 7662, section 2.2): we know whom we asked.
        (None, Evidence::Answer | Evidence::Confirmation) => return DoesNotApply,
    };
    let expected = format_args!("`{}`", x.expectations.issuer);
    x.judge(passes, &expected, &Quote(issuer))
}

/// No required claim is `null`. It would be told as missing below, which is another fault.
pub(crate) fn no_null(x: &Examination<'_>) -> CheckResult {
    let mut found = Cow::Borrowed("no null");
    let mut passes = true;
    for name in x.required_claims() {
        if x.claims.claim(name) == Some(&Json::Null) {
            found = Cow::Owned(format!("`{name}` to be null"));
            passes = false;
            break;
        }
    }
    let expected = format_args!("{} to have a value", list(x.required_claims()));
    x.judge(passes, &expected, &found)
}

/// All required claims are there (RFC 9068, section 2.2).
pub(crate) fn all_required(x: &Examination<'_>) -> CheckResult {
    let missing = x.required_claims().find(|name| !x.claims.has(name));
    let found = match missing {
        Some(name) => Cow::Owned(format!("no `{name}`")),
        None => Cow::Borrowed("all present"),
    };
    x.judge(missing.is_none(), &list(x.required_claims()), &found)
}

/// The client is named, if the provider names it in access tokens and not in ID tokens.
pub(crate) fn client(x: &Examination<'_>) -> CheckResult {
    if x.header().is_none() || !x.dialect().client_required {
        return DoesNotApply;
    }
    let places = &x.profile().mapping.client;
    let found = x.first_value(places);
    let expected = format_args!("one of {}, which ID tokens do not have", list(places));
    x.judge(found.is_some(), &expected, &Texts(found))
}

/// `sub` is not empty: an empty name would be the same caller for everybody who has it.
pub(crate) fn subject(x: &Examination<'_>) -> CheckResult {
    let empty = x.claims.has_empty_subject();
    // A client that calls for itself may be nobody's subject, unless the profile wants one.
    let may_be_empty = x.dialect().empty_subject || (!x.requires_subject() && x.client().is_some());
    let subject = Quote(x.claims.subject());
    let found: &dyn Display = if empty { &"an empty string" } else { &subject };
    let expected = "`sub` to be a string that is not empty";
    x.judge(!empty || may_be_empty, &expected, found)
}

/// The token says who calls.
pub(crate) fn caller(x: &Examination<'_>) -> CheckResult {
    // A gateway may forward a caller without a name; its issuer let them pass.
    if x.is_confirmation() || x.dialect().types.contains(&TokenType::Assertion) {
        return DoesNotApply;
    }
    let names_its_caller = names_its_caller(x);
    let found = match (x.subject(), x.client()) {
        (Some(_), _) => "a subject",
        (None, Some(_)) if names_its_caller => "a client",
        (None, Some(_)) if names_a_person(x.claims, x.dialect()) => {
            "no `sub`, and claims about a person"
        }
        (None, Some(_)) => "no `sub`, and no sign that the client calls in its own name",
        (None, None) => "no `sub`, and no client",
    };
    let expected = "a subject, or the client of an application that calls in its own name";
    x.judge(names_its_caller, &expected, &found)
}

/// Whether the token says who calls: a person by a subject, an application by its client. An answer
/// may name neither (RFC 7662, section 2.2), but never a person without a subject.
fn names_its_caller(x: &Examination<'_>) -> bool {
    if x.subject().is_some() {
        return true;
    }
    let (dialect, client) = (x.dialect(), x.client());
    if Kind::of(x.claims, dialect, None, client) == Kind::Application {
        return true;
    }
    x.header().is_none() && client.is_none() && !names_a_person(x.claims, dialect)
}

/// The audience is one of ours (RFC 7519, section 4.1.3).
pub(crate) fn audience(x: &Examination<'_>) -> CheckResult {
    let audience = x.audience();
    let audiences = &x.expectations.audiences;
    // The check that keeps a token for another API of the same issuer out.
    let passes = match audience {
        Some(audience) => audiences.meet(audience),
        None if x.may_lack_audience() => return DoesNotApply,
        None => false,
    };
    x.judge(passes, audiences, &Texts(audience))
}

/// The tenant is the one that this verifier is for.
pub(crate) fn tenant(x: &Examination<'_>) -> CheckResult {
    let Some(tenant) = x.expectations.tenant.as_deref() else {
        return DoesNotApply;
    };
    // Without a claim for it, the tenant is in the issuer and nowhere else.
    let Some(claim) = x.profile().mapping.tenant.first() else {
        return DoesNotApply;
    };
    let found = x.tenant();
    let passes = found.and_then(Json::as_str) == Some(tenant);
    let expected = format_args!("`{claim}` to be `{tenant}`");
    x.judge(passes, &expected, &Texts(found))
}

/// The key is for this issuer. Tenants of one provider share a key set, whose keys say which of
/// them they sign for (RFC 8725, section 3.8).
pub(crate) fn key_issuer(x: &Examination<'_>) -> CheckResult {
    let Evidence::Token { key_issuer, .. } = x.evidence else {
        return DoesNotApply;
    };
    let Some(template) = key_issuer else {
        return DoesNotApply;
    };
    if !x.dialect().keys_name_issuer {
        return DoesNotApply;
    }
    let claimed = x.tenant().and_then(Json::as_str);
    let tenant = x.expectations.tenant.as_deref().or(claimed);
    let issuer = &x.expectations.issuer;
    let passes = fill(template, tenant.unwrap_or_default()) == issuer.as_str();
    let expected = format_args!("a key of `{issuer}`");
    x.judge(passes, &expected, &Quote(Some(template)))
}

/// A template with the tenant in its place, `{tenantid}` in any letter case.
fn fill(template: &str, tenant: &str) -> String {
    // Only ASCII letters change, so the place is the same in both texts.
    let Some(at) = template.to_ascii_lowercase().find(TENANT) else {
        return template.to_owned();
    };
    let before = template.get(..at).unwrap_or_default();
    let after = template.get(at + TENANT.len()..).unwrap_or_default();
    format!("{before}{tenant}{after}")
}

/// The claims have the values that the operator demands.
pub(crate) fn conditions(x: &Examination<'_>) -> CheckResult {
    let conditions = &x.profile().conditions;
    if conditions.is_empty() {
        return DoesNotApply;
    }
    let unmet = conditions.iter().find(|it| !it.is_met_by(x.claims));
    let found = match unmet {
        Some(unmet) => {
            let value = Texts(unmet.claim.find(x.claims));
            Cow::Owned(format!("`{}` to be {value}", unmet.claim))
        }
        None => Cow::Borrowed("all of them"),
    };
    let names = ConditionNames(conditions);
    let expected = format_args!("the configured values of {names}");
    x.judge(unmet.is_none(), &expected, &found)
}
