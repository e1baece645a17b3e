"""Who may do what, and the rules of orders. An identity provider runs inside these tests."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from portcullis_auth.testing import FLAWS, Flaw, Idp

ORDERS = ["orders:read", "orders:write"]


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    with Idp() as idp:
        yield idp


@pytest.fixture(scope="module")
def client(idp: Idp) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in idp.env().items():
            patch.setenv(name, value)
        # The settings are read when the application is imported.
        from main import app

        with TestClient(app) as client:
            yield client


@pytest.mark.parametrize(
    ("method", "path", "nobody", "bob", "alice"),
    [
        ("GET", "/public-data", 200, 200, 200),
        ("GET", "/protected-data", 401, 200, 200),
        ("GET", "/admin-dashboard", 401, 403, 200),
        ("GET", "/orders", 401, 200, 200),
        ("POST", "/orders", 401, 422, 422),
        ("GET", "/orders/0", 401, 404, 404),
        ("DELETE", "/orders/0", 401, 404, 404),
    ],
)
def test_access(
    idp: Idp, client: TestClient, method: str, path: str, nobody: int, bob: int, alice: int
) -> None:
    assert client.request(method, path).status_code == nobody
    for user, status in [("bob", bob), ("alice", alice)]:
        headers = idp.bearer(user, scope=ORDERS)
        assert client.request(method, path, headers=headers).status_code == status


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_bad_token_is_refused(idp: Idp, client: TestClient, flaw: Flaw) -> None:
    response = client.get("/protected-data", headers=idp.bearer(flaw=flaw))
    assert response.status_code == 401
    assert "www-authenticate" in response.headers


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/orders", "orders:read"),
        ("GET", "/orders/0", "orders:read"),
        ("GET", "/events", "orders:read"),
        ("POST", "/orders", "orders:write"),
        ("DELETE", "/orders/0", "orders:write"),
    ],
)
def test_a_scope_is_demanded(
    idp: Idp, client: TestClient, method: str, path: str, scope: str
) -> None:
    others = [other for other in ORDERS if other != scope]
    response = client.request(method, path, headers=idp.bearer(scope=others))
    assert (response.status_code, response.json()["code"]) == (403, "policy.scope")
    assert f'scope="{scope}"' in response.headers["www-authenticate"]


def test_every_fault_of_an_order_is_named(idp: Idp, client: TestClient) -> None:
    headers = idp.bearer("bob", scope=ORDERS)
    order = {"item": "x", "quantity": 0, "price": 1}
    faults = client.post("/orders", headers=headers, json=order).json()["detail"]
    assert [(fault["loc"][1], fault["type"]) for fault in faults] == [
        ("item", "string_too_short"),
        ("quantity", "greater_than_equal"),
        ("price", "extra_forbidden"),
    ]


def test_an_order_is_its_owners(idp: Idp, client: TestClient) -> None:
    bob, alice = (idp.bearer(user, scope=ORDERS) for user in ("bob", "alice"))
    made = client.post("/orders", headers=bob, json={"item": "AB-1", "quantity": 3})
    assert made.status_code == 201
    path = made.headers["location"]
    assert client.get(path, headers=bob).json() == made.json()
    assert client.get(path, headers=alice).status_code == 404
    # An Admin may delete it all the same.
    assert client.delete(path, headers=alice).status_code == 204
    assert client.get("/orders", headers=bob).json() == []


def test_a_person_named_like_a_client_is_another_owner(idp: Idp, client: TestClient) -> None:
    service = idp.bearer("service", scope=ORDERS)
    person = idp.bearer("bob", scope=ORDERS, claims={"sub": "service", "oid": "service"})
    made = client.post("/orders", headers=service, json={"item": "AB-3", "quantity": 1})
    assert client.get(made.headers["location"], headers=service).status_code == 200
    assert client.get(made.headers["location"], headers=person).status_code == 404


def test_the_document_names_the_guards(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    guarded = {
        f"{method.upper()} {path}": operation["security"][0]["oauth2"]
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "security" in operation
    }
    assert guarded == {
        "GET /protected-data": [],
        "GET /admin-dashboard": [],
        "GET /orders": ["orders:read"],
        "POST /orders": ["orders:write"],
        "GET /orders/{order_id}": ["orders:read"],
        "DELETE /orders/{order_id}": ["orders:write"],
        "GET /events": ["orders:read"],
    }


def test_a_websocket_gets_new_orders(idp: Idp, client: TestClient) -> None:
    headers = idp.bearer("bob", scope=ORDERS)
    token = headers["authorization"].removeprefix("Bearer ")
    with client.websocket_connect("/live", subprotocols=["bearer", token]) as live:
        assert live.accepted_subprotocol == "bearer"
        made = client.post("/orders", headers=headers, json={"item": "AB-2", "quantity": 1})
        assert live.receive_json() == made.json()
