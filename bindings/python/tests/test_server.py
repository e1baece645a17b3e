"""The server itself: tokens, refusals, outages, waiting."""

import asyncio
import json
import logging
import pickle
import re
import threading
import time

import pytest

from conftest import AUDIENCE, Idp, claims_of
from portcullis_auth import ConfigError, Denied, Outage, Refusal, Server, Token, _portcullis
from portcullis_auth.requirements import (
    acr,
    all_of,
    any_of,
    application,
    claim,
    group,
    max_age,
    not_,
    role,
    scope,
    user,
)


def test_a_token_says_who_calls(idp: Idp, server: Server) -> None:
    text = idp.token(scope="orders:read orders:write")
    token = server.decide_blocking({"Authorization": f"Bearer {text}"})
    claims = claims_of(text)
    assert (token.subject, token.user_id) == (claims["sub"], claims["oid"])
    assert (token.name, token.client, token.issuer) == ("Alice Adams", "web", idp.issuer)
    assert (token.audience, token.tenant, token.kind) == ([AUDIENCE], None, "user")
    assert token.scopes == frozenset({"orders:read", "orders:write"})
    assert (token.roles, token.groups) == (frozenset({"Admin"}), frozenset())
    assert token.has_role("Admin")
    assert token.has_scope("orders:read")
    assert not token.has_scope("orders")
    assert token.expires == claims["exp"]
    assert token.claims == claims
    assert token.claims is token.claims
    assert repr(token) == f"<Token of {idp.issuer}>"


def test_a_token_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        Token()


@pytest.mark.parametrize("shape", ["pairs", "texts", "mixed"])
def test_headers_have_several_shapes(idp: Idp, server: Server, shape: str) -> None:
    value = f"Bearer {idp.token()}"
    headers = {
        "pairs": [(b"host", b"a"), (b"authorization", value.encode())],
        "texts": {"Host": "a", "Authorization": value},
        "mixed": [("AUTHORIZATION", value.encode())],
    }[shape]
    assert server.decide_blocking(headers).name == "Alice Adams"


def test_two_credentials_are_refused(idp: Idp, server: Server) -> None:
    value = f"Bearer {idp.token()}".encode()
    for second in (value, b"Bearer \xff\n", b"Basic x"):
        with pytest.raises(Refusal) as caught:
            server.decide_blocking([(b"authorization", value), (b"authorization", second)])
        assert caught.value.code == "credential.repeated"
    with pytest.raises(Refusal):
        server.decide_blocking([(b"authorization", value)], "access_token=x")
    with pytest.raises(TypeError):
        server.decide_blocking([(1, 2)])


async def decide(server: Server, headers: dict[str, str], requirement=None) -> Token:
    answer = server.decide(headers, None, requirement)
    return answer if isinstance(answer, Token) else await answer


def test_a_known_token_needs_no_wait(idp: Idp, server: Server) -> None:
    async def scenario() -> None:
        headers = idp.bearer()
        idp.fault(jwks="slow:300")
        first = server.decide(headers)
        assert asyncio.isfuture(first)
        assert isinstance(await first, Token)
        assert isinstance(server.decide(headers), Token)
        # Another token of the same key does not wait either.
        assert isinstance(server.decide(idp.bearer("bob")), Token)

    asyncio.run(scenario())


def test_a_refusal_has_a_challenge(idp: Idp, server: Server) -> None:
    with pytest.raises(Refusal) as caught:
        server.decide_blocking({})
    missing = caught.value
    assert (missing.status, missing.code) == (401, "credential.missing")
    assert missing.headers["www-authenticate"] == 'Bearer realm="api"'
    assert missing.headers["cache-control"] == "no-store"
    with pytest.raises(Refusal) as caught:
        server.decide_blocking(idp.bearer(), None, scope("orders:write"))
    lacking = caught.value
    assert (lacking.status, lacking.code) == (403, "policy.scope")
    assert 'scope="orders:write"' in lacking.headers["www-authenticate"]
    assert str(lacking) == f"{lacking.detail} (policy.scope)"
    copy = pickle.loads(pickle.dumps(lacking))
    assert (copy.status, copy.code, copy.headers) == (403, "policy.scope", lacking.headers)


def test_an_outage_is_no_refusal(idp: Idp) -> None:
    idp.fault(jwks="500")
    with pytest.raises(Outage) as caught:
        Server(idp.issuer, AUDIENCE).decide_blocking(idp.bearer())
    outage = caught.value
    assert (outage.status, outage.code) == (503, "outage.keys")
    assert int(outage.headers["retry-after"]) > 0
    assert "www-authenticate" not in outage.headers
    assert isinstance(outage, Denied)


def test_an_outage_reaches_a_future(idp: Idp) -> None:
    idp.fault(metadata="500")
    server = Server(idp.issuer, AUDIENCE)
    with pytest.raises(Outage):
        asyncio.run(decide(server, idp.bearer()))


def test_a_rotated_key_is_fetched(idp: Idp, server: Server) -> None:
    server.decide_blocking(idp.bearer())
    idp.rotate()
    assert asyncio.run(decide(server, idp.bearer())).name == "Alice Adams"


def test_the_loop_goes_on_while_keys_are_fetched(idp: Idp, server: Server) -> None:
    async def scenario() -> tuple[int, float]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        headers = idp.bearer()
        idp.fault(jwks="slow:700")
        began = time.monotonic()
        callers = [decide(server, headers) for _ in range(20)]
        assert len(await asyncio.gather(*callers)) == 20
        took = time.monotonic() - began
        ticking.cancel()
        return ticks, took

    ticks, took = asyncio.run(scenario())
    assert took > 0.6
    # Seventy would be perfect; a loop that is blocked has two.
    assert ticks > 20


def test_other_threads_go_on_while_one_waits(idp: Idp, server: Server) -> None:
    headers = idp.bearer()
    idp.fault(jwks="slow:500")
    thread = threading.Thread(target=server.decide_blocking, args=(headers,))
    thread.start()
    ticks = 0
    while thread.is_alive():
        time.sleep(0.01)
        ticks += 1
    assert ticks > 15


def test_a_cancelled_future_drops_its_decision(idp: Idp, server: Server) -> None:
    async def scenario() -> None:
        headers = idp.bearer()
        idp.fault(jwks="slow:2000")
        before = _portcullis._count_waits()
        futures = [server.decide(headers) for _ in range(30)]
        assert _portcullis._count_waits() == before + 30
        for future in futures:
            future.cancel()
        deadline = time.monotonic() + 1
        while _portcullis._count_waits() > before and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert _portcullis._count_waits() == before
        with pytest.raises(asyncio.CancelledError):
            await futures[0]

    asyncio.run(scenario())


def test_a_loop_that_is_closed_early_harms_nobody(idp: Idp, server: Server) -> None:
    headers = idp.bearer()
    idp.fault(jwks="slow:300")

    async def scenario() -> None:
        server.decide(headers)

    asyncio.run(scenario())
    assert server.decide_blocking(headers).name == "Alice Adams"


def test_all_faults_of_settings_are_told_at_once(monkeypatch, tmp_path) -> None:
    with pytest.raises(ConfigError) as caught:
        Server.from_toml('relm = "x"\n[[issuer]]\nurl = "ftp://idp.example"\n')
    text = str(caught.value)
    assert text.startswith("3 faults in the settings:")
    for place in ("relm (line 1)", "issuer[0].url", "issuer[0].audience"):
        assert place in text
    monkeypatch.chdir(tmp_path)
    for name in ("OAUTH2_ISSUER", "OAUTH2_AUDIENCE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError) as caught:
        Server.from_env()
    assert "OAUTH2_ISSUER" in str(caught.value)
    assert "OAUTH2_AUDIENCE" in str(caught.value)


def test_settings_come_from_everywhere(idp: Idp, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"OAUTH2_AUDIENCE={AUDIENCE}\n")
    monkeypatch.setenv("OAUTH2_ISSUER", idp.issuer)
    text = f'[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n'
    for server in (Server.from_env(), Server.from_toml(text)):
        assert server.issuers == [idp.issuer]
        assert server.decide_blocking(idp.bearer()).name == "Alice Adams"
        assert server.warnings == []
        assert repr(server) == f"<Server for {idp.issuer}>"


def test_a_cookie_counts_where_the_settings_name_one(idp: Idp) -> None:
    text = f'token_cookie = "t"\n[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n'
    server = Server.from_toml(text)
    headers = {"cookie": f"t={idp.token()}", "host": "a", "sec-fetch-site": "same-origin"}
    assert server.sees_credential(headers, method="GET")
    assert server.decide_blocking(headers, method="GET").name == "Alice Adams"
    for method in ("POST", None):
        with pytest.raises(Refusal):
            server.decide_blocking(headers, method=method)


def test_requirements_decide(idp: Idp, server: Server) -> None:
    headers = idp.bearer(scope="orders:read")
    met = [
        scope("orders:read"),
        role("Admin"),
        user(),
        claim("email", "alice@example.test"),
        all_of(user(), role("Admin")),
        any_of(application(), role("Admin")),
        not_(group("suspended")),
        user() & role("Admin") & ~group("x"),
        application() | user(),
    ]
    for requirement in met:
        assert server.decide_blocking(headers, None, requirement).name == "Alice Adams"
        with pytest.raises(Refusal):
            server.decide_blocking(headers, None, ~requirement)
    for requirement, code in [
        (role("Clerk"), "policy.role"),
        (acr("mfa"), "policy.step_up"),
        (max_age(60), "policy.step_up"),
        (application(), "policy.denied"),
        (scope("x") & role("Admin"), "policy.scope"),
    ]:
        with pytest.raises(Refusal) as caught:
            server.decide_blocking(headers, None, requirement)
        assert caught.value.code == code


def test_requirements_compare_and_show_themselves() -> None:
    assert scope("a") & role("b") == all_of(scope("a"), role("b"))
    assert scope("a") != role("a")
    assert len({scope("a"), scope("a"), scope("b")}) == 2
    assert str(any_of(role("A"), ~user())) == "(role `A` or not a token for a user)"
    assert repr(scope("a")) == "<Requirement: scope `a`>"


@pytest.mark.parametrize(
    "make",
    [
        lambda: scope("two scopes"),
        lambda: scope(""),
        lambda: role(" "),
        lambda: group(""),
        lambda: claim("", "x"),
        lambda: acr(),
        lambda: acr("a b"),
        lambda: all_of(),
        lambda: any_of(),
    ],
)
def test_a_faulty_requirement_is_never_made(make) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
    with pytest.raises(TypeError):
        claim("x", ["y"])
    with pytest.raises(OverflowError):
        max_age(-1)


def test_nothing_of_a_token_is_in_any_text(idp: Idp, server: Server, caplog) -> None:
    marked = "MARK0815"
    good = idp.token(claims=f'{{"name": "{marked}", "department": "{marked}"}}')
    texts = [repr(server.decide_blocking({"authorization": f"Bearer {good}"}))]
    tampered = good[:-8] + "AAAAAAAA"
    foreign = idp.token(claims=f'{{"aud": "{marked}"}}')
    caplog.set_level(logging.DEBUG, "portcullis_auth")
    for text in (marked, f"{marked}.{marked}.{marked}", tampered, foreign):
        with pytest.raises(Refusal) as caught:
            server.decide_blocking({"authorization": f"Bearer {text}"})
        refusal = caught.value
        texts += [str(refusal), repr(refusal), str(refusal.headers), str(refusal.args)]
        for part in text.split("."):
            assert not any(part in it for it in texts)
    assert not any(marked in it for it in texts)
    # The operator is told what was wrong, and never gets the token.
    denials = [record for record in caplog.records if record.msg.startswith("%s: code")]
    codes = [record.args[1] for record in denials]
    assert codes == ["token.malformed", "token.malformed", "token.signature", "token.audience"]
    assert tampered.split(".")[1] not in caplog.text
    request_id = refusal.headers["x-request-id"]
    assert request_id in caplog.text


def test_a_decision_that_waits_needs_a_loop(idp: Idp, server: Server) -> None:
    headers = idp.bearer()
    # On a busy machine, keys that come at once would be there before the decision waits.
    idp.fault(jwks="slow:300")
    with pytest.raises(RuntimeError, match="no running event loop"):
        server.decide(headers)
    server.decide_blocking(headers)
    assert server.decide(headers).name == "Alice Adams"


def test_keys_are_fetched_ahead(idp: Idp, server: Server) -> None:
    assert not server.is_ready()
    server.start()
    deadline = time.monotonic() + 10
    while not server.is_ready() and time.monotonic() < deadline:
        time.sleep(0.01)
    # No loop runs here, so nothing could wait.
    assert server.decide(idp.bearer()).name == "Alice Adams"
    assert server.endpoints() == {
        idp.issuer: {
            "authorization_endpoint": f"{idp.issuer}/authorize",
            "token_endpoint": f"{idp.issuer}/token",
        }
    }


def test_keys_are_fetched_while_python_computes(idp: Idp, server: Server) -> None:
    async def scenario() -> None:
        headers = idp.bearer()
        # On a busy machine the keys could be there before the first look.
        idp.fault(jwks="slow:50")
        future = server.decide(headers)
        # Compiled code that does not let go of the GIL until it is through.
        began = time.monotonic()
        assert re.match("(a|a)+$", "a" * 22 + "b") is None
        assert time.monotonic() - began > 0.1
        assert server.is_ready()
        assert (await future).name == "Alice Adams"

    asyncio.run(scenario())


def test_a_verified_token_can_be_held_against_more_requirements(idp: Idp, server: Server) -> None:
    token = server.decide_blocking(idp.bearer("bob", scope="a"))
    assert server.permit_blocking(token, scope("a")).name == token.name
    assert server.permit(token, scope("a")).name == token.name
    with pytest.raises(Refusal) as refused:
        server.permit(token, role("Admin"))
    assert (refused.value.status, refused.value.code) == (403, "policy.role")


def test_a_token_without_a_request_is_verified_too(idp: Idp, server: Server) -> None:
    assert server.verify_blocking(idp.token("alice")).name == "Alice Adams"
    assert server.verify(idp.token("alice", scope="a"), scope("a")).name == "Alice Adams"
    for text, needed, expected in [
        (idp.token(flaw="expired"), None, (401, "token.expired")),
        (idp.token("bob"), role("Admin"), (403, "policy.role")),
        ("", None, (400, "credential.malformed")),
        ("a b", None, (401, "token.malformed")),
        ("a\nb", None, (401, "credential.missing")),
    ]:
        with pytest.raises(Refusal) as refused:
            server.verify_blocking(text, needed)
        assert (refused.value.status, refused.value.code) == expected, text


def test_a_server_tells_its_routes(idp: Idp) -> None:
    issuer = f'realm = "orders"\n[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n'
    server = Server.from_toml(issuer + '[[route]]\npath = "/a"\naccess = "public"\n')
    assert (server.routes, server.realm) == (["route[0] /a", "default"], "orders")
    assert Server(idp.issuer, AUDIENCE).routes == ["default"]


def test_tokens_are_revoked_by_whom_they_name(idp: Idp, server: Server) -> None:
    bob, alice = idp.bearer("bob"), idp.bearer("alice")
    token = server.decide_blocking(bob)
    server.revoke_blocking(issuer=token.issuer, subject=token.subject)
    with pytest.raises(Refusal) as refused:
        server.decide_blocking(bob)
    assert (refused.value.status, refused.value.code) == (401, "token.revoked")
    assert server.revoke(token=server.decide_blocking(alice)) is None
    with pytest.raises(Refusal):
        server.decide_blocking(alice)
    with pytest.raises(ValueError, match="expected one of token, subject, session, client and key"):
        server.revoke_blocking(issuer=token.issuer, subject="a", client="b")
    with pytest.raises(ValueError, match="expected issuer"):
        server.revoke_blocking(subject="a")
    with pytest.raises(ValueError, match="SHA-256 in base64url"):
        server.revoke_blocking(key="a")


def test_a_key_is_revoked_at_every_issuer(idp: Idp, server: Server) -> None:
    thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    bound = idp.bearer("alice", claims=json.dumps({"cnf": {"jkt": thumbprint}}))
    with pytest.raises(Refusal) as refused:
        server.decide_blocking(bound)
    assert refused.value.code == "proof.missing"
    server.revoke_blocking(key=thumbprint)
    with pytest.raises(Refusal) as refused:
        server.decide_blocking(bound)
    assert refused.value.code == "token.revoked"


def test_guards_of_a_security_profile_demand_a_scope(idp: Idp, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of many bytes, for a test")
    text = f"""security_profile = "fapi2"
[[issuer]]
url = "{idp.issuer}"
audience = "{AUDIENCE}"
"""
    with pytest.raises(ConfigError, match="a source of revocations"):
        Server.from_toml(text)
    client = f'client_id = "api", client_secret_file = "{secret}"'
    asked = f'introspection = {{ tokens = "all", {client} }}'
    route = '[[route]]\npath = "/a"\nrequire = { role = "Admin" }\n'
    with pytest.raises(ConfigError, match="a scope that every caller needs"):
        Server.from_toml(f"{text}{asked}\n{route}")
    assert Server.from_toml(f"{text}{asked}\n").realm == "api"


def test_settings_come_from_a_file(idp: Idp, tmp_path) -> None:
    file = tmp_path / "portcullis.toml"
    file.write_text(f'[[issuer]]\nurl = "{idp.issuer}"\naudience = "{AUDIENCE}"\n')
    assert Server.from_file(file).decide_blocking(idp.bearer()).name == "Alice Adams"
    file.write_text('[[issuer]]\nurl = "https://a"\naudeince = "b"\n[[route]]\npath = "x"\n')
    with pytest.raises(ConfigError) as faults:
        Server.from_file(str(file))
    shown = str(faults.value)
    assert f"{file}:3: issuer[0].audeince" in shown
    assert "route[0].path" in shown
    assert "gateway.upstream" not in shown
    with pytest.raises(ConfigError, match="cannot read the settings file"):
        Server.from_file(tmp_path / "none.toml")


def test_the_log_of_the_rust_side_is_python_s(idp: Idp, server: Server, caplog) -> None:
    idp.fault(jwks="500")
    with caplog.at_level("INFO", "portcullis_auth"), pytest.raises(Outage):
        server.decide_blocking(idp.bearer())
    deadline = time.monotonic() + 10
    while not any("no new keys" in record.getMessage() for record in caplog.records):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    levels = {record.levelname for record in caplog.records}
    assert "WARNING" in levels


def test_the_package_is_light_until_it_is_used() -> None:
    """Wherever it is installed, pytest imports it for its plugin."""
    import subprocess
    import sys

    program = (
        "import sys, portcullis_auth.pytest_plugin as plugin\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert 'portcullis_auth._portcullis' not in sys.modules\n"
        "assert not loaded & {'fastapi', 'django', 'flask', 'grpc', 'httpx'}, loaded\n"
        "import portcullis_auth\n"
        "assert portcullis_auth.Server.__name__ == 'Server'\n"
        "assert not hasattr(portcullis_auth, 'Nothing')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
