//! Access for the fuzz targets to the frames of a WebSocket and to its tunnel.

use super::frames::{Frames, close};
use super::websocket::tunnel;
use crate::transport::life::{Cause, End, Traffic};
use portcullis_resource_server::TokenEnd;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Whether a frame may be put in after each of these pieces.
pub fn between_frames<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<bool> {
    let mut frames = Frames::default();
    let mut between = Vec::new();
    for piece in pieces {
        frames.follow(piece);
        between.push(frames.is_between());
    }
    between
}

/// Runs a tunnel. Returns the bytes at the upstream, the bytes at a client, and the closing frame
/// that may be among them. The client has room for `room` bytes and reads `early` before its token
/// ends.
///
/// # Errors
///
/// A tunnel that breaks.
pub async fn run_tunnel(
    up: &[u8],
    down: &[u8],
    early: usize,
    room: usize,
) -> io::Result<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    // A pipe without room would never move a byte.
    let (client, mut reader) = tokio::io::duplex(room.max(1));
    let (upstream, mut server) = tokio::io::duplex(up.len().max(down.len()).max(1));
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let end_of_token: End = Box::pin(async move {
        _ = ended.await;
        Cause::Token(TokenEnd::Expired)
    });
    let outside = async {
        reader.write_all(up).await?;
        let mut at_upstream = vec![0; up.len()];
        server.read_exact(&mut at_upstream).await?;
        server.write_all(down).await?;
        let mut at_client = vec![0; early.min(down.len())];
        reader.read_exact(&mut at_client).await?;
        tokio::task::yield_now().await;
        drop(end);
        reader.read_to_end(&mut at_client).await?;
        io::Result::Ok((at_upstream, at_client))
    };
    let traffic = Traffic::default();
    let (_, outside) = tokio::join!(tunnel(client, upstream, &traffic, end_of_token), outside);
    let (at_upstream, at_client) = outside?;
    Ok((
        at_upstream,
        at_client,
        close(Cause::Token(TokenEnd::Expired)),
    ))
}
