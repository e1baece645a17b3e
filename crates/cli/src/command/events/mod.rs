//! `portcullis events`: the streams of security events at a transmitter (Shared Signals Framework
//! 1.0).
//!
//! The transmitter gets a token of the client, or a header out of a file, and nothing else. Neither
//! is ever printed, nor is the header that a receiver expects.

mod access;
#[cfg_attr(not(feature = "redis"), path = "arrival_absent.rs")]
mod arrival;
mod create;
mod event_type;
mod fault;
mod page;
mod settings;
mod status;
mod verify;

use crate::args::{EventsAction, EventsArguments, TransmitterArguments};
use crate::exit::{CommandError, Exit};
use crate::output::print;
use access::{StreamAccess, StreamScope};
use arrival::Receiver;
use fault::convert_fault;
use serde_json::json;
use std::time::Duration;

pub(crate) async fn run(arguments: EventsArguments) -> Result<Exit, CommandError> {
    match arguments.action {
        EventsAction::Status {
            transmitter,
            stream,
            set,
            reason,
            json,
        } => {
            let scope = match set {
                Some(_) => StreamScope::Manage,
                None => StreamScope::Read,
            };
            let access = StreamAccess::open(&transmitter, scope).await?;
            let change = set.map(|state| (state, reason.as_deref()));
            status::run(&access, stream.as_deref(), change, json).await
        }
        EventsAction::Create(arguments) => create::run(&arguments).await,
        EventsAction::Verify {
            transmitter,
            stream,
            config,
            wait,
            json,
        } => {
            // Read first, so that a file that is missing costs no requests.
            let receiver = match &config {
                Some(file) => Some(Receiver::read(file, Duration::from_secs(wait.into()))?),
                None => None,
            };
            let access = StreamAccess::open(&transmitter, StreamScope::Manage).await?;
            verify::run(&access, stream, receiver, json).await
        }
        EventsAction::Delete {
            transmitter,
            stream,
            json,
        } => delete(&transmitter, &stream, json).await,
    }
}

async fn delete(
    transmitter: &TransmitterArguments,
    stream: &str,
    json: bool,
) -> Result<Exit, CommandError> {
    let access = StreamAccess::open(transmitter, StreamScope::Manage).await?;
    let deleted = access.streams().delete(stream).await;
    deleted.map_err(|fault| convert_fault(&fault))?;
    print(&if json {
        format!("{:#}\n", json!({ "deleted": stream }))
    } else {
        page::describe_deletion(&access, stream)
    })?;
    Ok(Exit::Fine)
}
