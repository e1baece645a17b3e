//! `portcullis explain --request`: what a server with these settings does with one request.

use super::gateway::GatewayFile;
use super::input::TokenInput;
use super::shown_proof::{self, DPOP};
use super::{request_json, request_page};
use crate::args::ExplainArguments;
use crate::exit::{CommandError, Exit};
use crate::header_field::parse_header;
use crate::output::width;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue};
use portcullis_gateway::{TrialRequest, VerdictKind};
use std::path::Path;
use std::time::Duration;

/// For the keys of all issuers. An issuer that is down must not hold up the answer for long.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(arguments: &ExplainArguments) -> Result<Exit, CommandError> {
    let gateway = &arguments.gateway;
    let (Some(config), Some(line)) = (&gateway.config, &gateway.request) else {
        return Err(CommandError::could_not_run("`--request` needs `--config`"));
    };
    let line = RequestLine::parse(line)?;
    let mut headers = headers(arguments)?;
    let file = GatewayFile::read(config, arguments.jwks.as_deref())?;
    // HTTP/1.1 has a host in every request (RFC 9112, section 3.2): without one, it is refused.
    let host = host(arguments, &line, &headers, &file);
    if let Some(host) = host.header {
        headers.append(HOST, host);
    }
    // A request without a token is decided without keys: nothing is worth a wait.
    if headers.contains_key(AUTHORIZATION) {
        file.explainer.wait_for_keys(PATIENCE).await;
    }
    let mut request = TrialRequest::new(line.method, line.target, headers);
    if let Some(file) = &arguments.proof.client_certificate_file {
        request = request.with_certificate(shown_proof::thumbprint(file)?);
    }
    if let Some(address) = gateway.from {
        request = request.from_address(address);
    }
    let explanation = file.explainer.explain(request).await;
    let route = explanation.route.as_ref();
    let place = RoutePlace {
        file: config,
        line: route.and_then(|route| file.line_of_route(route.index?)),
        is_offline: arguments.jwks.is_some(),
        host_is_assumed: host.is_assumed,
    };
    let document = arguments
        .json
        .then(|| request_json::document(&explanation, &place));
    super::show(document, || {
        request_page::page(&explanation, &place, width())
    })?;
    Ok(match explanation.verdict.kind {
        VerdictKind::Forwarded | VerdictKind::Answered => Exit::Fine,
        VerdictKind::Undecided => Exit::Outage,
        _ => Exit::Rejected,
    })
}

/// Where the answer comes from.
pub(super) struct RoutePlace<'a> {
    pub(super) file: &'a Path,
    /// The line of the route, if it has one.
    pub(super) line: Option<usize>,
    /// Whether nobody was asked about the token.
    pub(super) is_offline: bool,
    /// Whether nobody named the host.
    pub(super) host_is_assumed: bool,
}

/// The first line of a request, as it is typed.
struct RequestLine {
    method: String,
    target: String,
    /// The host of an absolute URL.
    host: Option<String>,
}

impl RequestLine {
    fn parse(text: &str) -> Result<Self, CommandError> {
        let (method, target) = match text.trim().split_once(' ') {
            Some((method, target)) => (method, target.trim()),
            None => ("GET", text.trim()),
        };
        let absolute = ["http://", "https://"]
            .iter()
            .find_map(|scheme| target.strip_prefix(scheme));
        let (host, target) = match absolute {
            None => (None, target),
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (host, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (Some(host.to_owned()), target)
            }
        };
        // A URL without a path stands for `/` (RFC 9112, section 3.2.1).
        let target = match (&host, target) {
            (Some(_), target) if !target.starts_with('/') => format!("/{target}"),
            (_, target) => target.to_owned(),
        };
        if target.is_empty() || method.is_empty() || (host.is_none() && !target.starts_with('/')) {
            let message = format!(
                "`--request`: expected a method and a path such as \"GET /orders/7\", found \
                    {text:?}"
            );
            return Err(CommandError::could_not_run(message));
        }
        Ok(Self {
            method: method.to_owned(),
            target,
            host,
        })
    }
}

/// The headers that were typed, and the token among them.
fn headers(arguments: &ExplainArguments) -> Result<HeaderMap, CommandError> {
    let mut headers = HeaderMap::new();
    for line in &arguments.gateway.headers {
        let (name, value) = parse_header(line)?;
        headers.append(name, value);
    }
    if let Some(proof) = &arguments.proof.dpop {
        headers.append(DPOP, shown_proof::field(proof)?);
    }
    // Without `-`, standard input is left alone: it may be the list that a loop reads from.
    if arguments.token.is_none() && arguments.file.is_none() {
        return Ok(headers);
    }
    // Two would be refused as `credential.repeated`, which the person hardly means to try.
    if headers.contains_key(AUTHORIZATION) {
        let message = "expected the token once, found it as an argument and in `--header`";
        return Err(CommandError::could_not_run(message));
    }
    let input = TokenInput::read(arguments.token.clone(), arguments.file.as_deref())?;
    let (token, beside) = (input.token, input.beside);
    if let (Some(proof), false) = (&beside.proof, headers.contains_key(DPOP)) {
        headers.append(DPOP, shown_proof::field(proof)?);
    }
    // A token with a proof beside it comes under the scheme of proofs, unless its owner pasted
    // another one.
    let scheme = match headers.contains_key(DPOP) && !beside.is_bearer {
        true => "DPoP",
        false => "Bearer",
    };
    let Ok(mut value) = HeaderValue::try_from(format!("{scheme} {token}")) else {
        let message = "expected a token in one line of ASCII, found other characters in it";
        return Err(CommandError::could_not_run(message));
    };
    // Hidden from the `Debug` of the headers, and so from any log of them.
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(headers)
}

/// The host to send.
struct RequestHost {
    /// `None` if a header names it already.
    header: Option<HeaderValue>,
    is_assumed: bool,
}

fn host(
    arguments: &ExplainArguments,
    line: &RequestLine,
    headers: &HeaderMap,
    file: &GatewayFile,
) -> RequestHost {
    // An option says more than the line, and the line more than the settings.
    let named = arguments.gateway.host.as_ref().or(line.host.as_ref());
    if named.is_none() && headers.contains_key(HOST) {
        return RequestHost {
            header: None,
            is_assumed: false,
        };
    }
    let host = match named {
        Some(host) => host.clone(),
        None => file
            .explainer
            .usual_host()
            .unwrap_or("localhost")
            .to_owned(),
    };
    RequestHost {
        header: HeaderValue::try_from(host).ok(),
        is_assumed: named.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<(String, Option<String>, String)> {
        let line = RequestLine::parse(text).ok()?;
        Some((line.method, line.host, line.target))
    }

    #[test]
    fn a_request_is_a_method_and_a_path_or_a_url() {
        for (text, method, host, target) in [
            ("GET /orders/7?a=b", "GET", None, "/orders/7?a=b"),
            ("/orders", "GET", None, "/orders"),
            (
                "POST  https://api.example:8443/x",
                "POST",
                Some("api.example:8443"),
                "/x",
            ),
            ("https://api.example", "GET", Some("api.example"), "/"),
            (
                "http://api.example?a=b",
                "GET",
                Some("api.example"),
                "/?a=b",
            ),
        ] {
            let host = host.map(str::to_owned);
            assert_eq!(
                line(text),
                Some((method.into(), host, target.into())),
                "{text}"
            );
        }
        for text in ["", "GET", "GET orders", "orders"] {
            assert_eq!(line(text), None, "{text:?}");
        }
    }
}
