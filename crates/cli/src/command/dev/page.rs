//! The page of `portcullis dev`: what runs where, and requests to paste, with the expected status.

use crate::output::{BAD, GOOD, Page, QUIET, STRONG, WARNING, paint};
use portcullis_idp::{Dialect, Idp};

/// What runs where.
pub(super) struct DevSetup {
    base: String,
    /// The console of the identity provider, unless its settings disable it.
    console: Option<String>,
    issuer: String,
    audience: String,
    api: DevApi,
    /// The URL of the gateway.
    gateway: String,
    dialect: Dialect,
    /// Whether people can sign in with the default client.
    has_sign_in: bool,
    /// Whether users and clients come from a file, so that their names are unknown here.
    has_own_config: bool,
    /// The default ports that other programs have.
    taken: Vec<u16>,
    /// How the program was called, for the lines to paste.
    program: String,
}

/// The API that the page calls.
pub(super) enum DevApi {
    /// The example, at this URL.
    Example(String),
    /// The user's own, at this URL, behind the gateway.
    Upstream(String),
}

impl DevSetup {
    /// The setup of this identity provider, API and gateway.
    pub(super) fn new(idp: &Idp, api: DevApi, gateway: String, has_own_config: bool) -> Self {
        Self {
            base: idp.base().to_owned(),
            console: idp.console(),
            issuer: idp.issuer().to_string(),
            audience: idp.audiences().join(","),
            api,
            gateway,
            dialect: idp.dialect(),
            has_sign_in: idp.metadata_uri().is_some(),
            has_own_config,
            taken: idp
                .taken_address()
                .map(|it| it.port())
                .into_iter()
                .collect(),
            program: program(),
        }
    }

    /// The same, where other programs have these default ports.
    pub(super) fn with_taken(mut self, ports: Vec<u16>) -> Self {
        self.taken.extend(ports);
        self
    }

    /// The page.
    pub(super) fn page(&self) -> String {
        // A test runs these lines in a shell and compares every status.
        let mut page = Page::new(2, 17);
        page.heading(
            STRONG,
            "Portcullis: an identity provider and a protected API, on this machine",
        );
        page.line("");
        self.add_facts(&mut page);
        if let Some(note) = taken_note(&self.taken) {
            page.heading(WARNING, &note);
        }
        page.heading(
            WARNING,
            "For development only: passwords are public, and anybody can get a token.",
        );
        if self.has_own_config {
            page.heading(
                QUIET,
                "Users and clients come from your file; put their names into these lines.",
            );
        }
        self.add_tokens(&mut page);
        match self.api {
            DevApi::Example(_) => self.add_example_requests(&mut page),
            DevApi::Upstream(_) => add_upstream_requests(&mut page),
        }
        self.add_explain(&mut page);
        page.heading(QUIET, "Ctrl-C stops everything.");
        page.into_text()
    }

    fn add_facts(&self, page: &mut Page) {
        page.row("identity provider", &self.issuer);
        if self.dialect != Dialect::Generic {
            page.row("imitates", self.dialect.name());
        }
        match &self.api {
            DevApi::Example(url) => {
                page.row("example API", url);
                page.row("its description", &format!("{url}/docs"));
            }
            DevApi::Upstream(url) => page.row("your API", url),
        }
        page.row("gateway", &self.gateway);
        page.row("audience", &self.audience);
        if let Some(console) = &self.console {
            page.row("console", console);
        }
    }

    fn add_tokens(&self, page: &mut Page) {
        page.heading(
            STRONG,
            "Get tokens: a service's, alice's (role Admin), and bob's (no role)",
        );
        page.line("");
        let api = match &self.api {
            DevApi::Example(url) => url,
            DevApi::Upstream(_) => &self.gateway,
        };
        page.code(&format!("IDP={} API={api}", self.base));
        // Plain curl and sed: neither jq nor this binary need be on the path.
        page.code("SERVICE=$(curl -s $IDP/token -u service:service-secret \\");
        page.code("  -d grant_type=client_credentials |");
        page.code("  sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')");
        page.code("ALICE=$(curl -s $IDP/dev/token -d user=alice)");
        page.code("BOB=$(curl -s $IDP/dev/token -d user=bob)");
        if self.has_sign_in && !self.has_own_config {
            page.heading(
                STRONG,
                "Or sign in with the browser, as alice or bob; the password is the name",
            );
            page.line("");
            page.code(&format!("{} token --issuer {}", self.program, self.issuer));
        }
    }

    fn add_example_requests(&self, page: &mut Page) {
        // Some providers put no roles into their tokens, so alice is refused too.
        let last = if self.dialect.tells_roles() {
            ALICE
        } else {
            ALICE_WITHOUT_ROLES
        };
        page.heading(
            STRONG,
            "Call the API; each request with its expected status",
        );
        page.line("");
        for request in REQUESTS.iter().chain([&last]) {
            request.add_to(page);
        }
        page.heading(
            STRONG,
            "Then repeat them through the gateway, in front of an API without protection",
        );
        page.line("");
        page.code(&format!("API={}", self.gateway));
    }

    fn add_explain(&self, page: &mut Page) {
        // A required claim stands in a file of settings; there is no variable for it.
        if self.dialect.condition().is_some() {
            return;
        }
        page.heading(STRONG, "See why a token is accepted or refused");
        page.line("");
        page.code(&format!("export OAUTH2_ISSUER={}", self.issuer));
        page.code(&format!("export OAUTH2_AUDIENCE={}", self.audience));
        // The URL of a provider on this machine does not show which one it imitates.
        if self.dialect != Dialect::Generic {
            page.code(&format!("export OAUTH2_PROFILE={}", self.dialect.profile()));
        }
        page.code(&format!("echo $BOB | {} explain", self.program));
    }
}

/// Who pastes a line with a usual port would reach another program.
fn taken_note(ports: &[u16]) -> Option<String> {
    let (last, others) = ports.split_last()?;
    if others.is_empty() {
        return Some(format!(
            "Port {last} is taken by another program, so another one is used."
        ));
    }
    let others: Vec<String> = others.iter().map(u16::to_string).collect();
    let others = others.join(", ");
    Some(format!(
        "Ports {others} and {last} are taken by other programs, so others are used."
    ))
}

/// Nothing is known of the user's own API, so only the refusal can be promised.
fn add_upstream_requests(page: &mut Page) {
    page.heading(
        STRONG,
        "Call your API through the gateway, which passes the caller on in headers",
    );
    page.line("");
    page.line(&format!(
        "  {} every request needs a token",
        paint(BAD, "401")
    ));
    page.code("curl -si $API/");
    page.line("  With a token, the response is your API's");
    page.code("curl -si -H \"Authorization: Bearer $BOB\" $API/");
    page.line("  To make routes public or require roles, write settings for `portcullis serve`");
    page.code("portcullis config init");
}

/// How the program was called: as it was typed or found, so that the line works in this folder.
fn program() -> String {
    let typed = std::env::args_os().next();
    let typed = typed.and_then(|text| text.into_string().ok());
    program_of(typed.as_deref())
}

fn program_of(typed: Option<&str>) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/@%+=,:".contains(&byte);
    match typed {
        // Without a `/` a shell found it on the path. Another path would need quotes.
        Some(path) if path.contains('/') && path.bytes().all(is_plain) => path.to_owned(),
        _ => "portcullis".to_owned(),
    }
}

/// A request to the example API, with its expected status.
struct ExampleRequest {
    status: u16,
    reason: &'static str,
    /// The shell variable of the token.
    token: Option<&'static str>,
    path: &'static str,
}

impl ExampleRequest {
    const fn new(
        status: u16,
        reason: &'static str,
        token: Option<&'static str>,
        path: &'static str,
    ) -> Self {
        Self {
            status,
            reason,
            token,
            path,
        }
    }

    fn add_to(&self, page: &mut Page) {
        // The colour says allowed or refused; both are as expected.
        let style = if self.status == 200 { GOOD } else { BAD };
        let status = paint(style, &self.status.to_string());
        page.line(&format!("  {status} {}", self.reason));
        let header = match self.token {
            Some(token) => format!(" -H \"Authorization: Bearer ${token}\""),
            None => String::new(),
        };
        page.code(&format!("curl -si{header} $API{}", self.path));
    }
}

const REQUESTS: &[ExampleRequest] = &[
    ExampleRequest::new(200, "anybody may read public data", None, "/public-data"),
    ExampleRequest::new(401, "protected data needs a token", None, "/protected-data"),
    ExampleRequest::new(
        200,
        "any valid token will do: a service's",
        Some("SERVICE"),
        "/protected-data",
    ),
    ExampleRequest::new(200, "or a user's", Some("BOB"), "/protected-data"),
    ExampleRequest::new(
        401,
        "but not a modified one",
        Some("{BOB}x"),
        "/protected-data",
    ),
    ExampleRequest::new(
        403,
        "the dashboard needs the role Admin, which bob does not have",
        Some("BOB"),
        "/admin-dashboard",
    ),
];

const ALICE: ExampleRequest =
    ExampleRequest::new(200, "but alice has it", Some("ALICE"), "/admin-dashboard");
const ALICE_WITHOUT_ROLES: ExampleRequest = ExampleRequest::new(
    403,
    "nor does alice here: this provider's tokens carry no roles",
    Some("ALICE"),
    "/admin-dashboard",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(api: DevApi) -> DevSetup {
        let here = "http://127.0.0.1:65535".to_owned();
        DevSetup {
            base: here.clone(),
            console: Some("http://127.0.0.1:9000/console".to_owned()),
            issuer: here.clone(),
            audience: "api://enterprise-api".to_owned(),
            api,
            gateway: here,
            dialect: Dialect::Generic,
            has_sign_in: true,
            has_own_config: false,
            taken: vec![9000, 8000, 8080],
            program: "portcullis".to_owned(),
        }
    }

    #[test]
    fn the_lines_call_the_program_as_it_was_called() {
        for (typed, expected) in [
            (Some("target/debug/portcullis"), "target/debug/portcullis"),
            (Some("./portcullis"), "./portcullis"),
            (Some("portcullis"), "portcullis"),
            (Some("/my programs/portcullis"), "portcullis"),
            (None, "portcullis"),
        ] {
            assert_eq!(program_of(typed), expected);
        }
    }

    #[test]
    fn ports_of_other_programs_are_told() {
        for (ports, expected) in [
            (&[][..], None),
            (
                &[8000],
                Some("Port 8000 is taken by another program, so another one is used."),
            ),
            (
                &[9000, 8000, 8080],
                Some("Ports 9000, 8000 and 8080 are taken by other programs, so others are used."),
            ),
        ] {
            assert_eq!(taken_note(ports).as_deref(), expected);
        }
    }

    #[test]
    fn the_page_fits_eighty_columns() {
        let here = || "http://127.0.0.1:65535".to_owned();
        let mut plain = String::new();
        for api in [DevApi::Upstream(here()), DevApi::Example(here())] {
            plain = anstream::adapter::strip_str(&setup(api).page()).to_string();
            for line in plain.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
        let request = "curl -si -H \"Authorization: Bearer $ALICE\" $API/admin-dashboard";
        assert!(plain.contains(request));
    }
}
