//! `portcullis-<version>-oci-<architecture>.tar`: an image for containers, as a layout of the Open Container
//! Initiative. It has the program, its libraries and certificates. There is no shell.

use crate::dist::contents::Contents;
use crate::dist::libraries::{self, Library};
use crate::dist::release::Release;
use crate::dist::sums::sha256;
use crate::dist::tree::{Tree, compress};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Its number is that of other images without a root user.
const USERS: &str = "root:x:0:0:root:/:/sbin/nologin\n\
                     nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\nnonroot:x:65532:\n";
/// Names are in files first, as everywhere.
const NAMES: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

pub(crate) fn pack(
    release: &Release,
    contents: &Contents,
    work: &Path,
    out: &Path,
) -> Result<(), String> {
    let libraries = libraries::find(&release.binary)?;
    let files = Tree::create(&work.join("image"))?;
    fill(contents, &files)?;
    fill_system(&libraries, &files)?;
    let layout = Tree::create(&work.join("layout"))?;
    let layer = work.join("layer.tar");
    files.pack(release.epoch, &layer)?;
    let uncompressed = sha256(&layer)?;
    let layer = Blob::add(
        &layout,
        &std::fs::read(compress(&layer, release.effort)?).map_err(|error| fault(&error))?,
        work,
    )?;
    let time = release.time("+%Y-%m-%dT%H:%M:%SZ")?;
    let config = describe(release, &uncompressed, &time);
    let config = Blob::add(&layout, &bytes(&config)?, work)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.describe("application/vnd.oci.image.config.v1+json"),
        "layers": [layer.describe("application/vnd.oci.image.layer.v1.tar+gzip")],
        "annotations": labels(release, &time),
    });
    let manifest = Blob::add(&layout, &bytes(&manifest)?, work)?;
    let index = list(release, manifest.describe(MANIFEST));
    layout.write("index.json", &bytes(&index)?, 0o644)?;
    let version = json!({ "imageLayoutVersion": "1.0.0" });
    layout.write("oci-layout", &bytes(&version)?, 0o644)?;
    let name = format!(
        "portcullis-{}-oci-{}.tar",
        release.version, release.architecture
    );
    layout.pack(release.epoch, &out.join(name))
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn fill(contents: &Contents, files: &Tree) -> Result<(), String> {
    files.copy("usr/bin/portcullis", &contents.path("portcullis"), 0o755)?;
    for name in ["LICENSE", "NOTICES.txt"] {
        let to = format!("usr/share/doc/portcullis/{name}");
        files.copy(&to, &contents.path(name), 0o644)?;
    }
    files.write("etc/passwd", USERS.as_bytes(), 0o644)?;
    files.write("etc/group", GROUPS.as_bytes(), 0o644)?;
    files.write("etc/nsswitch.conf", NAMES.as_bytes(), 0o644)?;
    // The settings are mounted here.
    files.open("etc/portcullis").map(drop)
}

/// The parts of Debian, each with its licence, and with what a scanner needs to know it.
fn fill_system(libraries: &[Library], files: &Tree) -> Result<(), String> {
    for package in libraries::packages(libraries) {
        libraries::verify(&package)?;
        let status = format!("var/lib/dpkg/status.d/{package}");
        files.write(&status, &libraries::status(&package)?, 0o644)?;
        let copyright = format!("usr/share/doc/{package}/copyright");
        files.copy(&copyright, &Path::new("/").join(&copyright), 0o644)?;
    }
    for library in libraries {
        let to = library.path.trim_start_matches('/');
        files.copy(to, Path::new(&library.path), 0o755)?;
    }
    files.copy("etc/os-release", Path::new("/etc/os-release"), 0o644)?;
    let authorities = libraries::authorities()?;
    files.write("etc/ssl/certs/ca-certificates.crt", &authorities, 0o644)
}

/// How a container of the image runs.
fn describe(release: &Release, layer: &str, time: &str) -> Value {
    json!({
        "created": time,
        "architecture": release.architecture,
        "os": "linux",
        "config": {
            "User": "65532:65532",
            "ExposedPorts": { "8080/tcp": {} },
            "Env": ["PATH=/usr/bin"],
            "Entrypoint": ["/usr/bin/portcullis"],
            "Cmd": ["serve"],
            // Where `serve` looks for portcullis.toml.
            "WorkingDir": "/etc/portcullis",
            "StopSignal": "SIGTERM",
            "Labels": labels(release, time),
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
        "history": [{ "created": time, "created_by": "cargo xtask dist" }],
    })
}

fn list(release: &Release, mut manifest: Value) -> Value {
    if let Some(members) = manifest.as_object_mut() {
        let name = json!({ "org.opencontainers.image.ref.name": release.version });
        let platform = json!({ "architecture": release.architecture, "os": "linux" });
        members.insert("annotations".to_owned(), name);
        members.insert("platform".to_owned(), platform);
    }
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    })
}

fn labels(release: &Release, time: &str) -> Value {
    let mut labels = Map::new();
    let mut add = |name: &str, value: &str| {
        labels.insert(format!("org.opencontainers.image.{name}"), json!(value));
    };
    add("title", "portcullis");
    add(
        "description",
        "OAuth 2.0 and OpenID Connect protection for HTTP APIs",
    );
    add("licenses", "Apache-2.0");
    add("version", release.version);
    add("created", time);
    if let Some(revision) = &release.revision {
        add("revision", revision);
    }
    Value::Object(labels)
}

/// A part of the layout, which the others name by its digest.
struct Blob {
    digest: String,
    size: usize,
}

impl Blob {
    fn add(layout: &Tree, contents: &[u8], work: &Path) -> Result<Self, String> {
        let file = work.join("blob");
        std::fs::write(&file, contents).map_err(|error| fault(&error))?;
        let digest = sha256(&file)?;
        layout.copy(&format!("blobs/sha256/{digest}"), &file, 0o644)?;
        let size = contents.len();
        Ok(Self { digest, size })
    }

    fn describe(&self, kind: &str) -> Value {
        let digest = format!("sha256:{}", self.digest);
        json!({ "mediaType": kind, "digest": digest, "size": self.size })
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| error.to_string())
}

fn fault(error: &std::io::Error) -> String {
    format!("the image: {error}")
}
