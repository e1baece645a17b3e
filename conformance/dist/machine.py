"""A copy of this system that is thrown away: its files in memory, over those that are there.

It begins with systemd as its first process, so that a package meets what it meets elsewhere. The
kernel is this machine's: what would change that is read-only, or out of reach.
"""

import contextlib
import fcntl
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from report import run

SET_FLAGS, IS_UP = 0x8914, 0x1
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
SYSTEMD = "/lib/systemd/systemd"
NAMESPACES = ("--mount", "--pid", "--net", "--cgroup", "--uts", "--ipc", "--fork", "--kill-child")
WITHOUT = "-sys_module,-sys_rawio,-sys_time,-syslog,-mknod"
PLACE = "/run/check"
"""Where the copy has this program, the files to check, and what is told."""
CHECK = f"""
[Unit]
DefaultDependencies=no

[Service]
Type=oneshot
Environment=PATH={os.environ["PATH"]} PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
StandardOutput=append:{PLACE}/told/log
StandardError=append:{PLACE}/told/log
ExecStart={sys.executable} {PLACE}/program/check.py {PLACE}/files package
ExecStopPost=/bin/kill -s RTMIN+5 1
"""
"""The copy ends with the check: the signal is that of an exit."""


def raise_loopback() -> None:
    with socket.socket() as probe:
        fcntl.ioctl(probe, SET_FLAGS, struct.pack("16sh14x", b"lo", IS_UP))


def wait(condition: Callable[[], object], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if condition():
                return True
        time.sleep(0.05)
    return False


def boot(files: Path, told: Path) -> None:
    """Becomes systemd in the copy, which starts this program again."""
    base = told / "copy"
    base.mkdir()
    _mount("-t", "tmpfs", "none", base)
    upper, work, root = (base / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    _mount("-t", "overlay", "none", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root)
    _mount_kernel(root)
    _mount("-t", "tmpfs", "none", root / "run")
    program = Path(__file__).parent
    for name, source in (("program", program), ("files", files), ("told", told), ("upper", upper)):
        place = root / PLACE.strip("/") / name
        place.mkdir(parents=True)
        _mount("--bind", source, place)
    unit = root / "run/systemd/system/check.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(CHECK)
    # No other file systems, and no rule of a container's image that keeps services from starting.
    (root / "etc/fstab").write_text("")
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
    raise_loopback()
    os.chdir(root)
    old = root / "run/old"
    old.mkdir()
    # In a changed root only, systemd could not give a service users of its own.
    done = run("pivot_root", ".", "run/old")
    assert done.returncode == 0, done.stdout
    os.chdir("/")
    run("umount", "--lazy", "/run/old")
    confined = ["setpriv", f"--bounding-set={WITHOUT}", f"--inh-caps={WITHOUT}", SYSTEMD]
    arguments = ["--system", "--unit=check.service", "--log-target=null", "--show-status=false"]
    environment = {"container": "check", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    os.execvpe("setpriv", confined + arguments, environment)


def _mount_kernel(root: Path) -> None:
    """What the kernel shows, without what would change it for others."""
    _mount("-t", "proc", "none", root / "proc")
    _mount("--bind", root / "proc/sys", root / "proc/sys")
    _mount("-o", "remount,bind,ro", root / "proc/sys")
    _mount("-t", "sysfs", "-o", "ro", "none", root / "sys")
    _mount("-t", "cgroup2", "none", root / "sys/fs/cgroup")
    _mount("-t", "tmpfs", "-o", "mode=0755", "none", root / "dev")
    for name in DEVICES:
        (root / "dev" / name).touch()
        _mount("--bind", Path("/dev", name), root / "dev" / name)
    for name, kind in {"shm": "tmpfs", "pts": "devpts"}.items():
        (root / "dev" / name).mkdir()
        _mount("-t", kind, "none", root / "dev" / name)
    (root / "dev/ptmx").symlink_to("pts/ptmx")


def _mount(*arguments: str | Path) -> None:
    done = run("mount", *map(str, arguments))
    assert done.returncode == 0, done.stdout


def differences() -> set[str]:
    """The paths of all files that the copy has and the system does not have like this."""
    upper = Path(PLACE, "upper")
    return {f"/{it.relative_to(upper)}" for it in upper.rglob("*") if not it.is_dir()}
