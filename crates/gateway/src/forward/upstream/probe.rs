//! Asks servers at intervals whether they are healthy.

use super::client::Call;
use super::server::Server;
use super::{Upstream, request_head};
use crate::forward::request_body::RequestBody;
use crate::settings::HealthSettings;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt as _, Limited};
use std::sync::{Arc, Weak};

/// A server is unhealthy after so many failed probes in a row, and healthy again after one good
/// one.
const FAILURES_IN_A_ROW: usize = 2;
/// How long the response to a probe may be.
const MOST_BYTES: usize = 1 << 20;

/// Begins to probe the servers. It ends with the upstream.
pub(crate) fn start(upstream: &Arc<Upstream>) {
    let Some(health) = upstream.settings.health.clone() else {
        return;
    };
    for server in &upstream.servers {
        tokio::spawn(watch(
            Arc::downgrade(upstream),
            Arc::clone(server),
            health.clone(),
        ));
    }
}

async fn watch(upstream: Weak<Upstream>, server: Arc<Server>, health: HealthSettings) {
    let mut failures = 0;
    while let Some(upstream) = upstream.upgrade() {
        let clock = Arc::clone(&upstream.clock);
        failures = if upstream.probe(&server, &health).await {
            0
        } else {
            failures + 1
        };
        // A single failure leaves the state as it was.
        let succeeds = failures < FAILURES_IN_A_ROW && (failures == 0 || server.probes_succeed());
        if server.set_probes_succeed(succeeds) {
            let (name, server) = (&upstream.settings.name, &server.authority);
            if succeeds {
                tracing::info!(upstream = %name, %server, "the server is healthy again");
            } else {
                tracing::warn!(upstream = %name, %server, "the server is unhealthy");
            }
        }
        // Not held while waiting: a reload may drop the upstream meanwhile.
        drop(upstream);
        clock.sleep(health.interval).await;
    }
}

impl Upstream {
    /// Whether a server answers a probe properly and in time.
    async fn probe(&self, server: &Arc<Server>, health: &HealthSettings) -> bool {
        let response = self.ask(server, health);
        matches!(
            tokio::time::timeout(health.timeout, response).await,
            Ok(Some(true))
        )
    }

    /// Whether the status of the response is good; `None` without a complete response.
    async fn ask(&self, server: &Arc<Server>, health: &HealthSettings) -> Option<bool> {
        let agent = header::HeaderValue::from_static("portcullis-probe");
        let headers = HeaderMap::from_iter([(header::USER_AGENT, agent)]);
        let target = PathAndQuery::try_from(health.path.as_str()).ok()?;
        let http2 = self.client.is_http2(false);
        let call = Call {
            head: request_head::write(server, (&Method::GET, &headers), &target, None, http2)
                .ok()?,
            upgrade: false,
            timeout: health.timeout,
            progress: None,
            fresh: false,
        };
        let mut body = Some(RequestBody::empty());
        let response = self.client.send(server, call, &mut body).await.ok()?;
        let status = response.status();
        // A server that breaks off is not healthy either, so the body is read, within a bound.
        let body = Limited::new(response.into_body(), MOST_BYTES);
        body.collect().await.ok()?;
        Some(status.is_success() || status.is_redirection())
    }
}
