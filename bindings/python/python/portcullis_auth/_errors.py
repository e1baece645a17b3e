"""Why a request may not go on, as exceptions."""

import logging

logger = logging.getLogger("portcullis_auth")
"""The operator's log: codes, facts and cures. None of these is in an exception."""


class Denied(Exception):
    """A request that may not go on. Its words are fixed: nothing in them is from the token."""

    status: int
    """The HTTP status of the response."""
    code: str
    """The stable code, such as ``token.expired``."""
    detail: str
    """The phrase for the client."""
    headers: dict[str, str]
    """The header fields of the response, without ``content-type``."""
    problem: bytes
    """The body of the response as ``application/problem+json`` (RFC 9457)."""

    def __init__(
        self, status: int, code: str, detail: str, headers: dict[str, str], problem: bytes = b""
    ) -> None:
        super().__init__(status, code, detail, headers, problem)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.detail} ({self.code})"


class Refusal(Denied):
    """The caller's fault: 400, 401 or 403, with ``WWW-Authenticate``. By a route also 421, 429 and
    501, as the gateway has them."""


class Outage(Denied):
    """Our fault, or the identity provider's: 503, with ``Retry-After``. It is never a 401, which
    would make clients drop tokens that may be good."""


class ConfigError(Exception):
    """Settings that cannot be used: all their faults at once."""


class TokenError(Exception):
    """There is no token for a call to another API. Nothing in it is secret."""


class TokenRefused(TokenError):
    """The identity provider refused (RFC 6749, section 5.2)."""

    error: str
    """The code, such as ``invalid_grant``: the person has to sign in again."""
    status: int | None
    """The HTTP status of the response, if there was one."""

    def __init__(self, text: str, error: str, status: int | None) -> None:
        super().__init__(text, error, status)
        self.error = error
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class TokenUnavailable(TokenError):
    """The identity provider cannot be reached, or sends no usable response."""

    retry_after: float
    """The seconds until a retry may help."""

    def __init__(self, text: str, retry_after: float) -> None:
        super().__init__(text, retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidTokenResponse(TokenError):
    """A response that cannot be trusted, or cannot be read: none of it is used."""
