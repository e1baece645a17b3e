//! `portcullis events create`.

use super::access::{StreamAccess, StreamScope};
use super::fault::convert_fault;
use super::{event_type, page, settings};
use crate::args::CreateArguments;
use crate::client::read_secret_file;
use crate::exit::{CommandError, Exit};
use crate::output::print;
use portcullis_core::rejection::quote;
use portcullis_provider::address;
use portcullis_provider::client_auth::Secret;
use portcullis_provider::shared_signals::{
    DeliveryMethod, DeliveryRequest, StreamConfiguration, StreamDeviation, StreamRequest,
};
use reqwest::Url;

/// A stream that was created.
pub(super) struct NewStream {
    pub(super) stream: StreamConfiguration,
    /// Where it is not as asked.
    pub(super) deviations: Vec<StreamDeviation>,
    /// Its name in the settings.
    pub(super) name: String,
    pub(super) method: DeliveryMethod,
    /// What a push carries, or by what a poll is allowed, as settings.
    pub(super) access_settings: Vec<String>,
}

pub(super) async fn run(arguments: &CreateArguments) -> Result<Exit, CommandError> {
    let events = event_type::resolve(&arguments.event)?;
    let endpoint = match &arguments.push {
        Some(url) => Some(read_endpoint(url)?),
        None => None,
    };
    let secret = match &arguments.authorization_header_file {
        Some(file) => Some(read_secret_file(file, "a header `Authorization`")?),
        None => None,
    };
    let secret = secret.map(|secret| Secret::new(secret.expose()));
    let delivery = match &endpoint {
        Some(endpoint) => DeliveryRequest::Push {
            endpoint,
            authorization: secret.as_ref(),
        },
        None => DeliveryRequest::Poll,
    };
    let method = delivery.method();
    let request = StreamRequest {
        delivery: Some(delivery),
        events: Some(&events),
        description: arguments.description.as_deref(),
    };
    let name = name(arguments, endpoint.as_ref())?;
    let access = StreamAccess::open(&arguments.transmitter, StreamScope::Manage).await?;
    check_method(&access, method)?;
    let stream = access.streams().create(&request).await;
    let stream = stream.map_err(|fault| convert_fault(&fault))?;
    let (client, scope) = (access.client_id(), access.scope());
    let access_settings = settings::access(arguments, &stream.id, client, scope);
    let created = NewStream {
        deviations: stream.deviations(&request, arguments.audience.as_deref()),
        stream,
        name,
        method,
        access_settings,
    };
    print(&if arguments.json {
        format!("{:#}\n", page::created_as_json(&created))
    } else {
        page::describe_new(&created)
    })?;
    let is_usable = !created
        .deviations
        .iter()
        .any(StreamDeviation::is_fatal);
    Ok(if is_usable {
        Exit::Fine
    } else {
        Exit::Rejected
    })
}

/// Events and their header must not cross a network in clear.
fn read_endpoint(text: &str) -> Result<Url, CommandError> {
    address::parse_fetchable(text, false).map_err(|reason| {
        let message = format!(
            "`--push`: expected an https URL, found {}: {reason}",
            quote(text)
        );
        CommandError::could_not_run(message)
    })
}

/// Some transmitters would create a stream that delivers nothing.
fn check_method(access: &StreamAccess, method: DeliveryMethod) -> Result<(), CommandError> {
    let known = &access.metadata().delivery_methods;
    let has = known
        .iter()
        .any(|uri| DeliveryMethod::of_uri(uri) == Some(method));
    // It need not say.
    if has || known.is_empty() {
        return Ok(());
    }
    let (found, help) = match method {
        DeliveryMethod::Push => ("push", "pass `--poll`"),
        DeliveryMethod::Poll => ("poll", "pass `--push`"),
    };
    let message = format!("the transmitter does not deliver by {found}");
    Err(CommandError::could_not_run(message).help(help))
}

fn name(arguments: &CreateArguments, endpoint: Option<&Url>) -> Result<String, CommandError> {
    let last = endpoint
        .and_then(|url| url.path_segments()?.next_back())
        .filter(|segment| is_name(segment));
    let name = arguments.name.as_deref().or(last).unwrap_or("events");
    if is_name(name) {
        return Ok(name.to_owned());
    }
    let message = format!(
        "`--name`: expected up to 64 lower-case letters, digits, `-` and `_`, found {}",
        quote(name)
    );
    Err(CommandError::could_not_run(message))
}

/// It becomes a part of a path, and a label of metrics.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(is_part)
}
