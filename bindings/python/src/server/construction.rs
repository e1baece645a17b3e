//! How a server is made, and the gateway of each process that it stands for.

use super::{MakeSettings, Server};
use crate::denial;
use crate::process::PerProcess;
use portcullis_core::ConfigErrors;
use portcullis_gateway::{Config, EmbeddedGateway, Settings};
use portcullis_resource_server::ResourceServer;
use portcullis_resource_server::clock::{Clock, SystemClock};
use pyo3::{PyResult, Python};
use std::sync::Arc;

impl Server {
    pub(crate) fn with_clock(
        settings: MakeSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigErrors> {
        // Faults are told now, and not at the first request.
        let first = settings()?;
        Ok(Self {
            warnings: first
                .config_warnings()
                .map(ToString::to_string)
                .collect(),
            settings,
            clock,
            live: PerProcess::new(),
        })
    }

    pub(super) fn with_config(config: Result<Config, ConfigErrors>) -> Result<Self, ConfigErrors> {
        let config = config?;
        let settings = Box::new(move || Settings::for_application(config.clone()));
        Self::with_clock(settings, Arc::new(SystemClock::new()))
    }

    /// The gateway of this process. After a fork it is another one: that of the parent may hold
    /// locks and connections of threads that do not exist here.
    pub(super) fn live(&self, py: Python<'_>) -> PyResult<Arc<EmbeddedGateway>> {
        let gateway = self.live.get(|| {
            let gateway = EmbeddedGateway::new((self.settings)()?, &self.clock)?;
            Ok(Arc::new(gateway))
        });
        gateway.map_err(|errors: ConfigErrors| denial::config_error(py, &errors))
    }

    pub(super) fn resource_server(&self, py: Python<'_>) -> PyResult<ResourceServer> {
        Ok(self.live(py)?.resource_server().clone())
    }
}
