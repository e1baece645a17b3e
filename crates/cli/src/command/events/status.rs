//! `portcullis events status`.

use super::access::StreamAccess;
use super::fault::convert_fault;
use super::page;
use crate::args::NewState;
use crate::exit::{CommandError, Exit};
use crate::output::print;
use portcullis_provider::shared_signals::{
    StreamConfiguration, StreamState, StreamStatus, TransmitterEndpoint, TransmitterFault,
};
use serde_json::json;

/// A stream, and its status if the transmitter has an endpoint for it.
pub(super) struct StreamView {
    pub(super) stream: StreamConfiguration,
    pub(super) status: Option<StreamStatus>,
}

pub(super) async fn run(
    access: &StreamAccess,
    stream: Option<&str>,
    change: Option<(NewState, Option<&str>)>,
    json: bool,
) -> Result<Exit, CommandError> {
    if let (Some(stream), Some((state, reason))) = (stream, change) {
        let streams = access.streams();
        let changed = streams.set_status(stream, convert_state(state), reason);
        changed.await.map_err(|fault| convert_fault(&fault))?;
    }
    let views = views(access, stream).await;
    let views = views.map_err(|fault| convert_fault(&fault))?;
    print(&if json {
        let streams: Vec<_> = views.iter().map(page::view_as_json).collect();
        let issuer = access.metadata().issuer.as_str();
        format!("{:#}\n", json!({ "issuer": issuer, "streams": streams }))
    } else {
        page::status(access, &views)
    })?;
    Ok(Exit::Fine)
}

async fn views(
    access: &StreamAccess,
    stream: Option<&str>,
) -> Result<Vec<StreamView>, TransmitterFault> {
    let streams = access.streams();
    let found = match stream {
        Some(id) => vec![streams.read(id).await?],
        None => streams.list().await?,
    };
    let has_status = access
        .metadata()
        .endpoint(TransmitterEndpoint::Status)
        .is_some();
    let mut views = Vec::new();
    for stream in found {
        let status = match has_status {
            true => Some(streams.status(&stream.id).await?),
            false => None,
        };
        views.push(StreamView { stream, status });
    }
    Ok(views)
}

fn convert_state(state: NewState) -> StreamState {
    match state {
        NewState::Enabled => StreamState::Enabled,
        NewState::Paused => StreamState::Paused,
        NewState::Disabled => StreamState::Disabled,
    }
}
