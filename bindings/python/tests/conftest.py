"""A development identity provider as a process, and what the tests ask of it."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from portcullis_auth import Server

AUDIENCE = "api://enterprise-api"


class Idp:
    """The provider: tokens, and faults."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def token(self, user: str = "alice", **form: Any) -> str:
        return self._post("/dev/token", {"user": user, **form})

    def bearer(self, user: str = "alice", **form: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(user, **form)}"}

    def fault(self, **faults: str) -> None:
        self._post("/dev/faults", faults)

    def clear_faults(self) -> None:
        self.fault(jwks="none", metadata="none")

    def rotate(self) -> None:
        self._post("/dev/rotate", {})

    def _post(self, path: str, form: dict[str, Any]) -> str:
        body = urlencode(form).encode()
        with urlopen(self.issuer + path, body, timeout=10) as response:
            return response.read().decode()


@pytest.fixture(scope="session")
def running_idp() -> Iterator[Idp]:
    command = os.environ.get("PORTCULLIS_COMMAND", "portcullis")
    process = subprocess.Popen(
        [command, "idp", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        match line.split():
            case ["issuer", issuer]:
                break
    else:
        pytest.fail("the identity provider did not start")
    yield Idp(issuer)
    process.terminate()
    process.stdout.close()
    process.wait(10)


@pytest.fixture
def idp(running_idp: Idp) -> Iterator[Idp]:
    yield running_idp
    running_idp.clear_faults()


@pytest.fixture
def server(idp: Idp) -> Server:
    """A server that knows no keys yet."""
    return Server(idp.issuer, AUDIENCE)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    import base64

    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
