//! What `deploy/` holds that no program here can run: read, and held to what it promises.

use super::{committed, installed};
use crate::e2e::process::program;
use portcullis_idp::{Idp, IdpConfig};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Stdio};

#[test]
fn the_settings_of_every_recipe_are_in_order() {
    for recipe in ["nginx", "envoy", "caddy", "traefik", "docker", "systemd"] {
        let text = committed(&format!("deploy/{recipe}/portcullis.toml"));
        assert_in_order(recipe, &text);
    }
    assert_in_order("fastapi", &committed("examples/fastapi/portcullis.toml"));
}

/// The pod can be written to nowhere, runs as nobody, and its API is reached by the gateway alone.
#[test]
fn the_pod_holds_what_it_promises() {
    let Some(documents) = yaml("deploy/kubernetes/sidecar.yaml") else {
        return;
    };
    let named = |kind: &str| {
        documents
            .iter()
            .find(|it| it["kind"] == kind)
            .unwrap_or_else(|| panic!("no {kind}"))
    };
    assert_in_order(
        "kubernetes",
        named("ConfigMap")["data"]["portcullis.toml"]
            .as_str()
            .unwrap(),
    );
    let pod = &named("Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    for container in pod["containers"].as_array().unwrap() {
        let security = &container["securityContext"];
        assert_eq!(
            security["readOnlyRootFilesystem"], true,
            "{}",
            container["name"]
        );
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["runAsNonRoot"], true);
        assert_eq!(security["capabilities"]["drop"][0], "ALL");
    }
    let [gateway, api] = ["portcullis", "api"].map(|name| {
        pod["containers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == name)
            .unwrap()
    });
    assert!(api["ports"].is_null(), "the API has no port for others");
    let port = &gateway["ports"][0]["name"];
    assert_eq!(&named("Service")["spec"]["ports"][0]["targetPort"], port);
    assert_eq!(gateway["readinessProbe"]["httpGet"]["path"], "/ready");
    assert_eq!(gateway["livenessProbe"]["httpGet"]["path"], "/live");
}

#[test]
fn the_middleware_of_traefik_is_on_its_router() {
    let Some(documents) = yaml("deploy/traefik/dynamic.yaml") else {
        return;
    };
    let http = &documents[0]["http"];
    let named = http["routers"]["api"]["middlewares"]
        .as_array()
        .unwrap();
    for name in named {
        assert!(
            http["middlewares"][name.as_str().unwrap()].is_object(),
            "{name}"
        );
    }
    assert_eq!(
        http["middlewares"]["portcullis"]["forwardAuth"]["trustForwardHeader"],
        false
    );
}

/// `systemd-analyze verify`, with a program that is there in the place of an installed one.
#[test]
fn systemd_finds_no_fault_in_the_units() {
    if !Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_ok_and(|it| it.status.success())
    {
        crate::tally::excused("systemd-analyze is not installed");
        return;
    }
    let folder = std::env::temp_dir().join(format!("portcullis-units-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for unit in ["portcullis.service", "portcullis.socket"] {
        let text = committed(&format!("deploy/systemd/{unit}"));
        std::fs::write(
            folder.join(unit),
            text.replace("/usr/bin/portcullis", "/bin/true"),
        )
        .unwrap();
    }
    let units = ["portcullis.service", "portcullis.socket"].map(|unit| folder.join(unit));
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .args(units)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let told = String::from_utf8_lossy(&verified.stderr);
    assert!(
        verified.status.success() && !told.contains("portcullis."),
        "{told}"
    );
}

/// An image for production has no identity provider in it.
#[test]
fn the_image_is_built_without_the_identity_provider() {
    let text = committed("deploy/docker/Dockerfile");
    let builds: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("cargo build"))
        .collect();
    assert!(
        !builds.is_empty()
            && builds
                .iter()
                .all(|line| line.contains("--no-default-features"))
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("USER ") && !line.contains("root"))
    );
}

/// A new volume begins as a copy of the image's folder, its owner too: so the authority can be
/// written to it.
#[test]
fn the_image_of_the_identity_provider_can_write_its_authority() {
    let text = committed("deploy/docker/idp/Dockerfile");
    let user = text
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap();
    let settings = committed("deploy/docker/idp/idp.toml");
    let file = settings
        .lines()
        .find_map(|line| line.strip_prefix("authority_file = "))
        .unwrap();
    let folder = std::path::Path::new(file.trim_matches('"'))
        .parent()
        .unwrap()
        .display()
        .to_string();
    let given = format!("COPY --from=build --chown={user} {folder} {folder}");
    assert!(text.lines().any(|line| line == given), "{given}");
    assert!(
        text.contains(&format!(":{folder} ")),
        "the volume is mounted there"
    );
}

/// The sandbox's identity provider starts with the committed settings, but for the place of the
/// authority.
#[tokio::test(flavor = "multi_thread")]
async fn the_image_of_the_identity_provider_has_settings_that_start() {
    let authority =
        std::env::temp_dir().join(format!("portcullis-authority-{}.pem", std::process::id()));
    let text = committed("deploy/docker/idp/idp.toml");
    let text = text
        .replace("/shared/ca.pem", authority.to_str().unwrap())
        .replace(":9000\"\nissuer", ":0\"\nissuer");
    let idp = Idp::start(IdpConfig::from_toml(&text).unwrap())
        .await
        .unwrap();
    assert_eq!(idp.issuer().as_str(), "https://idp:9000");
    assert!(
        std::fs::read_to_string(&authority)
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    std::fs::remove_file(authority).unwrap();
}

fn assert_in_order(recipe: &str, text: &str) {
    let folder = std::env::temp_dir().join(format!(
        "portcullis-written-{recipe}-{}",
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("portcullis.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program("portcullis"));
    let checked = command
        .args(["config", "check", "--without-files", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        checked.status.success(),
        "{recipe}: {}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

/// The documents of a file in YAML, as PyYAML reads them.
fn yaml(path: &str) -> Option<Vec<Value>> {
    let python = installed("PORTCULLIS_PYTHON", "python")?;
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";
    let mut command = Command::new(python);
    command
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(committed(path).as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
