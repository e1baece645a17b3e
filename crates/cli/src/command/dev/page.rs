//! The page of `portcullis dev`: what runs where, and lines to paste with the answers to expect.

use crate::output::{BAD, GOOD, QUIET, STRONG, WARNING, styled};
use portcullis_idp::{Dialect, Idp};

/// What the page is about.
pub(super) struct Told {
    base: String,
    /// The pages of the identity provider, unless its settings leave them out.
    console: Option<String>,
    issuer: String,
    audience: String,
    api: Api,
    /// Where the gateway listens.
    gateway: String,
    dialect: Dialect,
    /// Whether people can sign in by what the metadata says, as the usual client.
    signs_in: bool,
}

/// Which API there is to call.
enum Api {
    /// The example, here.
    Example(String),
    /// The user's own, behind the gateway.
    Upstream(String),
}

impl Told {
    /// The example, and the gateway beside it.
    pub(super) fn of(idp: &Idp, api: String, gateway: String) -> Self {
        Self::about(idp, Api::Example(api), gateway)
    }

    /// The gateway in front of somebody's own API.
    pub(super) fn before(idp: &Idp, upstream: String, gateway: String) -> Self {
        Self::about(idp, Api::Upstream(upstream), gateway)
    }

    fn about(idp: &Idp, api: Api, gateway: String) -> Self {
        Self {
            base: idp.base().to_owned(),
            console: idp.console(),
            issuer: idp.issuer().to_string(),
            audience: idp.audiences().join(","),
            api,
            gateway,
            dialect: idp.dialect(),
            signs_in: idp.metadata_uri().is_some(),
        }
    }

    /// Where the calls of the page go.
    fn called(&self) -> &str {
        match &self.api {
            Api::Example(api) => api,
            Api::Upstream(_) => &self.gateway,
        }
    }
}

pub(super) fn page(told: &Told, defaults: bool) -> String {
    let mut page = format!(
        "\n  {}\n\n",
        styled(
            STRONG,
            "Portcullis: an identity provider and a protected API, on this machine"
        )
    );
    let api = match &told.api {
        Api::Example(api) => ("enterprise API", api),
        Api::Upstream(upstream) => ("your API", upstream),
    };
    let mut facts = vec![
        ("identity provider", &*told.issuer),
        (api.0, api.1),
        ("gateway", &told.gateway),
    ];
    facts.push(("audience", &told.audience));
    facts.extend(
        told.console
            .as_deref()
            .map(|console| ("its console", console)),
    );
    if told.dialect != Dialect::Generic {
        facts.insert(1, ("it imitates", told.dialect.name()));
    }
    for (name, value) in facts {
        page.push_str(&format!(
            "  {}  {value}\n",
            styled(QUIET, &format!("{name:<17}"))
        ));
    }
    page.push_str(&format!(
        "\n  {}\n",
        styled(
            WARNING,
            "For development only: known passwords, and tokens for whoever asks."
        )
    ));
    if !defaults {
        let hint = "Users and clients come from your file; put their names into these lines.";
        page.push_str(&format!("\n  {}\n", styled(QUIET, hint)));
    }
    tokens(&mut page, told, defaults);
    match told.api {
        Api::Example(_) => calls(&mut page, told),
        Api::Upstream(_) => calls_of_upstream(&mut page),
    }
    explaining(&mut page, told);
    page.push_str(&format!(
        "\n  {}\n",
        styled(QUIET, "Ctrl-C stops everything.")
    ));
    page
}

fn tokens(page: &mut String, told: &Told, defaults: bool) {
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(
            STRONG,
            "Get tokens: a service by client credentials, alice (Admin), bob (no role)"
        )
    ));
    for line in [
        format!("IDP={} API={}", told.base, told.called()),
        "SERVICE=$(curl -s $IDP/token -u service:service-secret \\".to_owned(),
        "  -d grant_type=client_credentials |".to_owned(),
        "  sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')".to_owned(),
        "ALICE=$(curl -s $IDP/dev/token -d user=alice)".to_owned(),
        "BOB=$(curl -s $IDP/dev/token -d user=bob)".to_owned(),
    ] {
        page.push_str(&format!("      {line}\n"));
    }
    if told.signs_in && defaults {
        let title = "Or sign in as a person does, in the browser; the password is the name";
        page.push_str(&format!("\n  {}\n\n", styled(STRONG, title)));
        page.push_str(&format!(
            "      {} token --issuer {}\n",
            portcullis(),
            told.issuer
        ));
    }
}

fn calls(page: &mut String, told: &Told) {
    let last = if told.dialect.tells_roles() {
        ALICE
    } else {
        ALICE_WITHOUT_ROLES
    };
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(STRONG, "Call the API, and see the answer to expect")
    ));
    for (status, what, token, path) in CALLS.iter().chain([&last]) {
        let style = if *status == 200 { GOOD } else { BAD };
        let header = token.map_or(String::new(), |token| {
            format!(" -H \"Authorization: Bearer ${token}\"")
        });
        page.push_str(&format!(
            "  {} {what}\n",
            styled(style, &status.to_string())
        ));
        page.push_str(&format!("      curl -si{header} $API{path}\n"));
    }
    let again = "The same lines again, through the gateway, to an API without protection";
    page.push_str(&format!(
        "\n  {}\n\n      API={}\n",
        styled(STRONG, again),
        told.gateway
    ));
}

/// What can be said of an API that nobody here knows.
fn calls_of_upstream(page: &mut String) {
    let title = "Call your API through the gateway, which tells it who calls in headers";
    page.push_str(&format!("\n  {}\n\n", styled(STRONG, title)));
    page.push_str(&format!(
        "  {} everything needs a token\n      curl -si $API/\n",
        styled(BAD, "401")
    ));
    page.push_str("  And with one, the answer is your API's\n");
    page.push_str("      curl -si -H \"Authorization: Bearer $BOB\" $API/\n");
    page.push_str(
        "  Say what is public, and what wants a role, in a file: then `portcullis serve`\n",
    );
    page.push_str("      portcullis config init\n");
}

fn explaining(page: &mut String, told: &Told) {
    if told.dialect.condition().is_some() {
        return; // it takes a file: a claim that must be demanded does not go into the environment
    }
    page.push_str(&format!(
        "\n  {}\n\n",
        styled(STRONG, "See why a token is accepted or refused")
    ));
    page.push_str(&format!("      export OAUTH2_ISSUER={}\n", told.issuer));
    page.push_str(&format!("      export OAUTH2_AUDIENCE={}\n", told.audience));
    if told.dialect != Dialect::Generic {
        page.push_str(&format!(
            "      export OAUTH2_PROFILE={}\n",
            told.dialect.profile()
        ));
    }
    page.push_str(&format!("      {} explain $BOB\n", portcullis()));
}

/// How the program is called: who came by `cargo run` has no `portcullis` on the path yet.
fn portcullis() -> &'static str {
    if std::env::var_os("CARGO").is_some() {
        "cargo run -q --release --"
    } else {
        "portcullis"
    }
}

type Call = (u16, &'static str, Option<&'static str>, &'static str);

/// The answer, why, whose token, and the endpoint.
const CALLS: &[Call] = &[
    (200, "anyone may read public data", None, "/public-data"),
    (401, "protected data needs a token", None, "/protected-data"),
    (
        200,
        "any valid token will do: a service's",
        Some("SERVICE"),
        "/protected-data",
    ),
    (200, "or a user's", Some("BOB"), "/protected-data"),
    (
        401,
        "but not a changed one",
        Some("{BOB}x"),
        "/protected-data",
    ),
    (
        403,
        "the dashboard is for role Admin, which bob does not have",
        Some("BOB"),
        "/admin-dashboard",
    ),
];

const ALICE: Call = (200, "and alice does", Some("ALICE"), "/admin-dashboard");
const ALICE_WITHOUT_ROLES: Call = (
    403,
    "nor can alice show it: these tokens tell no roles",
    Some("ALICE"),
    "/admin-dashboard",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_fits_eighty_columns() {
        let here = || "http://127.0.0.1:65535".to_owned();
        let audience = "api://enterprise-api".to_owned();
        let mut plain = String::new();
        for api in [Api::Upstream(here()), Api::Example(here())] {
            let told = Told {
                base: here(),
                console: Some("http://127.0.0.1:9000/console".to_owned()),
                issuer: here(),
                audience: audience.clone(),
                api,
                gateway: here(),
                dialect: Dialect::Generic,
                signs_in: true,
            };
            let page = page(&told, true);
            plain = anstream::adapter::strip_str(&page).to_string();
            for line in plain.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
        assert!(
            plain.contains("curl -si -H \"Authorization: Bearer $ALICE\" $API/admin-dashboard")
        );
    }
}
