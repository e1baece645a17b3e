"""OAuth 2.0 and OpenID Connect protection for Python APIs.

For FastAPI, begin with :class:`portcullis_auth.fastapi.Portcullis`; for anything else, with
:class:`Server`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portcullis_auth._errors import ConfigError, Denied, Outage, Refusal
    from portcullis_auth._portcullis import Admission, Requirement, Server, Token
    from portcullis_auth._receivers import receivers

__all__ = [
    "Admission",
    "ConfigError",
    "Denied",
    "Outage",
    "Refusal",
    "Requirement",
    "Server",
    "Token",
    "receivers",
]

_ERRORS = ("ConfigError", "Denied", "Outage", "Refusal")


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Loads the native module at its first use: pytest imports this package wherever it is
    installed, for its plugin."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from portcullis_auth import _errors, _portcullis, _receivers

    module = _receivers if name == "receivers" else _errors if name in _ERRORS else _portcullis
    value = getattr(module, name)
    globals()[name] = value
    return value
