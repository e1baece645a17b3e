//! What senders are answered: nothing of a token, and nothing about tokens.

use crate::receiver::{EventReport, EventStream, LOGOUT, Reception, ReceptionFault};
use crate::server::ResourceServer;
use aws_lc_rs::constant_time;
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use portcullis_core::Outage;
use portcullis_core::event::{EventErrorCode, EventFault};
use portcullis_core::rejection::Facts;
use serde_json::json;

/// A request to a receiver.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by doors of other crates")]
pub struct ReceiverRequest<'r> {
    /// The path below the receivers' own: `/logout`, or `/events/` and the name of a stream.
    pub path: &'r str,
    /// The method.
    pub method: &'r Method,
    /// The header fields.
    pub headers: &'r HeaderMap,
    /// The whole body.
    pub body: &'r [u8],
}

/// The answer of a receiver, and what became of each event.
#[derive(Debug)]
#[non_exhaustive]
pub struct ReceiverAnswer {
    /// The answer for the sender.
    pub response: Response<String>,
    /// A report about each event, for audit records.
    pub reports: Vec<EventReport>,
}

/// The words of one receiver's standard.
#[derive(Clone, Copy)]
enum Dialect {
    /// OpenID Connect Back-Channel Logout 1.0, section 2.8.
    Logout,
    /// RFC 8935, section 2.
    Push,
}

impl ResourceServer {
    /// Takes what a provider sends to a receiver: a logout token at `/logout`
    /// (OpenID Connect Back-Channel Logout 1.0), a security event at `/events/NAME` (RFC 8935).
    ///
    /// The sender hears 200 or 202 only after every revocation is written to the store; 400 means
    /// that it need not come again, 503 that it must.
    ///
    /// ```
    /// # async fn example(server: portcullis_resource_server::ResourceServer) {
    /// use http::{HeaderMap, Method};
    /// use portcullis_resource_server::ReceiverRequest;
    ///
    /// let request = ReceiverRequest {
    ///     path: "/logout",
    ///     method: &Method::POST,
    ///     headers: &HeaderMap::new(),
    ///     body: b"logout_token=eyJ...",
    /// };
    /// let answer = server.answer_receiver(&request).await;
    /// println!("{}", answer.response.status());
    /// # }
    /// ```
    pub async fn answer_receiver(&self, request: &ReceiverRequest<'_>) -> ReceiverAnswer {
        if request.path == "/logout" && self.receivers().takes_logouts {
            return self.answer_logout(request).await;
        }
        let name = request.path.strip_prefix("/events/");
        match name.and_then(|name| self.receivers().stream(name)) {
            // Events that are fetched are not taken from whoever brings them.
            Some(stream) if stream.settings.poll.is_none() => {
                self.answer_push(stream, request).await
            }
            _ => ReceiverAnswer::plain(status(StatusCode::NOT_FOUND)),
        }
    }

    /// Whether these settings have anything to receive: `[issuer.logout]` or `[[events]]`.
    pub fn has_receivers(&self) -> bool {
        self.receivers().is_any()
    }

    /// From now on, tells this observer about each event that is fetched, for audit records. Those
    /// that are sent are in [`ReceiverAnswer::reports`]. An event is written down once, so with an
    /// observer the log has events at debug only. Call it before [`start`](Self::start); a second
    /// observer is ignored.
    ///
    /// ```
    /// # fn example(server: portcullis_resource_server::ResourceServer) {
    /// server.observe_events(|report| println!("{} {:?}", report.event, report.outcome));
    /// # }
    /// ```
    pub fn observe_events(&self, observer: impl Fn(&EventReport) + Send + Sync + 'static) {
        self.receivers().meters.observe(Box::new(observer));
    }

    async fn answer_logout(&self, request: &ReceiverRequest<'_>) -> ReceiverAnswer {
        if request.method != Method::POST {
            return ReceiverAnswer::plain(not_allowed());
        }
        let reception = match logout_token(request) {
            Ok(token) => self.receive_logout(&token).await,
            Err(facts) => self.refuse(LOGOUT, EventErrorCode::InvalidRequest, facts),
        };
        ReceiverAnswer::of(reception, Dialect::Logout)
    }

    async fn answer_push(
        &self,
        stream: &EventStream,
        request: &ReceiverRequest<'_>,
    ) -> ReceiverAnswer {
        if request.method != Method::POST {
            return ReceiverAnswer::plain(not_allowed());
        }
        let name = &stream.settings.name;
        let expected = stream.settings.authorization.as_ref();
        let reception = if !is_authorized(request.headers, expected.map(|it| it.expose())) {
            let facts = Facts::new("the `Authorization` of the settings", "another, or none");
            self.refuse(name, EventErrorCode::AuthenticationFailed, facts)
        } else {
            match set(request) {
                Ok(text) => self.receive_event(stream, text).await,
                Err(facts) => self.refuse(name, EventErrorCode::InvalidRequest, facts),
            }
        };
        ReceiverAnswer::of(reception, Dialect::Push)
    }

    fn refuse(&self, receiver: &str, code: EventErrorCode, facts: Facts) -> Reception {
        let fault = ReceptionFault::Refused(EventFault::new(code, facts));
        let reception = Reception::of(receiver, None, Err(fault));
        self.receivers().meters.note(reception)
    }
}

/// The one `logout_token` of a form (section 2.5).
fn logout_token(request: &ReceiverRequest<'_>) -> Result<String, Facts> {
    check_type(request.headers, "application/x-www-form-urlencoded")?;
    let mut found = None;
    for (name, value) in url::form_urlencoded::parse(request.body) {
        if name != "logout_token" {
            // Other parameters may be there, and are ignored.
            continue;
        }
        if found.replace(value.into_owned()).is_some() {
            return Err(Facts::new("one `logout_token`", "several"));
        }
    }
    found.ok_or_else(|| Facts::new("a `logout_token`", "none"))
}

/// The token that is the body of a push (RFC 8935, section 2.1).
fn set<'r>(request: &ReceiverRequest<'r>) -> Result<&'r str, Facts> {
    check_type(request.headers, "application/secevent+jwt")?;
    // A line break at the end is what files have, and no part of a token.
    match std::str::from_utf8(request.body) {
        Ok(text) => Ok(text.trim_end_matches(['\r', '\n'])),
        Err(_) => Err(Facts::new("a token", "a body that is not UTF-8")),
    }
}

/// The one media type, whatever its parameters are.
fn check_type(headers: &HeaderMap, expected: &'static str) -> Result<(), Facts> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    // Two of them could be read differently by whoever stands in front.
    let (first, second) = (values.next(), values.next());
    let first = first.and_then(|value| value.to_str().ok());
    let media = first.and_then(|value| value.split(';').next());
    match media {
        Some(media) if second.is_none() && media.trim().eq_ignore_ascii_case(expected) => Ok(()),
        Some(_) => Err(Facts::new(format!("the type `{expected}`"), "another one")),
        None => Err(Facts::new(format!("the type `{expected}`"), "none")),
    }
}

/// Whether the sender has the secret of the stream, compared in constant time.
fn is_authorized(headers: &HeaderMap, expected: Option<&str>) -> bool {
    let Some(expected) = expected else {
        return true;
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(found), None) => {
            constant_time::verify_slices_are_equal(found.as_bytes(), expected.as_bytes()).is_ok()
        }
        _ => false,
    }
}

impl ReceiverAnswer {
    fn plain(response: Response<String>) -> Self {
        Self {
            response,
            reports: Vec::new(),
        }
    }

    fn of(reception: Reception, dialect: Dialect) -> Self {
        let response = match (&reception.result, dialect) {
            // Section 2.8: no cache may keep it.
            (Ok(()), Dialect::Logout) => status(StatusCode::OK),
            (Ok(()), Dialect::Push) => status(StatusCode::ACCEPTED),
            (Err(ReceptionFault::Refused(fault)), dialect) => answer_refusal(fault, dialect),
            (Err(ReceptionFault::Failed(outage)), _) => unavailable(outage),
        };
        Self {
            response,
            reports: reception.reports,
        }
    }
}

fn answer_refusal(fault: &EventFault, dialect: Dialect) -> Response<String> {
    let (code, description) = (fault.code(), fault.code().description());
    let document = match dialect {
        // The words of OAuth 2.0 (RFC 6749, section 5.2), as its profile has no others.
        Dialect::Logout => json!({ "error": "invalid_request", "error_description": description }),
        Dialect::Push => json!({ "err": code.as_str(), "description": description }),
    };
    let mut response = status(StatusCode::BAD_REQUEST);
    *response.body_mut() = document.to_string();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // RFC 8935, section 2.3: the description has a language.
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    response
}

/// Ours or the provider's trouble: the sender must come again.
fn unavailable(outage: &Outage) -> Response<String> {
    let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
    let seconds = outage.retry_after().as_secs().max(1);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn not_allowed() -> Response<String> {
    let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
    let post = HeaderValue::from_static("POST");
    response.headers_mut().insert(ALLOW, post);
    response
}

fn status(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
