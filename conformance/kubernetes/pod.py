"""Runs a rendered pod as a node would, without a cluster: its settings in a mounted ConfigMap,
its user, a root that is read-only, no capabilities, a network of its own.

`check.py` starts it: `unshare --net --mount python pod.py FOLDER COMMAND`, with the release in
FOLDER/release.yaml.
"""

import fcntl
import http.client
import http.server
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import helm
from rules import Release

ISSUER = "http://127.0.0.1:9000"
SETS = (
    helm.IMAGE,
    "mode=sidecar",
    "dangerPlainHttp=true",
    f"issuer.url={ISSUER}",
    "issuer.audience={api://enterprise-api}",
    "issuer.danger_plain_http=true",
    "upstream=http://127.0.0.1:8000",
)
"""The values of the release: a sidecar, whose issuer and API are on loopback."""
PUBLIC = '\n[[route]]\npath = "/opened-later"\naccess = "public"\n'


class Failed(Exception):
    """What the pod did not do."""


class Api(http.server.BaseHTTPRequestHandler):
    """The container beside the gateway: it returns what it is told about the caller."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(3)
        body = json.dumps({"subject": self.headers.get("x-auth-subject")}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class Volume:
    """A mounted ConfigMap: files that are links, through one link that is swapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        folder.mkdir()

    def write(self, text: str) -> None:
        self.count += 1
        version = self.folder / f"..{self.count}"
        version.mkdir()
        (version / "portcullis.toml").write_text(text)
        (self.folder / "..new").symlink_to(version.name)
        (self.folder / "..new").rename(self.folder / "..data")
        if self.count == 1:
            (self.folder / "portcullis.toml").symlink_to("..data/portcullis.toml")


def main() -> int:
    folder, command = Path(sys.argv[1]), Path(sys.argv[2])
    raise_loopback()
    release = Release(helm.documents((folder / "release.yaml").read_text()))
    api = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Api)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    volume = Volume(folder / "settings")
    volume.write(release.text)
    log = (folder / "pod.log").open("w")
    container = subprocess.Popen(container_of(release, folder, command), stdout=log, stderr=log)
    started = [container]
    try:
        follow(release, volume, container, lambda: started.append(start_idp(command, folder)))
    except Failed as failed:
        print(f"{failed}; the log of the pod:\n{(folder / 'pod.log').read_text()[-3000:]}")
        return 1
    finally:
        for process in started:
            process.kill()
            process.wait()
    return 0


def container_of(release: Release, folder: Path, command: Path) -> list[str]:
    """The command of the gateway's container, in a root of its own."""
    root = folder / "root"
    gateway = release.gateway
    mount = next(it for it in gateway["volumeMounts"] if it["name"] == "portcullis-settings")
    parts = {Path(path): path.lstrip("/") for path in ("/usr", "/lib", "/lib64", "/proc", "/dev")}
    # The base of the image has the authorities too: without any, no issuer can be fetched.
    parts[Path("/etc/ssl/certs")] = "etc/ssl/certs"
    parts |= {folder / "settings": mount["mountPath"].lstrip("/"), command: "usr-portcullis"}
    root.mkdir()
    run("mount", "--bind", str(root), str(root))
    for source, target in parts.items():
        if not source.exists():
            continue
        place = root / target
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir() if source.is_dir() else place.touch()
        run("mount", "--rbind", str(source.resolve()), str(place))
    security = gateway["securityContext"]
    if security["readOnlyRootFilesystem"]:
        run("mount", "-o", "remount,ro,bind", str(root))
    user, group = security["runAsUser"], security["runAsGroup"]
    become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    if security["capabilities"]["drop"] == ["ALL"]:
        become += ["--bounding-set=-all", "--inh-caps=-all"]
    if not security["allowPrivilegeEscalation"]:
        become += ["--no-new-privs"]
    return ["chroot", str(root), *become, "/usr-portcullis", *gateway["args"]]


def follow(
    release: Release,
    volume: Volume,
    container: "subprocess.Popen[bytes]",
    begin_idp: Callable[[], None],
) -> None:
    """The life of a pod."""
    admin = release.ports["admin"]
    main_port = next(port for name, port in release.ports.items() if name != "admin")
    ready = release.gateway["readinessProbe"]["httpGet"]["path"]
    live = release.gateway["livenessProbe"]["httpGet"]["path"]

    await_status("alive without its issuer", admin, live, 200, 10)
    await_status("not ready without its issuer", admin, ready, 503, 1)
    check_process(container, release)
    begin_idp()
    await_status("ready with its issuer", admin, ready, 200, 40)

    token = token_of_alice()
    status, body = get(main_port, "/protected-data", token)
    if status != 200 or not json.loads(body)["subject"]:
        raise Failed(f"a request with a token: {status} {body!r}")
    await_status("a request without a token", main_port, "/opened-later", 401, 1)

    volume.write(release.text + PUBLIC)
    await_status("a changed ConfigMap", main_port, "/opened-later", 200, 10)
    volume.write("nonsense")
    metric = 'portcullis_gateway_reload_failed{what="settings"} 1'
    await_true("a broken ConfigMap is told", lambda: metric in get(admin, "/metrics")[1], 10)
    await_status("a broken ConfigMap", main_port, "/opened-later", 200, 1)

    # A request is under way when the pod is stopped.
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(get(main_port, "/slow", token)[0]))
    slow.start()
    time.sleep(1)
    container.send_signal(signal.SIGTERM)
    await_status("not ready while it stops", admin, ready, 503, 1)
    slow.join()
    if answers != [200]:
        raise Failed(f"the request that was under way got {answers}")
    grace = release.settings["gateway"]["timeouts"]["drain"]
    try:
        status = container.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        raise Failed("it has not stopped") from None
    if status != 0:
        raise Failed(f"it stopped with {status}")


def check_process(container: "subprocess.Popen[bytes]", release: Release) -> None:
    """What the kernel says about the process."""
    lines = Path(f"/proc/{container.pid}/status").read_text().splitlines()
    told = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    user = str(release.gateway["securityContext"]["runAsUser"])
    found = (set(told["Uid"]), told["CapEff"], told["CapBnd"], told["NoNewPrivs"])
    none = ["0000000000000000"]
    if found != ({user}, none, none, ["1"]):
        raise Failed(f"the process runs with {found}")


def start_idp(command: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """The development provider."""
    log = (folder / "idp.log").open("w")
    options = ["idp", "--listen", ISSUER.removeprefix("http://")]
    return subprocess.Popen([command, *options], stdout=log, stderr=log, cwd=folder)


def token_of_alice() -> str:
    with urllib.request.urlopen(f"{ISSUER}/dev/token", data=b"user=alice", timeout=5) as response:
        token: str = response.read().decode().strip()
        return token


def get(port: int, path: str, token: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(
            "GET", path, headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError as error:
        return 0, str(error)
    finally:
        connection.close()


def await_status(what: str, port: int, path: str, status: int, seconds: float) -> None:
    await_true(f"{what}: {path} is not {status}", lambda: get(port, path)[0] == status, seconds)


def await_true(what: str, holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise Failed(what)
        time.sleep(0.2)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def raise_loopback() -> None:
    """A new network has a loopback that is down: SIOCSIFFLAGS, IFF_UP."""
    with socket.socket() as probe:
        fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 1))


if __name__ == "__main__":
    sys.exit(main())
