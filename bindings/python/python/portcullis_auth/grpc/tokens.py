"""The token of the current call."""

from contextvars import ContextVar

from portcullis_auth._portcullis import Token

TOKEN: ContextVar[Token | None] = ContextVar("portcullis_token", default=None)


def current_token() -> Token:
    """The token of the current call. Raises ``LookupError`` outside of a guarded call, and in a
    public one."""
    token = TOKEN.get()
    if token is None:
        raise LookupError("expected a guarded call: there is no token here")
    return token


def optional_token() -> Token | None:
    """The token of the current call; ``None`` in a public one."""
    return TOKEN.get()
