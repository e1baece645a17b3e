//! ext_authz by gRPC, with Envoy's own messages and another implementation of gRPC.

use super::case::{Case, Outcome};
use super::doors::Doors;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};

/// The question that Envoy would ask, with raw headers or without.
pub(super) fn request(case: &Case, raw: bool) -> CheckRequest {
    let host = case.hosts.first().map_or("", String::as_str);
    let pseudo = [
        (":authority", host),
        (":method", &case.method),
        (":path", &case.target),
        (":scheme", "https"),
    ];
    let pseudo = pseudo.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let sent = case
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut http = HttpRequest {
        id: "1".to_owned(),
        method: case.method.clone(),
        path: case.target.clone(),
        host: host.to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        size: -1,
        ..HttpRequest::default()
    };
    let all = pseudo.into_iter().chain(joined_authorization(sent));
    if raw {
        let headers = all.map(|(key, raw_value)| core::HeaderValue {
            key,
            value: String::new(),
            raw_value,
        });
        http.header_map = Some(core::HeaderMap {
            headers: headers.collect(),
        });
    } else {
        for (key, value) in all {
            let value = String::from_utf8(value).unwrap();
            http.headers
                .entry(key)
                .and_modify(|held| *held = format!("{held},{value}"))
                .or_insert(value);
        }
    }
    let request = Request {
        http: Some(http),
        ..Request::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(request),
            ..AttributeContext::default()
        }),
    }
}

/// Envoy holds one `Authorization`: of several, the values are joined, for raw headers too.
pub(super) fn joined_authorization(
    headers: impl Iterator<Item = (String, Vec<u8>)>,
) -> Vec<(String, Vec<u8>)> {
    let mut joined: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in headers {
        match joined
            .iter_mut()
            .find(|(held, _)| name == "authorization" && *held == name)
        {
            Some((_, held)) => held.extend([&b","[..], &value].concat()),
            None => joined.push((name, value)),
        }
    }
    joined
}

/// What Envoy would answer its client.
pub(super) fn outcome(response: &CheckResponse) -> Outcome {
    let code = response
        .status
        .as_ref()
        .map_or(0, |status| status.code);
    match response.http_response.as_ref().unwrap() {
        HttpResponse::OkResponse(_) => {
            assert_eq!(code, 0);
            Outcome {
                status: 200,
                ..Outcome::default()
            }
        }
        HttpResponse::DeniedResponse(denied) => {
            assert_ne!(code, 0, "Envoy would let it pass");
            let mut headers = HeaderMap::new();
            apply(&mut headers, &denied.headers);
            let status = u16::try_from(denied.status.as_ref().unwrap().code).unwrap();
            Outcome::new(status, &headers, denied.body.as_bytes())
        }
        HttpResponse::ErrorResponse(_) => panic!("an error may be let pass"),
    }
}

/// What Envoy forwards of these headers.
pub(super) fn forwarded(mut headers: HeaderMap, response: &CheckResponse) -> HeaderMap {
    let Some(HttpResponse::OkResponse(ok)) = &response.http_response else {
        panic!("{response:?}")
    };
    apply(&mut headers, &ok.headers);
    for name in &ok.headers_to_remove {
        headers.remove(name);
    }
    headers
}

fn apply(headers: &mut HeaderMap, options: &[core::HeaderValueOption]) {
    for option in options {
        let core::HeaderValue { key, value, .. } = option.header.as_ref().unwrap();
        if key.starts_with(':') {
            continue;
        }
        let name = HeaderName::try_from(key).unwrap();
        let value = HeaderValue::from_str(value).unwrap();
        match option.append_action() {
            HeaderAppendAction::OverwriteIfExistsOrAdd => _ = headers.insert(name, value),
            HeaderAppendAction::AppendIfExistsOrAdd => _ = headers.append(name, value),
            other => panic!("{other:?}"),
        }
    }
}

impl Doors {
    pub(super) async fn check(&self, request: CheckRequest) -> CheckResponse {
        AuthorizationClient::new(self.envoy.clone())
            .check(request)
            .await
            .unwrap()
            .into_inner()
    }
}
