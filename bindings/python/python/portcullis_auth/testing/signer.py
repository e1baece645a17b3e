"""An issuer without a network."""

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any

from portcullis_auth import _portcullis
from portcullis_auth._portcullis import Server
from portcullis_auth.testing.signing_key import SigningKey
from portcullis_auth.testing.toml import write_toml


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
        self._key = SigningKey(token_type)

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
        return _portcullis._corpus_server(write_toml(self._settings), key_sets, self._now)


def _texts(names: Iterable[str]) -> list[str] | None:
    # A text is an iterable too: its letters would become names.
    if isinstance(names, str):
        raise TypeError(f"expected a list of names, found {names!r}")
    return list(names) or None
