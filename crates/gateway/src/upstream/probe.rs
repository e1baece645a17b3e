//! Asking servers from time to time whether they are well.

use super::{Server, Upstream};
use crate::body::RequestBody;
use crate::settings::HealthSettings;
use http::{Request, Uri, header};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

/// A server is unwell after so many bad answers in a row, and well again after one good one.
const BAD_IN_A_ROW: usize = 2;

/// Begins to ask. It ends with the upstream.
pub(super) fn start(upstream: &Arc<Upstream>) {
    let Some(health) = upstream.settings.health.clone() else { return };
    for server in &upstream.servers {
        tokio::spawn(watch(Arc::downgrade(upstream), Arc::clone(server), health.clone()));
    }
}

async fn watch(upstream: Weak<Upstream>, server: Arc<Server>, health: HealthSettings) {
    let mut bad = 0;
    while let Some(upstream) = upstream.upgrade() {
        let clock = Arc::clone(&upstream.clock);
        bad = if upstream.is_well(&server, &health).await { 0 } else { bad + 1 };
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
        let uri = Uri::builder()
            .scheme(server.scheme.clone())
            .authority(server.authority.clone())
            .path_and_query(health.path.as_str())
            .build();
        let Ok(uri) = uri else { return false };
        let mut request = Request::new(RequestBody::empty());
        *request.uri_mut() = uri;
        let agent = header::HeaderValue::from_static("portcullis-probe");
        request.headers_mut().insert(header::USER_AGENT, agent);
        match self.clients.send(server, request, false, health.timeout, None).await {
            Ok(response) => response.status().is_success() || response.status().is_redirection(),
            Err(_) => false,
        }
    }
}
