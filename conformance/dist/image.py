"""The image as a file: its layout, its settings, and what is in it."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from pathlib import Path

from archive import check_members, only
from report import Report, run

BEGIN = b"-----BEGIN CERTIFICATE-----"
AUTHORITIES = Path("/usr/share/ca-certificates/mozilla")
FOLDERS = ("etc", "lib", "lib64", "usr", "var")
EXECUTABLE = ("usr/bin/portcullis", "lib/", "lib64/")


def check(report: Report, folder: Path) -> None:
    path = only(folder, "portcullis-*-oci-*.tar")
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        files = {it.name: tar.extractfile(it).read() for it in members if it.isfile()}  # type: ignore[union-attr]
    check_members(report, "the layout", members, executable=set())
    blobs = {it.removeprefix("blobs/sha256/"): files[it] for it in files if "blobs" in it}
    odd = [it for it, blob in blobs.items() if hashlib.sha256(blob).hexdigest() != it]
    report.equal("each blob has the name of its digest", odd, [])
    (entry,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(_blob(report, "the manifest", blobs, entry))
    config = json.loads(_blob(report, "the configuration", blobs, manifest["config"]))
    (layer,) = (gzip.decompress(_blob(report, "the layer", blobs, it)) for it in manifest["layers"])
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    report.equal(
        "the layer is the one of the configuration", config["rootfs"]["diff_ids"], [digest]
    )
    _check_config(report, config)
    _check_layer(report, layer)
    _ask_skopeo(report, path)


def _blob(
    report: Report, name: str, blobs: dict[str, bytes], described: dict[str, object]
) -> bytes:
    blob = blobs[str(described["digest"]).removeprefix("sha256:")]
    report.equal(f"the size of {name}", described["size"], len(blob))
    return blob


def _check_config(report: Report, config: dict[str, object]) -> None:
    run_ = config["config"]
    assert isinstance(run_, dict)
    expected = {
        "User": "65532:65532",
        "Entrypoint": ["/usr/bin/portcullis"],
        "Cmd": ["serve"],
        "WorkingDir": "/etc/portcullis",
        "StopSignal": "SIGTERM",
        "ExposedPorts": {"8080/tcp": {}},
    }
    for name, value in expected.items():
        report.equal(f"the image's {name}", run_.get(name), value)
    labels = {it.removeprefix("org.opencontainers.image.") for it in run_["Labels"]}
    wanted = {"title", "description", "licenses", "version", "created"}
    report.equal("the image's labels", wanted - labels, set())


def _check_layer(report: Report, layer: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        members = tar.getmembers()
        names = [it.name for it in members]
        bundle = tar.extractfile("etc/ssl/certs/ca-certificates.crt").read()  # type: ignore[union-attr]
    executable = {it for it in names if it.startswith(EXECUTABLE)}
    check_members(report, "the layer", members, executable)
    report.equal("the layer's folders", {it.split("/")[0] for it in names}, set(FOLDERS))
    programs = [it for it in names if "bin/" in it]
    report.equal("there is one program, and no shell", programs, ["usr/bin/portcullis"])
    if AUTHORITIES.is_dir():
        known = {it.read_bytes().strip() for it in AUTHORITIES.glob("*.crt")}
        found = {BEGIN + it.rstrip() for it in bundle.split(BEGIN)[1:]}
        report.check("authorities", len(found) > 100, len(found))
        # This machine may trust others, and must not hand that on.
        report.equal("no authorities but Mozilla's", len(found - known), 0)
    else:
        report.skip("authorities", "ca-certificates not installed")


def _ask_skopeo(report: Report, path: Path) -> None:
    if not shutil.which("skopeo"):
        report.skip("what skopeo reads", "skopeo not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        docker = f"docker-archive:{folder}/docker.tar:portcullis:check"
        copied = run("skopeo", "--insecure-policy", "copy", f"oci-archive:{path}", docker)
        report.check(
            "skopeo makes an image for `docker load` of it", copied.returncode == 0, copied.stdout
        )
