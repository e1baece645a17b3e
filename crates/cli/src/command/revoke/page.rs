//! What was revoked, for whom, and what stays valid all the same.

use super::order::{RevocationOrder, TokenSignature};
use crate::clock::nearest_rfc3339;
use crate::output::{GOOD, Page, WARNING};
use crate::ownership;
use portcullis_core::rejection::quote;
use portcullis_core::token::{Issuer, NumericDate};
use portcullis_resource_server::{Revocation, RevocationSource, RevokedKind};
use serde_json::{Value, json};

/// The page about one revocation.
pub(super) fn page(order: &RevocationOrder, now: NumericDate) -> String {
    let revocation = &order.revocation;
    let kind = revocation.kind();
    let whose = match &order.name {
        Some(name) => format!("the {kind} {}", quote(name)),
        None => format!("a {kind}"),
    };
    let what = match revocation.since() {
        _ if revocation.is_lifted() => whose,
        Some(since) => format!(
            "all tokens of {whose} that were issued until {}",
            moment(since)
        ),
        None if kind == RevokedKind::Session => format!("all tokens of {whose}"),
        None if kind == RevokedKind::Key => format!("all tokens that are bound to {whose}"),
        // One token, by its `jti`.
        None => whose,
    };
    let mut page = Page::new(2, 11);
    page.line("");
    if revocation.is_lifted() {
        page.styled_row(GOOD, "enabled", &what);
    } else {
        page.styled_row(GOOD, "revoked", &what);
    }
    let issuer = order.issuer.as_ref();
    page.row("issuer", issuer.map_or("any", Issuer::as_str));
    match &order.signature {
        Some(TokenSignature::Verified(found)) => page.row("signature", found),
        Some(TokenSignature::Unverified(reason)) => {
            let value = format!("not verified: {reason}");
            page.styled_row(WARNING, "signature", &value);
        }
        None => {}
    }
    page.row("kept until", &moment(revocation.until()));
    page.row("digest", &revocation.mark());
    page.line("");
    if revocation.is_lifted() {
        page.row("accepted by", "every API that follows this store, at once");
    } else {
        page.row("refused by", "every API that follows this store, at once");
        page.row("still valid", &rest(order, now));
    }
    page.line("");
    page.into_text()
}

/// What a revocation cannot reach.
fn rest(order: &RevocationOrder, now: NumericDate) -> String {
    let until = match order.expires {
        Some(expires) if expires > now => {
            format!("until {}", ownership::end(expires.seconds(), now.seconds()))
        }
        // It is published all the same: an API whose clock is slow would still accept the token.
        Some(_) => return "nowhere: the token has expired".to_owned(),
        None => "until their `exp`".to_owned(),
    };
    format!(
        "{until}, where an API does not follow the store; and refresh tokens and sessions at the \
            provider, which issue new ones: end them there, or with `portcullis logout`"
    )
}

/// The revocations in the store, a line each.
pub(super) fn table(revocations: &[Revocation]) -> String {
    if revocations.is_empty() {
        return "There are no revocations.\n".to_owned();
    }
    let mut text = "digest, issued until, kept until; by what, and when\n".to_owned();
    for revocation in revocations {
        let since = match revocation.since() {
            Some(_) if revocation.is_lifted() => "enabled again".to_owned(),
            Some(_) if revocation.kind() == RevokedKind::Account => "any time".to_owned(),
            Some(since) => moment(since),
            None => "any time".to_owned(),
        };
        let (mark, until) = (revocation.mark(), moment(revocation.until()));
        text.push_str(&format!("{mark}  {since:<20}  {until}\n"));
        // On a line of its own: the names of events are long.
        if let (Some(source), Some(told_at)) = (revocation.source(), revocation.told_at()) {
            text.push_str(&format!("  {source}, {}\n", moment(told_at)));
        }
    }
    text
}

/// The order for programs: the revocation, and of a token whether its signature was verified.
pub(super) fn order_as_json(order: &RevocationOrder) -> Value {
    let mut document = as_json(&order.revocation);
    if let (Some(members), Some(signature)) = (document.as_object_mut(), &order.signature) {
        members.insert("verified".to_owned(), signature.is_verified().into());
    }
    document
}

/// The revocation for programs.
pub(super) fn as_json(revocation: &Revocation) -> Value {
    json!({
        "kind": revocation.kind().as_str(),
        "mark": revocation.mark(),
        "since": revocation.since().map(NumericDate::seconds),
        "until": revocation.until().seconds(),
        "source": revocation.source().map(RevocationSource::as_str),
        "told_at": revocation.told_at().map(NumericDate::seconds),
        "lifted": revocation.is_lifted(),
    })
}

fn moment(date: NumericDate) -> String {
    nearest_rfc3339(date.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::event::EventType;

    fn order(name: Option<&str>, expires: Option<i64>) -> String {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let at = NumericDate::from_seconds;
        let revocation = match name {
            Some(name) => Revocation::subject(&issuer, name, at(1_800_000_000)),
            None => Revocation::token(&issuer, "jti-1", at(1_800_003_600)),
        };
        let order = RevocationOrder {
            revocation,
            issuer: Some(issuer),
            name: name.map(str::to_owned),
            expires: expires.map(at),
            signature: None,
        };
        let page = page(&order, at(1_800_000_000));
        let plain = anstream::adapter::strip_str(&page).to_string();
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_account_is_enabled_and_not_revoked() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let at = NumericDate::from_seconds(1_800_000_000);
        let order = RevocationOrder {
            revocation: Revocation::account_enabled(&issuer, "alice", at),
            issuer: Some(issuer),
            name: Some("alice".to_owned()),
            expires: None,
            signature: None,
        };
        let page = anstream::adapter::strip_str(&page(&order, at)).to_string();
        assert!(page.contains("enabled      the account `alice`"), "{page}");
        assert!(
            page.contains("accepted by  every API") && !page.contains("refused"),
            "{page}"
        );
    }

    #[test]
    fn the_list_says_where_each_comes_from() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let at = NumericDate::from_seconds(1_800_000_000);
        let (disabled, enabled) = (
            RevocationSource::Event(EventType::AccountDisabled),
            RevocationSource::Event(EventType::AccountEnabled),
        );
        let list = table(&[
            Revocation::session(&issuer, "s", at).caused_by(RevocationSource::Logout, at),
            Revocation::account_disabled(&issuer, "alice", at).caused_by(disabled, at),
            Revocation::account_enabled(&issuer, "bob", at).caused_by(enabled, at),
            Revocation::client(&issuer, "c", at),
        ]);
        for line in list.lines() {
            assert!(line.chars().count() <= 90, "{line}");
        }
        let told = "any time              2027-02-15T08:00:00Z\n  backchannel-logout, 2027";
        assert!(list.contains(told), "{list}");
        assert!(list.contains("any time              2027-02-15T08:00:00Z\n  account-disabled"));
        assert!(list.contains("enabled again         2027-02-15T08:00:00Z\n  account-enabled"));
        assert!(
            list.ends_with("  2027-01-15T08:00:00Z  2027-02-15T08:00:00Z\n"),
            "{list}"
        );
    }

    #[test]
    fn the_page_says_what_for_whom_and_what_is_left() {
        let page = order(Some("alice"), None);
        let text = "revoked all tokens of the subject `alice` that were issued until \
            2027-01-15T08:00:00Z issuer https://idp.example";
        assert!(page.starts_with(text), "{page}");
        assert!(
            page.contains("still valid until their `exp`, where an API"),
            "{page}"
        );
        let page = order(None, Some(1_800_003_600));
        assert!(page.starts_with("revoked a token issuer"), "{page}");
        assert!(
            page.contains("still valid until 09:00 UTC, in 60 min,"),
            "{page}"
        );
        assert!(!page.contains("jti-1"), "{page}");
        assert!(order(None, Some(1_799_999_999)).contains("nowhere"));
    }
}
