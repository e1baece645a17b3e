"""Sources of access tokens, and the one for the client itself."""

from typing import Protocol

from portcullis_auth._portcullis import Client, IssuedToken


class TokenSource(Protocol):
    """Something that gets access tokens: one of this module, or your own."""

    async def token(self) -> IssuedToken:
        """The token to use now. Raises ``TokenError``."""
        ...

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        ...

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether another one can be had now."""
        ...


class ClientCredentials:
    """Tokens for the client itself (RFC 6749, section 4.4). All callers share one; it is renewed
    in the background before it expires."""

    def __init__(
        self,
        client: Client,
        *,
        scope: str | None = None,
        resource: str | None = None,
        audience: str | None = None,
    ) -> None:
        self._client = client
        self._scope = scope
        self._target: dict[str, str | None] = {"resource": resource, "audience": audience}

    async def token(self) -> IssuedToken:
        """The token to use now. Raises ``TokenError``."""
        answer = self._client.token(self._scope, **self._target)
        return answer if isinstance(answer, IssuedToken) else await answer

    def token_blocking(self) -> IssuedToken:
        """Like ``token``, but waits. Not for the thread of an event loop."""
        return self._client.token_blocking(self._scope, **self._target)

    def invalidate(self, token: IssuedToken) -> bool:
        """Drops a token that an API rejected. Whether another one can be had now: of an API that
        rejects all of them, only some rejections count."""
        return self._client.invalidate(token, self._scope, **self._target)
