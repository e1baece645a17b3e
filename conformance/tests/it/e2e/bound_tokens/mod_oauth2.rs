//! The same 156 proofs before Debian's Apache with `mod_oauth2`, and before us. Where the verdicts
//! differ, [`DIFFERENCES`] says why; a difference that is not there is a failure, and one that is
//! there and does not occur as well.
//!
//! The proofs are of a fixed moment, so Apache runs with libfaketime.

use super::{Folder, doors};
use crate::corpus::dpop_proofs::{decide, server};
use crate::e2e::process::{Process, free_port};
use crate::parity::wire::send_to_any;
use crate::tally::Tally;
use portcullis_core::Decision;
use portcullis_testkit::corpus::{document, rows};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinSet;

/// What its log says of itself. Other versions answer otherwise.
const VERSION: &str = "mod_oauth2-3.3.1-liboauth2-1.4.5.4";

/// What mod_oauth2 does with a proof that we judge otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepts,
    Refuses,
    /// There is no answer.
    Silent,
}

/// Rows of `dpop-proofs.json` that the two judge differently, and why.
pub(crate) struct Difference {
    pub(crate) verdict: Verdict,
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    pub(crate) rows: &'static [&'static str],
}

pub(crate) const DIFFERENCES: [Difference; 13] = [
    Difference {
        verdict: Verdict::Accepts,
        what: "`ath` missing, or of another token",
        why: "RFC 9449, section 4.3: it is the hash of this token, else a proof for one token \
              carries another one of the same key",
        rows: &[
            "ath-missing",
            "ath-wrong",
            "ath-empty",
            "ath-hex",
            "ath-padded",
            "ath-std-base64",
            "ath-of-scheme-and-token",
            "ath-sha512",
            "ath-number",
            "ath-case",
            "ath-of-other-token-swap",
        ],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "`jti` missing, empty or long",
        why: "RFC 9449, sections 4.2 and 11.1: without it nothing tells a replay, and its size \
              is what the memory costs",
        rows: &["jti-missing", "jti-empty", "jti-null", "jti-long"],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "a used `jti` in other bytes",
        why: "RFC 9449, section 11.1: an ECDSA signature can be changed without the key, so \
              the id counts and not the bytes",
        rows: &[
            "replay-malleated-signature",
            "replay-resigned",
            "replay-other-url",
        ],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "no nonce, or any",
        why: "RFC 9449, section 9: it has no nonces. Two rows have the nonces of another \
              server's making",
        rows: &[
            "nonce-required-missing",
            "nonce-required-wrong",
            "nonce-required-current",
            "nonce-required-previous",
            "nonce-required-expired",
            "nonce-required-number",
        ],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "a private key in the proof",
        why: "RFC 9449, section 4.3: whoever reads the request has the key",
        rows: &["jwk-private", "jwk-private-empty-d"],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "a key in another spelling",
        why: "RFC 7518, section 6.2.1.2, and RFC 7515, section 4: no padding, no member twice, \
              so that all readers read the same key",
        rows: &["jwk-padded-coordinate", "jwk-dup-member"],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "a critical extension",
        why: "RFC 7515, section 4.1.11: an extension that is not understood is refused",
        rows: &["crit"],
    },
    Difference {
        verdict: Verdict::Accepts,
        what: "method, path or type in other letters",
        why: "RFC 9110, section 9.1, and RFC 3986, section 6.2.2.1: methods and paths have \
              case; RFC 9449 names one `typ`",
        rows: &["htm-lower", "htu-wrong-path-case", "typ-upper"],
    },
    Difference {
        verdict: Verdict::Refuses,
        what: "`htu` with a query or a fragment",
        why: "RFC 9449, section 4.3: both are ignored",
        rows: &["ok-query-in-htu"],
    },
    Difference {
        verdict: Verdict::Refuses,
        what: "`htu` in another spelling of the same URL",
        why: "RFC 9449, section 4.3: both are normalised before they are compared",
        rows: &[
            "htu-equivalent-default-port",
            "htu-equivalent-percent-unreserved",
            "htu-equivalent-dot-segment",
            "htu-equivalent-empty-port",
            "htu-reserved-encoding-case",
            "htu-root-slash",
        ],
    },
    Difference {
        verdict: Verdict::Refuses,
        what: "`iat` with a fraction",
        why: "RFC 7519, section 2: a time may have one",
        rows: &["ok-fraction-iat"],
    },
    Difference {
        verdict: Verdict::Refuses,
        what: "a plain token with a needless proof",
        why: "its setting `type=dpop` is for all tokens; here a route demands a binding by \
              `bound`",
        rows: &["bearer-scheme-unbound-token-with-proof"],
    },
    Difference {
        verdict: Verdict::Silent,
        what: "`htu` or `htm` missing",
        why: "RFC 9449, section 4.2: both are required, and a refusal is an answer",
        rows: &["htu-missing", "htu-null", "htm-missing"],
    },
];

/// Apache in front of an API, with a folder of its own.
struct Apache {
    address: SocketAddr,
    folder: Folder,
    process: Option<Process>,
    _running: JoinSet<()>,
}

impl Apache {
    async fn start(module: &Path, faketime: &Path) -> Self {
        let folder = Folder::new("mod-oauth2", free_port());
        let mut running = JoinSet::new();
        let api = doors::upstream(&mut running).await;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let settings = folder.0.join("apache.conf");
        std::fs::write(&settings, settings_of(module, &folder.0, address, api)).unwrap();
        let mut command = Command::new("/usr/sbin/apache2");
        command
            .args(["-D", "FOREGROUND", "-f"])
            .arg(&settings)
            .env("LD_PRELOAD", faketime)
            // The moment of the corpus, in UTC. The clock stands still.
            .env("FAKETIME", "2027-01-15 08:00:00")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("TZ", "UTC");
        let apache = Self {
            address,
            folder,
            process: Some(Process::start(&mut command)),
            _running: running,
        };
        apache.wait().await;
        apache
    }

    /// Until it listens and has said what it is.
    async fn wait(&self) {
        for _ in 0..200 {
            let connection = tokio::net::TcpStream::connect(self.address).await;
            if connection.is_ok() && self.log().contains("liboauth2") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Apache never answered: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("error.log")).unwrap_or_default()
    }

    async fn verdict(&self, tokens: &Value, row: &Value) -> Verdict {
        let request = &row["request"];
        let text = |name: &str| request[name].as_str().unwrap();
        let (scheme, rest) = text("url").split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        let token = tokens[text("token")].as_str().unwrap();
        let credentials = format!("{} {token}", text("authorization_scheme"));
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.into()));
        add("Host", host);
        add("X-Forwarded-Proto", scheme);
        add("Authorization", &credentials);
        for proof in request["dpop"].as_array().unwrap() {
            add("DPoP", proof.as_str().unwrap());
        }
        for pair in row["extra_headers"].as_array().into_iter().flatten() {
            add(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        }
        match send_to_any(self.address, text("method"), path, &headers, "").await {
            Some(answer) if answer.status == 200 => Verdict::Accepts,
            Some(answer) => {
                assert!((400..500).contains(&answer.status), "{}", answer.status);
                Verdict::Refuses
            }
            None => Verdict::Silent,
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // Killed, it would leave its own processes behind.
        if let Some(process) = self.process.take() {
            process.terminate();
        }
    }
}

/// Tokens of the corpus by its key, and the windows of time that it means. Several processes, since
/// some proofs end one.
fn settings_of(module: &Path, folder: &Path, address: SocketAddr, api: SocketAddr) -> String {
    let modules = module.parent().unwrap().display();
    let mut text = String::new();
    for name in [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "proxy",
        "proxy_http",
        "oauth2",
    ] {
        writeln!(text, "LoadModule {name}_module {modules}/mod_{name}.so").unwrap();
    }
    let tokens = document("access-tokens.json");
    let keys = tokens["jwks"]["https://idp.example/tenant-a"].as_array();
    let key = keys.unwrap().iter().find(|key| key["kid"] == "rsa-1");
    let key = key.unwrap().to_string().replace('"', "\\\"");
    let folder = folder.display();
    format!(
        "{text}ServerRoot {folder}\nPidFile apache.pid\nErrorLog error.log\nMutex sem\nUser nobody\n\
         ServerName api.example\nListen {address}\nLogLevel info\n\
         StartServers 3\nServerLimit 6\nThreadsPerChild 4\nMaxRequestWorkers 24\n\
         ProxyPass / http://{api}/\n<Location />\nAuthType oauth2\nRequire valid-user\n\
         OAuth2AcceptTokenIn header type=dpop\n\
         OAuth2TokenVerify jwk \"{key}\" \
         type=dpop&dpop.iat.slack.before=60&dpop.iat.slack.after=10\n</Location>\n"
    )
}

fn faketime() -> Option<PathBuf> {
    let named = std::env::var_os("PORTCULLIS_FAKETIME").map(PathBuf::from);
    let machine = std::env::consts::ARCH;
    let debian = format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1");
    named
        .or(Some(PathBuf::from(debian)))
        .filter(|it| it.is_file())
}

#[tokio::test(flavor = "multi_thread")]
async fn mod_oauth2_judges_the_same_proofs() {
    let module = std::env::var_os("PORTCULLIS_MOD_OAUTH2").map(PathBuf::from);
    let (Some(module), Some(faketime)) = (module, faketime()) else {
        crate::tally::skipped(
            "Debian libapache2-mod-oauth2 is not installed; `cargo xtask test` does it",
        );
        return;
    };
    let apache = Apache::start(&module, &faketime).await;
    if !apache.log().contains(VERSION) {
        crate::tally::skipped(&format!("mod_oauth2 is not {VERSION}"));
        return;
    }
    let document = document("dpop-proofs.json");
    let (plain, with_nonces) = (server(false), server(true));
    let mut expected: BTreeMap<&str, Verdict> = DIFFERENCES
        .iter()
        .flat_map(|it| it.rows.iter().map(|row| (*row, it.verdict)))
        .collect();
    let mut tally = Tally::new("bound tokens, mod_oauth2");
    for row in rows(&document) {
        let id = row["id"].as_str().unwrap();
        let ours = if row["config"].is_string() {
            &with_nonces
        } else {
            &plain
        };
        let ours = match decide(ours, &document["tokens"], row).await {
            Decision::Allow(_) => Verdict::Accepts,
            Decision::Deny(_) => Verdict::Refuses,
            Decision::Fail(outage) => panic!("{outage}"),
        };
        let theirs = apache.verdict(&document["tokens"], row).await;
        let difference = (ours != theirs).then_some(theirs);
        let right = difference == expected.remove(id);
        tally.count(id, right, || format!("{ours:?} here, {theirs:?} there"));
    }
    assert!(expected.is_empty(), "no rows: {expected:?}");
    tally.finish(156);
}
