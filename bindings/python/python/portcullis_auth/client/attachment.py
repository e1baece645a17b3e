"""Puts a token into a request, where the request may have it."""

import re
from collections.abc import Iterable
from typing import Any

from portcullis_auth._errors import ConfigError, TokenError
from portcullis_auth._portcullis import IssuedToken
from portcullis_auth.client.origins import Origin, parse_origin
from portcullis_auth.client.sources import TokenSource

_INVALID_TOKEN = re.compile(r'\berror\s*=\s*(?:"invalid_token"|invalid_token(?![\w-]))', re.I)


class BoundTokenError(TokenError):
    """A token that is bound to a key: a request with it needs a proof, which cannot be made here.
    Have the provider issue bearer tokens to this client."""


class TokenAttacher:
    """A source, and the origins that may see its tokens."""

    def __init__(self, source: TokenSource, origins: str | Iterable[str]) -> None:
        self.source = source
        texts = [origins] if isinstance(origins, str) else list(origins)
        # A typing mistake would send every request without a token.
        if not texts:
            raise ConfigError("origins: expected at least one origin, found none")
        self._origins = frozenset(parse_origin(text) for text in texts)

    def applies_to(self, origin: Origin | None, headers: Any) -> bool:  # noqa: ANN401
        """Whether a request gets a token. A credential of the caller is deliberate, so it wins."""
        return origin in self._origins and "authorization" not in headers

    def drops(self, token: IssuedToken, response: Any) -> bool:  # noqa: ANN401
        """Drops the token if the response rejects it. Whether a repetition may succeed."""
        if response.status_code != 401 or not _rejects_token(response.headers):
            return False
        # After a redirect it may be the response of a server that never saw the token.
        sent = response.request.headers.get("authorization")
        return sent == token.authorization and self.source.invalidate(token)


def attach(headers: Any, token: IssuedToken) -> None:  # noqa: ANN401
    """Puts a token into the headers of a request. Raises ``BoundTokenError``."""
    if token.is_bound:
        raise BoundTokenError(
            "expected a bearer token, found one that is bound to a key; help: have the provider "
            "issue bearer tokens to this client"
        )
    headers["authorization"] = token.authorization


def _rejects_token(headers: Any) -> bool:  # noqa: ANN401
    return _INVALID_TOKEN.search(headers.get("www-authenticate") or "") is not None
