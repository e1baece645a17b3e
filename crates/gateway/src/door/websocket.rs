//! WebSockets (RFC 6455): the handshake, a token that comes as a subprotocol, and a tunnel that
//! ends with it.
//!
//! Browsers cannot set headers on a WebSocket, so a token may also come as the subprotocol after
//! `bearer`: `new WebSocket(url, ["bearer", token, "chat"])`. It is taken out before the upstream
//! sees the list. If the upstream chooses none of the others, `bearer` is the answer: a browser
//! wants one of those it offered. What goes through the tunnel is not looked at, except where
//! frames end.

use super::frames::{Frames, close};
use crate::forward::upstream::InFlightGuard;
use crate::request::fields::listed;
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
    /// Takes the handshake out of a request. Whatever else asks for an upgrade is an ordinary
    /// request.
    pub(super) fn take(parts: &mut Parts) -> Option<Self> {
        let asked = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && listed(&parts.headers, &CONNECTION).any(|it| it.eq_ignore_ascii_case("upgrade"))
            && listed(&parts.headers, &UPGRADE).any(|it| it.eq_ignore_ascii_case("websocket"))
            && parts.headers.contains_key(SEC_WEBSOCKET_KEY)
            && parts
                .headers
                .get(SEC_WEBSOCKET_VERSION)
                .is_some_and(|version| version == "13");
        let client = parts.extensions.remove::<OnUpgrade>().filter(|_| asked)?;
        let bearer = take_token(&mut parts.headers);
        Some(Self {
            client,
            bearer,
            slots: parts.extensions.remove(),
        })
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

    /// Carries bytes both ways until one side ends, or the token does, or the gateway.
    pub(super) fn connect(
        self,
        upstream: OnUpgrade,
        counted: (InFlightGuard, BackgroundTask),
        traffic: Traffic,
        end: End,
    ) {
        tokio::spawn(async move {
            let _counted = (counted, self.slots);
            if let Ok((client, upstream)) = tokio::try_join!(self.client, upstream) {
                // Whoever goes away takes the other along: that is no fault.
                _ = tunnel(TokioIo::new(client), TokioIo::new(upstream), &traffic, end).await;
            }
        });
    }
}

/// Carries bytes both ways. When it must end, the client is told so between two frames.
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
    tokio::time::timeout(FAREWELL, farewell).await?
}

const BUFFER: usize = 16 * 1024;

/// Moves a token from the subprotocols to where the decision looks for it. Beside an
/// `Authorization` header it is a second credential, and refused as such.
fn take_token(headers: &mut HeaderMap) -> bool {
    let offered: Vec<String> = listed(headers, &SEC_WEBSOCKET_PROTOCOL)
        .map(str::to_owned)
        .collect();
    let Some(at) = offered.iter().position(|protocol| protocol == BEARER) else {
        return false;
    };
    let mut rest = offered;
    let after = rest.split_off(at);
    let token = after.get(1).map_or("", String::as_str);
    if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}")) {
        value.set_sensitive(true);
        headers.append(AUTHORIZATION, value);
    }
    rest.extend(after.into_iter().skip(2));
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Some(rest) = HeaderValue::try_from(rest.join(", "))
        .ok()
        .filter(|rest| !rest.is_empty())
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, rest);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::life::Cause;

    fn taken(offered: &[&str]) -> (bool, Vec<String>, Option<String>) {
        let mut headers = HeaderMap::new();
        for value in offered {
            headers.append(
                SEC_WEBSOCKET_PROTOCOL,
                HeaderValue::from_str(value).unwrap(),
            );
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
            Cause::Expired
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
            [frame.clone(), close(Cause::Expired)].concat()
        );
        let read = read_after_end(10, &frame).await;
        assert!(frame.starts_with(&read), "{read:?}");
        assert_eq!(read_after_end(1_000, &frame[..50]).await, frame[..50]);
    }
}
