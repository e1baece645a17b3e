"""Tokens for the requests of the package requests. It is not imported here."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from portcullis_auth._portcullis import IssuedToken
from portcullis_auth.client.attachment import TokenAttacher, attach
from portcullis_auth.client.origins import origin_of_url
from portcullis_auth.client.sources import TokenSource

if TYPE_CHECKING:
    import requests.auth

    _RequestsBase = requests.auth.AuthBase
else:
    _RequestsBase = object


class RequestsAuth(_RequestsBase):
    """Puts the tokens of a source into the requests of the package requests. Everything is as with
    :class:`BearerAuth`."""

    def __init__(self, source: TokenSource, origins: str | Iterable[str]) -> None:
        self._attacher = TokenAttacher(source, origins)

    def __call__(self, request: Any) -> Any:  # noqa: ANN401
        """Attaches a token. requests calls it for each request, and not for redirects."""
        if self._attacher.applies_to(origin_of_url(request.url), request.headers):
            token = self._attacher.source.token_blocking()
            attach(request.headers, token)
            # The hook is of this request alone, so threads do not share its token.
            request.register_hook("response", partial(self._repeat, token))
        return request

    def _repeat(self, token: IssuedToken, response: Any, **options: Any) -> Any:  # noqa: ANN401
        if not self._attacher.drops(token, response):
            return response
        request = response.request.copy()
        if not isinstance(request.body, bytes | str | None):
            return response
        attach(request.headers, self._attacher.source.token_blocking())
        # Frees the connection before the second attempt needs one.
        _ = response.content
        response.close()
        repeated = response.connection.send(request, **options)
        repeated.history.append(response)
        repeated.request = request
        return repeated
