//! `portcullis events verify`.

use super::access::StreamAccess;
use super::arrival::Receiver;
use super::fault::convert_fault;
use super::page;
use crate::exit::{CommandError, Exit};
use crate::output::print;
use portcullis_provider::shared_signals::{
    StreamConfiguration, TransmitterFaultKind, verification_state,
};
use serde_json::json;

pub(super) async fn run(
    access: &StreamAccess,
    stream: Option<String>,
    receiver: Option<Receiver>,
    json: bool,
) -> Result<Exit, CommandError> {
    let stream = find(access, stream.as_deref()).await?;
    let Some(state) = verification_state() else {
        return Err(CommandError::could_not_run(
            "this machine has no random numbers",
        ));
    };
    // Before the transmitter is asked: the event may be faster than its answer.
    let expected = match &receiver {
        Some(receiver) => {
            let issuer = access.metadata().issuer.as_str();
            let announced = receiver.announce(issuer, &stream, &state);
            Some((receiver, announced.await?))
        }
        None => None,
    };
    let verified = access.streams().verify(&stream.id, &state).await;
    verified.map_err(|fault| {
        let error = convert_fault(&fault);
        match (fault.kind, stream.min_verification_interval) {
            (TransmitterFaultKind::TooMany, Some(least)) if fault.retry_after.is_none() => error
                .help(format!(
                    "the stream takes one request every {} seconds: try again later",
                    least.as_secs()
                )),
            _ => error,
        }
    })?;
    let took = match &expected {
        Some((receiver, expected)) => Some(receiver.wait_for(expected).await?),
        None => None,
    };
    print(&if json {
        let took = took.map(|it| it.as_secs_f64());
        let document = json!({ "stream": stream.id, "state": state, "arrived_after": took });
        format!("{document:#}\n")
    } else {
        page::verification(&stream, &state, took)
    })?;
    Ok(Exit::Fine)
}

/// The stream that is named, or the only one.
async fn find(
    access: &StreamAccess,
    named: Option<&str>,
) -> Result<StreamConfiguration, CommandError> {
    let streams = access.streams();
    if let Some(id) = named {
        let found = streams.read(id).await;
        return found.map_err(|fault| convert_fault(&fault));
    }
    let mut found = streams
        .list()
        .await
        .map_err(|fault| convert_fault(&fault))?;
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(CommandError::could_not_run(
            "expected a stream, found none of this client",
        )
        .help("create one with `portcullis events create`")),
        (Some(_), others) => {
            let message = format!("expected one stream, found {}", others + 1);
            Err(CommandError::could_not_run(message)
                .help("pass `--stream`; `portcullis events status` lists them"))
        }
    }
}
