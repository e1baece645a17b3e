"""The example of the README, as it stands there."""

from pathlib import Path

from fastapi.testclient import TestClient

from conftest import AUDIENCE, Idp

README = Path(__file__).parents[1] / "README.md"


def test_the_example_does_what_the_page_says(idp: Idp, monkeypatch) -> None:
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    monkeypatch.setenv("OAUTH2_AUDIENCE", AUDIENCE)
    example = README.read_text().split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    client = TestClient(names["app"])

    def get(path: str, **form: str) -> tuple[int, object]:
        response = client.get(path, headers=idp.bearer(**form))
        return response.status_code, response.json()

    assert get("/protected-data") == (200, {"message": "Hello, Alice Adams!"})
    assert get("/protected-data", flaw="expired")[1]["code"] == "token.expired"
    assert get("/orders", scope="orders:read")[0] == 200
    assert get("/orders", scope="x")[1]["code"] == "policy.scope"
    assert get("/admin-dashboard", user="alice")[0] == 200
    assert get("/admin-dashboard", user="bob")[1]["code"] == "policy.role"
    idp.rotate()
    idp.fault(jwks="500")
    assert get("/protected-data")[0] == 503
