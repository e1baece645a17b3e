//! `portcullis config check`: what people read when their settings are at fault.

use crate::folder::{Folder, joined};

/// A folder with a settings file in it.
struct Settings {
    folder: Folder,
}

impl Settings {
    fn new(name: &str, text: &str) -> Self {
        let folder = Folder::new(name);
        folder.write("portcullis.toml", text);
        Self { folder }
    }

    /// Whether the settings are in order, and what the command says.
    fn run(&self, command: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        self.folder.run(command, variables)
    }

    fn check(&self) -> (bool, String) {
        self.run(&["config", "check"], &[])
    }
}

/// What is said about a text, of which is expected that it is at fault.
fn faults(name: &str, text: &str) -> String {
    let (is_fine, said) = Settings::new(name, text).check();
    assert!(!is_fine, "{said}");
    said
}

const ISSUER: &str = "[[issuer]]\nurl = \"https://idp.acme.dev\"\naudience = \"api\"\n";
const GATEWAY: &str = "[gateway]\nupstream = \"http://127.0.0.1:3000\"\n";

#[test]
fn seven_faults_in_one_file_are_told_at_once_each_at_its_place() {
    let said = faults(
        "seven",
        r#"[[issuer]]
url = "https://idp.acme.dev"
audience = "api"
profile = "entra-v3"

[issuer.introspection]
client_id = "api"
client_secret_file = "/nowhere/secret"

[gateway]
upstream = "localhost:3000"
lissten = "127.0.0.1:1"

[gateway.limits]
requests = "many"

[gateway.timeouts]
response = 0

[[route]]
path = "admin"
"#,
    );
    assert!(
        said.starts_with("portcullis: 7 faults in the settings:"),
        "{said}"
    );
    let heads: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("portcullis.toml"))
        .collect();
    let expected = [
        "portcullis.toml:4: issuer[0].profile: expected a known profile, found \"entra-v3\"",
        "portcullis.toml:8: issuer[0].introspection.client_secret_file: expected a file with a \
         secret, a key or a certificate, found /nowhere/secret: No such file or directory (os \
         error 2)",
        "portcullis.toml:11: gateway.upstream: expected a URL such as http://127.0.0.1:3000, or \
         the name of an [[upstream]], found \"localhost:3000\"",
        "portcullis.toml:12: gateway.lissten: unknown member `lissten`",
        "portcullis.toml:15: gateway.limits.requests: expected a whole number from 0, found \
         \"many\"",
        "portcullis.toml:18: gateway.timeouts.response: expected a number of seconds from 1, at \
         most a hundred years, found 0",
        "portcullis.toml:21: route[0].path: expected a path that begins with \"/\", found \
         \"admin\"",
    ];
    assert_eq!(heads, expected, "{said}");
    assert_eq!(said.matches("\n    help: ").count(), 7, "{said}");
    for help in [
        "help: write `http://localhost:3000`",
        "help: write `listen`;",
    ] {
        assert!(said.contains(help), "{help}: {said}");
    }
}

#[test]
fn a_fault_shows_its_line_and_a_mark() {
    let said = faults(
        "mark",
        &format!("{ISSUER}{GATEWAY}[[route]]\npath = \"admin\"\n"),
    );
    let expected = "portcullis.toml:7: route[0].path: expected a path that begins with \"/\", \
                    found \"admin\"\n    |\n  7 | path = \"admin\"\n    |        ^^^^^^^\n    \
                    help: write a path such as";
    assert!(said.contains(expected), "{said}");
}

/// Each case has one cause, which is all that is told.
#[test]
fn no_fault_is_invented_as_a_consequence_of_another() {
    for (name, text, expected) in [
        // The audience is not missing: it is misspelled.
        (
            "misspelled",
            format!("[[issuer]]\nurl = \"https://idp.acme.dev\"\naudiences = \"api\"\n{GATEWAY}"),
            "issuer[0].audiences: unknown member `audiences`",
        ),
        (
            "table",
            format!("{ISSUER}[gatewy]\nupstream = \"http://127.0.0.1:3000\"\n"),
            "gatewy: unknown member `gatewy`",
        ),
        (
            "key-set",
            format!(
                "[[issuer]]\nurl = \"our-name\"\naudience = \"api\"\njwks_url = \
                 \"https://idp.acme.dev/keys\"\n{GATEWAY}"
            ),
            "issuer[0].jwks_url: unknown member `jwks_url`",
        ),
        // The route goes to an upstream whose name cannot be read.
        (
            "upstream",
            format!(
                "{ISSUER}{GATEWAY}[[upstream]]\nname = 7\nservers = [\"http://a\"]\n[[route]]\npath\
                 = \"/a\"\nupstream = \"orders\"\n"
            ),
            "upstream[0].name: expected a string, found 7",
        ),
        // Without its methods, the second route would be the first again.
        (
            "methods",
            format!(
                "{ISSUER}{GATEWAY}[[route]]\npath = \"/a\"\n[[route]]\npath = \"/a\"\nmethods = \
                 \"GET\"\n"
            ),
            "route[1].methods: expected a list, found \"GET\"",
        ),
        (
            "tls",
            format!("{ISSUER}{GATEWAY}listen = \"0.0.0.0:443\"\ntls = \"on\"\n"),
            "gateway.tls: expected a table, found \"on\"",
        ),
        (
            "missing",
            format!("[[issuer]]\naudience = \"api\"\n{GATEWAY}"),
            "issuer[0].url: expected a value, found nothing",
        ),
        (
            "unset",
            format!("[[issuer]]\nurl = \"${{NOWHERE}}\"\naudience = \"api\"\n{GATEWAY}"),
            "issuer[0].url: expected the variable `NOWHERE` to be set, found it unset",
        ),
        (
            "list",
            format!("issuer = \"https://idp.acme.dev\"\n{GATEWAY}"),
            "issuer: expected a list, found \"https://idp.acme.dev\"",
        ),
    ] {
        let said = faults(name, &text);
        assert!(said.contains("1 fault in the settings"), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn elements_of_a_list_keep_their_places() {
    let said = faults(
        "elements",
        &format!("{ISSUER}{GATEWAY}[[route]]\npath = \"/a\"\nmethods = [7, \"GET\", \"get\"]\n"),
    );
    for told in [
        "2 faults",
        "route[0].methods[0]: expected a string, found 7",
        "route[0].methods[2]: expected a method that is forwarded, in capitals, found \"get\"",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn a_secret_is_never_printed() {
    let issuer = "[[issuer]]\nurl = \"https://idp.acme.dev\"\naudience = \"api\"\n";
    for (name, text) in [
        (
            "member",
            format!(
                "{issuer}[issuer.introspection]\nclient_id = \"a\"\nclient_secret = \"hunter22\"\n"
            ),
        ),
        (
            "inline",
            format!(
                "{issuer}introspection = {{ client_secret = \"hunter22\", auth = \"magic\" }}\n"
            ),
        ),
        (
            "store",
            format!("{issuer}[revocation]\nstore = \"https://:hunter22@x\"\n"),
        ),
        (
            "kind",
            format!("{issuer}[revocation]\nstore = [\"rediss://:hunter22@x\"]\n"),
        ),
        (
            "variable",
            format!("{issuer}realm = 1\n[issuer.introspection]\ntokens = \"${{SECRET}}\"\n"),
        ),
        (
            "variable-kind",
            format!(
                "{issuer}leeway = \"${{SECRET}}\"\n[issuer.introspection]\nprefix = \" \
                 ${{SECRET}}\"\n"
            ),
        ),
        (
            "url",
            "[[issuer]]\nurl = \"http://u:hunter22@idp.acme.dev\"\naudience = \"api\"\n".to_owned(),
        ),
        (
            "syntax",
            format!("{issuer}[issuer.introspection]\nclient_secret = \"hunter22\n"),
        ),
    ] {
        let settings = Settings::new(&format!("secret-{name}"), &format!("{text}{GATEWAY}"));
        let (is_fine, said) = settings.run(&["config", "check"], &[("SECRET", "hunter22")]);
        assert!(!is_fine, "{name}: {said}");
        assert!(!said.contains("hunter22"), "{name}: {said}");
    }
}

#[test]
fn a_value_of_the_environment_is_told_by_its_name() {
    let text = format!("{ISSUER}{GATEWAY}[[route]]\npath = \"${{WHERE}}\"\n");
    let settings = Settings::new("by-name", &text);
    let (is_fine, said) = settings.run(&["config", "check"], &[("WHERE", "admin")]);
    let told = "route[0].path: expected a path that begins with \"/\", found \"${WHERE}\"";
    assert!(!is_fine && said.contains(told), "{said}");
}

#[test]
fn a_placeholder_that_cannot_work_is_a_fault() {
    for (name, url, piece) in [
        ("braces", "https://login.acme.dev/{tenant}/v2.0", "{tenant}"),
        ("angles", "https://<org>.okta.com/oauth2/default", "<org>"),
    ] {
        let text = format!("[[issuer]]\nurl = \"{url}\"\naudience = \"api\"\n{GATEWAY}");
        let said = faults(name, &text);
        let told = format!(
            "expected the URL of an issuer, found \"{url}\" with the placeholder `{piece}`"
        );
        assert!(said.contains("1 fault") && said.contains(&told), "{said}");
    }
    let template = "[[issuer]]\nurl = \"https://login.microsoftonline.com/{tenantid}/v2.0\"\n\
                    audience = \"api\"\ntenants = [\"11111111-2222-3333-4444-555555555555\"]\n";
    let (is_fine, said) = Settings::new("template", &format!("{template}{GATEWAY}")).check();
    assert!(is_fine, "{said}");
}

#[test]
fn what_the_starter_left_is_a_warning() {
    let settings = Settings::new("starter", "");
    settings.folder.remove("portcullis.toml");
    let (is_fine, said) = settings.run(&["config", "init"], &[]);
    assert!(is_fine, "{said}");
    let (is_fine, said) = settings.check();
    assert!(is_fine, "{said}");
    let warning = "WARNING issuer[0].url: expected a value of your own, found the placeholder \
                   `idp.example.com`";
    assert!(joined(&said).contains(warning), "{said}");
    let own = format!("{ISSUER}{GATEWAY}");
    let (is_fine, said) = Settings::new("own", &own).check();
    assert!(is_fine && !said.contains("placeholder"), "{said}");
}

#[test]
fn serve_tells_the_same_faults() {
    let settings = Settings::new(
        "serve",
        &format!("{ISSUER}{GATEWAY}lissten = 1\nhosts = [\"a b\"]\n"),
    );
    let (is_fine, said) = settings.run(&["serve"], &[]);
    assert!(
        !is_fine && said.contains("2 faults in the settings"),
        "{said}"
    );
}

#[test]
fn everything_that_loosens_security_is_shown_wherever_it_stands() {
    let text = r#"[[issuer]]
url = "http://idp.acme.dev"
audience = "api"
danger_plain_http = true

[issuer.introspection]
client_id = "api"
client_secret_env = "INTROSPECTION_SECRET"
danger_answers_without_audience = true

[gateway]
upstream = "http://127.0.0.1:3000"
listen = "0.0.0.0:8080"
danger_plain_http = true
"#;
    let secret = [("INTROSPECTION_SECRET", "a-secret-of-the-api")];
    let settings = Settings::new("dangers", text);
    let (is_fine, said) = settings.run(&["config", "check"], &secret);
    assert!(is_fine, "{said}");
    for place in [
        "issuer[0].danger_plain_http",
        "issuer[0].introspection.danger_answers_without_audience",
        "gateway.danger_plain_http",
    ] {
        let line = format!("  DANGER   {place}\n");
        assert_eq!(said.matches(&line).count(), 1, "{said}");
    }
    let (dangers, rest) = said.split_once("Listens").unwrap();
    assert!(
        dangers.contains("DANGER") && !rest.contains("DANGER"),
        "{said}"
    );
}

/// What providers send to, what it ends, and what loosens the checks of it.
#[test]
fn receivers_are_listed_with_what_they_end_and_their_dangers() {
    let text = r#"[[issuer]]
url = "https://acme.okta.com/oauth2/default"
audience = "api"

[issuer.logout]
clients = ["web"]
danger_untyped = true
danger_without_exp = true

[[events]]
name = "okta"
issuer = "http://acme.okta.example"
audience = "receiver"
tokens_of = "https://acme.okta.com/oauth2/default"
danger_plain_http = true

[gateway]
upstream = "http://127.0.0.1:3000"
"#;
    let (is_fine, said) = Settings::new("receivers", text).check();
    assert!(is_fine, "{said}");
    for place in [
        "issuer[0].logout.danger_untyped",
        "issuer[0].logout.danger_without_exp",
        "events[0].danger_plain_http",
    ] {
        let line = format!("  DANGER   {place}\n");
        assert_eq!(said.matches(&line).count(), 1, "{said}");
    }
    let said = joined(&said);
    for told in [
        "WARNING issuer[0].logout.ends: expected `subject`, as Okta's access tokens have no `sid`",
        "POST /.portcullis/logout logouts of https://acme.okta.com/oauth2/default",
        "POST /.portcullis/events/okta events of http://acme.okta.example",
        "Okta's have none: write `ends = \"subject\"`",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }
}
