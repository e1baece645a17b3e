//! The settings as they will be used, defaults included: what `portcullis config check` prints.

use super::{Destination, Settings};
use std::fmt;

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listeners = &self.listeners;
        let how = if listeners.tls.is_some() {
            "HTTPS"
        } else {
            "plain HTTP"
        };
        if let Some(listen) = listeners.listen {
            writeln!(f, "  listens    {listen} ({how})")?;
        }
        if let (Some(door), Some(asks)) = (&listeners.forward_auth, &self.forward_auth) {
            writeln!(f, "  asked by   {} on {}", asks.proxy.name(), door.listen)?;
        }
        if let Some(door) = &listeners.ext_authz {
            writeln!(f, "  asked by   Envoy on {}", door.listen)?;
        }
        if let Some(admin) = listeners.admin {
            writeln!(f, "  probes     {admin}")?;
        }
        let audit = match &listeners.log.audit {
            Destination::Stdout => "standard output".to_owned(),
            Destination::File(path) => path.display().to_string(),
            Destination::None => "nowhere".to_owned(),
        };
        writeln!(f, "  audit      {audit}")?;
        for upstream in &self.upstreams {
            let servers: Vec<String> = upstream
                .servers
                .iter()
                .map(|(scheme, authority)| format!("{scheme}://{authority}{}", upstream.base_path))
                .collect();
            writeln!(f, "  upstream   {}: {}", upstream.name, servers.join(", "))?;
        }
        for route in self.routes.iter() {
            writeln!(f, "  {:<30} {}", route.name, route.access)?;
        }
        Ok(())
    }
}
