//! What the routes decide, for those who look at settings and have no request: other descriptions
//! of an API are compared with them.

use super::Settings;
use crate::decision::routes::{PathPattern, RouteMatch, RouteRule};
use crate::request::host::Host;
use crate::request::path::EscapedSlashes;
use http::Method;
use portcullis_core::ConfigError;

impl Settings {
    /// The routes as they are written, and the default at the end.
    pub fn routes(&self) -> impl Iterator<Item = RouteRule<'_>> {
        self.routes.iter().map(RouteRule::from)
    }

    /// The routes that decide requests of a method for the paths of a pattern: `/orders/*` stands
    /// for `/orders/new` as well, which may have a route of its own. The path is written as in a
    /// route, without `**`. Without a host, routes for certain hosts do not count.
    ///
    /// # Errors
    ///
    /// A path that the gateway refuses, or a malformed host.
    pub fn routes_for(
        &self,
        method: &Method,
        host: Option<&str>,
        path: &str,
    ) -> Result<Vec<RouteMatch<'_>>, ConfigError> {
        let pattern = match PathPattern::parse(path, EscapedSlashes::Refuse) {
            Ok(pattern) if !pattern.is_open() => pattern,
            Ok(_) => return Err(refused_path(path, "a path that ends with `**`")),
            Err(fault) => return Err(refused_path(path, &fault)),
        };
        let host = match host {
            Some(text) => Some(Host::parse(text).ok_or_else(|| {
                ConfigError::expected("host", "a host such as `api.example.com`")
                    .found(text)
                    .help("write the host by which clients call the gateway")
            })?),
            None => None,
        };
        Ok(self.routes.survey(host.as_ref(), &pattern, method))
    }
}

fn refused_path(path: &str, fault: &str) -> ConfigError {
    ConfigError::wrong("path", format!("{path:?}: {fault}"))
        .help("the gateway answers such requests with 400; see docs/gateway/paths.md")
}
