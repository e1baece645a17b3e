"""A network of its own: pages show fixed ports, which other programs of this machine may have."""

import fcntl
import os
import shutil
import socket
import struct
import sys

SET_FLAGS = 0x8914
IS_UP = 0x1
ENTERED = "PAGES_OWN_NETWORK"


def enter_own_network() -> None:
    """Starts this program again in a network with loopback only, where that is allowed."""
    if ENTERED in os.environ:
        _raise_loopback()
    elif os.geteuid() == 0 and (unshare := shutil.which("unshare")):
        os.environ[ENTERED] = "1"
        os.execv(unshare, [unshare, "--net", sys.executable, *sys.argv])


def _raise_loopback() -> None:
    request = struct.pack("16sh14x", b"lo", IS_UP)
    with socket.socket() as probe:
        fcntl.ioctl(probe, SET_FLAGS, request)
