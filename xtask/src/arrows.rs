//! Which crate may depend on which: the arrows of ARCHITECTURE.md, enforced.

use crate::cargo::{array, metadata, text};
use serde_json::Value;

/// Workspace crates, and which others each may use outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("portcullis-core", &[]),
    ("portcullis-provider", &["portcullis-core"]),
    (
        "portcullis-resource-server",
        &["portcullis-core", "portcullis-provider"],
    ),
    (
        "portcullis",
        &["portcullis-core", "portcullis-resource-server"],
    ),
    (
        "portcullis-gateway",
        &["portcullis-core", "portcullis-resource-server"],
    ),
    (
        "portcullis-client",
        &["portcullis-core", "portcullis-provider"],
    ),
    ("portcullis-idp", &["portcullis-core"]),
    (
        "portcullis-python",
        &[
            "portcullis-core",
            "portcullis-resource-server",
            "portcullis-gateway",
            "portcullis-client",
            "portcullis-idp",
        ],
    ),
    ("enterprise-api", &["portcullis"]),
    ("orders-api", &["portcullis"]),
    (
        "portcullis-audit",
        &[
            "portcullis-core",
            "portcullis-provider",
            "portcullis-resource-server",
            "portcullis-gateway",
        ],
    ),
    (
        "portcullis-cli",
        &[
            "portcullis-core",
            "portcullis-audit",
            "portcullis-provider",
            "portcullis-resource-server",
            "portcullis-gateway",
            "portcullis-client",
            "portcullis-idp",
            "enterprise-api",
        ],
    ),
    (
        "portcullis-testkit",
        &[
            "portcullis-core",
            "portcullis-resource-server",
            "portcullis-idp",
        ],
    ),
    ("portcullis-conformance", &[]),
    ("xtask", &[]),
];

/// Crates from elsewhere that a workspace crate must not use: what makes it what it is.
const NEVER: &[(&str, &[&str])] = &[
    (
        "portcullis-core",
        &[
            "tokio",
            "reqwest",
            "hyper",
            "axum",
            "tracing",
            "tower-service",
            "async-trait",
        ],
    ),
    (
        "portcullis-provider",
        &[
            "axum",
            "axum-core",
            "tower-layer",
            "clap",
            "jsonwebtoken",
            "toml",
        ],
    ),
    (
        "portcullis-resource-server",
        &[
            "axum",
            "axum-core",
            "tower-layer",
            "clap",
            "jsonwebtoken",
            "reqwest",
        ],
    ),
    ("portcullis", &["tokio", "reqwest", "hyper", "jsonwebtoken"]),
    (
        "portcullis-gateway",
        &["axum", "clap", "reqwest", "jsonwebtoken"],
    ),
    (
        "portcullis-client",
        &[
            "axum",
            "clap",
            "jsonwebtoken",
            "oauth2",
            "openidconnect",
            "reqwest",
        ],
    ),
    (
        "portcullis-audit",
        &["axum", "clap", "reqwest", "jsonwebtoken", "anstyle"],
    ),
    ("portcullis-idp", &["reqwest", "jsonwebtoken"]),
    (
        "portcullis-python",
        &["axum", "clap", "reqwest", "jsonwebtoken"],
    ),
];

/// The feature of the fuzz targets' doorway: they ask for it from outside the workspace, and nobody
/// else does.
const DOORWAY: &str = "fuzzing";

/// Nouns of the core that the identity provider may take; parsers and checks it may not.
const NOUNS: &[&str] = &[
    "token::Issuer",
    "token::issuer::is_loopback_host",
    "jose::Algorithm",
    "ConfigError",
    "ConfigErrors",
    "Faults",
];

pub(crate) fn check() -> Result<String, String> {
    let mut faults = faults(&metadata()?);
    faults.extend(borrowed_checks()?);
    if faults.is_empty() {
        Ok(format!("{} crates point the right way", ARROWS.len()))
    } else {
        Err(faults.join("\n"))
    }
}

fn faults(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for package in array(metadata, "packages")
        .iter()
        .filter(|package| package.get("source") == Some(&Value::Null))
    {
        let name = text(package, "name");
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_, _)| *crate_ == name) else {
            faults.push(format!(
                "`{name}` has no arrows: say in xtask/src/arrows.rs what it may use"
            ));
            continue;
        };
        if opens_doorway(package) {
            faults.push(format!(
                "`{name}` must not ask for the feature `{DOORWAY}`, which is for fuzz targets only"
            ));
        }
        let never = NEVER
            .iter()
            .find(|(crate_, _)| *crate_ == name)
            .map_or(&[][..], |(_, never)| never);
        for dependency in array(package, "dependencies")
            .iter()
            .filter(|it| text(it, "kind") != "dev")
        {
            let used = text(dependency, "name");
            let ours = dependency.get("path").is_some();
            if (ours && !allowed.contains(&used)) || never.contains(&used) {
                faults.push(format!("`{name}` must not use `{used}`"));
            }
        }
    }
    faults
}

/// Whether a crate asks for the doorway: of a dependency, or by one of its own features.
fn opens_doorway(package: &Value) -> bool {
    let is_doorway = |feature: &Value| {
        feature.as_str().is_some_and(|it| {
            it.rsplit('/')
                .next()
                .is_some_and(|name| name == DOORWAY)
        })
    };
    let of_dependencies = array(package, "dependencies")
        .iter()
        .flat_map(|dependency| array(dependency, "features"));
    let own = package
        .get("features")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|own| own.values());
    of_dependencies
        .chain(own.filter_map(Value::as_array).flatten())
        .any(is_doorway)
}

/// What the identity provider takes of the core, beyond the nouns.
fn borrowed_checks() -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for file in crate::source::rust_files(&crate::cargo::root().join("crates/idp/src")) {
        let code = std::fs::read_to_string(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        for used in uses_of_core(&code) {
            if !NOUNS.contains(&used.as_str()) {
                faults.push(format!(
                    "{}: the identity provider takes `{used}` of the core, which is no noun",
                    file.display()
                ));
            }
        }
    }
    Ok(faults)
}

/// Every path after `portcullis_core::`, groups taken apart.
fn uses_of_core(code: &str) -> Vec<String> {
    code.split("portcullis_core::")
        .skip(1)
        .flat_map(|rest| {
            let path: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || "_:{}, ".contains(*c))
                .collect();
            match path.split_once('{') {
                Some((stem, group)) => {
                    let group = group.split('}').next().unwrap_or_default();
                    group
                        .split(',')
                        .map(|name| format!("{stem}{}", name.trim()))
                        .collect::<Vec<_>>()
                }
                None => vec![
                    path.split([' ', ',', '}'])
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                ],
            }
        })
        .filter(|path| !path.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wrong_arrow_is_a_fault() {
        let graph = |used: Value| json!({ "packages": [{ "name": "portcullis-core", "source": null, "dependencies": [used] }] });
        let path = json!({ "name": "portcullis-idp", "kind": null, "path": "/x" });
        assert_eq!(
            faults(&graph(path)),
            ["`portcullis-core` must not use `portcullis-idp`"]
        );
        let tests_only = json!({ "name": "portcullis-idp", "kind": "dev", "path": "/x" });
        assert!(faults(&graph(tests_only)).is_empty());
        assert_eq!(
            faults(&graph(json!({ "name": "tokio", "kind": null }))),
            ["`portcullis-core` must not use `tokio`"]
        );
        assert!(faults(&graph(json!({ "name": "http", "kind": null }))).is_empty());
        let unknown =
            json!({ "packages": [{ "name": "new", "source": null, "dependencies": [] }] });
        assert_eq!(faults(&unknown).len(), 1);
    }

    #[test]
    fn nobody_asks_for_the_doorway_of_the_fuzz_targets() {
        let faults_of = |package: Value| faults(&json!({ "packages": [package] })).len();
        let asking = |features: Value, kind: Value| {
            let used = json!({ "name": "http", "kind": kind, "features": features });
            faults_of(json!({ "name": "portcullis-core", "source": null, "dependencies": [used] }))
        };
        assert_eq!(asking(json!(["std"]), Value::Null), 0);
        assert_eq!(asking(json!(["fuzzing"]), Value::Null), 1);
        assert_eq!(asking(json!(["fuzzing"]), json!("dev")), 1);
        let having = |features: Value| {
            faults_of(json!({ "name": "portcullis-core", "source": null, "features": features }))
        };
        assert_eq!(having(json!({ "fuzzing": [] })), 0);
        assert_eq!(having(json!({ "default": ["fuzzing"] })), 1);
        assert_eq!(having(json!({ "all": ["portcullis-gateway?/fuzzing"] })), 1);
    }

    #[test]
    fn uses_are_found_in_groups_and_paths() {
        let code = "use portcullis_core::{ConfigError, ConfigErrors};\nuse portcullis_core::jose::json;\nportcullis_core::x::y(1)";
        assert_eq!(
            uses_of_core(code),
            ["ConfigError", "ConfigErrors", "jose::json", "x::y"]
        );
    }
}
