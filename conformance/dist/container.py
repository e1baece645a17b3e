"""The image as containers, by umoci and crun: as `docker run --read-only --cap-drop ALL` runs it.

The containers have the network of this check, so that they meet its identity provider and its API.
"""

import json
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import network
from archive import only, unpack
from machine import raise_loopback, wait
from network import ask
from report import Report, run

CRUN = ("crun", "--cgroup-manager=disabled")
CONFINED = ["Uid:\t65532\t65532\t65532\t65532", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"]


class Container:
    """A container that runs a command of the image."""

    def __init__(
        self, bundle: Path, name: str, arguments: list[str] | None, settings: Path
    ) -> None:
        self.name = f"portcullis-{name}-{bundle.parent.name}"
        config = json.loads((bundle / "unpacked.json").read_text())
        process = config["process"]
        process |= {"terminal": False, "capabilities": {}, "noNewPrivileges": True}
        if arguments is not None:
            process["args"] = [process["args"][0], *arguments]
        config["root"]["readonly"] = True
        kept = [
            it for it in config["linux"]["namespaces"] if it["type"] not in ("network", "cgroup")
        ]
        config["linux"]["namespaces"] = kept
        config["mounts"] = [it for it in config["mounts"] if it["type"] not in ("cgroup", "sysfs")]
        # docker run -v ./portcullis.toml:/etc/portcullis/portcullis.toml:ro
        mount = {"destination": "/etc/portcullis/portcullis.toml", "source": str(settings)}
        config["mounts"].append(mount | {"type": "bind", "options": ["rbind", "ro"]})
        (bundle / "config.json").write_text(json.dumps(config))
        self.log = bundle / f"{name}.log"
        command = [*CRUN, "run", "--bundle", str(bundle), self.name]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def told(self) -> str:
        return self.log.read_text()[-2000:]

    def status(self) -> str:
        """What the kernel says of its first process."""
        state = json.loads(run(*CRUN, "state", self.name).stdout)
        return Path(f"/proc/{state['pid']}/status").read_text()

    def stop(self) -> object:
        """As `docker stop` does; returns the status of its end."""
        run(*CRUN, "kill", self.name, "TERM")
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            run(*CRUN, "kill", self.name, "KILL")
            self.process.wait()
            return "it did not end"


def check(report: Report, folder: Path) -> None:
    raise_loopback()
    done = run("mount", "-t", "proc", "none", "/proc")
    assert done.returncode == 0, done.stdout
    # For crun, which refuses the older form of control groups.
    run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    work = Path(tempfile.mkdtemp(prefix="dist-"))
    try:
        bundle = _unpack(report, only(folder, "portcullis-*-oci-*.tar"), work)
        settings = work / "portcullis.toml"
        settings.write_text(network.beyond_loopback())
        settings.chmod(0o644)
        network.serve_api()
        _serve(report, bundle, settings)
        _run_provider(report, bundle, settings)
        _develop(report, bundle, settings)
        _refuse(report, bundle, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpack(report: Report, path: Path, work: Path) -> Path:
    layout, bundle = work / "layout", work / "bundle"
    layout.mkdir()
    unpack(path, layout)
    listed = run("umoci", "list", "--layout", str(layout)).stdout.split()
    report.equal("umoci finds one image", len(listed), 1)
    done = run("umoci", "unpack", "--image", f"{layout}:{listed[0]}", str(bundle))
    report.check("umoci unpacks it", done.returncode == 0, done.stdout)
    shutil.copy(bundle / "config.json", bundle / "unpacked.json")
    return bundle


def _serve(report: Report, bundle: Path, settings: Path) -> None:
    """The image's own command, with a settings file."""
    provider = network.start_provider(str(bundle / "rootfs/usr/bin/portcullis"))
    container = Container(bundle, "serve", None, settings)
    started = wait(lambda: ask(9901, "/ready")[0] == 200)
    if not report.check("serve: ready", started, container.told()):
        container.stop()
        provider.kill()
        return
    status = container.status()
    report.equal("serve: not root", [it for it in CONFINED if it not in status], [])
    own = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    report.equal("serve: the first process of its container", own.split()[-1], "1")
    report.equal("serve: a public route", ask(8080, "/public-data"), (200, "nobody"))
    report.equal("serve: no token", ask(8080, "/orders")[0], 401)
    token = network.token()
    report.equal("serve: a token", ask(8080, "/orders", token)[0], 200)
    answers: list[tuple[int, str]] = []
    slow = threading.Thread(target=lambda: answers.append(ask(8080, "/slow", token)))
    slow.start()
    network.Api.slow.wait(10)
    report.equal("serve: ends on SIGTERM", container.stop(), 0)
    slow.join()
    report.equal("serve: a request under way is answered first", [it[0] for it in answers], [200])
    _watch_keys(report, bundle, settings)
    provider.terminate()
    provider.wait(20)


def _watch_keys(report: Report, bundle: Path, settings: Path) -> None:
    container = Container(bundle, "keys", ["keys", "--watch", network.ISSUER], settings)
    shown = wait(lambda: "RS256" in container.told())
    report.check("keys --watch: shows keys", shown, container.told())
    report.equal("keys --watch: ends on SIGTERM", container.stop(), 0)


def _run_provider(report: Report, bundle: Path, settings: Path) -> None:
    arguments = ["idp", "--listen", "127.0.0.1:9000"]
    container = Container(bundle, "idp", arguments, settings)
    started = wait(lambda: ask(9000, "/health")[0] == 200)
    report.check("idp: ready", started, container.told())
    report.equal("idp: makes a token", network.token().count("."), 2)
    report.equal("idp: ends on SIGTERM", container.stop(), 0)


def _develop(report: Report, bundle: Path, settings: Path) -> None:
    container = Container(bundle, "dev", ["dev"], settings)
    started = wait(lambda: "Ctrl-C stops everything" in container.told())
    report.check("dev: ready", started, container.told())
    report.equal("dev: the provider", ask(9000, "/health")[0], 200)
    report.equal("dev: ends on SIGTERM", container.stop(), 0)


def _refuse(report: Report, bundle: Path, work: Path) -> None:
    """Settings that are wrong end the container, with the reason in its log."""
    wrong = work / "wrong.toml"
    wrong.write_text("[gateway]\nlisten = 8080\n")
    container = Container(bundle, "wrong", None, wrong)
    report.equal("wrong settings: status", container.process.wait(20), 1)
    report.check("wrong settings: the reason", "listen" in container.told(), container.told())
