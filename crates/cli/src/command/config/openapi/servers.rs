//! `servers`: what comes before the paths of the document, and where the API may be.

use super::node::Node;
use super::notes::Notes;
use portcullis_core::Faults;
use url::Url;

/// The first of a list of servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Server {
    /// Scheme, host and port; `None` where the address is relative.
    pub(super) origin: Option<String>,
    pub(super) host: Option<String>,
    /// The path, without a slash at its end.
    pub(super) base_path: String,
}

/// An address that relative ones are read against.
const SOMEWHERE: &str = "http://relative.invalid/";

impl Server {
    /// Reads a list of servers, of which the first counts. `faults` are those of its holder.
    pub(super) fn read(list: &Node, notes: &mut Notes, faults: &Faults) -> Self {
        let Some(elements) = list.elements() else {
            faults
                .expected("servers", "a list of servers")
                .found_as(list.describe())
                .help("write `- url: https://api.example.com`");
            return Self::default();
        };
        let mut servers = Vec::new();
        for (index, server) in elements.iter().enumerate() {
            servers.push(Self::one(server, &faults.at(format!("servers[{index}]"))));
        }
        let mut servers = servers.into_iter();
        let first = servers.next().unwrap_or_default();
        for (index, other) in servers.enumerate() {
            if other.base_path != first.base_path {
                let remark = format!(
                    "the paths are written below \"{}\", as the first server has them",
                    first.base_path
                );
                notes.add(remark, &faults.place(&format!("servers[{}]", index + 1)));
            }
        }
        first
    }

    fn one(server: &Node, faults: &Faults) -> Self {
        let Some(written) = server.member("url").and_then(Node::text) else {
            faults
                .expected("url", "the address of a server")
                .found_nothing()
                .help("write `url: https://api.example.com`");
            return Self::default();
        };
        let text = with_variables(written, server, faults);
        match Self::parse(&text) {
            Some(server) => server,
            None => {
                faults
                    .expected("url", "an http or https URL, or a path")
                    .found(written)
                    .help("write `https://api.example.com/v1`, or `/v1`");
                Self::default()
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let base = Url::parse(SOMEWHERE).ok()?;
        let url = base.join(text).ok()?;
        let has_more = url.query().is_some() || url.fragment().is_some();
        if !matches!(url.scheme(), "http" | "https") || has_more {
            return None;
        }
        let is_absolute = Url::parse(text).is_ok();
        // A name and a password are not for a file that others read.
        let is_plain = url.username().is_empty() && url.password().is_none();
        let origin = url.origin().ascii_serialization();
        Some(Self {
            origin: Some(origin).filter(|_| is_absolute && is_plain),
            host: url
                .host_str()
                .filter(|_| is_absolute)
                .map(str::to_owned),
            base_path: url.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// An address whose variables have their defaults.
fn with_variables(url: &str, server: &Node, faults: &Faults) -> String {
    let mut text = url.to_owned();
    for (name, variable) in server
        .member("variables")
        .and_then(Node::members)
        .unwrap_or(&[])
    {
        // A port without quotes is a number.
        if let Some(Node::Text(default) | Node::Plain(default)) = variable.member("default") {
            text = text.replace(&format!("{{{name}}}"), default);
        }
    }
    if text.contains(['{', '}']) {
        // A path with a wrong beginning would leave all operations to the default.
        faults
            .expected("url", "variables with a default")
            .found(url)
            .help("write the `default` of each under `variables`");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::text::parse;
    use super::*;

    fn read(servers: &str) -> (Server, usize, String) {
        let (faults, mut notes) = (Faults::default(), Notes::default());
        let server = Server::read(&parse(servers).unwrap(), &mut notes, &faults);
        let faults = faults.check().err().map(|it| it.to_string());
        (server, notes.iter().len(), faults.unwrap_or_default())
    }

    #[test]
    fn the_first_server_has_origin_and_base_path() {
        for (servers, origin, path) in [
            ("[]", None, ""),
            ("[url: /]", None, ""),
            ("[url: /v1/]", None, "/v1"),
            ("[url: v1]", None, "/v1"),
            (
                "[url: 'https://a.example:8443/v1/']",
                Some("https://a.example:8443"),
                "/v1",
            ),
            ("[url: 'http://u:p@a.example']", None, ""),
            (
                "[{url: '{s}://h:{p}/{v}', variables: {s: {default: http}, v: {default: '2'}, p: \
                 {default: 81}}}]",
                Some("http://h:81"),
                "/2",
            ),
        ] {
            let (server, _, faults) = read(servers);
            assert_eq!(
                (
                    server.origin.as_deref(),
                    server.base_path.as_str(),
                    faults.as_str()
                ),
                (origin, path, ""),
                "{servers}"
            );
        }
    }

    #[test]
    fn other_servers_are_told_if_their_paths_differ() {
        assert_eq!(read("[url: /v1, url: /v1]").1, 0);
        assert_eq!(read("[url: /v1, url: /v2]").1, 1);
        assert_eq!(read("[{url: 'http://a/v1'}, {url: 'http://b/v1/'}]").1, 0);
    }

    #[test]
    fn what_is_no_address_is_a_fault() {
        for (servers, expected) in [
            (
                "url: /v1",
                "servers: expected a list of servers, found a map",
            ),
            (
                "[/v1]",
                "servers[0].url: expected the address of a server, found nothing",
            ),
            (
                "[url: 'ftp://a']",
                "servers[0].url: expected an http or https URL, or a path",
            ),
            (
                "[url: '/a?b']",
                "servers[0].url: expected an http or https URL, or a path",
            ),
            (
                "[url: '/{v}']",
                "servers[0].url: expected variables with a default",
            ),
        ] {
            let faults = read(servers).2;
            assert!(faults.contains(expected), "{servers}: {faults}");
        }
    }
}
