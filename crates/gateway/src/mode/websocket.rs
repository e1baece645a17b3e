//! WebSockets (RFC 6455): the handshake, a token that comes as a subprotocol, and a tunnel that ends with it.
//!
//! Browsers cannot set headers on a WebSocket, so a token may also come as the subprotocol after `bearer`:
//! `new WebSocket(url, ["bearer", token, "chat"])`. It is taken out before the upstream sees the list. If the
//! upstream chooses none of the others, `bearer` is the answer: a browser wants one of those it offered.
//! What goes through the tunnel is not looked at.

use crate::body::Deadline;
use crate::headers::listed;
use crate::upstream::UnderWay;
use http::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;

/// The subprotocol before a token.
const BEARER: &str = "bearer";

/// A request for a WebSocket.
#[derive(Debug)]
pub(super) struct Handshake {
    client: OnUpgrade,
    /// Whether the token came as a subprotocol.
    bearer: bool,
}

impl Handshake {
    /// Takes the handshake out of a request. Whatever else asks for an upgrade is an ordinary request.
    pub(super) fn take(parts: &mut Parts) -> Option<Self> {
        let asked = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && listed(&parts.headers, &CONNECTION).any(|it| it.eq_ignore_ascii_case("upgrade"))
            && listed(&parts.headers, &UPGRADE).any(|it| it.eq_ignore_ascii_case("websocket"))
            && parts.headers.contains_key(SEC_WEBSOCKET_KEY)
            && parts.headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
        let client = parts.extensions.remove::<OnUpgrade>().filter(|_| asked)?;
        let bearer = take_token(&mut parts.headers);
        Some(Self { client, bearer })
    }

    /// Asks the upstream for the same.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }

    /// Tells the client that it has one.
    pub(super) fn grant(&self, headers: &mut HeaderMap) {
        self.ask(headers);
        if self.bearer && !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(BEARER));
        }
    }

    /// Carries bytes both ways until one side ends, or the token does.
    pub(super) fn connect(self, upstream: OnUpgrade, under_way: UnderWay, until: Option<Deadline>) {
        tokio::spawn(async move {
            let _under_way = under_way;
            let Ok((client, upstream)) = tokio::try_join!(self.client, upstream) else { return };
            let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
            let over = async {
                match until {
                    Some(until) => until.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // Whoever goes away takes the other along: that is no fault.
                _ = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {}
                () = over => {
                    tracing::info!("the token of a WebSocket expired: it is closed");
                    _ = tokio::join!(client.shutdown(), upstream.shutdown());
                }
            }
        });
    }
}

/// Moves a token from the subprotocols to where the decision looks for it. Beside an `Authorization` header it is a
/// second credential, and refused as such.
fn take_token(headers: &mut HeaderMap) -> bool {
    let offered: Vec<String> = listed(headers, &SEC_WEBSOCKET_PROTOCOL).map(str::to_owned).collect();
    let Some(at) = offered.iter().position(|protocol| protocol == BEARER) else { return false };
    let mut rest = offered;
    let after = rest.split_off(at);
    let token = after.get(1).map_or("", String::as_str);
    if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}")) {
        value.set_sensitive(true);
        headers.append(AUTHORIZATION, value);
    }
    rest.extend(after.into_iter().skip(2));
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Some(rest) = HeaderValue::try_from(rest.join(", ")).ok().filter(|rest| !rest.is_empty()) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, rest);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(offered: &[&str]) -> (bool, Vec<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        for value in offered {
            headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(value).unwrap());
        }
        let found = take_token(&mut headers);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let tokens = headers.get_all(AUTHORIZATION).iter().map(text).collect();
        (found, tokens, headers.get(SEC_WEBSOCKET_PROTOCOL).map(text))
    }

    #[test]
    fn a_token_is_taken_out_of_the_subprotocols() {
        let token = || vec!["Bearer a.b.c".to_owned()];
        assert_eq!(taken(&["bearer, a.b.c"]), (true, token(), None));
        assert_eq!(taken(&["chat, bearer, a.b.c, v2"]), (true, token(), Some("chat, v2".to_owned())));
        assert_eq!(taken(&["bearer", "a.b.c", "chat"]), (true, token(), Some("chat".to_owned())));
        assert_eq!(taken(&["chat"]), (false, vec![], Some("chat".to_owned())));
        assert_eq!(taken(&["chat, bearer"]), (true, vec!["Bearer ".to_owned()], Some("chat".to_owned())));
    }
}
