"""OAuth 2.0 and OpenID Connect protection for Python APIs.

For FastAPI, begin with :class:`portcullis_auth.fastapi.Portcullis`; for anything else, with
:class:`Server`.
"""

from portcullis_auth._errors import ConfigError, Denied, Outage, Refusal
from portcullis_auth._portcullis import Admission, Requirement, Server, Token

__all__ = [
    "Admission",
    "ConfigError",
    "Denied",
    "Outage",
    "Refusal",
    "Requirement",
    "Server",
    "Token",
]
