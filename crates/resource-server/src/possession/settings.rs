//! The table `[dpop]`: as written, and as meant.

use crate::revocation::{RevocationSettings, StoreUrl};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use portcullis_core::Faults;
use portcullis_core::jose::Algorithm;
use portcullis_core::proof::{Nonces, ProofTerms};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The table `[dpop]`, as written: what proofs of DPoP must meet (RFC 9449). A token that is bound
/// to a key needs its proof with and without this table.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DpopConfig {
    /// Algorithms that proofs may be signed with. Default `ES256`, `EdDSA`, `PS256`, `ES384` and
    /// `RS256`.
    pub algorithms: Option<Vec<String>>,
    /// How old a proof may be, in seconds: 5 to 300. Default 60.
    pub max_age: Option<u32>,
    /// Whether each proof must contain a nonce of this server (RFC 9449, section 9). Clients whose
    /// clocks are wrong get on then. Default no.
    #[serde(default)]
    pub nonces: bool,
    /// A file with at least 16 random bytes that all replicas have: nonces of one are good at the
    /// others. Default: made at the start, so good at this replica only.
    pub nonce_secret_file: Option<PathBuf>,
    /// How many proofs are remembered at most, at some 30 bytes each. With more, the answer is 503.
    /// Default 1,000,000.
    pub remembered: Option<usize>,
    /// Goes on by the memory of each replica when the store of `[revocation]` is away: a proof can
    /// then be used once at each. Default no: the answer is 503 then.
    #[serde(default)]
    pub danger_serve_without_store: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct PossessionSettings {
    pub(crate) terms: ProofTerms,
    pub(crate) remembered: usize,
    /// The store that replicas share, if there is one.
    pub(crate) store: Option<StoreUrl>,
    pub(crate) serves_without_store: bool,
}

const REMEMBERED: usize = 1_000_000;

/// For how long a nonce is current, in seconds; the one before it is good too.
const NONCE_SECONDS: u32 = 60;

impl PossessionSettings {
    /// The table as meant. Proofs are remembered where revocations are: in the store that replicas
    /// share, or here.
    pub(crate) fn new(
        written: &DpopConfig,
        revocation: &RevocationSettings,
        faults: &Faults,
    ) -> Self {
        let mut terms = ProofTerms::default();
        if let Some(names) = &written.algorithms {
            terms.algorithms = algorithms(names, faults);
        }
        let max_age = written.max_age.unwrap_or(terms.past_seconds);
        if !(5..=300).contains(&max_age) {
            faults
                .expected("max_age", "5 to 300 seconds")
                .found(max_age)
                .help("for clients whose clocks are wrong, see `nonces`");
        }
        terms.past_seconds = max_age;
        terms.nonces = nonces(written, faults).map(Arc::new);
        let remembered = written.remembered.unwrap_or(REMEMBERED);
        if remembered == 0 {
            faults
                .expected("remembered", "at least one proof")
                .found(remembered)
                .help("leave it out for 1,000,000, or write how many come in a minute");
        }
        let store = revocation
            .store
            .as_ref()
            .map(|store| store.url.clone());
        if written.danger_serve_without_store && store.is_none() {
            faults
                .expected("danger_serve_without_store", "a store in `[revocation]`")
                .found_as("none")
                .help("remove it: nothing is shared here");
        }
        Self {
            terms,
            remembered,
            store,
            serves_without_store: written.danger_serve_without_store,
        }
    }
}

impl Default for PossessionSettings {
    fn default() -> Self {
        Self {
            terms: ProofTerms::default(),
            remembered: REMEMBERED,
            store: None,
            serves_without_store: false,
        }
    }
}

fn algorithms(names: &[String], faults: &Faults) -> Vec<Algorithm> {
    let mut algorithms = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match Algorithm::from_name(name) {
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                faults
                    .expected(&format!("algorithms[{index}]"), "an asymmetric algorithm")
                    .found(name)
                    .help("write `ES256`, `EdDSA`, `PS256` or another one of RFC 7518");
            }
        }
    }
    if names.is_empty() {
        faults
            .expected("algorithms", "at least one algorithm")
            .found_as("none")
            .help("leave it out for the usual ones");
    }
    algorithms
}

fn nonces(written: &DpopConfig, faults: &Faults) -> Option<Nonces> {
    let Some(file) = &written.nonce_secret_file else {
        return written.nonces.then(|| random_nonces(faults)).flatten();
    };
    if !written.nonces {
        faults
            .expected("nonces", "`true`")
            .found_nothing()
            .given(&["nonce_secret_file"])
            .help("write `nonces = true`, or leave `nonce_secret_file` out");
    }
    let secret = read(file, faults)?;
    let nonces = Nonces::new(&secret, NONCE_SECONDS);
    if nonces.is_none() {
        let shortest = Nonces::SHORTEST_SECRET;
        faults
            .expected("nonce_secret_file", format!("at least {shortest} bytes"))
            .found_as(format!("{} bytes", secret.len()))
            .help("write random bytes into it: `openssl rand -out FILE 32`");
    }
    nonces
}

fn random_nonces(faults: &Faults) -> Option<Nonces> {
    let mut secret = Zeroizing::new([0; 32]);
    if SystemRandom::new().fill(&mut *secret).is_err() {
        faults
            .expected("nonces", "a machine with random numbers")
            .found_as("none")
            .help("name a file with random bytes in `nonce_secret_file`");
        return None;
    }
    Nonces::new(&*secret, NONCE_SECONDS)
}

fn read(file: &Path, faults: &Faults) -> Option<Zeroizing<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Some(Zeroizing::new(bytes)),
        Err(error) => {
            faults
                .expected("nonce_secret_file", "a file that can be read")
                .found_as(format!("{}: {error}", file.display()))
                .help("write random bytes into it: `openssl rand -out FILE 32`");
            None
        }
    }
}
