"""Tests of protected applications: a development identity provider, and callers without one.

>>> with Idp() as idp:
...     response = client.get("/orders", headers=idp.bearer("alice", scope="orders:read"))
>>>
>>> with override_caller(app, auth, subject="alice", roles=["Admin"]):
...     response = client.get("/reports")

Nothing of this is for production: everybody can get every token.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Literal, Self, cast
from urllib.parse import urlencode, urlsplit

from portcullis_auth import _portcullis
from portcullis_auth._portcullis import Server
from portcullis_auth.client import Client

__all__ = ["FLAWS", "Flaw", "Idp", "Signer", "override_caller"]

Flaw = Literal[
    "expired",
    "not-yet-valid",
    "wrong-key",
    "unsigned",
    "hmac",
    "flipped",
    "wrong-audience",
    "wrong-issuer",
    "unknown-key",
]
"""The flaws that a token can be ordered with."""

FLAWS: tuple[Flaw, ...] = (
    "expired",
    "not-yet-valid",
    "wrong-key",
    "unsigned",
    "hmac",
    "flipped",
    "wrong-audience",
    "wrong-issuer",
    "unknown-key",
)
"""All of them, for ``pytest.mark.parametrize``."""

Names = str | Iterable[str]
"""Names with spaces between them, or a list of names."""

# The dialects whose profile has another name; see the table in docs/idp.md.
PROFILES = {"entra": "entra-v2", "auth0-rfc9068": "auth0"}
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Idp:
    """A development identity provider on loopback, inside this process.

    A ``dialect`` imitates a provider, such as ``keycloak`` or ``entra``. ``users`` and ``clients``
    are members of the settings by name, in place of alice, bob, ``service`` and ``web``. A user
    without a password has the username as one. ``lifetime`` is that of access tokens, in seconds.
    All other settings of ``portcullis idp`` go into ``settings``, by their names.

    It listens as soon as it is made, on a free port. :meth:`stop` ends it, and so does ``with``.
    Raises ``ConfigError``.
    """

    def __init__(
        self,
        dialect: str = "generic",
        *,
        users: Mapping[str, Mapping[str, Any]] | None = None,
        clients: Mapping[str, Mapping[str, Any]] | None = None,
        audience: str | None = None,
        lifetime: int | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        wanted = {
            **settings,
            "as": dialect,
            "audience": audience,
            "access_token_lifetime": lifetime,
            "user": _users(users),
            "client": _clients(clients),
        }
        self.dialect = dialect
        self._idp = _portcullis._Idp(_toml_table(wanted))

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return self._idp.issuer

    @property
    def audience(self) -> str:
        """The audience of tokens for which none is ordered."""
        return self._idp.audience

    def token(
        self,
        user: str = "alice",
        *,
        scope: Names | None = None,
        roles: Names | None = None,
        audience: str | None = None,
        lifetime: int | None = None,
        claims: Mapping[str, Any] | None = None,
        flaw: Flaw | None = None,
        format: Literal["jwt", "opaque", "id-token"] | None = None,  # noqa: A002
    ) -> str:
        """A token to order, for a user or a client. ``lifetime`` is in seconds. ``roles`` replace
        those of the settings, if there are any. A claim that is ``None`` is left out.

        Raises ``ValueError`` if the provider does not know the user, the flaw or the format.
        """
        form = {
            "user": user,
            "scope": _join(scope),
            "roles": _join(roles),
            "audience": audience,
            "lifetime": lifetime,
            "claims": None if claims is None else json.dumps(claims),
            "flaw": flaw,
            "format": format,
        }
        return self._post("/dev/token", form)

    def bearer(self, user: str = "alice", **order: Any) -> dict[str, str]:  # noqa: ANN401
        """The headers of a request with a token: the arguments are those of :meth:`token`."""
        return {"authorization": f"Bearer {self.token(user, **order)}"}

    def sign_in(
        self, user: str = "alice", client_id: str = "web", *, scope: str = "openid offline_access"
    ) -> str:
        """Signs a user in at a public client, by the device grant (RFC 8628). The result is a
        refresh token, for :class:`portcullis_auth.client.UserSession`.

        Raises ``ValueError`` if the provider refuses.
        """
        started = json.loads(
            self._post("/device_authorization", {"client_id": client_id, "scope": scope})
        )
        self._post("/dev/device", {"user_code": started["user_code"], "user": user})
        grant = {"grant_type": DEVICE_GRANT, "device_code": started["device_code"]}
        tokens = json.loads(self._post("/token", {"client_id": client_id, **grant}))
        return str(tokens["refresh_token"])

    def rotate(self, *, overlap: bool = False, same_kid: bool = False) -> None:
        """Signs with a new key from now on. With ``overlap`` the old one stays published; with
        ``same_kid`` the new one has its name."""
        self._post("/dev/rotate", {"overlap": _flag(overlap), "same_kid": _flag(same_kid)})

    def fault(self, **faults: str | int | Mapping[str, Any]) -> None:
        """Makes endpoints fail, each by its name: ``fault(jwks="500", token="slow:2000")``.
        ``clock_off`` is in seconds; ``access_token_flaw`` and ``access_token_claims`` are for the
        tokens of flows. All are in docs/idp.md.

        Raises ``ValueError`` if one of them is unknown; then nothing changes.
        """
        changes = {name: _switch(value) for name, value in faults.items()}
        self._send("POST", "/dev/faults", json.dumps(changes), "application/json")

    def faults(self) -> dict[str, Any]:
        """The current faults."""
        faults: dict[str, Any] = json.loads(self._send("GET", "/dev/faults"))
        return faults

    def clear_faults(self) -> None:
        """Makes everything work again, and sets the clock right."""
        self._post("/dev/faults", {"reset": "true"})

    def logout(self, user: str) -> None:
        """Signs a user out everywhere, and notifies the clients of the sessions."""
        self._post("/dev/logout", {"user": user})

    def client(
        self,
        client_id: str = "service",
        client_secret: str | None = "service-secret",  # noqa: S107
    ) -> Client:
        """A client of this provider, for calls to other APIs."""
        return Client(self.issuer, client_id, client_secret)

    def server(
        self,
        *,
        issuer: Mapping[str, Any] | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> Server:
        """A server that trusts this provider. The arguments are settings of ``portcullis.toml``;
        those in ``issuer`` are for the table of this issuer. Raises ``ConfigError``."""
        table = {
            "url": self.issuer,
            "audience": self.audience,
            "profile": self._profile,
            **(issuer or {}),
        }
        return Server.from_toml(_toml_table({**settings, "issuer": [table]}))

    def env(self) -> dict[str, str]:
        """The environment of an application that trusts this provider."""
        return {
            "OAUTH2_ISSUER": self.issuer,
            "OAUTH2_AUDIENCE": self.audience,
            "OAUTH2_PROFILE": self._profile,
        }

    def stop(self) -> None:
        """Stops it, once and for all."""
        self._idp.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _profile(self) -> str:
        return PROFILES.get(self.dialect, self.dialect)

    def _post(self, path: str, form: Mapping[str, object]) -> str:
        body = urlencode({name: value for name, value in form.items() if value is not None})
        return self._send("POST", path, body, "application/x-www-form-urlencoded")

    def _send(self, method: str, path: str, body: str = "", content_type: str = "") -> str:
        # Without `urllib.request`: a proxy of the environment is not for loopback.
        connection = HTTPConnection(urlsplit(self.issuer).netloc, timeout=30)
        try:
            headers = {"content-type": content_type} if content_type else {}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status >= 400:
            raise ValueError(_problem(response.status, text))
        return text


def _problem(status: int, text: str) -> str:
    try:
        body = json.loads(text)
        return str(body.get("error_description") or body["error"])
    except (ValueError, KeyError, AttributeError):
        return f"the identity provider responded with {status}"


def _users(users: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    if users is None:
        return None
    return [{"password": name, **user, "username": name} for name, user in users.items()]


def _clients(clients: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    if clients is None:
        return None
    return [{**client, "id": name} for name, client in clients.items()]


def _join(names: Names | None) -> str | None:
    if names is None or isinstance(names, str):
        return names
    names = list(names)
    for name in names:
        # The provider would split it.
        if not name or len(name.split()) != 1:
            raise ValueError(f"expected a name without spaces, found {name!r}; use `claims`")
    return " ".join(names)


def _flag(value: bool) -> str | None:
    return "true" if value else None


def _switch(value: str | int | Mapping[str, Any]) -> str | dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else str(value)


class Signer:
    """An issuer without a network: it signs tokens with a key of its own, made for each instance.
    Only the server that it makes trusts them.

    ``settings`` are those of ``portcullis.toml``, by their names; those in ``issuer_settings`` are
    for the table of the issuer.
    """

    def __init__(
        self,
        *,
        issuer: str = "https://issuer.test",
        audience: str = "api://test",
        token_type: str = "at+jwt",  # noqa: S107
        issuer_settings: Mapping[str, Any] | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self._settings = {
            **settings,
            "issuer": [{"url": issuer, "audience": audience, **(issuer_settings or {})}],
        }
        self._now = int(time.time())
        self._key = _SigningKey(token_type)

    def token(
        self,
        subject: str | None = "alice",
        *,
        client: str = "test-client",
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        lifetime: int = 3600,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A token; without a subject, one of the client itself. ``lifetime`` is in seconds; that
        of an expired token is negative. A claim that is ``None`` is left out."""
        own = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client if subject is None else subject,
            "client_id": client,
            "iat": self._now + min(lifetime - 1, 0),
            "exp": self._now + lifetime,
            "jti": secrets.token_urlsafe(12),
            "scope": " ".join(scopes) or None,
            "roles": _texts(roles),
            "groups": _texts(groups),
            # The person's name, which a client lacks.
            "name": subject,
        }
        merged = {**own, **(claims or {})}
        return self._key.sign({name: it for name, it in merged.items() if it is not None})

    def bearer(
        self,
        subject: str | None = "alice",
        **order: Any,  # noqa: ANN401
    ) -> dict[str, str]:
        """The headers of a request with a token: the arguments are those of :meth:`token`."""
        return {"authorization": f"Bearer {self.token(subject, **order)}"}

    def server(self) -> Server:
        """A server that trusts this issuer. It fetches nothing, and its time is that of the
        signer's making: no token expires while a debugger waits. Raises ``ConfigError``."""
        key_sets = {self.issuer: json.dumps({"keys": [self._key.public]})}
        return _portcullis._corpus_server(_toml_table(self._settings), key_sets, self._now)


@contextmanager
def override_caller(
    app: Any,  # noqa: ANN401
    auth: Any,  # noqa: ANN401
    subject: str | None = "alice",
    *,
    signer: Signer | None = None,
    **order: Any,  # noqa: ANN401
) -> Iterator[Signer]:
    """Lets the requests to a FastAPI application come from this caller, without any provider.

    The guards decide as ever, about a token of this caller: a test without the role gets 403. The
    arguments are those of :meth:`Signer.token`. A request with a credential of its own is decided
    by that; :meth:`Signer.bearer` of the result makes one for another caller. Nothing is fetched.

    The settings of the application's server do not count, but for its first issuer. Give a
    ``signer`` with those that the guards depend on.

    It changes the guards of the application for all threads, until the end of the block.
    """
    real = auth.server
    signer = signer or Signer(issuer=(list(real.issuers) or ["https://issuer.test"])[0])
    stand_in = _CallerServer(signer.server(), signer.bearer(subject, **order))
    guards = [guard for guard in _guards(app, auth) if guard.server is real]
    for guard in guards:
        guard.server = stand_in
    try:
        yield signer
    finally:
        for guard in guards:
            guard.server = real


class _CallerServer:
    """A server that takes a request without a credential for one of this caller."""

    def __init__(self, server: Server, credential: dict[str, str]) -> None:
        self._server = server
        self._credential = credential["authorization"]

    def decide(self, headers: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        return self._server.decide(self._complete(headers, options), *rest, **options)

    def decide_blocking(self, headers: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        return self._server.decide_blocking(self._complete(headers, options), *rest, **options)

    def sees_credential(self, _headers: Any, **_options: Any) -> bool:  # noqa: ANN401
        return True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._server, name)

    def _complete(self, headers: Any, options: Any) -> Any:  # noqa: ANN401
        # Two credentials would be refused.
        if self._server.sees_credential(headers, **options):
            return headers
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return [*pairs, (b"authorization", self._credential.encode())]


def _guards(app: Any, auth: Any) -> list[Any]:  # noqa: ANN401
    """The guards of an application, each once. One that is not found keeps its server, and lets
    nobody in."""
    found = {id(auth): auth}
    if (optional := getattr(auth, "optional", None)) is not None:
        found[id(optional)] = optional
    for dependant in _dependants(app):
        for call in _calls(dependant):
            if hasattr(call, "server"):
                found[id(call)] = call
    return list(found.values())


def _dependants(app: Any) -> Iterator[Any]:  # noqa: ANN401
    from fastapi import routing

    # Newer versions keep included routers as they are, and have this to see through them.
    contexts = getattr(routing, "iter_route_contexts", iter)
    for route in contexts(getattr(app, "routes", [])):
        if (dependant := getattr(route, "dependant", None)) is not None:
            yield dependant
        elif (mounted := getattr(route, "app", None)) is not None:
            yield from _dependants(mounted)


def _calls(dependant: Any) -> Iterator[Any]:  # noqa: ANN401
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from _calls(dependency)


def _texts(names: Iterable[str]) -> list[str] | None:
    # A text is an iterable too: its letters would become names.
    if isinstance(names, str):
        raise TypeError(f"expected a list of names, found {names!r}")
    return list(names) or None


def _toml_table(settings: Mapping[str, Any]) -> str:
    """Settings as TOML, each on its line."""
    lines = [f"{name} = {_toml(value)}" for name, value in settings.items() if value is not None]
    return "\n".join(lines)


def _toml(value: object) -> str:
    match value:
        case bool() | int() | float() | str():
            # A DEL is the only character that JSON allows and TOML does not.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            members = cast("Mapping[str, object]", value).items()
            written = [f"{_toml(name)} = {_toml(it)}" for name, it in members if it is not None]
            return "{" + ", ".join(written) + "}"
        case Sequence() if not isinstance(value, bytes):
            return "[" + ", ".join(_toml(it) for it in cast("Sequence[object]", value)) + "]"
        case _:
            raise TypeError(f"expected a setting, found {type(value).__name__}")


# The curve P-256 (FIPS 186-5): a key takes no time to make, and needs no other package.
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int]


class _SigningKey:
    """A private key for ES256. For tests only: the time that it takes depends on the key."""

    def __init__(self, token_type: str) -> None:
        self._type = token_type
        self._secret = 1 + secrets.randbelow(_N - 1)
        x, y = _multiply(self._secret)
        self._kid = secrets.token_urlsafe(8)
        self.public = {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": self._kid,
            "x": _base64url(x.to_bytes(32)),
            "y": _base64url(y.to_bytes(32)),
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a signed JWT (RFC 7515, RFC 9068)."""
        header = {"alg": "ES256", "typ": self._type, "kid": self._kid}
        parts = [_base64url(json.dumps(part).encode()) for part in (header, claims)]
        text = ".".join(parts)
        digest = int.from_bytes(hashlib.sha256(text.encode()).digest())
        nonce = 1 + secrets.randbelow(_N - 1)
        r = _multiply(nonce)[0] % _N
        s = pow(nonce, -1, _N) * (digest + r * self._secret) % _N
        return f"{text}.{_base64url(r.to_bytes(32) + s.to_bytes(32))}"


def _multiply(factor: int) -> _Point:
    """A multiple of the base point, by doubling and adding."""
    result: _Point | None = None
    power = _G
    while factor:
        if factor & 1:
            result = power if result is None else _add(result, power)
        power = _add(power, power)
        factor >>= 1
    assert result is not None  # noqa: S101
    return result


def _add(left: _Point, right: _Point) -> _Point:
    """The sum of two points that are not opposite: below the order of the curve none are."""
    (x1, y1), (x2, y2) = left, right
    if left == right:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
