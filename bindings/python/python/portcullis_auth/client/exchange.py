"""Tokens for another API in the name of a caller."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from portcullis_auth._portcullis import Client, IssuedToken, TokenResponse
from portcullis_auth.client.kept_token import KeptToken

MAX_EXCHANGED = 1000
"""How many tokens an exchange keeps."""


class Exchange:
    """Tokens for another API in the name of a caller, in exchange for the caller's own token
    (RFC 8693); with ``on_behalf_of``, as Entra ID defines it.

    The subject token is a text, or a function that gives that of the current request. Each subject
    token has an access token of its own, which is kept until shortly before it expires.
    """

    def __init__(
        self,
        client: Client,
        subject_token: str | Callable[[], str],
        *,
        scope: str | None = None,
        resource: str | None = None,
        audience: str | None = None,
        on_behalf_of: bool = False,
    ) -> None:
        self._subject_token = subject_token
        self._client = client
        self._scope = scope
        self._target: dict[str, str | None] = {"resource": resource, "audience": audience}
        self._on_behalf_of = on_behalf_of
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, KeptToken] = OrderedDict()

    async def token(self) -> IssuedToken:
        """The token to use now. Raises ``TokenError``."""
        subject, kept = self._find()
        if kept is not None:
            return kept
        answer = self._client.exchange(
            subject, self._scope, on_behalf_of=self._on_behalf_of, **self._target
        )
        response = answer if isinstance(answer, TokenResponse) else await answer
        return self._keep(subject, response)

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        subject, kept = self._find()
        if kept is not None:
            return kept
        response = self._client.exchange_blocking(
            subject, self._scope, on_behalf_of=self._on_behalf_of, **self._target
        )
        return self._keep(subject, response)

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether it was the current one: then another one can
        be had."""
        key = _digest(self._current())
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.token.text != token.text:
                return False
            del self._kept[key]
            return True

    def _current(self) -> str:
        subject = self._subject_token
        return subject if isinstance(subject, str) else subject()

    def _find(self) -> tuple[str, IssuedToken | None]:
        subject = self._current()
        with self._lock:
            kept = self._kept.get(_digest(subject))
        return subject, kept.token if kept is not None and kept.is_fresh() else None

    def _keep(self, subject: str, response: TokenResponse) -> IssuedToken:
        token = response.access_token
        with self._lock:
            self._kept[_digest(subject)] = KeptToken(token)
            self._kept.move_to_end(_digest(subject))
            while len(self._kept) > MAX_EXCHANGED:
                self._kept.popitem(last=False)
        return token


def _digest(subject_token: str) -> bytes:
    # The cache needs no copy of the caller's token.
    return hashlib.sha256(subject_token.encode()).digest()
