//! WebSockets (RFC 6455): the handshake, a token that comes as a subprotocol, and a tunnel that
//! ends with the token.
//!
//! Browsers cannot set headers on a WebSocket, so a token may also come as the subprotocol after
//! `bearer`: `new WebSocket(url, ["bearer", token, "chat"])`. It is removed before the upstream
//! sees the list. If the upstream chooses none of the others, `bearer` is the answer: a browser
//! insists on one that it offered. The gateway does not look at the content of the tunnel, only at
//! the ends of frames.

use super::frames::{Frames, close};
use crate::forward::upstream::InFlightGuard;
use crate::request::fields::list_members;
use crate::telemetry::response_watch::ResponseWatch;
use crate::transport::life::{BackgroundTask, End, FAREWELL, Traffic};
use crate::transport::slots::RequestSlots;
use http::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use portcullis_resource_server::ResourceServer;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The subprotocol before a token.
const BEARER: &str = "bearer";

/// A request for a WebSocket.
#[derive(Debug)]
pub(super) struct Handshake {
    client: OnUpgrade,
    /// Whether the token came as a subprotocol.
    bearer: bool,
    /// What the request has taken: the tunnel keeps it.
    slots: Option<Arc<RequestSlots>>,
}

impl Handshake {
    /// Takes the handshake out of a request. A request for another upgrade is an ordinary request.
    pub(super) fn take(parts: &mut Parts, server: &ResourceServer) -> Option<Self> {
        let client = parts.extensions.remove::<OnUpgrade>()?;
        let bearer = take_offered_token(parts, server)?;
        Some(Self {
            client,
            bearer,
            slots: parts.extensions.remove(),
        })
    }

    /// Asks the upstream for a WebSocket.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }

    /// Grants the WebSocket to the client.
    pub(super) fn grant(&self, headers: &mut HeaderMap) {
        self.ask(headers);
        // A browser fails the connection if none of its subprotocols is chosen.
        if self.bearer && !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(BEARER));
        }
    }

    /// Carries bytes both ways until one side ends, or the token does, or the gateway.
    pub(super) fn connect(
        self,
        upstream: OnUpgrade,
        counted: (InFlightGuard, BackgroundTask, Option<ResponseWatch>),
        traffic: Traffic,
        end: End,
    ) {
        tokio::spawn(async move {
            let _counted = (counted, self.slots);
            if let Ok((client, upstream)) = tokio::try_join!(self.client, upstream) {
                // One side that goes away ends the other: that is no fault to report.
                _ = tunnel(TokioIo::new(client), TokioIo::new(upstream), &traffic, end).await;
            }
        });
    }
}

/// Takes the token out of the subprotocols of a handshake, and tells whether there was one; `None`
/// if the request asks for no WebSocket.
pub(super) fn take_offered_token(parts: &mut Parts, server: &ResourceServer) -> Option<bool> {
    is_handshake(parts).then(|| take_token(&mut parts.headers, server.accepts_offered_tokens()))
}

/// Whether a request asks for a WebSocket (section 4.1). HTTP/2 has another handshake (RFC 8441),
/// which is not offered.
fn is_handshake(parts: &Parts) -> bool {
    let Parts {
        method,
        version,
        headers,
        ..
    } = parts;
    let has = |name, option: &str| {
        list_members(headers, &name).any(|member| member.eq_ignore_ascii_case(option))
    };
    *method == Method::GET
        && *version == Version::HTTP_11
        && has(CONNECTION, "upgrade")
        && has(UPGRADE, "websocket")
        && headers.contains_key(SEC_WEBSOCKET_KEY)
        && headers.get(SEC_WEBSOCKET_VERSION) == Some(&HeaderValue::from_static("13"))
}

/// Carries bytes both ways. When it must end, a closing frame between two others tells the client.
pub(super) async fn tunnel<C, U>(
    client: C,
    upstream: U,
    traffic: &Traffic,
    end: End,
) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_upstream, mut to_upstream) = tokio::io::split(upstream);
    let mut frames = Frames::default();
    let mut between = true;
    let up = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = from_client.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            traffic.note();
            to_upstream.write_all(bytes).await?;
        }
        to_upstream.shutdown().await
    };
    let down = async {
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = from_upstream.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            traffic.note();
            // What may have been written in part is no place for another frame.
            between = false;
            to_client.write_all(bytes).await?;
            frames.follow(bytes);
            between = frames.is_between();
        }
        to_client.shutdown().await
    };
    let cause = tokio::select! {
        ended = async { tokio::try_join!(up, down) } => return ended.map(|_| ()),
        cause = end => cause,
    };
    tracing::info!(?cause, "a WebSocket is closed before its time");
    let farewell = async {
        if between {
            to_client.write_all(&close(cause)).await?;
        }
        tokio::try_join!(to_client.shutdown(), to_upstream.shutdown()).map(|_| ())
    };
    // A client that does not read must not hold its places for ever.
    tokio::time::timeout(FAREWELL, farewell).await?
}

const BUFFER: usize = 16 * 1024;

/// Moves the token of a WebSocket from the subprotocols, where it stands after `bearer`, to
/// `Authorization`, where the decision looks for it. Beside such a header it is a second
/// credential, and refused. Returns whether `bearer` was offered.
///
/// Where none is accepted, it is dropped: no upstream gets to see it.
pub fn take_token(headers: &mut HeaderMap, is_accepted: bool) -> bool {
    let mut before: Vec<&str> = list_members(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
    let Some(at) = before.iter().position(|protocol| *protocol == BEARER) else {
        return false;
    };
    let mut after = before.split_off(at).into_iter().skip(1);
    let token = format!("Bearer {}", after.next().unwrap_or_default());
    before.extend(after);
    let rest = before.join(", ");
    if is_accepted && let Ok(mut value) = HeaderValue::try_from(token) {
        // Marked so that no log of headers shows it.
        value.set_sensitive(true);
        headers.append(AUTHORIZATION, value);
    }
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if !rest.is_empty()
        && let Ok(rest) = HeaderValue::try_from(rest)
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, rest);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::life::Cause;
    use portcullis_resource_server::TokenEnd;

    fn taken(offered: &[&str]) -> (bool, Vec<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        for value in offered {
            headers.append(
                SEC_WEBSOCKET_PROTOCOL,
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let found = take_token(&mut headers, true);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let tokens = headers
            .get_all(AUTHORIZATION)
            .iter()
            .map(text)
            .collect();
        (found, tokens, headers.get(SEC_WEBSOCKET_PROTOCOL).map(text))
    }

    #[test]
    fn a_token_is_taken_out_of_the_subprotocols() {
        let token = || vec!["Bearer a.b.c".to_owned()];
        assert_eq!(taken(&["bearer, a.b.c"]), (true, token(), None));
        assert_eq!(
            taken(&["chat, bearer, a.b.c, v2"]),
            (true, token(), Some("chat, v2".to_owned()))
        );
        assert_eq!(
            taken(&["bearer", "a.b.c", "chat"]),
            (true, token(), Some("chat".to_owned()))
        );
        assert_eq!(taken(&["chat"]), (false, vec![], Some("chat".to_owned())));
        assert_eq!(
            taken(&["chat, bearer"]),
            (true, vec!["Bearer ".to_owned()], Some("chat".to_owned()))
        );
    }

    /// What a client reads of a tunnel whose token ends, if it has room for so many bytes before it
    /// reads.
    async fn read_after_end(room: usize, sent: &[u8]) -> Vec<u8> {
        let (client, mut reader) = tokio::io::duplex(room);
        let (upstream, mut server) = tokio::io::duplex(1_000);
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let end_of_token: End = Box::pin(async move {
            _ = ended.await;
            Cause::Token(TokenEnd::Expired)
        });
        let tunnel = tokio::spawn(async move {
            tunnel(client, upstream, &Traffic::default(), end_of_token).await
        });
        server.write_all(sent).await.unwrap();
        // Until as much has arrived as there is room for.
        let mut first = vec![0; 1];
        reader.read_exact(&mut first).await.unwrap();
        tokio::task::yield_now().await;
        drop(end);
        reader.read_to_end(&mut first).await.unwrap();
        tunnel.await.unwrap().unwrap();
        first
    }

    #[tokio::test]
    async fn the_last_frame_is_never_put_into_another_one() {
        let frame = [&[0x82, 100][..], &[7; 100]].concat();
        assert_eq!(
            read_after_end(1_000, &frame).await,
            [frame.clone(), close(Cause::Token(TokenEnd::Expired))].concat()
        );
        let read = read_after_end(10, &frame).await;
        assert!(frame.starts_with(&read), "{read:?}");
        assert_eq!(read_after_end(1_000, &frame[..50]).await, frame[..50]);
    }
}
