//! The same calls for every program that asks the gateway.

use super::setup::RecipeSetup;

/// The metadata of a resource, by a program that passes requests for it on.
pub(super) mod metadata {
    use super::RecipeSetup;
    use serde_json::Value;

    /// A resource before the first route.
    pub(in super::super) const RESOURCE: &str = "[[resource]]\nurl = \"https://api.example\"\n\
        audience = \"api://enterprise-api\"\nscopes = [\"orders:read\"]\n[[route]]";
    const PATH: &str = "/.well-known/oauth-protected-resource";

    /// Reads it as a client without a token, who learns of it by a refusal.
    pub(in super::super) fn read(world: &RecipeSetup) {
        let refused = world.send("GET", "/protected-data", &[]);
        let challenge = refused.values("www-authenticate");
        assert!(challenge[0].contains(PATH), "{challenge:?}");
        // What a client says of a request that somebody holds changes nothing, or is refused.
        for line in ["Host: evil.example", "X-Original-URI: /public-data"] {
            let answer = world.send("GET", PATH, &[line.to_owned()]);
            if answer.status != 200 {
                assert!(answer.status >= 400, "{answer:?}");
            }
        }
        let answer = world.send("GET", PATH, &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["resource"], "https://api.example");
        let issuer = world.idp.issuer().to_string();
        assert_eq!(document["authorization_servers"][0], *issuer);
        assert_eq!(answer.values("access-control-allow-origin"), ["*"]);
        assert_eq!(world.send("POST", PATH, &[]).status, 405);
        for path in [
            "/.well-known/oauth-protected-resource/../../protected-data",
            "/.well-known/oauth-protected-resource/x",
        ] {
            assert!(world.send("GET", path, &[]).status >= 400, "{path}");
        }
        assert_eq!(world.taken(), []);
    }
}

/// What each program does in its own way.
pub(super) struct Front {
    /// The status for an identity header in another spelling: 200 where it is removed, 400 where it
    /// is refused.
    pub(super) respelled: u16,
    /// The same for a name that begins like an identity header, and is none that the settings know.
    pub(super) unknown: u16,
    /// The status where `Connection` names an identity header: 200 where that changes nothing.
    pub(super) named_away: u16,
    /// Whether paths with dots are resolved before anybody is asked; then the API gets what was
    /// asked about.
    pub(super) resolves_paths: bool,
}

/// What a client sends, and the answer that is expected, with its code.
struct Call {
    method: &'static str,
    target: &'static str,
    lines: Vec<String>,
    expected: (u16, &'static str),
}

/// Sends them all. What may not pass never gets to the API; what passes does as it was sent, and
/// tells who calls.
pub(super) fn make(world: &RecipeSetup, front: &Front) {
    for Call {
        method,
        target,
        lines,
        expected: (status, code),
    } in calls(world, front)
    {
        let answer = world.send(method, target, &lines);
        let got = world.taken();
        if front.resolves_paths && AMBIGUOUS.contains(&target) && answer.status == 200 {
            // The token is one for everything: what counts is that the API has one reading left.
            assert!(
                ["/admin-dashboard", "/public-data/admin-dashboard"].contains(&got[0].1.as_str()),
                "{got:?}"
            );
            continue;
        }
        assert_eq!(
            answer.status, status,
            "{method} {target} {lines:?}\n{answer:?}"
        );
        if status == 200 {
            assert_eq!(got.len(), 1);
            assert_eq!((got[0].0.as_str(), got[0].1.as_str()), (method, target));
            assert_identity(&got[0].2, &lines, world);
        } else {
            assert!(
                got.is_empty(),
                "{method} {target} got around the check: {got:?}"
            );
            // nginx refuses some by itself, before it asks: a second `Authorization`, an escaped
            // NUL.
            if status == 400 && answer.body.starts_with("<html>") {
                continue;
            }
            assert!(
                answer.body.contains(code),
                "{method} {target}: {code}\n{answer:?}"
            );
            let challenges = answer.values("www-authenticate").len();
            assert_eq!(
                challenges,
                usize::from(matches!(status, 400 | 401 | 403) && is_of_token(code)),
                "{answer:?}"
            );
        }
    }
}

/// Without the keys of the identity provider nobody is refused for his token, and nobody let in.
pub(super) fn make_without_keys(world: &RecipeSetup) {
    let answer = world.send(
        "GET",
        "/protected-data",
        &[bearer(&world.idp.token("bob").sign())],
    );
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains("outage."), "{answer:?}");
    assert_eq!(answer.values("www-authenticate"), Vec::<&str>::new());
    assert_eq!(answer.values("retry-after").len(), 1);
    assert_eq!(world.taken(), []);
    assert_eq!(world.send("GET", "/public-data", &[]).status, 200);
}

/// Without the gateway nothing passes, public or not.
pub(super) fn make_without_gateway(world: &RecipeSetup, status: u16) {
    let token = bearer(&world.idp.token("alice").sign());
    for (target, lines) in [("/public-data", vec![]), ("/protected-data", vec![token])] {
        assert_eq!(world.send("GET", target, &lines).status, status, "{target}");
    }
    assert_eq!(world.taken(), []);
}

fn calls(world: &RecipeSetup, front: &Front) -> Vec<Call> {
    let idp = &world.idp;
    let [bob, alice] = ["bob", "alice"].map(|name| bearer(&idp.token(name).sign()));
    let expired = bearer(&idp.token("alice").expire().sign());
    let call = |target, lines: &[&String], status, code| Call {
        method: "GET",
        target,
        lines: lines.iter().map(|line| (*line).clone()).collect(),
        expected: (status, code),
    };
    let mut calls = vec![
        call("/public-data", &[], 200, ""),
        call("/protected-data", &[], 401, "credential.missing"),
        call("/protected-data", &[&bob], 200, ""),
        call("/protected-data?page=2&x=%2F", &[&bob], 200, ""),
        call("/protected-data", &[&format!("{bob}x")], 401, "token."),
        call("/protected-data", &[&expired], 401, "token.expired"),
        call(
            "/protected-data",
            &[&bob, &alice],
            400,
            "credential.repeated",
        ),
        call(
            "/protected-data",
            &[&alice, &bob],
            400,
            "credential.repeated",
        ),
        call(
            "/protected-data?access_token=x",
            &[&bob],
            400,
            "credential.repeated",
        ),
        call("/admin-dashboard", &[&bob], 403, "policy.role"),
        call("/admin-dashboard/", &[&bob], 403, "policy.role"),
        call(
            "/admin-dashboard?x=/public-data",
            &[&bob],
            403,
            "policy.role",
        ),
        call("/%61dmin-dashboard", &[&bob], 403, "policy.role"),
        call("/admin-dashboard", &[&alice], 200, ""),
    ];
    calls.extend(
        AMBIGUOUS
            .iter()
            .map(|target| call(target, &[&alice], 400, "request.path")),
    );
    // Public to read only; and whoever says that it is another method is not believed.
    calls.push(Call {
        method: "DELETE",
        ..call("/admin-dashboard", &[&bob], 403, "policy.role")
    });
    for line in METHODS.map(str::to_owned) {
        let refused = call("/public-data", &[&line], 401, "credential.missing");
        calls.push(Call {
            method: "DELETE",
            ..refused
        });
    }
    for line in OVERRIDES.map(str::to_owned) {
        calls.push(call(
            "/admin-dashboard",
            &[&line],
            401,
            "credential.missing",
        ));
    }
    let forged = FORGED.map(str::to_owned);
    for (target, token) in [("/public-data", None), ("/protected-data", Some(&bob))] {
        let lines: Vec<&String> = forged.iter().chain(token).collect();
        calls.push(call(target, &lines, 200, ""));
        let unknown = UNKNOWN.iter().map(|line| (line, front.unknown));
        for (line, status) in RESPELLED
            .iter()
            .map(|line| (line, front.respelled))
            .chain(unknown)
        {
            let line = (*line).to_owned();
            let lines: Vec<&String> = [&line].into_iter().chain(token).collect();
            calls.push(call(target, &lines, status, "request.header"));
        }
        for line in NAMED_AWAY.map(str::to_owned) {
            let lines: Vec<&String> = [&line].into_iter().chain(token).collect();
            calls.push(call(target, &lines, front.named_away, "request.header"));
        }
        for line in HARMLESS.map(str::to_owned) {
            let lines: Vec<&String> = [&line].into_iter().chain(token).collect();
            calls.push(call(target, &lines, 200, ""));
        }
    }
    calls
}

/// Paths that servers read in more than one way.
const AMBIGUOUS: [&str; 8] = [
    "/public-data/../admin-dashboard",
    "/public-data/%2e%2e/admin-dashboard",
    "/public-data/..%2fadmin-dashboard",
    "/public-data%2f..%2fadmin-dashboard",
    "/public-data/;/../admin-dashboard",
    "//admin-dashboard",
    "/admin-dashboard%00",
    "/public-data/%252e%252e/admin-dashboard",
];

/// What would have the request taken for another one.
const OVERRIDES: [&str; 9] = [
    "X-Original-URL: /public-data",
    "X-Original-URI: /public-data",
    "X-Rewrite-URL: /public-data",
    "X-Forwarded-Uri: /public-data",
    "X-Forwarded-Method: OPTIONS",
    "X-Forwarded-Host: other.example",
    "X-Original-Method: OPTIONS",
    "X-HTTP-Method-Override: OPTIONS",
    "X-Portcullis-Status: 200",
];

/// What would have the method taken for another one.
const METHODS: [&str; 5] = [
    "X-Auth: none",
    "X-Original-Method: GET",
    "X-Forwarded-Method: GET",
    "X-HTTP-Method-Override: GET",
    "X-Method-Override: GET",
];

/// What would have the caller taken for another one.
const FORGED: [&str; 7] = [
    "X-Auth-Subject: forged",
    "X-Auth-Client: forged",
    "X-Auth-Roles: forged",
    "X-Auth-Scopes: forged",
    "X-Auth-Issuer: forged",
    "X-Original-URL: forged",
    "X-HTTP-Method-Override: forged",
];

/// The same, as CGI and its heirs would read it.
const RESPELLED: [&str; 9] = [
    "X_Auth_Roles: forged",
    "X.Auth.Roles: forged",
    "x-auth_roles: forged",
    "X_AUTH-SUBJECT: forged",
    "X-Auth.Subject: forged",
    "X-Auth-Subject_: forged",
    "X_Original_URL: forged",
    "X-HTTP_Method_Override: forged",
    "x.rewrite.url: forged",
];

const UNKNOWN: [&str; 2] = ["X-Auth-New: forged", "x-auth-subject-: forged"];

/// What would have the gateway's own word dropped behind its back. The client sends
/// `Connection: close` besides.
const NAMED_AWAY: [&str; 8] = [
    "Connection: close, X-Auth-Subject, X-Auth-Roles",
    "connection: X-AUTH-SUBJECT",
    "Connection: keep-alive\r\nConnection: x-auth-issuer",
    "Connection: x-auth-scopes\r\nConnection: keep-alive",
    "Connection:\tX-Auth-Subject",
    "Connection: ,,X-Auth-Subject,",
    "Connection: TE,X-Auth-Issuer\r\nTE: trailers",
    "CONNECTION:x-auth-subject , close",
];

/// Names in other lists, which mean nothing; and what clients do send.
const HARMLESS: [&str; 8] = [
    "Connection: keep-alive",
    "Connection: close, TE\r\nTE: trailers",
    "Keep-Alive: X-Auth-Subject",
    "Proxy-Connection: X-Auth-Subject",
    "Proxy-Connection: keep-alive",
    "TE: X-Auth-Subject",
    "Trailer: X-Auth-Subject",
    "Connection:",
];

/// The API is told who calls, by the gateway only, and has no token.
fn assert_identity(got: &[String], sent: &[String], world: &RecipeSetup) {
    let values = |name: &str| -> Vec<&str> {
        let fields = got.iter().filter_map(|line| line.split_once(": "));
        fields
            .filter(|(held, value)| *held == name && !value.is_empty())
            .map(|(_, value)| value)
            .collect()
    };
    assert!(!got.iter().any(|line| line.contains("forged")), "{got:?}");
    assert_eq!(values("authorization"), Vec::<&str>::new());
    let has_token = sent
        .iter()
        .any(|line| line.starts_with("Authorization"));
    let issuer = world.idp.issuer().to_string();
    let expected = if has_token {
        vec![issuer.as_str()]
    } else {
        vec![]
    };
    assert_eq!(values("x-auth-issuer"), expected);
    for name in ["x-auth-subject", "x-auth-client"] {
        assert_eq!(
            values(name).len(),
            usize::from(has_token),
            "{name}: {got:?}"
        );
    }
}

pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// Refusals of credentials come with a challenge, those of paths do not.
fn is_of_token(code: &str) -> bool {
    ["credential.", "token.", "policy."]
        .iter()
        .any(|start| code.starts_with(start))
}
