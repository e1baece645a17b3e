"""A development identity provider inside this process."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlencode

from portcullis_auth import _portcullis
from portcullis_auth._portcullis import Server
from portcullis_auth.client import Client
from portcullis_auth.testing.flaws import Flaw
from portcullis_auth.testing.forms import (
    Names,
    join_names,
    list_clients,
    list_users,
    write_fault,
    write_flag,
)
from portcullis_auth.testing.toml import write_toml
from portcullis_auth.testing.transport import send

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
            "user": list_users(users),
            "client": list_clients(clients),
        }
        self.dialect = dialect
        self._idp = _portcullis._Idp(write_toml(wanted))

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
            "scope": join_names(scope),
            "roles": join_names(roles),
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
        self._post(
            "/dev/rotate", {"overlap": write_flag(overlap), "same_kid": write_flag(same_kid)}
        )

    def fault(self, **faults: str | int | Mapping[str, Any]) -> None:
        """Makes endpoints fail, each by its name: ``fault(jwks="500", token="slow:2000")``,
        or ``token="invalid_grant*1"`` for the next request only.
        ``clock_off`` is in seconds; ``access_token_flaw`` and ``access_token_claims`` are for the
        tokens of flows. All are in docs/idp.md.

        Raises ``ValueError`` if one of them is unknown; then nothing changes.
        """
        changes = {name: write_fault(value) for name, value in faults.items()}
        send(self.issuer, "POST", "/dev/faults", json.dumps(changes), "application/json")

    def faults(self) -> dict[str, Any]:
        """The current faults."""
        faults: dict[str, Any] = json.loads(send(self.issuer, "GET", "/dev/faults"))
        return faults

    def clear_faults(self) -> None:
        """Makes everything work again, and sets the clock right."""
        self._post("/dev/faults", {"reset": "true"})

    def renew_servers(self) -> None:
        """Has the servers of this process that trust this provider begin anew, as after a restart:
        without keys, with their whole budget of fetches, and without what was revoked in memory."""
        self._idp.renew_servers()

    def logout(self, user: str) -> list[dict[str, Any]]:
        """Signs a user out everywhere, and notifies the clients of the sessions. Which clients were
        notified, and with which ``status`` each answered."""
        notices: list[dict[str, Any]] = json.loads(self._post("/dev/logout", {"user": user}))
        return notices

    def send_event(
        self,
        user: str,
        event: Literal[
            "session-revoked",
            "credential-change",
            "token-claims-change",
            "account-disabled",
            "account-enabled",
        ],
        *,
        claims: Mapping[str, Any] | None = None,
        credential_type: str | None = None,
        change_type: str | None = None,
    ) -> list[dict[str, Any]]:
        """Sends a security event about a user to every stream that asked for it (Shared Signals
        Framework 1.0). To which streams it went, and with which ``status`` each answered.

        ``claims`` are those that change. A changed credential is a password that was updated,
        unless the arguments say otherwise. Raises ``ValueError`` for an unknown event.
        """
        form = {
            "user": user,
            "event": event,
            "claims": None if claims is None else json.dumps(claims),
            "credential_type": credential_type,
            "change_type": change_type,
        }
        notices: list[dict[str, Any]] = json.loads(self._post("/dev/event", form))
        return notices

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
        return Server.from_toml(write_toml({**settings, "issuer": [table]}))

    def env(self) -> dict[str, str]:
        """The environment of an application that trusts this provider."""
        return {
            "OAUTH2_ISSUER": self.issuer,
            "OAUTH2_AUDIENCE": self.audience,
            "OAUTH2_PROFILE": self._profile,
        }

    def stop(self) -> None:
        """Stops it, once and for all. In a child of a fork nothing happens."""
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
        return send(self.issuer, "POST", path, body, "application/x-www-form-urlencoded")
