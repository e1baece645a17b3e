"""The pages for Django and Flask: their blocks in a project, which runs as it would by hand."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import portcullis_auth
from conftest import AUDIENCE, Idp

PAGES = Path(__file__).parents[3] / "docs" / "python"


def write_blocks(page: str, folder: Path) -> None:
    """Adds each block that begins with the name of a file to that file."""
    text = (PAGES / page).read_text()
    for block in re.findall(r"^```(?:python|toml|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        named = re.match(r"# (\S+)\n", block)
        assert named, block
        with (folder / named[1]).open("a") as file:
            file.write(f"\n{block}")


def run(folder: Path, *command: str) -> str:
    """The output of a command that succeeds, run with the settings of the page."""
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OAUTH2_")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    # The package of these tests, from any folder.
    package = str(Path(portcullis_auth.__file__).parents[1])
    return {**kept, "PYTHONPATH": package, "PYTHONWARNINGS": "error", **variables}


class Api:
    """A served application."""

    def __init__(self, url: str, idp: Idp) -> None:
        self.url = url
        self.idp = idp

    def guest(self, path: str) -> int:
        return requests.get(self.url + path, timeout=10).status_code

    def get(self, path: str, user: str = "bob", **order: str) -> tuple[int, Any]:
        headers = self.idp.bearer(user, **order)
        response = requests.get(self.url + path, headers=headers, timeout=10)
        assert response.status_code != 401 or response.headers["WWW-Authenticate"]
        return response.status_code, response.json()


def serve(folder: Path, application: str, idp: Idp) -> Iterator[Api]:
    """The application behind gunicorn."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", application]
    variables = environment(OAUTH2_ISSUER=idp.issuer, OAUTH2_AUDIENCE=AUDIENCE)
    # Its own packages may warn.
    variables.pop("PYTHONWARNINGS")
    log = (folder / "gunicorn.log").open("w")
    process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not is_open(port):
            assert process.poll() is None, (folder / "gunicorn.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield Api(f"http://127.0.0.1:{port}", idp)
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("django")
    run(folder, "-m", "django", "startproject", "shop", ".")
    write_blocks("django.md", folder)
    return folder


@pytest.fixture
def shop(project: Path, idp: Idp) -> Iterator[Api]:
    yield from serve(project, "shop.wsgi", idp)


def test_the_checks_and_the_tests_of_the_django_project_pass(project: Path) -> None:
    run(project, "manage.py", "check", "--fail-level", "WARNING")
    assert "Ran 3 tests" in run(project, "manage.py", "test", "shop")


def test_the_check_reports_faults(project: Path) -> None:
    faulty = environment(OAUTH2_ISSUER="ftp://idp.example")
    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=project,
        env=faulty,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "portcullis_auth.E001" in ended.stderr
    assert "issuer[0].url" in ended.stderr


def test_the_django_project_does_what_the_page_says(shop: Api) -> None:
    assert shop.guest("/health") == 200
    assert shop.guest("/admin/login/") == 200
    for path in ("/profile", "/orders", "/reports/today", "/batch", "/invoices", "/none"):
        assert shop.guest(path) == 401
    # The receivers answer, before the middleware that demands a token.
    assert shop.guest("/.portcullis/logout") == 404
    assert shop.get("/profile") == (200, {"name": "Bob Brown"})
    assert shop.get("/profile", flaw="expired")[1]["code"] == "token.expired"
    assert shop.get("/orders", scope="orders:read")[0] == 200
    assert shop.get("/orders", scope="x")[1]["code"] == "policy.scope"
    assert shop.get("/token-only") == (200, {"client": "web"})
    for path in ("/reports/today", "/reports%2Ftoday", "/%72eports/today"):
        assert shop.get(path)[1]["code"] == "policy.role"
        assert shop.get(path, user="alice")[0] == 200
    assert shop.get("/batch")[0] == 403
    assert shop.get("/batch", roles="Clerk")[0] == 200
    assert shop.get("/invoices", roles="Clerk", scope="invoices:read")[0] == 200
    assert shop.get("/invoices", roles="Clerk")[0] == 403
    assert shop.get("/reports/../profile", user="alice")[0] == 200
    shop.idp.rotate()
    shop.idp.fault(jwks="500")
    assert shop.get("/profile")[1]["code"] == "outage.keys"


def test_its_rest_framework_does_what_the_page_says(shop: Api) -> None:
    for path in ("/api/caller", "/api/payments", "/api/audit"):
        assert shop.guest(path) == 401
    status, body = shop.get("/api/caller", scope="a b")
    assert (status, body) == (200, {"name": "Bob Brown", "scopes": ["a", "b"]})
    assert shop.get("/api/payments", scope="payments", roles="Clerk")[0] == 200
    assert shop.get("/api/payments", scope="payments")[0] == 403
    assert shop.get("/api/audit")[0] == 403
    status, body = shop.get("/api/audit", roles="Auditor")
    assert (status, body["code"]) == (401, "policy.step_up")
    signed_in_now = json.dumps({"auth_time": int(time.time())})
    assert shop.get("/api/audit", roles="Auditor", claims=signed_in_now)[0] == 200


def test_a_prefix_from_a_header_moves_no_view_to_another_route(shop: Api) -> None:
    # gunicorn believes this header of a neighbour on loopback.
    for user, expected in [("bob", 403), ("alice", 200)]:
        headers = {**shop.idp.bearer(user), "SCRIPT_NAME": "/x"}
        response = requests.get(f"{shop.url}/x/reports/today", headers=headers, timeout=10)
        assert response.status_code == expected


@pytest.fixture(scope="module")
def flask_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flask")
    write_blocks("flask.md", folder)
    return folder


@pytest.mark.parametrize("handlers", [0, 1])
def test_the_flask_application_does_what_the_page_says(
    flask_app: Path, idp: Idp, tmp_path: Path, handlers: int
) -> None:
    text = (flask_app / "app.py").read_text()
    # The page has problem documents first, and then a handler of its own.
    split = text.index("\n# app.py\nfrom portcullis_auth.flask import Denial")
    (tmp_path / "app.py").write_text(text if handlers else text[:split])
    for api in serve(tmp_path, "app:app", idp):
        assert api.guest("/public-data") == 200
        assert api.guest("/greeting") == 200
        for path in ("/protected-data", "/orders", "/batch", "/profile/", "/reports/today"):
            assert api.guest(path) == 401
        assert api.get("/protected-data") == (200, {"message": "Hello, Bob Brown!"})
        assert api.get("/greeting", flaw="expired")[1]["code"] == "token.expired"
        assert api.get("/orders", scope="orders:read")[0] == 200
        assert api.get("/batch")[0] == 403
        assert api.get("/batch", roles="Clerk") == (200, {"client": "web"})
        assert api.get("/profile/") == (200, {"name": "Bob Brown"})
        assert api.get("/reports/today", user="alice")[0] == 200
        status, body = api.get("/reports/today")
        assert (status, body["code"]) == (403, "policy.role")
        assert ("request_id" in body) is not bool(handlers)
        idp.rotate()
        idp.fault(jwks="500")
        assert api.get("/profile/")[1]["code"] == "outage.keys"


def test_the_tests_of_the_flask_page_pass(flask_app: Path) -> None:
    output = run(flask_app, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py")
    assert "4 passed" in output


def test_the_factory_of_the_flask_page_makes_applications(flask_app: Path, idp: Idp) -> None:
    names: dict[str, Any] = {"__name__": "factory"}
    exec(compile((flask_app / "factory.py").read_text(), "factory.py", "exec"), names)
    app = names["create_app"](portcullis_auth.Server(idp.issuer, AUDIENCE))
    assert app.test_client().get("/name", headers=idp.bearer()).json == {"name": "Alice Adams"}
    assert app.test_client().get("/name").status_code == 401
