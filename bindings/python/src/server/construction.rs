//! How a server is made, and the gateway of each process that it stands for.

use super::{MakeSettings, Server, renewal};
use crate::denial;
use crate::log;
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
        let warnings = first.config_warnings();
        let live = Arc::new(PerProcess::new());
        renewal::remember(&live);
        Ok(Self {
            warnings: warnings.map(ToString::to_string).collect(),
            settings,
            clock,
            live,
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
        let mut is_new = false;
        let gateway = self.live.get(|| {
            let gateway = EmbeddedGateway::new((self.settings)()?, &self.clock)?;
            is_new = true;
            Ok(Arc::new(gateway))
        });
        let gateway = gateway.map_err(|errors: ConfigErrors| denial::config_error(py, &errors))?;
        if is_new {
            self.log_warnings(py);
        }
        Ok(gateway)
    }

    /// Writes the warnings of the settings once for each process. The Rust side cannot: nothing
    /// delivers its log before the first fetch.
    fn log_warnings(&self, py: Python<'_>) {
        for warning in &self.warnings {
            log::write(py, denial::WARNING, warning);
        }
    }

    pub(super) fn resource_server(&self, py: Python<'_>) -> PyResult<ResourceServer> {
        Ok(self.live(py)?.resource_server().clone())
    }
}
