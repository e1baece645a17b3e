//! Seeds of the targets for what the gateway, the client and the settings read. The first byte of
//! some chooses a case: the targets say which.

use super::{corpus, plant};
use crate::cargo::{array, text};
use serde_json::Value;

pub(super) fn plant_all() -> Result<(), String> {
    requests()?;
    callers()?;
    certificates()?;
    proofs()?;
    let written = [
        PATHS,
        HOSTS,
        QUESTIONS,
        FRAMES,
        REVOCATIONS,
        TOKENS,
        CALLBACKS,
        COOKIES,
        CODINGS,
        PATTERNS,
        EVENTS,
    ];
    for (target, seeds) in written.into_iter().flatten() {
        for (index, seed) in seeds.iter().enumerate() {
            plant(target, &format!("written-{index}"), seed)?;
        }
    }
    settings()
}

type Seeds = &'static [(&'static str, &'static [&'static [u8]])];

/// Claims of logout tokens and of security events.
const EVENTS: Seeds = &[
    (
        "logout_token",
        &[
            br#"{"iss":"https://idp.example/tenant-a","sub":"user-1","aud":"client-1",
            "iat":1800000000,"exp":1800000120,"jti":"lt-1","sid":"session-1",
            "events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#,
            br#"{"iss":"https://idp.example/tenant-a","sub":"user-1","aud":"client-1",
            "iat":1800000000,"exp":1800000120,"jti":"lt-2",
            "events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#,
            br#"{"iss":"https://idp.example/tenant-a","sub":"user-1","aud":"client-1",
            "iat":1800000000,"exp":1800000120,"jti":"lt-13","sid":"session-1",
            "events":{"http://schemas.openid.net/event/backchannel-logout":{},
            "https://x.example/e":{}}}"#,
        ],
    ),
    (
        "security_event",
        &[
            br#"{"iss":"https://idp.example/tenant-a","aud":"https://api.example/ssf",
            "iat":1800000000,"jti":"set-38","txn":"t1",
            "sub_id":{"format":"iss_sub","iss":"https://idp.example/tenant-a",
            "sub":"user-1"},
            "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{"event_timestamp":1799999995}}}"#,
            br#"{"iss":"https://idp.example/tenant-a","aud":"https://api.example/ssf",
            "iat":1800000000,"jti":"set-41","txn":"t1",
            "sub_id":{"format":"complex","user":{"format":"iss_sub",
            "iss":"https://idp.example/tenant-a","sub":"user-1"},
            "session":{"format":"opaque","id":"session-1"}},
            "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{"event_timestamp":1799999995}}}"#,
            br#"{"iss":"https://idp.example/tenant-a","aud":"https://api.example/ssf",
            "iat":1800000000,"jti":"set-42","txn":"t1","sub_id":{"format":"email",
            "email":"a@example.com"},
            "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{"event_timestamp":1799999995}}}"#,
            br#"{"iss":"https://idp.example/tenant-a","aud":"https://api.example/ssf",
            "iat":1800000000,"jti":"set-44","txn":"t1",
            "sub_id":{"format":"opaque","id":"stream-1"},
            "events":{"https://schemas.openid.net/secevent/ssf/event-type/verification":{"state":"expected-state"}}}"#,
            br#"{"iss":"https://idp.example/tenant-a","aud":"https://api.example/ssf",
            "iat":1800000000,"jti":"set-67","txn":"t1",
            "sub_id":{"format":"iss_sub","iss":"https://idp.example/tenant-a",
            "sub":"user-1"},
            "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{},
            "https://schemas.openid.net/secevent/caep/event-type/credential-change":{"change_type":"revoke",
            "credential_type":"password"}}}"#,
        ],
    ),
];

const PATHS: Seeds = &[(
    "path",
    &[
        b"/a/b%20c/?x=/../y\n/a/**\n/a/b%20c\n/*/{name}\n/**\n/a/*",
        "/%c3%a9/100%25\n/é/100%25\n/%C3%A9/*\n/é/**".as_bytes(),
        b"/strip/a//b",
        b"/strip/a/b?c",
        b"/strip",
        b"/both/a%20b/c%2Fd/",
        b"/%62oth/a%20b",
        b"/keep/a%2f%2e%2eb%2F",
        b"/open/%7e%2A\n/open/%2A\n/open/~%2a",
    ],
)];

const HOSTS: Seeds = &[(
    "host",
    &[
        b"GW.example.:0443\n*.Example.",
        b"gw.example\ngw.example",
        b"[2001:DB8:0::7]:80\n[2001:db8::7]",
        b"[::ffff:192.0.2.7]\n[::ffff:c000:207]",
        b"127.0.0.1.:8080\n127.0.0.1",
        b"xn--bcher-kva.example\n*.xn--p1ai",
        b"a_b.0xyz\n*.0x7f",
    ],
)];

const QUESTIONS: Seeds = &[(
    "ext_authz",
    &[
        QUESTION,
        b"\x01GET\n/%61?b=c\nGW.example.\nauthorization:Bearer a,Bearer b\n:path:/%61?b=c\nx:y",
        b"\x01POST\n/a/../b\ngw.example\ncontent-length:0",
    ],
)];

/// An address, a method, a path twice, a host, a scheme and a version.
const QUESTION: &[u8] = b"\x00\x0aW\x0a\x0f\x0a\x0d\x0a\x0b\x12\x09192.0.2.7\x22D\x12B\x12\x03GET\x1a\x11\x0a\x05:path\x12\x08/%61?b=c\x22\x08/%61?b=c*\x0dgw.example:802\x05httpsR\x08HTTP/1.1";

const FRAMES: Seeds = &[(
    "websocket",
    &[
        b"\x05\x02\x81\x05hello\x82\x80abcd\x88\x02\x03\xe8",
        b"\x03\x00\x82\x7e\x00\x80aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x89\x00",
        b"\xff\xff\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x04abcd\x81\xfe\x00\x01mask!",
        b"\x01\x01\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)];

const REVOCATIONS: Seeds = &[(
    "revocation",
    &[
        b"mark\nsubject:000102030405060708090a0b0c0d0e\nsince\n1800000000\nuntil\n0001800003600",
        b"mark\ntoken:ffffffffffffffffffffffffffffff\nuntil\n999999999999",
        b"mark\nsession:0123456789abcdef0123456789abcd\nsince\n0\nuntil\n0",
    ],
)];

const TOKENS: Seeds = &[(
    "tokens",
    &[
        b"\x00openid orders:read offline_access\n{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\",\"id_token\":\"a.b.c\",\"scope\":\"orders:read\"}",
        b"\x80a b\n{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"DPoP\",\"expires_in\":\"60.5\",\"scope\":[\"a\"]}",
        b"\x01a,b\n\xef\xbb\xbf{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"expires_in\":-1,\"scope\":\"a,b\",\"refresh_token\":\"\"}",
        b"\x05a\n{\"error\":\"invalid_grant\",\"error_description\":\"it is over\",\"error_uri\":\"https://idp.example/e\"}",
        b"\x00a\n{\"error\":\"temporarily_unavailable\",\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\"}",
        b"\x00https://graph.microsoft.com/User.Read https://api/.default\n{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"BearerToken\",\"scope\":\"User.Read\",\"issued_token_type\":\"urn:x\"}",
    ],
)];

const CALLBACKS: Seeds = &[(
    "callback",
    &[
        b"\x01code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj&iss=https%3A%2F%2Fidp.example%2Ftenant-a",
        b"\x00state=af0ifjsldkj&code=a+b%20c&session_state=x",
        b"\x00error=access_denied&error_description=no%1b[2J&error_uri=https%3a%2f%2fidp.example%2fe&state=af0ifjsldkj",
        b"\x01code=a&code=b&state=x&iss=https%3A%2F%2Fevil.example",
    ],
)];

const COOKIES: Seeds = &[(
    "cookie",
    &[
        b"GET\n__Host-token\ncookie:a=1; __Host-token=\"t\"; b=2\nsec-fetch-site:same-origin",
        b"HEAD\nt\ncookie:t=a;t=b\ncookie: u ; t = c",
        b"GET\nt\ncookie:t=a\norigin:https://gw.example:443",
        b"GET\nt\ncookie:t=a\norigin:https://gw.example\nupgrade:websocket\nsec-websocket-key:x",
        b"POST\nt\ncookie:t=a\nauthorization:Bearer b",
    ],
)];

const CODINGS: Seeds = &[(
    "coding",
    &[
        b"\x00\x0a\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaN\xad,V\xb2\x8a\x8e\xad\x05\x00\xefg\x88*\x0b\x00\x00\x00",
        b"\x01\x0ax\x9c\xabV\xcaN\xad,V\xb2\x8a\x8e\xad\x05\x00\x17n\x03\xeb",
        b"\x01\x0a\xabV\xcaN\xad,V\xb2\x8a\x8e\xad\x05\x00",
        b"\x02\x0a\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc11\x01\x00\x00\x00\xc2\xa0\xf5Om\x0d\x0f\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x0\x02S/\x97 N\x00\x00",
        b"\x03\x0f\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaN\xad,V\xb2\x8a\x8e\xad\x05\x00\xefg\x88*\x0b\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaN\xad,V\xb2\x8a\x8e\xad\x05\x00\xefg\x88*\x0b\x00\x00\x00",
        b"\x03\x0f\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV\xcaN\xad,V\xb2\x8a\x8e\xad\x05\x00\xefg\x88*",
        b"\x80\x0agzip, gzip\n{}",
        b"\x80\x0aidentity\n\xef\xbb\xbf{}",
        b"\x80\x0abr\n{}",
    ],
)];

const PATTERNS: Seeds = &[(
    "pattern",
    &[
        b"repo:my-org/*\nrepo:my-org/orders:ref:refs/heads/main",
        b"repo:my-org/*:ref:refs/heads/*\nrepo:my-org/orders:ref:refs/heads/a/b",
        b"system:serviceaccount:*:api\nsystem:serviceaccount:shop:api",
        b"repo:my-org*\nrepo:my-org-evil/x",
    ],
)];

/// Paths, methods and hosts of the corpus.
fn requests() -> Result<(), String> {
    let paths = corpus("request-paths.json")?;
    let patterns: Vec<&str> = array(&paths, "routes")
        .iter()
        .map(|route| text(route, "path"))
        .collect();
    for (index, row) in array(&paths, "vectors").iter().enumerate() {
        let lines = format!("{}\n{}", text(row, "target"), patterns.join("\n"));
        plant("path", &index.to_string(), lines.as_bytes())?;
    }
    let or = |found: &str, usual: &str| {
        if found.is_empty() {
            usual.to_owned()
        } else {
            found.to_owned()
        }
    };
    for row in array(&corpus("door-requests.json")?, "vectors") {
        let (id, hosts) = (text(row, "id"), array(row, "hosts"));
        let host = hosts
            .first()
            .and_then(Value::as_str)
            .unwrap_or("gw.example");
        let fields: Vec<String> = fields(row)
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        let (method, target) = (
            or(text(row, "method"), "GET"),
            or(text(row, "target"), "/public/a"),
        );
        let lines = format!("\u{1}{method}\n{target}\n{host}\n{}", fields.join("\n"));
        plant("ext_authz", id, lines.as_bytes())?;
        plant("host", id, format!("{host}\n*.example").as_bytes())?;
    }
    Ok(())
}

/// Proofs of the corpus, each with the method and the URL of its request.
fn proofs() -> Result<(), String> {
    for row in array(&corpus("dpop-proofs.json")?, "vectors") {
        let request = row.get("request").unwrap_or(&Value::Null);
        let proof = array(request, "dpop").first().and_then(Value::as_str);
        let (method, url) = (text(request, "method"), text(request, "url"));
        let lines = format!("{method}\n{url}\n{}", proof.unwrap_or_default());
        plant("proofs", text(row, "id"), lines.as_bytes())?;
    }
    Ok(())
}

/// What the corpus has proxies and clients write. Its characters stand for bytes.
fn callers() -> Result<(), String> {
    for (index, row) in array(&corpus("forwarded-headers.json")?, "vectors")
        .iter()
        .enumerate()
    {
        let values: Vec<String> = fields(row)
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let selector = u8::try_from(index % 256).unwrap_or_default();
        let bytes = values
            .join("\n")
            .chars()
            .map(|letter| u8::try_from(letter).unwrap_or(b'?'))
            .collect();
        let lines: Vec<u8> = [vec![selector], bytes].concat();
        plant("forwarded", text(row, "id"), &lines)?;
    }
    Ok(())
}

/// What the corpus has proxies tell of certificates. The first byte is the place of the format.
fn certificates() -> Result<(), String> {
    const FORMATS: [&str; 8] = [
        "rfc9440", "envoy", "nginx", "haproxy", "traefik", "caddy", "apache", "alb",
    ];
    for row in array(&corpus("client-certificates.json")?, "vectors") {
        let format = text(row, "format");
        let place = FORMATS.iter().position(|it| *it == format);
        let selector = u8::try_from(place.unwrap_or_default()).unwrap_or_default();
        for (_, value) in fields(row) {
            let bytes = [&[selector], value.as_bytes()].concat();
            plant("client_certificate", text(row, "id"), &bytes)?;
        }
    }
    Ok(())
}

fn fields(row: &Value) -> Vec<(String, String)> {
    let part = |pair: &Value, at: usize| {
        pair.get(at)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    array(row, "headers")
        .iter()
        .map(|pair| (part(pair, 0), part(pair, 1)))
        .collect()
}

/// The document that `portcullis init` writes, with and without what stands behind a `#` in it; and
/// variables.
fn settings() -> Result<(), String> {
    let path = crate::cargo::root().join("crates/gateway/src/starter.toml");
    let starter =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    plant("settings", "starter", starter.as_bytes())?;
    let lines = starter
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line));
    let members = lines.filter(|line| line.starts_with('[') || line.contains(" = "));
    plant(
        "settings",
        "members",
        members.collect::<Vec<_>>().join("\n").as_bytes(),
    )?;
    plant("settings", "routes", ROUTES)?;
    plant("settings", "variables", b"OAUTH2_ISSUER=https://idp.example\nOAUTH2_AUDIENCE=a, b\nOAUTH2_PROFILE=keycloak\nOAUTH2_TENANT_ID=$t${x}\nOAUTH2_DANGER_PLAIN_HTTP=true\nOAUTH2_ROLES_CLAIM=a.b\nPORTCULLIS_STORE=rediss://redis.example")?;
    plant("settings", "client", b"OAUTH2_ISSUER=https://idp.example\nOAUTH2_AUDIENCE=$${a}\nOAUTH2_INTROSPECTION=true\nOAUTH2_CLIENT_ID=c\nOAUTH2_CLIENT_SECRET=2YotnFZFEjr1zCsicMWpAA")
}

const ROUTES: &[u8] = br#"realm = '$${r'
[[issuer]]
url = "https://idp.example"
audience = ["a"]
claims = { department = ["x", { like = "a:*" }], level = 3 }
[gateway]
upstream = "api"
hosts = ["*.example.com", "[::1]"]
trusted_proxies = ["10.0.0.0/8", "unix"]
client_address = { header = "Forwarded", proxies = 2 }
[[upstream]]
name = "api"
servers = ["http://127.0.0.1:1/base"]
[[route]]
path = "/a/{b}/**"
methods = ["GET"]
strip_prefix = "/a"
encoded_slashes = "keep"
require = { any = [{ scope = ["a", "b"] }, { not = { role = "c" } }, { max_age = 60 }] }
[[route]]
path = "/public"
access = "public"
timeout = 5
body_bytes = 0
[log]
audit = "none"
"#;
