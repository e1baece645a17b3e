//! The settings to begin with, as text: with the routes of a document, or with two examples.

use super::openapi::Document;
use super::openapi::demand::ScopeSets;
use super::openapi::notes::Notes;
use super::plan::{PlannedRoute, RouteDemand};
use crate::output::wrap;
use portcullis_gateway::STARTER;
use std::collections::BTreeSet;

/// Where the example routes begin, and where the comments about more of them do.
const FIRST_ROUTE: &str = "\n[[route]]\n";
const MORE_ROUTES: &str = "\n# [[route]]\n";
/// The values that a document may know better.
const ISSUER: &str = "\"https://idp.example.com\"";
const UPSTREAM: &str = "\"http://127.0.0.1:8000\"";

/// Values that the caller knows already.
#[derive(Debug, Default)]
pub(super) struct StarterValues {
    pub(super) issuer: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) upstream: Option<String>,
}

impl StarterValues {
    /// The settings with these values, in the place of the example's or of a document's.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if let Some(issuer) = &self.issuer {
            write_value(&mut lines, "url ", &quote(issuer));
        }
        if !self.audience.is_empty() {
            let audiences: Vec<String> = self.audience.iter().map(|it| quote(it)).collect();
            write_value(
                &mut lines,
                "audience ",
                &format!("[{}]", audiences.join(", ")),
            );
        }
        if let Some(upstream) = &self.upstream {
            write_value(&mut lines, "upstream ", &quote(upstream));
        }
        let mut text = lines.join("\n");
        text.push('\n');
        text
    }

    /// Whether nothing is left to be written by hand.
    pub(super) fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// What still has to be written by hand.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let parts = [
            ("your issuer", self.issuer.is_none()),
            ("the audience of your API", self.audience.is_empty()),
            ("the address of your API", self.upstream.is_none()),
        ];
        // "Your API" covers its audience and its address.
        let is_all = parts.iter().all(|(_, is_missing)| *is_missing);
        if is_all {
            return vec!["your issuer", "your API"];
        }
        let missing = parts.into_iter().filter(|(_, is_missing)| *is_missing);
        missing.map(|(part, _)| part).collect()
    }
}

/// Writes a value into the first line of its member, and keeps the comment behind it.
fn write_value(lines: &mut [String], member: &str, value: &str) {
    // Text, not a TOML tree: the comments of the starter are half of its use.
    let line = lines.iter_mut().find(|line| line.starts_with(member));
    if let Some(line) = line
        && let Some((before, rest)) = line.split_once("= ")
    {
        let comment = rest.find('#').and_then(|at| rest.get(at..));
        // The comment stays in its column as long as the value leaves it there.
        let column = line.find('#').unwrap_or_default();
        let written = format!("{before}= {value} ");
        *line = format!("{written:<column$}{}", comment.unwrap_or_default());
        line.truncate(line.trim_end().len());
    }
}

/// The settings for a document, which `source` names.
pub(super) fn settings(
    document: &Document,
    source: &str,
    routes: &[PlannedRoute],
    notes: &Notes,
) -> String {
    let (head, rest) = STARTER
        .split_once(FIRST_ROUTE)
        .unwrap_or((STARTER, ""));
    let (_, more) = rest.split_once(MORE_ROUTES).unwrap_or((rest, ""));
    let mut text = head.to_owned();
    if let Some(issuer) = &document.issuer {
        text = text.replacen(ISSUER, &quote(issuer), 1);
    }
    if let Some(upstream) = &document.upstream {
        text = text.replacen(UPSTREAM, &quote(upstream), 1);
    }
    let operations = count(document.operations.len(), "operation");
    let (source, routes_in) = (printable(source), count(routes.len(), "route"));
    text.push_str(&format!(
        "\n# From {source}: {operations} in {routes_in}.\n"
    ));
    if notes.iter().len() > 0 {
        text.push_str("# What could not be carried over, or is written in another way:\n");
        text.push_str(&list(notes, "# "));
    }
    for route in routes {
        text.push_str(&table(route));
    }
    text.push_str(MORE_ROUTES);
    text.push_str(more);
    text
}

/// How many there are, in words: `1 route`, `7 routes`.
pub(super) fn count(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    }
}

/// The notes as a list, with something before every line.
pub(super) fn list(notes: &Notes, before: &str) -> String {
    let mut text = String::new();
    for (remark, places) in notes.iter() {
        let remark = wrap(&printable(remark), 4);
        let places = wrap(&printable(&places.join(", ")), 8);
        for (index, line) in remark.lines().enumerate() {
            let mark = if index == 0 { "- " } else { "  " };
            text.push_str(&format!("{before}{mark}{}\n", line.trim_start()));
        }
        for line in places.lines() {
            text.push_str(&format!("{before}      {}\n", line.trim_start()));
        }
    }
    text
}

/// A text of the document for a comment or a terminal, which a line break or an escape sequence
/// in it would leave.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

fn table(route: &PlannedRoute) -> String {
    let methods: Vec<String> = route
        .methods
        .iter()
        .map(|it| quote(it.as_str()))
        .collect();
    let (path, methods) = (quote(&route.path), methods.join(", "));
    let mut text = format!("\n[[route]]\npath    = {path}\nmethods = [{methods}]\n");
    match &route.demand {
        RouteDemand::Public => text.push_str("access  = \"public\"\n"),
        // A valid token is what a route demands without a word.
        RouteDemand::Token(all) if all.is_empty() => {}
        RouteDemand::Token(all) => {
            text.push_str(&format!("require = {}\n", requirement(all)));
        }
    }
    text
}

fn requirement(all: &BTreeSet<ScopeSets>) -> String {
    let written: Vec<String> = all.iter().map(alternatives).collect();
    match written.as_slice() {
        [one] => one.clone(),
        _ => format!("{{ all = [{}] }}", written.join(", ")),
    }
}

fn alternatives(sets: &ScopeSets) -> String {
    let written: Vec<String> = sets.iter().map(scopes).collect();
    match written.as_slice() {
        [one] => one.clone(),
        _ => format!("{{ any = [{}] }}", written.join(", ")),
    }
}

fn scopes(set: &BTreeSet<String>) -> String {
    let written: Vec<String> = set.iter().map(|scope| quote(scope)).collect();
    match written.as_slice() {
        [one] => format!("{{ scope = {one} }}"),
        _ => format!("{{ scope = [{}] }}", written.join(", ")),
    }
}

/// A string of the settings, in which `${` would begin a variable of the environment.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.replace("${", "$${").chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::openapi::sample_tests::{document, sets};
    use super::*;
    use http::Method;
    use portcullis_gateway::Config;

    fn route(path: &str, demand: RouteDemand) -> PlannedRoute {
        PlannedRoute {
            path: path.to_owned(),
            methods: vec![Method::GET, Method::PUT],
            demand,
        }
    }

    fn write(routes: &[PlannedRoute], notes: &Notes, source: &str) -> String {
        let text = "openapi: 3.1.0\nservers: [url: 'https://api.acme.dev']\npaths: {/a: {get: \
                    {}}}\ncomponents: {securitySchemes: {o: {type: openIdConnect, \
                    openIdConnectUrl: 'https://idp.acme.dev/.well-known/openid-configuration'}}}\n";
        settings(&document(text), source, routes, notes)
    }

    #[test]
    fn the_routes_take_the_place_of_the_examples() {
        let demand = RouteDemand::token(sets("a|b+c")).and(&RouteDemand::token(sets("d")));
        let routes = [
            route("/a/{id}", demand),
            route("/b", RouteDemand::Public),
            route("/c", RouteDemand::valid_token()),
        ];
        let text = write(&routes, &Notes::default(), "api.yaml");
        let config = Config::from_toml(&text).unwrap();
        assert_eq!(config.resource_server.issuer[0].url, "https://idp.acme.dev");
        let gateway = config.gateway.gateway.unwrap();
        assert_eq!(gateway.upstream.as_deref(), Some("https://api.acme.dev"));
        let paths = config
            .gateway
            .route
            .iter()
            .map(|route| route.path.as_str());
        assert_eq!(paths.collect::<Vec<_>>(), ["/a/{id}", "/b", "/c"]);
        assert_eq!(config.gateway.route[1].access.as_deref(), Some("public"));
        for piece in [
            "require = { all = [{ any = [{ scope = \"a\" }, { scope = [\"b\", \"c\"] }] }, \
             { scope = \"d\" }] }\n",
            "# From api.yaml: 1 operation in 3 routes.\n",
            // What the plain starter explains stands here as well.
            "# strip_prefix = \"/orders\"",
            "# [[upstream]]",
        ] {
            assert!(text.contains(piece), "{piece}: {text}");
        }
        assert!(!text.contains("admin-dashboard"));
    }

    /// Texts of the document become neither lines of the settings nor variables in them.
    #[test]
    fn texts_of_the_document_stay_texts() {
        let hostile = "x\n[[route]]\npath = \"/**\"\naccess = \"public\"\n#";
        let mut notes = Notes::default();
        notes.add(hostile, hostile);
        let scope = "${HOME}\\\"$${x}";
        let demand = RouteDemand::token(ScopeSets::any_of([[scope.to_owned()].into()]));
        let text = write(&[route("/a", demand)], &notes, hostile);
        let config = Config::from_toml(&text).unwrap();
        assert_eq!(config.gateway.route.len(), 1);
        let require = config.gateway.route[0].require.clone().unwrap();
        assert_eq!(require.scope.unwrap().as_slice(), [scope]);
    }
}
