//! `portcullis-<version>-<target>.cdx.json`: the software bill of materials, in CycloneDX 1.6.
//!
//! It names the crates in the program. The libraries of the system that the image carries are named
//! by the image itself, as Debian's packages.

use crate::dist::components::{Component, Components, Key};
use crate::dist::release::Release;
use serde_json::{Value, json};
use std::path::Path;

/// The crate with the command: what all the others are for.
const PROGRAM: &str = "portcullis-cli";

pub(crate) fn write(release: &Release, components: &Components, out: &Path) -> Result<(), String> {
    let time = release.time("+%Y-%m-%dT%H:%M:%SZ")?;
    let bill = describe(components, &time);
    let text = serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())?;
    let name = format!("portcullis-{}-{}.cdx.json", release.version, release.target);
    std::fs::write(out.join(&name), text + "\n").map_err(|error| format!("{name}: {error}"))
}

fn describe(components: &Components, time: &str) -> Value {
    let mut program = Value::Null;
    let (mut others, mut graph) = (Vec::new(), Vec::new());
    for (key, component) in &components.0 {
        if key.0 == PROGRAM {
            program = describe_component(key, component, "application");
        } else {
            others.push(describe_component(key, component, "library"));
        }
        let needed: Vec<String> = component.dependencies.iter().map(locate).collect();
        graph.push(json!({ "ref": locate(key), "dependsOn": needed }));
    }
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "cargo xtask dist" }] },
            "component": program,
        },
        "components": others,
        "dependencies": graph,
    })
}

fn describe_component((name, version): &Key, component: &Component, kind: &str) -> Value {
    let locator = locate(&(name.clone(), version.clone()));
    let mut described = json!({
        "type": kind,
        "bom-ref": locator,
        "name": name,
        "version": version,
        "purl": locator,
        "scope": "required",
    });
    let Some(members) = described.as_object_mut() else {
        return described;
    };
    let mut add = |member: &str, value: Value| members.insert(member.to_owned(), value);
    if !component.description.is_empty() {
        add("description", json!(component.description));
    }
    if !component.license.is_empty() {
        add("licenses", json!([{ "expression": component.license }]));
    }
    if let Some(checksum) = &component.checksum {
        add("hashes", json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    if component.repository.starts_with("http") {
        let reference = json!({ "type": "vcs", "url": component.repository });
        add("externalReferences", json!([reference]));
    }
    described
}

/// The package URL, <https://github.com/package-url/purl-spec>. `+` has a meaning in it.
fn locate((name, version): &Key) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn key(name: &str, version: &str) -> Key {
        (name.to_owned(), version.to_owned())
    }

    /// The program needs `aes` in the shipped program, and `rcgen` for its tests.
    fn sample() -> Value {
        let package = |name: &str, version: &str, license: &str| {
            json!({ "name": name, "version": version, "id": name, "license": license,
                    "manifest_path": format!("/crates/{name}/Cargo.toml"), "description": "It.",
                    "repository": format!("https://forge.example/{name}") })
        };
        json!({
            "packages": [
                package(PROGRAM, "0.1.0", "Apache-2.0"),
                package("aes", "0.9.4+x", "MIT/Apache-2.0"),
                package("rcgen", "0.14.0", "MIT"),
            ],
            "resolve": { "nodes": [{ "id": PROGRAM, "deps": [
                { "pkg": "aes", "dep_kinds": [{ "kind": null, "target": null }] },
                { "pkg": "rcgen", "dep_kinds": [{ "kind": "dev", "target": null }] },
            ] }] },
        })
    }

    #[test]
    fn the_bill_names_what_is_shipped() {
        let shipped = BTreeSet::from([key(PROGRAM, "0.1.0"), key("aes", "0.9.4+x")]);
        let sums = BTreeMap::from([(key("aes", "0.9.4+x"), "fc0f".to_owned())]);
        let components = Components::gather(&shipped, &sample(), &sums);
        let bill = describe(&components, "2026-01-01T00:00:00Z");
        assert_eq!(bill["metadata"]["component"]["name"], PROGRAM);
        let expected = json!([{
            "type": "library", "bom-ref": "pkg:cargo/aes@0.9.4%2Bx", "name": "aes",
            "version": "0.9.4+x", "purl": "pkg:cargo/aes@0.9.4%2Bx", "scope": "required",
            "description": "It.", "licenses": [{ "expression": "MIT OR Apache-2.0" }],
            "hashes": [{ "alg": "SHA-256", "content": "fc0f" }],
            "externalReferences": [{ "type": "vcs", "url": "https://forge.example/aes" }],
        }]);
        assert_eq!(bill["components"], expected);
        let graph = json!([
            { "ref": "pkg:cargo/aes@0.9.4%2Bx", "dependsOn": [] },
            { "ref": "pkg:cargo/portcullis-cli@0.1.0", "dependsOn": ["pkg:cargo/aes@0.9.4%2Bx"] },
        ]);
        assert_eq!(bill["dependencies"], graph);
    }
}
