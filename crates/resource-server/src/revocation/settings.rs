//! The table `[revocation]`: as written, and as meant.

use portcullis_core::Faults;
use portcullis_core::token::issuer::is_loopback_host;
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The table `[revocation]`, as written. Without it the denylist is in memory only.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevocationConfig {
    /// The Redis or Valkey that replicas share: `rediss://`, or `redis://` on loopback. Needs the
    /// feature `redis`. Default: none, and revocations are in the memory of this replica alone.
    pub store: Option<StoreUrl>,
    /// A file that holds the store's URL, where that holds a password. Default: none.
    pub store_url_file: Option<PathBuf>,
    /// The key of the store's stream. Default `portcullis:revocations`.
    pub stream: Option<String>,
    /// For how long decisions go on without a word from the store, in seconds: 3 to 300. Default
    /// 10.
    pub grace: Option<u64>,
    /// Goes on deciding with what is known when the store is away, for as long as it is. Default
    /// no: the answer is 503 then.
    #[serde(default)]
    pub danger_serve_without_store: bool,
    /// Lets the store be reached without TLS beyond loopback: whoever is on the way can hide
    /// revocations, make some up and read the store's password. Default no.
    #[serde(default)]
    pub danger_plain_store: bool,
    /// How many revocations are held at most, at some 90 bytes each. Default 1,000,000.
    pub entries: Option<usize>,
}

/// The URL of a store. It may hold a password, so it is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct StoreUrl(String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RevocationSettings {
    pub(crate) entries: usize,
    pub(crate) store: Option<StoreSettings>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreSettings {
    pub(crate) url: StoreUrl,
    pub(crate) stream: String,
    pub(crate) grace: Duration,
    pub(crate) serves_without: bool,
}

/// The key of the stream, where nothing else is said.
pub(crate) const STREAM: &str = "portcullis:revocations";

const ENTRIES: usize = 1_000_000;

impl RevocationSettings {
    /// The store that replicas share, if there is one.
    #[cfg(feature = "redis")]
    pub(crate) fn store_url(&self) -> Option<&StoreUrl> {
        self.store.as_ref().map(|store| &store.url)
    }
}

impl StoreUrl {
    /// A URL such as `rediss://user:password@redis.example:6380/0`.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    #[cfg(feature = "redis")]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it leads off this machine without TLS.
    pub fn is_plain(&self) -> bool {
        let Ok(url) = url::Url::parse(&self.0) else {
            return false;
        };
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "redis" && !host.is_empty() && !is_loopback_host(host)
    }

    /// The URL for people, without user and password.
    pub(crate) fn without_password(&self) -> String {
        let Ok(mut url) = url::Url::parse(&self.0) else {
            return "a store".to_owned();
        };
        // A URL that cannot have them has none.
        _ = url.set_username("");
        _ = url.set_password(None);
        url.to_string()
    }

    /// Whether there is a password in it.
    pub fn holds_password(&self) -> bool {
        url::Url::parse(&self.0).is_ok_and(|url| url.password().is_some())
    }

    /// What to write in its place, or to do if this program can use none.
    pub(crate) fn cure() -> &'static str {
        if cfg!(feature = "redis") {
            "write a URL such as `rediss://redis.example:6380`"
        } else {
            "install the command with `--features full`, or compile with the feature `redis`"
        }
    }

    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let Ok(url) = url::Url::parse(&self.0) else {
            return Some("the store's address is not a URL");
        };
        if !cfg!(feature = "redis") {
            Some("a store needs a program that was built with the feature `redis`")
        } else if !matches!(url.scheme(), "redis" | "rediss") {
            Some("the store's URL must begin with `redis://` or `rediss://`")
        } else if url.host_str().is_none_or(str::is_empty) {
            Some("the store's URL has no host")
        } else if url.fragment().is_some() {
            Some("the store's URL must have no fragment: certificates are always checked")
        } else {
            None
        }
    }
}

/// Shows nothing: the URL may hold a password.
impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the URL of a store")
    }
}

impl RevocationSettings {
    /// The table as meant.
    pub(crate) fn new(written: &RevocationConfig, faults: &Faults) -> Self {
        let entries = written.entries.unwrap_or(ENTRIES);
        if entries == 0 {
            faults
                .expected("entries", "at least one entry")
                .found(entries)
                .help("leave it out for 1,000,000, or write how many you expect");
        }
        let grace = written.grace.unwrap_or(10);
        // A quiet store gives a sign of life each second. A shorter grace would make an outage of a
        // late one.
        if !(3..=300).contains(&grace) {
            faults
                .expected("grace", "3 to 300 seconds")
                .found(grace)
                .help("to go on without the store for longer, see `danger_serve_without_store`");
        }
        let stream = written.stream.as_deref().unwrap_or(STREAM);
        if stream.is_empty() || stream.len() > 256 || stream.contains(char::is_control) {
            faults
                .expected("stream", "the name of a key, of at most 256 bytes")
                .found(stream)
                .help("leave it out for `portcullis:revocations`");
        }
        let url = store(written, faults);
        let serves_without = written.danger_serve_without_store;
        if serves_without && written.store.is_none() && written.store_url_file.is_none() {
            faults
                .expected("danger_serve_without_store", "a `store` beside it")
                .found_as("none")
                .given(&["store", "store_url_file"])
                .help("remove it: nothing is shared here");
        }
        let store = url.map(|url| StoreSettings {
            url,
            stream: stream.to_owned(),
            grace: Duration::from_secs(grace),
            serves_without,
        });
        Self { entries, store }
    }
}

/// Where the store is: written, or in a file. No fault shows the URL, which may hold a password.
fn store(written: &RevocationConfig, faults: &Faults) -> Option<StoreUrl> {
    let (member, url) = match (&written.store, &written.store_url_file) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            faults
                .expected("store_url_file", "one of `store` and `store_url_file`")
                .found_as("both")
                .help("remove one of them");
            return None;
        }
        (Some(url), None) => ("store", url.clone()),
        // A URL with a password stays out of the settings, which more people read than a secret.
        (None, Some(file)) => match std::fs::read_to_string(file) {
            Ok(text) => ("store_url_file", StoreUrl::new(text.trim())),
            Err(error) => {
                faults
                    .expected("store_url_file", "a file that holds the store's URL")
                    .found_as(format!("{}: {error}", file.display()))
                    .help("name a file that this process can read");
                return None;
            }
        },
    };
    if let Some(problem) = url.fault() {
        faults.wrong(member, problem).help(StoreUrl::cure());
    }
    if url.is_plain() && written.danger_plain_store {
        tracing::warn!("danger_plain_store: revocations go to the store and back without TLS");
    } else if url.is_plain() {
        let help = "write `rediss://`; `danger_plain_store = true` is for networks that nobody \
            else is on";
        faults
            .expected(member, "TLS beyond loopback")
            .found_as("`redis://`")
            .given(&["danger_plain_store"])
            .help(help);
    }
    Some(url)
}

impl Default for RevocationSettings {
    fn default() -> Self {
        Self {
            entries: ENTRIES,
            store: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn faults(table: &str) -> Vec<String> {
        let written = Config::from_toml(&format!("[revocation]\n{table}"))
            .unwrap()
            .revocation;
        let faults = Faults::default();
        RevocationSettings::new(&written, &faults.at("revocation"));
        faults
            .take_all()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let faults =
            faults("entries = 0\ngrace = 2\nstream = \"\"\ndanger_serve_without_store = true\n");
        for member in ["entries", "grace", "stream", "danger_serve_without_store"] {
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.starts_with(&format!("revocation.{member}:"))),
                "{faults:?}"
            );
        }
        assert!(Config::from_toml("[revocation]\nstroe = \"redis://x\"\n").is_err());
    }

    #[test]
    fn a_store_is_a_redis_url_and_never_shown() {
        for bad in [
            "http://x",
            "redis:///",
            "marked",
            "rediss://marked@x/#insecure",
        ] {
            let faults = faults(&format!("store = \"{bad}\""));
            assert!(
                faults.len() == 1 && !faults[0].contains("marked"),
                "{bad}: {faults:?}"
            );
        }
        assert_eq!(
            faults("store = \"rediss://x\"\nstore_url_file = \"y\"").len(),
            1
        );
        assert_eq!(faults("store_url_file = \"/nowhere/at/all\"").len(), 1);
        let written = Config::from_toml("[revocation]\nstore = \"redis://u:marked@x\"\n").unwrap();
        assert!(!format!("{written:?}").contains("marked"));
    }

    #[cfg(feature = "redis")]
    #[test]
    fn a_store_beyond_loopback_is_reached_by_tls() {
        for fine in [
            "redis://127.0.0.1",
            "redis://localhost:7",
            "redis://[::1]:7",
            "rediss://redis.example",
        ] {
            assert!(faults(&format!("store = \"{fine}\"")).is_empty(), "{fine}");
        }
        assert_eq!(faults("store = \"redis://redis.example\"").len(), 1);
        assert!(faults("store = \"redis://redis.example\"\ndanger_plain_store = true").is_empty());
    }

    #[cfg(feature = "redis")]
    #[test]
    fn the_defaults_are_the_safe_ones() {
        let written = Config::from_toml("[revocation]\nstore = \"rediss://x\"\n")
            .unwrap()
            .revocation;
        let faults = Faults::default();
        let meant = RevocationSettings::new(&written, &faults);
        let store = meant.store.unwrap();
        assert_eq!((faults.count(), meant.entries), (0, 1_000_000));
        assert_eq!(
            (
                store.stream.as_str(),
                store.grace.as_secs(),
                store.serves_without
            ),
            (STREAM, 10, false)
        );
    }
}
