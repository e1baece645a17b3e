//! What the dependencies are: their licences, where they come from, and what must not be among them.
//!
//! The rules of `deny.toml` that need no network. Advisories are for `cargo deny check advisories`.

use crate::cargo::cargo;
use std::collections::BTreeSet;

/// Licences that go together with Apache-2.0.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "BSL-1.0",
];

/// One crypto library and one TLS library are enough.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "ring", "rsa"];

pub(crate) fn check() -> Result<String, String> {
    let tree = [
        "tree",
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
        "--locked",
    ];
    let output = cargo(&tree).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("cargo tree failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout).replace(" (*)", "");
    let packages: BTreeSet<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let faults: Vec<String> = packages.iter().flat_map(|line| faults(line)).collect();
    if faults.is_empty() {
        Ok(format!("{} packages; advisories are not checked here", packages.len()))
    } else {
        Err(faults.join("\n"))
    }
}

/// Judges a line such as `serde v1.0.0|MIT OR Apache-2.0`. What is not from the registry has its place behind
/// the version.
fn faults(line: &str) -> Vec<String> {
    let (package, licence) = line.split_once('|').unwrap_or((line, ""));
    let mut words = package.split(' ');
    let name = words.next().unwrap_or_default();
    let mut faults = Vec::new();
    if !licence_fits(licence.trim()) {
        faults.push(format!("`{name}`: its licence `{licence}` is not among the accepted ones"));
    }
    if BANNED.contains(&name) {
        faults.push(format!("`{name}` must not be among the dependencies"));
    }
    if words.any(|word| word.starts_with("(http") || word.starts_with("(git") || word.starts_with("(ssh")) {
        faults.push(format!("`{name}` does not come from the registry"));
    }
    faults
}

/// An expression of SPDX: one alternative of `OR` must have all its parts of `AND` accepted.
fn licence_fits(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let fits = |part: &str| LICENCES.contains(&part.trim());
    if expression.contains('(') && expression.contains(" AND ") {
        // Mixed expressions: every licence named must be accepted, which is stricter than asked.
        return flat.split(" AND ").flat_map(|part| part.split(" OR ")).any(fits)
            && flat.split(" AND ").all(|part| part.split(" OR ").any(fits));
    }
    flat.split(" OR ").any(|alternative| alternative.split(" AND ").all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_judged_by_name_licence_and_place() {
        assert!(faults("serde v1.0.0|MIT OR Apache-2.0").is_empty());
        assert!(faults("windows-sys v0.61.0 (proc-macro)|MIT").is_empty());
        assert_eq!(faults("ring v0.17.0|ISC").len(), 1);
        assert_eq!(faults("x v1.0.0 (https://example.test/x#1)|GPL-3.0").len(), 2);
    }

    #[test]
    fn licences_are_expressions() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "Apache-2.0/MIT",
            "ISC AND (Apache-2.0 OR ISC)",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
        ] {
            assert!(licence_fits(good), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "ISC AND (GPL-2.0 OR GPL-3.0)"] {
            assert!(!licence_fits(bad), "{bad}");
        }
    }
}
