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
    """The header fields of the response."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str]) -> None:
        super().__init__(status, code, detail, headers)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.detail} ({self.code})"


class Refusal(Denied):
    """The caller's fault: 400, 401 or 403, with ``WWW-Authenticate``."""


class Outage(Denied):
    """Our fault, or the identity provider's: 503, with ``Retry-After``. It is never a 401, which
    would make clients drop tokens that may be good."""


class ConfigError(Exception):
    """Settings that cannot be used: all their faults at once."""
