//! Asking servers from time to time whether they are well.

use super::client::Call;
use super::{Server, Upstream};
use crate::forward::body::RequestBody;
use crate::settings::HealthSettings;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt as _, Limited};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

/// A server is unwell after so many bad answers in a row, and well again after one good one.
const BAD_IN_A_ROW: usize = 2;
/// How long the answer to a probe may be.
const MOST_BYTES: usize = 1 << 20;

/// Begins to ask. It ends with the upstream.
pub(super) fn start(upstream: &Arc<Upstream>) {
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
    let mut bad = 0;
    while let Some(upstream) = upstream.upgrade() {
        let clock = Arc::clone(&upstream.clock);
        bad = if upstream.is_well(&server, &health).await {
            0
        } else {
            bad + 1
        };
        let well = bad < BAD_IN_A_ROW && (bad == 0 || server.well.load(Ordering::Relaxed));
        if server.well.swap(well, Ordering::Relaxed) != well {
            let (name, server) = (&upstream.settings.name, &server.authority);
            if well {
                tracing::info!(upstream = %name, %server, "the server is well again");
            } else {
                tracing::warn!(upstream = %name, %server, "the server is unwell");
            }
        }
        // Not held while waiting: the upstream may be gone by then.
        drop(upstream);
        clock.sleep(health.interval).await;
    }
}

impl Upstream {
    async fn is_well(&self, server: &Arc<Server>, health: &HealthSettings) -> bool {
        let agent = header::HeaderValue::from_static("portcullis-probe");
        let headers = HeaderMap::from_iter([(header::USER_AGENT, agent)]);
        let Ok(target) = PathAndQuery::try_from(health.path.as_str()) else {
            return false;
        };
        let Ok(head) = self.request(
            server,
            (&Method::GET, &headers),
            (&target, &server.host),
            false,
        ) else {
            return false;
        };
        let call = Call {
            head,
            upgrade: false,
            timeout: health.timeout,
            progress: None,
            fresh: false,
        };
        let answer = async {
            let response = self
                .clients
                .send(server, call, &mut Some(RequestBody::empty()))
                .await
                .ok()?;
            let status = response.status();
            // A server that breaks off is not well either. What comes is bounded.
            Limited::new(response.into_body(), MOST_BYTES)
                .collect()
                .await
                .ok()?;
            Some(status.is_success() || status.is_redirection())
        };
        tokio::time::timeout(health.timeout, answer)
            .await
            .ok()
            .flatten()
            .unwrap_or(false)
    }
}
