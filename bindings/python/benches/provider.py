"""The development identity provider, and tokens of it."""

import http.client
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlencode, urlparse

AUDIENCE = "api://enterprise-api"
CLAIMS = {"nbf": 1, "ver": "2.0"}
"""Claims that fastapi-azure-auth demands, as Entra ID issues them."""


class Provider:
    """A provider that signs with RS256 and a key of 2048 bits."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._address = urlparse(issuer).netloc

    def mint(self, count: int) -> list[str]:
        """That many different tokens."""
        shares = [count // 4 + (rest < count % 4) for rest in range(4)]
        with ThreadPoolExecutor(4) as workers:
            return [token for share in workers.map(self._mint, shares) for token in share]

    def _mint(self, count: int) -> list[str]:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        form = {"user": "alice", "lifetime": "36000", "claims": json.dumps(CLAIMS)}
        tokens = [self._post(connection, "/dev/token", form) for _ in range(count)]
        connection.close()
        return tokens

    def command(self, path: str, **form: str) -> None:
        """Sends a command: a fault, or a rotation."""
        connection = http.client.HTTPConnection(self._address, timeout=30)
        self._post(connection, path, form)
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, path: str, form: dict[str, str]) -> str:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, urlencode(form), headers)
        response = connection.getresponse()
        body = response.read().decode()
        if response.status >= 300:
            raise RuntimeError(f"expected a success of {path}, found {response.status}: {body}")
        return body


@contextmanager
def run_provider(command: str) -> Iterator[Provider]:
    """Runs a provider on a free port."""
    process = subprocess.Popen(
        [command, "idp", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            match line.split():
                case ["issuer", issuer]:
                    yield Provider(issuer)
                    return
        raise RuntimeError("the identity provider did not start")
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)
