//! The settings as they will be used, defaults included: what `portcullis config check` shows, and
//! what `portcullis serve` begins with.

use super::{Destination, Settings};
use crate::decision::routes::RouteRule;

/// A part of the summary.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SummarySection {
    /// What it is about.
    pub title: &'static str,
    /// Its rows.
    pub rows: Vec<SummaryRow>,
}

/// A row of the summary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SummaryRow {
    /// An address, an issuer, or the requests of a route.
    pub label: String,
    /// What becomes of it.
    pub value: String,
}

impl SummaryRow {
    fn new(label: &impl ToString, value: impl Into<String>) -> Self {
        Self {
            label: label.to_string(),
            value: value.into(),
        }
    }
}

impl Settings {
    /// The settings in a few lines: where the gateway listens, who is trusted, what leaves this
    /// machine, and who may call what. It holds no secrets.
    pub fn summary(&self) -> Vec<SummarySection> {
        let sections = [
            ("Listens", self.listener_rows()),
            ("Trusts", self.issuer_rows()),
            ("Leaves this machine", self.outbound_rows()),
            ("Client certificates", self.certificate_rows()),
            ("Writes", self.record_rows()),
            ("Logouts and events", self.receiver_rows()),
            ("Who may call", self.route_rows()),
            ("Resources", self.resource_rows()),
            ("Pages of other origins", self.page_rows()),
        ];
        let sections = sections.map(|(title, rows)| SummarySection { title, rows });
        sections
            .into_iter()
            .filter(|it| !it.rows.is_empty())
            .collect()
    }

    fn listener_rows(&self) -> Vec<SummaryRow> {
        let listeners = &self.listeners;
        let mut rows = Vec::new();
        if let Some(listen) = listeners.listen {
            let protocol = protocol(listeners.tls.is_some());
            rows.push(SummaryRow::new(&listen, format!("requests, {protocol}")));
        }
        if let Some(redirect) = listeners.tls.as_ref().and_then(|tls| tls.redirect) {
            rows.push(SummaryRow::new(&redirect, "redirects to HTTPS"));
        }
        if let (Some(door), Some(asks)) = (&listeners.forward_auth, &self.forward_auth) {
            let (name, protocol) = (asks.proxy.name(), protocol(door.tls.is_some()));
            let value = format!("questions of {name}, {protocol}");
            rows.push(SummaryRow::new(&door.listen, value));
        }
        if let Some(door) = &listeners.ext_authz {
            let value = format!("questions of Envoy, {}", protocol(door.tls.is_some()));
            rows.push(SummaryRow::new(&door.listen, value));
        }
        if let Some(door) = &listeners.receivers {
            let value = format!("logouts and events, {}", protocol(door.tls.is_some()));
            rows.push(SummaryRow::new(&door.listen, value));
        }
        if let Some(admin) = listeners.admin {
            rows.push(SummaryRow::new(&admin, "probes and metrics, plain HTTP"));
        }
        rows
    }

    fn issuer_rows(&self) -> Vec<SummaryRow> {
        let profile = self.resource_server.security_profile();
        let profile = profile.map(|profile| {
            let demand = "bound tokens, revocation and scopes are demanded everywhere";
            SummaryRow::new(&format!("security profile {}", profile.name()), demand)
        });
        let outlines = self.resource_server.outlines();
        let issuers =
            outlines.map(|outline| SummaryRow::new(&outline.issuer, outline.facts.join(", ")));
        profile.into_iter().chain(issuers).collect()
    }

    fn outbound_rows(&self) -> Vec<SummaryRow> {
        let mut rows = Vec::new();
        for request in self.resource_server.outbound_requests() {
            rows.push(SummaryRow::new(&request.address, request.content));
        }
        // A token is the one secret that goes to upstreams, so the row says whether it does.
        let content = match self.identity.forwards_token() {
            true => "requests, with their tokens",
            false => "requests, without their tokens",
        };
        for upstream in &self.upstreams {
            for (scheme, authority) in &upstream.servers {
                let address = format!("{scheme}://{authority}{}", upstream.base_path);
                // A URL is its own name.
                let name = match upstream.name.contains("://") {
                    true => String::new(),
                    false => format!(" (upstream {})", upstream.name),
                };
                rows.push(SummaryRow::new(&address, format!("{content}{name}")));
            }
        }
        rows
    }

    /// Where the certificates of clients come from, where that is not the gateway's own TLS.
    fn certificate_rows(&self) -> Vec<SummaryRow> {
        let Some(header) = &self.client_certificate else {
            return Vec::new();
        };
        let format = header.format.word();
        let value = format!("the header of trusted proxies, in the format `{format}`");
        vec![SummaryRow::new(&header.name, value)]
    }

    /// Where providers send logouts and events to, as they have to know it, and what these end.
    fn receiver_rows(&self) -> Vec<SummaryRow> {
        let mut rows = Vec::new();
        for outline in self.resource_server.receiver_outlines() {
            let label = match &outline.path {
                Some(path) => self.receiver_address(path),
                None => format!("stream {}, fetched", outline.name),
            };
            rows.push(SummaryRow::new(&label, outline.content));
        }
        rows
    }

    /// The address of a receiver, as far as the settings tell it: behind `public_origin` on the
    /// front, or at a listener of its own, which a proxy in front may have another name for.
    fn receiver_address(&self, path: &str) -> String {
        let own = self.receivers.as_ref();
        let path = own.map_or_else(|| path.to_owned(), |own| own.path_of(path));
        let origin = self.resource_server.public_origin();
        match (&self.listeners.receivers, origin) {
            (Some(door), _) => format!("POST {}{path}", door.listen),
            (None, Some(origin)) => {
                let origin = origin.to_string();
                format!("POST {}{path}", origin.trim_end_matches('/'))
            }
            (None, None) => format!("POST {path}"),
        }
    }

    fn record_rows(&self) -> Vec<SummaryRow> {
        let place = match &self.listeners.log.audit {
            Destination::Stdout => "standard output".to_owned(),
            Destination::File(path) => path.display().to_string(),
            Destination::None => return Vec::new(),
        };
        vec![SummaryRow::new(
            &place,
            "one audit record for each decision",
        )]
    }

    /// The pages that may call, where a route has no list of its own.
    fn page_rows(&self) -> Vec<SummaryRow> {
        let mut rows = Vec::new();
        if let Some(rules) = &self.cors {
            let value = match rules.credentials {
                true => "may call, with cookies",
                false => "may call, without cookies",
            };
            rows.extend(
                rules
                    .origins
                    .iter()
                    .map(|it| SummaryRow::new(it, value)),
            );
        }
        rows
    }

    /// The resources with a name of their own: everything beneath them needs a token for them.
    fn resource_rows(&self) -> Vec<SummaryRow> {
        let mut rows = Vec::new();
        for resource in self.resource_server.resources().iter() {
            let issuers: Vec<&str> = resource.issuers().collect();
            let issuers = match issuers.as_slice() {
                [] => String::new(),
                issuers => format!(" of {}", issuers.join(" or ")),
            };
            let (demand, metadata) = (resource.audience(), resource.metadata_url());
            let value = format!("{demand}{issuers}; metadata at {metadata}");
            rows.push(SummaryRow::new(&resource.url(), value));
        }
        rows
    }

    fn route_rows(&self) -> Vec<SummaryRow> {
        let mut rows = Vec::new();
        // Beside a route for everything, the default would promise a check that never runs.
        let leaves_nothing = self.routes().any(|rule| rule.is_for_everything());
        for rule in self.routes() {
            if rule.name == DEFAULT && leaves_nothing {
                continue;
            }
            let requests = match (rule.name, rows.is_empty()) {
                (DEFAULT, true) => "any request".to_owned(),
                (DEFAULT, false) => "any other request".to_owned(),
                _ => requests_of(&rule),
            };
            rows.push(SummaryRow::new(&requests, rule.access.to_string()));
        }
        rows
    }
}

/// The route for requests that match no other.
const DEFAULT: &str = "default";

const fn protocol(has_tls: bool) -> &'static str {
    match has_tls {
        true => "HTTPS",
        false => "plain HTTP",
    }
}

/// The requests that a route is for: `GET, POST api.example.com/orders/**`.
fn requests_of(rule: &RouteRule<'_>) -> String {
    let methods = match rule.methods {
        [] => "any".to_owned(),
        methods => methods.join(", "),
    };
    let mut places = Vec::new();
    for host in rule.hosts {
        places.push(format!("{host}{}", rule.path));
    }
    if places.is_empty() {
        places.push(rule.path.to_owned());
    }
    let requests = format!("{methods} {}", places.join(", "));
    // A route without a name of its own is called by its place and its path.
    match rule.name.ends_with(rule.path) {
        true => requests,
        false => format!("{requests} ({})", rule.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn rows(title: &str, text: &str) -> Vec<(String, String)> {
        let config = Config::from_toml(text).unwrap();
        let settings = Settings::try_from(config).unwrap();
        let sections = settings.summary().into_iter();
        let rows = sections
            .filter(|it| it.title == title)
            .flat_map(|it| it.rows);
        rows.map(|row| (row.label, row.value)).collect()
    }

    const GATEWAY: &str = "[gateway]\nupstream = \"http://127.0.0.1:3000\"\n";
    const RECEIVED: &str = "[[issuer]]\nurl = \"https://k.example/realms/r\"\naudience = \"x\"\n\
        [issuer.logout]\nclients = [\"web\"]\n[[events]]\nname = \"idp\"\n\
        issuer = \"https://k.example/realms/r\"\naudience = \"r\"\n";

    #[test]
    fn receivers_are_listed_by_the_address_that_the_provider_needs() {
        let labels = |before: &str, after: &str| -> Vec<String> {
            let text = format!("{before}{RECEIVED}{GATEWAY}{after}");
            let rows = rows("Logouts and events", &text).into_iter();
            rows.map(|(label, _)| label).collect()
        };
        assert_eq!(
            labels("", ""),
            ["POST /.portcullis/logout", "POST /.portcullis/events/idp"]
        );
        assert_eq!(
            labels("public_origin = \"https://api.example\"\n", "")[0],
            "POST https://api.example/.portcullis/logout"
        );
        let own = "[receivers]\nlisten = \"127.0.0.1:8444\"\npath = \"/in\"\n";
        assert_eq!(labels("", own)[1], "POST 127.0.0.1:8444/in/events/idp");
        let none =
            format!("[[issuer]]\nurl = \"https://idp.example\"\naudience = \"x\"\n{GATEWAY}");
        assert!(rows("Logouts and events", &none).is_empty());
    }

    #[test]
    fn events_that_are_fetched_have_no_address_here_and_leave_the_machine() {
        let stream = "delivery = \"poll\"\npoll_url = \"https://k.example/poll\"\n\
            client_id = \"c\"\nclient_secret_env = \"PATH\"\n";
        let text = format!("{RECEIVED}{stream}{GATEWAY}");
        let received = rows("Logouts and events", &text);
        assert_eq!(received[1].0, "stream idp, fetched");
        let outbound = rows("Leaves this machine", &text);
        for (address, content) in [
            (
                "https://k.example/.well-known/ssf-configuration/realms/r",
                "transmitter",
            ),
            ("https://k.example/poll", "events of the stream `idp`"),
        ] {
            let row = outbound.iter().find(|(label, _)| label == address);
            assert!(
                row.is_some_and(|(_, it)| it.contains(content)),
                "{outbound:?}"
            );
        }
    }
}
