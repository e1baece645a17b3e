"""The example for FastAPI as a process: every status of its README, its streams, its page."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import portcullis_auth
from conftest import AUDIENCE, Idp

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "fastapi-native"
PACKAGE = Path(portcullis_auth.__file__).parents[1]
ORDERS = "orders:read orders:write"


def environment(idp: Idp, **more: str) -> dict[str, str]:
    """The settings, and this package for a process elsewhere."""
    own = {"OAUTH2_ISSUER": idp.issuer, "OAUTH2_AUDIENCE": AUDIENCE, "PYTHONPATH": str(PACKAGE)}
    return {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1", **more}


@contextmanager
def serving(
    idp: Idp, log: Path, *command: str, folder: Path = EXAMPLE, **more: str
) -> Iterator[str]:
    """The address of a server that runs in a folder."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environment(idp, **more),
            stdout=output,
            stderr=output,
        )
    try:
        yield wait_for_address(process, log)
    finally:
        process.terminate()
        process.wait(20)


def wait_for_address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"(?:running on|docs at) (http://127\.0\.0\.1:\d+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"the example did not start: {log.read_text()}")


@pytest.fixture
def api(idp: Idp, tmp_path: Path) -> Iterator[str]:
    """The example, as its README starts it, but for the port."""
    command = ["-m", "uvicorn", "main:app", "--port", "0"]
    with serving(idp, tmp_path / "log", *command) as address:
        yield address


def commands_of(page: str) -> list[tuple[str, str]]:
    """The lines of the shell in a page, each with its comment."""
    lines = re.findall(r"^\$ (.*)$", page, re.MULTILINE)
    split = [line.partition("  # ") for line in lines]
    return [(command.strip(), comment.strip()) for command, _, comment in split]


def check_commands(page: str, issuer: str, api: str) -> int:
    """Runs the lines of a page that call the API or fetch tokens, in their order. Asserts that each
    call has the status of its comment, and the text behind it if there is a code. Returns the
    number of calls."""
    script, expectations = [], []
    for command, comment in commands_of(page):
        command = command.replace("http://127.0.0.1:9000", issuer)
        command = command.replace("http://127.0.0.1:8000", api)
        if command.startswith("curl -i "):
            expectations.append((command, comment))
            options = "curl -s -w '\\n%{http_code}\\n=====\\n' "
            script.append(command.replace("curl -i ", options, 1))
        elif re.match(r"[A-Z]+=\$\(", command):
            script.append(command)
    output = subprocess.run(
        ["bash", "-eu", "-c", "\n".join(script)], capture_output=True, text=True, check=True
    ).stdout
    responses = output.split("\n=====\n")[:-1]
    for response, (command, comment) in zip(responses, expectations, strict=True):
        body, _, status = response.rpartition("\n")
        expected, _, text = comment.partition(" ")
        assert status == expected.rstrip(":"), command
        assert expected.endswith(":") or text in body, command
    return len(expectations)


def test_every_line_of_the_readme_answers_as_it_says(idp: Idp, api: str) -> None:
    assert check_commands((EXAMPLE / "README.md").read_text(), idp.issuer, api) == 13


def test_the_files_that_the_readme_names_exist() -> None:
    page = (EXAMPLE / "README.md").read_text()
    files = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(files) == 6
    assert all((EXAMPLE / name).is_file() for name in files)


def test_the_page_of_the_example_may_ask_the_provider(idp: Idp) -> None:
    command = [os.environ.get("PORTCULLIS_COMMAND", "portcullis"), "idp", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    issuer = next(line.split()[1] for line in process.stdout if line.split()[:1] == ["issuer"])
    try:
        origin = {"origin": "http://127.0.0.1:8000"}
        response = httpx2.get(f"{issuer}/.well-known/openid-configuration", headers=origin)
        assert response.headers["access-control-allow-origin"] == origin["origin"]
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)


def test_orders_belong_to_their_owner(idp: Idp, api: str) -> None:
    bob, alice = (idp.bearer(user, scope=ORDERS) for user in ("bob", "alice"))
    # A forged role is a header like any other.
    forged = {**idp.bearer("service", scope=ORDERS), "x-auth-roles": "Admin"}
    with httpx2.Client(base_url=api) as client:
        made = client.post("/orders", headers=alice, json={"item": "AB-1", "quantity": 3})
        assert (made.status_code, made.headers["location"]) == (201, "/orders/1")
        assert client.get("/orders/1", headers=alice).json() == made.json()
        for other in (bob, forged):
            assert client.get("/orders", headers=other).json() == []
            assert client.get("/orders/1", headers=other).status_code == 404
            assert client.delete("/orders/1", headers=other).status_code == 404
        read = idp.bearer("alice", scope="orders:read")
        assert client.delete("/orders/1", headers=read).status_code == 403
        assert client.delete("/orders/1", headers=alice).status_code == 204
        assert client.get("/orders/1", headers=alice).status_code == 404


def test_an_outage_is_503(idp: Idp, tmp_path: Path) -> None:
    idp.fault(jwks="500", metadata="500")
    command = ["-m", "uvicorn", "main:app", "--port", "0"]
    with serving(idp, tmp_path / "log", *command) as address:
        response = httpx2.get(f"{address}/protected-data", headers=idp.bearer())
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert httpx2.get(f"{address}/public-data").status_code == 200


def make_order(api: str, headers: dict[str, str], item: str) -> None:
    response = httpx2.post(f"{api}/orders", headers=headers, json={"item": item, "quantity": 1})
    assert response.status_code == 201


def test_events_come_until_the_token_ends(idp: Idp, api: str) -> None:
    bob, alice = (idp.bearer(user, scope=ORDERS) for user in ("bob", "alice"))
    # 60 seconds of clock skew are allowed, so this token has 6 seconds left.
    short = idp.bearer("bob", scope=ORDERS, claims=expiry_in(-54))
    with httpx2.Client(base_url=api) as client:
        assert client.get("/events").status_code == 401
        make_order(api, bob, "AB-1")
        with client.stream("GET", "/events", headers=short, timeout=60) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = (line for line in response.iter_lines() if line)
            assert json.loads(next(lines)[6:])["item"] == "AB-1"
            make_order(api, alice, "OTHERS")
            make_order(api, bob, "AB-2")
            assert json.loads(next(lines)[6:])["item"] == "AB-2"
            # The stream itself ends, before the first comment that would keep it alive.
            assert next(lines, None) is None


def expiry_in(seconds: int) -> str:
    return json.dumps({"exp": int(time.time()) + seconds})


def open_live(api: str, token: str, by: str) -> ClientConnection:
    """A WebSocket of somebody with this token, in the header or among the subprotocols."""
    url = api.replace("http://", "ws://") + "/live"
    if by == "header":
        return connect(url, additional_headers={"authorization": f"Bearer {token}"})
    return connect(url, subprotocols=["bearer", token])  # type: ignore[list-item]


@pytest.mark.parametrize("by", ["header", "subprotocol"])
def test_a_websocket_gets_orders_until_the_token_ends(idp: Idp, api: str, by: str) -> None:
    bob, alice = (idp.bearer(user, scope=ORDERS) for user in ("bob", "alice"))
    short = idp.token("bob", scope=ORDERS, claims=expiry_in(-54))
    make_order(api, bob, "AB-1")
    with open_live(api, short, by) as live:
        assert live.subprotocol == ("bearer" if by == "subprotocol" else None)
        assert json.loads(live.recv(timeout=20))["item"] == "AB-1"
        make_order(api, alice, "OTHERS")
        make_order(api, bob, "AB-2")
        assert json.loads(live.recv(timeout=20))["item"] == "AB-2"
        with pytest.raises(ConnectionClosed):
            live.recv(timeout=20)
        assert live.close_code == 1008


def test_a_websocket_is_refused_as_a_request_is(idp: Idp, api: str) -> None:
    for token, status in [
        (idp.token("bob", scope=ORDERS, flaw="expired"), 401),
        (idp.token("bob"), 403),
    ]:
        for by in ("header", "subprotocol"):
            with pytest.raises(InvalidStatus) as caught:
                open_live(api, token, by)
            assert caught.value.response.status_code == status
            assert "www-authenticate" in caught.value.response.headers


def test_the_page_signs_in(idp: Idp, tmp_path: Path) -> None:
    app = str(Path(__file__).with_name("docs_app.py"))
    port = free_port()
    more = {"PORT": str(port), "SWAGGER_UI": "http://127.0.0.1:9/files"}
    with serving(idp, tmp_path / "log", app, **more) as address:
        page = httpx2.get(f"{address}/docs").text
        assert "http://127.0.0.1:9/files/swagger-ui-bundle.js" in page
        assert '"usePkceWithAuthorizationCodeGrant": true' in page
        assert '"clientId": "web"' in page
        # Nothing of the page is from another host.
        hosts = set(re.findall(r"https?://([^/\"']+)", page))
        assert hosts == {"127.0.0.1:9"}
        assert httpx2.get(f"{address}/docs/oauth2-redirect").status_code == 200
        document = httpx2.get(f"{address}/openapi.json").json()
        flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
        assert flow["authorizationUrl"] == f"{idp.issuer}/authorize"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_the_tests_of_the_example_pass(idp: Idp) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "."]
    done = subprocess.run(
        command, cwd=EXAMPLE, env=environment(idp), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
