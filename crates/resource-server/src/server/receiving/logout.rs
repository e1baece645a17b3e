//! Back-channel logout: a provider tells that somebody signed out (OpenID Connect Back-Channel
//! Logout 1.0, section 2.5).

use crate::issuers::TrustedIssuer;
use crate::receiver::{
    EventOutcome, EventReport, LOGOUT, LogoutSettings, Reception, ReceptionFault, event_id,
    plain_id,
};
use crate::revocation::{Revocation, RevocationSource};
use crate::server::ResourceServer;
use crate::signed;
use portcullis_core::Outage;
use portcullis_core::event::{EventErrorCode, EventFault, LogoutToken};
use portcullis_core::jose::{UnverifiedToken, compact};
use portcullis_core::rejection::{Facts, quote};
use portcullis_core::token::{Issuer, NumericDate};
use std::sync::Arc;

impl ResourceServer {
    /// Takes a logout token. Once this says that it was taken, every replica that shares the store
    /// refuses what it ends.
    pub(crate) async fn receive_logout(&self, text: &str) -> Reception {
        let mut token_id = None;
        let result = match compact::parse(text, self.limits()) {
            Ok(token) => {
                token_id = token.unverified_claims().token_id().map(plain_id);
                self.take_logout(token, text).await
            }
            Err(rejection) => Err(rejection.into()),
        };
        let result = result.map(|report| vec![report]);
        let reception = Reception::of(LOGOUT, token_id, result);
        self.receivers().meters.note(reception)
    }

    async fn take_logout(
        &self,
        token: UnverifiedToken<'_>,
        text: &str,
    ) -> Result<EventReport, ReceptionFault> {
        let name = token.unverified_claims().issuer();
        // By the unproven name: what follows proves it.
        let (issuer, logout) = self.issuer_of_logout(name)?;
        let leeway = issuer.verifier.profile().leeway;
        let terms = logout.terms(issuer.verifier.issuer(), leeway);
        LogoutToken::screen(&token, &terms, self.clock().now())?;
        let signed = signed::prove(&issuer.keys, token, text, self.limits()).await?;
        // The clock is read again: waiting for a key takes time.
        let now = self.clock().now();
        let token = LogoutToken::verify(signed, &terms, now)?;
        let issuer = issuer.verifier.issuer();
        Ok(self
            .end(&token, issuer, logout.ends_subject, now)
            .await?)
    }

    fn issuer_of_logout(
        &self,
        name: Option<&str>,
    ) -> Result<(Arc<TrustedIssuer>, LogoutSettings), EventFault> {
        let issuer = self.issuers().find(name)?;
        match issuer.logout.clone() {
            Some(logout) => Ok((issuer, logout)),
            None => {
                let found = name.map_or("no `iss`".to_owned(), quote);
                let facts = Facts::new("an issuer with `[issuer.logout]`", found);
                Err(EventFault::new(EventErrorCode::InvalidIssuer, facts))
            }
        }
    }

    /// Writes what a logout ends.
    async fn end(
        &self,
        token: &LogoutToken,
        issuer: &Issuer,
        ends_subject: bool,
        now: NumericDate,
    ) -> Result<EventReport, Outage> {
        let seen = &self.receivers().seen;
        let id = event_id(issuer.as_str(), token.token_id(), now);
        let mut report = EventReport {
            receiver: LOGOUT.to_owned(),
            event: RevocationSource::Logout.as_str(),
            outcome: EventOutcome::Repeated,
            marks: Vec::new(),
            token_id: Some(plain_id(token.token_id())),
            facts: None,
        };
        if seen.knows(&id, now).await {
            return Ok(report);
        }
        // Each is in force at once; the first that cannot be written ends it, and all come again.
        for revocation in revocations(token, issuer, ends_subject, now) {
            report.marks.push(revocation.mark());
            self.revoke(revocation).await?;
        }
        seen.remember(&id, now).await;
        report.outcome = EventOutcome::Applied;
        Ok(report)
    }
}

fn revocations(
    token: &LogoutToken,
    issuer: &Issuer,
    ends_subject: bool,
    now: NumericDate,
) -> Vec<Revocation> {
    let told_at = token.issued_at();
    let session = token.session();
    let mut revocations = Vec::new();
    if let Some(session) = session {
        revocations.push(Revocation::session(issuer, session, now));
    }
    // Without a session it is a logout of all of them (section 2.4).
    if let Some(subject) = token.subject()
        && (ends_subject || session.is_none())
    {
        revocations.push(Revocation::subject(issuer, subject, told_at));
    }
    let told = |it: Revocation| it.caused_by(RevocationSource::Logout, told_at);
    revocations.into_iter().map(told).collect()
}
